/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of vdpa_net.ko. Locks are those of vdpa_soft.h; rtnl_lock
 * is taken below the management lock of the vDPA core and above nothing but
 * soft->config_lock. net->link_lock is taken above soft->config_lock.
 */
#ifndef _VDPA_NET_H
#define _VDPA_NET_H

#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/vdpa_change.h>
#include <linux/vdpa_soft.h>
#include <uapi/linux/vdpa.h>

#define NET_HDR_LEN	sizeof(struct virtio_net_hdr_v1)
#define NET_VQ_MAX	1024	/* descriptors */
#define NET_QUEUE_LEN	256	/* frames that wait for the guest */

/* Bytes of a frame without its virtio header. */
#define NET_FRAME_MAX(mtu)	((u32)(mtu) + ETH_HLEN + VLAN_HLEN)

/* What of a NIC can be changed by user space, and when. */
#define NET_CHANGE_LIVE	(BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) | \
			 BIT_ULL(VDPA_ATTR_DEV_NET_STATUS))
#define NET_CHANGE_IDLE	BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU)

/* Who can take the link down. */
#define NET_LINK_PEER	BIT(0)
#define NET_LINK_ADMIN	BIT(1)

enum { NET_VQ_RX, NET_VQ_TX, NET_VQ_CTRL };

/* Counters of a virtqueue: index into vq->stat. */
enum net_counter {
	NET_PACKETS,
	NET_BYTES,
	NET_ERRORS,	/* the driver is to blame */
	NET_DROPS,	/* nobody is */
};

/* What both kinds of NIC are made of. */
struct net_dev {
	struct vdpa_soft soft;		/* first */
	u32 max_frame;			/* bytes; changes while none runs */
	spinlock_t link_lock;		/* link_down */
	u8 link_down;			/* NET_LINK_*: who wants it so */
	struct vdpa_chain rx_head;	/* lock of the RX virtqueue */
	struct vdpa_chain rx_more;	/* lock of the RX virtqueue */
	struct vdpa_chain tx;		/* lock of the TX virtqueue */
};

/* NIC with a network interface of the host as its peer. */
struct net_host {
	struct net_dev net;		/* first */
	struct net_device *peer;
	bool registered;		/* soft->lock; the peer is */
	struct sk_buff_head queue;	/* from the host, for the guest */
	struct list_head received;	/* from the guest, work of TX only */
};

/* What is asked of a new device. */
struct net_attrs {
	u64 features;
	u16 mtu;
	u8 mac[ETH_ALEN];
};

static inline struct net_dev *soft_to_net(struct vdpa_soft *soft)
{
	return container_of(soft, struct net_dev, soft);
}

static inline struct net_host *soft_to_host(struct vdpa_soft *soft)
{
	return container_of(soft_to_net(soft), struct net_host, net);
}

/* attrs.c */
int net_attrs_parse(struct net_attrs *attrs, u64 supported,
		    const struct vdpa_dev_set_config *config);
int net_set(struct vdpa_device *vdpa, const struct vdpa_dev_change *change);
bool net_set_link(struct vdpa_soft *soft, u8 who, bool up);

/* frame.c */
extern const char *const net_rx_stats[];
extern const char *const net_tx_stats[];

int net_dev_init(struct net_dev *net, const struct net_attrs *attrs);
void net_dev_fini(struct net_dev *net);
int net_rx_frame(struct net_dev *net, struct vdpa_soft_vq *vq,
		 const void *frame, size_t len);
enum vdpa_soft_next
net_tx_work(struct vdpa_soft_vq *vq,
	    enum net_counter (*consume)(struct net_dev *net, size_t len));

/* host.c */
extern const struct vdpa_mgmtdev_ops net_host_ops;
extern const u64 net_host_features;

/* peer.c */
int net_peer_create(struct net_host *host, const struct net_attrs *attrs);
int net_peer_register(struct net_host *host);
void net_peer_changed(struct vdpa_device *vdpa);

/* sim.c */
extern const struct vdpa_mgmtdev_ops net_sim_ops;
extern const u64 net_sim_features;

#endif /* _VDPA_NET_H */
