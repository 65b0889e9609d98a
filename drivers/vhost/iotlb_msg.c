// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages, which user space write()s: decoded and checked once, here;
 * what lies behind gets a message whose range neither wraps nor is empty. One
 * message a write, of exactly the size of its structure. Runs in the process
 * of the owner, without v->lock.
 */
#include "vhost_vdpa.h"

#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

static_assert(sizeof(struct vhost_msg) == sizeof(struct vhost_msg_v2));
static_assert(offsetof(struct vhost_msg, iotlb) ==
	      offsetof(struct vhost_msg_v2, iotlb));

/* What a message type asks for. */
struct msg_type {
	int (*fn)(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		  const struct vhost_iotlb_msg *msg, u32 owner);
	bool range;	/* iova and size matter */
	bool memory;	/* uaddr and perm matter */
};

static const struct msg_type types[] = {
	[VHOST_IOTLB_UPDATE] = {
		vhost_vdpa_as_update, .range = true, .memory = true,
	},
	[VHOST_IOTLB_INVALIDATE] = {
		vhost_vdpa_as_invalidate, .range = true,
	},
	[VHOST_IOTLB_BATCH_BEGIN] = { vhost_vdpa_as_batch_begin },
	[VHOST_IOTLB_BATCH_END] = { vhost_vdpa_as_batch_end },
};

static int check_range(const struct vhost_iotlb_msg *msg)
{
	u64 last;

	/* The last byte, not the end: a range may reach 2^64. */
	if (!msg->size || check_add_overflow(msg->iova, msg->size - 1, &last))
		return -EINVAL;
	return 0;
}

static int check_memory(const struct vhost_vdpa *v,
			const struct vhost_iotlb_msg *msg)
{
	u64 last = msg->iova + msg->size - 1;
	u64 end;

	if (msg->iova < v->range.first || last > v->range.last)
		return -EINVAL;
	if (!msg->perm || msg->perm & ~VHOST_ACCESS_RW)
		return -EINVAL;
	if (check_add_overflow(msg->uaddr, msg->size, &end) ||
	    !access_ok(u64_to_user_ptr(msg->uaddr), msg->size))
		return -EFAULT;
	return 0;
}

static struct vhost_vdpa_as *msg_as(struct vhost_vdpa *v,
				    const struct vhost_msg_v2 *msg)
{
	bool named = msg->type == VHOST_IOTLB_MSG_V2 &&
		     READ_ONCE(v->backend_features) &
		     BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID);
	u32 asid = named ? msg->asid : 0;

	if (asid >= v->nas)
		return NULL;
	return &v->as[array_index_nospec(asid, v->nas)];
}

static int msg_run(struct vhost_vdpa *v, const struct vhost_msg_v2 *msg)
{
	const struct vhost_iotlb_msg *iotlb = &msg->iotlb;
	const struct msg_type *type;
	struct vhost_vdpa_as *as;
	u32 nr = iotlb->type;
	u32 owner;
	int err;

	/* Pairs with the release in owner_leaves(), which is after v->mm. */
	owner = smp_load_acquire(&v->owner_nr);
	/*
	 * Nobody owns a device that is gone. Pairs with the barrier in
	 * vdpa_gate_close(), after which a removal takes the owner away.
	 */
	if (smp_load_acquire(&v->mm) != current->mm)
		return vdpa_gate_is_closed(&v->gate) ? -ENODEV : -EPERM;
	if (msg->type != VHOST_IOTLB_MSG && msg->type != VHOST_IOTLB_MSG_V2)
		return -EINVAL;
	if (nr >= ARRAY_SIZE(types))
		return -EINVAL;
	type = &types[array_index_nospec(nr, ARRAY_SIZE(types))];
	if (!type->fn)
		return -EINVAL;
	as = msg_as(v, msg);
	if (!as)
		return -EINVAL;
	if (type->range) {
		err = check_range(iotlb);
		if (err)
			return err;
	}
	if (type->memory) {
		err = check_memory(v, iotlb);
		if (err)
			return err;
	}
	return type->fn(v, as, iotlb, owner);
}

ssize_t vhost_vdpa_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct vhost_vdpa *v = iocb->ki_filp->private_data;
	struct vhost_msg_v2 msg __uninitialized;
	int err;

	if (vdpa_gate_is_closed(&v->gate))
		return -ENODEV;
	if (iov_iter_count(from) != sizeof(msg))
		return -EINVAL;
	if (!copy_from_iter_full(&msg, sizeof(msg), from))
		return -EFAULT;
	err = msg_run(v, &msg);
	return err ?: sizeof(msg);
}
