/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the netlink files share, and the form of the tables per device class.
 */
#ifndef _VDPA_NL_H
#define _VDPA_NL_H

#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/vdpa_change.h>
#include <uapi/linux/vdpa.h>

struct genl_family;
struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct notifier_block;
struct sk_buff;
struct vdpa_device;
struct vdpa_mgmt_dev;

/* Multicast groups of the family. */
enum { VDPA_NL_GROUP_EVENTS };

/* Most bytes of configuration space that a class shows. */
#define VDPA_NL_CONFIG_MAX	128

/**
 * struct vdpa_nl_field - a field of the configuration space that is shown
 * @features: it exists if one of these is offered; 0: always
 * @attr: attribute
 * @offset: its place, bytes
 * @len: its size, bytes; 1, 2, 4 and 8 are little-endian numbers
 * @in_vstats: needed to make sense of statistics
 */
struct vdpa_nl_field {
	u64 features;
	u16 attr;
	u8 offset;
	u8 len;
	bool in_vstats;
};

/**
 * struct vdpa_nl_flag - a feature that is shown as an attribute of its own
 * @feature: mask
 * @attr: attribute, u8
 */
struct vdpa_nl_flag {
	u64 feature;
	u16 attr;
};

/**
 * struct vdpa_nl_option - an attribute that sets up a device of this class
 * @attr: attribute; its policy has checked the size
 * @feature: without it the attribute has no effect
 * @offset: where it goes in struct vdpa_dev_change
 * @len: size there, bytes; 2 is a native number
 * @check: returns 0, or -errno and why
 */
struct vdpa_nl_option {
	u64 feature;
	u16 attr;
	u16 offset;
	u8 len;
	int (*check)(const struct nlattr *nla, struct netlink_ext_ack *extack);
};

/**
 * struct vdpa_nl_class - what netlink knows about a class of devices
 * @id: virtio device id
 * @nr_fields: length of @fields
 * @nr_flags: length of @flags
 * @nr_options: length of @options
 * @fields: what is shown of the configuration space
 * @flags: which features are shown one by one
 * @options: what can be set
 */
struct vdpa_nl_class {
	u32 id;
	u8 nr_fields;
	u8 nr_flags;
	u8 nr_options;
	const struct vdpa_nl_field *fields;
	const struct vdpa_nl_flag *flags;
	const struct vdpa_nl_option *options;
};

#define VDPA_NL_FIELD(_attr, _type, _member, _features)			\
	.attr = (_attr),						\
	.features = (_features),					\
	.offset = offsetof(_type, _member),				\
	.len = sizeof_field(_type, _member)

/* nl_class_net.c, nl_class_blk.c */
extern const struct vdpa_nl_class vdpa_nl_class_net;
extern const struct vdpa_nl_class vdpa_nl_class_blk;

/* nl.c */
extern struct genl_family vdpa_nl_family;
extern const struct vdpa_nl_class * const vdpa_nl_classes[];
extern const size_t vdpa_nl_nr_classes;

typedef int (*vdpa_nl_fill_t)(struct sk_buff *msg, struct vdpa_device *vdpa,
			      const struct genl_info *info, int flags);
int vdpa_nl_reply(struct genl_info *info, vdpa_nl_fill_t fill);
int vdpa_nl_dump(struct sk_buff *msg, struct netlink_callback *cb,
		 vdpa_nl_fill_t fill);

/* nl_dev.c */
int vdpa_nl_mgmtdev_get(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_mgmtdev_dump(struct sk_buff *msg, struct netlink_callback *cb);
int vdpa_nl_dev_new(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_dev_del(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_dev_get(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_dev_dump(struct sk_buff *msg, struct netlink_callback *cb);
int vdpa_nl_attr_set(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_put_handle(struct sk_buff *msg, struct vdpa_device *vdpa);
int vdpa_nl_put_dev(struct sk_buff *msg, struct vdpa_device *vdpa);

/**
 * struct nl_setup - what a request sets, gathered from all classes
 * @change: values, and which there are
 * @classes: that they belong to, a bit for each virtio device id
 * @features: that they need
 */
struct nl_setup {
	struct vdpa_dev_change change;
	u64 classes;
	u64 features;
};

/* nl_setup.c */
int vdpa_nl_parse_setup(struct genl_info *info, struct nl_setup *setup);
int vdpa_nl_check_new(struct genl_info *info, const struct vdpa_mgmt_dev *mdev,
		      const struct nl_setup *setup);
int vdpa_nl_check_change(struct genl_info *info, struct vdpa_device *vdpa,
			 const struct nl_setup *setup);
int vdpa_nl_check_idle(struct genl_info *info, struct vdpa_device *vdpa,
		       const struct nl_setup *setup);

/* nl_event.c */
extern struct notifier_block vdpa_nl_bus_nb;
void vdpa_nl_event(struct vdpa_device *vdpa, u8 cmd);

/* nl_config.c */
int vdpa_nl_config_get(struct sk_buff *skb, struct genl_info *info);
int vdpa_nl_config_dump(struct sk_buff *msg, struct netlink_callback *cb);
int vdpa_nl_vstats_get(struct sk_buff *skb, struct genl_info *info);

#endif /* _VDPA_NL_H */
