// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes in and out of a chain whose buffers lie in pieces, with holes, in
 * memory that is mapped for one direction only, or is mapped anew meanwhile.
 */
#include "drv.h"
#include "kselftest_harness.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define RW		(VDPA_RING_READ | VDPA_RING_WRITE)

FIXTURE(xfer) {
	struct drv d;
	u8 buf[256];
};

FIXTURE_SETUP(xfer)
{
	struct drv *d = &self->d;
	u32 i;

	ASSERT_EQ(0, drv_init(d, 8, 0));
	for (i = 0; i < DRV_BYTES; i++)
		d->data[i] = i * 7 + (i >> 8);
	drv_unmap_all(d);
}

FIXTURE_TEARDOWN(xfer)
{
	drv_fini(&self->d);
}

/* One buffer of 100 bytes at 0x1000. */
static int one_buffer(struct drv *d, u16 flags)
{
	drv_desc(d, NULL, 0, 0x1000, 100, flags, 0);
	drv_offer(d, 0);
	return vdpa_ring_fetch(d->ring, &d->chain);
}

TEST_F(xfer, pull_goes_on_where_the_last_one_stopped)
{
	struct drv *d = &self->d;
	u32 i;

	drv_map(d, 0x1000, 100, d->data, RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	for (i = 0; i < 98; i += 7)
		ASSERT_EQ(7, vdpa_chain_pull(&d->chain, self->buf + i, 7));
	EXPECT_EQ(2, vdpa_chain_pull(&d->chain, self->buf + i, 7));
	EXPECT_EQ(0, memcmp(self->buf, d->data, 100));
	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 1));
}

TEST_F(xfer, each_chain_starts_at_its_first_bytes)
{
	struct drv *d = &self->d;
	u32 i;

	drv_map(d, 0x1000, 0x1000, d->data, RW);
	drv_desc(d, NULL, 0, 0x1000, 10, NEXT, 1);
	drv_desc(d, NULL, 1, 0x1100, 10, NEXT, 2);
	drv_desc(d, NULL, 2, 0x1200, 10, NEXT | WRITE, 3);
	drv_desc(d, NULL, 3, 0x1300, 10, WRITE, 0);
	for (i = 0; i < 3; i++) {
		drv_offer(d, 0);
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		EXPECT_EQ(15, vdpa_chain_pull(&d->chain, self->buf, 15));
		EXPECT_EQ(0, memcmp(self->buf, d->data, 10));
		EXPECT_EQ(0, memcmp(self->buf + 10, d->data + 0x100, 5));
		memset(self->buf, i, 15);
		EXPECT_EQ(15, vdpa_chain_push(&d->chain, self->buf, 15));
		EXPECT_EQ(0, memcmp(self->buf, d->data + 0x200, 10));
		EXPECT_EQ(0, memcmp(self->buf, d->data + 0x300, 5));
	}
}

TEST_F(xfer, pull_and_push_keep_to_their_parts)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 0x1000, d->data, RW);
	drv_desc(d, NULL, 0, 0x1000, 10, NEXT, 1);
	drv_desc(d, NULL, 1, 0x1100, 10, NEXT, 2);
	drv_desc(d, NULL, 2, 0x1200, 10, NEXT | WRITE, 3);
	drv_desc(d, NULL, 3, 0x1300, 10, WRITE, 0);
	drv_offer(d, 0);
	ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(20, d->chain.out_len);
	EXPECT_EQ(20, d->chain.in_len);

	EXPECT_EQ(20, vdpa_chain_pull(&d->chain, self->buf, 256));
	EXPECT_EQ(0, memcmp(self->buf, d->data, 10));
	EXPECT_EQ(0, memcmp(self->buf + 10, d->data + 0x100, 10));
	memset(self->buf, 0xee, sizeof(self->buf));
	EXPECT_EQ(20, vdpa_chain_push(&d->chain, self->buf, 256));
	EXPECT_EQ(0, memcmp(self->buf, d->data + 0x200, 10));
	EXPECT_EQ(0, memcmp(self->buf, d->data + 0x300, 10));
	EXPECT_NE(0xee, d->data[0x10a]);
	EXPECT_NE(0xee, d->data[0x20a]);
	EXPECT_NE(0xee, d->data[0x30a]);
}

