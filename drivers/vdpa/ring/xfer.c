// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Bytes between the device and memory of the driver: in and out of a chain,
 * and indirect tables.
 *
 * Called by the worker of a queue, in any context, serialised by the owner of
 * the ring. Addresses mean nothing before the owner's translation has said
 * where a byte is and how far it goes from there; a mapping may change or end
 * between two calls, so nothing of it is kept.
 */
#include "ring.h"

#include <linux/align.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

/**
 * vdpa_ring_table() - Reach an indirect descriptor table.
 * @ring: ring that was made with VIRTIO_RING_F_INDIRECT_DESC
 * @iova: where the driver says it is
 * @lenp: how long the driver says it is, in bytes; set to what the translation
 *	says is there, which is the same, but for a CPU that guesses
 *
 * VIRTIO 1.2, sections 2.7.5.3 and 2.8.7. In place where it lies in one piece,
 * else a copy that lasts until the next call.
 *
 * Context: Any context; the owner of the ring serialises.
 * Return: *@lenp bytes, aligned for a descriptor, which the driver may still be
 * writing to; NULL if that is no table's or the table is not mapped.
 */
const void *vdpa_ring_table(const struct vdpa_ring *ring, u64 iova, u32 *lenp)
{
	const struct vdpa_ring_mem *mem = &ring->mem;
	u32 len = *lenp, done, piece, there;
	u64 last;
	void *p;

	if (!len || len % RING_DESC_BYTES ||
	    len > VDPA_CHAIN_MAX * RING_DESC_BYTES ||
	    check_add_overflow(iova, (u64)len - 1, &last))
		return NULL;
	for (done = 0; done < len; done += piece) {
		piece = len - done;
		p = mem->translate(mem->priv, iova + done, &piece,
				   VDPA_RING_READ);
		if (!p)
			return NULL;
		/* The same number, but not known to be from what follows. */
		there = piece;
		OPTIMIZER_HIDE_VAR(there);
		if (piece == len && IS_ALIGNED((unsigned long)p,
					       RING_DESC_BYTES)) {
			*lenp = there;
			return p;
		}
		memcpy(ring->table + done, p, piece);
	}
	return ring->table;
}

/* The next piece of a part of the chain, at most *@len bytes; steps over it. */
static void *chain_step(struct vdpa_chain *chain, u32 access, u32 *len)
{
	bool write = access & VDPA_RING_WRITE;
	typeof(chain->out_pos) *pos;
	u32 end = chain->nr_out + (write ? chain->nr_in : 0);
	const struct vdpa_ring_mem *mem;
	const struct vdpa_seg *seg;
	u32 piece;
	void *p;

	pos = write ? &chain->in_pos : &chain->out_pos;
	if (pos->seg == end)
		return NULL;
	mem = &chain->ring->mem;
	seg = &chain->seg[pos->seg];
	piece = min(*len, seg->len - pos->off);
	p = mem->translate(mem->priv, seg->iova + pos->off, &piece, access);
	if (unlikely(!p))
		return NULL;
	pos->off += piece;
	if (pos->off == seg->len) {
		pos->seg++;
		pos->off = 0;
	}
	*len = piece;
	return p;
}

/**
 * vdpa_chain_pull() - Copy bytes out of the readable part of a chain.
 * @chain: chain that was fetched
 * @buf: where to
 * @len: bytes that are wanted
 *
 * Goes on where the last pull or vdpa_chain_next() stopped.
 *
 * Context: Any context; the owner of the ring serialises.
 * Return: Bytes that were copied: less than @len at the end of the part, or
 * if what comes next is not mapped.
 */
size_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		u32 piece = min_t(size_t, len - done, U32_MAX);
		void *p = chain_step(chain, VDPA_RING_READ, &piece);

		if (!p)
			break;
		memcpy(buf + done, p, piece);
		done += piece;
	}
	return done;
}
EXPORT_SYMBOL_GPL(vdpa_chain_pull);

/**
 * vdpa_chain_push() - Copy bytes into the writable part of a chain.
 * @chain: chain that was fetched
 * @buf: where from
 * @len: bytes to write
 *
 * Goes on where the last push or vdpa_chain_next() stopped.
 *
 * Context: Any context; the owner of the ring serialises.
 * Return: Bytes that were copied: less than @len at the end of the part, or
 * if what comes next is not mapped.
 */
size_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		u32 piece = min_t(size_t, len - done, U32_MAX);
		void *p = chain_step(chain, VDPA_RING_WRITE, &piece);

		if (!p)
			break;
		memcpy(p, buf + done, piece);
		done += piece;
	}
	return done;
}
EXPORT_SYMBOL_GPL(vdpa_chain_push);

/**
 * vdpa_chain_next() - Step over the next contiguous piece of a chain.
 * @chain: chain that was fetched
 * @access: VDPA_RING_READ for the readable part, VDPA_RING_WRITE for the
 *	writable one
 * @len: set to the length of the piece in bytes; not read, 0 if there is none
 *
 * For owners that work on the driver's memory in place. The two parts have a
 * position each, which vdpa_chain_pull() and vdpa_chain_push() share.
 *
 * Context: Any context; the owner of the ring serialises.
 * Return: Where the piece is, for as long as the owner's translation is good;
 * NULL at the end of the part, or if what comes next is not mapped.
 */
void *vdpa_chain_next(struct vdpa_chain *chain, u32 access, u32 *len)
{
	void *p;

	*len = U32_MAX;
	p = chain_step(chain, access, len);
	if (!p)
		*len = 0;
	return p;
}
EXPORT_SYMBOL_GPL(vdpa_chain_next);
