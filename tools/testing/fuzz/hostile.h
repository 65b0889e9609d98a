/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input of a target, and a driver that does with its memory what the input
 * says: areas that a device reaches, in which buffers may be anywhere, also in
 * the rings, and that change right after they were read if the input wants it.
 */
#ifndef _FUZZ_HOSTILE_H
#define _FUZZ_HOSTILE_H

#include <compat.h>
#include <linux/vdpa_ring.h>
#include <linux/virtio_ring.h>

#define AREAS_MAX	16
#define AREA_RW		(VDPA_RING_READ | VDPA_RING_WRITE)

/* What IOVAs lead to. */
struct area {
	u64 iova;
	u32 len;
	u32 access;
	u8 *mem;
};

extern struct area areas[AREAS_MAX];
extern u32 nr_areas;
extern u32 translations;	/* how often one was asked for */

/* The input; past its end there are zeroes. */
void input_begin(const u8 *data, size_t size);
size_t input_left(void);
u8 get8(void);
u16 get16(void);
u32 get32(void);
/* An IOVA that often means something. */
u64 get_iova(void);

/* Zeroed memory at @iova, until areas_free(). */
u8 *area_add(u64 iova, u32 len, u32 access);
void areas_free(void);
/* Any byte becomes any other. */
void area_poke(void);
/* A descriptor of a table of @nr. */
void put_desc(void *table, u32 nr);
/* What the driver offers next is @head; for @idx its index is that. */
void put_avail(struct vring_avail *avail, u32 size, u16 head);
void put_avail_idx(struct vring_avail *avail, u16 idx);

/* Another CPU writes to what is read, at random from @seed; 0: there is none */
void chaos_begin(u32 seed);
void chaos_end(void);

/* translate() of struct vdpa_ring_mem. */
void *translate(void *priv, u64 iova, u32 *len, u32 access);

#endif /* _FUZZ_HOSTILE_H */
