/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the files of the ring library share. Not locked: the owner of a ring
 * serialises all calls on it (include/linux/vdpa_ring.h).
 */
#ifndef _VDPA_RING_PRIVATE_H
#define _VDPA_RING_PRIVATE_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <linux/virtio_ring.h>
#include <linux/vdpa_ring.h>
#include <asm/byteorder.h>

/* VIRTIO 1.2, 2.7.5.1: a chain must not be longer than this, in bytes. */
#define CHAIN_BYTES_MAX		BIT_ULL(32)

/* A descriptor has this size in every layout. */
#define RING_DESC_BYTES		16

/**
 * struct ring_ops - what a layout of the ring must be able to do
 * @fetch: see vdpa_ring_fetch(); @chain comes empty but for its array
 * @complete: see vdpa_ring_complete()
 * @publish: see vdpa_ring_publish()
 * @kick_enable: see vdpa_ring_kick_enable()
 * @kick_disable: see vdpa_ring_kick_disable()
 * @unfetch: see vdpa_ring_unfetch()
 * @init: takes over the areas of @cfg; they are checked
 * @set_state: see vdpa_ring_set_state(); changes nothing on error
 */
struct ring_ops {
	int (*fetch)(struct vdpa_ring *ring, struct vdpa_chain *chain);
	void (*complete)(struct vdpa_ring *ring, u16 id, u32 written);
	bool (*publish)(struct vdpa_ring *ring);
	bool (*kick_enable)(struct vdpa_ring *ring);
	void (*kick_disable)(struct vdpa_ring *ring);
	void (*unfetch)(struct vdpa_ring *ring, u32 nr);
	void (*init)(struct vdpa_ring *ring, const struct vdpa_ring_cfg *cfg);
	int (*set_state)(struct vdpa_ring *ring,
			 const struct vdpa_ring_state *state);
};

struct vdpa_ring {
	/* whatever the layout is */
	const struct ring_ops *ops;
	struct vdpa_ring_mem mem;
	struct vdpa_ring_state state;	/* of fetch and of complete */
	u32 size;			/* descriptors */
	bool indirect;			/* negotiated */
	bool event_idx;			/* negotiated */
	bool broken;			/* until the next set_state */
	bool call_owed;			/* the next publish calls in any case */
	void *table;			/* copy of a scattered indirect table */

	/* split layout */
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	const __virtio16 *used_event;	/* in the driver area */
	__virtio16 *avail_event;	/* in the device area */
	u16 avail_seen;			/* avail->idx when it was last read */
	u16 used_published;		/* used->idx as the driver knows it */
	int used_flags;			/* as last written, -1 not yet */
};

/* A chain while its descriptors are read. */
struct chain_build {
	struct vdpa_seg *seg;
	u32 nr;
	u32 nr_out;
	u64 len;
	u64 out_len;
	bool writable;
};

/*
 * Only VIRTIO_F_VERSION_1 is spoken, so that all fields are little-endian.
 * Each is read exactly once: the driver may write to it at any time.
 */
static inline u16 ring_read16(const __virtio16 *p)
{
	return le16_to_cpu((__force __le16)READ_ONCE(*p));
}

static inline u32 ring_read32(const __virtio32 *p)
{
	return le32_to_cpu((__force __le32)READ_ONCE(*p));
}

static inline u64 ring_read64(const __virtio64 *p)
{
	return le64_to_cpu((__force __le64)READ_ONCE(*p));
}

static inline void ring_write16(__virtio16 *p, u16 val)
{
	WRITE_ONCE(*p, (__force __virtio16)cpu_to_le16(val));
}

static inline void ring_write32(__virtio32 *p, u32 val)
{
	WRITE_ONCE(*p, (__force __virtio32)cpu_to_le32(val));
}

static inline void chain_build_begin(struct chain_build *b,
				     const struct vdpa_chain *chain)
{
	*b = (struct chain_build){ .seg = chain->seg };
}

/*
 * Adds a buffer; false if the chain is malformed with it. An empty buffer
 * counts for the order of buffers (2.7.4.2) but is not kept.
 */
static inline bool chain_build_add(struct chain_build *b, u64 iova, u32 len,
				   bool write)
{
	u64 last;

	if (write && !b->writable) {
		b->writable = true;
		b->nr_out = b->nr;
		b->out_len = b->len;
	}
	if (unlikely(b->writable && !write))
		return false;
	if (unlikely(!len))
		return true;
	if (unlikely(check_add_overflow(iova, (u64)len - 1, &last)))
		return false;
	if (unlikely(b->nr == VDPA_CHAIN_MAX))
		return false;
	b->seg[b->nr++] = (struct vdpa_seg){ .iova = iova, .len = len };
	b->len += len;
	return true;
}

/* Hands the finished chain over; false if it is too long. */
static inline bool chain_build_end(struct chain_build *b,
				   struct vdpa_chain *chain)
{
	if (unlikely(b->len > CHAIN_BYTES_MAX))
		return false;
	if (!b->writable) {
		b->nr_out = b->nr;
		b->out_len = b->len;
	}
	chain->nr_out = b->nr_out;
	chain->nr_in = b->nr - b->nr_out;
	chain->out_len = b->out_len;
	chain->in_len = b->len - b->out_len;
	chain->in_pos.seg = b->nr_out;
	return true;
}

/* split.c */
extern const struct ring_ops vdpa_split_ops;
int vdpa_split_fetch(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_split_complete(struct vdpa_ring *ring, u16 id, u32 written);
bool vdpa_split_publish(struct vdpa_ring *ring);

/* xfer.c */
const void *vdpa_ring_table(const struct vdpa_ring *ring, u64 iova, u32 *lenp);

#endif /* _VDPA_RING_PRIVATE_H */
