/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one difference between 6.12.y kernels that vdpa.ko has to bridge.
 *
 * From 6.12.115 on, the driver core keeps and shows driver_override for buses
 * that ask for it. Before, struct vdpa_device had a member for it and the bus
 * a sysfs attribute: override.c. Kbuild looks which one <linux/vdpa.h> is.
 */
#ifndef _VDPA_CORE_COMPAT_H
#define _VDPA_CORE_COMPAT_H

#include <linux/device.h>

struct vdpa_device;

#ifdef VDPA_OVERRIDE_IN_DEVICE

/* override.c */
extern const struct attribute_group *vdpa_override_groups[];
int vdpa_override_match(struct device *dev, const struct device_driver *drv);
void vdpa_override_free(struct vdpa_device *vdpa);

#define VDPA_BUS_OVERRIDE	.dev_groups = vdpa_override_groups

#else

static inline int vdpa_override_match(struct device *dev,
				      const struct device_driver *drv)
{
	return device_match_driver_override(dev, drv);
}

static inline void vdpa_override_free(struct vdpa_device *vdpa)
{
}

#define VDPA_BUS_OVERRIDE	.driver_override = true

#endif /* VDPA_OVERRIDE_IN_DEVICE */

#endif /* _VDPA_CORE_COMPAT_H */
