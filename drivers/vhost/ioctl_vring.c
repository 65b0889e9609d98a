// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls of one virtqueue or one group of them. Handlers run under v->lock and
 * inside v->gate; see ioctl.h.
 */
#include "ioctl.h"

#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/vdpa.h>
#include <uapi/linux/virtio_config.h>

#include "vhost_vdpa.h"

/* A VRING_BASE of a packed ring: counters above, 15 bits of index below. */
#define BASE_WRAP	BIT(15)
#define BASE_IDX	GENMASK(14, 0)

static bool vq_packed(const struct vhost_vdpa_call *call)
{
	return call->ops->get_driver_features(call->vdpa) &
	       BIT_ULL(VIRTIO_F_RING_PACKED);
}

static int set_vring_num(struct vhost_vdpa_call *call)
{
	u32 num = call->arg.state.num;

	if (!num || num > call->v->vq_num_max)
		return -EINVAL;
	if (!is_power_of_2(num) && !vq_packed(call))
		return -EINVAL;
	call->ops->set_vq_num(call->vdpa, call->vq->idx, num);
	return 0;
}

static int set_vring_addr(struct vhost_vdpa_call *call)
{
	const struct vhost_vring_addr *addr = &call->arg.addr;

	if (addr->flags & ~BIT(VHOST_VRING_F_LOG))
		return -EOPNOTSUPP;
	if (addr->avail_user_addr % VRING_AVAIL_ALIGN_SIZE ||
	    addr->used_user_addr % VRING_USED_ALIGN_SIZE ||
	    addr->log_guest_addr % VRING_USED_ALIGN_SIZE)
		return -EINVAL;
	if (call->ops->set_vq_address(call->vdpa, call->vq->idx,
				      addr->desc_user_addr,
				      addr->avail_user_addr,
				      addr->used_user_addr))
		return -EINVAL;
	return 0;
}

static int set_vring_base(struct vhost_vdpa_call *call)
{
	u32 num = call->arg.state.num;
	struct vdpa_vq_state state = {};

	if (vq_packed(call)) {
		u16 avail = num, used = num >> 16;

		state.packed.last_avail_idx = avail & BASE_IDX;
		state.packed.last_avail_counter = !!(avail & BASE_WRAP);
		state.packed.last_used_idx = used & BASE_IDX;
		state.packed.last_used_counter = !!(used & BASE_WRAP);
	} else {
		if (num > U16_MAX)
			return -EINVAL;
		state.split.avail_index = num;
	}
	return call->ops->set_vq_state(call->vdpa, call->vq->idx, &state);
}

static int get_vring_base(struct vhost_vdpa_call *call)
{
	struct vdpa_vq_state state = {};
	u32 avail, used;
	int err;

	err = call->ops->get_vq_state(call->vdpa, call->vq->idx, &state);
	if (err)
		return err;
	if (!vq_packed(call)) {
		call->arg.state.num = state.split.avail_index;
		return 0;
	}
	avail = state.packed.last_avail_idx;
	if (state.packed.last_avail_counter)
		avail |= BASE_WRAP;
	used = state.packed.last_used_idx;
	if (state.packed.last_used_counter)
		used |= BASE_WRAP;
	call->arg.state.num = avail | used << 16;
	return 0;
}

static int set_vring_kick(struct vhost_vdpa_call *call)
{
	return vhost_vdpa_kick_set(call->vq, call->vdpa, call->arg.file.fd);
}

static int set_vring_call(struct vhost_vdpa_call *call)
{
	struct vhost_vdpa_event *event = vhost_vdpa_event_get(call->arg.file.fd);

	if (IS_ERR(event))
		return PTR_ERR(event);
	vhost_vdpa_call_set(call->vq, call->vdpa, event);
	return 0;
}

static int set_vring_err(struct vhost_vdpa_call *call)
{
	struct vhost_vdpa_event *event = vhost_vdpa_event_get(call->arg.file.fd);

	if (IS_ERR(event))
		return PTR_ERR(event);
	vhost_vdpa_err_set(call->vq, event);
	return 0;
}

static int set_busyloop_timeout(struct vhost_vdpa_call *call)
{
	if (call->arg.state.num > INT_MAX)
		return -EINVAL;
	call->vq->busyloop_us = call->arg.state.num;
	return 0;
}

