// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of a software device: life of the ring, the worker.
 *
 * ops.c starts, stops and resets virtqueues (soft->lock held). A kick queues
 * the worker and does nothing else; while a virtqueue does not run its work
 * item is disabled, so that a kick leaves no trace, and starting one queues
 * the worker once, so that no kick is missed. The worker holds soft->map_lock
 * (read) and vq->lock over one batch, makes the ring if there is none, and
 * lets the device class do the work. The driver is interrupted at most once a
 * batch. Requests may outlive a batch: a virtqueue that stops, and memory that
 * is taken away, wait for them.
 */
#include "soft.h"

#include <linux/err.h>
#include <linux/kcov.h>
#include <linux/vdpa_soft.h>

static void vq_work(struct work_struct *work);

void soft_vq_init(struct vdpa_soft *soft, u16 idx)
{
	const struct vdpa_soft_class *class = soft->class;
	struct vdpa_soft_vq *vq = &soft->vqs[idx];

	vq->soft = soft;
	vq->idx = idx;
	vq->group = class->vq_group ? class->vq_group[idx] : 0;
	vq->size = soft->vq_max;
	vq->as = &soft->as[0];
	mutex_init(&vq->lock);
	spin_lock_init(&vq->cb_lock);
	INIT_WORK(&vq->work, vq_work);
	disable_work(&vq->work);
}

static size_t area_bytes(const struct vdpa_soft_vq *vq, int which)
{
	static size_t (*const bytes[VDPA_SOFT_NAREAS])(u32, u64) = {
		[VDPA_SOFT_DESC]	= vdpa_ring_desc_bytes,
		[VDPA_SOFT_DRIVER]	= vdpa_ring_driver_bytes,
		[VDPA_SOFT_DEVICE]	= vdpa_ring_device_bytes,
	};

	return bytes[which](vq->size, vq->soft->driver_features);
}

/* Forget the ring, but not where it stands. */
void soft_vq_drop_ring(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held(&vq->soft->map_lock);

	if (!vq->ring)
		return;
	vdpa_ring_get_state(vq->ring, &vq->state);
	vdpa_ring_destroy(vq->ring);
	vq->ring = NULL;
	for (int i = 0; i < VDPA_SOFT_NAREAS; i++)
		soft_area_unmap(vq, i);
}

/* 0; -EFAULT: an area is not mapped (yet); else there can be no such ring. */
static int vq_make_ring(struct vdpa_soft_vq *vq)
{
	struct vdpa_ring_cfg cfg = {
		.features = vq->soft->driver_features,
		.size = vq->size,
		.mem = { .translate = soft_translate, .priv = vq },
	};
	struct vdpa_ring *ring;
	int i, err;

	for (i = 0; i < VDPA_SOFT_NAREAS; i++) {
		err = soft_area_map(vq, i, area_bytes(vq, i));
		if (err)
			goto err_unmap;
	}
	cfg.desc = vq->area[VDPA_SOFT_DESC].addr;
	cfg.driver = vq->area[VDPA_SOFT_DRIVER].addr;
	cfg.device = vq->area[VDPA_SOFT_DEVICE].addr;

	ring = vdpa_ring_create(&cfg);
	if (IS_ERR(ring)) {
		err = PTR_ERR(ring);
		goto err_unmap;
	}
	err = vdpa_ring_set_state(ring, &vq->state);
	if (err)
		goto err_destroy;
	vq->ring = ring;
	return 0;

err_destroy:
	vdpa_ring_destroy(ring);
err_unmap:
	while (i--)
		soft_area_unmap(vq, i);
	return err;
}

static void vq_break(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held(&vq->lock);

	vq->broken = true;
	WRITE_ONCE(vq->soft->needs_reset, true);
	vdpa_soft_config_notify(vq->soft);
}

static bool vq_usable(struct vdpa_soft_vq *vq)
{
	int err;

	if (!vq->running || vq->broken)
		return false;
	if (!vq->ring) {
		err = vq_make_ring(vq);
		if (err) {
			if (err != -EFAULT)
				vq_break(vq);
			return false;
		}
	}
	vdpa_ring_kick_disable(vq->ring);
	return true;
}

/* Show the driver what was completed; true if there is more to do now. */
static bool vq_finish(struct vdpa_soft_vq *vq, enum vdpa_soft_next next)
{
	if (vdpa_ring_publish(vq->ring)) {
		/* The callback wants BHs off, as in an interrupt. */
		spin_lock_bh(&vq->cb_lock);
		if (vq->cb.callback)
			vq->cb.callback(vq->cb.private);
		spin_unlock_bh(&vq->cb_lock);
	}

	switch (next) {
	case VDPA_SOFT_AGAIN:
		return true;
	case VDPA_SOFT_WAIT:
		return vdpa_ring_kick_enable(vq->ring);
	case VDPA_SOFT_BROKEN:
		vq_break(vq);
		return false;
	default:
		return false;
	}
}

