// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management device vdpasim_net: a loopback NIC, in place of the in-tree
 * simulator of that name and as scripts written for it expect: what the driver
 * sends to its own address, to all or to a group comes back, the rest is
 * dropped. A control virtqueue in a group and address space of its own.
 *
 * The TX worker does it all: it enters the RX virtqueue for the time of its
 * batch. Nothing waits for RX buffers; without one a frame is lost. What is
 * wrong with a control command is answered with VIRTIO_NET_ERR.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

const u64 net_sim_features =
	BIT_ULL(VIRTIO_F_ANY_LAYOUT) |
	BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
	BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
	BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_MTU) |
	BIT_ULL(VIRTIO_NET_F_STATUS) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |
	BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR);

struct net_sim {
	struct net_dev net;		/* first */
	struct vdpa_chain ctrl;		/* lock of the control virtqueue */

	/* Lock of the TX virtqueue. */
	void *frame;			/* for any MTU */
	struct vdpa_soft_vq *rx;	/* NULL: there is no RX now */
};

static struct net_sim *soft_to_sim(struct vdpa_soft *soft)
{
	return container_of(soft_to_net(soft), struct net_sim, net);
}

static bool is_for_us(struct net_sim *sim, const u8 *addr)
{
	u8 mac[ETH_ALEN];

	if (is_multicast_ether_addr(addr))
		return true;
	vdpa_soft_config_read(&sim->net.soft,
			      offsetof(struct virtio_net_config, mac), mac,
			      ETH_ALEN);
	return ether_addr_equal_unaligned(addr, mac);
}

static enum net_counter sim_consume(struct net_dev *net, size_t len)
{
	struct net_sim *sim = container_of(net, struct net_sim, net);
	int err;

	if (vdpa_chain_pull(&net->tx, sim->frame, len) < len)
		return NET_ERRORS;
	if (!is_for_us(sim, sim->frame))
		return NET_DROPS;
	if (!sim->rx)
		return NET_PACKETS;

	err = net_rx_frame(net, sim->rx, sim->frame, len);
	if (err == -ENOBUFS) {
		vdpa_soft_count(sim->rx, NET_DROPS, 1);
	} else if (err) {
		vdpa_soft_vq_leave(sim->rx, VDPA_SOFT_BROKEN);
		sim->rx = NULL;
	}
	return NET_PACKETS;
}

static enum vdpa_soft_next sim_tx_work(struct vdpa_soft_vq *vq)
{
	struct net_sim *sim = soft_to_sim(vq->soft);
	struct vdpa_soft_vq *rx = &vq->soft->vqs[NET_VQ_RX];
	enum vdpa_soft_next next;

	sim->rx = vdpa_soft_vq_enter(rx) ? rx : NULL;
	next = net_tx_work(vq, sim_consume);
	if (sim->rx)
		vdpa_soft_vq_leave(sim->rx, VDPA_SOFT_IDLE);
	return next;
}

/* The one command there is: VIRTIO_NET_CTRL_MAC_ADDR_SET. */
static bool ctrl_set_mac(struct net_sim *sim)
{
	struct virtio_net_ctrl_hdr hdr;
	u8 mac[ETH_ALEN];

	if (sim->ctrl.out_len != sizeof(hdr) + sizeof(mac))
		return false;
	if (vdpa_chain_pull(&sim->ctrl, &hdr, sizeof(hdr)) < sizeof(hdr) ||
	    vdpa_chain_pull(&sim->ctrl, mac, sizeof(mac)) < sizeof(mac))
		return false;
	if (hdr.class != VIRTIO_NET_CTRL_MAC ||
	    hdr.cmd != VIRTIO_NET_CTRL_MAC_ADDR_SET)
		return false;
	if (!(sim->net.soft.driver_features &
	      BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR)) || !is_valid_ether_addr(mac))
		return false;

	vdpa_soft_config_write(&sim->net.soft,
			       offsetof(struct virtio_net_config, mac), mac,
			       ETH_ALEN);
	return true;
}

enum { CTRL_REQUESTS, CTRL_SUCCESSES, CTRL_ERRORS };

/* Whatever the command is like, it is answered and completed. */
static enum vdpa_soft_next sim_ctrl_work(struct vdpa_soft_vq *vq)
{
	struct net_sim *sim = soft_to_sim(vq->soft);

