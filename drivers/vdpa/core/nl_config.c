// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink commands that show the configuration space of a device and the
 * statistics of its virtqueues.
 *
 * Called by generic netlink with vdpa_dev_lock held for reading; each message
 * is put together under vdpa->cf_lock. Nothing here changes the device: the
 * one who looks on must not disturb a driver that negotiates.
 */
#include "core.h"
#include "nl.h"

#include <linux/nospec.h>
#include <linux/unaligned.h>
#include <uapi/linux/virtio_config.h>

static const struct vdpa_nl_class *nl_find_class(u32 id)
{
	int i;

	for (i = 0; i < vdpa_nl_nr_classes; i++)
		if (vdpa_nl_classes[i]->id == id)
			return vdpa_nl_classes[i];
	return NULL;
}

static int nl_put_field(struct sk_buff *msg, const struct vdpa_nl_field *field,
			const u8 *config)
{
	const u8 *p = config + field->offset;

	switch (field->len) {
	case 1:
		return nla_put_u8(msg, field->attr, *p);
	case 2:
		return nla_put_u16(msg, field->attr, get_unaligned_le16(p));
	case 4:
		return nla_put_u32(msg, field->attr, get_unaligned_le32(p));
	case 8:
		return nla_put_u64_64bit(msg, field->attr,
					 get_unaligned_le64(p), VDPA_ATTR_PAD);
	default:
		return nla_put(msg, field->attr, field->len, p);
	}
}

/* What of a device's configuration space is shown. */
struct nl_view {
	const struct vdpa_nl_class *class;
	u64 features;
	size_t len;
	u8 config[VDPA_NL_CONFIG_MAX];
};

static int nl_put_fields(struct sk_buff *msg, const struct nl_view *view,
			 bool vstats)
{
	const struct vdpa_nl_field *field = view->class->fields;
	const struct vdpa_nl_field *end = field + view->class->nr_fields;

	for (; field < end; field++) {
		if (vstats && !field->in_vstats)
			continue;
		if (field->features && !(field->features & view->features))
			continue;
		if (field->offset + field->len > view->len)
			continue;
		if (nl_put_field(msg, field, view->config))
			return -EMSGSIZE;
	}
	return 0;
}

static int nl_put_flags(struct sk_buff *msg, const struct nl_view *view)
{
	const struct vdpa_nl_flag *flag = view->class->flags;
	const struct vdpa_nl_flag *end = flag + view->class->nr_flags;

	for (; flag < end; flag++)
		if (nla_put_u8(msg, flag->attr,
			       !!(flag->feature & view->features)))
			return -EMSGSIZE;
	return 0;
}

static void nl_view_init(struct nl_view *view, struct vdpa_device *vdpa,
			 u64 features)
{
	view->class = nl_find_class(vdpa->config->get_device_id(vdpa));
	view->features = features;
	view->len = view->class ? vdpa_peek_config(vdpa, view->config,
						   sizeof(view->config)) : 0;
}

/* A class without a table has no more than what all have in common. */
static int nl_put_config(struct sk_buff *msg, struct vdpa_device *vdpa)
{
	u64 features = vdpa->config->get_device_features(vdpa);
	struct nl_view view;

	nl_view_init(&view, vdpa, features);
	if (nla_put_u64_64bit(msg, VDPA_ATTR_DEV_FEATURES, features,
			      VDPA_ATTR_PAD))
		return -EMSGSIZE;
	if (!view.class)
		return 0;
	if (nl_put_fields(msg, &view, false) || nl_put_flags(msg, &view))
		return -EMSGSIZE;
	return 0;
}

static int nl_put_id(struct sk_buff *msg, struct vdpa_device *vdpa)
{
	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, dev_name(&vdpa->dev)))
		return -EMSGSIZE;
	return nla_put_u32(msg, VDPA_ATTR_DEV_ID,
			   vdpa->config->get_device_id(vdpa));
}

