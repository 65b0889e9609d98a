// SPDX-License-Identifier: GPL-2.0-only
/*
 * What software devices reach: exactly the bytes that are mapped, and only as
 * they are mapped. A hole of one byte, or memory that is mapped for the other
 * direction, under each thing that a driver may point to: the areas of a ring,
 * an indirect table, a frame, a control command and its answer, the header,
 * data and status of a disk's request.
 */
#include "common.h"

#include <linux/if_ether.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "driver.h"
#include "files.h"
#include "mem.h"
#include "vhost.h"

#define NAME		"reach"
#define FRAME		100
#define END		(DRV_IOVA + DRV_MEM)
#define CANARY		0xa5

#define RO	VHOST_ACCESS_RO
#define WO	VHOST_ACCESS_WO
#define RW	VHOST_ACCESS_RW

/* @perm for @len bytes at @iova, 0: a hole; the rest for reading and writing. */
static int map_with(struct drv *drv, uint64_t iova, uint64_t len, uint8_t perm)
{
	int fd = drv->fd;

	if (iotlb_unmap(fd, 0, 0, UINT64_MAX) ||
	    (iova > DRV_IOVA && iotlb_map(fd, 0, DRV_IOVA, iova - DRV_IOVA,
					  drv->mem, RW)))
		return -1;
	if (perm && iotlb_map(fd, 0, iova, len, drv->mem + (iova - DRV_IOVA),
			      perm))
		return -1;
	iova += len;
	return iova == END ? 0 : iotlb_map(fd, 0, iova, END - iova,
					   drv->mem + (iova - DRV_IOVA), RW);
}

static int map_all(struct drv *drv)
{
	return map_with(drv, END, 0, 0);
}

/* The areas of the ring of TX. */
FIXTURE(ring) {
	struct drv drv;
	struct {
		uint64_t iova;
		uint64_t len;
	} area;
};

FIXTURE_VARIANT(ring) {
	bool event_idx;
	int area;
	uint8_t other;		/* the access that is not enough */
	bool set_map;		/* by whole tables, not by changes */
};

enum { DESC, AVAIL, USED };

FIXTURE_VARIANT_ADD(ring, descriptors) { false, DESC, WO };
FIXTURE_VARIANT_ADD(ring, available) { false, AVAIL, WO };
FIXTURE_VARIANT_ADD(ring, used) { false, USED, RO };
FIXTURE_VARIANT_ADD(ring, available_event_idx) { true, AVAIL, WO };
FIXTURE_VARIANT_ADD(ring, used_event_idx) { true, USED, RO };
FIXTURE_VARIANT_ADD(ring, descriptors_in_tables) { false, DESC, WO, true };
FIXTURE_VARIANT_ADD(ring, used_in_tables) { false, USED, RO, true };

/* Software devices take whole tables, or changes: vdpa_soft is told which. */
static int take_tables(bool set_map)
{
	char now[4] = "";

	file_read(now, sizeof(now),
		  "/sys/module/vdpa_soft/parameters/set_map");
	if (*now == (set_map ? 'Y' : 'N'))
		return 0;
	return run_command("modprobe -r vdpa_net vdpa_blk vdpa_soft") ||
	       run_command("modprobe vdpa_soft set_map=%d", set_map);
}

FIXTURE_SETUP(ring)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	int event = variant->event_idx ? 2 : 0;
	const char *reason;

	if (!module_load("vdpa_soft"))
		SKIP(return, "vdpa_soft cannot be loaded");
	ASSERT_EQ(0, take_tables(variant->set_map));
	reason = drv_device(NAME);
	if (reason)
		SKIP(return, "%s", reason);
	if (variant->event_idx)
		self->drv.features = BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	self->drv.size = 16;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	switch (variant->area) {
	case DESC:
		self->area.iova = vq->desc_iova;
		self->area.len = 16 * 16;
		break;
	case AVAIL:
		self->area.iova = vq->avail_iova;
		self->area.len = 4 + 16 * 2 + event;
		break;
	default:
		self->area.iova = vq->used_iova;
		self->area.len = 4 + 16 * 8 + event;
	}
}

FIXTURE_TEARDOWN(ring)
{
	drv_end(&self->drv, NAME);
	EXPECT_EQ(0, take_tables(false));
}