	for (int i = 0; i < VDPA_SOFT_BUDGET; i++) {
		int err = vdpa_ring_fetch(vq->ring, &sim->ctrl);
		virtio_net_ctrl_ack status;
		u32 written = 0;
		bool ok = false;

		cond_resched();
		if (!err)
			return VDPA_SOFT_WAIT;
		if (err < 0 && err != -EBADMSG)
			return VDPA_SOFT_BROKEN;
		if (err > 0) {
			ok = ctrl_set_mac(sim);
			status = ok ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
			written = vdpa_chain_push(&sim->ctrl, &status,
						  sizeof(status));
		}
		vdpa_soft_count(vq, CTRL_REQUESTS, 1);
		vdpa_soft_count(vq, ok ? CTRL_SUCCESSES : CTRL_ERRORS, 1);
		vdpa_ring_complete(vq->ring, sim->ctrl.id, written);
	}
	return VDPA_SOFT_AGAIN;
}

static enum vdpa_soft_next sim_work(struct vdpa_soft_vq *vq)
{
	switch (vq->idx) {
	case NET_VQ_TX:
		return sim_tx_work(vq);
	case NET_VQ_CTRL:
		return sim_ctrl_work(vq);
	default:
		return VDPA_SOFT_IDLE;
	}
}

static void sim_free(struct vdpa_soft *soft)
{
	struct net_sim *sim = soft_to_sim(soft);

	kvfree(sim->frame);
	vdpa_chain_fini(&sim->ctrl);
	net_dev_fini(&sim->net);
}

static const char *const ctrl_stats[] = {
	"cvq requests", "cvq successes", "cvq errors", NULL
};

static const char *const *sim_stats(u16 idx)
{
	static const char *const *const stats[] = {
		[NET_VQ_RX]	= net_rx_stats,
		[NET_VQ_TX]	= net_tx_stats,
		[NET_VQ_CTRL]	= ctrl_stats,
	};

	return stats[idx];
}

static const u8 sim_groups[] = {
	[NET_VQ_RX]	= 0,
	[NET_VQ_TX]	= 0,
	[NET_VQ_CTRL]	= 1,
};

static const struct vdpa_soft_class sim_class = {
	.device_id	= VIRTIO_ID_NET,
	.config_size	= sizeof(struct virtio_net_config),
	.ngroups	= 2,
	.nas		= 2,
	.vq_group	= sim_groups,
	.vq_stats	= sim_stats,
	.work		= sim_work,
	.free		= sim_free,
};

static const struct vdpa_change_ops sim_change_ops = {
	.live		= NET_CHANGE_LIVE,
	.idle		= NET_CHANGE_IDLE,
	.set		= net_set,
};

static int sim_init(struct net_sim *sim, const struct net_attrs *attrs)
{
	int err;

	err = net_dev_init(&sim->net, attrs);
	if (!err)
		err = vdpa_chain_init(&sim->ctrl);
	if (err)
		return err;
	sim->frame = kvmalloc(NET_FRAME_MAX(U16_MAX), GFP_KERNEL);
	if (!sim->frame)
		return -ENOMEM;
	vdpa_set_change_ops(&sim->net.soft.vdpa, &sim_change_ops);
	net_set_link(&sim->net.soft, NET_LINK_PEER, true);
	return 0;
}

static int sim_add(struct vdpa_mgmt_dev *mdev, const char *name,
		   const struct vdpa_dev_set_config *config)
{
	struct vdpa_soft_cfg cfg = {
		.name = name,
		.nvqs = ARRAY_SIZE(sim_groups),
		.vq_max = 256,	/* as the in-tree simulator */
	};
	struct net_attrs attrs;
	struct vdpa_soft *soft;
	int err;

	err = net_attrs_parse(&attrs, net_sim_features, config);
	if (err)
		return err;
	cfg.features = attrs.features;
	soft = vdpa_soft_alloc(mdev->device, sizeof(struct net_sim), &sim_class,
			       &cfg);
	if (IS_ERR(soft))
		return PTR_ERR(soft);

	err = sim_init(soft_to_sim(soft), &attrs);
	if (!err)
		err = vdpa_soft_register(soft, mdev);
	if (err)
		put_device(&soft->vdpa.dev);
	return err;
}

static void sim_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	net_set_link(soft, NET_LINK_PEER, false);
	vdpa_soft_stop(soft);
	vdpa_soft_unregister(soft);
}

const struct vdpa_mgmtdev_ops net_sim_ops = {
	.dev_add	= sim_add,
	.dev_del	= sim_del,
};