static int get_busyloop_timeout(struct vhost_vdpa_call *call)
{
	call->arg.state.num = call->vq->busyloop_us;
	return 0;
}

/* A device that runs takes queues in and out only if it says that it can. */
static int set_vring_enable(struct vhost_vdpa_call *call)
{
	u64 late = BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
	u16 idx = call->vq->idx;
	bool ready = call->arg.state.num;

	if ((call->ops->get_status(call->vdpa) & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    call->ops->get_vq_ready(call->vdpa, idx) != ready &&
	    !(vhost_vdpa_backend_offered(call->vdpa) & late))
		return -EBUSY;
	/* The parent may free the interrupt of a queue that stops. */
	if (!ready)
		vhost_vdpa_irq_unbypass(call->vq);
	call->ops->set_vq_ready(call->vdpa, idx, ready);
	if (ready)
		vhost_vdpa_irq_bypass(call->vq, call->vdpa);
	return 0;
}

static int vring_group(struct vhost_vdpa_call *call,
		       u32 (*op)(struct vdpa_device *vdpa, u16 idx))
{
	u32 group;

	if (!op)
		return -EOPNOTSUPP;
	group = op(call->vdpa, call->vq->idx);
	if (group >= call->v->ngroups)
		return -EIO;
	call->arg.state.num = group;
	return 0;
}

static int get_vring_group(struct vhost_vdpa_call *call)
{
	return vring_group(call, call->ops->get_vq_group);
}

static int get_vring_desc_group(struct vhost_vdpa_call *call)
{
	return vring_group(call, call->ops->get_vq_desc_group);
}

static int set_group_asid(struct vhost_vdpa_call *call)
{
	u32 group = call->arg.state.index, asid = call->arg.state.num;

	if (group >= call->v->ngroups || asid >= call->v->nas)
		return -EINVAL;
	if (!call->ops->set_group_asid)
		return -EOPNOTSUPP;
	group = array_index_nospec(group, call->v->ngroups);
	asid = array_index_nospec(asid, call->v->nas);
	return call->ops->set_group_asid(call->vdpa, group, asid);
}

static int get_vring_size(struct vhost_vdpa_call *call)
{
	if (!call->ops->get_vq_size)
		return -EOPNOTSUPP;
	call->arg.state.num = call->ops->get_vq_size(call->vdpa, call->vq->idx);
	return 0;
}

#define VQ	(ROW_OWNER | ROW_VQ)

static const struct vhost_vdpa_ioctl rows[] = {
	{ VHOST_SET_VRING_NUM,	VQ | ROW_STOPPED,	.fn = set_vring_num },
	{ VHOST_SET_VRING_ADDR,	VQ | ROW_STOPPED_INVAL,	.fn = set_vring_addr },
	{ VHOST_SET_VRING_BASE,	VQ | ROW_STOPPED_INVAL,	.fn = set_vring_base },
	{ VHOST_GET_VRING_BASE,		VQ, .fn = get_vring_base },
	{ VHOST_SET_VRING_KICK,		VQ, .fn = set_vring_kick },
	{ VHOST_SET_VRING_CALL,		VQ, .fn = set_vring_call },
	{ VHOST_SET_VRING_ERR,		VQ, .fn = set_vring_err },
	{ VHOST_SET_VRING_BUSYLOOP_TIMEOUT, VQ, .fn = set_busyloop_timeout },
	{ VHOST_GET_VRING_BUSYLOOP_TIMEOUT, VQ | ROW_OUT,
					.fn = get_busyloop_timeout },
	{ VHOST_VDPA_SET_VRING_ENABLE,	VQ, .fn = set_vring_enable },
	{ VHOST_VDPA_GET_VRING_GROUP,	VQ, .fn = get_vring_group },
	{ VHOST_VDPA_GET_VRING_DESC_GROUP, VQ, .fn = get_vring_desc_group },
	{ VHOST_VDPA_SET_GROUP_ASID, ROW_OWNER | ROW_STOPPED,
					.fn = set_group_asid },
	{ VHOST_VDPA_GET_VRING_SIZE,	VQ, .fn = get_vring_size },
};

const struct vhost_vdpa_ioctls vhost_vdpa_ioctls_vring = {
	rows, ARRAY_SIZE(rows)
};
