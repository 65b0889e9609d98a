// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the parent says of the device as a whole, through the configuration
 * callback. Started and stopped with the virtqueues, in process context.
 *
 * The callback comes in any context, at any time. It is an RCU reader and does
 * nothing unless v->listening is set. virtio_vdpa_events_stop() clears that and
 * waits for readers: whoever has seen it set is done then, whoever comes later
 * sees it clear and does nothing else. The flag is freed a grace period after
 * the device: it is still there for a parent that has taken the callback with
 * interrupts off or under RCU, and calls it although set_config_cb() has
 * replaced it meanwhile.
 */
#include "virtio_vdpa.h"

#include <linux/rcupdate.h>
#include <linux/virtio_config.h>

static irqreturn_t virtio_vdpa_config_cb(void *private)
{
	struct virtio_vdpa *v = private;

	guard(rcu)();
	if (!READ_ONCE(v->listening))
		return IRQ_NONE;
	virtio_config_changed(&v->vdev);
	return IRQ_HANDLED;
}

/**
 * virtio_vdpa_events_start() - Listen to the parent.
 * @v: the device, its virtqueues made
 *
 * Context: Process context. May sleep.
 */
void virtio_vdpa_events_start(struct virtio_vdpa *v)
{
	struct vdpa_callback cb = {
		.callback = virtio_vdpa_config_cb,
		.private = v,
	};

	WRITE_ONCE(v->listening, true);
	v->vdpa->config->set_config_cb(v->vdpa, &cb);
}

/**
 * virtio_vdpa_events_stop() - Do not listen to the parent any more.
 * @v: the device; listening or not
 *
 * When it returns no callback of old is running, of a virtqueue neither.
 *
 * Context: Process context. May sleep.
 */
void virtio_vdpa_events_stop(struct virtio_vdpa *v)
{
	struct vdpa_callback none = {};

	v->vdpa->config->set_config_cb(v->vdpa, &none);
	WRITE_ONCE(v->listening, false);
	/* Pairs with guard(rcu) of virtio_vdpa_config_cb(). */
	virtio_vdpa_synchronize_cbs(&v->vdev);
}
