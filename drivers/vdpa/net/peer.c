// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network interface of the host at the other end of a vdpa_net device.
 *
 * Called by the network stack: configuration under rtnl_lock, peer_xmit() with
 * the TX lock of the interface and BHs disabled. The vDPA device outlives the
 * interface, which is its child in sysfs ("ip -d link" shows it as parentdev).
 *
 * There are no rtnl_link_ops on purpose: an interface without them goes back
 * to the first network namespace when its own ends, as a physical one does.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/virtio_net.h>

#define STATS_PER_VQ	4

struct peer_priv {
	struct net_host *host;
};

static struct net_host *dev_to_host(struct net_device *dev)
{
	return ((struct peer_priv *)netdev_priv(dev))->host;
}

/* After the device is registered, and before it is deleted. */
static void peer_set_link(struct net_device *dev, bool up)
{
	struct vdpa_soft *soft = &dev_to_host(dev)->net.soft;

	if (net_set_link(soft, NET_LINK_PEER, up))
		vdpa_device_changed(&soft->vdpa);
}

static int peer_open(struct net_device *dev)
{
	netif_start_queue(dev);
	peer_set_link(dev, true);
	return 0;
}

static int peer_stop(struct net_device *dev)
{
	peer_set_link(dev, false);
	netif_stop_queue(dev);
	return 0;
}

static netdev_tx_t peer_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct net_host *host = dev_to_host(dev);

	/* A guest may leave it here for ever: hold nobody's resources. */
	if (!netif_carrier_ok(dev) || skb_orphan_frags_rx(skb, GFP_ATOMIC) ||
	    skb_linearize(skb)) {
		DEV_STATS_INC(dev, tx_dropped);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	skb_tx_timestamp(skb);
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb_dst_drop(skb);
	skb_queue_tail(&host->queue, skb);

	if (skb_queue_len_lockless(&host->queue) >= NET_QUEUE_LEN) {
		netif_stop_queue(dev);
		/* Pairs with the barrier in host_rx_work(). */
		smp_mb();
		if (skb_queue_len_lockless(&host->queue) < NET_QUEUE_LEN)
			netif_start_queue(dev);
	}
	vdpa_soft_vq_queue(&host->net.soft.vqs[NET_VQ_RX]);
	return NETDEV_TX_OK;
}

/* What the guest sends, we receive. */
static void peer_get_stats64(struct net_device *dev,
			     struct rtnl_link_stats64 *stats)
{
	struct vdpa_soft *soft = &dev_to_host(dev)->net.soft;
	const u64 *rx = soft->vqs[NET_VQ_TX].stat;
	const u64 *tx = soft->vqs[NET_VQ_RX].stat;

	stats->rx_packets = READ_ONCE(rx[NET_PACKETS]);
	stats->rx_bytes = READ_ONCE(rx[NET_BYTES]);
	stats->rx_errors = READ_ONCE(rx[NET_ERRORS]);
	stats->rx_dropped = READ_ONCE(rx[NET_DROPS]);
	stats->tx_packets = READ_ONCE(tx[NET_PACKETS]);
	stats->tx_bytes = READ_ONCE(tx[NET_BYTES]);
	stats->tx_errors = READ_ONCE(tx[NET_ERRORS]);
	stats->tx_dropped = READ_ONCE(tx[NET_DROPS]) +
			    DEV_STATS_READ(dev, tx_dropped);
}

static const struct net_device_ops peer_ops = {
	.ndo_open		= peer_open,
	.ndo_stop		= peer_stop,
	.ndo_start_xmit		= peer_xmit,
	.ndo_get_stats64	= peer_get_stats64,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
};

static void peer_get_drvinfo(struct net_device *dev,
			     struct ethtool_drvinfo *info)
{
	struct vdpa_device *vdpa = &dev_to_host(dev)->net.soft.vdpa;

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, dev_name(&vdpa->dev), sizeof(info->bus_info));
}

static int peer_get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return dev_to_host(dev)->net.soft.nvqs * STATS_PER_VQ;
}

/* The names that "vdpa dev vstats" shows, from the point of view of the guest. */
static void peer_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	const struct vdpa_soft *soft = &dev_to_host(dev)->net.soft;

	if (set != ETH_SS_STATS)
		return;
	for (int i = 0; i < soft->nvqs; i++)
		for (int j = 0; j < STATS_PER_VQ; j++)
			ethtool_sprintf(&data, "vq%d %s", i,
					soft->class->vq_stats(i)[j]);
}

static void peer_get_ethtool_stats(struct net_device *dev,
				   struct ethtool_stats *stats, u64 *data)
{
	struct vdpa_soft *soft = &dev_to_host(dev)->net.soft;

	for (int i = 0; i < soft->nvqs; i++)
		for (int j = 0; j < STATS_PER_VQ; j++)
			*data++ = READ_ONCE(soft->vqs[i].stat[j]);
}

static const struct ethtool_ops peer_ethtool_ops = {
	.get_drvinfo		= peer_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= peer_get_sset_count,
	.get_strings		= peer_get_strings,
	.get_ethtool_stats	= peer_get_ethtool_stats,
};

static void peer_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &peer_ops;
	dev->ethtool_ops = &peer_ethtool_ops;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
}

int net_peer_create(struct net_host *host, const struct net_attrs *attrs)
{
	struct net_device *dev;

	dev = alloc_netdev(sizeof(struct peer_priv), "vdpa%d", NET_NAME_ENUM,
			   peer_setup);
	if (!dev)
		return -ENOMEM;
	((struct peer_priv *)netdev_priv(dev))->host = host;
	dev->mtu = attrs->mtu;
	dev->max_mtu = attrs->mtu;
	eth_hw_addr_random(dev);
	netif_carrier_off(dev);
	SET_NETDEV_DEV(dev, &host->net.soft.vdpa.dev);
	host->peer = dev;
	return 0;
}

/* Whether an interface can have @name now. */
static bool peer_name_fits(const char *name)
{
	/* What has a meaning in /proc/sys/net/ipv4/conf. */
	static const char *const taken[] = { "all", "default" };

	ASSERT_RTNL();

	/* A '%' would make it a pattern. */
	return dev_valid_name(name) && !strchr(name, '%') &&
	       match_string(taken, ARRAY_SIZE(taken), name) < 0 &&
	       !__dev_get_by_name(&init_net, name);
}

/* Named after the device, or vdpa0, vdpa1, ... if that name cannot be had. */
int net_peer_register(struct net_host *host)
{
	const char *name = dev_name(&host->net.soft.vdpa.dev);
	struct net_device *dev = host->peer;
	int err;

	rtnl_lock();
	if (peer_name_fits(name)) {
		strscpy(dev->name, name, IFNAMSIZ);
		dev->name_assign_type = NET_NAME_USER;
	}
	err = register_netdevice(dev);
	rtnl_unlock();
	return err;
}

/* vdpa_change_ops changed(): no longer frames for the guest than it takes. */
void net_peer_changed(struct vdpa_device *vdpa)
{
	struct net_host *host = soft_to_host(vdpa_to_soft(vdpa));
	struct net_device *dev = host->peer;
	unsigned int mtu = host->net.max_frame - NET_FRAME_MAX(0);
	bool full;

	rtnl_lock();
	full = dev->mtu == dev->max_mtu;
	WRITE_ONCE(dev->max_mtu, mtu);
	/* If somebody in the kernel objects, what is too long is dropped. */
	if (full || dev->mtu > mtu)
		(void)dev_set_mtu(dev, mtu);
	rtnl_unlock();
}
