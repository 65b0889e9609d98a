// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of virtio-blk (VIRTIO 1.2, 5.2.6): a handler for each type.
 *
 * Called by vq.c, with soft->map_lock (read) and vq->lock held. What the driver
 * says is copied once, checked in bytes, and used from the copy. Whatever is
 * wrong with a request is its status: IOERR if it cannot be done as it is,
 * UNSUPP if there is no such request.
 */
#include "blk.h"

#include <linux/blk_types.h>

static u8 req_rw(struct blk_req *req, u64 sector, u64 len, u32 access)
{
	struct blk_backing *backing = req_to_blk(req)->backing;
	u8 status;

	if (!IS_ALIGNED(len, SECTOR_SIZE) || len > BLK_BYTES_MAX)
		return VIRTIO_BLK_S_IOERR;
	if (!blk_has_sectors(backing, sector, len >> SECTOR_SHIFT))
		return VIRTIO_BLK_S_IOERR;
	req->pos = sector << SECTOR_SHIFT;
	req->len = len;
	if (!len)
		return VIRTIO_BLK_S_OK;

	status = blk_mem_take(req, access);
	if (status != VIRTIO_BLK_S_OK)
		return status;
	return backing->ops->rw(backing, req);
}

static u8 req_in(struct blk_req *req, u64 sector)
{
	return req_rw(req, sector, req->in_len, VDPA_RING_WRITE);
}

static u8 req_out(struct blk_req *req, u64 sector)
{
	const struct vdpa_chain *chain = &req->bvq->chain;

	return req_rw(req, sector,
		      chain->out_len - sizeof(struct virtio_blk_outhdr),
		      VDPA_RING_READ);
}

static u8 req_flush(struct blk_req *req, u64 sector)
{
	struct blk_dev *blk = req_to_blk(req);

	if (!blk->backing->ops->flush)
		return VIRTIO_BLK_S_OK;
	blk_lane_queue(&blk->flushes, req);
	return BLK_PENDING;
}

static u8 req_get_id(struct blk_req *req, u64 sector)
{
	const u8 *serial = req_to_blk(req)->serial;

	if (req->in_len != BLK_SERIAL_LEN ||
	    vdpa_chain_push(&req->bvq->chain, serial, BLK_SERIAL_LEN) <
	    BLK_SERIAL_LEN)
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static const struct blk_op ops[] = {
	{
		.type = VIRTIO_BLK_T_IN,
		.fills = true,
		.counter = BLK_READS, .counted = true,
		.begin = req_in,
	}, {
		.type = VIRTIO_BLK_T_OUT,
		.writes = true,
		.counter = BLK_WRITES, .counted = true,
		.begin = req_out,
	}, {
		.type = VIRTIO_BLK_T_FLUSH,
		.feature = BIT_ULL(VIRTIO_BLK_F_FLUSH),
		.counter = BLK_FLUSHES, .counted = true,
		.begin = req_flush,
	}, {
		.type = VIRTIO_BLK_T_GET_ID,
		.fills = true,
		.begin = req_get_id,
	}, {
		.type = VIRTIO_BLK_T_DISCARD,
		.feature = BIT_ULL(VIRTIO_BLK_F_DISCARD),
		.writes = true,
		.counter = BLK_DISCARDS, .counted = true,
		.begin = blk_range_begin,
	}, {
		.type = VIRTIO_BLK_T_WRITE_ZEROES,
		.feature = BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES),
		.writes = true,
		.counter = BLK_DISCARDS, .counted = true,
		.begin = blk_range_begin,
	}, {
		.type = VIRTIO_BLK_T_SECURE_ERASE,
		.feature = BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE),
		.writes = true,
		.counter = BLK_DISCARDS, .counted = true,
		.begin = blk_range_begin,
	},
};

static const struct blk_op *find_op(u32 type, u64 features)
{
	for (int i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].type == type && !(ops[i].feature & ~features))
			return &ops[i];
	return NULL;
}

/**
 * blk_req_begin() - Look at a request, and do it or have it done.
 * @req: the request; its chain is bvq->chain
 *
 * Context: The worker of the virtqueue. May sleep.
 * Return: VIRTIO_BLK_S_*: it is done. BLK_PENDING: it is not the caller's any
 *	more, blk_req_end() ends it.
 */
u8 blk_req_begin(struct blk_req *req)
{
	struct blk_dev *blk = req_to_blk(req);
	struct virtio_blk_outhdr hdr;

	if (vdpa_chain_pull(&req->bvq->chain, &hdr, sizeof(hdr)) < sizeof(hdr))
		return VIRTIO_BLK_S_IOERR;
	req->op = find_op(le32_to_cpu((__force __le32)hdr.type),
			  blk->soft.driver_features);
	if (!req->op)
		return VIRTIO_BLK_S_UNSUPP;
	if (req->op->writes && blk->backing->readonly)
		return VIRTIO_BLK_S_IOERR;
	req->stable = req->op->writes && blk_config_writethrough(blk);
	return req->op->begin(req, le64_to_cpu((__force __le64)hdr.sector));
}
