// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kicks: from the wake-up of the eventfd that SET_VRING_KICK named straight to
 * the parent's kick_vq(). The wake-up runs with interrupts off and the wait
 * queue's lock held, so nothing here sleeps or allocates. It does not ask the
 * gate: a queue listens only while it has a session, and what ends one stops
 * that, under the same lock, before it touches the device. Set-up runs under
 * v->lock, inside the gate.
 */
#include "vhost_vdpa.h"

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>

struct kick_setup {
	poll_table pt;
	struct vhost_vdpa_vq *vq;
};

static void kick_vq(struct vhost_vdpa_vq *vq)
{
	struct vdpa_device *vdpa = vq->kick_vdpa;

	vdpa->config->kick_vq(vdpa, vq->idx);
}

static int kick_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync,
		       void *key)
{
	if (key_to_poll(key) & EPOLLIN)
		kick_vq(container_of(wait, struct vhost_vdpa_vq, kick_wait));
	return 0;
}

static void kick_queue(struct file *file, wait_queue_head_t *wqh,
		       poll_table *pt)
{
	struct vhost_vdpa_vq *vq =
		container_of(pt, struct kick_setup, pt)->vq;

	init_waitqueue_func_entry(&vq->kick_wait, kick_wakeup);
	vq->kick_wqh = wqh;
	add_wait_queue(wqh, &vq->kick_wait);
}

/* After it no wake-up of the eventfd is on its way to the device. */
void vhost_vdpa_kick_stop(struct vhost_vdpa_vq *vq)
{
	lockdep_assert_held(&vq->v->lock);

	if (!vq->kick_file)
		return;
	if (vq->kick_wqh)
		remove_wait_queue(vq->kick_wqh, &vq->kick_wait);
	fput(vq->kick_file);
	vq->kick_file = NULL;
	vq->kick_wqh = NULL;
	vq->kick_vdpa = NULL;
}

/* Replaces the eventfd by @fd, or drops it for VHOST_FILE_UNBIND. */
int vhost_vdpa_kick_set(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa,
			int fd)
{
	struct kick_setup setup = { .vq = vq };
	struct file *file = NULL;

	lockdep_assert_held(&vq->v->lock);

	if (fd != VHOST_FILE_UNBIND) {
		file = eventfd_fget(fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	vhost_vdpa_kick_stop(vq);
	if (!file)
		return 0;

	vq->kick_file = file;
	vq->kick_vdpa = vdpa;
	init_poll_funcptr(&setup.pt, kick_queue);
	/* What was written before we listened is a kick as well. */
	if (vfs_poll(file, &setup.pt) & EPOLLIN)
		kick_vq(vq);
	return 0;
}