TEST_F(xfer, buffer_over_many_mappings_is_one_to_the_caller)
{
	struct drv *d = &self->d;
	u32 i;

	/* backwards in memory, 1, 2, 3 ... bytes each */
	for (i = 0; i < 14; i++)
		drv_map(d, 0x1000 + i * (i + 1) / 2, i + 1,
			d->data + 0x1000 * (14 - i), RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	EXPECT_EQ(100, vdpa_chain_pull(&d->chain, self->buf, 100));
	EXPECT_EQ(14, d->translations);
	for (i = 0; i < 13; i++)
		EXPECT_EQ(0, memcmp(self->buf + i * (i + 1) / 2,
				    d->data + 0x1000 * (14 - i), i + 1));
}

TEST_F(xfer, pull_stops_at_a_hole)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 30, d->data, RW);
	drv_map(d, 0x101f, 0x1000, d->data + 0x1000, RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	memset(self->buf, 0xee, sizeof(self->buf));
	EXPECT_EQ(30, vdpa_chain_pull(&d->chain, self->buf, 100));
	EXPECT_EQ(0, memcmp(self->buf, d->data, 30));
	EXPECT_EQ(0xee, self->buf[30]);
	/* and stays there */
	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 100));
	EXPECT_EQ(100, d->chain.out_len);
}

TEST_F(xfer, push_stops_at_a_hole)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 30, d->data, RW);
	drv_map(d, 0x101f, 0x1000, d->data + 0x1000, RW);
	ASSERT_EQ(1, one_buffer(d, WRITE));
	memset(self->buf, 0xee, sizeof(self->buf));
	EXPECT_EQ(30, vdpa_chain_push(&d->chain, self->buf, 100));
	EXPECT_EQ(0, memcmp(self->buf, d->data, 30));
	EXPECT_NE(0xee, d->data[30]);
	EXPECT_NE(0xee, d->data[0x1000]);
	EXPECT_EQ(0, vdpa_chain_push(&d->chain, self->buf, 100));
}

TEST_F(xfer, push_does_not_write_what_is_mapped_to_be_read)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 100, d->data, VDPA_RING_READ);
	ASSERT_EQ(1, one_buffer(d, WRITE));
	EXPECT_EQ(0, vdpa_chain_push(&d->chain, self->buf, 100));
}

TEST_F(xfer, pull_does_not_read_what_is_mapped_to_be_written)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 100, d->data, VDPA_RING_WRITE);
	ASSERT_EQ(1, one_buffer(d, 0));
	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 100));
}

TEST_F(xfer, chain_without_a_part_has_nothing_there)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 100, d->data, RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	EXPECT_EQ(0, vdpa_chain_push(&d->chain, self->buf, 1));
	EXPECT_EQ(100, vdpa_chain_pull(&d->chain, self->buf, 100));
	ASSERT_EQ(1, one_buffer(d, WRITE));
	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 1));
	EXPECT_EQ(100, vdpa_chain_push(&d->chain, self->buf, 100));
}

TEST_F(xfer, chain_that_was_never_fetched_has_nothing)
{
	struct drv *d = &self->d;
	u32 len = 5;

	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 1));
	EXPECT_EQ(0, vdpa_chain_push(&d->chain, self->buf, 1));
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(0, len);
}