static bool nl_negotiated(struct vdpa_device *vdpa)
{
	return vdpa->config->get_status(vdpa) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static int nl_put_negotiated(struct sk_buff *msg, struct vdpa_device *vdpa)
{
	return nla_put_u64_64bit(msg, VDPA_ATTR_DEV_NEGOTIATED_FEATURES,
				 vdpa->config->get_driver_features(vdpa),
				 VDPA_ATTR_PAD);
}

static int nl_fill_config(struct sk_buff *msg, struct vdpa_device *vdpa,
			  const struct genl_info *info, int flags)
{
	void *hdr;

	hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			  &vdpa_nl_family, flags, VDPA_CMD_DEV_CONFIG_GET);
	if (!hdr)
		return -EMSGSIZE;

	guard(rwsem_read)(&vdpa->cf_lock);
	if (nl_put_id(msg, vdpa) ||
	    (nl_negotiated(vdpa) && nl_put_negotiated(msg, vdpa)) ||
	    nl_put_config(msg, vdpa)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int vdpa_nl_config_get(struct sk_buff *skb, struct genl_info *info)
{
	return vdpa_nl_reply(info, nl_fill_config);
}

int vdpa_nl_config_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	return vdpa_nl_dump(msg, cb, nl_fill_config);
}

/* Statistics are those of a driver: its features say what a queue is. */
static int nl_put_vstats(struct sk_buff *msg, struct vdpa_device *vdpa,
			 const struct genl_info *info)
{
	u32 idx = nla_get_u32(info->attrs[VDPA_ATTR_DEV_QUEUE_INDEX]);
	const struct vdpa_config_ops *ops = vdpa->config;
	struct nl_view view;

	nl_view_init(&view, vdpa, ops->get_driver_features(vdpa));
	if (nl_put_id(msg, vdpa) || nl_put_negotiated(msg, vdpa))
		return -EMSGSIZE;
	if (view.class && nl_put_fields(msg, &view, true))
		return -EMSGSIZE;
	if (nla_put_u32(msg, VDPA_ATTR_DEV_QUEUE_INDEX, idx))
		return -EMSGSIZE;
	/* vdpa_nl_vstats_get() has checked it. */
	idx = array_index_nospec(idx, vdpa->nvqs);
	return ops->get_vendor_vq_stats(vdpa, idx, msg, info->extack);
}

static int nl_fill_vstats(struct sk_buff *msg, struct vdpa_device *vdpa,
			  const struct genl_info *info, int flags)
{
	void *hdr;
	int err;

	hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			  &vdpa_nl_family, flags, VDPA_CMD_DEV_VSTATS_GET);
	if (!hdr)
		return -EMSGSIZE;

	guard(rwsem_read)(&vdpa->cf_lock);
	if (!nl_negotiated(vdpa)) {
		GENL_SET_ERR_MSG(info, "Features are not negotiated yet");
		err = -EAGAIN;
	} else {
		err = nl_put_vstats(msg, vdpa, info);
	}
	if (err) {
		genlmsg_cancel(msg, hdr);
		return err;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

int vdpa_nl_vstats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vdpa_device *vdpa = info->user_ptr[0];
	u32 idx;

	if (GENL_REQ_ATTR_CHECK(info, VDPA_ATTR_DEV_QUEUE_INDEX)) {
		GENL_SET_ERR_MSG(info, "No virtqueue index is given");
		return -EINVAL;
	}
	idx = nla_get_u32(info->attrs[VDPA_ATTR_DEV_QUEUE_INDEX]);
	if (idx >= vdpa->nvqs) {
		GENL_SET_ERR_MSG_FMT(info, "Device has %u virtqueues only",
				     vdpa->nvqs);
		return -ERANGE;
	}
	if (!vdpa->config->get_vendor_vq_stats) {
		GENL_SET_ERR_MSG(info, "Device keeps no statistics");
		return -EOPNOTSUPP;
	}
	return vdpa_nl_reply(info, nl_fill_vstats);
}
