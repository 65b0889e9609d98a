// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of a virtio-pci function (VIRTIO 1.2, 4.1.4.3, 4.1.5.1).
 *
 * Called by the bus drivers as vdpa_config_ops. A virtqueue that was enabled
 * stays so until it or the device is reset, which is how virtio-pci has it: it
 * is reset if the function can do that with one (VIRTIO_F_RING_RESET), else it
 * says that it is still ready. It always begins at its first descriptor, and
 * tells nobody how far it has come.
 */
#include "vp.h"

#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/log2.h>

#define RESET_USEC	USEC_PER_SEC	/* a virtqueue may take to reset */

static struct vp_vq *to_vq(struct vdpa_device *vdpa, u16 idx)
{
	return &vdpa_to_vp(vdpa)->vqs[idx];
}

static struct virtio_pci_modern_device *to_modern(struct vdpa_device *vdpa)
{
	return vp_modern(vdpa_to_vp(vdpa));
}

int vp_vq_set_address(struct vdpa_device *vdpa, u16 idx, u64 desc, u64 driver,
		      u64 device)
{
	if (!to_vq(vdpa, idx)->max)
		return -ENXIO;
	vp_modern_queue_address(to_modern(vdpa), idx, desc, driver, device);
	return 0;
}

void vp_vq_set_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	if (num <= to_vq(vdpa, idx)->max)
		vp_modern_set_queue_size(to_modern(vdpa), idx, num);
}

u16 vp_vq_get_size(struct vdpa_device *vdpa, u16 idx)
{
	return to_vq(vdpa, idx)->max;
}

void vp_vq_kick(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_vq *vq = to_vq(vdpa, idx);

	if (vq->notify)
		vp_iowrite16(idx, vq->notify);
}

/* The index of the virtqueue is the lower half of @data. */
void vp_vq_kick_with_data(struct vdpa_device *vdpa, u32 data)
{
	struct vp_vq *vq = to_vq(vdpa, (u16)data);

	if (vq->notify)
		vp_iowrite32(data, vq->notify);
}

void vp_vq_set_cb(struct vdpa_device *vdpa, u16 idx, struct vdpa_callback *cb)
{
	vp_line_set(&to_vq(vdpa, idx)->line, cb);
}

/* Bounded, as a function that is gone answers ones for ever. */
static void reset_vq(struct vp_dev *vp, u16 idx)
{
	struct virtio_pci_modern_common_cfg __iomem *cfg =
		(struct virtio_pci_modern_common_cfg __iomem *)
		vp_modern(vp)->common;
	u16 val;

	vp_iowrite16(idx, &cfg->cfg.queue_select);
	vp_iowrite16(1, &cfg->queue_reset);
	if (read_poll_timeout(vp_ioread16, val, !val, USEC_PER_MSEC, RESET_USEC,
			      false, &cfg->queue_reset))
		return;
	read_poll_timeout(vp_ioread16, val, !val, USEC_PER_MSEC, RESET_USEC,
			  false, &cfg->cfg.queue_enable);
}

void vp_vq_set_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);
	u16 vector;

	if (!vp->vqs[idx].max || vp_vq_get_ready(vdpa, idx) == ready)
		return;
	if (!ready) {
		if (vp->driver_features & BIT_ULL(VIRTIO_F_RING_RESET))
			reset_vq(vp, idx);
		return;
	}
	/* A function that cannot take it does not get the virtqueue either. */
	vector = vp_irq_vq_vector(vp, idx);
	if (vector == VIRTIO_MSI_NO_VECTOR ||
	    vp_modern_queue_vector(vp_modern(vp), idx, vector) == vector)
		vp_modern_set_queue_enable(vp_modern(vp), idx, true);
}

bool vp_vq_get_ready(struct vdpa_device *vdpa, u16 idx)
{
	return vp_modern_get_queue_enable(to_modern(vdpa), idx);
}

/* As a ring that begins has it. */
static struct vdpa_vq_state first_state(const struct vp_dev *vp)
{
	struct vdpa_vq_state state = {};

	if (vp->driver_features & BIT_ULL(VIRTIO_F_RING_PACKED)) {
		state.packed.last_avail_counter = 1;
		state.packed.last_used_counter = 1;
	}
	return state;
}

int vp_vq_set_state(struct vdpa_device *vdpa, u16 idx,
		    const struct vdpa_vq_state *state)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);
	struct vdpa_vq_state first = first_state(vp);

	if (vp->driver_features & BIT_ULL(VIRTIO_F_RING_PACKED))
		return memcmp(state, &first, sizeof(first)) ? -EOPNOTSUPP : 0;
	return state->split.avail_index ? -EOPNOTSUPP : 0;
}

int vp_vq_get_state(struct vdpa_device *vdpa, u16 idx,
		    struct vdpa_vq_state *state)
{
	if (vp_vq_get_ready(vdpa, idx))
		return -EOPNOTSUPP;
	*state = first_state(vdpa_to_vp(vdpa));
	return 0;
}

/* What one virtqueue has to itself, which is less than a page at times. */
struct vdpa_notification_area vp_vq_get_notification(struct vdpa_device *vdpa,
						     u16 idx)
{
	struct virtio_pci_modern_device *modern = to_modern(vdpa);

	return (struct vdpa_notification_area) {
		.addr = to_vq(vdpa, idx)->notify_pa,
		.size = modern->notify_offset_multiplier,
	};
}
