// SPDX-License-Identifier: GPL-2.0-only
/*
 * vdpa_ring_fetch() and the ring: what breaks it and for how long, rings of
 * extreme size, how often the driver's index is read, chains put back.
 */
#include "drv.h"
#include "kselftest_harness.h"

#define RING_SIZE	8

/* A chain of @nr descriptors, one behind the other, of @len bytes each */
static void run(struct drv *d, u32 first, u32 nr, u32 len)
{
	u32 i;

	for (i = first; i < first + nr; i++)
		drv_desc(d, NULL, i, DRV_IOVA, len,
			 i < first + nr - 1 ? VRING_DESC_F_NEXT : 0, i + 1);
}

FIXTURE(broken) {
	struct drv d;
};

FIXTURE_VARIANT(broken) {
	u16 base;
	u16 in_flight;		/* fetched and not completed */
	u16 jump;		/* of the available index */
	u16 head;
};

FIXTURE_SETUP(broken)
{
	struct drv *d = &self->d;
	u16 i;

	ASSERT_EQ(0, drv_init(d, RING_SIZE, 0));
	ASSERT_EQ(0, drv_set_base(d, variant->base));
	for (i = 0; i < variant->in_flight; i++) {
		drv_offer_good(d, i);
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	}
	for (i = 0; i < RING_SIZE; i++)
		d->avail->ring[i] = cpu_to_le16(variant->head);
	d->avail->idx = cpu_to_le16((u16)(drv_avail_idx(d) + variant->jump));
}

FIXTURE_TEARDOWN(broken)
{
	drv_fini(&self->d);
}

FIXTURE_VARIANT_ADD(broken, index_jumps_past_the_size) {
	.jump = RING_SIZE + 1,
};

FIXTURE_VARIANT_ADD(broken, index_jumps_past_the_size_over_65535) {
	.base = 0xfffe, .jump = RING_SIZE + 1,
};

FIXTURE_VARIANT_ADD(broken, index_jumps_past_what_is_free) {
	.in_flight = 3, .jump = RING_SIZE - 2,
};

FIXTURE_VARIANT_ADD(broken, index_goes_back) {
	.base = 100, .jump = (u16)-1,
};

FIXTURE_VARIANT_ADD(broken, index_goes_back_to_one_in_flight) {
	.in_flight = 3, .jump = (u16)-2,
};

FIXTURE_VARIANT_ADD(broken, head_is_the_size) {
	.jump = 1, .head = RING_SIZE,
};

FIXTURE_VARIANT_ADD(broken, head_is_65535) {
	.jump = 1, .head = 0xffff,
};

TEST_F(broken, stays_broken_until_set_state)
{
	struct drv *d = &self->d;

	EXPECT_EQ(-EIO, vdpa_ring_fetch(d->ring, &d->chain));
	/* not even if the driver is sorry */
	d->avail->idx = cpu_to_le16(variant->base + variant->in_flight);
	drv_offer_good(d, 0);
	EXPECT_EQ(-EIO, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));

	ASSERT_EQ(0, drv_set_base(d, 7));
	drv_offer_good(d, 2);
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(2, d->chain.id);
}

TEST_F(broken, is_no_reason_to_sleep_before_the_owner_knows)
{
	struct drv *d = &self->d;

	EXPECT_TRUE(vdpa_ring_kick_enable(d->ring));
	EXPECT_EQ(-EIO, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));
}

FIXTURE(ring) {
	struct drv d;
};

FIXTURE_SETUP(ring)
{
}

FIXTURE_TEARDOWN(ring)
{
	drv_fini(&self->d);
}

TEST_F(ring, of_32768_takes_a_chain_of_the_longest_length)
{
	struct drv *d = &self->d;

	ASSERT_EQ(0, drv_init(d, 32768, 0));
	run(d, 32768 - VDPA_CHAIN_MAX, VDPA_CHAIN_MAX, 1);
	drv_offer(d, 32768 - VDPA_CHAIN_MAX);
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(VDPA_CHAIN_MAX, d->chain.nr_out);
	EXPECT_EQ(32768 - 1024, d->chain.id);
}

TEST_F(ring, of_32768_refuses_a_chain_that_is_longer)
{
	struct drv *d = &self->d;

	ASSERT_EQ(0, drv_init(d, 32768, 0));
	run(d, 0, VDPA_CHAIN_MAX + 1, 1);
	drv_offer(d, 0);
	EXPECT_EQ(-EBADMSG, vdpa_ring_fetch(d->ring, &d->chain));
}

/* 32768 empty descriptors would be a long time for one fetch. */
TEST_F(ring, of_32768_does_not_walk_all_of_it_for_one_chain)
{
	struct drv *d = &self->d;

	ASSERT_EQ(0, drv_init(d, 32768, 0));
	run(d, 0, 32768, 0);
	drv_offer(d, 0);
	drv_watch_reads(true);
	EXPECT_EQ(-EBADMSG, vdpa_ring_fetch(d->ring, &d->chain));
	drv_watch_reads(false);
	EXPECT_GT(5 * VDPA_CHAIN_MAX, drv_reads);
}

TEST_F(ring, of_32768_may_be_full)
{
	struct drv *d = &self->d;
	u32 i;

	ASSERT_EQ(0, drv_init(d, 32768, 0));
	for (i = 0; i < 32768; i++)
		drv_offer_good(d, i);
	for (i = 0; i < 32768; i++)
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_EQ(32767, d->chain.id);
	EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));
}

TEST_F(ring, of_one_descriptor_works)
{
	struct drv *d = &self->d;
	u32 i;

	ASSERT_EQ(0, drv_init(d, 1, DRV_EVENT_IDX));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));
		drv_offer_good(d, 0);
		EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		vdpa_ring_complete(d->ring, 0, i);
		vdpa_ring_publish(d->ring);
		EXPECT_EQ(i, le32_to_cpu(d->used->ring[0].len));
	}
}

TEST_F(ring, reads_the_available_index_once_a_batch)
{
	struct drv *d = &self->d;
	u32 i;

	ASSERT_EQ(0, drv_init(d, RING_SIZE, 0));
	for (i = 0; i < RING_SIZE; i++)
		drv_offer_good(d, i);
	drv_watch_reads(true);
	for (i = 0; i < RING_SIZE; i++)
		EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	drv_watch_reads(false);
	EXPECT_EQ(1, drv_reads_of(&d->avail->idx));
}

TEST_F(ring, fetches_again_what_was_put_back)
{
	struct drv *d = &self->d;
	u32 i;

	ASSERT_EQ(0, drv_init(d, RING_SIZE, 0));
	ASSERT_EQ(0, drv_set_base(d, 0xfffe));
	for (i = 0; i < 4; i++)
		drv_offer_good(d, i);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	vdpa_ring_unfetch(d->ring, 3);
	/* and the driver has more meanwhile */
	drv_offer_good(d, 4);
	for (i = 1; i < 5; i++) {
		EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		EXPECT_EQ(i, d->chain.id);
	}
	EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));
}

TEST_HARNESS_MAIN
