/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Device side of a virtqueue (VIRTIO 1.2, section 2.6 ff.), whatever its
 * layout.
 *
 * The owner of a struct vdpa_ring serialises all calls on it. Nothing here
 * allocates, sleeps or locks but the functions that create and destroy, which
 * may sleep. The code compiles for user space too: the ring areas are plain
 * memory, and buffers are reached through a translation that the owner gives.
 *
 * The driver owns the memory and may write to it at any time: everything is
 * read once, checked, and used from the copy only.
 */
#ifndef _LINUX_VDPA_RING_H
#define _LINUX_VDPA_RING_H

#include <linux/types.h>

/* Access to driver memory, the values of VHOST_ACCESS_*. */
#define VDPA_RING_READ	0x1
#define VDPA_RING_WRITE	0x2

/* Longest chain that is taken, in segments, indirect ones included. */
#define VDPA_CHAIN_MAX	1024

/**
 * struct vdpa_ring_mem - how the device reaches memory of the driver
 * @translate: returns where the byte at @iova is, and cuts *@len (never 0) to
 *	what lies contiguous from there; NULL if it is not mapped for @access
 *	(VDPA_RING_READ or VDPA_RING_WRITE). Must not sleep.
 * @priv: first argument of @translate
 */
struct vdpa_ring_mem {
	void *(*translate)(void *priv, u64 iova, u32 *len, u32 access);
	void *priv;
};

/**
 * struct vdpa_ring_cfg - what a ring is made of
 * @features: negotiated virtio features; VIRTIO_RING_F_INDIRECT_DESC and
 *	VIRTIO_RING_F_EVENT_IDX matter here
 * @size: descriptors; a power of two, 1 to 32768
 * @desc: descriptor area, 16-byte aligned
 * @driver: driver area (available ring), 2-byte aligned
 * @device: device area (used ring), 4-byte aligned
 * @mem: how buffers and indirect tables are reached; copied
 */
struct vdpa_ring_cfg {
	u64 features;
	u32 size;
	void *desc;
	void *driver;
	void *device;
	struct vdpa_ring_mem mem;
};

/**
 * struct vdpa_ring_state - where a ring stands, for SET/GET_VRING_BASE
 * @avail: index of the next available descriptor, free running in a split ring
 * @used: index of the next used descriptor; an owner that knows @avail only
 *	(VHOST_SET_VRING_BASE of a split ring) sets both to it: then no chain
 *	is in flight
 * @avail_wrap: driver ring wrap counter; packed rings only
 * @used_wrap: device ring wrap counter; packed rings only
 */
struct vdpa_ring_state {
	u16 avail;
	u16 used;
	bool avail_wrap;
	bool used_wrap;
};

/* A buffer of a chain: @len bytes of driver memory at @iova. */
struct vdpa_seg {
	u64 iova;
	u32 len;
};

struct vdpa_ring;

/**
 * struct vdpa_chain - one descriptor chain, device-readable part first
 * @ring: the ring it came from
 * @seg: the buffers; @nr_out readable ones, then @nr_in writable ones, none
 *	of them empty
 * @nr_out: how many buffers the device may read
 * @nr_in: how many buffers the device may write
 * @out_len: bytes that are readable
 * @in_len: bytes that are writable
 * @id: what identifies the chain to the driver when it is completed
 * @out_pos: what vdpa_chain_pull() moves next: buffer and offset in it
 * @in_pos: what vdpa_chain_push() fills next: buffer and offset in it
 *
 * Valid until the next vdpa_ring_fetch() into it, or until its ring goes.
 */
struct vdpa_chain {
	const struct vdpa_ring *ring;
	struct vdpa_seg *seg;
	u32 nr_out;
	u32 nr_in;
	u64 out_len;
	u64 in_len;
	u16 id;
	struct {
		u32 seg;
		u32 off;
	} out_pos, in_pos;
};

/* state.c: life of a ring */
struct vdpa_ring *vdpa_ring_create(const struct vdpa_ring_cfg *cfg);
void vdpa_ring_destroy(struct vdpa_ring *ring);
void vdpa_ring_get_state(const struct vdpa_ring *ring,
			 struct vdpa_ring_state *state);
int vdpa_ring_set_state(struct vdpa_ring *ring,
			const struct vdpa_ring_state *state);
size_t vdpa_ring_desc_bytes(u32 size, u64 features);
size_t vdpa_ring_driver_bytes(u32 size, u64 features);
size_t vdpa_ring_device_bytes(u32 size, u64 features);

/*
 * chain.c: chains out of a ring and back, notifications.
 * vdpa_ring_fetch() - 1: @chain is the next one; 0: none available; -EBADMSG:
 * malformed, complete @chain->id with 0 bytes and go on; -EIO: the ring itself
 * is broken, no further call makes sense until a reset.
 * vdpa_ring_publish() - true: the driver wants to be called.
 * vdpa_ring_kick_enable() - true: chains are available already, no kick will
 * come for them: fetch again before sleeping. A ring starts with kicks in an
 * unknown state: enable or disable them before the first fetch.
 */
int vdpa_chain_init(struct vdpa_chain *chain);
void vdpa_chain_fini(struct vdpa_chain *chain);
int vdpa_ring_fetch(struct vdpa_ring *ring, struct vdpa_chain *chain);
void vdpa_ring_unfetch(struct vdpa_ring *ring, u32 nr);
void vdpa_ring_complete(struct vdpa_ring *ring, u16 id, u32 written);
bool vdpa_ring_publish(struct vdpa_ring *ring);
bool vdpa_ring_kick_enable(struct vdpa_ring *ring);
void vdpa_ring_kick_disable(struct vdpa_ring *ring);

/*
 * xfer.c: bytes in and out of a chain. pull and push return how many they
 * moved: less than asked at the end of the chain or at a hole in the mapping.
 * vdpa_chain_next() returns the next contiguous piece, sets *@len to its
 * length (output only) and steps over it; NULL at the end or at a hole.
 */
size_t vdpa_chain_pull(struct vdpa_chain *chain, void *buf, size_t len);
size_t vdpa_chain_push(struct vdpa_chain *chain, const void *buf, size_t len);
void *vdpa_chain_next(struct vdpa_chain *chain, u32 access, u32 *len);

#endif /* _LINUX_VDPA_RING_H */
