// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one way into every ioctl of /dev/vhost-vdpa-N: finds the row, copies the
 * argument, takes the lock, passes the gate, checks what the row asks for,
 * calls the handler, copies back. User memory is touched only outside the lock
 * and the gate: a fault on it may take as long as its owner likes.
 */
#include "ioctl.h"

#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vhost_vdpa.h"

static const struct vhost_vdpa_ioctl *ioctl_find(unsigned int cmd)
{
	static const struct vhost_vdpa_ioctls *const tables[] = {
		&vhost_vdpa_ioctls_vring,
		&vhost_vdpa_ioctls_device,
	};

	for (int t = 0; t < ARRAY_SIZE(tables); t++)
		for (unsigned int i = 0; i < tables[t]->nr; i++)
			if (tables[t]->row[i].cmd == cmd)
				return &tables[t]->row[i];
	return NULL;
}

static bool ioctl_in(const struct vhost_vdpa_ioctl *row)
{
	/* A variable argument tells its length in the fixed part. */
	return row->tail || (_IOC_DIR(row->cmd) & _IOC_WRITE);
}

static bool ioctl_out(const struct vhost_vdpa_ioctl *row)
{
	if (row->tail)
		return false;
	return (row->flags & ROW_OUT) || (_IOC_DIR(row->cmd) & _IOC_READ);
}

/* The argument of a call into kernel memory. */
static int ioctl_copy_in(const struct vhost_vdpa_ioctl *row,
			 struct vhost_vdpa_call *call, void __user *argp)
{
	size_t size = _IOC_SIZE(row->cmd);
	int err;

	if (!ioctl_in(row))
		return 0;
	if (copy_from_user(&call->arg, argp, size))
		return -EFAULT;
	if (!row->tail)
		return 0;
	err = row->tail(call);
	if (err)
		return err;
	call->buf = kvzalloc(call->len, GFP_KERNEL_ACCOUNT);
	if (!call->buf)
		return -ENOMEM;
	if (!row->tail_out && copy_from_user(call->buf, argp + size, call->len))
		return -EFAULT;
	return 0;
}

static int ioctl_copy_out(const struct vhost_vdpa_ioctl *row,
			  const struct vhost_vdpa_call *call,
			  void __user *argp)
{
	size_t size = _IOC_SIZE(row->cmd);

	if (row->tail_out && copy_to_user(argp + size, call->buf, call->len))
		return -EFAULT;
	if (ioctl_out(row) && copy_to_user(argp, &call->arg, size))
		return -EFAULT;
	return 0;
}

static int ioctl_check(const struct vhost_vdpa_ioctl *row,
		       struct vhost_vdpa_call *call)
	__must_hold(&call->v->lock)
{
	struct vhost_vdpa *v = call->v;

	lockdep_assert_held(&v->lock);

	if ((row->flags & ROW_OWNER) && v->mm != current->mm)
		return -EPERM;
	if (row->flags & ROW_VQ) {
		u32 idx = call->arg.u32;

		if (idx >= v->nvqs)
			return -ENOBUFS;
		call->vq = &v->vqs[array_index_nospec(idx, v->nvqs)];
	}
	if ((row->flags & ROW_STOPPED) && vhost_vdpa_running(v, call->vdpa))
		return -EBUSY;
	if ((row->flags & ROW_STOPPED_INVAL) &&
	    vhost_vdpa_running(v, call->vdpa))
		return -EINVAL;
	return 0;
}

static int ioctl_run(const struct vhost_vdpa_ioctl *row,
		     struct vhost_vdpa_call *call)
{
	int err;

	guard(mutex)(&call->v->lock);
	CLASS(vdpa_live, live)(&call->v->gate);
	if (!live.ops)
		return -ENODEV;

	call->vdpa = live.vdpa;
	call->ops = live.ops;
	err = ioctl_check(row, call);
	if (err)
		return err;
	return row->fn(call);
}

long vhost_vdpa_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vhost_vdpa_call call = { .v = file->private_data };
	const struct vhost_vdpa_ioctl *row = ioctl_find(cmd);
	void __user *argp = (void __user *)arg;
	bool gone;
	int err;

	if (!row)
		return -ENOTTY;
	/* Whoever still has a device that is gone is told so, and only so. */
	gone = vdpa_gate_is_closed(&call.v->gate);
	if (gone && !(row->flags & ROW_GONE_ZERO))
		return -ENODEV;

	err = ioctl_copy_in(row, &call, argp);
	if (!err)
		err = ioctl_run(row, &call);
	if (!err || (err == -ENODEV && (row->flags & ROW_GONE_ZERO)))
		err = ioctl_copy_out(row, &call, argp) ?: err;
	kvfree(call.buf);
	return gone ? -ENODEV : err;
}
