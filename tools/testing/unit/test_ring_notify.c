// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completing, publishing, and who tells whom: event index and flags, on both
 * sides, around the wrap of 16-bit indices.
 */
#include "drv.h"
#include "kselftest_harness.h"

#define RING_SIZE	8

static void finish(struct drv *d, u32 nr)
{
	while (nr--)
		vdpa_ring_complete(d->ring, nr, nr);
}

static bool used_is(const struct drv *d, u16 idx, u32 id, u32 len)
{
	const struct vring_used_elem *e = &d->used->ring[idx % d->size];

	return le32_to_cpu(e->id) == id && le32_to_cpu(e->len) == len;
}

/* Chains that are there before the device looks. */
static void fetch(struct drv *d, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		drv_offer_good(d, i);
	while (vdpa_ring_fetch(d->ring, &d->chain) == 1)
		;
}

FIXTURE(event_idx) {
	struct drv d;
};

FIXTURE_VARIANT(event_idx) {
	u16 old;		/* used index before the batch */
	u16 nr;			/* chains in the batch */
	u16 event;		/* what the driver waits for */
	bool call;
};

FIXTURE_SETUP(event_idx)
{
	struct drv *d = &self->d;

	ASSERT_EQ(0, drv_init(d, RING_SIZE, DRV_EVENT_IDX));
	/* One chain first: the first call after set_state is owed. */
	ASSERT_EQ(0, drv_set_base(d, variant->old - 1));
	fetch(d, 1);
	finish(d, 1);
	ASSERT_TRUE(vdpa_ring_publish(d->ring));
}

FIXTURE_TEARDOWN(event_idx)
{
	drv_fini(&self->d);
}

/* A call is due if the batch moves the used index past the event. */
FIXTURE_VARIANT_ADD(event_idx, next_one_is_wanted) {
	100, 1, 100, true
};

FIXTURE_VARIANT_ADD(event_idx, second_is_wanted_and_one_comes) {
	100, 1, 101, false
};

FIXTURE_VARIANT_ADD(event_idx, second_is_wanted_and_two_come) {
	100, 2, 101, true
};

FIXTURE_VARIANT_ADD(event_idx, first_of_a_batch_is_wanted) {
	100, 8, 100, true
};

FIXTURE_VARIANT_ADD(event_idx, last_of_a_batch_is_wanted) {
	100, 8, 107, true
};

FIXTURE_VARIANT_ADD(event_idx, one_past_the_batch_is_wanted) {
	100, 8, 108, false
};

FIXTURE_VARIANT_ADD(event_idx, event_was_passed_before) {
	100, 8, 99, false
};

FIXTURE_VARIANT_ADD(event_idx, event_is_half_way_round) {
	100, 8, 100 + 32768, false
};

FIXTURE_VARIANT_ADD(event_idx, index_wraps_to_0_and_event_is_65535) {
	0xffff, 1, 0xffff, true
};

FIXTURE_VARIANT_ADD(event_idx, index_wraps_to_0_and_event_is_0) {
	0xffff, 1, 0, false
};

FIXTURE_VARIANT_ADD(event_idx, batch_over_the_wrap_event_before) {
	0xfffc, 8, 0xfffd, true
};

FIXTURE_VARIANT_ADD(event_idx, batch_over_the_wrap_event_behind) {
	0xfffc, 8, 3, true
};

FIXTURE_VARIANT_ADD(event_idx, batch_over_the_wrap_event_past_it) {
	0xfffc, 8, 4, false
};

FIXTURE_VARIANT_ADD(event_idx, batch_over_the_wrap_event_passed_before) {
	0xfffc, 8, 0xfffb, false
};

TEST_F(event_idx, calls_when_the_batch_passes_it)
{
	struct drv *d = &self->d;

	fetch(d, variant->nr);
	drv_set_used_event(d, variant->event);
	finish(d, variant->nr);
	EXPECT_EQ(variant->call, vdpa_ring_publish(d->ring));
	EXPECT_EQ((u16)(variant->old + variant->nr), drv_used_idx(d));
}

TEST_F(event_idx, ignores_the_flags_of_the_driver)
{
	struct drv *d = &self->d;

	d->avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	fetch(d, variant->nr);
	drv_set_used_event(d, variant->event);
	finish(d, variant->nr);
	EXPECT_EQ(variant->call, vdpa_ring_publish(d->ring));
}

FIXTURE(notify) {
	struct drv d;
};

FIXTURE_VARIANT(notify) {
	u64 features;
	u16 base;
};

FIXTURE_SETUP(notify)
{
	struct drv *d = &self->d;

	ASSERT_EQ(0, drv_init(d, RING_SIZE, variant->features));
	ASSERT_EQ(0, drv_set_base(d, variant->base));
}

FIXTURE_TEARDOWN(notify)
{
	drv_fini(&self->d);
}

FIXTURE_VARIANT_ADD(notify, flags) {
	.base = 0x1234,
};

FIXTURE_VARIANT_ADD(notify, flags_wrap) {
	.base = 0xffff,
};

FIXTURE_VARIANT_ADD(notify, event_idx) {
	.base = 0x1234, .features = DRV_EVENT_IDX,
};

FIXTURE_VARIANT_ADD(notify, event_idx_wrap) {
	.base = 0xffff, .features = DRV_EVENT_IDX,
};

