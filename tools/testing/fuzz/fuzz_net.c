// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames and control commands of a software NIC: drivers/vdpa/net without its
 * peer on the host. Frames come back into RX buffers, merged if the input wants
 * it, though only vdpa_net offers that.
 */
#include "softdev.h"

#include "../../../drivers/vdpa/net/net.h"

#include <linux/virtio_net.h>

static void make(u8 how)
{
	struct vdpa_dev_set_config config = {
		.mask = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) |
			BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR),
		.net = {
			.mac = { 2 },
			.mtu = how & 1 ? U16_MAX : how & 2 ? 68 : 1500,
		},
	};
	struct vdpa_mgmt_dev mdev = {};

	if (net_sim_ops.dev_add(&mdev, "fuzz", &config))
		abort();
	if (how & 4)
		soft_dev->features |= BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
}

static void op(void)
{
	u8 what = get8();

	net_set_link(soft_dev, what & 1 ? NET_LINK_PEER : NET_LINK_ADMIN,
		     what & 2);
}

/* All is done in a batch. */
static u32 in_flight(struct vdpa_soft_vq *vq)
{
	return 0;
}

static void end_requests(void)
{
}

const struct soft_target soft_target = {
	.make		= make,
	.op		= op,
	.in_flight	= in_flight,
	.end_requests	= end_requests,
};
