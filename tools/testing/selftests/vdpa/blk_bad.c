// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a bad driver can ask of a software disk: each request is answered as
 * VIRTIO 1.2, 5.2.6 says, changes nothing, and the next good one works.
 */
#include "common.h"

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define NAME	"blkbad"
#define OUTSIDE	(DRV_IOVA + DRV_MEM)	/* first byte not mapped */

#define FEATURES	(BIT_ULL(VIRTIO_BLK_F_FLUSH) | \
			 BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
			 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))

#define IN	VIRTIO_BLK_T_IN
#define OUT	VIRTIO_BLK_T_OUT
#define OK	VIRTIO_BLK_S_OK
#define IOERR	VIRTIO_BLK_S_IOERR
#define UNSUPP	VIRTIO_BLK_S_UNSUPP

FIXTURE(bad) {
	struct drv drv;
	int log;
	uint64_t sectors;
};

FIXTURE_VARIANT(bad) {
	const struct blk_kind *kind;
};

FIXTURE_VARIANT_ADD(bad, sim) { &blk_sim };

FIXTURE_VARIANT_ADD(bad, file) { &blk_file };

FIXTURE_VARIANT_ADD(bad, block_device) { &blk_ram };

FIXTURE_SETUP(bad)
{
	const char *reason = blk_add(NAME, variant->kind, 1);

	if (reason)
		SKIP(return, "%s", reason);
	self->log = log_open();
	self->sectors = variant->kind->sectors;
	self->drv.features = FEATURES;
	self->drv.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_TRUE(blk_writes(&self->drv, 0, 0, 1, 1));
}

FIXTURE_TEARDOWN(bad)
{
	drv_end(&self->drv, NAME);
	blk_del(NAME);
	/* A guest could fill the log otherwise. */
	EXPECT_FALSE(log_says(self->log, "vdpa"));
	close(self->log);
}

/* The last request is @status, is counted, and has changed nothing. */
static void expect_refused(struct __test_metadata *_metadata, struct drv *drv,
			   int status, int got, int64_t errors)
{
	EXPECT_EQ(status, got);
	EXPECT_EQ(errors + 1, blk_counter(NAME, 0, "errors"));
	EXPECT_EQ(STATUS_RUNNING, get_status(drv->fd));
	EXPECT_TRUE(blk_reads(drv, 0, 0, 1, 1));
	EXPECT_TRUE(blk_works(drv));
}

#define EXPECT_REFUSED_REQUEST(status, ...) do {			\
	int64_t _errors = blk_counter(NAME, 0, "errors");		\
	int _got = blk_do(&self->drv, 0, __VA_ARGS__);			\
									\
	expect_refused(_metadata, &self->drv, status, _got, _errors);	\
} while (0)

