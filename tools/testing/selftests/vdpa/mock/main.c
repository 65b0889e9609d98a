// SPDX-License-Identifier: GPL-2.0-only
/*
 * vdpa_mock: the module, and its management device "vdpa_mock"; PCI functions
 * may be more of those (pci.c).
 *
 * "vdpa dev add name m0 mgmtdev vdpa_mock" makes a device with the properties
 * that debugfs holds at that moment (knobs.c). The core calls dev_add and
 * dev_del one at a time. A device's debugfs files go first and its memory
 * last, so nothing reaches a device that is half gone.
 */
#include "mock.h"

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>

/* What the directory of debugfs has besides those of the devices. */
static const char *const mock_taken[] = {
	"next", "consumers", "alone", "class",
};

static int mock_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
			const struct vdpa_dev_set_config *config)
{
	struct mock *m;
	int err;

	/* Its directory would be that of the knobs, or a file. */
	if (match_string(mock_taken, ARRAY_SIZE(mock_taken), name) >= 0)
		return -EINVAL;

	m = mock_create(mdev, name, config);
	if (IS_ERR(m))
		return PTR_ERR(m);

	/*
	 * Files before registration, so that user space finds them as soon as
	 * there is a device; they only need what mock_create() has made.
	 */
	mock_debugfs_create(m);
	err = _vdpa_register_device(&m->vdpa, m->props.nvqs);
	if (err)
		mock_destroy(m);
	return err;
}

static void mock_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);

	debugfs_remove(m->dir);
	_vdpa_unregister_device(vdpa);
}

static const struct vdpa_mgmtdev_ops mock_mgmtdev_ops = {
	.dev_add = mock_dev_add,
	.dev_del = mock_dev_del,
};

static struct virtio_device_id mock_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_CONSOLE, VIRTIO_DEV_ANY_ID },
	{ },
};

/* Changes what kind of device can be made first; 0: none can. */
u32 *const mock_first_class = &mock_ids[0].device;

/* Without the device: a copy of it has one. */
const struct vdpa_mgmt_dev mock_mgmtdev = {
	.ops = &mock_mgmtdev_ops,
	.id_table = mock_ids,
	.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES),
	.supported_features = U64_MAX,
	.max_supported_vqs = U16_MAX,
};

struct vdpa_mgmt_dev mock_root_mgmtdev;

static int __init mock_init(void)
{
	int err;

	mock_root_mgmtdev = mock_mgmtdev;
	mock_root_mgmtdev.device = root_device_register("vdpa_mock");
	if (IS_ERR(mock_root_mgmtdev.device))
		return PTR_ERR(mock_root_mgmtdev.device);
	err = mock_debugfs_init();
	if (err)
		goto err_unregister_device;
	err = vdpa_mgmtdev_register(&mock_root_mgmtdev);
	if (err)
		goto err_exit_debugfs;
	err = pci_register_driver(&mock_pci_driver);
	if (err)
		goto err_unregister_mgmtdev;
	return 0;

err_unregister_mgmtdev:
	vdpa_mgmtdev_unregister(&mock_root_mgmtdev);
err_exit_debugfs:
	mock_debugfs_exit();
err_unregister_device:
	root_device_unregister(mock_root_mgmtdev.device);
	return err;
}
module_init(mock_init);

static void __exit mock_exit(void)
{
	pci_unregister_driver(&mock_pci_driver);
	vdpa_mgmtdev_unregister(&mock_root_mgmtdev);
	mock_debugfs_exit();
	root_device_unregister(mock_root_mgmtdev.device);
}
module_exit(mock_exit);

MODULE_DESCRIPTION("vDPA parent for tests, without a data path");
MODULE_LICENSE("GPL");
