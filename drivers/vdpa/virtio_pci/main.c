// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio-pci functions as parents: the PCI driver.
 *
 * It knows no function by itself, for that of virtio is virtio-pci: it gets
 * those whose driver_override names it ("vp-vdpa"), or whose ids were written
 * to new_id. Each is a management device, pci/<its address>. PCI calls.
 */
#include "vp.h"

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>

/* What we could pass on, but nobody behind us could use. */
#define NOT_PASSED	(BIT_ULL(VIRTIO_F_ADMIN_VQ) | BIT_ULL(VIRTIO_F_SR_IOV))

#define RING_RESET_END							\
	offsetofend(struct virtio_pci_modern_common_cfg, queue_reset)

/*
 * How long a structure is, virtio-pci has from the function, and may have mapped
 * less of it, up to where the BAR ends. That it has mapped a page is certain.
 */
static size_t page_rest(const void __iomem *p)
{
	return PAGE_SIZE - offset_in_page(p);
}

/* Nothing is taken for mapped because the function says so. */
static u64 check_registers(struct virtio_pci_modern_device *modern)
{
	u64 features = vp_modern_get_features(modern) & ~NOT_PASSED;

	modern->device_len = min(modern->device_len, page_rest(modern->device));
	if (min(modern->common_len, page_rest(modern->common)) < RING_RESET_END)
		features &= ~BIT_ULL(VIRTIO_F_RING_RESET);
	return features;
}

static void init_mgmt(struct vp_fn *fn)
{
	struct vdpa_mgmt_dev *mgmt = &fn->mgmt;

	fn->ids[0] = (struct virtio_device_id) {
		fn->modern.id.device, fn->modern.id.vendor,
	};
	mgmt->device = &fn->modern.pci_dev->dev;
	mgmt->ops = &vp_mgmtdev_ops;
	mgmt->id_table = fn->ids;
	mgmt->max_supported_vqs = vp_modern_get_num_queues(&fn->modern);
	mgmt->supported_features = check_registers(&fn->modern);
	mgmt->config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES);
}

static int vp_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vp_fn *fn;
	int err;

	fn = kzalloc(sizeof(*fn), GFP_KERNEL);
	if (!fn)
		return -ENOMEM;
	mutex_init(&fn->lock);
	fn->modern.pci_dev = pdev;
	err = pci_enable_device(pdev);
	if (err)
		goto err_free;
	err = vp_modern_probe(&fn->modern);
	if (err) {
		pci_err(pdev, "is no modern virtio function: error %d\n", err);
		goto err_disable;
	}
	err = vp_fn_reset(fn);
	if (err)
		goto err_remove;
	init_mgmt(fn);
	pci_set_drvdata(pdev, fn);
	err = vdpa_mgmtdev_register(&fn->mgmt);
	if (err)
		goto err_remove;
	return 0;

err_remove:
	vp_modern_remove(&fn->modern);
err_disable:
	pci_disable_device(pdev);
err_free:
	kfree(fn);
	return err;
}

static void vp_remove(struct pci_dev *pdev)
{
	struct vp_fn *fn = pci_get_drvdata(pdev);

	vdpa_mgmtdev_unregister(&fn->mgmt);
	vp_modern_remove(&fn->modern);
	pci_disable_device(pdev);
	kfree(fn);
}

/* The driver of the device asks for its status then, and sees that it broke. */
static pci_ers_result_t vp_error_detected(struct pci_dev *pdev,
					  pci_channel_state_t state)
{
	struct vp_fn *fn = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	guard(mutex)(&fn->lock);
	if (fn->vp)
		vp_line_raise(&fn->vp->config);
	return PCI_ERS_RESULT_DISCONNECT;
}

static const struct pci_error_handlers vp_err_handler = {
	.error_detected	= vp_error_detected,
};

static struct pci_driver vp_driver = {
	.name		= "vp-vdpa",
	.id_table	= NULL,	/* dynamic ids and driver_override only */
	.probe		= vp_probe,
	.remove		= vp_remove,
	.err_handler	= &vp_err_handler,
};

module_pci_driver(vp_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vDPA: virtio-pci functions");
