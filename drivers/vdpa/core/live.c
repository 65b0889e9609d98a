// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate between a device and a user of it that cannot be stopped.
 *
 * Called by bus drivers: opened at probe, closed at remove, destroyed when the
 * last user is gone; passed at every entry point, in any context but NMI. No
 * lock is held or taken; those inside are SRCU readers.
 *
 * Closing waits for those inside. So whoever is inside must not wait for user
 * space, nor for anything that needs the gate closed: not for a page of a file
 * system in user space, not for a reply of a daemon. What has to wait leaves,
 * waits, and passes the gate again.
 */
#include "core.h"

#include <linux/vdpa_live.h>

/**
 * vdpa_gate_open() - Make a gate, and open it.
 * @gate: the gate; whatever was in it is overwritten
 * @vdpa: the device behind it
 *
 * Context: Process context. May sleep.
 * Return: 0, vdpa_gate_destroy() is due later; -ENOMEM.
 */
int vdpa_gate_open(struct vdpa_gate *gate, struct vdpa_device *vdpa)
{
	int err;

	err = init_srcu_struct(&gate->srcu);
	if (err)
		return err;
	/* Pairs with srcu_dereference() in vdpa_live_enter(). */
	rcu_assign_pointer(gate->vdpa, vdpa);
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_gate_open);

/**
 * vdpa_gate_close() - Let nobody pass from now on, and wait for those inside.
 * @gate: the gate; may be closed already
 *
 * When this returns nobody uses the device through this gate.
 *
 * Context: Process context, outside of the gate. May sleep, for as long as the
 *	slowest of those inside; the grace period itself is expedited.
 */
void vdpa_gate_close(struct vdpa_gate *gate)
{
	/* Pairs with srcu_dereference() in vdpa_live_enter(). */
	rcu_assign_pointer(gate->vdpa, NULL);
	synchronize_srcu_expedited(&gate->srcu);
}
EXPORT_SYMBOL_GPL(vdpa_gate_close);

/**
 * vdpa_gate_destroy() - Give back what a gate uses.
 * @gate: the gate, closed; nobody may try to pass it any more
 *
 * Context: Process context. May sleep.
 */
void vdpa_gate_destroy(struct vdpa_gate *gate)
{
	cleanup_srcu_struct(&gate->srcu);
}
EXPORT_SYMBOL_GPL(vdpa_gate_destroy);

/**
 * vdpa_gate_is_closed() - Tell whether a gate is closed.
 * @gate: the gate
 *
 * For those who only report it, as poll() does: an open gate may close at any
 * time unless the caller is inside.
 *
 * Context: Any.
 * Return: true if it is closed; it never opens again.
 */
bool vdpa_gate_is_closed(struct vdpa_gate *gate)
{
	return !rcu_access_pointer(gate->vdpa);
}
EXPORT_SYMBOL_GPL(vdpa_gate_is_closed);

/**
 * vdpa_live_enter() - Pass a gate.
 * @gate: the gate
 *
 * Use CLASS(vdpa_live, name)(gate), which leaves at the end of the scope. Costs
 * a per-CPU increment and a memory barrier; nests.
 *
 * Context: Any but NMI; interrupts may be off. Leave in the context that
 *	entered.
 * Return: the device and its operations; both NULL if the gate is closed.
 */
struct vdpa_live vdpa_live_enter(struct vdpa_gate *gate)
	__acquires(&gate->srcu)
{
	struct vdpa_live live = { .gate = gate };

	live.cookie = srcu_read_lock(&gate->srcu);
	live.vdpa = srcu_dereference(gate->vdpa, &gate->srcu);
	if (live.vdpa)
		live.ops = live.vdpa->config;
	return live;
}
EXPORT_SYMBOL_GPL(vdpa_live_enter);

/**
 * vdpa_live_leave() - Leave again, whether the gate was open or not.
 * @live: what vdpa_live_enter() returned
 *
 * Context: That of vdpa_live_enter().
 */
void vdpa_live_leave(struct vdpa_live *live)
	__releases(&live->gate->srcu)
{
	srcu_read_unlock(&live->gate->srcu, live->cookie);
}
EXPORT_SYMBOL_GPL(vdpa_live_leave);
