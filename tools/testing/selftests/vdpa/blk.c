// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software disks, on each kind of backing, with a driver in user space: what is
 * asked of them in good order.
 */
#include "common.h"

#include <stdio.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define NAME	"blktest"

#define FEATURES	(BIT_ULL(VIRTIO_BLK_F_FLUSH) | \
			 BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
			 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) | \
			 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))
#define CONFIG_WCE	BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE)

FIXTURE(blk) {
	struct drv drv;
};

FIXTURE_VARIANT(blk) {
	const struct blk_kind *kind;
	uint64_t features;
	int queues;
};

FIXTURE_VARIANT_ADD(blk, sim) { &blk_sim, FEATURES, 1 };

FIXTURE_VARIANT_ADD(blk, sim_event_idx) {
	&blk_sim, FEATURES | BIT_ULL(VIRTIO_RING_F_EVENT_IDX), 1
};

FIXTURE_VARIANT_ADD(blk, file) { &blk_file, FEATURES | CONFIG_WCE, 3 };

FIXTURE_VARIANT_ADD(blk, file_writethrough) {
	&blk_file, FEATURES & ~BIT_ULL(VIRTIO_BLK_F_FLUSH), 1
};

FIXTURE_VARIANT_ADD(blk, block_device) { &blk_ram, FEATURES | CONFIG_WCE, 3 };

FIXTURE_SETUP(blk)
{
	const char *reason = blk_add(NAME, variant->kind, variant->queues);

	if (reason)
		SKIP(return, "%s", reason);
	self->drv.features = variant->features;
	self->drv.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_EQ(STATUS_RUNNING, get_status(self->drv.fd));
}

FIXTURE_TEARDOWN(blk)
{
	drv_end(&self->drv, NAME);
	blk_del(NAME);
}

TEST_F(blk, reads_what_was_written_on_every_queue)
{
	const uint64_t places[] = { 0, 1, 8, variant->kind->sectors - 64 };
	unsigned int i, idx;

	ASSERT_EQ(variant->queues, self->drv.nvqs);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		idx = i % variant->queues;
		ASSERT_TRUE(blk_writes(&self->drv, idx, places[i], 64, i));
		ASSERT_TRUE(blk_reads(&self->drv, idx, places[i], 64, i));
		/* The driver never says that it wants to be called again. */
		if (!(variant->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX)))
			EXPECT_TRUE(drv_called(&self->drv, idx, DRV_WAIT_MS));
	}
}

TEST_F(blk, counts_what_it_does)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(blk_writes(drv, 0, 0, 3, 1));
	ASSERT_TRUE(blk_reads(drv, 0, 0, 3, 1));
	ASSERT_TRUE(blk_reads(drv, 0, 0, 2, 1));
	EXPECT_EQ(2, blk_counter(NAME, 0, "reads"));
	EXPECT_EQ(5 * SECTOR, blk_counter(NAME, 0, "read bytes"));
	EXPECT_EQ(1, blk_counter(NAME, 0, "writes"));
	EXPECT_EQ(3 * SECTOR, blk_counter(NAME, 0, "written bytes"));
	EXPECT_EQ(0, blk_counter(NAME, 0, "errors"));
}

TEST_F(blk, takes_data_in_pieces_of_any_alignment)
{
	static const uint32_t lens[] = { 1, 511, 3, 509, 1000, 24 };
	struct drv_seg out[ARRAY_SIZE(lens)], in[ARRAY_SIZE(lens)];
	uint8_t *data = blk_data(&self->drv, 0);
	uint32_t off = 0, i;
	int64_t used;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		out[i] = (struct drv_seg) { blk_data_iova(0) + off + i,
					    lens[i] };
		in[i] = (struct drv_seg) { blk_data_iova(16) + off + i,
					   lens[i], true };
		memset(data + off + i, 'a' + i, lens[i]);
		off += lens[i];
	}
	ASSERT_EQ(0, blk_do(&self->drv, 0, VIRTIO_BLK_T_OUT, 33, out,
			    ARRAY_SIZE(out), NULL));
	ASSERT_EQ(0, blk_do(&self->drv, 0, VIRTIO_BLK_T_IN, 33, in,
			    ARRAY_SIZE(in), &used));
	EXPECT_EQ(off + 1, used);
	for (i = 0, off = 0; i < ARRAY_SIZE(lens); i++) {
		EXPECT_EQ(0, memcmp(data + off + i,
				    data + 16 * SECTOR + off + i, lens[i]))
			TH_LOG("piece %u", i);
		off += lens[i];
	}
}

