// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The split layout (VIRTIO 1.2, section 2.7): descriptor table, available
 * ring, used ring; indirect descriptors (2.7.5.3) and event index (2.7.10).
 *
 * Called by the verbs in chain.c and state.c, through vdpa_split_ops; the
 * owner of the ring serialises. The driver may write to everything that is
 * read here, at any time: a field is read once, checked, and the copy used.
 * That holds for the used ring too, which is therefore never read.
 */
#include "ring.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <asm/barrier.h>

static_assert(sizeof(struct vring_desc) == RING_DESC_BYTES);

/*
 * Reads the driver's index. Returns 1 if there are more chains than were
 * fetched, 0 if not, -EIO if the index moved back or by more than what the
 * driver can have had free.
 */
static int split_refill(struct vdpa_ring *ring)
{
	u16 in_flight = ring->state.avail - ring->state.used;
	__virtio16 raw;
	u16 idx;

	/* Pairs with the write barrier of the driver, 2.7.13.3: the entries
	 * and descriptors up to the index are there once the index is seen.
	 */
	raw = smp_load_acquire(&ring->avail->idx);
	idx = le16_to_cpu((__force __le16)raw);
	if (unlikely((int)(u16)(idx - ring->state.avail) >
		     (int)ring->size - in_flight)) {
		ring->broken = true;
		return -EIO;
	}
	ring->avail_seen = idx;
	return idx != ring->state.avail;
}

/* Reads the chain that starts at @head, which is below the ring's size. */
static int split_walk(const struct vdpa_ring *ring, struct vdpa_chain *chain,
		      u32 head)
{
	const struct vring_desc *table = ring->desc, *d;
	u32 nr = ring->size, left = min(nr, VDPA_CHAIN_MAX), i = head;
	struct chain_build b;
	bool nested = false;
	u16 flags;

	chain_build_begin(&b, chain);
	do {
		/* Every descriptor was there already: this is a loop. */
		if (unlikely(!left--))
			return -EBADMSG;
		if (unlikely(i >= nr))
			return -EBADMSG;
		d = &table[array_index_nospec(i, nr)];
		flags = ring_read16(&d->flags);
		if (flags & VRING_DESC_F_INDIRECT) {
			u32 len = ring_read32(&d->len);

			/* Not in a table, nor with NEXT (2.7.5.3.1). */
			if (unlikely(!ring->indirect || nested ||
				     flags & VRING_DESC_F_NEXT))
				return -EBADMSG;
			nested = true;
			/* WRITE means nothing here, 2.7.5.3.2. */
			table = vdpa_ring_table(ring, ring_read64(&d->addr),
						&len);
			if (unlikely(!table))
				return -EBADMSG;
			nr = len / RING_DESC_BYTES;
			left = nr;
			i = 0;
			flags = VRING_DESC_F_NEXT;
			continue;
		}
		i = ring_read16(&d->next);
		if (unlikely(!chain_build_add(&b, ring_read64(&d->addr),
					      ring_read32(&d->len),
					      flags & VRING_DESC_F_WRITE)))
			return -EBADMSG;
	} while (flags & VRING_DESC_F_NEXT);
	return likely(chain_build_end(&b, chain)) ? 1 : -EBADMSG;
}

int vdpa_split_fetch(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	u32 mask = ring->size - 1, head;

	if (unlikely(ring->broken))
		return -EIO;
	if (ring->state.avail == ring->avail_seen) {
		int more = split_refill(ring);

		if (more <= 0)
			return more;
	}
	head = ring_read16(&ring->avail->ring[ring->state.avail & mask]);
	if (unlikely(head >= ring->size)) {
		ring->broken = true;
		return -EIO;
	}
	ring->state.avail++;
	chain->id = head;
	return split_walk(ring, chain, head);
}

void vdpa_split_complete(struct vdpa_ring *ring, u16 id, u32 written)
{
	u16 i = ring->state.used++ & (ring->size - 1);

	ring_write32(&ring->used->ring[i].id, id);
	ring_write32(&ring->used->ring[i].len, written);
}

bool vdpa_split_publish(struct vdpa_ring *ring)
{
	u16 old = ring->used_published, new = ring->state.used;

	if (old == new)
		return false;
	/* Pairs with the read barrier of the driver between used->idx and the
	 * elements, 2.7.14.
	 */
	smp_store_release(&ring->used->idx,
			  (__force __virtio16)cpu_to_le16(new));
	ring->used_published = new;

	/* The driver asks for a call, then looks at used->idx once more; here
	 * it is the other way round (2.7.7.2, 2.7.10.2). One of us must see
	 * what the other wrote. Pairs with the full barrier of the driver.
	 */
	smp_mb();
	if (unlikely(ring->call_owed)) {
		ring->call_owed = false;
		return true;
	}
	if (ring->event_idx)
		return vring_need_event(ring_read16(ring->used_event), new,
					old);
	return !(ring_read16(&ring->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

static void split_write_flags(struct vdpa_ring *ring, u16 flags)
{
	if (ring->used_flags == flags)
		return;
	ring_write16(&ring->used->flags, flags);
	ring->used_flags = flags;
}

static bool split_kick_enable(struct vdpa_ring *ring)
{
	if (unlikely(ring->broken))
		return false;
	/* The driver ignores the flags with an event index, and must find
	 * them 0 (2.7.10.2).
	 */
	split_write_flags(ring, 0);
	if (ring->event_idx)
		ring_write16(ring->avail_event, ring->state.avail);

	/* Pairs with the full barrier of the driver between avail->idx and
	 * the flags or avail_event, 2.7.13.4.1.
	 */
	smp_mb();
	return split_refill(ring) != 0;
}

static void split_kick_disable(struct vdpa_ring *ring)
{
	/* With an event index avail_event stays behind: the driver has passed
	 * it and kicks no more until its index has gone all the way round.
	 */
	if (!ring->event_idx)
		split_write_flags(ring, VRING_USED_F_NO_NOTIFY);
}

static void split_unfetch(struct vdpa_ring *ring, u32 nr)
{
	ring->state.avail -= nr;
}

static void split_init(struct vdpa_ring *ring, const struct vdpa_ring_cfg *cfg)
{
	ring->desc = cfg->desc;
	ring->avail = cfg->driver;
	ring->used = cfg->device;
	ring->used_event = &ring->avail->ring[cfg->size];
	ring->avail_event = (__virtio16 *)&ring->used->ring[cfg->size];
	ring->used_flags = -1;
}

static int split_set_state(struct vdpa_ring *ring,
			   const struct vdpa_ring_state *state)
{
	if ((u16)(state->avail - state->used) > ring->size)
		return -EINVAL;
	ring->state.avail = state->avail;
	ring->state.used = state->used;
	ring->avail_seen = state->avail;
	ring->used_published = state->used;
	return 0;
}

const struct ring_ops vdpa_split_ops = {
	.fetch		= vdpa_split_fetch,
	.complete	= vdpa_split_complete,
	.publish	= vdpa_split_publish,
	.kick_enable	= split_kick_enable,
	.kick_disable	= split_kick_disable,
	.unfetch	= split_unfetch,
	.init		= split_init,
	.set_state	= split_set_state,
};
