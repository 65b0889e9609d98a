// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls of the device as a whole, and what all rows share; see rows.h.
 */
#include "rows.h"

#include <string.h>

#include "random.h"

bool model_runs(void)
{
	return (m.status & STATUS_DRIVER_OK) && !m.suspended;
}

bool model_packed(void)
{
	return m.features & BIT_ULL(F_RING_PACKED);
}

static void fill_none(union arg *arg)
{
}

void fill_random(union arg *arg)
{
	size_t i;

	for (i = 0; i < sizeof(struct vhost_vring_addr); i++)
		arg->bytes[i] = rng_next(&w.rng);
}

static int get_features(union arg *arg)
{
	arg->u64 = m.shape.features;
	return 0;
}

static void fill_features(union arg *arg)
{
	arg->u64 = m.shape.features;
	if (rng_percent(&w.rng, 70))
		arg->u64 &= rng_next(&w.rng);
	if (rng_percent(&w.rng, 10))
		arg->u64 |= BIT_ULL(rng_pick(&w.rng, F_RING_RESET,
					     rng_below(&w.rng, 64)));
}

static int set_features(union arg *arg)
{
	if (m.status & STATUS_FEATURES_OK)
		return -EBUSY;
	if (arg->u64 & ~m.shape.features)
		return -EINVAL;
	m.features_valid = true;
	if (m.inject)
		return -EINVAL;
	m.features = arg->u64;
	return 0;
}

static int get_backend(union arg *arg)
{
	arg->u64 = m.shape.backend;
	return 0;
}

static void fill_backend(union arg *arg)
{
	arg->u64 = m.shape.backend;
	if (rng_percent(&w.rng, 50))
		arg->u64 &= rng_next(&w.rng);
	if (rng_percent(&w.rng, 10))
		arg->u64 |= BIT_ULL(rng_below(&w.rng, 64));
}

static int set_backend(union arg *arg)
{
	if (arg->u64 & ~m.shape.backend)
		return -EOPNOTSUPP;
	if ((arg->u64 & BIT_ULL(VHOST_BACKEND_F_DESC_ASID)) &&
	    !(arg->u64 & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)))
		return -EINVAL;
	m.backend = arg->u64;
	return 0;
}

/* ioctl.c says who it is. */
static int set_owner(union arg *arg)
{
	if (m.owner != NOBODY)
		return -EBUSY;
	return takes_va() ? m.inject : 0;
}

static void fill_mem(union arg *arg)
{
	fill_random(arg);
	arg->mem.nregions = rng_pick(&w.rng, 0U, 1U, 64U, 65U, UINT32_MAX,
				     (uint32_t)rng_below(&w.rng, 65));
	arg->mem.padding = rng_percent(&w.rng, 80) ? 0 : 1;
}

static long tail_mem(const union arg *arg)
{
	if (arg->mem.padding)
		return -EOPNOTSUPP;
	if (arg->mem.nregions > 64)
		return -E2BIG;
	return arg->mem.nregions * sizeof(struct vhost_memory_region);
}

static int nothing(union arg *arg)
{
	return 0;
}

static int get_status(union arg *arg)
{
	arg->u8 = m.status;
	return 0;
}

/* Mostly what a driver does next, or all that it does. */
static void fill_status(union arg *arg)
{
	uint8_t next = m.status;

	if (rng_percent(&w.rng, 10)) {
		arg->u8 = rng_next(&w.rng);
		return;
	}
	if (rng_percent(&w.rng, 30))
		next |= 1 | 2 | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
	else if (!(next & 1))
		next |= 1;
	else if (!(next & 2))
		next |= 2;
	else if (!(next & STATUS_FEATURES_OK))
		next |= STATUS_FEATURES_OK;
	else
		next |= STATUS_DRIVER_OK;
	arg->u8 = next;
}

static int device_reset(void)
{
	if (!injected("reset")) {
		model_reset();
		return 0;
	}
	/* vdpa_reset() forgets this before it asks the parent. */
	m.features_valid = false;
	bypass_end();
	bypass_offer(0, m.shape.nvqs);
	return m.inject;
}

/* What fails is the reset, or the end of a batch that it ends. */
static int reset(void)
{
	int i, err = device_reset();

	for (i = 0; !injected("reset") && i < m.shape.nas; i++)
		err = model_end_batch(&m.as[i]) ?: err;
	return err;
}

