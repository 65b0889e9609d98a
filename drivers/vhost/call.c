// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device tells user space: a queue's call eventfd, its error eventfd,
 * the config eventfd. Slots are replaced under v->lock and signalled under RCU
 * from wherever the parent calls back, hard interrupts included; an eventfd
 * that was replaced is put when no signal can be under way any more.
 */
#include "vhost_vdpa.h"

#include <linux/eventfd.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_config.h>

/**
 * vhost_vdpa_event_get() - Take a reference on an eventfd.
 * @fd: file descriptor, or VHOST_FILE_UNBIND
 *
 * Return: the event; NULL for VHOST_FILE_UNBIND; an ERR_PTR() if @fd is no
 * eventfd or memory is short.
 */
struct vhost_vdpa_event *vhost_vdpa_event_get(int fd)
{
	struct vhost_vdpa_event *event;
	struct eventfd_ctx *ctx;

	if (fd == VHOST_FILE_UNBIND)
		return NULL;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return ERR_CAST(ctx);
	event = kmalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	if (!event) {
		eventfd_ctx_put(ctx);
		return ERR_PTR(-ENOMEM);
	}
	event->ctx = ctx;
	return event;
}

static void event_free(struct rcu_head *rcu)
{
	struct vhost_vdpa_event *event =
		container_of(rcu, struct vhost_vdpa_event, rcu);

	eventfd_ctx_put(event->ctx);
	kfree(event);
}

/* Puts @event, which may be NULL, once nobody signals it any more. */
static void event_put(struct vhost_vdpa_event *event)
{
	if (event)
		call_rcu(&event->rcu, event_free);
}

static void event_replace(struct vhost_vdpa *v,
			  struct vhost_vdpa_event __rcu **slot,
			  struct vhost_vdpa_event *event)
{
	event_put(rcu_replace_pointer(*slot, event,
				      lockdep_is_held(&v->lock)));
}

/*
 * Who cannot be preempted is a reader as well, for call_rcu(), at the price of
 * three instructions; preemptible RCU takes two function calls. But where
 * spinlocks sleep, eventfd_signal() wants to be preempted.
 */
static __always_inline void signals_begin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
	else
		rcu_read_lock_sched();
}

static __always_inline void signals_end(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
	else
		rcu_read_unlock_sched();
}

static __always_inline void event_signal(struct vhost_vdpa_event __rcu **slot)
{
	struct vhost_vdpa_event *event;

	signals_begin();
	/* Pairs with rcu_replace_pointer() in event_replace(). */
	event = rcu_dereference_check(*slot, rcu_read_lock_sched_held());
	if (event)
		eventfd_signal(event->ctx);
	signals_end();
}

/* Any context. */
void vhost_vdpa_event_signal(struct vhost_vdpa_event __rcu **slot)
{
	event_signal(slot);
}

static irqreturn_t vq_callback(void *private)
{
	struct vhost_vdpa_vq *vq = private;

	event_signal(&vq->call);
	return IRQ_HANDLED;
}

static irqreturn_t config_callback(void *private)
{
	struct vhost_vdpa *v = private;

	vhost_vdpa_event_signal(&v->config);
	/* get_status() may sleep. */
	schedule_work(&v->broken_work);
	return IRQ_HANDLED;
}

/* A device that asks for a reset has stopped its queues: tell each. */
void vhost_vdpa_broken_work(struct work_struct *work)
{
	struct vhost_vdpa *v = container_of(work, struct vhost_vdpa,
					    broken_work);

	guard(mutex)(&v->lock);
	{
		CLASS(vdpa_live, live)(&v->gate);

		if (!live.ops || !(live.ops->get_status(live.vdpa) &
				   VIRTIO_CONFIG_S_NEEDS_RESET))
			return;
	}
	for (u32 i = 0; i < v->nvqs; i++)
		vhost_vdpa_event_signal(&v->vqs[i].err);
}

/* Before the parent frees the interrupt, or the eventfd is put. */
void vhost_vdpa_irq_unbypass(struct vhost_vdpa_vq *vq)
{
	lockdep_assert_held(&vq->v->lock);

	if (!vq->producer.token)
		return;
	irq_bypass_unregister_producer(&vq->producer);
	vq->producer.token = NULL;
}

