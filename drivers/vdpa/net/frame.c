// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames in and out of the virtqueues of a software NIC.
 *
 * host.c and sim.c call this from class->work(), that is with vq->lock held.
 * No offload is offered, so a frame is whole and its header says nothing. What
 * is wrong with a chain is counted at its virtqueue, the chain is completed
 * with 0 bytes, and the next one is looked at.
 */
#include "net.h"

#include <linux/etherdevice.h>
#include <linux/virtio_net.h>

/* Chains in which one frame may lie (VIRTIO_NET_F_MRG_RXBUF). */
#define NET_RX_CHAINS	64

struct rx_used {
	u32 len;
	u16 id;
};

/* In the order of enum net_counter. */
const char *const net_rx_stats[] = {
	"rx packets", "rx bytes", "rx errors", "rx overruns", NULL
};

const char *const net_tx_stats[] = {
	"tx packets", "tx bytes", "tx errors", "tx drops", NULL
};

int net_dev_init(struct net_dev *net, const struct net_attrs *attrs)
{
	struct virtio_net_config config = {
		.max_virtqueue_pairs =
			(__force __virtio16)cpu_to_le16(1),
		.mtu = (__force __virtio16)cpu_to_le16(attrs->mtu),
	};
	int err;

	ether_addr_copy(config.mac, attrs->mac);
	vdpa_soft_config_write(&net->soft, 0, &config, sizeof(config));
	net->max_frame = NET_FRAME_MAX(attrs->mtu);
	spin_lock_init(&net->link_lock);
	net->link_down = NET_LINK_PEER;

	err = vdpa_chain_init(&net->rx_head);
	if (!err)
		err = vdpa_chain_init(&net->rx_more);
	if (!err)
		err = vdpa_chain_init(&net->tx);
	return err;	/* net_dev_fini() takes back what there is */
}

void net_dev_fini(struct net_dev *net)
{
	vdpa_chain_fini(&net->tx);
	vdpa_chain_fini(&net->rx_more);
	vdpa_chain_fini(&net->rx_head);
}

/*
 * Lay a header and @frame into as many chains as it takes, at most @max.
 * @used and *@nr are the chains that were taken, also after an error.
 */
static int rx_fill(struct net_dev *net, struct vdpa_ring *ring,
		   const void *frame, size_t len, struct rx_used *used,
		   u32 max, u32 *nr)
{
	struct virtio_net_hdr_v1 hdr = {
		.num_buffers = (__force __virtio16)cpu_to_le16(1),
	};
	typeof(net->rx_head.in_pos) start = {};
	struct vdpa_chain *chain = &net->rx_head;
	size_t skip = NET_HDR_LEN;
	int err;

	while (len) {
		size_t part;

		if (*nr == max)
			return -EMSGSIZE;
		err = vdpa_ring_fetch(ring, chain);
		if (!err)
			return -ENOBUFS;
		if (err < 0 && err != -EBADMSG)
			return err;
		used[*nr] = (struct rx_used) { .id = chain->id };
		++*nr;
		if (err < 0 || chain->nr_out || chain->in_len <= skip)
			return -EBADMSG;

		part = min_t(u64, len, chain->in_len - skip);
		if (skip) {
			start = chain->in_pos;
			if (vdpa_chain_push(chain, &hdr, skip) < skip)
				return -EFAULT;
		}
		if (vdpa_chain_push(chain, frame, part) < part)
			return -EFAULT;
		used[*nr - 1].len = skip + part;
		frame += part;
		len -= part;
		skip = 0;
		chain = &net->rx_more;
	}

	if (*nr > 1) {
		hdr.num_buffers = (__force __virtio16)cpu_to_le16(*nr);
		net->rx_head.in_pos = start;
		if (vdpa_chain_push(&net->rx_head, &hdr, NET_HDR_LEN) <
		    NET_HDR_LEN)
			return -EFAULT;
	}
	return 0;
}

/*
 * Give a frame to the guest, or drop it: both are 0, and counted. -ENOBUFS:
 * the guest has no buffer now, nothing happened; -EIO: the ring is broken.
 */
int net_rx_frame(struct net_dev *net, struct vdpa_soft_vq *vq,
		 const void *frame, size_t len)
{
	bool mergeable = net->soft.driver_features &
			 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
	struct rx_used used[NET_RX_CHAINS];
	u32 nr = 0;
	int err;

	lockdep_assert_held(&vq->lock);

	/* The MTU has become less, and somebody sends by the old one. */
	if (len > net->max_frame) {
		vdpa_soft_count(vq, NET_DROPS, 1);
		return 0;
	}
	err = rx_fill(net, vq->ring, frame, len, used,
		      mergeable ? NET_RX_CHAINS : 1, &nr);
	if (err == -EIO || (err == -ENOBUFS && !nr))
		return err;

	/*
	 * Too few buffers for the whole frame: they wait for the next one.
	 * Waiting for more would need a kick that the guest does not owe us.
	 */
	if (err == -ENOBUFS) {
		vdpa_ring_unfetch(vq->ring, nr);
		vdpa_soft_count(vq, NET_DROPS, 1);
		return 0;
	}

	for (u32 i = 0; i < nr; i++)
		vdpa_ring_complete(vq->ring, used[i].id,
				   err ? 0 : used[i].len);
	if (err) {
		vdpa_soft_count(vq, NET_ERRORS, 1);
	} else {
		vdpa_soft_count(vq, NET_PACKETS, 1);
		vdpa_soft_count(vq, NET_BYTES, len);
	}
	return 0;
}

/* The next chain, positioned behind the header: 1, or as vdpa_ring_fetch(). */
static int tx_fetch(struct net_dev *net, struct vdpa_ring *ring)
{
	struct vdpa_chain *chain = &net->tx;
	struct virtio_net_hdr_v1 hdr;
	int err;

	err = vdpa_ring_fetch(ring, chain);
	if (err <= 0)
		return err;
	if (chain->nr_in || chain->out_len < NET_HDR_LEN + ETH_HLEN ||
	    chain->out_len > NET_HDR_LEN + net->max_frame)
		return -EBADMSG;
	if (vdpa_chain_pull(chain, &hdr, NET_HDR_LEN) < NET_HDR_LEN)
		return -EBADMSG;
	if (hdr.flags || hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return -EBADMSG;
	return 1;
}

/*
 * class->work() of a TX virtqueue. @consume takes a frame of @len bytes out of
 * net->tx and says as what it is to be counted.
 */
enum vdpa_soft_next
net_tx_work(struct vdpa_soft_vq *vq,
	    enum net_counter (*consume)(struct net_dev *net, size_t len))
{
	struct net_dev *net = soft_to_net(vq->soft);

	lockdep_assert_held(&vq->lock);

	for (int i = 0; i < VDPA_SOFT_BUDGET; i++) {
		enum net_counter counter = NET_ERRORS;
		int err = tx_fetch(net, vq->ring);
		size_t len;

		/* A frame may lie in as many pieces as it has bytes. */
		cond_resched();
		if (!err)
			return VDPA_SOFT_WAIT;
		if (err < 0 && err != -EBADMSG)
			return VDPA_SOFT_BROKEN;
		if (err > 0) {
			len = net->tx.out_len - NET_HDR_LEN;
			counter = consume(net, len);
			if (counter == NET_PACKETS)
				vdpa_soft_count(vq, NET_BYTES, len);
		}
		vdpa_soft_count(vq, counter, 1);
		vdpa_ring_complete(vq->ring, net->tx.id, 0);
	}
	return VDPA_SOFT_AGAIN;
}
