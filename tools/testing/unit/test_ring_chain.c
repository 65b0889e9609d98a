// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is a chain, what is a malformed chain that costs the driver that chain
 * only, and that no field of the driver's memory is believed twice.
 */
#include "drv.h"
#include "kselftest_harness.h"

#define RING_SIZE	8

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT

/* Indirect tables of the tests lie here. */
#define TABLE_OFF	0x1000
#define TABLE_IOVA	(DRV_IOVA + TABLE_OFF)
#define TABLE(d)	((d)->data + TABLE_OFF)

/* @nr descriptors one behind the other, of @len bytes, the last without NEXT */
static void run(struct drv *d, void *table, u32 first, u32 nr, u32 len,
		u16 flags)
{
	u32 i;

	for (i = first; i < first + nr; i++)
		drv_desc(d, table, i, DRV_IOVA, len,
			 flags | (i < first + nr - 1 ? NEXT : 0), i + 1);
}

static void indirect(struct drv *d, u32 i, u64 iova, u32 len, u16 flags)
{
	drv_desc(d, NULL, i, iova, len, INDIRECT | flags, 0);
}

/* Chains that start at descriptor 1 and are malformed. */
#define BAD(promise, feat)						\
static void make_##promise(struct drv *d);				\
FIXTURE_VARIANT_ADD(bad_chain, promise) {				\
	.make = make_##promise, .features = feat,			\
};									\
static void make_##promise(struct drv *d)

FIXTURE(bad_chain) {
	struct drv d;
};

FIXTURE_VARIANT(bad_chain) {
	void (*make)(struct drv *d);
	u64 features;
};

FIXTURE_SETUP(bad_chain)
{
	ASSERT_EQ(0, drv_init(&self->d, RING_SIZE, variant->features));
}

FIXTURE_TEARDOWN(bad_chain)
{
	drv_fini(&self->d);
}

BAD(direct_loop_to_itself, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, 1);
}

BAD(direct_loop_of_two, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, 2);
	drv_desc(d, NULL, 2, DRV_IOVA, 1, NEXT, 1);
}

BAD(direct_loop_of_empty_buffers, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 0, NEXT, 1);
}

BAD(next_is_ring_size, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, RING_SIZE);
}

BAD(next_is_65535, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, 0xffff);
}

BAD(readable_behind_writable, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT | WRITE, 2);
	drv_desc(d, NULL, 2, DRV_IOVA, 1, 0, 0);
}

BAD(readable_behind_empty_writable, 0)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 0, NEXT | WRITE, 2);
	drv_desc(d, NULL, 2, DRV_IOVA, 1, 0, 0);
}

BAD(buffer_wraps_the_address_space, 0)
{
	drv_desc(d, NULL, 1, U64_MAX - 3, 5, 0, 0);
}

BAD(more_than_4_gib_in_all, 0)
{
	drv_desc(d, NULL, 1, 0, U32_MAX, NEXT, 2);
	drv_desc(d, NULL, 2, 0, 2, WRITE, 0);
}

BAD(indirect_not_negotiated, DRV_EVENT_IDX)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

BAD(indirect_with_next, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 16, NEXT);
}

BAD(indirect_in_indirect, DRV_INDIRECT)
{
	drv_desc(d, TABLE(d), 0, TABLE_IOVA + 16, 16, INDIRECT, 0);
	run(d, TABLE(d), 1, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

BAD(indirect_names_itself, DRV_INDIRECT)
{
	drv_desc(d, TABLE(d), 0, TABLE_IOVA, 16, INDIRECT, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

BAD(indirect_table_is_the_ring_and_names_itself, DRV_INDIRECT)
{
	drv_map(d, 0x1000, RING_SIZE * 16, d->desc, VDPA_RING_READ);
	indirect(d, 0, 0x1000, RING_SIZE * 16, 0);
	indirect(d, 1, 0x1000, RING_SIZE * 16, 0);
}

BAD(indirect_table_empty, DRV_INDIRECT)
{
	indirect(d, 1, TABLE_IOVA, 0, 0);
}

BAD(indirect_table_of_15_bytes, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 15, 0);
}

BAD(indirect_table_of_17_bytes, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 17, 0);
}

BAD(indirect_table_longer_than_a_chain_may_be, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, (VDPA_CHAIN_MAX + 1) * 16, 0);
}

BAD(indirect_table_of_4_gib, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 0xfffffff0, 0);
}

