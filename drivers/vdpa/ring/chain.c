// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Chains out of a ring and back, and who notifies whom: the verbs that the
 * data path of a software device calls, whatever the layout of the ring is.
 *
 * Called by the worker of a queue, in any context: nothing sleeps, allocates
 * or locks here but vdpa_chain_init() and vdpa_chain_fini(). The owner of the
 * ring serialises all calls on it.
 *
 * The verbs of the fast path compare before they call through the table: an
 * indirect call is dear where the kernel protects itself by retpolines.
 */
#include "ring.h"

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/slab.h>

/**
 * vdpa_chain_init() - Make room for a chain.
 * @chain: what vdpa_ring_fetch() fills later, on any ring
 *
 * An owner that keeps several chains at a time has one struct for each.
 *
 * Context: Process context. May sleep.
 * Return: 0, or -ENOMEM.
 */
int vdpa_chain_init(struct vdpa_chain *chain)
{
	*chain = (struct vdpa_chain){};
	chain->seg = kvmalloc_array(VDPA_CHAIN_MAX, sizeof(*chain->seg),
				    GFP_KERNEL);
	return chain->seg ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_GPL(vdpa_chain_init);

/**
 * vdpa_chain_fini() - Give back what vdpa_chain_init() took.
 * @chain: chain; may be zeroed memory that was never initialised
 *
 * Context: Process context. May sleep.
 */
void vdpa_chain_fini(struct vdpa_chain *chain)
{
	kvfree(chain->seg);
	chain->seg = NULL;
}
EXPORT_SYMBOL_GPL(vdpa_chain_fini);

/**
 * vdpa_ring_fetch() - Take the next available chain.
 * @ring: ring
 * @chain: initialised; what it held is overwritten
 *
 * VIRTIO 1.2, sections 2.7.5 and 2.7.6. The available index is read again
 * only when all chains that it announced have been fetched. The caller owns
 * the chain until it completes it; chains may be completed in any order.
 *
 * A chain is malformed if it has a loop, more than VDPA_CHAIN_MAX buffers
 * (outside indirect tables also if more than the ring has descriptors) or
 * more than 4 GiB, a next index or buffer that is out of range, a readable
 * buffer behind a writable one, or an indirect table that was not negotiated,
 * is empty, ragged, too long, unmapped, nested, or not the chain's last
 * descriptor. Whether buffers are mapped is found out when they are used.
 *
 * The ring is broken if the available index jumps or an entry of the
 * available ring names no descriptor. It stays so until
 * vdpa_ring_set_state().
 *
 * Context: Any context; the owner serialises.
 * Return: 1: @chain is the next one; 0: none is available; -EBADMSG: it is
 * malformed, complete @chain->id with 0 bytes and go on, @chain is empty
 * otherwise; -EIO: the ring is broken, no chain was taken.
 */
int vdpa_ring_fetch(struct vdpa_ring *ring, struct vdpa_chain *chain)
{
	chain->ring = ring;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->out_len = 0;
	chain->in_len = 0;
	chain->out_pos.seg = 0;
	chain->out_pos.off = 0;
	chain->in_pos.seg = 0;
	chain->in_pos.off = 0;
	return INDIRECT_CALL_1(ring->ops->fetch, vdpa_split_fetch, ring, chain);
}
EXPORT_SYMBOL_GPL(vdpa_ring_fetch);

/**
 * vdpa_ring_unfetch() - Put the chains that were fetched last back.
 * @ring: ring
 * @nr: how many; none of these may have been completed
 *
 * The next vdpa_ring_fetch() reads them from the driver's memory again. Chains
 * that were fetched before them stay in flight.
 *
 * Context: Any context; the owner serialises.
 */
void vdpa_ring_unfetch(struct vdpa_ring *ring, u32 nr)
{
	ring->ops->unfetch(ring, nr);
}
EXPORT_SYMBOL_GPL(vdpa_ring_unfetch);

/**
 * vdpa_ring_complete() - Give a chain back to the driver.
 * @ring: ring
 * @id: &vdpa_chain.id of a chain that was fetched and not completed yet
 * @written: bytes that were written to the chain's first writable bytes; 0 for
 *	one that is malformed
 *
 * VIRTIO 1.2, section 2.7.8. The driver sees it at the next
 * vdpa_ring_publish(), so that a batch costs one.
 *
 * Context: Any context; the owner serialises.
 */
void vdpa_ring_complete(struct vdpa_ring *ring, u16 id, u32 written)
{
	INDIRECT_CALL_1(ring->ops->complete, vdpa_split_complete, ring, id,
			written);
}
EXPORT_SYMBOL_GPL(vdpa_ring_complete);

/**
 * vdpa_ring_publish() - Let the driver see what was completed.
 * @ring: ring
 *
 * VIRTIO 1.2, sections 2.7.7 and 2.7.10. Costs a full memory barrier if
 * anything was completed since the last time, else nothing.
 *
 * Context: Any context; the owner serialises.
 * Return: Whether the driver wants to be called now. An owner that publishes
 * several times before it calls must call if any of them returned true.
 */
bool vdpa_ring_publish(struct vdpa_ring *ring)
{
	return INDIRECT_CALL_1(ring->ops->publish, vdpa_split_publish, ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_publish);

/**
 * vdpa_ring_kick_enable() - Ask the driver to kick for the next chain.
 * @ring: ring; the owner has nothing left to fetch
 *
 * VIRTIO 1.2, sections 2.7.9 and 2.7.10. Costs a full memory barrier.
 *
 * Context: Any context; the owner serialises.
 * Return: true: a fetch has something to say (a chain, or that the ring is
 * broken), so do not sleep, the driver may have seen no reason to kick;
 * false: the driver kicks when it makes the next chain available, or the ring
 * is known to be broken.
 */
bool vdpa_ring_kick_enable(struct vdpa_ring *ring)
{
	return ring->ops->kick_enable(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_kick_enable);

/**
 * vdpa_ring_kick_disable() - Tell the driver that kicks are not needed.
 * @ring: ring
 *
 * VIRTIO 1.2, sections 2.7.9 and 2.7.10. A hint: kicks may come all the same.
 *
 * Context: Any context; the owner serialises.
 */
void vdpa_ring_kick_disable(struct vdpa_ring *ring)
{
	ring->ops->kick_disable(ring);
}
EXPORT_SYMBOL_GPL(vdpa_ring_kick_disable);
