// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vdpa_config_ops of every software device.
 *
 * Called by the bus drivers and the core in process context, but for kick_vq()
 * (any context). Whatever decides about a virtqueue running is under
 * soft->lock. A running virtqueue is not reconfigured: -EBUSY where the
 * operation can say so, else no effect.
 */
#include "soft.h"

#include <linux/kcov.h>
#include <linux/log2.h>
#include <linux/vdpa_soft.h>
#include <net/genetlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/vhost_types.h>

static struct vdpa_soft_vq *to_vq(struct vdpa_device *vdpa, u16 idx)
{
	return &vdpa_to_soft(vdpa)->vqs[idx];
}

static int soft_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc,
			       u64 driver, u64 device)
{
	struct vdpa_soft_vq *vq = to_vq(vdpa, idx);

	if (!IS_ALIGNED(desc, 16) || !IS_ALIGNED(driver, 2) ||
	    !IS_ALIGNED(device, 4))
		return -EINVAL;

	guard(mutex)(&vq->lock);
	if (vq->running)
		return -EBUSY;
	vq->area[VDPA_SOFT_DESC].iova = desc;
	vq->area[VDPA_SOFT_DRIVER].iova = driver;
	vq->area[VDPA_SOFT_DEVICE].iova = device;
	return 0;
}

static void soft_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	struct vdpa_soft_vq *vq = to_vq(vdpa, idx);

	if (!is_power_of_2(num) || num > vq->soft->vq_max)
		return;

	guard(mutex)(&vq->lock);
	if (!vq->running)
		vq->size = num;
}

static u16 soft_get_vq_size(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(to_vq(vdpa, idx)->size);
}

static void soft_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	vdpa_soft_vq_queue(to_vq(vdpa, idx));
}

static void soft_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
			   struct vdpa_callback *cb)
{
	struct vdpa_soft_vq *vq = to_vq(vdpa, idx);

	/* The worker holds it while it calls: the old one is out now. */
	spin_lock_bh(&vq->cb_lock);
	vq->cb = *cb;
	spin_unlock_bh(&vq->cb_lock);
}

/* The class hears of every change that may concern it. */
static void soft_update(struct vdpa_soft *soft)
{
	lockdep_assert_held(&soft->lock);

	for (int i = 0; i < soft->nvqs; i++)
		soft_vq_update(&soft->vqs[i]);
	if (soft->class->running)
		soft->class->running(soft);
}

static void soft_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	guard(mutex)(&soft->lock);
	WRITE_ONCE(soft->vqs[idx].ready, ready);
	soft_update(soft);
}

static bool soft_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	return READ_ONCE(to_vq(vdpa, idx)->ready);
}

static int soft_set_vq_state(struct vdpa_device *vdpa, u16 idx,
			     const struct vdpa_vq_state *state)
{
	struct vdpa_soft_vq *vq = to_vq(vdpa, idx);

	guard(mutex)(&vq->lock);
	if (vq->running)
		return -EBUSY;
	soft_vq_forget(vq);
	/* No chain is in flight in a ring that begins. */
	vq->state = (struct vdpa_ring_state) {
		.avail = state->split.avail_index,
		.used = state->split.avail_index,
	};
	return 0;
}

/* Exact while the virtqueue is stopped, else where it was a moment ago. */
static int soft_get_vq_state(struct vdpa_device *vdpa, u16 idx,
			     struct vdpa_vq_state *state)
{
	struct vdpa_soft_vq *vq = to_vq(vdpa, idx);
	struct vdpa_ring_state now;

	guard(rwsem_read)(&vq->soft->map_lock);
	guard(mutex)(&vq->lock);
	now = vq->state;
	if (vq->ring)
		vdpa_ring_get_state(vq->ring, &now);
	state->split.avail_index = now.avail;
	return 0;
}

static int soft_get_vendor_vq_stats(struct vdpa_device *vdpa, u16 idx,
				    struct sk_buff *msg,
				    struct netlink_ext_ack *extack)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	const char *const *name;
	u64 value;

	name = soft->class->vq_stats(idx);
	for (int i = 0; name[i]; i++) {
		value = READ_ONCE(soft->vqs[idx].stat[i]);
		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME,
				   name[i]) ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE,
				      value, VDPA_ATTR_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

static u32 soft_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

static u32 soft_get_vq_group(struct vdpa_device *vdpa, u16 idx)
{
	return to_vq(vdpa, idx)->group;
}

static u64 soft_get_device_features(struct vdpa_device *vdpa)
{
	return vdpa_to_soft(vdpa)->features;
}

static u64 soft_get_backend_features(const struct vdpa_device *vdpa)
{
	return BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK) |
	       BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST);
}

static int soft_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (features & ~soft->features || SOFT_FEATURES_NEEDED & ~features)
		return -EINVAL;

	guard(mutex)(&soft->lock);
	if (soft->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return -EBUSY;
	soft->driver_features = features;
	return 0;
}

