// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks of vdpa_blk, and requests to them. Buffer 0 has the headers of all
 * slots, buffer 1 their status bytes; what follows is for data.
 */
#include "blkdev.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blkconf.h"
#include "dev.h"
#include "files.h"
#include "nl.h"

#define DATA_BUF	2
#define SEGS_MAX	16

const struct blk_kind blk_sim = {
	.mgmtdev = "vdpasim_blk", .serial = "vdpa_blk_sim",
	.sectors = 0x40000, .max_ranges = 1,
};

const struct blk_kind blk_file = {
	.mgmtdev = "vdpa_blk", .path = BLK_FILE, .serial = "a serial number",
	.sectors = BLK_MIB * 2048, .max_ranges = 8,
};

const struct blk_kind blk_ram = {
	.mgmtdev = "vdpa_blk", .path = BLK_RAM,
	.serial = "twenty characters...", .sectors = BLK_MIB * 2048,
	.max_ranges = 8,
};

static bool make_backing(const char *path)
{
	if (!strcmp(path, BLK_FILE))
		return !disk_file(BLK_FILE, (uint64_t)BLK_MIB << 20);
	return !run_command("modprobe brd rd_nr=1 rd_size=%d", BLK_MIB << 10) &&
	       file_exists(BLK_RAM);
}

const char *blk_add(const char *name, const struct blk_kind *kind, int queues)
{
	const char *reason = conf_available();
	char text[16];

	if (reason)
		return reason;
	blk_del(name);
	if (kind->path) {
		snprintf(text, sizeof(text), "%d", queues);
		if (!make_backing(kind->path))
			return "there is no backing";
		if (conf_make_on(name, kind->path) ||
		    conf_set(name, "serial", kind->serial) ||
		    conf_set(name, "queues", text))
			return "configfs does not take it";
	}
	return vdpa_add(name, kind->mgmtdev) ? "no device" : NULL;
}

void blk_del(const char *name)
{
	conf_drop(name);
	unlink(BLK_FILE);
}

void *blk_data(struct drv *drv, int sector)
{
	return drv_buf(DATA_BUF, drv) + sector * SECTOR;
}

uint64_t blk_data_iova(int sector)
{
	return drv_buf_iova(DATA_BUF) + sector * SECTOR;
}

static struct virtio_blk_outhdr *header(struct drv *drv, int slot)
{
	return (struct virtio_blk_outhdr *)drv_buf(0, drv) + slot;
}

static uint8_t *status(struct drv *drv, int slot)
{
	return (uint8_t *)drv_buf(1, drv) + slot;
}

void blk_begin(struct drv *drv, int idx, int slot, uint32_t type,
	       uint64_t sector, const struct drv_seg *seg, int nr)
{
	struct virtio_blk_outhdr *hdr = header(drv, slot);
	struct drv_seg chain[SEGS_MAX];

	*hdr = (struct virtio_blk_outhdr) { .type = type, .sector = sector };
	*status(drv, slot) = BLK_NO_STATUS;
	chain[0] = (struct drv_seg) { drv_iova(drv, hdr), sizeof(*hdr) };
	if (nr)
		memcpy(&chain[1], seg, nr * sizeof(*seg));
	chain[nr + 1] = (struct drv_seg) {
		drv_iova(drv, status(drv, slot)), 1, true,
	};
	drv_post(drv, idx, chain, nr + 2);
}

int64_t blk_end(struct drv *drv, int idx)
{
	return drv_used(drv, idx, DRV_WAIT_MS);
}

uint8_t blk_status(struct drv *drv, int slot)
{
	return *status(drv, slot);
}

int blk_do(struct drv *drv, int idx, uint32_t type, uint64_t sector,
	   const struct drv_seg *seg, int nr, int64_t *used)
{
	int64_t len;

	blk_begin(drv, idx, 0, type, sector, seg, nr);
	len = blk_end(drv, idx);
	if (used)
		*used = len;
	return len < 0 ? -1 : blk_status(drv, 0);
}

int64_t blk_counter(const char *name, uint32_t idx, const char *counter)
{
	static struct nl nl;
	int64_t value;

	if (nl_open(&nl))
		return -1;
	value = nl_counter(&nl, name, idx, counter);
	nl_close(&nl);
	return value;
}

static uint8_t pattern(uint32_t seed, size_t i)
{
	return seed + i * 7 + i / 251;
}

bool blk_writes(struct drv *drv, int idx, uint64_t sector, int nr,
		uint32_t seed)
{
	struct drv_seg seg = { blk_data_iova(0), nr * SECTOR };
	uint8_t *data = blk_data(drv, 0);
	int64_t used;

	for (int i = 0; i < nr * SECTOR; i++)
		data[i] = pattern(seed, i);
	return blk_do(drv, idx, VIRTIO_BLK_T_OUT, sector, &seg, 1, &used) ==
	       VIRTIO_BLK_S_OK && used == 1;
}

bool blk_reads(struct drv *drv, int idx, uint64_t sector, int nr,
	       uint32_t seed)
{
	struct drv_seg seg = { blk_data_iova(0), nr * SECTOR, true };
	uint8_t *data = blk_data(drv, 0);
	int64_t used;

	memset(data, BLK_NO_STATUS, nr * SECTOR);
	if (blk_do(drv, idx, VIRTIO_BLK_T_IN, sector, &seg, 1, &used) ||
	    used != nr * SECTOR + 1)
		return false;
	for (int i = 0; i < nr * SECTOR; i++)
		if (data[i] != pattern(seed, i))
			return false;
	return true;
}

bool blk_works(struct drv *drv)
{
	static uint32_t seed;

	return blk_writes(drv, 0, 7, 1, ++seed) &&
	       blk_reads(drv, 0, 7, 1, seed);
}
