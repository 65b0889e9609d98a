// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management device vdpa_net: a NIC whose peer is a network interface of the
 * host. Work on the virtqueues, creation and removal; the interface itself is
 * in peer.c.
 *
 * The RX worker takes frames from host->queue, which the interface fills. The
 * TX worker collects what the guest sends in host->received and hands it to
 * the network stack when it holds no lock any more.
 *
 * The carrier of the peer is on while the guest runs the device (DRIVER_OK,
 * all virtqueues enabled, not suspended), the guest sees its link up while the
 * peer is administratively up.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#define NET_LINEAR	2048	/* bytes of a frame outside of page fragments */

const u64 net_host_features =
	BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
	BIT_ULL(VIRTIO_F_RING_RESET) |
	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
	BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
	BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_MTU) |
	BIT_ULL(VIRTIO_NET_F_STATUS) | BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);

static struct sk_buff *alloc_frame(size_t len)
{
	size_t linear = min_t(size_t, len, NET_LINEAR);
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear,
				   len - linear, PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len += len - linear;
	return skb;
}

static bool pull_frame(struct vdpa_chain *chain, struct sk_buff *skb)
{
	size_t linear = skb_headlen(skb);

	if (vdpa_chain_pull(chain, skb->data, linear) < linear)
		return false;
	for (int i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		size_t size = skb_frag_size(frag);

		if (vdpa_chain_pull(chain, skb_frag_address(frag), size) < size)
			return false;
	}
	return true;
}

static enum net_counter host_consume(struct net_dev *net, size_t len)
{
	struct net_host *host = container_of(net, struct net_host, net);
	struct sk_buff *skb;

	if (!netif_running(host->peer))
		return NET_DROPS;
	skb = alloc_frame(len);
	if (!skb)
		return NET_DROPS;
	if (!pull_frame(&net->tx, skb)) {
		kfree_skb(skb);
		return NET_ERRORS;
	}
	skb->protocol = eth_type_trans(skb, host->peer);
	list_add_tail(&skb->list, &host->received);
	return NET_PACKETS;
}

static enum vdpa_soft_next host_rx_work(struct vdpa_soft_vq *vq)
{
	struct net_host *host = soft_to_host(vq->soft);
	enum vdpa_soft_next next = VDPA_SOFT_AGAIN;

	for (int i = 0; i < VDPA_SOFT_BUDGET; i++) {
		struct sk_buff *skb = skb_dequeue(&host->queue);
		int err;

		cond_resched();
		if (!skb) {
			next = VDPA_SOFT_IDLE;
			break;
		}
		err = net_rx_frame(&host->net, vq, skb->data, skb->len);
		if (err) {
			skb_queue_head(&host->queue, skb);
			next = err == -ENOBUFS ? VDPA_SOFT_WAIT :
						 VDPA_SOFT_BROKEN;
			break;
		}
		consume_skb(skb);
	}

	/* Pairs with the barrier in peer_xmit(). */
	smp_mb();
	if (netif_queue_stopped(host->peer) &&
	    skb_queue_len_lockless(&host->queue) < NET_QUEUE_LEN / 2)
		netif_wake_queue(host->peer);
	return next;
}

static enum vdpa_soft_next host_work(struct vdpa_soft_vq *vq)
{
	if (vq->idx == NET_VQ_RX)
		return host_rx_work(vq);
	return net_tx_work(vq, host_consume);
}

static void host_work_end(struct vdpa_soft_vq *vq)
{
	struct net_host *host = soft_to_host(vq->soft);

	if (vq->idx != NET_VQ_TX || list_empty(&host->received))
		return;
	/* As in a softirq. It may well lead to peer_xmit(). */
	local_bh_disable();
	netif_receive_skb_list(&host->received);
	local_bh_enable();
}

static void host_running(struct vdpa_soft *soft)
{
	struct net_host *host = soft_to_host(soft);

	if (vdpa_soft_is_running(soft)) {
		netif_carrier_on(host->peer);
		return;
	}
	netif_carrier_off(host->peer);
	/* A driver may come before the peer does: nobody sends yet. */
	if (!host->registered)
		return;
	/* Whoever is in peer_xmit() has not seen that. */
	netif_tx_lock_bh(host->peer);
	netif_tx_unlock_bh(host->peer);

	/* What is on its way is lost with the link. */
	guard(mutex)(&soft->vqs[NET_VQ_RX].lock);
	skb_queue_purge(&host->queue);
	netif_wake_queue(host->peer);
}

static void host_free(struct vdpa_soft *soft)
{
	struct net_host *host = soft_to_host(soft);

	if (host->peer) {
		skb_queue_purge(&host->queue);
		free_netdev(host->peer);
	}
	net_dev_fini(&host->net);
}

static const char *const *host_stats(u16 idx)
{
	return idx == NET_VQ_RX ? net_rx_stats : net_tx_stats;
}

static const struct vdpa_soft_class host_class = {
	.device_id	= VIRTIO_ID_NET,
	.config_size	= sizeof(struct virtio_net_config),
	.ngroups	= 1,
	.nas		= 1,
	.vq_stats	= host_stats,
	.work		= host_work,
	.work_end	= host_work_end,
	.running	= host_running,
	.free		= host_free,
};

static const struct vdpa_change_ops host_change_ops = {
	.live		= NET_CHANGE_LIVE,
	.idle		= NET_CHANGE_IDLE,
	.set		= net_set,
	.changed	= net_peer_changed,
};

static int host_add(struct vdpa_mgmt_dev *mdev, const char *name,
		    const struct vdpa_dev_set_config *config)
{
	struct vdpa_soft_cfg cfg = {
		.name = name,
		.nvqs = 2,
		.vq_max = NET_VQ_MAX,
	};
	struct net_attrs attrs;
	struct vdpa_soft *soft;
	struct net_host *host;
	int err;

	err = net_attrs_parse(&attrs, net_host_features, config);
	if (err)
		return err;
	cfg.features = attrs.features;
	soft = vdpa_soft_alloc(mdev->device, sizeof(*host), &host_class, &cfg);
	if (IS_ERR(soft))
		return PTR_ERR(soft);
	host = soft_to_host(soft);
	vdpa_set_change_ops(&soft->vdpa, &host_change_ops);
	INIT_LIST_HEAD(&host->received);
	skb_queue_head_init(&host->queue);

	err = net_dev_init(&host->net, &attrs);
	if (!err)
		err = net_peer_create(host, &attrs);
	if (!err)
		err = vdpa_soft_register(soft, mdev);
	if (err) {
		put_device(&soft->vdpa.dev);
		return err;
	}

	/* Only now: the device is the parent of its peer in sysfs. */
	err = net_peer_register(host);
	if (err) {
		vdpa_soft_stop(soft);
		vdpa_soft_unregister(soft);
		return err;
	}
	guard(mutex)(&soft->lock);
	host->registered = true;
	return 0;
}

static void host_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	/* The guest may see the link go before the device does. */
	net_set_link(soft, NET_LINK_PEER, false);
	vdpa_soft_stop(soft);
	unregister_netdev(soft_to_host(soft)->peer);
	vdpa_soft_unregister(soft);
}

const struct vdpa_mgmtdev_ops net_host_ops = {
	.dev_add	= host_add,
	.dev_del	= host_del,
};
