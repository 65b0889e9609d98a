// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software disks: the module and its management devices.
 *
 * Each row of the table is one management device, whose parent in sysfs is a
 * root device of the same name. What a management device needs is there before
 * it, and goes after the last of its devices has gone.
 */
#include "blk.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <uapi/linux/vdpa.h>

struct workqueue_struct *blk_wq;

static struct virtio_device_id blk_ids[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct blk_mgmt {
	const char *name;
	const u64 *features;
	int (*init)(void);
	void (*exit)(void);
	struct vdpa_mgmt_dev mdev;
} blk_mgmts[] = {
	{
		.name = "vdpa_blk",
		.features = &blk_conf_features,
		.init = blk_conf_init,
		.exit = blk_conf_exit,
		.mdev = {
			.ops = &blk_conf_ops,
			.id_table = blk_ids,
			.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES),
			.max_supported_vqs = BLK_QUEUES_MAX,
		},
	}, {
		.name = "vdpasim_blk",
		.features = &blk_ram_features,
		.init = blk_ram_init,
		.exit = blk_ram_exit,
		.mdev = {
			.ops = &blk_ram_ops,
			.id_table = blk_ids,
			.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES),
			.max_supported_vqs = 1,
		},
	},
};

static int blk_mgmt_register(struct blk_mgmt *mgmt)
{
	struct device *dev;
	int err;

	err = mgmt->init();
	if (err)
		return err;
	dev = root_device_register(mgmt->name);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto err_exit;
	}
	mgmt->mdev.device = dev;
	mgmt->mdev.supported_features = *mgmt->features;
	err = vdpa_mgmtdev_register(&mgmt->mdev);
	if (err)
		goto err_unregister;
	return 0;

err_unregister:
	root_device_unregister(dev);
err_exit:
	mgmt->exit();
	return err;
}

static void blk_mgmt_unregister(struct blk_mgmt *mgmt)
{
	vdpa_mgmtdev_unregister(&mgmt->mdev);
	root_device_unregister(mgmt->mdev.device);
	mgmt->exit();
}

static int __init vdpa_blk_init(void)
{
	int err = 0, i;

	blk_wq = alloc_workqueue("vdpa_blk", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!blk_wq)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(blk_mgmts); i++) {
		err = blk_mgmt_register(&blk_mgmts[i]);
		if (err)
			goto err_undo;
	}
	return 0;

err_undo:
	while (i--)
		blk_mgmt_unregister(&blk_mgmts[i]);
	destroy_workqueue(blk_wq);
	return err;
}

static void __exit vdpa_blk_exit(void)
{
	for (int i = ARRAY_SIZE(blk_mgmts); i--;)
		blk_mgmt_unregister(&blk_mgmts[i]);
	destroy_workqueue(blk_wq);
}

module_init(vdpa_blk_init);
module_exit(vdpa_blk_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vDPA: software disk, on a file, a block device or in RAM");
MODULE_ALIAS("vdpa_sim_blk");
