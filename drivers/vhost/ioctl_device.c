// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls of the device as a whole. Handlers run under v->lock and inside
 * v->gate; see ioctl.h.
 */
#include "ioctl.h"

#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/vdpa.h>
#include <uapi/linux/vhost_vdpa.h>
#include <uapi/linux/virtio_config.h>

#include "mapper.h"
#include "vhost_vdpa.h"

/* As many regions as vhost takes; they are checked and not used. */
#define VHOST_VDPA_MEM_REGIONS	64

/* Backend features that need nothing of the device. */
#define BACKEND_ALWAYS	(BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) | \
			 BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH))

/*
 * No ioctl resets one virtqueue of a device that runs: SET_VRING_ADDR is
 * refused then.
 */
static u64 offered_features(const struct vhost_vdpa_call *call)
{
	return call->ops->get_device_features(call->vdpa) &
	       ~BIT_ULL(VIRTIO_F_RING_RESET);
}

static int get_features(struct vhost_vdpa_call *call)
{
	call->arg.u64 = offered_features(call);
	return 0;
}

static int set_features(struct vhost_vdpa_call *call)
{
	u64 features = call->arg.u64;

	if (call->ops->get_status(call->vdpa) & VIRTIO_CONFIG_S_FEATURES_OK)
		return -EBUSY;
	if (features & ~offered_features(call))
		return -EINVAL;
	if (vdpa_set_features(call->vdpa, features))
		return -EINVAL;
	return 0;
}

u64 vhost_vdpa_backend_offered(struct vdpa_device *vdpa)
{
	const struct vhost_vdpa_mapper *mapper = vhost_vdpa_mapper_of(vdpa);
	const struct vdpa_config_ops *ops = vdpa->config;
	u64 parent = BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK) |
		     BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST);
	const struct {
		unsigned int bit;
		bool kept;
	} promise[] = {
		{ VHOST_BACKEND_F_IOTLB_ASID,
		  vdpa->nas > 1 || ops->set_group_asid },
		{ VHOST_BACKEND_F_SUSPEND, ops->suspend },
		{ VHOST_BACKEND_F_RESUME, ops->resume },
		{ VHOST_BACKEND_F_DESC_ASID,
		  ops->get_vq_desc_group && ops->set_group_asid },
		{ VHOST_BACKEND_F_IOTLB_PERSIST,
		  mapper->persists || ops->reset_map },
	};
	u64 features = BACKEND_ALWAYS;

	for (int i = 0; i < ARRAY_SIZE(promise); i++)
		if (promise[i].kept)
			features |= BIT_ULL(promise[i].bit);
	if (ops->get_backend_features)
		features |= ops->get_backend_features(vdpa) & parent;
	return features;
}

static int get_backend_features(struct vhost_vdpa_call *call)
{
	call->arg.u64 = vhost_vdpa_backend_offered(call->vdpa);
	return 0;
}

static int set_backend_features(struct vhost_vdpa_call *call)
{
	u64 features = call->arg.u64;

	if (features & ~vhost_vdpa_backend_offered(call->vdpa))
		return -EOPNOTSUPP;
	if ((features & BIT_ULL(VHOST_BACKEND_F_DESC_ASID)) &&
	    !(features & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)))
		return -EINVAL;
	WRITE_ONCE(call->v->backend_features, features);
	return 0;
}

static int set_owner(struct vhost_vdpa_call *call)
{
	struct vhost_vdpa *v = call->v;
	int err;

	if (v->mm)
		return -EBUSY;
	if (v->use_va && call->ops->bind_mm) {
		err = call->ops->bind_mm(call->vdpa, current->mm);
		if (err)
			return err;
	}
	/* The structure, not its memory: that would keep a dead process. */
	mmgrab(current->mm);
	WRITE_ONCE(v->mm, current->mm);
	return 0;
}

static int reset_owner(struct vhost_vdpa_call *call)
{
	return vhost_vdpa_session_renew(call->v, call->vdpa);
}

