// SPDX-License-Identifier: GPL-2.0-only
/*
 * What netlink knows about network devices: which fields of their
 * configuration space are shown, and which attributes set one up.
 *
 * Tables only; read by nl_config.c and nl_dev.c, which hold the locks.
 */
#include "core.h"
#include "nl.h"

#include <linux/etherdevice.h>
#include <uapi/linux/virtio_net.h>

#define NET_MQ	(BIT_ULL(VIRTIO_NET_F_MQ) | BIT_ULL(VIRTIO_NET_F_RSS))

static const struct vdpa_nl_field net_fields[] = {
	{
		VDPA_NL_FIELD(VDPA_ATTR_DEV_NET_CFG_MTU,
			      struct virtio_net_config, mtu,
			      BIT_ULL(VIRTIO_NET_F_MTU)),
	}, {
		VDPA_NL_FIELD(VDPA_ATTR_DEV_NET_CFG_MACADDR,
			      struct virtio_net_config, mac,
			      BIT_ULL(VIRTIO_NET_F_MAC)),
	}, {
		VDPA_NL_FIELD(VDPA_ATTR_DEV_NET_STATUS,
			      struct virtio_net_config, status,
			      BIT_ULL(VIRTIO_NET_F_STATUS)),
	}, {
		VDPA_NL_FIELD(VDPA_ATTR_DEV_NET_CFG_MAX_VQP,
			      struct virtio_net_config, max_virtqueue_pairs,
			      NET_MQ),
		.in_vstats = true,
	},
};

static int net_check_mac(const struct nlattr *nla,
			 struct netlink_ext_ack *extack)
{
	if (is_valid_ether_addr(nla_data(nla)))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla,
			    "MAC address is zero or a group address");
	return -EINVAL;
}

static int net_check_mtu(const struct nlattr *nla,
			 struct netlink_ext_ack *extack)
{
	if (nla_get_u16(nla) >= ETH_MIN_MTU)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, nla, "MTU is below %u", ETH_MIN_MTU);
	return -ERANGE;
}

static int net_check_max_vqp(const struct nlattr *nla,
			     struct netlink_ext_ack *extack)
{
	if (nla_get_u16(nla))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla,
			    "At least one pair of virtqueues is needed");
	return -EINVAL;
}

static int net_check_status(const struct nlattr *nla,
			    struct netlink_ext_ack *extack)
{
	if (!(nla_get_u16(nla) & ~VIRTIO_NET_S_LINK_UP))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla,
			    "Only the link is set, up (1) or down (0)");
	return -EINVAL;
}

#define NET_OPTION(member)						\
	.offset = offsetof(struct vdpa_dev_change, member),		\
	.len = sizeof_field(struct vdpa_dev_change, member)

static const struct vdpa_nl_option net_options[] = {
	{
		.attr = VDPA_ATTR_DEV_NET_CFG_MACADDR,
		.feature = BIT_ULL(VIRTIO_NET_F_MAC),
		NET_OPTION(config.net.mac),
		.check = net_check_mac,
	}, {
		.attr = VDPA_ATTR_DEV_NET_CFG_MTU,
		.feature = BIT_ULL(VIRTIO_NET_F_MTU),
		NET_OPTION(config.net.mtu),
		.check = net_check_mtu,
	}, {
		.attr = VDPA_ATTR_DEV_NET_CFG_MAX_VQP,
		.feature = BIT_ULL(VIRTIO_NET_F_MQ),
		NET_OPTION(config.net.max_vq_pairs),
		.check = net_check_max_vqp,
	}, {
		.attr = VDPA_ATTR_DEV_NET_STATUS,
		.feature = BIT_ULL(VIRTIO_NET_F_STATUS),
		NET_OPTION(net_status),
		.check = net_check_status,
	},
};

static_assert(sizeof(struct virtio_net_config) <= VDPA_NL_CONFIG_MAX);

const struct vdpa_nl_class vdpa_nl_class_net = {
	.id = VIRTIO_ID_NET,
	.fields = net_fields,
	.nr_fields = ARRAY_SIZE(net_fields),
	.options = net_options,
	.nr_options = ARRAY_SIZE(net_options),
};
