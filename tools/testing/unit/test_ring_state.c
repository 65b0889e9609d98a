// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a ring: what can be made, how large its areas are, where it stands.
 */
#include <sanitizer/lsan_interface.h>

#include "drv.h"
#include "kselftest_harness.h"

static u8 area[4096] __aligned(16);

static int create(const struct vdpa_ring_cfg *cfg)
{
	struct vdpa_ring *ring = vdpa_ring_create(cfg);

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	vdpa_ring_destroy(ring);
	return 0;
}

FIXTURE(create) {
	struct vdpa_ring_cfg cfg;
};

FIXTURE_VARIANT(create) {
	u64 features;
	u32 size;
	u32 desc, driver, device;	/* offsets that spoil the alignment */
	int err;
};

FIXTURE_SETUP(create)
{
	self->cfg = (struct vdpa_ring_cfg){
		.features = variant->features,
		.size = variant->size,
		.desc = area + variant->desc,
		.driver = area + variant->driver,
		.device = area + variant->device,
		.mem = { .translate = drv_translate },
	};
}

FIXTURE_TEARDOWN(create)
{
}

FIXTURE_VARIANT_ADD(create, smallest) { .size = 1 };
FIXTURE_VARIANT_ADD(create, largest) { .size = 32768 };

FIXTURE_VARIANT_ADD(create, least_alignment) {
	.size = 8, .desc = 16, .driver = 2, .device = 4,
};

FIXTURE_VARIANT_ADD(create, features_of_others) {
	.size = 8, .features = ~(BIT_ULL(VIRTIO_F_RING_PACKED) |
				 BIT_ULL(VIRTIO_F_IN_ORDER)),
};

FIXTURE_VARIANT_ADD(create, size_0) { .size = 0, .err = -EINVAL };
FIXTURE_VARIANT_ADD(create, size_3) { .size = 3, .err = -EINVAL };
FIXTURE_VARIANT_ADD(create, size_65536) { .size = 65536, .err = -EINVAL };

