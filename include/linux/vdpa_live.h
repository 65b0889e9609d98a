/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guard of one use of a vDPA device that may end before its user does.
 *
 * A bus driver that hands its device on to somebody whom it cannot stop (an
 * open file, an eventfd, a mapping) puts a struct vdpa_gate between the two.
 * Every entry point passes the gate before it touches the device:
 *
 *	CLASS(vdpa_live, live)(&v->gate);
 *	if (!live.ops)
 *		return -ENODEV;
 *
 * vdpa_gate_close() makes that fail from now on and returns when the last one
 * who had passed has left; after it the device may be reset, rebound or freed.
 */
#ifndef _LINUX_VDPA_LIVE_H
#define _LINUX_VDPA_LIVE_H

#include <linux/cleanup.h>
#include <linux/srcu.h>
#include <linux/types.h>

struct vdpa_config_ops;
struct vdpa_device;

/**
 * struct vdpa_gate - guard between a vDPA device and one user of it
 * @srcu: readers are those inside
 * @vdpa: the device; NULL once closed
 */
struct vdpa_gate {
	struct srcu_struct srcu;
	struct vdpa_device __rcu *vdpa;
};

/**
 * struct vdpa_live - proof of having passed a gate
 * @gate: the gate
 * @vdpa: the device, or NULL if the gate is closed
 * @ops: its operations, or NULL if the gate is closed
 * @cookie: for vdpa_live_leave()
 */
struct vdpa_live {
	struct vdpa_gate *gate;
	struct vdpa_device *vdpa;
	const struct vdpa_config_ops *ops;
	int cookie;
};

/* live.c */
int vdpa_gate_open(struct vdpa_gate *gate, struct vdpa_device *vdpa);
void vdpa_gate_close(struct vdpa_gate *gate);
void vdpa_gate_destroy(struct vdpa_gate *gate);
bool vdpa_gate_is_closed(struct vdpa_gate *gate);
struct vdpa_live vdpa_live_enter(struct vdpa_gate *gate);
void vdpa_live_leave(struct vdpa_live *live);

DEFINE_CLASS(vdpa_live, struct vdpa_live, vdpa_live_leave(&_T),
	     vdpa_live_enter(gate), struct vdpa_gate *gate)

#endif /* _LINUX_VDPA_LIVE_H */
