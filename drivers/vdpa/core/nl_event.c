// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: who listens to the multicast group of the family learns of devices
 * that come, go, are bound, unbound and changed.
 *
 * Called by the driver core through the notifier of the bus, with the lock of
 * the device held where a driver is bound or unbound; by nl_dev.c, with
 * vdpa_dev_lock held; and by parents while the device is registered. So events
 * about one device come in the order in which things happened to it, an orderly
 * one: new, bound, unbound, del.
 *
 * A listener that does not read cannot stall anybody: what does not fit into
 * its socket is dropped, and its next recv() says so (ENOBUFS).
 */
#include "core.h"
#include "nl.h"

#include <linux/notifier.h>
#include <linux/vdpa_change.h>
#include <uapi/linux/vdpa_events.h>

/* Room for <linux/vdpa.h> to grow; commands have eight bits. */
static_assert(VDPA_CMD_DEV_BOUND_NTF - VDPA_CMD_DEV_ATTR_SET > 200);
static_assert(VDPA_CMD_DEV_CHANGED_NTF <= U8_MAX);
static_assert(VDPA_ATTR_DEV_DRIVER - VDPA_ATTR_MAX > 1000);
static_assert(VDPA_ATTR_DEV_DRIVER < NLA_F_NET_BYTEORDER);

/* Two names of devices, of a bus and of a driver, and a few numbers. */
#define NL_EVENT_SIZE	(4 * nla_total_size(VDPA_NAME_MAX + 1) + 256)

static int nl_fill_event(struct sk_buff *msg, struct vdpa_device *vdpa, u8 cmd)
{
	const struct device_driver *drv = vdpa->dev.driver;
	void *hdr;
	int err;

	hdr = genlmsg_put(msg, 0, 0, &vdpa_nl_family, 0, cmd);
	if (!hdr)
		return -EMSGSIZE;
	/* One that is gone is not asked for anything. */
	err = vdpa_nl_put_handle(msg, vdpa);
	if (!err && cmd != VDPA_CMD_DEV_DEL)
		err = vdpa_nl_put_dev(msg, vdpa);
	if (!err && cmd == VDPA_CMD_DEV_BOUND_NTF)
		err = nla_put_string(msg, VDPA_ATTR_DEV_DRIVER, drv->name);
	if (err)
		return err;
	genlmsg_end(msg, hdr);
	return 0;
}

/**
 * vdpa_nl_event() - Tell those who listen what happened to a device.
 * @vdpa: the device; its operations can be called
 * @cmd: what happened: command of the message
 *
 * Those who cannot be told are told that they missed something.
 *
 * Context: Process context; the lock of the device held for
 *	VDPA_CMD_DEV_BOUND_NTF. May sleep, but waits for no listener.
 */
void vdpa_nl_event(struct vdpa_device *vdpa, u8 cmd)
{
	struct sk_buff *msg;

	if (!vdpa->mdev ||
	    !genl_has_listeners(&vdpa_nl_family, &init_net,
				VDPA_NL_GROUP_EVENTS))
		return;

	msg = genlmsg_new(NL_EVENT_SIZE, GFP_KERNEL);
	if (!msg || nl_fill_event(msg, vdpa, cmd)) {
		nlmsg_free(msg);
		genl_set_err(&vdpa_nl_family, &init_net, 0,
			     VDPA_NL_GROUP_EVENTS, -ENOBUFS);
		return;
	}
	/* Fails if the last one has just left, or has been told ENOBUFS. */
	(void)genlmsg_multicast(&vdpa_nl_family, msg, 0,
				VDPA_NL_GROUP_EVENTS, GFP_KERNEL);
}

/**
 * vdpa_device_changed() - Tell those who listen that a device has changed.
 * @vdpa: the device; registered, until this returns
 *
 * For parents, if what "vdpa dev config show" shows has become another and
 * netlink has not asked for it: nobody in user space would know. Not for what a
 * driver writes, who could drown the listeners.
 *
 * Context: Process context. May sleep, but waits for no listener.
 */
void vdpa_device_changed(struct vdpa_device *vdpa)
{
	vdpa_nl_event(vdpa, VDPA_CMD_DEV_CHANGED_NTF);
}
EXPORT_SYMBOL_GPL(vdpa_device_changed);

static int nl_bus_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct vdpa_device *vdpa = dev_to_vdpa(data);

	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		vdpa_nl_event(vdpa, VDPA_CMD_DEV_NEW);
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		vdpa_nl_event(vdpa, VDPA_CMD_DEV_DEL);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		vdpa_nl_event(vdpa, VDPA_CMD_DEV_BOUND_NTF);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		vdpa_nl_event(vdpa, VDPA_CMD_DEV_UNBOUND_NTF);
		break;
	}
	return NOTIFY_DONE;
}

struct notifier_block vdpa_nl_bus_nb = {
	.notifier_call = nl_bus_event,
};
