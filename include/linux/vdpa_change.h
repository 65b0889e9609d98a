/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to a device that exists, for parents that allow more of them than
 * struct vdpa_mgmtdev_ops can say: that one takes a MAC address.
 */
#ifndef _LINUX_VDPA_CHANGE_H
#define _LINUX_VDPA_CHANGE_H

#include <linux/types.h>
#include <linux/vdpa.h>

/**
 * struct vdpa_dev_change - what shall be different
 * @config: values, @config.mask says which of them are given:
 *	a bit for each attribute, VDPA_ATTR_DEV_NET_STATUS for @net_status
 * @net_status: VIRTIO_NET_S_LINK_UP or 0, native byte order
 */
struct vdpa_dev_change {
	struct vdpa_dev_set_config config;
	u16 net_status;
};

/**
 * struct vdpa_change_ops - what of a device can be changed, and how
 * @live: attributes that can be changed at any time, bits of VDPA_ATTR_*; the
 *	parent tells the driver by the config interrupt
 * @idle: attributes that can be changed while no driver uses the device: its
 *	status is 0
 * @set: make the change, all of it or none. The values make sense, and the
 *	device offers the features for them. Called with vdpa_dev_lock and
 *	vdpa->cf_lock held for writing; may sleep. 0 or -errno
 * @changed: optional; follows each @set that succeeds, without vdpa->cf_lock:
 *	for what takes locks that @set must not
 */
struct vdpa_change_ops {
	u64 live;
	u64 idle;
	int (*set)(struct vdpa_device *vdpa,
		   const struct vdpa_dev_change *change);
	void (*changed)(struct vdpa_device *vdpa);
};

/* drivers/vdpa/core/device.c */
void vdpa_set_change_ops(struct vdpa_device *vdpa,
			 const struct vdpa_change_ops *ops);

/* drivers/vdpa/core/nl_event.c */
void vdpa_device_changed(struct vdpa_device *vdpa);

#endif /* _LINUX_VDPA_CHANGE_H */