/* Of a byte at @iova the device has nothing, and does nothing. */
static void expect_stall(struct __test_metadata *_metadata, struct drv *drv,
			 uint64_t iova, uint64_t len, uint8_t perm)
{
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, map_with(drv, iova, len, perm));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	EXPECT_EQ(STATUS_RUNNING, get_status(drv->fd));
	ASSERT_ERRNO(0, map_all(drv));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(ring, area_that_lacks_its_last_byte_is_not_used)
{
	expect_stall(_metadata, &self->drv, self->area.iova +
		     self->area.len - 1, 1, 0);
}

TEST_F(ring, area_that_lacks_its_first_byte_is_not_used)
{
	expect_stall(_metadata, &self->drv, self->area.iova, 1, 0);
}

TEST_F(ring, area_that_is_mapped_for_the_other_direction_is_not_used)
{
	expect_stall(_metadata, &self->drv, self->area.iova, self->area.len,
		     variant->other);
}

/* What lies around it need not be there. */
TEST_F(ring, area_alone_is_enough)
{
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, map_with(drv, self->area.iova + self->area.len, 1, 0));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(drv_works(drv, FRAME));
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, map_with(drv, self->area.iova - 1, 1, 0));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

/* What chains of the NIC point to. */
FIXTURE(nic) {
	struct drv drv;
};

FIXTURE_SETUP(nic)
{
	const char *reason = drv_device(NAME);

	if (reason)
		SKIP(return, "%s", reason);
	self->drv.features = BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |
			     BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) |
			     BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	self->drv.size = 16;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(nic)
{
	drv_end(&self->drv, NAME);
}

/* The frame of buffer 1 is sent: 1 if it was, 0 if it was an error. */
static int sends(struct drv *drv)
{
	struct drv_seg seg = { drv_buf_iova(1), DRV_HDR + FRAME };
	int64_t errors = drv_counter(NAME, DRV_TX, "tx errors");

	drv_fill(drv_buf(1, drv), FRAME, NULL, 0);
	drv_post(drv, DRV_TX, &seg, 1);
	if (errors < 0 || drv_used(drv, DRV_TX, DRV_WAIT_MS))
		return -1;
	return drv_counter(NAME, DRV_TX, "tx errors") == errors;
}

TEST_F(nic, frame_is_read_from_what_is_mapped_for_reading)
{
	static const uint32_t holes[] = {
		0, DRV_HDR - 1, DRV_HDR, DRV_HDR + FRAME - 1,
	};
	struct drv *drv = &self->drv;
	uint64_t iova = drv_buf_iova(1);

	for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
		ASSERT_ERRNO(0, map_with(drv, iova + holes[i], 1, 0));
		EXPECT_EQ(0, sends(drv));
		ASSERT_ERRNO(0, map_with(drv, iova + holes[i], 1, WO));
		EXPECT_EQ(0, sends(drv));
		ASSERT_ERRNO(0, map_with(drv, iova + holes[i], 1, RO));
		EXPECT_EQ(1, sends(drv));
	}
	ASSERT_ERRNO(0, map_with(drv, iova + DRV_HDR + FRAME, 1, 0));
	EXPECT_EQ(1, sends(drv));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(nic, indirect_table_is_read_from_what_is_mapped_for_reading)
{
	struct drv *drv = &self->drv;
	const uint64_t iova = drv->vq[DRV_TX].table_iova;
	const uint32_t len = sizeof(struct vring_desc);

	drv->indirect = true;
	for (uint32_t hole = 0; hole < len; hole += len - 1) {
		ASSERT_ERRNO(0, drv_restart(drv));
		ASSERT_ERRNO(0, map_with(drv, iova + hole, 1, 0));
		EXPECT_EQ(0, sends(drv));
		ASSERT_ERRNO(0, drv_restart(drv));
		ASSERT_ERRNO(0, map_with(drv, iova + hole, 1, WO));
		EXPECT_EQ(0, sends(drv));
		ASSERT_ERRNO(0, drv_restart(drv));
		ASSERT_ERRNO(0, map_with(drv, iova + hole, 1, RO));
		EXPECT_EQ(1, sends(drv));
	}
}

/* A frame to RX with one byte of the buffer mapped as @perm: what came. */
static int64_t receives(struct drv *drv, uint32_t hole, uint8_t perm)
{
	struct drv_seg rx = { drv_buf_iova(8), DRV_BUF, true };

	if (map_with(drv, rx.iova + hole, 1, perm))
		return -1;
	memset(drv_buf(8, drv), CANARY, DRV_BUF);
	drv_post(drv, DRV_RX, &rx, 1);
	if (sends(drv) != 1)
		return -1;
	return drv_used(drv, DRV_RX, DRV_WAIT_MS);
}

