// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus "vdpa": which bus driver takes a device, and what holds whenever one
 * is probed.
 *
 * Called by the driver core, under the lock of the device in question; and by
 * bus drivers that register and unregister.
 */
#include "core.h"
#include "compat.h"

#include <linux/dma-mapping.h>

static int vdpa_bus_match(struct device *dev, const struct device_driver *drv)
{
	int match = vdpa_override_match(dev, drv);

	/* Without an override every driver fits: first come, first served. */
	return match < 0 ? 1 : match;
}

static int vdpa_bus_probe(struct device *dev)
{
	struct vdpa_driver *drv = drv_to_vdpa(dev->driver);
	struct vdpa_device *vdpa = dev_to_vdpa(dev);
	const struct vdpa_config_ops *ops = vdpa->config;
	int err;

	/* A parent without a DMA device of its own is reached through this. */
	dev->dma_mask = &dev->coherent_dma_mask;
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err)
		return err;

	if (ops->get_vq_num_min &&
	    ops->get_vq_num_max(vdpa) < ops->get_vq_num_min(vdpa))
		return -EINVAL;

	return drv->probe ? drv->probe(vdpa) : 0;
}

static void vdpa_bus_remove(struct device *dev)
{
	struct vdpa_driver *drv = drv_to_vdpa(dev->driver);

	if (drv->remove)
		drv->remove(dev_to_vdpa(dev));
}

const struct bus_type vdpa_bus = {
	.name = "vdpa",
	.match = vdpa_bus_match,
	.uevent = vdpa_uevent,
	.probe = vdpa_bus_probe,
	.remove = vdpa_bus_remove,
	VDPA_BUS_OVERRIDE,
};

/**
 * vdpa_find_device() - Find a registered device by its name.
 * @name: the name, terminated
 *
 * Context: Process context. May sleep.
 * Return: the device, with a reference to put; NULL if there is none.
 */
struct vdpa_device *vdpa_find_device(const char *name)
{
	struct device *dev = bus_find_device_by_name(&vdpa_bus, NULL, name);

	return dev ? dev_to_vdpa(dev) : NULL;
}

/**
 * __vdpa_register_driver() - Register a bus driver.
 * @drv: the driver
 * @owner: its module
 *
 * Drivers use vdpa_register_driver(). Devices that nobody drives are offered
 * to @drv before this returns. @drv->remove must return without waiting for
 * user space: see struct vdpa_gate.
 *
 * Context: Process context. May sleep.
 * Return: 0; -EBUSY if a driver of this name is registered; other negative
 *	errno of the driver core.
 */
int __vdpa_register_driver(struct vdpa_driver *drv, struct module *owner)
{
	drv->driver.bus = &vdpa_bus;
	drv->driver.owner = owner;
	return driver_register(&drv->driver);
}
EXPORT_SYMBOL_GPL(__vdpa_register_driver);

/**
 * vdpa_unregister_driver() - Unregister a bus driver.
 * @drv: the driver
 *
 * Its devices are removed from it first, and stay on the bus.
 *
 * Context: Process context. May sleep.
 */
void vdpa_unregister_driver(struct vdpa_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(vdpa_unregister_driver);
