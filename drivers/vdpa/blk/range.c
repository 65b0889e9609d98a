// SPDX-License-Identifier: GPL-2.0-only
/*
 * DISCARD, WRITE_ZEROES and SECURE_ERASE (VIRTIO 1.2, 5.2.6): requests for
 * parts of the disk, which carry no data.
 *
 * They begin in the worker of the virtqueue, which copies and checks all that
 * is asked; none is done unless all are good. A worker of their lane does them,
 * with no lock held.
 */
#include "blk.h"

#include <linux/blk_types.h>

struct range_limits {
	u32 type;
	size_t max;	/* where struct blk_backing has it */
	u32 flags;	/* that there can be */
};

static const struct range_limits limits[] = {
	{
		.type	= VIRTIO_BLK_T_DISCARD,
		.max	= offsetof(struct blk_backing, discard_max),
	}, {
		.type	= VIRTIO_BLK_T_WRITE_ZEROES,
		.max	= offsetof(struct blk_backing, zeroes_max),
		.flags	= VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP,
	}, {
		.type	= VIRTIO_BLK_T_SECURE_ERASE,
		.max	= offsetof(struct blk_backing, erase_max),
	},
};

static const struct range_limits *find_limits(u32 type)
{
	for (int i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].type == type)
			return &limits[i];
	return NULL;
}

static u8 range_pull(struct blk_req *req, const struct blk_backing *backing,
		     const struct range_limits *limit, struct blk_range *range)
{
	const u32 *max = (const void *)backing + limit->max;
	struct virtio_blk_discard_write_zeroes raw;
	u64 sector;
	u32 nr, flags;

	if (vdpa_chain_pull(&req->bvq->chain, &raw, sizeof(raw)) < sizeof(raw))
		return VIRTIO_BLK_S_IOERR;
	sector = le64_to_cpu(raw.sector);
	nr = le32_to_cpu(raw.num_sectors);
	flags = le32_to_cpu(raw.flags);

	if (flags & ~limit->flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (nr > *max || !blk_has_sectors(backing, sector, nr))
		return VIRTIO_BLK_S_IOERR;
	*range = (struct blk_range) {
		.pos = sector << SECTOR_SHIFT,
		.len = (u64)nr << SECTOR_SHIFT,
		.unmap = flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP,
	};
	return VIRTIO_BLK_S_OK;
}

u8 blk_range_begin(struct blk_req *req, u64 sector)
{
	const struct range_limits *limit = find_limits(req->op->type);
	const struct blk_backing *backing = req_to_blk(req)->backing;
	const u64 size = sizeof(struct virtio_blk_discard_write_zeroes);
	u64 len = req->bvq->chain.out_len - sizeof(struct virtio_blk_outhdr);
	u8 status;

	if (!len || len % size || len / size > backing->range_max)
		return VIRTIO_BLK_S_IOERR;
	req->nr = len / size;
	for (u32 i = 0; i < req->nr; i++) {
		status = range_pull(req, backing, limit, &req->range[i]);
		if (status != VIRTIO_BLK_S_OK)
			return status;
	}
	blk_lane_queue(&req->bvq->lane, req);
	return BLK_PENDING;
}

/* In the worker of the lane. */
u8 blk_range_do(struct blk_req *req)
{
	struct blk_backing *backing = req_to_blk(req)->backing;
	int err = 0;

	for (u32 i = 0; i < req->nr && !err; i++)
		if (req->range[i].len)
			err = backing->ops->range(backing, req->op->type,
						  &req->range[i]);
	if (!err && req->stable && backing->ops->flush)
		err = backing->ops->flush(backing);
	if (err == -EOPNOTSUPP)
		return VIRTIO_BLK_S_UNSUPP;
	return err ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}