TEST_F(nic, frame_is_written_to_what_is_mapped_for_writing)
{
	static const uint32_t holes[] = {
		0, DRV_HDR - 1, DRV_HDR, DRV_HDR + FRAME - 1,
	};
	struct drv *drv = &self->drv;
	uint8_t *buf = drv_buf(8, drv);

	for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
		EXPECT_EQ(0, receives(drv, holes[i], 0));
		EXPECT_EQ(CANARY, buf[holes[i]]);
		EXPECT_EQ(0, receives(drv, holes[i], RO));
		EXPECT_EQ(CANARY, buf[holes[i]]);
		EXPECT_EQ(DRV_HDR + FRAME, receives(drv, holes[i], WO));
	}
	EXPECT_EQ(DRV_HDR + FRAME, receives(drv, DRV_HDR + FRAME, 0));
	EXPECT_EQ(CANARY, buf[DRV_HDR + FRAME]);
	EXPECT_TRUE(drv_works(drv, FRAME));
}

/* The command of buffer 2, the answer in buffer 3: how many bytes it has. */
static int64_t commands(struct drv *drv)
{
	struct drv_seg seg[] = {
		{ drv_buf_iova(2), 8 }, { drv_buf_iova(3), 1, true },
	};

	memcpy(drv_buf(2, drv), "\x01\x01\x52\x54\0\0\0\x79", 8);
	*(uint8_t *)drv_buf(3, drv) = CANARY;
	drv_post(drv, DRV_CTRL, seg, 2);
	return drv_used(drv, DRV_CTRL, DRV_WAIT_MS);
}

TEST_F(nic, control_command_is_read_from_what_is_mapped_for_reading)
{
	struct drv *drv = &self->drv;
	uint8_t *ack = drv_buf(3, drv);

	for (int hole = 0; hole < 8; hole++) {
		ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(2) + hole, 1, 0));
		EXPECT_EQ(1, commands(drv));
		EXPECT_EQ(VIRTIO_NET_ERR, *ack);
		ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(2) + hole, 1, WO));
		EXPECT_EQ(1, commands(drv));
		EXPECT_EQ(VIRTIO_NET_ERR, *ack);
	}
	ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(2), 8, RO));
	EXPECT_EQ(1, commands(drv));
	EXPECT_EQ(VIRTIO_NET_OK, *ack);
}

TEST_F(nic, control_answer_is_written_to_what_is_mapped_for_writing)
{
	struct drv *drv = &self->drv;
	uint8_t *ack = drv_buf(3, drv);

	ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(3), 1, 0));
	EXPECT_EQ(0, commands(drv));
	EXPECT_EQ(CANARY, *ack);
	ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(3), 1, RO));
	EXPECT_EQ(0, commands(drv));
	EXPECT_EQ(CANARY, *ack);
	ASSERT_ERRNO(0, map_with(drv, drv_buf_iova(3), 1, WO));
	EXPECT_EQ(1, commands(drv));
	EXPECT_EQ(VIRTIO_NET_OK, *ack);
}

/* What requests to a disk point to. */
FIXTURE(disk) {
	struct drv drv;
};

FIXTURE_VARIANT(disk) {
	const struct blk_kind *kind;
};

FIXTURE_VARIANT_ADD(disk, sim) { &blk_sim };
FIXTURE_VARIANT_ADD(disk, file) { &blk_file };
FIXTURE_VARIANT_ADD(disk, block_device) { &blk_ram };

FIXTURE_SETUP(disk)
{
	const char *reason = blk_add(NAME, variant->kind, 1);

	if (reason)
		SKIP(return, "%s", reason);
	self->drv.features = BIT_ULL(VIRTIO_BLK_F_FLUSH);
	self->drv.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_TRUE(blk_writes(&self->drv, 0, 0, 1, 1));
}

FIXTURE_TEARDOWN(disk)
{
	drv_end(&self->drv, NAME);
	blk_del(NAME);
}

enum { HEADER, DATA, STATUS, PARTS };

/*
 * A request of one sector with one byte of its @part mapped as @perm: what is
 * in the used ring. Parts lie a sector apart.
 */