FIXTURE_VARIANT_ADD(create, desc_at_8) {
	.size = 8, .desc = 8, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(create, driver_at_1) {
	.size = 8, .driver = 1, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(create, device_at_2) {
	.size = 8, .device = 2, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(create, packed) {
	.size = 8, .features = BIT_ULL(VIRTIO_F_RING_PACKED),
	.err = -EOPNOTSUPP,
};

FIXTURE_VARIANT_ADD(create, in_order) {
	.size = 8, .features = BIT_ULL(VIRTIO_F_IN_ORDER), .err = -EOPNOTSUPP,
};

TEST_F(create, answers)
{
	EXPECT_EQ(variant->err, create(&self->cfg));
}

TEST_F(create, wants_all_areas_and_a_translation)
{
	struct vdpa_ring_cfg cfg = self->cfg;
	int err = variant->err ?: -EINVAL;

	cfg.desc = NULL;
	EXPECT_EQ(err, create(&cfg));
	cfg = self->cfg;
	cfg.driver = NULL;
	EXPECT_EQ(err, create(&cfg));
	cfg = self->cfg;
	cfg.device = NULL;
	EXPECT_EQ(err, create(&cfg));
	cfg = self->cfg;
	cfg.mem.translate = NULL;
	EXPECT_EQ(err, create(&cfg));
}

TEST(areas_are_as_large_as_the_specification_says)
{
	EXPECT_EQ(16 * 256, vdpa_ring_desc_bytes(256, 0));
	EXPECT_EQ(4 + 2 * 256, vdpa_ring_driver_bytes(256, 0));
	EXPECT_EQ(6 + 2 * 256, vdpa_ring_driver_bytes(256, DRV_EVENT_IDX));
	EXPECT_EQ(4 + 8 * 256, vdpa_ring_device_bytes(256, 0));
	EXPECT_EQ(6 + 8 * 256, vdpa_ring_device_bytes(256, DRV_EVENT_IDX));
	EXPECT_EQ(16ULL * U32_MAX, vdpa_ring_desc_bytes(U32_MAX, 0));
	EXPECT_EQ(4 + 8ULL * U32_MAX, vdpa_ring_device_bytes(U32_MAX, 0));
}

TEST(destroy_of_nothing_is_allowed)
{
	struct vdpa_chain chain = {};

	vdpa_ring_destroy(NULL);
	vdpa_chain_fini(&chain);
}

TEST(destroy_gives_everything_back)
{
	struct drv d;

	ASSERT_EQ(0, drv_init(&d, 8, DRV_INDIRECT));
	drv_fini(&d);
	memset(&d, 0, sizeof(d));
	EXPECT_EQ(0, __lsan_do_recoverable_leak_check());
}

TEST(create_does_not_touch_the_memory)
{
	struct vdpa_ring_cfg cfg = {
		.size = 8, .desc = area, .driver = area, .device = area,
		.features = DRV_INDIRECT | DRV_EVENT_IDX,
		.mem = { .translate = drv_translate },
	};
	u32 i;

	memset(area, 0xa5, sizeof(area));
	ASSERT_EQ(0, create(&cfg));
	for (i = 0; i < sizeof(area); i++)
		ASSERT_EQ(0xa5, area[i]);
}

FIXTURE(base) {
	struct drv d;
};

FIXTURE_VARIANT(base) {
	u16 base;
};

FIXTURE_SETUP(base)
{
	ASSERT_EQ(0, drv_init(&self->d, 8, 0));
}

FIXTURE_TEARDOWN(base)
{
	drv_fini(&self->d);
}

FIXTURE_VARIANT_ADD(base, zero) { .base = 0 };
FIXTURE_VARIANT_ADD(base, some) { .base = 0x1234 };
FIXTURE_VARIANT_ADD(base, last) { .base = 0xffff };

TEST_F(base, is_where_the_ring_goes_on)
{
	struct drv *d = &self->d;
	struct vdpa_ring_state state = {};
	u32 i;

	ASSERT_EQ(0, drv_set_base(d, variant->base));
	vdpa_ring_get_state(d->ring, &state);
	EXPECT_EQ(variant->base, state.avail);
	EXPECT_EQ(variant->base, state.used);
	EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));

	for (i = 0; i < 20; i++) {
		drv_offer_good(d, i % 8);
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		ASSERT_EQ(i % 8, d->chain.id);
		vdpa_ring_complete(d->ring, d->chain.id, i);
		vdpa_ring_publish(d->ring);
		ASSERT_EQ((u16)(variant->base + i + 1), drv_used_idx(d));
		ASSERT_EQ(i, le32_to_cpu(d->used->ring[(variant->base + i) % 8]
					 .len));
	}
	vdpa_ring_get_state(d->ring, &state);
	EXPECT_EQ((u16)(variant->base + 20), state.avail);
	EXPECT_EQ((u16)(variant->base + 20), state.used);
}

TEST_F(base, of_chains_in_flight_is_kept_apart)
{
	struct drv *d = &self->d;
	struct vdpa_ring_state state = {
		.avail = variant->base + 3, .used = variant->base,
	};

	d->avail->idx = cpu_to_le16(variant->base + 3);
	d->used->idx = cpu_to_le16(variant->base);
	ASSERT_EQ(0, vdpa_ring_set_state(d->ring, &state));
	EXPECT_EQ(0, vdpa_ring_fetch(d->ring, &d->chain));
	vdpa_ring_complete(d->ring, 6, 1);
	vdpa_ring_publish(d->ring);
	EXPECT_EQ((u16)(variant->base + 1), drv_used_idx(d));
	EXPECT_EQ(6, le32_to_cpu(d->used->ring[variant->base % 8].id));
	vdpa_ring_get_state(d->ring, &state);
	EXPECT_EQ((u16)(variant->base + 3), state.avail);
	EXPECT_EQ((u16)(variant->base + 1), state.used);
}

TEST_F(base, of_chains_in_flight_returns_to_them_by_unfetch)
{
	struct drv *d = &self->d;
	struct vdpa_ring_state state;
	u32 i;

	ASSERT_EQ(0, drv_set_base(d, variant->base));
	for (i = 0; i < 5; i++) {
		drv_offer_good(d, i);
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
	}
	vdpa_ring_get_state(d->ring, &state);
	vdpa_ring_unfetch(d->ring, (u16)(state.avail - state.used));
	vdpa_ring_get_state(d->ring, &state);
	EXPECT_EQ(variant->base, state.avail);

	/* what the next device does with it */
	ASSERT_EQ(0, vdpa_ring_set_state(d->ring, &state));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, vdpa_ring_fetch(d->ring, &d->chain));
		EXPECT_EQ(i, d->chain.id);
	}
}

TEST_F(base, with_more_in_flight_than_fit_is_refused_and_changes_nothing)
{
	struct drv *d = &self->d;
	struct vdpa_ring_state state = {
		.avail = variant->base + 9, .used = variant->base,
	};

	ASSERT_EQ(0, drv_set_base(d, 77));
	EXPECT_EQ(-EINVAL, vdpa_ring_set_state(d->ring, &state));
	state.avail = variant->base - 1;
	EXPECT_EQ(-EINVAL, vdpa_ring_set_state(d->ring, &state));
	vdpa_ring_get_state(d->ring, &state);
	EXPECT_EQ(77, state.avail);
	EXPECT_EQ(77, state.used);
	state.avail = 77 + 8;
	EXPECT_EQ(0, vdpa_ring_set_state(d->ring, &state));
}

TEST_HARNESS_MAIN