/* All or nothing is promised of each address space, not of them all. */
static int empty_all(void)
{
	int i, err = 0;

	for (i = 0; i < m.shape.nas; i++) {
		struct space *as = &m.as[i];

		as->in_batch = false;
		if (!as->map.nr && !as->uncommitted)
			continue;
		if (!m.inject) {
			space_empty(as);
			continue;
		}
		err = m.inject;
		if (has_table())
			model_refused(as, 0);
		if (m.inject_nth)
			m.inject = 0;
	}
	return err;
}

static int reset_owner(union arg *arg)
{
	int err = device_reset() ?: empty_all();

	if (err)
		return err;
	model_session();
	doorbells_check_revoked();
	return 0;
}

static int set_status(union arg *arg)
{
	uint8_t old = m.status;

	if (!arg->u8)
		return reset();
	if (m.status & ~arg->u8)
		return -EINVAL;
	if (m.suspended)
		return arg->u8 == m.status ? 0 : -EBUSY;
	m.status |= arg->u8;
	if (~old & m.status & STATUS_DRIVER_OK)
		bypass_offer(0, m.shape.nvqs);
	return 0;
}

static long tail_config(const union arg *arg)
{
	uint32_t off = arg->config.off, len = arg->config.len;
	uint32_t size = m.shape.config_size;

	if (!len || off > size || len > size - off)
		return -EINVAL;
	return len;
}

static void fill_config(union arg *arg)
{
	uint32_t size = m.shape.config_size;

	fill_random(arg);
	arg->config.off = rng_below(&w.rng, size + 2);
	arg->config.len = rng_below(&w.rng, size - arg->config.off % size + 2);
	if (rng_percent(&w.rng, 10))
		arg->config.len = rng_pick(&w.rng, 0U, UINT32_MAX,
					   UINT32_MAX - size, 1U << 31);
	if (rng_percent(&w.rng, 5))
		arg->config.off = UINT32_MAX - rng_below(&w.rng, size);
}

static int get_config(union arg *arg)
{
	memcpy(arg->config.buf, m.config + arg->config.off, arg->config.len);
	/* A driver that has set none so far is a legacy one. */
	if (!m.features_valid && !(m.status & STATUS_FEATURES_OK)) {
		m.features = 0;
		m.features_valid = true;
	}
	return 0;
}

static int set_config(union arg *arg)
{
	memcpy(m.config + arg->config.off, arg->config.buf, arg->config.len);
	m.generation++;
	return 0;
}

static int get_generation(union arg *arg)
{
	arg->u32 = m.generation;
	return m.shape.has_generation ? 0 : -EOPNOTSUPP;
}

#define GETTER(_name, _to, _value)					\
static int get_##_name(union arg *arg)					\
{									\
	_to = _value;							\
	return 0;							\
}

GETTER(device_id, arg->u32, 1)
GETTER(vring_num, arg->u16, m.shape.vq_num_max)
GETTER(config_size, arg->u32, m.shape.config_size)
GETTER(as_num, arg->u32, m.shape.nas)
GETTER(group_num, arg->u32, m.shape.ngroups)
GETTER(vqs_count, arg->u32, m.shape.nvqs)
GETTER(fork, arg->u8, m.fork)
GETTER(range_first, arg->range.first, m.shape.iova_first)

static int get_range(union arg *arg)
{
	get_range_first(arg);
	arg->range.last = m.shape.iova_last;
	return 0;
}

static int suspend(union arg *arg)
{
	if (!(m.status & STATUS_DRIVER_OK))
		return 0;
	if (!m.shape.can_suspend)
		return -EOPNOTSUPP;
	if (m.suspended)
		return 0;
	m.suspended = !m.inject;
	if (m.suspended)
		bypass_end();
	return m.inject;
}

static int resume(union arg *arg)
{
	if (!(m.status & STATUS_DRIVER_OK))
		return 0;
	if (!m.shape.can_resume)
		return -EOPNOTSUPP;
	if (!m.suspended)
		return 0;
	m.suspended = m.inject;
	bypass_offer(0, m.shape.nvqs);
	return m.inject;
}

static void fill_fork(union arg *arg)
{
	arg->u8 = rng_percent(&w.rng, 80) ? rng_below(&w.rng, 2) :
					    rng_next(&w.rng);
}

static int set_fork(union arg *arg)
{
	if (m.owner != NOBODY)
		return -EBUSY;
	if (arg->u8 > 1)
		return -EINVAL;
	m.fork = arg->u8;
	return 0;
}

/* An eventfd of @fds, none, or what is not one. */
int fd_draw(const int *fds)
{
	if (rng_percent(&w.rng, 80))
		return fds[rng_below(&w.rng, NR_EVENTS)];
	return rng_pick(&w.rng, -1, -1, -2, 9999, w.no_event);
}

