/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Events of the generic netlink family "vdpa": what <linux/vdpa.h> does not
 * have (yet).
 *
 * They only add: a program that joins no group misses nothing, and a kernel
 * that has none of this has no such group. Anybody may join it in the first
 * network namespace, as anybody may ask for the same with VDPA_CMD_DEV_GET.
 *
 * A listener reads fast enough, or recv() answers ENOBUFS once: then events
 * are lost, and it asks for everything again (a dump of VDPA_CMD_DEV_GET).
 *
 * Numbers are far above those of <linux/vdpa.h>, which has come to command 8
 * and attribute 36; one that turns up there is going to be known here by that
 * number as well.
 */
#ifndef _UAPI_LINUX_VDPA_EVENTS_H
#define _UAPI_LINUX_VDPA_EVENTS_H

/* The multicast group. */
#define VDPA_MCGRP_EVENTS_NAME	"events"

/*
 * Commands of events, which nobody can send to the kernel.
 *
 * VDPA_CMD_DEV_NEW tells that a device is there, and VDPA_CMD_DEV_DEL that it
 * is not any more. Those below come in between.
 *
 * An event has the attributes that VDPA_CMD_DEV_GET answers; VDPA_CMD_DEV_DEL
 * has those that name the device and its management device only. Devices that
 * have no management device are not told of, as they are not listed.
 */
enum vdpa_event_command {
	VDPA_CMD_DEV_BOUND_NTF = 0xe0,	/* and VDPA_ATTR_DEV_DRIVER */
	VDPA_CMD_DEV_UNBOUND_NTF,
	VDPA_CMD_DEV_CHANGED_NTF,	/* by VDPA_CMD_DEV_ATTR_SET or the host */
};

enum vdpa_event_attr {
	VDPA_ATTR_DEV_DRIVER = 0x1000,	/* string: name of the bus driver */
};

#endif /* _UAPI_LINUX_VDPA_EVENTS_H */