BAD(indirect_table_not_mapped, DRV_INDIRECT)
{
	indirect(d, 1, DRV_IOVA - 16, 16, 0);
}

BAD(indirect_table_ends_in_a_hole, DRV_INDIRECT)
{
	run(d, d->data, DRV_BYTES / 16 - 1, 1, 1, 0);
	indirect(d, 1, DRV_IOVA + DRV_BYTES - 16, 32, 0);
}

BAD(indirect_table_wraps_the_address_space, DRV_INDIRECT)
{
	drv_map(d, U64_MAX - 15, 16, d->data, VDPA_RING_READ);
	drv_map(d, 0, 16, d->data, VDPA_RING_READ);
	run(d, d->data, 0, 1, 1, 0);
	indirect(d, 1, U64_MAX - 15, 32, 0);
}

BAD(indirect_table_write_only, DRV_INDIRECT)
{
	drv_unmap_all(d);
	drv_map(d, TABLE_IOVA, 16, TABLE(d), VDPA_RING_WRITE);
	run(d, TABLE(d), 0, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

BAD(indirect_loop, DRV_INDIRECT)
{
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 1);
	drv_desc(d, TABLE(d), 1, DRV_IOVA, 1, NEXT, 0);
	indirect(d, 1, TABLE_IOVA, 32, 0);
}

BAD(indirect_loop_to_itself, DRV_INDIRECT)
{
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

BAD(indirect_next_is_table_length, DRV_INDIRECT)
{
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 2);
	run(d, TABLE(d), 2, 1, 1, 0);
	indirect(d, 1, TABLE_IOVA, 32, 0);
}

BAD(indirect_readable_behind_direct_writable, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, 1, 1, 0);
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT | WRITE, 2);
	indirect(d, 2, TABLE_IOVA, 16, 0);
}

BAD(direct_and_indirect_too_many, DRV_INDIRECT)
{
	run(d, TABLE(d), 0, VDPA_CHAIN_MAX, 1, 0);
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, 2);
	indirect(d, 2, TABLE_IOVA, VDPA_CHAIN_MAX * 16, 0);
}

TEST_F(bad_chain, costs_the_driver_that_chain_only)
{
	struct drv *d = &self->d;
	u32 len;

	/* What is left of the one before must not show. */
	drv_desc(d, NULL, 6, DRV_IOVA, 2, NEXT, 7);
	drv_desc(d, NULL, 7, DRV_IOVA, 2, WRITE, 0);
	drv_offer(d, 6);
	ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));

	variant->make(d);
	drv_offer(d, 1);
	EXPECT_EQ(-EBADMSG, vdpa_ring_fetch(d->ring, &d->chain));

	/* empty, but it can be completed */
	EXPECT_EQ(1, d->chain.id);
	EXPECT_EQ(0, d->chain.nr_out + d->chain.nr_in);
	EXPECT_EQ(0, d->chain.out_len + d->chain.in_len);
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_READ, &len));
	EXPECT_EQ(NULL, vdpa_chain_next(&d->chain, VDPA_RING_WRITE, &len));
	vdpa_ring_complete(d->ring, d->chain.id, 0);
	vdpa_ring_publish(d->ring);
	EXPECT_EQ(1, drv_used_idx(d));
	EXPECT_EQ(1, le32_to_cpu(d->used->ring[0].id));
	EXPECT_EQ(0, le32_to_cpu(d->used->ring[0].len));

	/* and the next one is as good as ever */
	drv_offer_good(d, 5);
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(5, d->chain.id);
	EXPECT_EQ(1, d->chain.out_len);
}

