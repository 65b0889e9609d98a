// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software NICs: the module and its management devices.
 *
 * Each row of the table is one management device, whose parent in sysfs is a
 * root device of the same name. Devices are made and removed through the
 * mgmtdev ops, under the management lock of the vDPA core; unregistering a
 * management device removes what is left of its devices.
 */
#include "net.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <uapi/linux/vdpa.h>

static struct virtio_device_id net_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

#define NET_ATTRS	(BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) | \
			 BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) | \
			 BIT_ULL(VDPA_ATTR_DEV_FEATURES))

static struct net_mgmt {
	const char *name;
	const u64 *features;
	struct vdpa_mgmt_dev mdev;
} net_mgmts[] = {
	{
		.name = "vdpa_net",
		.features = &net_host_features,
		.mdev = {
			.ops = &net_host_ops,
			.id_table = net_ids,
			.config_attr_mask = NET_ATTRS |
				BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP),
			.max_supported_vqs = 2,
		},
	}, {
		.name = "vdpasim_net",
		.features = &net_sim_features,
		.mdev = {
			.ops = &net_sim_ops,
			.id_table = net_ids,
			.config_attr_mask = NET_ATTRS,
			.max_supported_vqs = 3,
		},
	},
};

static int net_mgmt_register(struct net_mgmt *mgmt)
{
	struct device *dev = root_device_register(mgmt->name);
	int err;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	mgmt->mdev.device = dev;
	mgmt->mdev.supported_features = *mgmt->features;
	err = vdpa_mgmtdev_register(&mgmt->mdev);
	if (err)
		root_device_unregister(dev);
	return err;
}

static void net_mgmt_unregister(struct net_mgmt *mgmt)
{
	vdpa_mgmtdev_unregister(&mgmt->mdev);
	root_device_unregister(mgmt->mdev.device);
}

static int __init vdpa_net_init(void)
{
	int err;

	for (int i = 0; i < ARRAY_SIZE(net_mgmts); i++) {
		err = net_mgmt_register(&net_mgmts[i]);
		if (err) {
			while (i--)
				net_mgmt_unregister(&net_mgmts[i]);
			return err;
		}
	}
	return 0;
}

static void __exit vdpa_net_exit(void)
{
	for (int i = ARRAY_SIZE(net_mgmts); i--;)
		net_mgmt_unregister(&net_mgmts[i]);
}

module_init(vdpa_net_init);
module_exit(vdpa_net_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vDPA: software NIC, with an interface of the host as peer or looped");
MODULE_ALIAS("vdpa_sim_net");
MODULE_ALIAS("vdpa_sim");
