/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vdpa.ko share.
 *
 * The first four includes decide the CRC of every symbol that is exported, so
 * that drivers built against the in-tree vdpa.ko load on this one: keep them
 * first, and include this file first everywhere. scripts/check-abi tells.
 *
 * Lock order: vdpa_dev_lock -> rtnl, device lock -> those of the bus driver ->
 * vdpa->cf_lock -> whatever the parent takes in its operations. A bus driver is
 * probed and removed with vdpa_dev_lock held or not, and must not take it.
 */
#ifndef _VDPA_CORE_H
#define _VDPA_CORE_H

#include <linux/vdpa.h>
#include <net/genetlink.h>
#include <linux/mod_devicetable.h>
#include <linux/virtio_ids.h>

#include <linux/cache.h>
#include <linux/limits.h>

struct kobj_uevent_env;
struct vdpa_change_ops;

/* Longest name of a device: what a sysfs directory may be called. */
#define VDPA_NAME_MAX	NAME_MAX

/* Classes are told apart by the bits of a u64. */
#define VDPA_CLASSES	64

/**
 * struct vdpa_core - a device, with what struct vdpa_device cannot hold
 * @seq: rises with each registration; orders dumps; under vdpa_dev_lock
 * @change_ops: how it can be changed; NULL: as its management device says;
 *	immutable once registered
 * @parent_owns: the parent has state in its part that ops->free gives back;
 *	set when allocation is complete, cleared by whoever calls ops->free
 * @vq_reset: the parent resets single queues; immutable once registered
 * @vdpa: the device; the parent's own part follows it
 */
struct vdpa_core {
	long seq;
	const struct vdpa_change_ops *change_ops;
	bool parent_owns;
	bool vq_reset;
	struct vdpa_device vdpa ____cacheline_aligned;
};

static inline struct vdpa_core *vdpa_to_core(const struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vdpa_core, vdpa);
}

/* main.c: taken for writing by whatever adds or removes a device. */
extern struct rw_semaphore vdpa_dev_lock;

/* bus.c */
extern const struct bus_type vdpa_bus;
struct vdpa_device *vdpa_find_device(const char *name);

/* device.c */
void vdpa_device_exit(void);

/* autoload.c */
int vdpa_uevent(const struct device *dev, struct kobj_uevent_env *env);
void vdpa_request_driver(struct vdpa_device *vdpa);
void vdpa_autoload_exit(void);

/* config.c */
size_t vdpa_peek_config(struct vdpa_device *vdpa, void *buf, size_t len);

/* mgmtdev.c */
extern struct list_head vdpa_mgmtdevs;
extern unsigned int vdpa_mgmtdevs_seq;
struct vdpa_mgmt_dev *vdpa_mgmtdev_find(const char *bus, const char *name);
u64 vdpa_mgmtdev_classes(const struct vdpa_mgmt_dev *mdev);

/* refuse.c */
void vdpa_refuse_begin(void);
const char *vdpa_refuse_reason(void);

#endif /* _VDPA_CORE_H */
