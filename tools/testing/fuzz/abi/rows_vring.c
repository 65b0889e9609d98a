// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls of one virtqueue or of a group of them; see rows.h.
 */
#include "rows.h"

#include "random.h"

static void fill_index(union arg *arg)
{
	arg->state.index = rng_percent(&w.rng, 95) ?
		rng_below(&w.rng, m.shape.nvqs) :
		rng_pick(&w.rng, m.shape.nvqs, m.shape.nvqs + 1, 65535U,
			 1U << 31, UINT32_MAX);
	arg->state.num = rng_next(&w.rng);
}

static void fill_num(union arg *arg)
{
	fill_index(arg);
	arg->state.num = rng_pick(&w.rng, 1U << rng_below(&w.rng, 9),
				  1U << rng_below(&w.rng, 9), 0U, 3U,
				  m.shape.vq_num_max, m.shape.vq_num_max + 1,
				  0x10000U, (uint32_t)rng_next(&w.rng));
}

static int set_num(union arg *arg)
{
	uint32_t num = arg->state.num;

	if (!num || num > m.shape.vq_num_max)
		return -EINVAL;
	if ((num & (num - 1)) && !model_packed())
		return -EINVAL;
	m.vq[arg->state.index].num = num;
	return 0;
}

static void fill_addr(union arg *arg)
{
	fill_random(arg);
	arg->addr.index = 0;
	fill_index(arg);
	arg->addr.flags = rng_percent(&w.rng, 90) ? rng_below(&w.rng, 2) :
						    rng_next(&w.rng);
	if (rng_percent(&w.rng, 80)) {
		arg->addr.avail_user_addr &= -2UL;
		arg->addr.used_user_addr &= -4UL;
		arg->addr.log_guest_addr &= -4UL;
	}
}

static int set_addr(union arg *arg)
{
	struct vq *vq = &m.vq[arg->addr.index];

	if (arg->addr.flags & ~1U)
		return -EOPNOTSUPP;
	if (arg->addr.avail_user_addr % 2 || arg->addr.used_user_addr % 4 ||
	    arg->addr.log_guest_addr % 4)
		return -EINVAL;
	if (m.inject)
		return -EINVAL;
	vq->desc = arg->addr.desc_user_addr;
	vq->avail = arg->addr.avail_user_addr;
	vq->used = arg->addr.used_user_addr;
	return 0;
}

static void fill_base(union arg *arg)
{
	fill_index(arg);
	if (rng_percent(&w.rng, 50))
		arg->state.num &= 0xffff;
}

/* 15 bits and a wrap counter, on its other side in struct vdpa_vq_state. */
static uint32_t rotate(uint16_t num)
{
	return (num & 0x7fff) << 1 | num >> 15;
}

static uint32_t rotate_back(uint16_t state)
{
	return state >> 1 | (state & 1) << 15;
}

static int set_base(union arg *arg)
{
	uint32_t num = arg->state.num;
	uint32_t state = num;

	if (model_packed())
		state = rotate(num) | rotate(num >> 16) << 16;
	else if (num > UINT16_MAX)
		return -EINVAL;
	if (m.inject)
		return m.inject;
	m.vq[arg->state.index].state = state;
	return 0;
}

static int get_base(union arg *arg)
{
	uint32_t state = m.vq[arg->state.index].state;

	if (m.inject)
		return m.inject;
	arg->state.num = model_packed() ?
		rotate_back(state) | rotate_back(state >> 16) << 16 :
		state & 0xffff;
	return 0;
}

static void fill_busyloop(union arg *arg)
{
	fill_index(arg);
	arg->state.num >>= rng_below(&w.rng, 3);
}

static int set_busyloop(union arg *arg)
{
	if (arg->state.num > INT32_MAX)
		return -EINVAL;
	m.vq[arg->state.index].busyloop = arg->state.num;
	return 0;
}

static void fill_enable(union arg *arg)
{
	fill_index(arg);
	arg->state.num = rng_pick(&w.rng, 0U, 0U, 1U, 1U, 1U, 2U, 256U,
				  1U << 31);
}

static int set_enable(union arg *arg)
{
	struct vq *vq = &m.vq[arg->state.index];
	uint64_t late = BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);

	if ((m.status & STATUS_DRIVER_OK) && vq->ready != !!arg->state.num &&
	    !(m.shape.backend & late))
		return -EBUSY;
	vq->ready = arg->state.num;
	if (vq->ready)
		bypass_offer(arg->state.index, 1);
	else
		vq->bypass = false;
	return 0;
}

static int get_group(union arg *arg)
{
	arg->state.num = arg->state.index % m.shape.ngroups;
	return 0;
}

static int get_desc_group(union arg *arg)
{
	arg->state.num = m.shape.ngroups - 1;
	return m.shape.has_desc_group ? 0 : -EOPNOTSUPP;
}