TEST_F(xfer, next_hands_out_the_pieces_in_order)
{
	struct drv *d = &self->d;
	u32 len = 0;

	drv_map(d, 0x1000, 30, d->data, RW);
	drv_map(d, 0x101e, 0x1000, d->data + 0x1000, RW);
	drv_desc(d, NULL, 0, 0x1000, 100, NEXT, 1);
	drv_desc(d, NULL, 1, 0x1000, 10, NEXT, 2);
	drv_desc(d, NULL, 2, 0x1004, 5, WRITE, 0);
	drv_offer(d, 0);
	ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));

	EXPECT_EQ(d->data + 4,
		  vdpa_chain_next(&d->chain, VDPA_RING_WRITE, &len));
	EXPECT_EQ(5, len);
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_WRITE, &len));
	EXPECT_EQ(0, len);

	/* a pull has its share of the first piece */
	EXPECT_EQ(12, vdpa_chain_pull(&d->chain, self->buf, 12));
	EXPECT_EQ(d->data + 12,
		  vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(18, len);
	EXPECT_EQ(d->data + 0x1000,
		  vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(70, len);
	EXPECT_EQ(d->data, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(10, len);
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
}

TEST_F(xfer, next_stops_at_a_hole_and_goes_on_when_it_is_filled)
{
	struct drv *d = &self->d;
	u32 len = 7;

	drv_map(d, 0x1000, 30, d->data, RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	EXPECT_NE(NULL, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(0, len);
	drv_map(d, 0x101e, 100, d->data + 0x2000, RW);
	EXPECT_EQ(d->data + 0x2000,
		  vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(70, len);
}

/* Nothing of a translation is kept, neither in a ring nor in a chain. */
TEST_F(xfer, memory_that_is_mapped_anew_is_used_at_the_next_access)
{
	struct drv *d = &self->d;

	drv_map(d, 0x1000, 100, d->data, RW);
	ASSERT_EQ(1, one_buffer(d, 0));
	EXPECT_EQ(50, vdpa_chain_pull(&d->chain, self->buf, 50));
	drv_unmap_all(d);
	EXPECT_EQ(0, vdpa_chain_pull(&d->chain, self->buf, 50));
	drv_map(d, 0x1000, 100, d->data + 0x1000, RW);
	EXPECT_EQ(50, vdpa_chain_pull(&d->chain, self->buf, 50));
	EXPECT_EQ(0, memcmp(self->buf, d->data + 0x1000 + 50, 50));
}

TEST_F(xfer, indirect_table_that_is_mapped_anew_is_read_anew)
{
	struct drv i;

	ASSERT_EQ(0, drv_init(&i, 8, DRV_INDIRECT));
	drv_unmap_all(&i);
	drv_desc(&i, i.data, 0, 0, 1, 0, 0);
	drv_desc(&i, i.data + 0x100, 0, 0, 2, 0, 0);
	drv_desc(&i, NULL, 0, 0x1000, 16, VRING_DESC_F_INDIRECT, 0);

	drv_map(&i, 0x1000, 16, i.data, RW);
	drv_offer(&i, 0);
	ASSERT_EQ(1, vdpa_ring_fetch(i.ring, &i.chain));
	EXPECT_EQ(1, i.chain.out_len);
	drv_unmap_all(&i);
	drv_map(&i, 0x1000, 16, i.data + 0x100, RW);
	drv_offer(&i, 0);
	ASSERT_EQ(1, vdpa_ring_fetch(i.ring, &i.chain));
	EXPECT_EQ(2, i.chain.out_len);
	drv_fini(&i);
}

TEST_F(xfer, buffer_of_4_gib_less_one_is_walked)
{
	struct drv *d = &self->d;
	u64 moved = 0;
	u32 len, i;

	for (i = 0; i < 16; i++)
		drv_map(d, (u64)i << 28, 1ULL << 28, d->data, RW);
	drv_desc(d, NULL, 0, 1, U32_MAX, WRITE, 0);
	drv_offer(d, 0);
	ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	while (vdpa_chain_next(&d->chain, VDPA_RING_WRITE, &len))
		moved += len;
	EXPECT_EQ(U32_MAX, moved);
}

TEST_HARNESS_MAIN
