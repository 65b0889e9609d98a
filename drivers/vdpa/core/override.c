// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute driver_override of devices on the bus, for kernels before
 * 6.12.115, where struct vdpa_device has a member for it. Newer kernels keep
 * it in the driver core; Kbuild looks at <linux/vdpa.h> and leaves this out.
 *
 * Called by sysfs and, without the device lock, by whoever looks for a driver:
 * the string is under a lock of its own.
 */
#include "core.h"
#include "compat.h"

#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static DEFINE_SPINLOCK(override_lock);	/* vdpa->driver_override */

/* 1: @drv is asked for; 0: another one is; -1: none in particular. */
int vdpa_override_match(struct device *dev, const struct device_driver *drv)
{
	const struct vdpa_device *vdpa = dev_to_vdpa(dev);

	guard(spinlock)(&override_lock);
	if (!vdpa->driver_override)
		return -1;
	return !strcmp(vdpa->driver_override, drv->name);
}

void vdpa_override_free(struct vdpa_device *vdpa)
{
	kfree(vdpa->driver_override);
}

static ssize_t driver_override_store(struct device *dev,
				     struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct vdpa_device *vdpa = dev_to_vdpa(dev);
	const char *old, *new = NULL;
	size_t len = strcspn(buf, "\n");

	if (count >= PAGE_SIZE - 1)
		return -EINVAL;
	/* An empty line takes it back. */
	if (len) {
		new = kstrndup(buf, len, GFP_KERNEL);
		if (!new)
			return -ENOMEM;
	}
	scoped_guard(spinlock, &override_lock) {
		old = vdpa->driver_override;
		vdpa->driver_override = new;
	}
	kfree(old);
	return count;
}

static ssize_t driver_override_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	const struct vdpa_device *vdpa = dev_to_vdpa(dev);

	guard(spinlock)(&override_lock);
	return sysfs_emit(buf, "%s\n", vdpa->driver_override);
}

static DEVICE_ATTR_RW(driver_override);

static struct attribute *vdpa_override_attrs[] = {
	&dev_attr_driver_override.attr,
	NULL,
};

static const struct attribute_group vdpa_override_group = {
	.attrs = vdpa_override_attrs,
};

const struct attribute_group *vdpa_override_groups[] = {
	&vdpa_override_group,
	NULL,
};
