// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands that list management devices, and that create, list, change
 * and delete devices.
 *
 * Called by generic netlink between vdpa_nl_pre_doit() and
 * vdpa_nl_post_doit(), with vdpa_dev_lock held, for writing where something
 * changes, and the object of the request in info->user_ptr[0].
 *
 * A request is checked completely before the parent hears of it. That it comes
 * from an administrator of the network (CAP_NET_ADMIN) has been checked by
 * generic netlink: GENL_ADMIN_PERM.
 */
#include "core.h"
#include "nl.h"

#include <linux/vdpa_change.h>
#include <uapi/linux/vdpa_events.h>

static int nl_put_mgmtdev(struct sk_buff *msg, const struct vdpa_mgmt_dev *mdev)
{
	const struct bus_type *bus = mdev->device->bus;

	if (bus && nla_put_string(msg, VDPA_ATTR_MGMTDEV_BUS_NAME, bus->name))
		return -EMSGSIZE;
	return nla_put_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME,
			      dev_name(mdev->device));
}

static int nl_fill_mgmtdev(struct sk_buff *msg,
			   const struct vdpa_mgmt_dev *mdev,
			   const struct genl_info *info, int flags)
{
	void *hdr;

	hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			  &vdpa_nl_family, flags, VDPA_CMD_MGMTDEV_NEW);
	if (!hdr)
		return -EMSGSIZE;
	if (nl_put_mgmtdev(msg, mdev) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES,
			      vdpa_mgmtdev_classes(mdev), VDPA_ATTR_PAD) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS,
			mdev->max_supported_vqs) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_SUPPORTED_FEATURES,
			      mdev->supported_features, VDPA_ATTR_PAD)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int vdpa_nl_mgmtdev_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = nl_fill_mgmtdev(msg, info->user_ptr[0], info, 0);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

int vdpa_nl_mgmtdev_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vdpa_mgmt_dev *mdev;
	long i = 0;

	guard(rwsem_read)(&vdpa_dev_lock);
	/* Places in the list: user space is told if they have changed. */
	cb->seq = vdpa_mgmtdevs_seq;
	list_for_each_entry(mdev, &vdpa_mgmtdevs, list) {
		if (i++ < cb->args[0])
			continue;
		/* Full: the next part begins with it, if any message has room. */
		if (nl_fill_mgmtdev(msg, mdev, genl_info_dump(cb),
				    NLM_F_MULTI) && msg->len)
			break;
		cb->args[0] = i;
	}
	if (msg->len)
		nl_dump_check_consistent(cb, nlmsg_hdr(msg));
	return msg->len;
}

/**
 * vdpa_nl_put_handle() - Put what names a device: its name, and of whom it is.
 * @msg: message
 * @vdpa: managed device
 *
 * Return: 0; -EMSGSIZE.
 */
int vdpa_nl_put_handle(struct sk_buff *msg, struct vdpa_device *vdpa)
{
	if (nl_put_mgmtdev(msg, vdpa->mdev))
		return -EMSGSIZE;
	return nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdpa->dev));
}

/**
 * vdpa_nl_put_dev() - Put what else there is to say about a device.
 * @msg: message
 * @vdpa: managed device
 *
 * Context: Process context. May sleep.
 * Return: 0; -EMSGSIZE.
 */
int vdpa_nl_put_dev(struct sk_buff *msg, struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	u16 min = ops->get_vq_num_min ? ops->get_vq_num_min(vdpa) : 1;

	if (nla_put_u32(msg, VDPA_ATTR_DEV_ID, ops->get_device_id(vdpa)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_VENDOR_ID,
			ops->get_vendor_id(vdpa)) ||
	    nla_put_u32(msg, VDPA_ATTR_DEV_MAX_VQS, vdpa->nvqs) ||
	    nla_put_u16(msg, VDPA_ATTR_DEV_MAX_VQ_SIZE,
			ops->get_vq_num_max(vdpa)))
		return -EMSGSIZE;
	return nla_put_u16(msg, VDPA_ATTR_DEV_MIN_VQ_SIZE, min);
}

