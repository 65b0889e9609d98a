// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues: made when a driver is probed, reset one by one where the device
 * can (VIRTIO_F_RING_RESET), deleted when the driver goes.
 *
 * The virtio core calls in here one at a time for one device. The parent calls
 * back in any context, at any time: its callback gets struct virtio_vdpa_vq,
 * which lives longer than the device, and looks for the virtqueue under RCU.
 */
#include "virtio_vdpa.h"

#include <linux/rcupdate.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

static irqreturn_t virtio_vdpa_vq_cb(void *private)
{
	struct virtio_vdpa_vq *v_vq = private;
	struct virtqueue *vq;

	guard(rcu)();
	vq = rcu_dereference(v_vq->vq);
	return vq ? vring_interrupt(0, vq) : IRQ_NONE;
}

static bool virtio_vdpa_notify(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = to_virtio_vdpa(vq->vdev)->vdpa;

	vdpa->config->kick_vq(vdpa, vq->index);
	return true;
}

static bool virtio_vdpa_notify_with_data(struct virtqueue *vq)
{
	struct vdpa_device *vdpa = to_virtio_vdpa(vq->vdev)->vdpa;

	vdpa->config->kick_vq_with_data(vdpa, vring_notification_data(vq));
	return true;
}

/* Tells the device where a queue is, and lets it begin. */
static int virtio_vdpa_vq_start(struct virtio_vdpa *v, struct virtqueue *vq)
{
	const struct vdpa_config_ops *ops = v->vdpa->config;
	struct virtio_vdpa_vq *v_vq = &v->vqs[vq->index];
	struct vdpa_callback cb = {
		.callback = vq->callback ? virtio_vdpa_vq_cb : NULL,
		.private = v_vq,
	};
	struct vdpa_vq_state state = {};
	int err;

	/* Wrap counters start at one (virtio 1.2, 2.8.1), indices at zero. */
	if (virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED)) {
		state.packed.last_avail_counter = 1;
		state.packed.last_used_counter = 1;
	}

	ops->set_vq_num(v->vdpa, vq->index, virtqueue_get_vring_size(vq));
	err = ops->set_vq_address(v->vdpa, vq->index,
				  virtqueue_get_desc_addr(vq),
				  virtqueue_get_avail_addr(vq),
				  virtqueue_get_used_addr(vq));
	if (!err)
		err = ops->set_vq_state(v->vdpa, vq->index, &state);
	if (err)
		return err;

	/* Pairs with rcu_dereference() in virtio_vdpa_vq_cb(). */
	rcu_assign_pointer(v_vq->vq, vq);
	ops->set_vq_cb(v->vdpa, vq->index, &cb);
	ops->set_vq_ready(v->vdpa, vq->index, true);
	return 0;
}

/* Callbacks may still be running; virtio_vdpa_synchronize_cbs() is due. */
static void virtio_vdpa_vq_deafen(struct virtio_vdpa *v, struct virtqueue *vq)
{
	struct vdpa_callback none = {};

	v->vdpa->config->set_vq_cb(v->vdpa, vq->index, &none);
	RCU_INIT_POINTER(v->vqs[vq->index].vq, NULL);
}

/* The same holds after it. */
static void virtio_vdpa_vq_stop(struct virtio_vdpa *v, struct virtqueue *vq)
{
	v->vdpa->config->set_vq_ready(v->vdpa, vq->index, false);
	virtio_vdpa_vq_deafen(v, vq);
}

/* Most descriptors that a queue can have; 0 if there is no such queue. */
static u16 virtio_vdpa_vq_max(struct vdpa_device *vdpa, u32 idx)
{
	const struct vdpa_config_ops *ops = vdpa->config;

	if (idx >= vdpa->nvqs)
		return 0;
	return ops->get_vq_size ? ops->get_vq_size(vdpa, idx) :
				  ops->get_vq_num_max(vdpa);
}

static u16 virtio_vdpa_vq_min(struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;

	return ops->get_vq_num_min ? ops->get_vq_num_min(vdpa) : 1;
}

static struct device *virtio_vdpa_dma_dev(struct vdpa_device *vdpa, u32 idx)
{
	const struct vdpa_config_ops *ops = vdpa->config;

	return ops->get_vq_dma_dev ? ops->get_vq_dma_dev(vdpa, idx) :
				     vdpa_get_dma_dev(vdpa);
}

static struct virtqueue *virtio_vdpa_vq_make(struct virtio_vdpa *v, u32 idx,
					     const struct virtqueue_info *info)
{
	struct vdpa_device *vdpa = v->vdpa;
	bool (*notify)(struct virtqueue *vq) = virtio_vdpa_notify;
	u16 num = virtio_vdpa_vq_max(vdpa, idx);
	struct virtqueue *vq;
	int err;

	/* One that is ready is used by somebody else. */
	if (!num || vdpa->config->get_vq_ready(vdpa, idx))
		return ERR_PTR(-ENOENT);
	if (__virtio_test_bit(&v->vdev, VIRTIO_F_NOTIFICATION_DATA))
		notify = virtio_vdpa_notify_with_data;

	vq = vring_create_virtqueue_dma(idx, num,
					vdpa->config->get_vq_align(vdpa),
					&v->vdev, true,
					virtio_vdpa_vq_min(vdpa) < num,
					info->ctx, notify, info->callback,
					info->name,
					virtio_vdpa_dma_dev(vdpa, idx));
	if (!vq)
		return ERR_PTR(-ENOMEM);
	vq->num_max = num;

	err = virtio_vdpa_vq_start(v, vq);
	if (err) {
		vring_del_virtqueue(vq);
		return ERR_PTR(err);
	}
	return vq;
}

