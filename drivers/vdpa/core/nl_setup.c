// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a netlink request sets of a device, new or not: gathered from the
 * attributes of all classes, and checked against the class, the features and
 * the state of the device that is meant. Each refusal says why.
 *
 * Called by nl_dev.c with vdpa_dev_lock held, before the parent hears of the
 * request.
 */
#include "core.h"
#include "nl.h"

#include <linux/vdpa_change.h>
#include <uapi/linux/virtio_config.h>

/* Feature bits that mean something else in each class. */
#define NL_CLASS_FEATURES						\
	(GENMASK_ULL(VIRTIO_TRANSPORT_F_START - 1, 0) |			\
	 GENMASK_ULL(63, VIRTIO_TRANSPORT_F_END + 1))

static void nl_store_option(const struct vdpa_nl_option *opt,
			    const struct nlattr *nla,
			    struct vdpa_dev_change *change)
{
	/* The policy has checked that both have the same size. */
	nla_memcpy((void *)change + opt->offset, nla, opt->len);
	change->config.mask |= BIT_ULL(opt->attr);
}

/**
 * vdpa_nl_parse_setup() - Gather what a request sets, each value checked.
 * @info: the request
 * @setup: what it sets; zeroed before
 *
 * Return: 0; -EINVAL or -ERANGE if a value makes no sense.
 */
int vdpa_nl_parse_setup(struct genl_info *info, struct nl_setup *setup)
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
			nl_store_option(opt, nla, &setup->change);
			setup->classes |= BIT_ULL(class->id);
			setup->features |= opt->feature;
		}
	}
	if (features) {
		setup->change.config.device_features = nla_get_u64(features);
		setup->change.config.mask |= BIT_ULL(VDPA_ATTR_DEV_FEATURES);
	}
	return 0;
}

/* Features that are given must go with the other attributes and the parent. */
static int nl_check_features(struct genl_info *info,
			     const struct vdpa_mgmt_dev *mdev,
			     const struct nl_setup *setup)
{
	u64 features = setup->change.config.device_features;
	u64 classes = vdpa_mgmtdev_classes(mdev);
	u64 bad;

	if (!(setup->change.config.mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES)))
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

/**
 * vdpa_nl_check_new() - Check what a request sets of a new device.
 * @info: the request
 * @mdev: who is going to create the device
 * @setup: what it sets
 *
 * Context: vdpa_dev_lock held.
 * Return: 0; -EINVAL or -EOPNOTSUPP if it does not go together, or not with
 *	the classes and features of @mdev.
 */
int vdpa_nl_check_new(struct genl_info *info, const struct vdpa_mgmt_dev *mdev,
		      const struct nl_setup *setup)
{
	u64 unknown = setup->change.config.mask & ~mdev->config_attr_mask;

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

/* Attributes that can be changed; without operations of its own the MAC. */
static u64 nl_changeable(struct vdpa_device *vdpa)
{
	const struct vdpa_change_ops *ops = vdpa_to_core(vdpa)->change_ops;

	if (ops)
		return ops->live | ops->idle;
	if (vdpa->mdev->ops->dev_set_attr)
		return BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR);
	return 0;
}

static int nl_check_class(struct genl_info *info, struct vdpa_device *vdpa,
			  const struct nl_setup *setup)
{
	u32 id = vdpa->config->get_device_id(vdpa);
	u64 class = id < VDPA_CLASSES ? BIT_ULL(id) : 0;
	u64 lacks;

	if (setup->classes & ~class) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Attributes are not of the class of the device, %u",
				     id);
		return -EOPNOTSUPP;
	}
	lacks = setup->features & ~vdpa->config->get_device_features(vdpa);
	if (lacks) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Device lacks features 0x%llx for provided attributes",
				     lacks);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * vdpa_nl_check_change() - Check what a request sets of a device that exists.
 * @info: the request
 * @vdpa: the device
 * @setup: what it sets
 *
 * Context: vdpa_dev_lock held.
 * Return: 0; -EINVAL if it sets nothing, or more queues than there are;
 *	-EOPNOTSUPP if the class, the features or the parent of @vdpa do not
 *	allow it.
 */
int vdpa_nl_check_change(struct genl_info *info, struct vdpa_device *vdpa,
			 const struct nl_setup *setup)
{
	const struct vdpa_dev_set_config *config = &setup->change.config;
	u64 can = nl_changeable(vdpa);
	int err;

	if (!config->mask) {
		GENL_SET_ERR_MSG(info, "No attribute to set is given");
		return -EINVAL;
	}
	err = nl_check_class(info, vdpa, setup);
	if (err)
		return err;
	if (!can) {
		GENL_SET_ERR_MSG(info,
				 "Management device changes no attributes");
		return -EOPNOTSUPP;
	}
	if (config->mask & ~can) {
		GENL_SET_ERR_MSG_FMT(info,
				     "Some provided attributes cannot be changed: 0x%llx",
				     config->mask & ~can);
		return -EOPNOTSUPP;
	}
	if (2 * config->net.max_vq_pairs > vdpa->nvqs) {
		GENL_SET_ERR_MSG_FMT(info, "Device has %u virtqueues only",
				     vdpa->nvqs);
		return -EINVAL;
	}
	return 0;
}

/**
 * vdpa_nl_check_idle() - Check that nobody is disturbed by a change.
 * @info: the request
 * @vdpa: the device
 * @setup: what it sets
 *
 * Context: vdpa->cf_lock held, until the change is made.
 * Return: 0; -EBUSY if a driver uses @vdpa that would not notice.
 */
int vdpa_nl_check_idle(struct genl_info *info, struct vdpa_device *vdpa,
		       const struct nl_setup *setup)
{
	const struct vdpa_change_ops *ops = vdpa_to_core(vdpa)->change_ops;
	u64 idle = ops ? setup->change.config.mask & ~ops->live : 0;

	lockdep_assert_held_write(&vdpa->cf_lock);

	if (!idle || !vdpa->config->get_status(vdpa))
		return 0;
	GENL_SET_ERR_MSG_FMT(info,
			     "A driver uses the device; then these cannot be changed: 0x%llx",
			     idle);
	return -EBUSY;
}