static u64 soft_get_driver_features(struct vdpa_device *vdpa)
{
	return READ_ONCE(vdpa_to_soft(vdpa)->driver_features);
}

static u16 soft_get_vq_num_max(struct vdpa_device *vdpa)
{
	return vdpa_to_soft(vdpa)->vq_max;
}

static u32 soft_get_device_id(struct vdpa_device *vdpa)
{
	return vdpa_to_soft(vdpa)->class->device_id;
}

static u32 soft_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static u8 soft_get_status(struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	u8 status = READ_ONCE(soft->status);

	if (READ_ONCE(soft->needs_reset))
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	return status;
}

static int soft_compat_reset(struct vdpa_device *vdpa, u32 flags)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	const struct vdpa_soft_class *class = soft->class;
	struct vdpa_callback none = {};
	int i;

	guard(mutex)(&soft->lock);
	WRITE_ONCE(soft->status, 0);
	soft->suspended = false;
	for (i = 0; i < soft->nvqs; i++)
		WRITE_ONCE(soft->vqs[i].ready, false);
	soft_update(soft);

	/* All workers are gone now. */
	for (i = 0; i < soft->nvqs; i++)
		soft_vq_reset(&soft->vqs[i]);
	soft_set_config_cb(vdpa, &none);
	WRITE_ONCE(soft->driver_features, 0);
	WRITE_ONCE(soft->needs_reset, false);
	if (class->reset)
		class->reset(soft);

	/* Empty, not the identity: on behalf of user space. */
	if (flags & VDPA_RESET_F_CLEAN_MAP)
		for (i = 0; i < class->nas; i++)
			soft_as_clear(soft, &soft->as[i], false);
	return 0;
}

static int soft_reset(struct vdpa_device *vdpa)
{
	return soft_compat_reset(vdpa, 0);
}

static void soft_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (!status) {
		soft_reset(vdpa);
		return;
	}

	guard(mutex)(&soft->lock);
	/* That is how a device says no: the bit does not stay set. */
	if (!soft->driver_features)
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!(status & VIRTIO_CONFIG_S_FEATURES_OK))
		status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	status &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	WRITE_ONCE(soft->status, status);
	WRITE_ONCE(soft->kcov_handle, kcov_common_handle());
	soft_update(soft);
}

/* When this returns the device touches no memory, and get_vq_state is exact. */
static int soft_suspend(struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	guard(mutex)(&soft->lock);
	soft->suspended = true;
	soft_update(soft);
	return 0;
}

static int soft_resume(struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	guard(mutex)(&soft->lock);
	soft->suspended = false;
	soft_update(soft);
	return 0;
}

static struct vdpa_iova_range soft_get_iova_range(struct vdpa_device *vdpa)
{
	return (struct vdpa_iova_range) { .first = 0, .last = U64_MAX };
}

#define SOFT_COMMON_OPS							\
	.set_vq_address		= soft_set_vq_address,			\
	.set_vq_num		= soft_set_vq_num,			\
	.kick_vq		= soft_kick_vq,				\
	.set_vq_cb		= soft_set_vq_cb,			\
	.set_vq_ready		= soft_set_vq_ready,			\
	.get_vq_ready		= soft_get_vq_ready,			\
	.set_vq_state		= soft_set_vq_state,			\
	.get_vq_state		= soft_get_vq_state,			\
	.get_vendor_vq_stats	= soft_get_vendor_vq_stats,		\
	.get_vq_size		= soft_get_vq_size,			\
	.get_vq_align		= soft_get_vq_align,			\
	.get_vq_group		= soft_get_vq_group,			\
	.get_device_features	= soft_get_device_features,		\
	.get_backend_features	= soft_get_backend_features,		\
	.set_driver_features	= soft_set_driver_features,		\
	.get_driver_features	= soft_get_driver_features,		\
	.set_config_cb		= soft_set_config_cb,			\
	.get_vq_num_max		= soft_get_vq_num_max,			\
	.get_device_id		= soft_get_device_id,			\
	.get_vendor_id		= soft_get_vendor_id,			\
	.get_status		= soft_get_status,			\
	.set_status		= soft_set_status,			\
	.reset			= soft_reset,				\
	.compat_reset		= soft_compat_reset,			\
	.suspend		= soft_suspend,				\
	.resume			= soft_resume,				\
	.get_config_size	= soft_get_config_size,			\
	.get_config		= soft_get_config,			\
	.set_config		= soft_set_config,			\
	.get_generation		= soft_get_generation,			\
	.get_iova_range		= soft_get_iova_range,			\
	.set_group_asid		= soft_set_group_asid,			\
	.reset_map		= soft_reset_map,			\
	.free			= soft_free

const struct vdpa_config_ops soft_ops_dma_map = {
	SOFT_COMMON_OPS,
	.dma_map		= soft_dma_map,
	.dma_unmap		= soft_dma_unmap,
};

const struct vdpa_config_ops soft_ops_set_map = {
	SOFT_COMMON_OPS,
	.set_map		= soft_set_map,
};