TEST_F(blk, takes_a_header_in_twelve_descriptors)
{
	struct virtio_blk_outhdr *hdr = blk_data(&self->drv, 0);
	uint8_t *status = blk_data(&self->drv, 4);
	struct drv_seg seg[14];
	int i;

	ASSERT_TRUE(blk_writes(&self->drv, 0, 5, 1, 9));
	*hdr = (struct virtio_blk_outhdr) { .type = VIRTIO_BLK_T_IN,
					    .sector = 5 };
	for (i = 0; i < 12; i++)
		seg[i] = (struct drv_seg) { blk_data_iova(0) + i,
					    i < 11 ? 1 : sizeof(*hdr) - 11 };
	seg[12] = (struct drv_seg) { blk_data_iova(1), SECTOR, true };
	seg[13] = (struct drv_seg) { blk_data_iova(4), 1, true };
	*status = BLK_NO_STATUS;
	drv_post(&self->drv, 0, seg, 14);
	EXPECT_EQ(SECTOR + 1, blk_end(&self->drv, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, *status);
}

TEST_F(blk, takes_data_and_status_in_one_buffer)
{
	struct virtio_blk_outhdr *hdr = blk_data(&self->drv, 0);
	uint8_t *in = blk_data(&self->drv, 2);
	const struct drv_seg seg[] = {
		{ blk_data_iova(0), sizeof(*hdr) },
		{ blk_data_iova(2), SECTOR + 1, true },
	};

	ASSERT_TRUE(blk_writes(&self->drv, 0, 5, 1, 9));
	*hdr = (struct virtio_blk_outhdr) { .type = VIRTIO_BLK_T_IN,
					    .sector = 5 };
	memset(in, BLK_NO_STATUS, SECTOR + 1);
	drv_post(&self->drv, 0, seg, 2);
	EXPECT_EQ(SECTOR + 1, blk_end(&self->drv, 0));
	EXPECT_EQ(9, in[0]);
	EXPECT_EQ(VIRTIO_BLK_S_OK, in[SECTOR]);
}

TEST_F(blk, tells_its_serial_number)
{
	struct drv_seg seg = { blk_data_iova(0), 20, true };
	char *id = blk_data(&self->drv, 0), want[21] = "";
	int64_t used;

	memcpy(want, variant->kind->serial, strlen(variant->kind->serial));
	memset(id, 'x', 20);
	ASSERT_EQ(0, blk_do(&self->drv, 0, VIRTIO_BLK_T_GET_ID, 0, &seg, 1,
			    &used));
	EXPECT_EQ(21, used);
	EXPECT_EQ(0, memcmp(want, id, 20));
	seg.len = 19;
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  blk_do(&self->drv, 0, VIRTIO_BLK_T_GET_ID, 0, &seg, 1, NULL));
}

TEST_F(blk, flushes_if_that_was_negotiated)
{
	bool has = variant->features & BIT_ULL(VIRTIO_BLK_F_FLUSH);
	int64_t used;

	EXPECT_EQ(has ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP,
		  blk_do(&self->drv, 0, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, &used));
	EXPECT_EQ(1, used);
	EXPECT_EQ(has, blk_counter(NAME, 0, "flushes"));
}

