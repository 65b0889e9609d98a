// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the driver as bio_vecs, so that a backing reads and writes it in
 * place. It is pinned by whoever has mapped it, and stays mapped while the
 * request is in flight (see blk_vq_drain()).
 *
 * req.c takes it when a request begins, vq.c frees what that took when it has
 * ended; in the worker of the virtqueue, with soft->map_lock (read) and
 * vq->lock held.
 */
#include "blk.h"

#include <linux/slab.h>

/*
 * What memory mapped in pages can be in; mapped byte by byte it could be in
 * millions, and the elements take much more memory than what they describe.
 */
#define MEM_PIECES_MAX	(BLK_BYTES_MAX / PAGE_SIZE + 2 * VDPA_CHAIN_MAX)

/* Room for one more; requests of many pieces are rare. */
static bool mem_grow(struct blk_req *req)
{
	u32 max = min_t(u32, req->max * 4, MEM_PIECES_MAX);
	struct bio_vec *bvec;

	if (req->max == max)
		return false;
	bvec = kvmalloc_array(max, sizeof(*bvec), GFP_KERNEL | __GFP_NOWARN);
	if (!bvec)
		return false;
	memcpy(bvec, req->bvec, req->nr * sizeof(*bvec));
	blk_mem_free(req);
	req->bvec = bvec;
	req->max = max;
	return true;
}

static bool mem_add(struct blk_req *req, void *p, u32 len)
{
	if (req->nr == req->max && !mem_grow(req))
		return false;
	bvec_set_virt(&req->bvec[req->nr++], p, len);
	return true;
}

/**
 * blk_mem_take() - Take the next req->len bytes of the chain.
 * @req: the request
 * @access: VDPA_RING_READ or VDPA_RING_WRITE
 *
 * Return: VIRTIO_BLK_S_OK; VIRTIO_BLK_S_IOERR if not all of it is mapped, if it
 *	is in more pieces than pages can be, or if memory is short.
 */
u8 blk_mem_take(struct blk_req *req, u32 access)
{
	u32 rest = req->len, len;

	req->bvec = req->inline_bvec;
	req->max = BLK_NBVEC;
	req->nr = 0;
	while (rest) {
		void *p = vdpa_chain_next(&req->bvq->chain, access, &len);

		/* Behind the data is the status, maybe in one piece with it. */
		len = min(len, rest);
		if (!p || !mem_add(req, p, len))
			return VIRTIO_BLK_S_IOERR;
		rest -= len;
	}
	blk_mem_rewind(req);
	return VIRTIO_BLK_S_OK;
}

/* All of it is still to be read or written. */
void blk_mem_rewind(struct blk_req *req)
{
	iov_iter_bvec(&req->iter, req->op->writes ? ITER_SOURCE : ITER_DEST,
		      req->bvec, req->nr, req->len);
}

/* Of a request that may never have had any. */
void blk_mem_free(struct blk_req *req)
{
	if (req->bvec != req->inline_bvec)
		kvfree(req->bvec);
	req->bvec = NULL;
}
