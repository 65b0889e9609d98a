// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues of a disk: requests from their chain to their end.
 *
 * The worker of vdpa_soft calls, with soft->map_lock (read) and vq->lock held.
 * Each virtqueue has as many requests as its ring has descriptors, made once:
 * one that is not free is in flight (a backing or a lane has it), or done and
 * waits for the worker to complete it. With none free the ring is left alone
 * until one has ended. Memory of the driver is used by those in flight only,
 * and by the worker.
 */
#include "blk.h"

#include <linux/sched/mm.h>
#include <linux/slab.h>

int blk_vq_init(struct blk_vq *bvq, struct vdpa_soft_vq *vq)
{
	u32 nr = vq->soft->vq_max;

	bvq->vq = vq;
	INIT_LIST_HEAD(&bvq->free);
	INIT_LIST_HEAD(&bvq->done);
	spin_lock_init(&bvq->lock);
	init_waitqueue_head(&bvq->idle);
	blk_lane_init(&bvq->lane);

	bvq->reqs = kvcalloc(nr, sizeof(*bvq->reqs), GFP_KERNEL);
	if (!bvq->reqs)
		return -ENOMEM;
	for (u32 i = 0; i < nr; i++) {
		bvq->reqs[i].bvq = bvq;
		list_add_tail(&bvq->reqs[i].node, &bvq->free);
	}
	return vdpa_chain_init(&bvq->chain);
}

/* Nothing is in flight. It may never have been initialised, but was zeroed. */
void blk_vq_fini(struct blk_vq *bvq)
{
	/* It may have been queued for what another run has done. */
	if (bvq->vq)
		cancel_work_sync(&bvq->lane.work);
	vdpa_chain_fini(&bvq->chain);
	kvfree(bvq->reqs);
}

/**
 * blk_req_end() - A request that was pending has come to an end.
 * @req: the request; not the caller's any more
 * @status: VIRTIO_BLK_S_*
 *
 * Context: Any.
 */
void blk_req_end(struct blk_req *req, u8 status)
{
	struct blk_vq *bvq = req->bvq;
	unsigned long flags;

	req->status = status;
	/* blk_vq_drain() returns, and all may go, once this is unlocked. */
	spin_lock_irqsave(&bvq->lock, flags);
	list_add_tail(&req->node, &bvq->done);
	if (!--bvq->in_flight)
		wake_up(&bvq->idle);
	vdpa_soft_vq_queue(bvq->vq);
	spin_unlock_irqrestore(&bvq->lock, flags);
}

static void vq_count(struct vdpa_soft_vq *vq, const struct blk_req *req)
{
	const struct blk_op *op = req->op;

	if (req->status != VIRTIO_BLK_S_OK) {
		vdpa_soft_count(vq, BLK_ERRORS, 1);
	} else if (op->counted) {
		vdpa_soft_count(vq, op->counter, 1);
		if (req->len)
			vdpa_soft_count(vq, op->counter + 1, req->len);
	}
}

/* Show the driver how it went. Only what lies before @written is as it says. */
static void vq_complete(struct blk_vq *bvq, struct blk_req *req)
{
	struct vdpa_soft_vq *vq = bvq->vq;
	struct vdpa_seg seg = { .iova = req->status_iova, .len = 1 };
	struct vdpa_chain last = {
		.ring = vq->ring, .seg = &seg, .nr_in = 1, .in_len = 1,
	};
	bool filled = req->status == VIRTIO_BLK_S_OK && req->op->fills;
	u64 written = 0;

	if (vdpa_chain_push(&last, &req->status, sizeof(req->status)) &&
	    (filled || !req->in_len))
		written = req->in_len + 1;
	vq_count(vq, req);
	vdpa_ring_complete(vq->ring, req->id, written);
	list_add(&req->node, &bvq->free);
}