static bool is_zero(struct drv *drv, uint64_t sector, int nr)
{
	struct drv_seg seg = { blk_data_iova(0), nr * SECTOR, true };
	uint8_t *data = blk_data(drv, 0);

	memset(data, BLK_NO_STATUS, nr * SECTOR);
	if (blk_do(drv, 0, VIRTIO_BLK_T_IN, sector, &seg, 1, NULL))
		return false;
	for (int i = 0; i < nr * SECTOR; i++)
		if (data[i])
			return false;
	return true;
}

/* @nr ranges of @len sectors each, one behind the other. */
static int do_ranges(struct drv *drv, uint32_t type, uint64_t sector,
		     uint32_t len, uint32_t flags, uint32_t nr)
{
	struct virtio_blk_discard_write_zeroes *range = blk_data(drv, 0);
	struct drv_seg seg = { blk_data_iova(0), nr * sizeof(*range) };

	for (uint32_t i = 0; i < nr; i++)
		range[i] = (struct virtio_blk_discard_write_zeroes) {
			.sector = sector + i * len, .num_sectors = len,
			.flags = flags,
		};
	return blk_do(drv, 0, type, 0, &seg, 1, NULL);
}

TEST_F(blk, writes_zeroes_where_it_was_told_to)
{
	uint32_t nr = variant->kind->max_ranges;
	uint32_t flags;

	for (flags = 0; flags < 2; flags++) {
		ASSERT_TRUE(blk_writes(&self->drv, 0, 0, 64, 5));
		ASSERT_EQ(0, do_ranges(&self->drv, VIRTIO_BLK_T_WRITE_ZEROES,
				       3, 2, flags, nr));
		EXPECT_TRUE(is_zero(&self->drv, 3, 2 * nr));
		EXPECT_TRUE(blk_reads(&self->drv, 0, 0, 3, 5));
		EXPECT_FALSE(is_zero(&self->drv, 3 + 2 * nr, 1));
	}
	EXPECT_EQ(2, blk_counter(NAME, 0, "discards"));
}

TEST_F(blk, discards)
{
	ASSERT_TRUE(blk_writes(&self->drv, 0, 0, 64, 5));
	EXPECT_EQ(0, do_ranges(&self->drv, VIRTIO_BLK_T_DISCARD, 8, 8, 0, 1));
	EXPECT_TRUE(blk_reads(&self->drv, 0, 0, 8, 5));
	EXPECT_TRUE(blk_works(&self->drv));
}

TEST_F(blk, has_many_requests_in_flight)
{
	struct drv *drv = &self->drv;
	int slot, round, done;

	for (round = 0; round < 64; round++) {
		for (slot = 0; slot < 8; slot++) {
			struct drv_seg seg = {
				blk_data_iova(slot * 64), 64 * SECTOR,
				round % 2,
			};

			memset(blk_data(drv, slot * 64), round / 2 + slot + 1,
			       round % 2 ? 0 : 64 * SECTOR);
			blk_begin(drv, 0, slot, round % 2 ? VIRTIO_BLK_T_IN :
				  VIRTIO_BLK_T_OUT, slot * 64, &seg, 1);
		}
		for (done = 0; done < 8; done++)
			ASSERT_LE(1, blk_end(drv, 0));
		for (slot = 0; slot < 8; slot++) {
			uint8_t *data = blk_data(drv, slot * 64);

			ASSERT_EQ(VIRTIO_BLK_S_OK, blk_status(drv, slot));
			ASSERT_EQ(round / 2 + slot + 1, data[64 * SECTOR - 1]);
		}
	}
}

#define WCE	offsetof(struct virtio_blk_config, wce)