/**
 * virtio_vdpa_find_vqs() - Make the virtqueues that a driver uses.
 * @vdev: the device, features negotiated
 * @nvqs: entries of @vqs and @infos
 * @vqs: is filled in; NULL where @infos has no name
 * @infos: what the driver wants; queue indices count those with a name
 * @affinity: how to spread them over CPUs; NULL: as the parent likes
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT the device has fewer queues; -ENOMEM; what the parent
 *	says. Unless 0 there are none.
 */
int virtio_vdpa_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			 struct virtqueue *vqs[],
			 struct virtqueue_info infos[],
			 struct irq_affinity *affinity)
{
	struct virtio_vdpa *v = to_virtio_vdpa(vdev);
	unsigned int idx = 0;
	int err;

	for (unsigned int i = 0; i < nvqs; i++) {
		vqs[i] = NULL;
		if (!infos[i].name)
			continue;
		vqs[i] = virtio_vdpa_vq_make(v, idx++, &infos[i]);
		if (IS_ERR(vqs[i])) {
			err = PTR_ERR(vqs[i]);
			goto err_del;
		}
	}
	if (affinity) {
		err = virtio_vdpa_spread_vqs(v->vdpa, idx, affinity);
		if (err)
			goto err_del;
	}
	virtio_vdpa_events_start(v);
	return 0;

err_del:
	virtio_vdpa_del_vqs(vdev);
	return err;
}

/**
 * virtio_vdpa_del_vqs() - Delete all virtqueues.
 * @vdev: the device, reset or not yet running
 *
 * Context: Process context. May sleep.
 */
void virtio_vdpa_del_vqs(struct virtio_device *vdev)
{
	struct virtio_vdpa *v = to_virtio_vdpa(vdev);
	struct virtqueue *vq, *next;

	virtio_device_for_each_vq(vdev, vq)
		virtio_vdpa_vq_stop(v, vq);
	/* Waits for callbacks of the queues, too. */
	virtio_vdpa_events_stop(v);

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
}

/**
 * virtio_vdpa_disable_vq() - Reset one virtqueue.
 * @vq: the queue; its driver does not touch it meanwhile
 *
 * Virtio 1.2, 2.6.1. When this returns 0 neither device nor callbacks use it.
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT without VIRTIO_F_RING_RESET; -EIO the parent goes on
 *	using it, and so may the driver.
 */
int virtio_vdpa_disable_vq(struct virtqueue *vq)
{
	struct virtio_vdpa *v = to_virtio_vdpa(vq->vdev);
	const struct vdpa_config_ops *ops = v->vdpa->config;

	if (!virtio_has_feature(vq->vdev, VIRTIO_F_RING_RESET))
		return -ENOENT;

	/* The operation has no other way to fail; see vdpa_vq_reset.h. */
	ops->set_vq_ready(v->vdpa, vq->index, false);
	if (ops->get_vq_ready(v->vdpa, vq->index))
		return -EIO;
	virtio_vdpa_vq_deafen(v, vq);
	virtio_vdpa_synchronize_cbs(vq->vdev);
	vq->reset = true;
	return 0;
}

/**
 * virtio_vdpa_enable_vq() - Start a virtqueue that was reset.
 * @vq: the queue, perhaps of another size now
 *
 * Virtio 1.2, 2.6.1. One that does not start is broken until it does, for its
 * driver to see errors: it may be reset, and enabled, again.
 *
 * Context: Process context. May sleep.
 * Return: 0; -EBUSY it was not reset; -EIO the parent does not start it; what
 *	else the parent says.
 */
int virtio_vdpa_enable_vq(struct virtqueue *vq)
{
	struct virtio_vdpa *v = to_virtio_vdpa(vq->vdev);
	int err;

	if (!vq->reset)
		return -EBUSY;
	__virtqueue_unbreak(vq);
	err = virtio_vdpa_vq_start(v, vq);
	if (!err && !v->vdpa->config->get_vq_ready(v->vdpa, vq->index)) {
		virtio_vdpa_vq_stop(v, vq);
		virtio_vdpa_synchronize_cbs(vq->vdev);
		err = -EIO;
	}
	if (!err)
		vq->reset = false;
	/* Pairs with smp_mb() in virtio_vdpa_break_if_broken(). */
	smp_mb();
	if (err || READ_ONCE(v->broken))
		__virtqueue_break(vq);
	return err;
}