/* Chains that start at descriptor 1 and are fine. */
#define GOOD(promise, outs, ins, total)					\
static void make_##promise(struct drv *d);				\
FIXTURE_VARIANT_ADD(good_chain, promise) {				\
	.make = make_##promise, .nr_out = outs, .nr_in = ins,		\
	.bytes = total,							\
};									\
static void make_##promise(struct drv *d)

FIXTURE(good_chain) {
	struct drv d;
};

FIXTURE_VARIANT(good_chain) {
	void (*make)(struct drv *d);
	u32 nr_out;
	u32 nr_in;
	u64 bytes;
};

FIXTURE_SETUP(good_chain)
{
	ASSERT_EQ(0, drv_init(&self->d, RING_SIZE, DRV_INDIRECT));
}

FIXTURE_TEARDOWN(good_chain)
{
	drv_fini(&self->d);
}

GOOD(one_readable, 1, 0, 7)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 7, 0, 0);
}

GOOD(one_writable, 0, 1, 7)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 7, WRITE, 0);
}

GOOD(readable_then_writable, 1, 1, 9)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 7, NEXT, 0);
	drv_desc(d, NULL, 0, DRV_IOVA, 2, WRITE, 0);
}

GOOD(as_long_as_the_ring, RING_SIZE, 0, RING_SIZE)
{
	run(d, NULL, 0, RING_SIZE, 1, NEXT);
	drv_desc(d, NULL, RING_SIZE - 1, DRV_IOVA, 1, NEXT, 0);
	drv_desc(d, NULL, 0, DRV_IOVA, 1, 0, 0);
}

GOOD(next_is_ignored_without_the_flag, 1, 0, 1)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, 0, 0xffff);
}

GOOD(reserved_flags_are_ignored, 1, 0, 1)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, 0xfff8, 0);
}

GOOD(empty_buffers_are_left_out, 1, 1, 5)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 0, NEXT, 2);
	drv_desc(d, NULL, 2, DRV_IOVA, 2, NEXT, 3);
	drv_desc(d, NULL, 3, U64_MAX, 0, NEXT | WRITE, 4);
	drv_desc(d, NULL, 4, DRV_IOVA, 3, WRITE, 5);
}

GOOD(nothing_but_an_empty_buffer, 0, 0, 0)
{
	drv_desc(d, NULL, 1, 0, 0, 0, 0);
}

GOOD(buffer_ends_at_the_last_address, 1, 0, 4)
{
	drv_desc(d, NULL, 1, U64_MAX - 3, 4, 0, 0);
}

GOOD(exactly_4_gib_in_all, 1, 1, 1ULL << 32)
{
	drv_desc(d, NULL, 1, 0, U32_MAX, NEXT, 2);
	drv_desc(d, NULL, 2, 0, 1, WRITE, 0);
}

GOOD(buffers_need_no_mapping_yet, 1, 0, 1)
{
	drv_desc(d, NULL, 1, 0, 1, 0, 0);
}

GOOD(indirect_of_one, 1, 0, 3)
{
	run(d, TABLE(d), 0, 1, 3, 0);
	indirect(d, 1, TABLE_IOVA, 16, 0);
}

GOOD(indirect_behind_direct, 2, 1, 3)
{
	run(d, NULL, 1, 3, 1, NEXT);
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, WRITE, 0);
	indirect(d, 3, TABLE_IOVA, 16, 0);
}

/* The value 0 of next means descriptor 0, not the end of the table. */
GOOD(indirect_behind_direct_goes_on_at_0, 3, 0, 3)
{
	drv_desc(d, NULL, 1, DRV_IOVA, 1, NEXT, 0);
	indirect(d, 0, TABLE_IOVA, 48, 0);
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 2);
	drv_desc(d, TABLE(d), 2, DRV_IOVA, 1, 0, 0);
}

GOOD(indirect_next_is_ignored, 2, 0, 2)
{
	run(d, TABLE(d), 0, 2, 1, 0);
	drv_desc(d, NULL, 1, TABLE_IOVA, 32, INDIRECT, 0xffff);
}