TEST_F(blk, has_a_write_cache_that_can_be_turned_off)
{
	uint8_t off = 0, now = 7, capacity[8], zero[8] = {};
	int fd = self->drv.fd;

	if (!(variant->features & CONFIG_WCE))
		SKIP(return, "not negotiated");
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_GET_CONFIG, WCE, 1, &now));
	EXPECT_EQ(1, now);
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_SET_CONFIG, WCE, 1, &off));
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_GET_CONFIG, WCE, 1, &now));
	EXPECT_EQ(0, now);
	EXPECT_TRUE(blk_works(&self->drv));

	/* No other field can be written. */
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_SET_CONFIG, 0, 8, zero));
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_GET_CONFIG, 0, 8, capacity));
	EXPECT_NE(0, memcmp(zero, capacity, 8));

	/* The next driver finds it on. */
	ASSERT_ERRNO(0, drv_restart(&self->drv));
	ASSERT_ERRNO(0, config_io(fd, VHOST_VDPA_GET_CONFIG, WCE, 1, &now));
	EXPECT_EQ(1, now);
}

static void begin_writes(struct drv *drv)
{
	struct drv_seg seg = { blk_data_iova(0), 64 * SECTOR };

	for (int slot = 0; slot < 8; slot++)
		blk_begin(drv, 0, slot, VIRTIO_BLK_T_OUT, slot * 64, &seg, 1);
}

TEST_F(blk, goes_on_after_suspend_and_resume)
{
	struct drv *drv = &self->drv;
	int slot, round;

	for (round = 0; round < 20; round++) {
		begin_writes(drv);
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
		/* What it has taken it has completed, and nothing else. */
		EXPECT_EQ(drv->vq[0].used->idx,
			  vq_get(drv->fd, VHOST_GET_VRING_BASE, 0));
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
		for (slot = 0; slot < 8; slot++)
			ASSERT_EQ(1, blk_end(drv, 0));
	}
	EXPECT_TRUE(blk_works(drv));
}

TEST_F(blk, begins_where_it_is_told_to)
{
	static const uint16_t bases[] = { 0, 0x1234, 0xffff };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		self->drv.base = bases[i];
		ASSERT_ERRNO(0, drv_restart(&self->drv));
		for (k = 0; k < 3; k++)
			EXPECT_TRUE(blk_works(&self->drv));
	}
}

/* That memory is waited for blk_slow and blk_life show: this is too fast. */
TEST_F(blk, goes_on_once_its_memory_is_mapped_again)
{
	struct drv *drv = &self->drv;
	uint8_t *data = blk_data(drv, 0);
	int slot, round;

	for (round = 0; round < 20; round++) {
		memset(data, BLK_NO_STATUS, 512 * SECTOR);
		for (slot = 0; slot < 8; slot++) {
			struct drv_seg seg = {
				blk_data_iova(slot * 64), 64 * SECTOR, true,
			};

			blk_begin(drv, 0, slot, VIRTIO_BLK_T_IN, slot * 64,
				  &seg, 1);
		}
		ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, DRV_IOVA, DRV_MEM));
		/* From now on it is ours alone. */
		memset(data, 0x55, 512 * SECTOR);
		usleep(2000);
		EXPECT_EQ(0x55, data[0]);
		EXPECT_EQ(0, memcmp(data, data + 1, 512 * SECTOR - 1));
		ASSERT_ERRNO(0, drv_map_running(drv, 0));
		for (slot = 0; slot < 8; slot++)
			ASSERT_LE(0, blk_end(drv, 0));
	}
	EXPECT_TRUE(blk_works(drv));
}

TEST_F(blk, is_reset_with_requests_under_way)
{
	struct drv *drv = &self->drv;
	int round;

	for (round = 0; round < 20; round++) {
		begin_writes(drv);
		ASSERT_ERRNO(0, drv_restart(drv));
		/* The new ring has no completion of the old one. */
		EXPECT_EQ(0, drv->vq[0].used->idx);
		ASSERT_TRUE(blk_works(drv));
	}
}

TEST_F(blk, is_deleted_with_requests_under_way)
{
	struct drv *drv = &self->drv;

	begin_writes(drv);
	EXPECT_EQ(0, vdpa_del(NAME));
	EXPECT_FALSE(vdpa_exists(NAME));
	EXPECT_ERRNO(ENODEV, set_status(drv->fd, 0));
}

TEST_HARNESS_MAIN