static int nl_fill_dev(struct sk_buff *msg, struct vdpa_device *vdpa,
		       const struct genl_info *info, int flags)
{
	void *hdr;

	hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			  &vdpa_nl_family, flags, VDPA_CMD_DEV_NEW);
	if (!hdr)
		return -EMSGSIZE;
	if (vdpa_nl_put_handle(msg, vdpa) || vdpa_nl_put_dev(msg, vdpa)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int vdpa_nl_dev_get(struct sk_buff *skb, struct genl_info *info)
{
	return vdpa_nl_reply(info, nl_fill_dev);
}

int vdpa_nl_dev_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	return vdpa_nl_dump(msg, cb, nl_fill_dev);
}

/* In the parent's own words, if it has found any. */
static void nl_say_refusal(struct genl_info *info, const char *verb, int err)
{
	const char *reason = vdpa_refuse_reason();

	if (*reason)
		GENL_SET_ERR_MSG_FMT(info, "%s", reason);
	else
		GENL_SET_ERR_MSG_FMT(info,
				     "Management device failed to %s the device: error %d",
				     verb, err);
}

int vdpa_nl_dev_new(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_mgmt_dev *mdev = info->user_ptr[0];
	struct nl_setup setup = {};
	struct vdpa_device *other;
	const char *name;
	int err;

	lockdep_assert_held_write(&vdpa_dev_lock);

	if (GENL_REQ_ATTR_CHECK(info, VDPA_ATTR_DEV_NAME)) {
		GENL_SET_ERR_MSG(info, "No name is given");
		return -EINVAL;
	}
	name = nla_data(info->attrs[VDPA_ATTR_DEV_NAME]);

	err = vdpa_nl_parse_setup(info, &setup);
	if (err)
		return err;
	err = vdpa_nl_check_new(info, mdev, &setup);
	if (err)
		return err;
	other = vdpa_find_device(name);
	if (other) {
		put_device(&other->dev);
		GENL_SET_ERR_MSG(info, "A device of this name exists");
		return -EEXIST;
	}

	vdpa_refuse_begin();
	err = mdev->ops->dev_add(mdev, name, &setup.change.config);
	if (err)
		nl_say_refusal(info, "add", err);
	return err;
}

int vdpa_nl_dev_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_device *vdpa = info->user_ptr[0];
	struct vdpa_mgmt_dev *mdev = vdpa->mdev;

	lockdep_assert_held_write(&vdpa_dev_lock);

	mdev->ops->dev_del(mdev, vdpa);
	return 0;
}

/* Under vdpa->cf_lock, which a driver that starts to use the device takes. */
static int nl_change(struct genl_info *info, struct vdpa_device *vdpa,
		     const struct nl_setup *setup)
{
	const struct vdpa_change_ops *ops = vdpa_to_core(vdpa)->change_ops;
	struct vdpa_mgmt_dev *mdev = vdpa->mdev;
	int err;

	guard(rwsem_write)(&vdpa->cf_lock);
	err = vdpa_nl_check_idle(info, vdpa, setup);
	if (err)
		return err;
	vdpa_refuse_begin();
	if (ops)
		err = ops->set(vdpa, &setup->change);
	else
		err = mdev->ops->dev_set_attr(mdev, vdpa,
					      &setup->change.config);
	if (err)
		nl_say_refusal(info, "change", err);
	return err;
}

int vdpa_nl_attr_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_device *vdpa = info->user_ptr[0];
	const struct vdpa_change_ops *ops = vdpa_to_core(vdpa)->change_ops;
	struct nl_setup setup = {};
	int err;

	lockdep_assert_held_write(&vdpa_dev_lock);

	err = vdpa_nl_parse_setup(info, &setup);
	if (err)
		return err;
	err = vdpa_nl_check_change(info, vdpa, &setup);
	if (err)
		return err;
	err = nl_change(info, vdpa, &setup);
	if (err)
		return err;
	if (ops && ops->changed)
		ops->changed(vdpa);
	vdpa_nl_event(vdpa, VDPA_CMD_DEV_CHANGED_NTF);
	return 0;
}
