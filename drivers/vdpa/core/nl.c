// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": its commands, what each of them accepts,
 * and what is the same for all of them.
 *
 * Called by generic netlink, in parallel: vdpa_nl_pre_doit() takes
 * vdpa_dev_lock and looks up the object of a request, vdpa_nl_post_doit() puts
 * both back, so that a handler finds its object in info->user_ptr[0].
 */
#include "core.h"
#include "nl.h"

#include <uapi/linux/vdpa_events.h>

/* What a command needs: internal_flags of its row. */
#define NL_WRITE	BIT(0)	/* vdpa_dev_lock for writing, not reading */
#define NL_MGMTDEV	BIT(1)	/* a management device */
#define NL_DEV		BIT(2)	/* a device */
#define NL_UNBIND	BIT(3)	/* it has no driver; with NL_DEV */

const struct vdpa_nl_class * const vdpa_nl_classes[] = {
	&vdpa_nl_class_net,
	&vdpa_nl_class_blk,
};

const size_t vdpa_nl_nr_classes = ARRAY_SIZE(vdpa_nl_classes);

static int nl_check_name(const struct nlattr *nla,
			 struct netlink_ext_ack *extack)
{
	size_t len = strnlen(nla_data(nla), nla_len(nla));

	if (len > VDPA_NAME_MAX) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, nla,
					"Name is longer than %u characters",
					VDPA_NAME_MAX);
		return -EINVAL;
	}
	if (len == nla_len(nla)) {
		NL_SET_ERR_MSG_ATTR(extack, nla, "Name is not terminated");
		return -EINVAL;
	}
	if (!len) {
		NL_SET_ERR_MSG_ATTR(extack, nla, "Name is empty");
		return -EINVAL;
	}
	return 0;
}

/* A new name must also be fit for a directory of sysfs, and for a log. */
static int nl_check_new_name(const struct nlattr *nla,
			     struct netlink_ext_ack *extack)
{
	const char *name = nla_data(nla);
	int err = nl_check_name(nla, extack);

	if (err)
		return err;
	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		NL_SET_ERR_MSG_ATTR(extack, nla, "Name is that of a directory");
		return -EINVAL;
	}
	for (; *name; name++) {
		if (*name != '/' && !iscntrl(*name))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, nla,
				    "Name has a slash or a control character");
		return -EINVAL;
	}
	return 0;
}

#define NL_NAME(check)	NLA_POLICY_VALIDATE_FN(NLA_STRING, check)

static const struct nla_policy nl_mgmtdev_policy[] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = NL_NAME(nl_check_name),
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = NL_NAME(nl_check_name),
};

static const struct nla_policy nl_dev_policy[] = {
	[VDPA_ATTR_DEV_NAME] = NL_NAME(nl_check_name),
};

static const struct nla_policy nl_new_policy[] = {
	[VDPA_ATTR_MGMTDEV_BUS_NAME] = NL_NAME(nl_check_name),
	[VDPA_ATTR_MGMTDEV_DEV_NAME] = NL_NAME(nl_check_name),
	[VDPA_ATTR_DEV_NAME] = NL_NAME(nl_check_new_name),
	[VDPA_ATTR_DEV_NET_CFG_MACADDR] = NLA_POLICY_ETH_ADDR,
	[VDPA_ATTR_DEV_NET_CFG_MTU] = { .type = NLA_U16 },
	[VDPA_ATTR_DEV_NET_CFG_MAX_VQP] = { .type = NLA_U16 },
	[VDPA_ATTR_DEV_FEATURES] = { .type = NLA_U64 },
};

static const struct nla_policy nl_set_policy[] = {
	[VDPA_ATTR_DEV_NAME] = NL_NAME(nl_check_name),
	[VDPA_ATTR_DEV_NET_CFG_MACADDR] = NLA_POLICY_ETH_ADDR,
	[VDPA_ATTR_DEV_NET_STATUS] = { .type = NLA_U16 },
	[VDPA_ATTR_DEV_NET_CFG_MTU] = { .type = NLA_U16 },
	[VDPA_ATTR_DEV_NET_CFG_MAX_VQP] = { .type = NLA_U16 },
	[VDPA_ATTR_DEV_FEATURES] = { .type = NLA_U64 },
};

static const struct nla_policy nl_vstats_policy[] = {
	[VDPA_ATTR_DEV_NAME] = NL_NAME(nl_check_name),
	[VDPA_ATTR_DEV_QUEUE_INDEX] = { .type = NLA_U32 },
};

#define NL_POLICY(_policy)						\
	.policy = (_policy),						\
	.maxattr = ARRAY_SIZE(_policy) - 1

