// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management devices: those on which user space creates devices.
 *
 * Called by parents that register one, and by netlink, which looks them up.
 * The list is under vdpa_dev_lock.
 */
#include "core.h"

#include <linux/list.h>

LIST_HEAD(vdpa_mgmtdevs);	/* struct vdpa_mgmt_dev, vdpa_dev_lock */
unsigned int vdpa_mgmtdevs_seq = 1;	/* of their changes, vdpa_dev_lock */

static bool vdpa_mgmtdev_match(const struct vdpa_mgmt_dev *mdev,
			       const char *bus, const char *name)
{
	const struct bus_type *has = mdev->device->bus;

	if (!bus != !has || (bus && strcmp(bus, has->name)))
		return false;
	return !strcmp(name, dev_name(mdev->device));
}

/**
 * vdpa_mgmtdev_find() - Find a management device.
 * @bus: name of its bus; NULL if it is on none
 * @name: its name
 *
 * Context: Process context, vdpa_dev_lock held.
 * Return: the management device; NULL if there is none.
 */
struct vdpa_mgmt_dev *vdpa_mgmtdev_find(const char *bus, const char *name)
{
	struct vdpa_mgmt_dev *mdev;

	lockdep_assert_held(&vdpa_dev_lock);

	list_for_each_entry(mdev, &vdpa_mgmtdevs, list)
		if (vdpa_mgmtdev_match(mdev, bus, name))
			return mdev;
	return NULL;
}

/**
 * vdpa_mgmtdev_classes() - Tell which classes a management device can create.
 * @mdev: the management device
 *
 * Return: a bit for each virtio device id below 64.
 */
u64 vdpa_mgmtdev_classes(const struct vdpa_mgmt_dev *mdev)
{
	u64 classes = 0;
	int i;

	/* No table is longer, should one lack its terminating entry. */
	for (i = 0; i < VDPA_CLASSES && mdev->id_table[i].device; i++)
		if (mdev->id_table[i].device < VDPA_CLASSES)
			classes |= BIT_ULL(mdev->id_table[i].device);
	return classes;
}

/**
 * vdpa_mgmtdev_register() - Let user space create devices on a parent.
 * @mdev: the management device; all but @mdev->list set
 *
 * Context: Process context. Takes vdpa_dev_lock. May sleep.
 * Return: 0; -EINVAL if a member that is needed is NULL; -EEXIST if there is
 *	one of that name on that bus.
 */
int vdpa_mgmtdev_register(struct vdpa_mgmt_dev *mdev)
{
	const struct vdpa_mgmtdev_ops *ops = mdev->ops;
	const struct bus_type *bus;

	if (!mdev->device || !mdev->id_table)
		return -EINVAL;
	if (!ops || !ops->dev_add || !ops->dev_del)
		return -EINVAL;

	guard(rwsem_write)(&vdpa_dev_lock);
	bus = mdev->device->bus;
	if (vdpa_mgmtdev_find(bus ? bus->name : NULL, dev_name(mdev->device)))
		return -EEXIST;
	list_add_tail(&mdev->list, &vdpa_mgmtdevs);
	vdpa_mgmtdevs_seq++;
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_mgmtdev_register);

static int vdpa_mgmtdev_del(struct device *dev, void *data)
{
	struct vdpa_device *vdpa = dev_to_vdpa(dev);
	struct vdpa_mgmt_dev *mdev = data;

	if (vdpa->mdev == mdev)
		mdev->ops->dev_del(mdev, vdpa);
	return 0;
}

/**
 * vdpa_mgmtdev_unregister() - Let user space create no more devices on a parent.
 * @mdev: the management device
 *
 * Those that it has are deleted, as if user space had asked for it.
 *
 * Context: Process context. Takes vdpa_dev_lock. May sleep.
 */
void vdpa_mgmtdev_unregister(struct vdpa_mgmt_dev *mdev)
{
	guard(rwsem_write)(&vdpa_dev_lock);
	list_del(&mdev->list);
	vdpa_mgmtdevs_seq++;
	bus_for_each_dev(&vdpa_bus, NULL, mdev, vdpa_mgmtdev_del);
}
EXPORT_SYMBOL_GPL(vdpa_mgmtdev_unregister);
