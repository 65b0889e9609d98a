/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One row describes one ioctl; the dispatcher in ioctl.c does for all of them
 * what the row asks for, so a handler sees only arguments that were copied and
 * checked, with the locks held and the device there.
 */
#ifndef _VHOST_VDPA_IOCTL_H
#define _VHOST_VDPA_IOCTL_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>

struct vdpa_config_ops;
struct vdpa_device;
struct vhost_vdpa;
struct vhost_vdpa_vq;

union vhost_vdpa_arg {
	u8 u8;
	u16 u16;
	u32 u32;
	u64 u64;
	int fd;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct vhost_vring_file file;
	struct vhost_memory mem;
	struct vhost_vdpa_config config;
	struct vhost_vdpa_iova_range range;
};

/**
 * struct vhost_vdpa_call - one ioctl on its way through the dispatcher
 * @v: the node
 * @vdpa: its device, alive while the handler runs
 * @ops: operations of @vdpa
 * @vq: the virtqueue, of rows with ROW_VQ
 * @arg: the argument, copied; what is left in it goes back if the row reads
 * @buf: variable part of the argument, of rows with a @tail
 * @len: bytes in @buf
 */
struct vhost_vdpa_call {
	struct vhost_vdpa *v;
	struct vdpa_device *vdpa;
	const struct vdpa_config_ops *ops;
	struct vhost_vdpa_vq *vq;
	union vhost_vdpa_arg arg;
	void *buf;
	size_t len;
};

/* What has to be so before the handler runs. */
#define ROW_OWNER	BIT(0)	/* caller is the owner, else EPERM */
#define ROW_VQ		BIT(1)	/* u32 at the start: queue, else ENOBUFS */
#define ROW_STOPPED	BIT(2)	/* not DRIVER_OK or suspended, else EBUSY */
#define ROW_STOPPED_INVAL BIT(3) /* the same, else EINVAL */
#define ROW_OUT		BIT(4)	/* copies back though _IOC_DIR denies it */
#define ROW_GONE_ZERO	BIT(5)	/* without a device @buf reads as zeros */

/**
 * struct vhost_vdpa_ioctl - one row of the table
 * @cmd: number, direction and size of the fixed part
 * @flags: ROW_*
 * @tail: sets call->len from the fixed part, for arguments of variable size;
 *	an errno refuses it
 * @tail_out: the tail is copied to the caller, not from it
 * @fn: handler, under v->lock and inside v->gate
 */
struct vhost_vdpa_ioctl {
	unsigned int cmd;
	unsigned int flags;
	int (*tail)(struct vhost_vdpa_call *call);
	bool tail_out;
	int (*fn)(struct vhost_vdpa_call *call);
};

struct vhost_vdpa_ioctls {
	const struct vhost_vdpa_ioctl *row;
	unsigned int nr;
};

/* ioctl_device.c */
extern const struct vhost_vdpa_ioctls vhost_vdpa_ioctls_device;
u64 vhost_vdpa_backend_offered(struct vdpa_device *vdpa);

/* ioctl_vring.c */
extern const struct vhost_vdpa_ioctls vhost_vdpa_ioctls_vring;

#endif /* _VHOST_VDPA_IOCTL_H */
