/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's side of a split virtqueue, for tests of the device's side: it
 * can be as wrong as a test wants. Memory of the driver is a list of mappings
 * that the device reaches through drv_translate().
 */
#ifndef _UNIT_DRV_H
#define _UNIT_DRV_H

#include <compat.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/vdpa_ring.h>

#define DRV_MAPS	64
/* Where drv_init() maps the first bytes of data, readable and writable. */
#define DRV_IOVA	0x100000ULL
#define DRV_BYTES	0x40000U

#define DRV_INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)
#define DRV_EVENT_IDX	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)

struct drv_map {
	u64 iova;
	u64 len;
	u8 *mem;
	u32 access;
};

struct drv {
	u32 size;
	u64 features;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u8 *data;			/* DRV_BYTES of it */
	struct drv_map map[DRV_MAPS];
	u32 nr_maps;
	u32 translations;		/* calls of drv_translate() */
	u16 used_seen;

	struct vdpa_ring *ring;
	struct vdpa_chain chain;
};

/* Returns 0, or what vdpa_ring_create() said. */
int drv_init(struct drv *d, u32 size, u64 features);
void drv_fini(struct drv *d);

void drv_map(struct drv *d, u64 iova, u64 len, void *mem, u32 access);
void drv_unmap_all(struct drv *d);
void *drv_translate(void *priv, u64 iova, u32 *len, u32 access);

/* Descriptor @i of @table, which is the ring's if NULL. */
void drv_desc(struct drv *d, void *table, u32 i, u64 iova, u32 len, u16 flags,
	      u16 next);
/* Makes the chain that starts at @head available. */
void drv_offer(struct drv *d, u16 head);
/* A good chain of one readable byte. */
void drv_offer_good(struct drv *d, u16 head);
u16 drv_avail_idx(const struct drv *d);
u16 drv_used_idx(const struct drv *d);
void drv_set_used_event(struct drv *d, u16 val);
u16 drv_avail_event(const struct drv *d);
/* Would the driver kick, having moved the available index on from @old? */
bool drv_would_kick(const struct drv *d, u16 old);

/* Both indices, in memory and of the device, as after a migration. */
int drv_set_base(struct drv *d, u16 base);

/* Counts what the device reads, from when it is switched on. */
void drv_watch_reads(bool on);
extern u32 drv_reads, drv_reads_again;
u32 drv_reads_of(const void *p);

#endif /* _UNIT_DRV_H */