/* The token is the eventfd: it is registered no longer than we hold that. */
static void irq_bypass(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	struct vhost_vdpa_event *event;
	int irq;

	event = rcu_dereference_protected(vq->call,
					  lockdep_is_held(&vq->v->lock));
	if (!event || !ops->get_vq_irq || vq->producer.token ||
	    !ops->get_vq_ready(vdpa, vq->idx))
		return;
	irq = ops->get_vq_irq(vdpa, vq->idx);
	if (irq < 0)
		return;
	vq->producer.token = event->ctx;
	vq->producer.irq = irq;
	/* Without it interrupts go through the eventfd as before. */
	if (irq_bypass_register_producer(&vq->producer))
		vq->producer.token = NULL;
}

/* Does so if it may be: the device runs, the queue is ready, has a call. */
void vhost_vdpa_irq_bypass(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa)
{
	if (vhost_vdpa_running(vq->v, vdpa))
		irq_bypass(vq, vdpa);
}

void vhost_vdpa_irqs_bypass(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	if (!vhost_vdpa_running(v, vdpa))
		return;
	for (u32 i = 0; i < v->nvqs; i++)
		irq_bypass(&v->vqs[i], vdpa);
}

void vhost_vdpa_irqs_unbypass(struct vhost_vdpa *v)
{
	lockdep_assert_held(&v->lock);

	for (u32 i = 0; i < v->nvqs; i++)
		vhost_vdpa_irq_unbypass(&v->vqs[i]);
}

static void vq_cb_install(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa)
{
	struct vhost_vdpa_event *event;
	struct vdpa_callback cb = {};

	event = rcu_dereference_protected(vq->call,
					  lockdep_is_held(&vq->v->lock));
	if (event) {
		cb.callback = vq_callback;
		cb.private = vq;
		cb.trigger = event->ctx;
	}
	vdpa->config->set_vq_cb(vdpa, vq->idx, &cb);
}

/* Replaces the call eventfd of @vq by @event, which may be NULL. */
void vhost_vdpa_call_set(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa,
			 struct vhost_vdpa_event *event)
{
	struct vhost_vdpa *v = vq->v;
	struct vhost_vdpa_event *old;

	lockdep_assert_held(&v->lock);

	vhost_vdpa_irq_unbypass(vq);
	old = rcu_replace_pointer(vq->call, event, lockdep_is_held(&v->lock));
	vq_cb_install(vq, vdpa);
	/* The parent signals the trigger itself: put it only now. */
	event_put(old);
	vhost_vdpa_irq_bypass(vq, vdpa);
}

void vhost_vdpa_config_set(struct vhost_vdpa *v,
			   struct vhost_vdpa_event *event)
{
	lockdep_assert_held(&v->lock);

	event_replace(v, &v->config, event);
}

void vhost_vdpa_err_set(struct vhost_vdpa_vq *vq,
			struct vhost_vdpa_event *event)
{
	lockdep_assert_held(&vq->v->lock);

	event_replace(vq->v, &vq->err, event);
}

/* Tells the device whom to call back, as it stands. */
void vhost_vdpa_cbs_install(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	struct vdpa_callback cb = {
		.callback = config_callback,
		.private = v,
	};

	lockdep_assert_held(&v->lock);

	vdpa->config->set_config_cb(vdpa, &cb);
	for (u32 i = 0; i < v->nvqs; i++)
		if (rcu_access_pointer(v->vqs[i].call))
			vq_cb_install(&v->vqs[i], vdpa);
}

/* Lets the device forget us, then puts every eventfd but the kicks. */
void vhost_vdpa_events_drop(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	struct vdpa_callback none = {};

	lockdep_assert_held(&v->lock);

	vdpa->config->set_config_cb(vdpa, &none);
	event_replace(v, &v->config, NULL);
	for (u32 i = 0; i < v->nvqs; i++) {
		struct vhost_vdpa_vq *vq = &v->vqs[i];

		/* The device knows of no other callbacks. */
		if (rcu_access_pointer(vq->call)) {
			vdpa->config->set_vq_cb(vdpa, i, &none);
			event_replace(v, &vq->call, NULL);
		}
		event_replace(v, &vq->err, NULL);
		vq->busyloop_us = 0;
	}
}