static void vq_work(struct work_struct *work)
{
	struct vdpa_soft_vq *vq = container_of(work, typeof(*vq), work);
	const struct vdpa_soft_class *class = vq->soft->class;
	bool again = false;

	kcov_remote_start_common(READ_ONCE(vq->soft->kcov_handle));
	down_read(&vq->soft->map_lock);
	mutex_lock(&vq->lock);
	if (vq_usable(vq))
		again = vq_finish(vq, class->work(vq));
	mutex_unlock(&vq->lock);
	up_read(&vq->soft->map_lock);

	if (class->work_end)
		class->work_end(vq);
	kcov_remote_stop();
	if (again)
		vdpa_soft_vq_queue(vq);
}

/**
 * vdpa_soft_vq_queue() - Have the worker look at a virtqueue.
 * @vq: virtqueue
 *
 * Forgotten if the virtqueue does not run.
 *
 * Context: Any, interrupts disabled included.
 */
void vdpa_soft_vq_queue(struct vdpa_soft_vq *vq)
{
	queue_work(soft_wq, &vq->work);
}
EXPORT_SYMBOL_GPL(vdpa_soft_vq_queue);

/**
 * vdpa_soft_vq_enter() - Use a virtqueue from the worker of another one.
 * @vq: virtqueue of the same device
 *
 * For a class whose one virtqueue answers into another. At most one at a time.
 *
 * Context: In class->work() only, so soft->map_lock is held.
 * Return: true, with vq->lock held and kicks off; vdpa_soft_vq_leave() ends
 *	it. False if there is no ring to work on.
 */
bool vdpa_soft_vq_enter(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held_read(&vq->soft->map_lock);

	mutex_lock_nested(&vq->lock, SINGLE_DEPTH_NESTING);
	if (vq_usable(vq))
		return true;
	mutex_unlock(&vq->lock);
	return false;
}
EXPORT_SYMBOL_GPL(vdpa_soft_vq_enter);

/**
 * vdpa_soft_vq_leave() - End what vdpa_soft_vq_enter() began.
 * @vq: virtqueue
 * @next: as if class->work() had returned it for @vq
 *
 * Context: As vdpa_soft_vq_enter(). Publishes, interrupts the driver.
 */
void vdpa_soft_vq_leave(struct vdpa_soft_vq *vq, enum vdpa_soft_next next)
{
	bool again = vq_finish(vq, next);

	mutex_unlock(&vq->lock);
	if (again)
		vdpa_soft_vq_queue(vq);
}
EXPORT_SYMBOL_GPL(vdpa_soft_vq_leave);

/*
 * Memory is about to go. Requests that outlive a batch and use it are waited for,
 * and completed while the driver can be told: later there is nowhere to put their
 * status. The worker is on its way, and sees to kicks.
 */
void soft_vq_settle(struct vdpa_soft_vq *vq)
{
	const struct vdpa_soft_class *class = vq->soft->class;

	lockdep_assert_held_write(&vq->soft->map_lock);

	if (!class->drain)
		return;
	class->drain(vq);
	guard(mutex)(&vq->lock);
	if (vq->ring && vq->running && !vq->broken) {
		class->reap(vq);
		vq_finish(vq, VDPA_SOFT_IDLE);
	}
}

/* Nobody waits for requests that have not been completed. */
void soft_vq_forget(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held(&vq->lock);

	if (vq->soft->class->forget)
		vq->soft->class->forget(vq);
}

/* What has come to an end is completed before the virtqueue stops. */
static void vq_reap(struct vdpa_soft_vq *vq)
{
	if (!vq->soft->class->drain || !vq_usable(vq))
		return;
	vq->soft->class->reap(vq);
	vq_finish(vq, VDPA_SOFT_IDLE);
}

/* Start or stop the worker, as the state of device and virtqueue demands. */
void soft_vq_update(struct vdpa_soft_vq *vq)
{
	struct vdpa_soft *soft = vq->soft;
	bool run = vq->ready && (soft->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
		   !soft->suspended && !soft->stopped;

	lockdep_assert_held(&soft->lock);

	if (run == vq->running)
		return;
	if (!run) {
		disable_work_sync(&vq->work);
		if (soft->class->drain)
			soft->class->drain(vq);
	}

	down_read(&soft->map_lock);
	mutex_lock(&vq->lock);
	if (!run) {
		vq_reap(vq);
		soft_vq_drop_ring(vq);
	}
	vq->running = run;
	mutex_unlock(&vq->lock);
	up_read(&soft->map_lock);

	if (run)
		enable_and_queue_work(soft_wq, &vq->work);
}

/* As new, but for the counters. The virtqueue is stopped. */
void soft_vq_reset(struct vdpa_soft_vq *vq)
{
	struct vdpa_soft *soft = vq->soft;

	lockdep_assert_held(&soft->lock);

	spin_lock_bh(&vq->cb_lock);
	vq->cb = (struct vdpa_callback) {};
	spin_unlock_bh(&vq->cb_lock);

	down_write(&soft->map_lock);
	vq->hit = NULL;
	vq->as = &soft->as[0];
	up_write(&soft->map_lock);

	mutex_lock(&vq->lock);
	soft_vq_forget(vq);
	vq->state = (struct vdpa_ring_state) {};
	vq->size = soft->vq_max;
	vq->broken = false;
	for (int i = 0; i < VDPA_SOFT_NAREAS; i++)
		vq->area[i].iova = 0;
	mutex_unlock(&vq->lock);
}