int fd_event(int fd, const int *fds, int *event)
{
	int i;

	*event = -1;
	if (fd == -1)
		return 0;
	for (i = 0; i < NR_EVENTS; i++)
		if (fds[i] == fd)
			*event = i;
	if (*event >= 0)
		return 0;
	return fd == w.no_event ? -EINVAL : -EBADF;
}

static void fill_config_call(union arg *arg)
{
	arg->fd = fd_draw(w.config);
}

static int set_config_call(union arg *arg)
{
	int event, err = fd_event(arg->fd, w.config, &event);

	if (!err)
		m.config_event = event;
	return err;
}

static const struct row rows[] = {
	{ "GET_FEATURES", VHOST_GET_FEATURES, 0, fill_none, get_features },
	{ "SET_FEATURES", VHOST_SET_FEATURES, ROW_PARENT, fill_features,
	  set_features, .op = "set_driver_features" },
	{ "SET_OWNER", VHOST_SET_OWNER, 0, fill_none, set_owner,
	  .op = "bind_mm" },
	{ "SET_OWNER again", VHOST_SET_OWNER, 0, fill_none, set_owner },
	{ "RESET_OWNER", VHOST_RESET_OWNER, ROW_OWNER, fill_none,
	  reset_owner },
	{ "SET_MEM_TABLE", VHOST_SET_MEM_TABLE, ROW_OWNER | ROW_TAIL_IN,
	  fill_mem, nothing, tail_mem },
	{ "GET_BACKEND_FEATURES", VHOST_GET_BACKEND_FEATURES, 0, fill_none,
	  get_backend },
	{ "SET_BACKEND_FEATURES", VHOST_SET_BACKEND_FEATURES, 0, fill_backend,
	  set_backend },
	{ "GET_DEVICE_ID", VHOST_VDPA_GET_DEVICE_ID, 0, fill_none,
	  get_device_id },
	{ "GET_STATUS", VHOST_VDPA_GET_STATUS, ROW_PARENT, fill_none,
	  get_status },
	{ "SET_STATUS", VHOST_VDPA_SET_STATUS, ROW_PARENT, fill_status,
	  set_status },
	{ "SET_STATUS on", VHOST_VDPA_SET_STATUS, ROW_PARENT, fill_status,
	  set_status },
	{ "SET_STATUS on and on", VHOST_VDPA_SET_STATUS, ROW_PARENT,
	  fill_status, set_status },
	{ "reset", VHOST_VDPA_SET_STATUS, ROW_PARENT, fill_none, set_status },
	{ "GET_CONFIG", VHOST_VDPA_GET_CONFIG, ROW_PARENT | ROW_TAIL_OUT,
	  fill_config, get_config, tail_config },
	{ "SET_CONFIG", VHOST_VDPA_SET_CONFIG, ROW_PARENT | ROW_TAIL_IN,
	  fill_config, set_config, tail_config },
	{ "GET_CONFIG_GENERATION", VHOST_VDPA_GET_CONFIG_GENERATION,
	  ROW_PARENT, fill_none, get_generation },
	{ "GET_VRING_NUM", VHOST_VDPA_GET_VRING_NUM, 0, fill_none,
	  get_vring_num },
	{ "SET_CONFIG_CALL", VHOST_VDPA_SET_CONFIG_CALL, 0, fill_config_call,
	  set_config_call },
	{ "GET_IOVA_RANGE", VHOST_VDPA_GET_IOVA_RANGE, 0, fill_none,
	  get_range },
	{ "GET_CONFIG_SIZE", VHOST_VDPA_GET_CONFIG_SIZE, 0, fill_none,
	  get_config_size },
	{ "GET_AS_NUM", VHOST_VDPA_GET_AS_NUM, 0, fill_none, get_as_num },
	{ "GET_GROUP_NUM", VHOST_VDPA_GET_GROUP_NUM, 0, fill_none,
	  get_group_num },
	{ "GET_VQS_COUNT", VHOST_VDPA_GET_VQS_COUNT, 0, fill_none,
	  get_vqs_count },
	{ "SUSPEND", VHOST_VDPA_SUSPEND, ROW_PARENT, fill_none, suspend,
	  .op = "suspend" },
	{ "RESUME", VHOST_VDPA_RESUME, ROW_PARENT, fill_none, resume,
	  .op = "resume" },
	{ "SET_FORK", VHOST_SET_FORK_FROM_OWNER, 0, fill_fork, set_fork },
	{ "GET_FORK", VHOST_GET_FORK_FROM_OWNER, 0, fill_none, get_fork },
};

const struct rows rows_device = { rows, ARRAY_SIZE(rows) };