TEST_F(bad, unknown_types_are_unsupported)
{
	static const uint32_t types[] = {
		2, 3, 5, 7, 10, VIRTIO_BLK_T_SECURE_ERASE, 15, 0x80000000,
		UINT32_MAX,
	};
	struct drv_seg seg = { blk_data_iova(0), SECTOR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_REFUSED_REQUEST(UNSUPP, types[i], 0, &seg, 1, NULL);
}

TEST_F(bad, lengths_are_whole_sectors)
{
	static const uint32_t lens[] = { 1, 511, 513, 1023, 4095 };
	unsigned int i, write;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		for (write = 0; write < 2; write++) {
			struct drv_seg seg = { blk_data_iova(0), lens[i],
					       write };

			EXPECT_REFUSED_REQUEST(IOERR, write ? IN : OUT, 0,
					       &seg, 1, NULL);
		}
}

TEST_F(bad, requests_end_before_the_disk_does)
{
	const uint64_t end = self->sectors;
	const struct {
		uint64_t sector;
		uint32_t nr;
	} rows[] = {
		{ end, 1 }, { end - 1, 2 }, { end + 1, 1 }, { end - 7, 8 },
		{ UINT64_MAX, 1 }, { UINT64_MAX - 1, 2 },
		{ UINT64_MAX / SECTOR, 1 }, { UINT64_MAX / SECTOR + 1, 1 },
		{ 1ULL << 63, 8 },
	};
	unsigned int i, write;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (write = 0; write < 2; write++) {
			struct drv_seg seg = { blk_data_iova(0),
					       rows[i].nr * SECTOR, write };

			EXPECT_REFUSED_REQUEST(IOERR, write ? IN : OUT,
					       rows[i].sector, &seg, 1, NULL);
		}
	EXPECT_TRUE(blk_writes(&self->drv, 0, end - 1, 1, 3));
	EXPECT_TRUE(blk_reads(&self->drv, 0, end - 1, 1, 3));
}

TEST_F(bad, no_data_is_no_error)
{
	EXPECT_EQ(OK, blk_do(&self->drv, 0, IN, 0, NULL, 0, NULL));
	EXPECT_EQ(OK, blk_do(&self->drv, 0, OUT, self->sectors, NULL, 0, NULL));
	EXPECT_REFUSED_REQUEST(IOERR, OUT, self->sectors + 1, NULL, 0, NULL);
}

TEST_F(bad, data_is_in_mapped_memory)
{
	const struct drv_seg rows[] = {
		{ OUTSIDE, SECTOR }, { OUTSIDE, SECTOR, true },
		{ OUTSIDE - 1, SECTOR }, { OUTSIDE - 1, SECTOR, true },
		{ OUTSIDE - SECTOR + 1, SECTOR, true },
		{ DRV_IOVA - 1, SECTOR }, { UINT64_MAX - 511, 512, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_REFUSED_REQUEST(IOERR, rows[i].write ? IN : OUT, 0,
				       &rows[i], 1, NULL);
}

/* A chain as it is; what comes back in the used ring, and the status. */
static int64_t post(struct drv *drv, const struct drv_seg *seg, int nr)
{
	drv_post(drv, 0, seg, nr);
	return blk_end(drv, 0);
}

TEST_F(bad, a_short_header_is_an_error)
{
	uint8_t *status = blk_data(&self->drv, 4);
	const struct drv_seg in = { blk_data_iova(4), 1, true };
	uint32_t len;

	memset(blk_data(&self->drv, 0), 0, SECTOR);
	for (len = 0; len < sizeof(struct virtio_blk_outhdr); len += 5) {
		struct drv_seg seg[] = { { blk_data_iova(0), len }, in };

		*status = BLK_NO_STATUS;
		EXPECT_EQ(1, len ? post(&self->drv, seg, 2) :
			  post(&self->drv, &in, 1));
		EXPECT_EQ(IOERR, *status);
	}
	EXPECT_TRUE(blk_works(&self->drv));
}

TEST_F(bad, a_header_is_in_mapped_memory)
{
	uint8_t *status = blk_data(&self->drv, 4);
	const struct drv_seg seg[] = {
		{ OUTSIDE - 8, sizeof(struct virtio_blk_outhdr) },
		{ blk_data_iova(4), 1, true },
	};

	*status = BLK_NO_STATUS;
	EXPECT_EQ(1, post(&self->drv, seg, 2));
	EXPECT_EQ(IOERR, *status);
	EXPECT_TRUE(blk_works(&self->drv));
}

TEST_F(bad, a_request_without_status_comes_back)
{
	struct virtio_blk_outhdr *hdr = blk_data(&self->drv, 0);
	int64_t errors = blk_counter(NAME, 0, "errors");
	const struct drv_seg seg[] = {
		{ blk_data_iova(0), sizeof(*hdr) },
		{ blk_data_iova(1), SECTOR },
	};

	*hdr = (struct virtio_blk_outhdr) { .type = OUT };
	EXPECT_EQ(0, post(&self->drv, seg, 2));
	EXPECT_EQ(0, post(&self->drv, seg, 1));
	EXPECT_EQ(errors + 2, blk_counter(NAME, 0, "errors"));
	EXPECT_TRUE(blk_reads(&self->drv, 0, 0, 1, 1));
	EXPECT_TRUE(blk_works(&self->drv));
}

TEST_F(bad, a_status_is_in_mapped_memory)
{
	struct virtio_blk_outhdr *hdr = blk_data(&self->drv, 0);
	const struct drv_seg seg[] = {
		{ blk_data_iova(0), sizeof(*hdr) },
		{ blk_data_iova(1), SECTOR, true },
		{ OUTSIDE, 1, true },
	};

	*hdr = (struct virtio_blk_outhdr) { .type = IN };
	EXPECT_EQ(0, post(&self->drv, seg, 3));
	EXPECT_EQ(STATUS_RUNNING, get_status(self->drv.fd));
	EXPECT_TRUE(blk_works(&self->drv));
}

/* 32 MiB in one buffer is more than any good driver asks for. */
TEST_F(bad, requests_have_a_size_that_can_be_served)
{
	struct drv_seg seg = { DRV_IOVA, 32 << 20, true };

	EXPECT_REFUSED_REQUEST(IOERR, IN, 0, &seg, 1, NULL);
}

/*
 * Of memory that is mapped in pages there are never so many. What the device
 * keeps of each piece is more than a byte.
 */
TEST_F(bad, memory_in_more_pieces_than_pages_can_be_is_an_error)
{
	const uint64_t iova = OUTSIDE + SZ_2M;
	struct drv_seg seg = { iova, 8 * SECTOR };
	uint8_t *byte = blk_data(&self->drv, 0);
	unsigned int i;

	for (i = 0; i < 16 * SECTOR; i++)
		ASSERT_ERRNO(0, iotlb_map(self->drv.fd, 0, iova + i, 1, byte,
					  VHOST_ACCESS_RW));
	*byte = 0x5a;
	EXPECT_EQ(OK, blk_do(&self->drv, 0, OUT, 16, &seg, 1, NULL));
	seg.len = 16 * SECTOR;
	EXPECT_REFUSED_REQUEST(IOERR, OUT, 16, &seg, 1, NULL);
	seg.write = true;
	EXPECT_REFUSED_REQUEST(IOERR, IN, 16, &seg, 1, NULL);
}

struct range_row {
	uint64_t sector;
	uint32_t len;
	uint32_t flags;
	uint8_t status;
};

static int do_range(struct drv *drv, uint32_t type, const struct range_row *row)
{
	struct virtio_blk_discard_write_zeroes *range = blk_data(drv, 0);
	struct drv_seg seg = { blk_data_iova(0), sizeof(*range) };

	*range = (struct virtio_blk_discard_write_zeroes) {
		.sector = row->sector, .num_sectors = row->len,
		.flags = row->flags,
	};
	return blk_do(drv, 0, type, 0, &seg, 1, NULL);
}

TEST_F(bad, ranges_end_before_the_disk_does)
{
	const uint64_t end = self->sectors;
	const struct range_row rows[] = {
		{ end, 1, 0, IOERR }, { end - 1, 2, 0, IOERR },
		{ UINT64_MAX, 1, 0, IOERR }, { UINT64_MAX, 2, 0, IOERR },
		{ 0, UINT32_MAX, 0, IOERR },
		{ 0, 1, 2, UNSUPP }, { 0, 1, 0x80000000, UNSUPP },
		{ end + 1, 0, 0, IOERR }, { end, 0, 0, OK },
	};
	static const uint32_t types[] = {
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
	};
	const struct range_row unmap = { 0, 1, 1, UNSUPP };
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(types); k++)
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			EXPECT_EQ(rows[i].status,
				  do_range(&self->drv, types[k], &rows[i]))
				TH_LOG("type %u, row %u", types[k], i);
	EXPECT_EQ(UNSUPP, do_range(&self->drv, VIRTIO_BLK_T_DISCARD, &unmap));
	EXPECT_TRUE(blk_reads(&self->drv, 0, 0, 1, 1));
}

TEST_F(bad, ranges_are_whole_and_not_too_many)
{
	const uint32_t size = sizeof(struct virtio_blk_discard_write_zeroes);
	const uint32_t lens[] = {
		0, 1, size - 1, size + 1,
		(variant->kind->max_ranges + 1) * size,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		struct drv_seg seg = { blk_data_iova(0), lens[i] };

		memset(blk_data(&self->drv, 0), 0, SECTOR);
		EXPECT_REFUSED_REQUEST(IOERR, VIRTIO_BLK_T_WRITE_ZEROES, 0,
				       &seg, lens[i] ? 1 : 0, NULL);
	}
}

/* One bad range, and none of the good ones before it is done. */
TEST_F(bad, a_bad_range_spoils_the_request)
{
	struct virtio_blk_discard_write_zeroes *range =
		blk_data(&self->drv, 0);
	struct drv_seg seg = { blk_data_iova(0), 2 * sizeof(*range) };

	range[0] = (struct virtio_blk_discard_write_zeroes) {
		.num_sectors = 1,
	};
	range[1] = (struct virtio_blk_discard_write_zeroes) {
		.sector = self->sectors, .num_sectors = 1,
	};
	EXPECT_REFUSED_REQUEST(IOERR, VIRTIO_BLK_T_WRITE_ZEROES, 0, &seg, 1,
			       NULL);
}

/* A read-only disk. */
FIXTURE(readonly) {
	struct drv drv;
};

FIXTURE_SETUP(readonly)
{
	const char *reason = blk_add(NAME, &blk_file, 1);

	if (reason)
		SKIP(return, "%s", reason);
	vdpa_del(NAME);
	ASSERT_EQ(0, conf_set(NAME, "readonly", "1"));
	ASSERT_EQ(0, vdpa_add(NAME, "vdpa_blk"));
	self->drv.features = FEATURES | BIT_ULL(VIRTIO_BLK_F_RO);
	self->drv.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(readonly)
{
	drv_end(&self->drv, NAME);
	blk_del(NAME);
}

TEST_F(readonly, refuses_every_request_that_writes)
{
	static const uint32_t types[] = {
		OUT, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
	};
	struct drv_seg out = { blk_data_iova(0), SECTOR };
	struct drv_seg in = { blk_data_iova(0), SECTOR, true };
	uint8_t *data = blk_data(&self->drv, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_EQ(IOERR, blk_do(&self->drv, 0, types[i], 0, &out, 1,
					NULL));
	memset(data, 1, SECTOR);
	EXPECT_EQ(OK, blk_do(&self->drv, 0, IN, 0, &in, 1, NULL));
	EXPECT_EQ(0, data[0]);
	EXPECT_EQ(OK, blk_do(&self->drv, 0, VIRTIO_BLK_T_FLUSH, 0, NULL, 0,
			     NULL));
}

TEST_HARNESS_MAIN
