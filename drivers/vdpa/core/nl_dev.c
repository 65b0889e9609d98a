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

#include <uapi/linux/vdpa_events.h>
#include <uapi/linux/virtio_config.h>

/* Feature bits that mean something else in each class. */
#define NL_CLASS_FEATURES						\
	(GENMASK_ULL(VIRTIO_TRANSPORT_F_START - 1, 0) |			\
	 GENMASK_ULL(63, VIRTIO_TRANSPORT_F_END + 1))

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
		if (nl_fill_mgmtdev(msg, mdev, genl_info_dump(cb), NLM_F_MULTI))
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

/* What a request sets, gathered from the options of all classes. */
struct nl_setup {
	struct vdpa_dev_set_config config;
	u64 classes;	/* that the options given belong to */
	u64 features;	/* that the options given need */
};

static void nl_store_option(const struct vdpa_nl_option *opt,
			    const struct nlattr *nla,
			    struct vdpa_dev_set_config *config)
{
	/* The policy has checked that both have the same size. */
	nla_memcpy((void *)config + opt->offset, nla, opt->len);
	config->mask |= BIT_ULL(opt->attr);
}

static int nl_parse_setup(struct genl_info *info, struct nl_setup *setup)
{
	const struct nlattr *features = info->attrs[VDPA_ATTR_DEV_FEATURES];
	const struct vdpa_nl_option *opt;
	const struct vdpa_nl_class *class;
	const struct nlattr *nla;
	int i, k, err;

	for (i = 0; i < vdpa_nl_nr_classes; i++) {
		class = vdpa_nl_classes[i];
		for (k = 0; k < class->nr_options; k++) {
			opt = &class->options[k];
			nla = info->attrs[opt->attr];
			if (!nla)
				continue;
			err = opt->check(nla, info->extack);
			if (err)
				return err;
			nl_store_option(opt, nla, &setup->config);
			setup->classes |= BIT_ULL(class->id);
			setup->features |= opt->feature;
		}
	}
	if (features) {
		setup->config.device_features = nla_get_u64(features);
		setup->config.mask |= BIT_ULL(VDPA_ATTR_DEV_FEATURES);
	}
	return 0;
}

/* Features that are given must go with the other attributes and the parent. */
static int nl_check_features(struct genl_info *info,
			     const struct vdpa_mgmt_dev *mdev,
			     const struct nl_setup *setup)
{
	u64 features = setup->config.device_features;
	u64 classes = vdpa_mgmtdev_classes(mdev);
	u64 bad;

	if (!(setup->config.mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES)))
		return 0;

	bad = setup->features & ~features;
	if (bad) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Missing features 0x%llx for provided attributes",
				     bad);
		return -EINVAL;
	}
	bad = features & ~mdev->supported_features;
	if (bad) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Management device does not support features 0x%llx",
				     bad);
		return -EINVAL;
	}
	if (!setup->classes && (features & NL_CLASS_FEATURES) &&
	    hweight64(classes) > 1) {
		GENL_SET_ERR_MSG(info,
				 "Features are ambiguous: management device supports several classes");
		return -EINVAL;
	}
	return 0;
}

static int nl_check_setup(struct genl_info *info,
			  const struct vdpa_mgmt_dev *mdev,
			  const struct nl_setup *setup)
{
	u64 unknown = setup->config.mask & ~mdev->config_attr_mask;

	if (setup->classes & ~vdpa_mgmtdev_classes(mdev)) {
		GENL_SET_ERR_MSG(info,
				 "Attributes of a class that the management device does not support");
		return unknown ? -EOPNOTSUPP : -EINVAL;
	}
	if (unknown) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Some provided attributes are not supported: 0x%llx",
				     unknown);
		return -EOPNOTSUPP;
	}
	return nl_check_features(info, mdev, setup);
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

	err = nl_parse_setup(info, &setup);
	if (err)
		return err;
	err = nl_check_setup(info, mdev, &setup);
	if (err)
		return err;
	other = vdpa_find_device(name);
	if (other) {
		put_device(&other->dev);
		GENL_SET_ERR_MSG(info, "A device of this name exists");
		return -EEXIST;
	}

	err = mdev->ops->dev_add(mdev, name, &setup.config);
	if (err)
		GENL_SET_ERR_MSG_FMT(info,
				     "Management device failed to add the device: error %d",
				     err);
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

static int nl_check_set(struct genl_info *info, struct vdpa_device *vdpa,
			const struct nl_setup *setup)
{
	const struct vdpa_config_ops *ops = vdpa->config;

	if (!setup->config.mask) {
		GENL_SET_ERR_MSG(info, "No attribute to set is given");
		return -EINVAL;
	}
	if (setup->config.mask & ~BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR)) {
		GENL_SET_ERR_MSG(info, "Only the MAC address can be changed");
		return -EOPNOTSUPP;
	}
	if (setup->classes != BIT_ULL(ops->get_device_id(vdpa)) ||
	    setup->features & ~ops->get_device_features(vdpa)) {
		GENL_SET_ERR_MSG(info, "Device has no MAC address");
		return -EOPNOTSUPP;
	}
	if (!vdpa->mdev->ops->dev_set_attr) {
		GENL_SET_ERR_MSG(info,
				 "Management device changes no attributes");
		return -EOPNOTSUPP;
	}
	return 0;
}

int vdpa_nl_attr_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_device *vdpa = info->user_ptr[0];
	struct vdpa_mgmt_dev *mdev = vdpa->mdev;
	struct nl_setup setup = {};
	int err;

	lockdep_assert_held_write(&vdpa_dev_lock);

	err = nl_parse_setup(info, &setup);
	if (err)
		return err;
	err = nl_check_set(info, vdpa, &setup);
	if (err)
		return err;

	scoped_guard(rwsem_write, &vdpa->cf_lock)
		err = mdev->ops->dev_set_attr(mdev, vdpa, &setup.config);
	if (err) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Management device failed to change the device: error %d",
				     err);
		return err;
	}
	vdpa_nl_event(vdpa, VDPA_CMD_DEV_CHANGED_NTF);
	return 0;
}
