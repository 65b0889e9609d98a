// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lanes: where requests wait for a worker that may sleep.
 *
 * Each virtqueue has one, for what its backing cannot begin without sleeping;
 * it does one request after the other. Each disk has one for flushes: all that
 * wait there are done by one flush of the backing.
 *
 * No lock is held while a request is done, and its memory stays mapped.
 */
#include "blk.h"

#include <linux/kcov.h>
#include <linux/sched/mm.h>

void blk_lane_queue(struct blk_lane *lane, struct blk_req *req)
{
	unsigned long flags;

	spin_lock_irqsave(&lane->lock, flags);
	list_add_tail(&req->node, &lane->reqs);
	queue_work(blk_wq, &lane->work);
	spin_unlock_irqrestore(&lane->lock, flags);
}

static void lane_take(struct blk_lane *lane, struct list_head *reqs)
{
	spin_lock_irq(&lane->lock);
	list_splice_init(&lane->reqs, reqs);
	spin_unlock_irq(&lane->lock);
}

static u8 lane_do(struct blk_req *req)
{
	struct blk_backing *backing = req_to_blk(req)->backing;

	if (req->op->begin == blk_range_begin)
		return blk_range_do(req);
	return backing->ops->rw_slow(backing, req);
}

static void lane_work(struct work_struct *work)
{
	struct blk_lane *lane = container_of(work, typeof(*lane), work);
	struct blk_vq *bvq = container_of(lane, typeof(*bvq), lane);
	unsigned int flags = memalloc_noio_save();
	struct blk_req *req;
	LIST_HEAD(reqs);

	kcov_remote_start_common(READ_ONCE(bvq->vq->soft->kcov_handle));
	lane_take(lane, &reqs);
	while ((req = list_first_entry_or_null(&reqs, typeof(*req), node))) {
		u8 status;

		list_del(&req->node);
		status = lane_do(req);
		if (status != BLK_PENDING)
			blk_req_end(req, status);
		cond_resched();
	}
	kcov_remote_stop();
	memalloc_noio_restore(flags);
}

static void flush_work_fn(struct work_struct *work)
{
	struct blk_dev *blk = container_of(work, typeof(*blk), flushes.work);
	unsigned int flags = memalloc_noio_save();
	struct blk_req *req;
	LIST_HEAD(reqs);
	u8 status;

	kcov_remote_start_common(READ_ONCE(blk->soft.kcov_handle));
	/* What they cover has been written before they came here. */
	lane_take(&blk->flushes, &reqs);
	if (!list_empty(&reqs)) {
		status = blk->backing->ops->flush(blk->backing) ?
			 VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		while ((req = list_first_entry_or_null(&reqs, typeof(*req),
						       node))) {
			list_del(&req->node);
			blk_req_end(req, status);
		}
	}
	kcov_remote_stop();
	memalloc_noio_restore(flags);
}

static void lane_init(struct blk_lane *lane, work_func_t fn)
{
	spin_lock_init(&lane->lock);
	INIT_LIST_HEAD(&lane->reqs);
	INIT_WORK(&lane->work, fn);
}

void blk_lane_init(struct blk_lane *lane)
{
	lane_init(lane, lane_work);
}

void blk_flushes_init(struct blk_lane *lane)
{
	lane_init(lane, flush_work_fn);
}
