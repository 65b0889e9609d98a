// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vdpa_config_ops of a virtio-pci function: what concerns the device as a
 * whole (VIRTIO 1.2, 4.1.4.3). Virtqueues are in vq.c.
 *
 * Called by the bus drivers and the core; the locks are those of the contract
 * of each operation.
 *
 * There is no suspend: virtio-pci has none, and a virtqueue that is reset to
 * stop it forgets where it was and can only begin again.
 */
#include "vp.h"

#include <linux/pci.h>
#include <linux/virtio_pci_modern.h>

#define GENERATIONS	16	/* of the configuration that a read may see */

static struct virtio_pci_modern_device *to_modern(struct vdpa_device *vdpa)
{
	return vp_modern(vdpa_to_vp(vdpa));
}

static u32 vp_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

static u64 vp_get_device_features(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->features;
}

static int vp_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);

	if (features & ~vp->features)
		return -EINVAL;
	WRITE_ONCE(vp->driver_features, features);
	vp_modern_set_features(vp_modern(vp), features);
	return 0;
}

static u64 vp_get_driver_features(struct vdpa_device *vdpa)
{
	return READ_ONCE(vdpa_to_vp(vdpa)->driver_features);
}

static void vp_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	vp_line_set(&vdpa_to_vp(vdpa)->config, cb);
}

static u16 vp_get_vq_num_max(struct vdpa_device *vdpa)
{
	return vdpa_to_vp(vdpa)->max;
}

static u32 vp_get_device_id(struct vdpa_device *vdpa)
{
	return to_modern(vdpa)->id.device;
}

static u32 vp_get_vendor_id(struct vdpa_device *vdpa)
{
	return to_modern(vdpa)->id.vendor;
}

static u8 vp_get_status(struct vdpa_device *vdpa)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);

	/* One that is gone is broken for who uses it, and can be reset. */
	if (vp_fn_is_gone(vp->fn))
		return READ_ONCE(vp->used) ? VIRTIO_CONFIG_S_NEEDS_RESET |
					     VIRTIO_CONFIG_S_FAILED : 0;
	return vp_modern_get_status(vp_modern(vp));
}

/*
 * Interrupts are there before the first virtqueue is enabled, which must have
 * its vector then. Without any the function does not work: FEATURES_OK stays
 * away.
 */
static void vp_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);

	WRITE_ONCE(vp->used, true);
	if (vp_fn_is_gone(vp->fn))
		return;
	if (status & VIRTIO_CONFIG_S_FEATURES_OK &&
	    vp->vectors == VP_VECTORS_NONE && vp_irqs_request(vp))
		return;
	vp_modern_set_status(vp_modern(vp), status);
}

static int vp_reset(struct vdpa_device *vdpa)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);
	struct vdpa_callback none = {};
	int err;

	err = vp_fn_reset(vp->fn);
	if (err)
		return err;
	vp_irqs_free(vp);
	WRITE_ONCE(vp->used, false);
	WRITE_ONCE(vp->driver_features, 0);
	vp_line_set(&vp->config, &none);
	for (u16 i = 0; i < vp->nvqs; i++)
		vp_line_set(&vp->vqs[i].line, &none);
	return 0;
}

static size_t vp_get_config_size(struct vdpa_device *vdpa)
{
	return to_modern(vdpa)->device_len;
}

/* Byte by byte, as the fields of the class are not known here. */
static void vp_get_config(struct vdpa_device *vdpa, unsigned int offset,
			  void *buf, unsigned int len)
{
	struct virtio_pci_modern_device *modern = to_modern(vdpa);
	u8 __iomem *from = (u8 __iomem *)modern->device + offset;
	u32 before;

	/* One that changes all the time is read as it is. */
	for (int i = 0; i < GENERATIONS; i++) {
		before = vp_modern_generation(modern);
		for (unsigned int j = 0; j < len; j++)
			((u8 *)buf)[j] = vp_ioread8(from + j);
		if (vp_modern_generation(modern) == before)
			break;
	}
}

static void vp_set_config(struct vdpa_device *vdpa, unsigned int offset,
			  const void *buf, unsigned int len)
{
	u8 __iomem *to = (u8 __iomem *)to_modern(vdpa)->device + offset;

	for (unsigned int i = 0; i < len; i++)
		vp_iowrite8(((const u8 *)buf)[i], to + i);
}

static u32 vp_get_generation(struct vdpa_device *vdpa)
{
	return vp_modern_generation(to_modern(vdpa));
}

const struct vdpa_config_ops vp_config_ops = {
	.set_vq_address		= vp_vq_set_address,
	.set_vq_num		= vp_vq_set_num,
	.kick_vq		= vp_vq_kick,
	.kick_vq_with_data	= vp_vq_kick_with_data,
	.set_vq_cb		= vp_vq_set_cb,
	.set_vq_ready		= vp_vq_set_ready,
	.get_vq_ready		= vp_vq_get_ready,
	.set_vq_state		= vp_vq_set_state,
	.get_vq_state		= vp_vq_get_state,
	.get_vq_notification	= vp_vq_get_notification,
	.get_vq_irq		= vp_irq_get_vq,
	.get_vq_size		= vp_vq_get_size,
	.get_vq_align		= vp_get_vq_align,
	.get_device_features	= vp_get_device_features,
	.set_driver_features	= vp_set_driver_features,
	.get_driver_features	= vp_get_driver_features,
	.set_config_cb		= vp_set_config_cb,
	.get_vq_num_max		= vp_get_vq_num_max,
	.get_device_id		= vp_get_device_id,
	.get_vendor_id		= vp_get_vendor_id,
	.get_status		= vp_get_status,
	.set_status		= vp_set_status,
	.reset			= vp_reset,
	.get_config_size	= vp_get_config_size,
	.get_config		= vp_get_config,
	.set_config		= vp_set_config,
	.get_generation		= vp_get_generation,
	.free			= vp_free,
};