static int mem_table_tail(struct vhost_vdpa_call *call)
{
	struct vhost_memory *mem = &call->arg.mem;

	if (mem->padding)
		return -EOPNOTSUPP;
	if (mem->nregions > VHOST_VDPA_MEM_REGIONS)
		return -E2BIG;
	call->len = mem->nregions * sizeof(struct vhost_memory_region);
	return 0;
}

/* Memory comes in IOTLB messages; generic vhost clients send this as well. */
static int set_mem_table(struct vhost_vdpa_call *call)
{
	return 0;
}

static int get_device_id(struct vhost_vdpa_call *call)
{
	call->arg.u32 = call->ops->get_device_id(call->vdpa);
	return 0;
}

static int get_status(struct vhost_vdpa_call *call)
{
	call->arg.u8 = call->ops->get_status(call->vdpa);
	return 0;
}

static int set_status(struct vhost_vdpa_call *call)
{
	u8 old = call->ops->get_status(call->vdpa);
	u8 status = call->arg.u8;
	struct vhost_vdpa *v = call->v;

	if (!status)
		return vhost_vdpa_reset(v, call->vdpa);
	/* Only a reset clears bits. */
	if (old & ~status)
		return -EINVAL;
	/* A suspended device is resumed or reset, nothing else. */
	if (v->suspended)
		return status == old ? 0 : -EBUSY;

	vdpa_set_status(call->vdpa, status);
	if (~old & status & VIRTIO_CONFIG_S_DRIVER_OK)
		vhost_vdpa_irqs_bypass(v, call->vdpa);
	return 0;
}

static int config_tail(struct vhost_vdpa_call *call)
{
	struct vhost_vdpa_config *config = &call->arg.config;
	u32 size = call->v->config_size;

	if (!config->len || config->off >= size ||
	    config->len > size - config->off)
		return -EINVAL;
	config->off = array_index_nospec(config->off, size);
	call->len = config->len;
	return 0;
}

static int get_config(struct vhost_vdpa_call *call)
{
	vdpa_get_config(call->vdpa, call->arg.config.off, call->buf, call->len);
	return 0;
}

static int set_config(struct vhost_vdpa_call *call)
{
	vdpa_set_config(call->vdpa, call->arg.config.off, call->buf, call->len);
	return 0;
}

static int get_config_generation(struct vhost_vdpa_call *call)
{
	static_assert(_IOC_SIZE(VHOST_VDPA_GET_CONFIG_GENERATION) ==
		      sizeof(call->arg.u32));

	/* A count of ours would miss what is changed without an interrupt. */
	if (!call->ops->get_generation)
		return -EOPNOTSUPP;
	call->arg.u32 = call->ops->get_generation(call->vdpa);
	return 0;
}

static int get_vring_num(struct vhost_vdpa_call *call)
{
	call->arg.u16 = call->v->vq_num_max;
	return 0;
}

static int set_config_call(struct vhost_vdpa_call *call)
{
	struct vhost_vdpa_event *event = vhost_vdpa_event_get(call->arg.fd);

	if (IS_ERR(event))
		return PTR_ERR(event);
	vhost_vdpa_config_set(call->v, event);
	return 0;
}

static int get_iova_range(struct vhost_vdpa_call *call)
{
	call->arg.range.first = call->v->range.first;
	call->arg.range.last = call->v->range.last;
	return 0;
}

static int get_config_size(struct vhost_vdpa_call *call)
{
	call->arg.u32 = call->v->config_size;
	return 0;
}

static int get_as_num(struct vhost_vdpa_call *call)
{
	call->arg.u32 = call->v->nas;
	return 0;
}

static int get_group_num(struct vhost_vdpa_call *call)
{
	call->arg.u32 = call->v->ngroups;
	return 0;
}

static int get_vqs_count(struct vhost_vdpa_call *call)
{
	call->arg.u32 = call->v->nvqs;
	return 0;
}