GOOD(indirect_write_flag_is_ignored, 1, 1, 2)
{
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 1);
	drv_desc(d, TABLE(d), 1, DRV_IOVA, 1, WRITE, 0);
	indirect(d, 1, TABLE_IOVA, 32, WRITE);
}

GOOD(indirect_out_of_order, 3, 0, 6)
{
	drv_desc(d, TABLE(d), 0, DRV_IOVA, 1, NEXT, 2);
	drv_desc(d, TABLE(d), 2, DRV_IOVA, 2, NEXT, 1);
	drv_desc(d, TABLE(d), 1, DRV_IOVA, 3, 0, 0);
	indirect(d, 1, TABLE_IOVA, 48, 0);
}

GOOD(indirect_table_longer_than_the_ring, RING_SIZE * 4, 0, RING_SIZE * 4)
{
	run(d, TABLE(d), 0, RING_SIZE * 4, 1, 0);
	indirect(d, 1, TABLE_IOVA, RING_SIZE * 4 * 16, 0);
}

GOOD(indirect_table_as_long_as_may_be, VDPA_CHAIN_MAX, 0, VDPA_CHAIN_MAX)
{
	run(d, TABLE(d), 0, VDPA_CHAIN_MAX, 1, 0);
	indirect(d, 1, TABLE_IOVA, VDPA_CHAIN_MAX * 16, 0);
}

GOOD(indirect_table_at_an_odd_address, 5, 0, 5)
{
	run(d, TABLE(d) + 1, 0, 5, 1, 0);
	indirect(d, 1, TABLE_IOVA + 1, 80, 0);
}

/* Cut in the middle of a descriptor. */
GOOD(indirect_table_in_three_pieces, 4, 0, 10)
{
	drv_unmap_all(d);
	drv_map(d, 0x1000, 20, d->data, VDPA_RING_READ);
	drv_map(d, 0x1014, 1, d->data + 0x3000, VDPA_RING_READ);
	drv_map(d, 0x1015, 43, d->data + 0x2000, VDPA_RING_READ);
	for (u32 i = 0; i < 4; i++)
		drv_desc(d, TABLE(d), i, DRV_IOVA, i + 1, i < 3 ? NEXT : 0,
			 i + 1);
	memcpy(d->data, TABLE(d), 20);
	memcpy(d->data + 0x3000, TABLE(d) + 20, 1);
	memcpy(d->data + 0x2000, TABLE(d) + 21, 43);
	indirect(d, 1, 0x1000, 64, 0);
}

TEST_F(good_chain, is_taken_as_it_is)
{
	struct drv *d = &self->d;

	variant->make(d);
	drv_offer(d, 1);
	ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(1, d->chain.id);
	EXPECT_EQ(variant->nr_out, d->chain.nr_out);
	EXPECT_EQ(variant->nr_in, d->chain.nr_in);
	EXPECT_EQ(variant->bytes, d->chain.out_len + d->chain.in_len);
	EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));
}

TEST_F(good_chain, reads_each_field_once)
{
	struct drv *d = &self->d;

	variant->make(d);
	drv_offer(d, 1);
	drv_watch_reads(true);
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	drv_watch_reads(false);
	EXPECT_LT(0, drv_reads);
	EXPECT_EQ(0, drv_reads_again);
}

static void spoil(void *p, size_t len)
{
	memset(p, 0xff, len);
}

/* What was checked is what is used, whatever the driver writes meanwhile. */
TEST_F(good_chain, is_not_read_again_after_the_check)
{
	struct drv *d = &self->d;

	variant->make(d);
	drv_offer(d, 1);
	compat_read_hook = spoil;
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	compat_read_hook = NULL;
	EXPECT_EQ(1, d->chain.id);
	EXPECT_EQ(variant->nr_out, d->chain.nr_out);
	EXPECT_EQ(variant->nr_in, d->chain.nr_in);
	EXPECT_EQ(variant->bytes, d->chain.out_len + d->chain.in_len);
}

TEST_HARNESS_MAIN