static const struct genl_ops nl_ops[] = {
	{
		.cmd = VDPA_CMD_MGMTDEV_GET,
		.doit = vdpa_nl_mgmtdev_get,
		.dumpit = vdpa_nl_mgmtdev_dump,
		.internal_flags = NL_MGMTDEV,
		NL_POLICY(nl_mgmtdev_policy),
	}, {
		.cmd = VDPA_CMD_DEV_NEW,
		.doit = vdpa_nl_dev_new,
		.flags = GENL_ADMIN_PERM,
		.internal_flags = NL_WRITE | NL_MGMTDEV,
		NL_POLICY(nl_new_policy),
	}, {
		.cmd = VDPA_CMD_DEV_DEL,
		.doit = vdpa_nl_dev_del,
		.flags = GENL_ADMIN_PERM,
		.internal_flags = NL_WRITE | NL_DEV | NL_UNBIND,
		NL_POLICY(nl_dev_policy),
	}, {
		.cmd = VDPA_CMD_DEV_GET,
		.doit = vdpa_nl_dev_get,
		.dumpit = vdpa_nl_dev_dump,
		.internal_flags = NL_DEV,
		NL_POLICY(nl_dev_policy),
	}, {
		.cmd = VDPA_CMD_DEV_CONFIG_GET,
		.doit = vdpa_nl_config_get,
		.dumpit = vdpa_nl_config_dump,
		.internal_flags = NL_DEV,
		NL_POLICY(nl_dev_policy),
	}, {
		.cmd = VDPA_CMD_DEV_VSTATS_GET,
		.doit = vdpa_nl_vstats_get,
		.flags = GENL_ADMIN_PERM,
		.internal_flags = NL_DEV,
		NL_POLICY(nl_vstats_policy),
	}, {
		.cmd = VDPA_CMD_DEV_ATTR_SET,
		.doit = vdpa_nl_attr_set,
		.flags = GENL_ADMIN_PERM,
		.internal_flags = NL_WRITE | NL_DEV,
		NL_POLICY(nl_set_policy),
	},
};

static const struct genl_multicast_group nl_groups[] = {
	[VDPA_NL_GROUP_EVENTS] = { .name = VDPA_MCGRP_EVENTS_NAME },
};

static int nl_get_mgmtdev(struct genl_info *info)
{
	const struct nlattr *bus = info->attrs[VDPA_ATTR_MGMTDEV_BUS_NAME];
	const struct nlattr *name = info->attrs[VDPA_ATTR_MGMTDEV_DEV_NAME];
	struct vdpa_mgmt_dev *mdev;

	if (GENL_REQ_ATTR_CHECK(info, VDPA_ATTR_MGMTDEV_DEV_NAME)) {
		GENL_SET_ERR_MSG(info, "No management device is named");
		return -EINVAL;
	}
	mdev = vdpa_mgmtdev_find(bus ? nla_data(bus) : NULL, nla_data(name));
	if (!mdev) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "Fail to find the specified management device");
		return -ENODEV;
	}
	info->user_ptr[0] = mdev;
	return 0;
}

static int nl_no_dev(struct genl_info *info)
{
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VDPA_ATTR_DEV_NAME],
			    "Fail to find the specified device");
	return -ENODEV;
}

static int nl_get_dev(struct genl_info *info)
{
	const struct nlattr *name = info->attrs[VDPA_ATTR_DEV_NAME];
	struct vdpa_device *vdpa;

	if (GENL_REQ_ATTR_CHECK(info, VDPA_ATTR_DEV_NAME)) {
		GENL_SET_ERR_MSG(info, "No device is named");
		return -EINVAL;
	}
	vdpa = vdpa_find_device(nla_data(name));
	if (!vdpa)
		return nl_no_dev(info);
	if (!vdpa->mdev) {
		put_device(&vdpa->dev);
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "Device has no management device");
		return -EINVAL;
	}
	info->user_ptr[0] = vdpa;
	return 0;
}

static void nl_lock(u8 needs)
{
	if (needs & NL_WRITE)
		down_write(&vdpa_dev_lock);
	else
		down_read(&vdpa_dev_lock);
}

static void nl_unlock(u8 needs)
{
	if (needs & NL_WRITE)
		up_write(&vdpa_dev_lock);
	else
		up_read(&vdpa_dev_lock);
}

/*
 * Takes its driver from the device of a request, which comes with a reference in
 * user_ptr[1]. A driver waits for what it has under way, at worst for ever, and
 * all other requests would wait for vdpa_dev_lock meanwhile. Should somebody
 * bind the device again before the lock is taken, it is unbound with it held.
 */
static int nl_unbind(struct genl_info *info)
{
	struct vdpa_device *vdpa;
	int err;

	nl_lock(0);
	err = nl_get_dev(info);
	nl_unlock(0);
	if (err)
		return err;
	vdpa = info->user_ptr[0];
	device_release_driver(&vdpa->dev);
	info->user_ptr[1] = vdpa;
	return 0;
}

