// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a software NIC: what user space asks for at its creation and
 * may change later, and the configuration space in which the guest sees them.
 *
 * Called under the management lock of the vDPA core, a change also under
 * vdpa->cf_lock; the link state is set under rtnl_lock as well, so it has a lock
 * of its own. The bytes are under soft->config_lock.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/vdpa_refuse.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vdpa.h>

static bool has_attr(const struct vdpa_dev_set_config *config, int attr)
{
	return config->mask & BIT_ULL(attr);
}

/*
 * Without an address of its own a NIC gets a random one. That values make sense,
 * the core has checked.
 */
int net_attrs_parse(struct net_attrs *attrs, u64 supported,
		    const struct vdpa_dev_set_config *config)
{
	int err;

	attrs->features = supported;
	err = vdpa_soft_choose_features(&attrs->features, config);
	if (err)
		return err;

	eth_random_addr(attrs->mac);
	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MACADDR))
		ether_addr_copy(attrs->mac, config->net.mac);

	attrs->mtu = ETH_DATA_LEN;
	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MTU))
		attrs->mtu = config->net.mtu;

	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MAX_VQP) &&
	    config->net.max_vq_pairs != 1)
		return vdpa_refuse(-EINVAL,
				   "Device has one pair of virtqueues only");
	return 0;
}

static void net_write_mtu(struct net_dev *net, u16 mtu)
{
	__le16 value = cpu_to_le16(mtu);

	vdpa_soft_config_write(&net->soft,
			       offsetof(struct virtio_net_config, mtu),
			       &value, sizeof(value));
	/* No virtqueue runs. */
	net->max_frame = NET_FRAME_MAX(mtu);
}

/* vdpa_change_ops set(): the MTU while not in use, the rest at any time. */
int net_set(struct vdpa_device *vdpa, const struct vdpa_dev_change *change)
{
	const struct vdpa_dev_set_config *config = &change->config;
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MACADDR))
		vdpa_soft_config_write(soft,
				       offsetof(struct virtio_net_config, mac),
				       config->net.mac, ETH_ALEN);
	if (has_attr(config, VDPA_ATTR_DEV_NET_CFG_MTU))
		net_write_mtu(soft_to_net(soft), config->net.mtu);
	if (has_attr(config, VDPA_ATTR_DEV_NET_STATUS))
		net_set_link(soft, NET_LINK_ADMIN,
			     change->net_status & VIRTIO_NET_S_LINK_UP);
	/* The link has told of itself. */
	if (config->mask & ~BIT_ULL(VDPA_ATTR_DEV_NET_STATUS))
		vdpa_soft_config_notify(soft);
	return 0;
}

/*
 * The link is there unless somebody has taken it down; tell the guest. Returns
 * whether what there is to see of it is another now.
 */
bool net_set_link(struct vdpa_soft *soft, u8 who, bool up)
{
	struct net_dev *net = soft_to_net(soft);
	__le16 status;
	u8 old;

	scoped_guard(spinlock_irqsave, &net->link_lock) {
		old = net->link_down;
		net->link_down = up ? old & ~who : old | who;
		if (!old == !net->link_down)
			return false;
		status = cpu_to_le16(net->link_down ? 0 : VIRTIO_NET_S_LINK_UP);
		vdpa_soft_config_write(soft,
				       offsetof(struct virtio_net_config,
						status),
				       &status, sizeof(status));
	}
	if (!(soft->features & BIT_ULL(VIRTIO_NET_F_STATUS)))
		return false;
	vdpa_soft_config_notify(soft);
	return true;
}
