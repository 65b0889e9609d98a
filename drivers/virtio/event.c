// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the parent says of the device as a whole, through the configuration
 * callback: that its configuration has changed, or that it needs a reset and
 * completes nothing any more. Then the virtqueues are declared broken, for
 * drivers to see errors instead of waiting. Started and stopped with the
 * virtqueues, in process context; it goes on while the device is removed, up
 * to the moment in which its driver deletes the virtqueues, because that may
 * wait for the parent until then.
 *
 * The callback comes in any context, at any time. It is an RCU reader and does
 * nothing unless v->listening is set. virtio_vdpa_events_stop() clears that,
 * waits for readers, then for the work that they have queued: whoever has seen
 * it set is done then, whoever comes later sees it clear and does nothing else.
 * The flag is freed a grace period after the device: it is still there for a
 * parent that has taken the callback with interrupts off or under RCU, and
 * calls it although set_config_cb() has replaced it meanwhile.
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
	/* get_status() may sleep, and the list of queues is not for interrupts. */
	schedule_work(&v->broken_work);
	return IRQ_HANDLED;
}

/**
 * virtio_vdpa_break_if_broken() - Break the virtqueues of a broken device.
 * @v: the device
 *
 * What the driver gives them from now on is refused, and who looks whether a
 * queue is broken while waiting for it ends. Requests that are under way stay
 * so until the driver takes them back.
 *
 * Context: Process context. May sleep.
 */
void virtio_vdpa_break_if_broken(struct virtio_vdpa *v)
{
	u8 status = v->vdpa->config->get_status(v->vdpa);

	if (!(status & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	WRITE_ONCE(v->broken, true);
	/* Pairs with smp_mb() in virtio_vdpa_enable_vq(). */
	smp_mb();
	virtio_break_device(&v->vdev);
}

void virtio_vdpa_broken_work(struct work_struct *work)
{
	virtio_vdpa_break_if_broken(container_of(work, struct virtio_vdpa,
						 broken_work));
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
	/* Had it said so before, nobody would have heard it. */
	schedule_work(&v->broken_work);
}

/**
 * virtio_vdpa_events_stop() - Do not listen to the parent any more.
 * @v: the device; listening or not
 *
 * When it returns no callback of old is running, of a virtqueue neither, and
 * nobody breaks virtqueues: they can be deleted.
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
	cancel_work_sync(&v->broken_work);
	WRITE_ONCE(v->broken, false);
}
