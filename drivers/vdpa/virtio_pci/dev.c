// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vDPA device on a virtio-pci function: its making and its end.
 *
 * Called as vdpa_mgmtdev_ops with the management lock of the vDPA core held. A
 * function has one device at most, and is reset when that comes and goes.
 */
#include "vp.h"

#include <linux/err.h>
#include <linux/iopoll.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vdpa_refuse.h>
#include <linux/vdpa_vq_reset.h>
#include <uapi/linux/vdpa.h>

#define RESET_USEC	(3 * USEC_PER_SEC)	/* to reset a function */

/**
 * vp_fn_reset() - Reset a function, and wait until it has done so.
 * @fn: function
 *
 * Context: Process context. May sleep.
 * Return: 0, also if it is gone, for then it does nothing any more; -ETIMEDOUT.
 */
int vp_fn_reset(struct vp_fn *fn)
{
	u8 status;

	vp_modern_set_status(&fn->modern, 0);
	return read_poll_timeout(vp_modern_get_status, status,
				 !status || vp_fn_is_gone(fn) ||
				 !pci_device_is_present(fn->modern.pci_dev),
				 USEC_PER_MSEC, RESET_USEC, false, &fn->modern);
}

/* Registers that lie apart were mapped for each virtqueue, else for all. */
static void unmap_notify(struct vp_dev *vp)
{
	struct virtio_pci_modern_device *modern = vp_modern(vp);

	if (modern->notify_base || !vp->vqs)
		return;
	for (u16 i = 0; i < vp->nvqs; i++)
		if (vp->vqs[i].notify)
			pci_iounmap(modern->pci_dev, vp->vqs[i].notify);
}

/* vdpa_config_ops.free: no driver has it any more, and it was reset. */
void vp_free(struct vdpa_device *vdpa)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);

	vp_irqs_free(vp);
	unmap_notify(vp);
	kvfree(vp->vqs);
}

static int init_vq(struct vp_dev *vp, u16 idx)
{
	struct virtio_pci_modern_device *modern = vp_modern(vp);
	struct vp_vq *vq = &vp->vqs[idx];

	vp_line_init(&vq->line);
	snprintf(vq->name, sizeof(vq->name), "vp-vdpa[%s]-%u",
		 pci_name(modern->pci_dev), idx);
	vq->max = vp_modern_get_queue_size(modern, idx);
	if (!vq->max)
		return 0;
	vp->max = max(vp->max, vq->max);
	vq->notify = vp_modern_map_vq_notify(modern, idx, &vq->notify_pa);
	/* Two bytes are mapped; four must not reach beyond the page. */
	if (!IS_ALIGNED(vq->notify_pa, sizeof(u32)))
		vp->features &= ~BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	return vq->notify ? 0 : -EIO;
}

static int init_dev(struct vp_dev *vp, struct vp_fn *fn)
{
	struct pci_dev *pdev = fn->modern.pci_dev;
	int err = 0;

	vp->fn = fn;
	vp->nvqs = fn->mgmt.max_supported_vqs;
	vp->features = fn->mgmt.supported_features;
	vp->vdpa.dma_dev = &pdev->dev;
	vp_line_init(&vp->config);
	snprintf(vp->config_name, sizeof(vp->config_name), "vp-vdpa[%s]-config",
		 pci_name(pdev));
	/* A function may say that it has 65535. */
	vp->vqs = kvcalloc(vp->nvqs, sizeof(*vp->vqs), GFP_KERNEL);
	if (!vp->vqs)
		return -ENOMEM;
	for (u16 i = 0; i < vp->nvqs && !err; i++)
		err = init_vq(vp, i);
	if (vp->features & BIT_ULL(VIRTIO_F_RING_RESET))
		vdpa_declare_vq_reset(&vp->vdpa);
	return err;
}

static void set_dev(struct vp_fn *fn, struct vp_dev *vp)
{
	guard(mutex)(&fn->lock);
	fn->vp = vp;
}

static int vp_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
		      const struct vdpa_dev_set_config *config)
{
	struct vp_fn *fn = container_of(mgmt, struct vp_fn, mgmt);
	struct vp_dev *vp;
	int err;

	if (fn->vp)
		return vdpa_refuse(-EBUSY, "Function has a device already: %s",
				   dev_name(&fn->vp->vdpa.dev));
	if (!mgmt->max_supported_vqs)
		return vdpa_refuse(-EOPNOTSUPP, "Function has no virtqueues");
	err = vp_fn_reset(fn);
	if (err)
		return vdpa_refuse(err, "Function does not reset");

	vp = vdpa_alloc_device(struct vp_dev, vdpa, mgmt->device,
			       &vp_config_ops, 1, 1, name, false);
	if (IS_ERR(vp))
		return PTR_ERR(vp);
	err = init_dev(vp, fn);
	if (!err && config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES))
		vp->features &= config->device_features;
	if (!err) {
		vp->vdpa.mdev = mgmt;
		set_dev(fn, vp);
		pci_set_master(fn->modern.pci_dev);
		err = _vdpa_register_device(&vp->vdpa, vp->nvqs);
	}
	if (err) {
		pci_clear_master(fn->modern.pci_dev);
		set_dev(fn, NULL);
		put_device(&vp->vdpa.dev);
	}
	return err;
}

static void vp_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa)
{
	struct vp_fn *fn = container_of(mgmt, struct vp_fn, mgmt);

	set_dev(fn, NULL);
	_vdpa_unregister_device(vdpa);
	vp_fn_reset(fn);
	pci_clear_master(fn->modern.pci_dev);
}

const struct vdpa_mgmtdev_ops vp_mgmtdev_ops = {
	.dev_add	= vp_dev_add,
	.dev_del	= vp_dev_del,
};