static int get_size(union arg *arg)
{
	arg->state.num = m.vq[arg->state.index].num ?: m.shape.vq_num_max;
	return m.shape.has_size ? 0 : -EOPNOTSUPP;
}

static void fill_asid(union arg *arg)
{
	arg->state.index = rng_below(&w.rng, m.shape.ngroups + 1);
	arg->state.num = rng_below(&w.rng, m.shape.nas + 1);
	if (rng_percent(&w.rng, 5))
		fill_random(arg);
}

static int set_asid(union arg *arg)
{
	if (arg->state.index >= m.shape.ngroups ||
	    arg->state.num >= m.shape.nas)
		return -EINVAL;
	if (!m.shape.can_asid)
		return -EOPNOTSUPP;
	if (!m.inject)
		m.group_asid[arg->state.index] = arg->state.num;
	return m.inject;
}

static int get_busyloop(union arg *arg)
{
	arg->state.num = m.vq[arg->state.index].busyloop;
	return 0;
}

#define FILLER(_name)							\
static void fill_##_name(union arg *arg)				\
{									\
	fill_index(arg);						\
	arg->file.fd = fd_draw(w._name);				\
}

FILLER(call)
FILLER(kick)
FILLER(err)

static int set_call(union arg *arg)
{
	int event, err = fd_event(arg->file.fd, w.call, &event);
	struct vq *vq = &m.vq[arg->file.index];

	if (err)
		return err;
	vq->bypass = false;
	vq->call = event;
	bypass_offer(arg->file.index, 1);
	return 0;
}

static int set_kick(union arg *arg)
{
	int event, err = fd_event(arg->file.fd, w.kick, &event);
	struct vq *vq = &m.vq[arg->file.index];

	if (err)
		return err;
	vq->kick = event;
	/* What nobody has read is a kick. */
	if (event >= 0 && m.kicks[event])
		vq->kicks++;
	return 0;
}

static int set_err(union arg *arg)
{
	int event;

	return fd_event(arg->file.fd, w.err, &event);
}

#define VQ	(ROW_OWNER | ROW_VQ)

static const struct row rows[] = {
	{ "SET_VRING_NUM", VHOST_SET_VRING_NUM, VQ | ROW_BUSY, fill_num,
	  set_num },
	{ "SET_VRING_ADDR", VHOST_SET_VRING_ADDR, VQ | ROW_INVAL | ROW_PARENT,
	  fill_addr, set_addr, .op = "set_vq_address" },
	{ "SET_VRING_BASE", VHOST_SET_VRING_BASE, VQ | ROW_INVAL | ROW_PARENT,
	  fill_base, set_base, .op = "set_vq_state" },
	{ "GET_VRING_BASE", VHOST_GET_VRING_BASE, VQ | ROW_PARENT, fill_index,
	  get_base, .op = "get_vq_state" },
	{ "SET_VRING_KICK", VHOST_SET_VRING_KICK, VQ, fill_kick, set_kick },
	{ "SET_VRING_CALL", VHOST_SET_VRING_CALL, VQ, fill_call, set_call },
	{ "SET_VRING_CALL again", VHOST_SET_VRING_CALL, VQ, fill_call,
	  set_call },
	{ "SET_VRING_ERR", VHOST_SET_VRING_ERR, VQ, fill_err, set_err },
	{ "SET_BUSYLOOP", VHOST_SET_VRING_BUSYLOOP_TIMEOUT, VQ, fill_busyloop,
	  set_busyloop },
	{ "GET_BUSYLOOP", VHOST_GET_VRING_BUSYLOOP_TIMEOUT, VQ | ROW_OUT,
	  fill_index, get_busyloop },
	{ "SET_VRING_ENABLE", VHOST_VDPA_SET_VRING_ENABLE, VQ | ROW_PARENT,
	  fill_enable, set_enable },
	{ "SET_VRING_ENABLE again", VHOST_VDPA_SET_VRING_ENABLE,
	  VQ | ROW_PARENT, fill_enable, set_enable },
	{ "GET_VRING_GROUP", VHOST_VDPA_GET_VRING_GROUP, VQ | ROW_PARENT,
	  fill_index, get_group },
	{ "GET_VRING_DESC_GROUP", VHOST_VDPA_GET_VRING_DESC_GROUP,
	  VQ | ROW_PARENT, fill_index, get_desc_group },
	{ "SET_GROUP_ASID", VHOST_VDPA_SET_GROUP_ASID,
	  ROW_OWNER | ROW_BUSY | ROW_PARENT, fill_asid, set_asid,
	  .op = "set_group_asid" },
	{ "GET_VRING_SIZE", VHOST_VDPA_GET_VRING_SIZE, VQ | ROW_PARENT,
	  fill_index, get_size },
};

const struct rows rows_vring = { rows, ARRAY_SIZE(rows) };