static int64_t request(struct drv *drv, uint32_t type, int part, uint32_t hole,
		       uint8_t perm)
{
	struct virtio_blk_outhdr *hdr = blk_data(drv, 2 * HEADER);
	const struct drv_seg seg[PARTS] = {
		{ blk_data_iova(2 * HEADER), sizeof(*hdr) },
		{ blk_data_iova(2 * DATA), SECTOR, type == VIRTIO_BLK_T_IN },
		{ blk_data_iova(2 * STATUS), 1, true },
	};

	*hdr = (struct virtio_blk_outhdr) { .type = type };
	memset(blk_data(drv, 2 * DATA), CANARY, SECTOR);
	*(uint8_t *)blk_data(drv, 2 * STATUS) = CANARY;
	if (map_with(drv, blk_data_iova(2 * part) + hole, 1, perm))
		return -1;
	drv_post(drv, 0, seg, PARTS);
	return blk_end(drv, 0);
}

static uint8_t byte_of(struct drv *drv, int part, uint32_t at)
{
	return ((uint8_t *)blk_data(drv, 2 * part))[at];
}

/* All is as before, once all is mapped again. */
static void expect_unchanged(struct __test_metadata *_metadata,
			     struct drv *drv)
{
	ASSERT_ERRNO(0, map_all(drv));
	EXPECT_TRUE(blk_reads(drv, 0, 0, 1, 1));
	EXPECT_TRUE(blk_works(drv));
}

TEST_F(disk, header_is_read_from_what_is_mapped_for_reading)
{
	struct drv *drv = &self->drv;

	for (uint32_t hole = 0; hole < 16; hole += 5) {
		for (uint8_t perm = 0; perm <= WO; perm += WO) {
			EXPECT_EQ(1, request(drv, VIRTIO_BLK_T_OUT, HEADER,
					     hole, perm));
			EXPECT_EQ(VIRTIO_BLK_S_IOERR, byte_of(drv, STATUS, 0));
		}
	}
	expect_unchanged(_metadata, drv);
}

TEST_F(disk, data_is_read_from_what_is_mapped_for_reading)
{
	struct drv *drv = &self->drv;

	for (uint32_t hole = 0; hole < SECTOR; hole += SECTOR - 1) {
		EXPECT_EQ(1, request(drv, VIRTIO_BLK_T_OUT, DATA, hole, 0));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, byte_of(drv, STATUS, 0));
		EXPECT_EQ(1, request(drv, VIRTIO_BLK_T_OUT, DATA, hole, WO));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, byte_of(drv, STATUS, 0));
	}
	expect_unchanged(_metadata, drv);
	EXPECT_EQ(1, request(drv, VIRTIO_BLK_T_OUT, DATA, 0, RO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, byte_of(drv, STATUS, 0));
}

TEST_F(disk, data_is_written_to_what_is_mapped_for_writing)
{
	struct drv *drv = &self->drv;

	for (uint32_t hole = 0; hole < SECTOR; hole += SECTOR - 1) {
		EXPECT_EQ(0, request(drv, VIRTIO_BLK_T_IN, DATA, hole, 0));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, byte_of(drv, STATUS, 0));
		EXPECT_EQ(CANARY, byte_of(drv, DATA, hole));
		EXPECT_EQ(0, request(drv, VIRTIO_BLK_T_IN, DATA, hole, RO));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, byte_of(drv, STATUS, 0));
		EXPECT_EQ(CANARY, byte_of(drv, DATA, hole));
	}
	EXPECT_EQ(SECTOR + 1, request(drv, VIRTIO_BLK_T_IN, DATA, 0, WO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, byte_of(drv, STATUS, 0));
	/* The byte after it does not matter. */
	EXPECT_EQ(SECTOR + 1, request(drv, VIRTIO_BLK_T_IN, DATA, SECTOR, 0));
	expect_unchanged(_metadata, drv);
}

TEST_F(disk, status_is_written_to_what_is_mapped_for_writing)
{
	struct drv *drv = &self->drv;

	for (uint8_t perm = 0; perm <= RO; perm += RO) {
		EXPECT_EQ(0, request(drv, VIRTIO_BLK_T_IN, STATUS, 0, perm));
		EXPECT_EQ(CANARY, byte_of(drv, STATUS, 0));
	}
	EXPECT_EQ(SECTOR + 1, request(drv, VIRTIO_BLK_T_IN, STATUS, 0, WO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, byte_of(drv, STATUS, 0));
	expect_unchanged(_metadata, drv);
}

TEST_HARNESS_MAIN
