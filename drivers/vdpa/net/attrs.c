// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a software NIC: what user space asks for at its creation and
 * may change later, and the configuration space in which the guest sees them.
 *
 * Called from the mgmtdev ops, under the management lock of the vDPA core; the
 * link state also under rtnl_lock. The bytes are under soft->config_lock.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vdpa.h>

#define FEATURES_NEEDED	(BIT_ULL(VIRTIO_F_VERSION_1) | \
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

static bool has_attr(const struct vdpa_dev_set_config *config, int attr)
{
	return config->mask & BIT_ULL(attr);
}

/* Without an address of its own a NIC gets a random one. */
int net_attrs_parse(struct net_attrs *attrs, u64 supported,
		    const struct vdpa_dev_set_config *config)
{
	attrs->features = supported;
	if (has_attr(config, VDPA_ATTR_DEV_FEATURES)) {
		attrs->features = config->device_features;
		if (attrs->features & ~supported ||
		    FEATURES_NEEDED & ~attrs->features)
			return -EINVAL;
	}

	eth_random_addr(attrs->mac);
	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MACADDR)) {
		ether_addr_copy(attrs->mac, config->net.mac);
		if (!is_valid_ether_addr(attrs->mac))
			return -EINVAL;
	}

	attrs->mtu = ETH_DATA_LEN;
	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MTU)) {
		attrs->mtu = config->net.mtu;
		if (attrs->mtu < ETH_MIN_MTU)
			return -EINVAL;
	}

	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MAX_VQP) &&
	    config->net.max_vq_pairs != 1)
		return -EINVAL;
	return 0;
}

/* mgmtdev dev_set_attr(): the address, in use or not. */
int net_set_attr(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa,
		 const struct vdpa_dev_set_config *config)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (config->mask != BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))
		return -EOPNOTSUPP;
	if (!is_valid_ether_addr(config->net.mac))
		return -EINVAL;

	vdpa_soft_config_write(soft, offsetof(struct virtio_net_config, mac),
			       config->net.mac, ETH_ALEN);
	vdpa_soft_config_notify(soft);
	return 0;
}

/* Tell the guest that the link is there, or not. */
void net_set_link(struct vdpa_soft *soft, bool up)
{
	__le16 status = cpu_to_le16(up ? VIRTIO_NET_S_LINK_UP : 0);

	vdpa_soft_config_write(soft, offsetof(struct virtio_net_config, status),
			       &status, sizeof(status));
	vdpa_soft_config_notify(soft);
}