/* @suspend or @resume of a device that runs; of another there is nothing. */
static int set_suspended(struct vhost_vdpa_call *call,
			 int (*op)(struct vdpa_device *vdpa), bool suspended)
{
	struct vhost_vdpa *v = call->v;
	int err;

	if (!(call->ops->get_status(call->vdpa) & VIRTIO_CONFIG_S_DRIVER_OK))
		return 0;
	if (!op)
		return -EOPNOTSUPP;
	if (v->suspended == suspended)
		return 0;
	err = op(call->vdpa);
	if (err)
		return err;
	v->suspended = suspended;
	/* Its queues may be set up anew, with other interrupts. */
	if (suspended)
		vhost_vdpa_irqs_unbypass(v);
	else
		vhost_vdpa_irqs_bypass(v, call->vdpa);
	return 0;
}

static int suspend(struct vhost_vdpa_call *call)
{
	return set_suspended(call, call->ops->suspend, true);
}

static int resume(struct vhost_vdpa_call *call)
{
	return set_suspended(call, call->ops->resume, false);
}

/* Kept for clients that set it; there is no vhost worker to fork. */
static int set_fork_from_owner(struct vhost_vdpa_call *call)
{
	if (call->v->mm)
		return -EBUSY;
	if (call->arg.u8 > VHOST_FORK_OWNER_TASK)
		return -EINVAL;
	call->v->fork_from_owner = call->arg.u8;
	return 0;
}

static int get_fork_from_owner(struct vhost_vdpa_call *call)
{
	call->arg.u8 = call->v->fork_from_owner;
	return 0;
}

static const struct vhost_vdpa_ioctl rows[] = {
	{ VHOST_GET_FEATURES,		.fn = get_features },
	{ VHOST_SET_FEATURES,		.fn = set_features },
	{ VHOST_SET_OWNER,		.fn = set_owner },
	{ VHOST_RESET_OWNER, ROW_OWNER,	.fn = reset_owner },
	{ VHOST_SET_MEM_TABLE, ROW_OWNER, .tail = mem_table_tail,
					.fn = set_mem_table },
	{ VHOST_GET_BACKEND_FEATURES,	.fn = get_backend_features },
	{ VHOST_SET_BACKEND_FEATURES,	.fn = set_backend_features },
	{ VHOST_VDPA_GET_DEVICE_ID,	.fn = get_device_id },
	{ VHOST_VDPA_GET_STATUS,	.fn = get_status },
	{ VHOST_VDPA_SET_STATUS,	.fn = set_status },
	{ VHOST_VDPA_GET_CONFIG, ROW_GONE_ZERO, .tail = config_tail,
					.tail_out = true, .fn = get_config },
	{ VHOST_VDPA_SET_CONFIG,	.tail = config_tail, .fn = set_config },
	{ VHOST_VDPA_GET_CONFIG_GENERATION, .fn = get_config_generation },
	{ VHOST_VDPA_GET_VRING_NUM,	.fn = get_vring_num },
	{ VHOST_VDPA_SET_CONFIG_CALL,	.fn = set_config_call },
	{ VHOST_VDPA_GET_IOVA_RANGE,	.fn = get_iova_range },
	{ VHOST_VDPA_GET_CONFIG_SIZE,	.fn = get_config_size },
	{ VHOST_VDPA_GET_AS_NUM,	.fn = get_as_num },
	{ VHOST_VDPA_GET_GROUP_NUM,	.fn = get_group_num },
	{ VHOST_VDPA_GET_VQS_COUNT,	.fn = get_vqs_count },
	{ VHOST_VDPA_SUSPEND,		.fn = suspend },
	{ VHOST_VDPA_RESUME,		.fn = resume },
	{ VHOST_SET_FORK_FROM_OWNER,	.fn = set_fork_from_owner },
	{ VHOST_GET_FORK_FROM_OWNER,	.fn = get_fork_from_owner },
};

const struct vhost_vdpa_ioctls vhost_vdpa_ioctls_device = {
	rows, ARRAY_SIZE(rows)
};
