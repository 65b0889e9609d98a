// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on the device, and the full table of operations.
 *
 * Each records itself and changes the little state there is under
 * mock->lock; set_status, reset, set_driver_features and the config
 * operations arrive under vdpa->cf_lock as well. An operation that cannot
 * report a failure does nothing when one is injected.
 */
#include "mock.h"

#include <linux/mm.h>
#include <uapi/linux/virtio_config.h>

#define MOCK_VENDOR	0x6d6f636b	/* "mock" */
#define MOCK_VQ_ALIGN	4096

/* With 0 for what cannot be had. */
static u32 mock_get(struct vdpa_device *vdpa, enum mock_op op, u32 value)
{
	struct mock *m = to_mock(vdpa);

	return __mock_call(m, op, NULL, 0) ? 0 : mock_value(m, op, value);
}

static u32 mock_get_vq_align(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_vq_align, MOCK_VQ_ALIGN);
}

static u16 mock_get_vq_num_max(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_vq_num_max,
			to_mock(vdpa)->props.vq_num_max);
}

static u16 mock_get_vq_num_min(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_vq_num_min, 1);
}

static u32 mock_get_device_id(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_device_id,
			to_mock(vdpa)->props.device_id);
}

static u32 mock_get_vendor_id(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_vendor_id, MOCK_VENDOR);
}

static size_t mock_get_config_size(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_config_size,
			to_mock(vdpa)->props.config_size);
}

static u32 mock_get_generation(struct vdpa_device *vdpa)
{
	return mock_get(vdpa, MOCK_OP_get_generation,
			READ_ONCE(to_mock(vdpa)->generation));
}

static u64 mock_get_device_features(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	mock_call0(m, get_device_features);
	return m->props.features;
}

static u64 mock_get_backend_features(const struct vdpa_device *vdpa)
{
	/* The record is the mock's own, whatever the caller promises. */
	struct mock *m = (struct mock *)to_mock(vdpa);

	mock_call0(m, get_backend_features);
	return m->props.backend_features;
}

static int mock_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_driver_features, features);

	if (READ_ONCE(m->status) & VIRTIO_CONFIG_S_FEATURES_OK)
		mock_breach(m, "set_driver_features: after FEATURES_OK");
	if (err)
		return err;
	if (features & ~m->props.features)
		return -EINVAL;

	scoped_guard(spinlock_irqsave, &m->lock)
		WRITE_ONCE(m->driver_features, features);
	return 0;
}

static u64 mock_get_driver_features(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	mock_call0(m, get_driver_features);
	return READ_ONCE(m->driver_features);
}

static void mock_set_config_cb(struct vdpa_device *vdpa,
			       struct vdpa_callback *cb)
{
	struct mock *m = to_mock(vdpa);

	if (mock_call(m, set_config_cb, !!cb->callback))
		return;

	scoped_guard(spinlock_irqsave, &m->cb_lock)
		m->config_cb = *cb;
}

static u8 mock_get_status(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	mock_call0(m, get_status);
	return READ_ONCE(m->status);
}

static void mock_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_status, status);

	if (!status)
		mock_breach(m, "set_status: 0 instead of reset");
	if (err)
		return;

	/* Only a reset takes NEEDS_RESET back. */
	scoped_guard(spinlock_irqsave, &m->lock) {
		WRITE_ONCE(m->status, status |
			   (m->status & VIRTIO_CONFIG_S_NEEDS_RESET));
	}
}

static void __mock_reset(struct mock *m)
{
	mock_vqs_reset(m);
	scoped_guard(spinlock_irqsave, &m->cb_lock)
		m->config_cb = (struct vdpa_callback){ };

	scoped_guard(spinlock_irqsave, &m->lock) {
		WRITE_ONCE(m->status, 0);
		WRITE_ONCE(m->suspended, false);
		m->driver_features = 0;
		memset(m->group_asid, 0,
		       m->props.ngroups * sizeof(*m->group_asid));
	}
}

static int mock_reset(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call0(m, reset);

	if (!err)
		__mock_reset(m);
	return err;
}

static int mock_compat_reset(struct vdpa_device *vdpa, u32 flags)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, compat_reset, flags);

	if (err)
		return err;
	__mock_reset(m);
	if (flags & VDPA_RESET_F_CLEAN_MAP)
		mock_clean_maps(m);
	return 0;
}

static int mock_set_suspended(struct mock *m, int err, bool suspended)
{
	if (err)
		return err;
	scoped_guard(spinlock_irqsave, &m->lock)
		WRITE_ONCE(m->suspended, suspended);
	return 0;
}

static int mock_suspend(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	return mock_set_suspended(m, mock_call0(m, suspend), true);
}

static int mock_resume(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	return mock_set_suspended(m, mock_call0(m, resume), false);
}