TEST_F(notify, driver_sees_a_batch_at_publish_and_not_before)
{
	struct drv *d = &self->d;

	fetch(d, 3);
	finish(d, 3);
	EXPECT_EQ(variant->base, drv_used_idx(d));
	vdpa_ring_publish(d->ring);
	EXPECT_EQ((u16)(variant->base + 3), drv_used_idx(d));
	EXPECT_TRUE(used_is(d, variant->base, 2, 2));
	EXPECT_TRUE(used_is(d, variant->base + 1, 1, 1));
	EXPECT_TRUE(used_is(d, variant->base + 2, 0, 0));
}

TEST_F(notify, publish_of_nothing_touches_and_calls_nothing)
{
	struct drv *d = &self->d;

	d->used->idx = cpu_to_le16(0x5555);
	EXPECT_FALSE(vdpa_ring_publish(d->ring));
	EXPECT_EQ(0x5555, drv_used_idx(d));
}

TEST_F(notify, first_publish_after_set_state_calls_in_any_case)
{
	struct drv *d = &self->d;

	d->avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	if (variant->features & DRV_EVENT_IDX)
		drv_set_used_event(d, variant->base + 100);
	fetch(d, 2);
	finish(d, 1);
	EXPECT_TRUE(vdpa_ring_publish(d->ring));
	finish(d, 1);
	EXPECT_FALSE(vdpa_ring_publish(d->ring));
}

TEST_F(notify, used_ring_wraps_many_times)
{
	struct drv *d = &self->d;
	u32 i;

	for (i = 0; i < 3 * 65536; i++) {
		u16 idx = variant->base + i;

		drv_offer_good(d, i % RING_SIZE);
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		ASSERT_EQ(i % RING_SIZE, d->chain.id);
		vdpa_ring_complete(d->ring, d->chain.id, i);
		vdpa_ring_publish(d->ring);
		ASSERT_TRUE(used_is(d, idx, i % RING_SIZE, i));
		ASSERT_EQ((u16)(idx + 1), drv_used_idx(d));
	}
}

TEST_F(notify, driver_kicks_for_the_next_chain_once_enabled)
{
	struct drv *d = &self->d;
	u16 old = drv_avail_idx(d);

	d->used->flags = cpu_to_le16(VRING_USED_F_NO_NOTIFY);
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));
	drv_offer_good(d, 0);
	EXPECT_TRUE(drv_would_kick(d, old));
}

TEST_F(notify, driver_kicks_no_more_once_disabled)
{
	struct drv *d = &self->d;
	u16 old;

	/* The device sleeps, the driver wakes it and goes on. */
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));
	fetch(d, 1);
	vdpa_ring_kick_disable(d->ring);
	old = drv_avail_idx(d);
	drv_offer_good(d, 1);
	EXPECT_FALSE(drv_would_kick(d, old));

	/* Until it is told otherwise. */
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));
	old = drv_avail_idx(d);
	drv_offer_good(d, 2);
	EXPECT_TRUE(drv_would_kick(d, old));
}

TEST_F(notify, enable_tells_of_a_chain_that_came_before_it)
{
	struct drv *d = &self->d;

	fetch(d, 1);
	drv_offer_good(d, 1);
	EXPECT_TRUE(vdpa_ring_kick_enable(d->ring));
	EXPECT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	EXPECT_FALSE(vdpa_ring_kick_enable(d->ring));
}

TEST_F(notify, enable_tells_of_a_chain_that_was_put_back)
{
	struct drv *d = &self->d;

	fetch(d, 1);
	vdpa_ring_unfetch(d->ring, 1);
	EXPECT_TRUE(vdpa_ring_kick_enable(d->ring));
}

TEST_F(notify, disable_writes_what_the_layout_says)
{
	struct drv *d = &self->d;
	bool event_idx = variant->features & DRV_EVENT_IDX;

	d->used->flags = cpu_to_le16(VRING_USED_F_NO_NOTIFY);
	vdpa_ring_kick_enable(d->ring);
	EXPECT_EQ(0, le16_to_cpu(d->used->flags));
	vdpa_ring_kick_disable(d->ring);
	EXPECT_EQ(event_idx ? 0 : VRING_USED_F_NO_NOTIFY,
		  le16_to_cpu(d->used->flags));
	if (event_idx)
		EXPECT_EQ(variant->base, drv_avail_event(d));
}

FIXTURE(flags) {
	struct drv d;
};

FIXTURE_SETUP(flags)
{
	ASSERT_EQ(0, drv_init(&self->d, RING_SIZE, 0));
}

FIXTURE_TEARDOWN(flags)
{
	drv_fini(&self->d);
}

TEST_F(flags, no_interrupt_means_no_call)
{
	struct drv *d = &self->d;

	fetch(d, 2);
	finish(d, 1);
	EXPECT_TRUE(vdpa_ring_publish(d->ring));
	d->avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	finish(d, 1);
	EXPECT_FALSE(vdpa_ring_publish(d->ring));
}

/* Bits that no version has given a meaning yet. */
TEST_F(flags, others_than_no_interrupt_mean_nothing)
{
	struct drv *d = &self->d;

	d->avail->flags = cpu_to_le16(~VRING_AVAIL_F_NO_INTERRUPT);
	fetch(d, 1);
	finish(d, 1);
	EXPECT_TRUE(vdpa_ring_publish(d->ring));
}

TEST_HARNESS_MAIN
