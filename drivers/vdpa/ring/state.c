// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Life of a ring: how large its areas are, making one, where it stands.
 *
 * Called from the control path of a software device. Creating and destroying
 * may sleep; the owner keeps the data path away meanwhile, and serialises the
 * rest with it. The areas belong to the owner and must stay until the ring is
 * destroyed; the ring keeps no other address of the driver's memory.
 */
#include "ring.h"

#include <linux/align.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_config.h>

/* What changes the layout of a ring in ways that are not spoken here. */
#define RING_FEATURES_UNKNOWN	(BIT_ULL(VIRTIO_F_RING_PACKED) | \
				 BIT_ULL(VIRTIO_F_IN_ORDER))

#define RING_SIZE_MAX		32768

static bool ring_has(u64 features, u32 bit)
{
	return features & BIT_ULL(bit);
}

/**
 * vdpa_ring_desc_bytes() - Size of the descriptor area.
 * @size: descriptors
 * @features: negotiated virtio features
 *
 * VIRTIO 1.2, section 2.7.
 *
 * Context: Any context.
 * Return: Bytes.
 */
size_t vdpa_ring_desc_bytes(u32 size, u64 features)
{
	return (size_t)size * RING_DESC_BYTES;
}
EXPORT_SYMBOL_GPL(vdpa_ring_desc_bytes);

/**
 * vdpa_ring_driver_bytes() - Size of the driver area (available ring).
 * @size: descriptors
 * @features: negotiated virtio features; used_event is there only with
 *	VIRTIO_RING_F_EVENT_IDX
 *
 * VIRTIO 1.2, section 2.7.
 *
 * Context: Any context.
 * Return: Bytes.
 */
size_t vdpa_ring_driver_bytes(u32 size, u64 features)
{
	size_t event = ring_has(features, VIRTIO_RING_F_EVENT_IDX) ?
		       sizeof(__virtio16) : 0;

	return struct_size_t(struct vring_avail, ring, size) + event;
}
EXPORT_SYMBOL_GPL(vdpa_ring_driver_bytes);

/**
 * vdpa_ring_device_bytes() - Size of the device area (used ring).
 * @size: descriptors
 * @features: negotiated virtio features; avail_event is there only with
 *	VIRTIO_RING_F_EVENT_IDX
 *
 * VIRTIO 1.2, section 2.7.
 *
 * Context: Any context.
 * Return: Bytes.
 */
size_t vdpa_ring_device_bytes(u32 size, u64 features)
{
	size_t event = ring_has(features, VIRTIO_RING_F_EVENT_IDX) ?
		       sizeof(__virtio16) : 0;

	return struct_size_t(struct vring_used, ring, size) + event;
}
EXPORT_SYMBOL_GPL(vdpa_ring_device_bytes);

static int ring_check(const struct vdpa_ring_cfg *cfg)
{
	if (cfg->features & RING_FEATURES_UNKNOWN)
		return -EOPNOTSUPP;
	if (!is_power_of_2(cfg->size) || cfg->size > RING_SIZE_MAX)
		return -EINVAL;
	if (!cfg->desc || !cfg->driver || !cfg->device || !cfg->mem.translate)
		return -EINVAL;
	if (!IS_ALIGNED((unsigned long)cfg->desc, VRING_DESC_ALIGN_SIZE) ||
	    !IS_ALIGNED((unsigned long)cfg->driver, VRING_AVAIL_ALIGN_SIZE) ||
	    !IS_ALIGNED((unsigned long)cfg->device, VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	return 0;
}

/**
 * vdpa_ring_create() - Make the device side of a virtqueue.
 * @cfg: what it is made of; not needed afterwards. The areas must be as long
 *	as vdpa_ring_desc_bytes() and its siblings say, and stay until the
 *	ring is destroyed
 *
 * VIRTIO_F_VERSION_1 is taken for granted: everything is little-endian. The
 * memory is not touched yet. The ring starts at index 0, with kicks in an
 * unknown state: vdpa_ring_kick_enable() or vdpa_ring_kick_disable() comes
 * before the first vdpa_ring_fetch().
 *
 * Context: Process context. May sleep.
 * Return: The ring; ERR_PTR(-EINVAL) for a bad size, area or translation,
 * ERR_PTR(-EOPNOTSUPP) for VIRTIO_F_RING_PACKED or VIRTIO_F_IN_ORDER,
 * ERR_PTR(-ENOMEM).
 */
struct vdpa_ring *vdpa_ring_create(const struct vdpa_ring_cfg *cfg)
{
	struct vdpa_ring *ring;
	int err;

	err = ring_check(cfg);
	if (err)
		return ERR_PTR(err);
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	ring->indirect = ring_has(cfg->features, VIRTIO_RING_F_INDIRECT_DESC);
	if (ring->indirect) {
		ring->table = kvmalloc_array(VDPA_CHAIN_MAX, RING_DESC_BYTES,
					     GFP_KERNEL);
		if (!ring->table)
			goto err_free_ring;
	}
	ring->event_idx = ring_has(cfg->features, VIRTIO_RING_F_EVENT_IDX);
	ring->ops = &vdpa_split_ops;
	ring->mem = cfg->mem;
	ring->size = cfg->size;
	ring->ops->init(ring, cfg);
	return ring;

err_free_ring:
	kfree(ring);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(vdpa_ring_create);

/**
 * vdpa_ring_destroy() - Undo vdpa_ring_create().
 * @ring: ring, or NULL; chains that were fetched from it must not be used
 *	any more
 *
 * Does not touch the driver's memory.
 *
 * Context: Process context. May sleep.
 */
void vdpa_ring_destroy(struct vdpa_ring *ring)
{
	if (!ring)
		return;
	kvfree(ring->table);
	kfree(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_destroy);

/**
 * vdpa_ring_get_state() - Where a ring stands.
 * @ring: ring
 * @state: set to the indices of the next vdpa_ring_fetch() and
 *	vdpa_ring_complete()
 *
 * They differ by the chains in flight. An owner that stops for good and wants
 * the next device to see those again calls vdpa_ring_unfetch() first.
 *
 * Context: Any context; the owner serialises.
 */
void vdpa_ring_get_state(const struct vdpa_ring *ring,
			 struct vdpa_ring_state *state)
{
	*state = ring->state;
}
EXPORT_SYMBOL_GPL(vdpa_ring_get_state);

/**
 * vdpa_ring_set_state() - Make a ring go on from somewhere else.
 * @ring: ring
 * @state: indices of the next fetch and of the next completion; both the same
 *	in a split ring unless chains are in flight
 *
 * A broken ring is whole again. Nothing of the driver's memory is touched, so
 * kicks are as after vdpa_ring_create(). Whoever worked on the ring before may
 * have completed chains without the call that the driver waits for: the next
 * vdpa_ring_publish() with something to publish asks for one in any case.
 *
 * Context: Any context; the owner serialises.
 * Return: 0; -EINVAL if more chains were in flight than the ring has
 * descriptors, and nothing is changed.
 */
int vdpa_ring_set_state(struct vdpa_ring *ring,
			const struct vdpa_ring_state *state)
{
	int err;

	err = ring->ops->set_state(ring, state);
	if (err)
		return err;
	ring->broken = false;
	ring->call_owed = true;
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_ring_set_state);
