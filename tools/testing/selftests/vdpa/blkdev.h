/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks of vdpa_blk: made of each kind of backing, driven by driver.c, one
 * request at a time.
 */
#ifndef VDPA_SELFTESTS_BLKDEV_H
#define VDPA_SELFTESTS_BLKDEV_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stdint.h>

#include "driver.h"

#define BLK_FILE	"/tmp/vdpa-blk-test.img"
#define BLK_RAM		"/dev/ram0"
#define BLK_MIB		64	/* of the backings; vdpasim_blk has 128 */

/* What a test must not find at the place of the status. */
#define BLK_NO_STATUS	0xee

/* A kind of disk: its management device, and the backing if it has one. */
struct blk_kind {
	const char *mgmtdev;
	const char *path;
	const char *serial;
	uint64_t sectors;
	uint32_t max_ranges;
};

extern const struct blk_kind blk_sim, blk_file, blk_ram;

/* A disk for a test, with @queues: why there is none, or NULL. */
const char *blk_add(const char *name, const struct blk_kind *kind, int queues);
/* The device, its directory and its file, whatever of them is there. */
void blk_del(const char *name);

/*
 * A request with the data @seg, readable or writable, between header and
 * status. blk_begin() posts it in @slot, of which there are eight, blk_end()
 * waits for any: the length in the used ring, -1 if nothing came.
 */
void blk_begin(struct drv *drv, int idx, int slot, uint32_t type,
	       uint64_t sector, const struct drv_seg *seg, int nr);
int64_t blk_end(struct drv *drv, int idx);
uint8_t blk_status(struct drv *drv, int slot);
/* Both, in slot 0: the status, or -1; and the length in *@used. */
int blk_do(struct drv *drv, int idx, uint32_t type, uint64_t sector,
	   const struct drv_seg *seg, int nr, int64_t *used);
/* A counter of a virtqueue, by netlink: vdpa(8) shows those of NICs only. */
int64_t blk_counter(const char *name, uint32_t idx, const char *counter);
/* A sector of the data buffers, from which all of these take their memory. */
void *blk_data(struct drv *drv, int sector);
uint64_t blk_data_iova(int sector);
/* Write @nr sectors of a pattern, or read and compare them. */
bool blk_writes(struct drv *drv, int idx, uint64_t sector, int nr,
		uint32_t seed);
bool blk_reads(struct drv *drv, int idx, uint64_t sector, int nr,
	       uint32_t seed);
/* One sector is written and read. */
bool blk_works(struct drv *drv);

#endif /* VDPA_SELFTESTS_BLKDEV_H */