static bool mock_config_range(struct mock *m, enum mock_op op,
			      unsigned int offset, unsigned int len)
{
	if (offset <= m->props.config_size &&
	    len <= m->props.config_size - offset)
		return true;
	mock_breach(m, "%s: %u bytes at %u", mock_op_name[op], len, offset);
	return false;
}

static void mock_get_config(struct vdpa_device *vdpa, unsigned int offset,
			    void *buf, unsigned int len)
{
	struct mock *m = to_mock(vdpa);

	/* Like some parents, it leaves @buf alone when it fails. */
	if (mock_call(m, get_config, offset, len) ||
	    !mock_config_range(m, MOCK_OP_get_config, offset, len))
		return;

	scoped_guard(spinlock_irqsave, &m->lock)
		memcpy(buf, m->config + offset, len);
}

static void mock_set_config(struct vdpa_device *vdpa, unsigned int offset,
			    const void *buf, unsigned int len)
{
	struct mock *m = to_mock(vdpa);

	if (mock_call(m, set_config, offset, len) ||
	    !mock_config_range(m, MOCK_OP_set_config, offset, len))
		return;

	scoped_guard(spinlock_irqsave, &m->lock) {
		memcpy(m->config + offset, buf, len);
		m->generation++;
	}
}

static struct vdpa_iova_range mock_get_iova_range(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	mock_call0(m, get_iova_range);
	return (struct vdpa_iova_range){
		.first = m->props.iova_first,
		.last = m->props.iova_last,
	};
}

static int mock_set_group_asid(struct vdpa_device *vdpa, unsigned int group,
			       unsigned int asid)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_group_asid, group, asid);

	if (group >= m->props.ngroups || asid >= m->props.nas) {
		mock_breach(m, "set_group_asid: %u %u", group, asid);
		return -EINVAL;
	}
	if ((READ_ONCE(m->status) & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    !READ_ONCE(m->suspended))
		mock_breach(m, "set_group_asid: %u while running", group);
	if (err)
		return err;

	scoped_guard(spinlock_irqsave, &m->lock)
		m->group_asid[group] = asid;
	return 0;
}

static int mock_bind_mm(struct vdpa_device *vdpa, struct mm_struct *mm)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, bind_mm, mm == current->mm);

	if (err)
		return err;
	if (xchg(&m->mm_bound, true))
		mock_breach(m, "bind_mm: bound already");
	return 0;
}

static void mock_unbind_mm(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	mock_call0(m, unbind_mm);
	if (!xchg(&m->mm_bound, false))
		mock_breach(m, "unbind_mm: not bound");
}

const struct vdpa_config_ops mock_ops = {
	.set_vq_address = mock_set_vq_address,
	.set_vq_num = mock_set_vq_num,
	.kick_vq = mock_kick_vq,
	.kick_vq_with_data = mock_kick_vq_with_data,
	.set_vq_cb = mock_set_vq_cb,
	.set_vq_ready = mock_set_vq_ready,
	.get_vq_ready = mock_get_vq_ready,
	.set_vq_state = mock_set_vq_state,
	.get_vq_state = mock_get_vq_state,
	.get_vendor_vq_stats = mock_get_vendor_vq_stats,
	.get_vq_notification = mock_get_vq_notification,
	.get_vq_irq = mock_get_vq_irq,
	.get_vq_size = mock_get_vq_size,
	.get_vq_align = mock_get_vq_align,
	.get_vq_group = mock_get_vq_group,
	.set_vq_affinity = mock_set_vq_affinity,
	.get_vq_desc_group = mock_get_vq_desc_group,
	.get_device_features = mock_get_device_features,
	.get_backend_features = mock_get_backend_features,
	.set_driver_features = mock_set_driver_features,
	.get_driver_features = mock_get_driver_features,
	.set_config_cb = mock_set_config_cb,
	.get_vq_num_max = mock_get_vq_num_max,
	.get_vq_num_min = mock_get_vq_num_min,
	.get_device_id = mock_get_device_id,
	.get_vendor_id = mock_get_vendor_id,
	.get_status = mock_get_status,
	.set_status = mock_set_status,
	.reset = mock_reset,
	.compat_reset = mock_compat_reset,
	.suspend = mock_suspend,
	.resume = mock_resume,
	.get_config_size = mock_get_config_size,
	.get_config = mock_get_config,
	.set_config = mock_set_config,
	.get_generation = mock_get_generation,
	.get_iova_range = mock_get_iova_range,
	.set_map = mock_set_map,
	.dma_map = mock_dma_map,
	.dma_unmap = mock_dma_unmap,
	.reset_map = mock_reset_map,
	.set_group_asid = mock_set_group_asid,
	.bind_mm = mock_bind_mm,
	.unbind_mm = mock_unbind_mm,
	.free = mock_free,
};