static void vq_take_done(struct blk_vq *bvq, struct list_head *done)
{
	spin_lock_irq(&bvq->lock);
	list_splice_init(&bvq->done, done);
	spin_unlock_irq(&bvq->lock);
}

void blk_vq_reap(struct vdpa_soft_vq *vq)
{
	struct blk_vq *bvq = vq_to_blk(vq);
	struct blk_req *req, *next;
	LIST_HEAD(done);

	vq_take_done(bvq, &done);
	list_for_each_entry_safe(req, next, &done, node) {
		blk_mem_free(req);
		vq_complete(bvq, req);
	}
}

void blk_vq_forget(struct vdpa_soft_vq *vq)
{
	struct blk_vq *bvq = vq_to_blk(vq);
	struct blk_req *req;
	LIST_HEAD(done);

	vq_take_done(bvq, &done);
	list_for_each_entry(req, &done, node)
		blk_mem_free(req);
	list_splice(&done, &bvq->free);
}

void blk_vq_drain(struct vdpa_soft_vq *vq)
{
	struct blk_vq *bvq = vq_to_blk(vq);

	spin_lock_irq(&bvq->lock);
	wait_event_lock_irq(bvq->idle, !bvq->in_flight, bvq->lock);
	spin_unlock_irq(&bvq->lock);
}

/* The status is the last byte that the device may write. */
static bool vq_find_status(const struct vdpa_chain *chain, struct blk_req *req)
{
	const struct vdpa_seg *last;

	if (!chain->in_len)
		return false;
	last = &chain->seg[chain->nr_out + chain->nr_in - 1];
	req->status_iova = last->iova + (last->len - 1);
	req->in_len = chain->in_len - 1;
	return true;
}

static void vq_begin(struct blk_vq *bvq, struct blk_req *req)
{
	u8 status;

	list_del(&req->node);
	req->id = bvq->chain.id;
	req->op = NULL;
	req->len = 0;

	/* Nobody waits for it to fall before this batch ends. */
	spin_lock_irq(&bvq->lock);
	bvq->in_flight++;
	spin_unlock_irq(&bvq->lock);

	status = blk_req_begin(req);
	if (status == BLK_PENDING)
		return;

	spin_lock_irq(&bvq->lock);
	bvq->in_flight--;
	spin_unlock_irq(&bvq->lock);

	req->status = status;
	blk_mem_free(req);
	vq_complete(bvq, req);
}

/* Nowhere to put a status: all that can be said is that it is over. */
static void vq_skip(struct blk_vq *bvq)
{
	vdpa_soft_count(bvq->vq, BLK_ERRORS, 1);
	vdpa_ring_complete(bvq->vq->ring, bvq->chain.id, 0);
}

static enum vdpa_soft_next vq_fetch(struct blk_vq *bvq)
{
	struct blk_req *req;
	int err;

	for (int i = 0; i < VDPA_SOFT_BUDGET; i++) {
		req = list_first_entry_or_null(&bvq->free, struct blk_req,
					       node);
		if (!req)
			return VDPA_SOFT_IDLE;
		/* A request may be 16 MiB of memory that is copied now. */
		cond_resched();
		err = vdpa_ring_fetch(bvq->vq->ring, &bvq->chain);
		if (!err)
			return VDPA_SOFT_WAIT;
		if (err < 0 && err != -EBADMSG)
			return VDPA_SOFT_BROKEN;
		if (err > 0 && vq_find_status(&bvq->chain, req))
			vq_begin(bvq, req);
		else
			vq_skip(bvq);
	}
	return VDPA_SOFT_AGAIN;
}

enum vdpa_soft_next blk_vq_work(struct vdpa_soft_vq *vq)
{
	/* Memory may be short until what was written to us is stable. */
	unsigned int flags = memalloc_noio_save();
	enum vdpa_soft_next next;

	blk_vq_reap(vq);
	next = vq_fetch(vq_to_blk(vq));
	memalloc_noio_restore(flags);
	return next;
}