/* The device of a request that was unbound, unless it has gone since. */
static int nl_get_unbound(struct genl_info *info)
{
	struct vdpa_device *unbound = info->user_ptr[1], *vdpa;
	int err = nl_get_dev(info);

	vdpa = info->user_ptr[0];
	if (!err && vdpa != unbound) {
		put_device(&vdpa->dev);
		err = nl_no_dev(info);
	}
	put_device(&unbound->dev);
	return err;
}

static int nl_get_object(u8 needs, struct genl_info *info)
{
	if (needs & NL_UNBIND)
		return nl_get_unbound(info);
	return needs & NL_DEV ? nl_get_dev(info) : nl_get_mgmtdev(info);
}

static int vdpa_nl_pre_doit(const struct genl_split_ops *op,
			    struct sk_buff *skb, struct genl_info *info)
{
	u8 needs = op->internal_flags;
	int err;

	if (needs & NL_UNBIND) {
		err = nl_unbind(info);
		if (err)
			return err;
	}
	nl_lock(needs);
	err = nl_get_object(needs, info);
	if (err)
		nl_unlock(needs);
	return err;
}

static void vdpa_nl_post_doit(const struct genl_split_ops *op,
			      struct sk_buff *skb, struct genl_info *info)
{
	u8 needs = op->internal_flags;

	if (needs & NL_DEV) {
		struct vdpa_device *vdpa = info->user_ptr[0];

		put_device(&vdpa->dev);
	}
	nl_unlock(needs);
}

struct genl_family vdpa_nl_family __ro_after_init = {
	.name = VDPA_GENL_NAME,
	.version = VDPA_GENL_VERSION,
	.maxattr = VDPA_ATTR_MAX,
	.netnsok = false,
	/* A slow parent must not stall every other family. */
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = nl_ops,
	.n_ops = ARRAY_SIZE(nl_ops),
	.mcgrps = nl_groups,
	.n_mcgrps = ARRAY_SIZE(nl_groups),
	.resv_start_op = VDPA_CMD_DEV_VSTATS_GET + 1,
	.pre_doit = vdpa_nl_pre_doit,
	.post_doit = vdpa_nl_post_doit,
};

/*
 * A parent may have said why, with text in its module, which may go as soon as
 * vdpa_dev_lock is dropped.
 */
static void nl_say_why(struct netlink_ext_ack *extack, int err)
{
	if (!extack->_msg) {
		NL_SET_ERR_MSG_FMT(extack, "Device gave no answer: error %d",
				   err);
	} else if (extack->_msg != extack->_msg_buf) {
		strscpy(extack->_msg_buf, extack->_msg);
		extack->_msg = extack->_msg_buf;
	}
}

/**
 * vdpa_nl_reply() - Answer a request with one message about its device.
 * @info: the request, its device in user_ptr[0]
 * @fill: puts the message
 *
 * Context: Process context, vdpa_dev_lock held. May sleep.
 * Return: 0; -ENOMEM; what @fill or sending returned.
 */
int vdpa_nl_reply(struct genl_info *info, vdpa_nl_fill_t fill)
{
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = fill(msg, info->user_ptr[0], info, 0);
	if (err) {
		nl_say_why(info->extack, err);
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

struct nl_dump {
	struct sk_buff *msg;
	struct netlink_callback *cb;
	vdpa_nl_fill_t fill;
};

static int nl_dump_one(struct device *dev, void *data)
{
	struct vdpa_device *vdpa = dev_to_vdpa(dev);
	long seq = vdpa_to_core(vdpa)->seq;
	struct nl_dump *dump = data;
	long *done = &dump->cb->args[0];
	int err;

	if (!vdpa->mdev || seq <= *done)
		return 0;
	err = dump->fill(dump->msg, vdpa, genl_info_dump(dump->cb),
			 NLM_F_MULTI);
	/* Full: the next part begins with this one, if it fits any message. */
	if (err == -EMSGSIZE && dump->msg->len)
		return err;
	/* One that fails must not hide those behind it. */
	*done = seq;
	return 0;
}

/**
 * vdpa_nl_dump() - Put one part of a dump of all managed devices.
 * @msg: the part
 * @cb: the dump; args[0] is the registration that was put last
 * @fill: puts the message of one device
 *
 * Devices come in the order in which they were registered, so that those that
 * come and go between two parts neither hide nor repeat others.
 *
 * Context: Process context. Takes vdpa_dev_lock. May sleep.
 * Return: length of @msg; 0 at the end.
 */
int vdpa_nl_dump(struct sk_buff *msg, struct netlink_callback *cb,
		 vdpa_nl_fill_t fill)
{
	struct nl_dump dump = { .msg = msg, .cb = cb, .fill = fill };

	guard(rwsem_read)(&vdpa_dev_lock);
	bus_for_each_dev(&vdpa_bus, NULL, &dump, nl_dump_one);
	return msg->len;
}
