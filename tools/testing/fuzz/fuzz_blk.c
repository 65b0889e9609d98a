// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of a disk: drivers/vdpa/blk without its configfs and its files. The
 * backing ends requests at once, later, from another context or in the lane,
 * as the input says, and believes nothing that it is told.
 */
#include "softdev.h"

#include "../../../drivers/vdpa/blk/blk.h"

#define SECTORS		64
#define RANGE_SECTORS	48

struct workqueue_struct *blk_wq;

static struct blk_dev *blk;
static struct blk_backing backing;
static u8 *bytes;			/* of the disk; SECTORS of them */
static LIST_HEAD(pending);		/* that the backing has */

static void check_in_disk(u64 pos, u64 len)
{
	assert(!(pos % SECTOR_SIZE) && !(len % SECTOR_SIZE));
	assert(len <= SECTORS * SECTOR_SIZE);
	assert(pos <= SECTORS * SECTOR_SIZE - len);
}

/* Between the memory of the request, all of it, and the disk. */
static u8 transfer(struct blk_req *req)
{
	u8 *disk = bytes + req->pos;
	u32 done = 0;

	check_in_disk(req->pos, req->len);
	assert(req->iter.count == req->len);
	assert(!req->op->writes || !backing.readonly);
	assert(req->iter.dir == (req->op->writes ? ITER_SOURCE : ITER_DEST));
	for (u32 i = 0; i < req->iter.nr; i++) {
		const struct bio_vec *bvec = &req->iter.bvec[i];

		assert(done + bvec->bv_len <= req->len);
		if (req->op->writes)
			memmove(disk + done, bvec->virt, bvec->bv_len);
		else
			memmove(bvec->virt, disk + done, bvec->bv_len);
		done += bvec->bv_len;
	}
	assert(done == req->len);
	return VIRTIO_BLK_S_OK;
}

static u8 backing_rw(struct blk_backing *b, struct blk_req *req)
{
	switch (get8() % 5) {
	case 0:
		list_add_tail(&req->node, &pending);
		return BLK_PENDING;
	case 1:
		blk_lane_queue(&req->bvq->lane, req);
		return BLK_PENDING;
	case 2:
		blk_req_end(req, transfer(req));
		return BLK_PENDING;
	case 3:
		return VIRTIO_BLK_S_IOERR;
	default:
		return transfer(req);
	}
}

static u8 backing_rw_slow(struct blk_backing *b, struct blk_req *req)
{
	blk_mem_rewind(req);
	return transfer(req);
}

static int backing_flush(struct blk_backing *b)
{
	return get8() % 8 ? 0 : -EIO;
}

static int backing_range(struct blk_backing *b, u32 type,
			 const struct blk_range *range)
{
	check_in_disk(range->pos, range->len);
	assert(range->len && range->len <= RANGE_SECTORS * SECTOR_SIZE);
	assert(!range->unmap || type == VIRTIO_BLK_T_WRITE_ZEROES);
	assert(!backing.readonly);
	if (type == VIRTIO_BLK_T_WRITE_ZEROES)
		memset(bytes + range->pos, 0, range->len);
	return get8() % 8 ? 0 : -EOPNOTSUPP;
}

static void backing_close(struct blk_backing *b)
{
	free(bytes);
}

static const struct blk_backing_ops backing_ops = {
	.rw		= backing_rw,
	.rw_slow	= backing_rw_slow,
	.flush		= backing_flush,
	.range		= backing_range,
	.close		= backing_close,
};

static const struct vdpa_soft_class class = {
	BLK_CLASS,
	.config_size	= sizeof(struct virtio_blk_config),
	.config_write	= blk_config_write,
	.reset		= blk_config_reset,
};

static void make(u8 how)
{
	struct vdpa_mgmt_dev mdev = {};
	struct blk_dev_cfg cfg = {
		.soft = {
			.features = U64_MAX, .nvqs = how & 1 ? 2 : 1,
			.vq_max = 128,
		},
		.class = &class, .backing = &backing, .serial = "0123456789",
	};

	backing = (struct blk_backing) {
		.ops = &backing_ops, .capacity = SECTORS, .seg_max = 126,
		.readonly = how & 2, .block_size = how & 4 ? 4096 : 512,
		.range_max = how & 8 ? BLK_NRANGES : 1,
		.discard_max = how & 16 ? RANGE_SECTORS : 0,
		.zeroes_max = RANGE_SECTORS,
		.erase_max = how & 32 ? RANGE_SECTORS : 0,
	};
	bytes = calloc(SECTORS, SECTOR_SIZE);
	INIT_LIST_HEAD(&pending);
	blk = blk_dev_create(&mdev, &cfg);
	assert(!IS_ERR(blk));
}

static bool end_one(void)
{
	struct blk_req *req = list_first_entry_or_null(&pending, typeof(*req),
						       node);

	if (!req)
		return false;
	list_del(&req->node);
	blk_req_end(req, transfer(req));
	return true;
}

static void op(void)
{
	u8 what = get8(), byte = get8();

	switch (what % 5) {
	case 0:
		end_one();
		break;
	case 1:
		work_run(&blk->vqs[byte % blk->soft.nvqs].lane.work);
		break;
	case 2:
		work_run(&blk->flushes.work);
		break;
	case 3:
		blk_config_write(&blk->soft, byte % class.config_size, &what,
				 1);
		break;
	default:
		/* It shrinks and grows; the bytes stay. */
		backing.capacity = byte % (SECTORS + 1);
		blk_config_capacity(blk);
	}
}

static u32 in_flight(struct vdpa_soft_vq *vq)
{
	struct blk_vq *bvq = vq_to_blk(vq);
	struct blk_req *req;
	u32 done = 0;

	list_for_each_entry(req, &bvq->done, node)
		done++;
	return bvq->in_flight + done;
}

static void end_requests(void)
{
	while (end_one())
		;
	work_run(&blk->flushes.work);
	for (int i = 0; i < blk->soft.nvqs; i++)
		work_run(&blk->vqs[i].lane.work);
}

const struct soft_target soft_target = {
	.make		= make,
	.op		= op,
	.in_flight	= in_flight,
	.end_requests	= end_requests,
};
