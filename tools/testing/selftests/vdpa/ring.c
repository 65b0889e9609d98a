// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device side of a split ring, through a driver in user space on the
 * loopback NIC vdpasim_net: what is good flows, whatever form it has. What is
 * bad is in ring_bad.c.
 */
#include "common.h"

#include <linux/if_ether.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "driver.h"
#include "mem.h"
#include "vhost.h"

#define NAME		"ringtest"
#define FRAME		100			/* bytes of a usual frame */

#define INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT_IDX	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)

FIXTURE(form) {
	struct drv drv;
};

FIXTURE_VARIANT(form) {
	uint64_t features;
	uint16_t size;
	uint16_t base;
	bool scattered;
};

FIXTURE_VARIANT_ADD(form, plain) { .size = 16 };

FIXTURE_VARIANT_ADD(form, size_256) { .size = 256 };

FIXTURE_VARIANT_ADD(form, indirect) { .size = 16, .features = INDIRECT };

FIXTURE_VARIANT_ADD(form, event_idx) { .size = 16, .features = EVENT_IDX };

FIXTURE_VARIANT_ADD(form, indirect_event_idx) {
	.size = 16, .features = INDIRECT | EVENT_IDX,
};

FIXTURE_VARIANT_ADD(form, base_0x1234) { .size = 16, .base = 0x1234 };

FIXTURE_VARIANT_ADD(form, base_0xffff) { .size = 16, .base = 0xffff };

FIXTURE_VARIANT_ADD(form, base_0xffff_event_idx) {
	.size = 16, .base = 0xffff, .features = EVENT_IDX,
};

FIXTURE_VARIANT_ADD(form, scattered_pages) { .size = 256, .scattered = true };

FIXTURE_SETUP(form)
{
	const char *reason = drv_device(NAME);
	void *mem;

	if (reason)
		SKIP(return, "%s", reason);
	self->drv.features = variant->features;
	self->drv.indirect = variant->features & INDIRECT;
	self->drv.size = variant->size;
	self->drv.base = variant->base;
	mem = variant->scattered ? mem_scattered(DRV_MEM) : mem_anon(DRV_MEM);
	ASSERT_NE(NULL, mem);
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem));
}

FIXTURE_TEARDOWN(form)
{
	drv_end(&self->drv, NAME);
}

TEST_F(form, frames_of_all_lengths_come_back)
{
	static const size_t len[] = { 14, 15, 60, 1499, 1514, 1518 };

	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		EXPECT_TRUE(drv_works(&self->drv, len[i]))
			TH_LOG("%zu bytes", len[i]);
	}
}

TEST_F(form, ring_goes_round_several_times)
{
	int rounds = 3 * self->drv.size;

	for (int i = 0; i < rounds; i++) {
		ASSERT_TRUE(drv_works(&self->drv, FRAME))
			TH_LOG("frame %d of %d", i, rounds);
	}
}

TEST_F(form, batch_is_completed_in_order)
{
	struct drv *drv = &self->drv;
	uint8_t *buf;
	int i;

	for (i = 0; i < 4; i++) {
		struct drv_seg rx = { drv_buf_iova(i), DRV_BUF, true };

		drv_avail(drv, DRV_RX, drv_chain(drv, DRV_RX, &rx, 1));
	}
	for (i = 0; i < 4; i++) {
		struct drv_seg tx = { drv_buf_iova(4 + i), DRV_HDR + FRAME };

		drv_fill(drv_buf(4 + i, drv), FRAME, NULL, i);
		drv_avail(drv, DRV_TX, drv_chain(drv, DRV_TX, &tx, 1));
	}
	drv_kick(drv, DRV_TX);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
		EXPECT_EQ(DRV_HDR + FRAME, drv_used(drv, DRV_RX, DRV_WAIT_MS));
		buf = drv_buf(i, drv);
		EXPECT_EQ(i, buf[DRV_HDR + ETH_HLEN]);
	}
}

TEST_F(form, base_is_exact_when_suspended)
{
	struct drv *drv = &self->drv;

	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(drv_works(drv, FRAME));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ((uint16_t)(self->drv.base + 5),
		  vq_get(drv->fd, VHOST_GET_VRING_BASE, DRV_RX));
	EXPECT_EQ((uint16_t)(self->drv.base + 5),
		  vq_get(drv->fd, VHOST_GET_VRING_BASE, DRV_TX));
	EXPECT_EQ(self->drv.base, vq_get(drv->fd, VHOST_GET_VRING_BASE,
					 DRV_CTRL));
}

TEST_F(form, suspended_device_does_nothing_and_misses_no_kick)
{
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(form, device_works_after_reset)
{
	ASSERT_TRUE(drv_works(&self->drv, FRAME));
	ASSERT_ERRNO(0, drv_restart(&self->drv));
	EXPECT_TRUE(drv_works(&self->drv, FRAME));
}

TEST_F(form, buffers_from_before_driver_ok_are_seen_without_a_kick)
{
	struct drv *drv = &self->drv;
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, drv_negotiate(drv));
	for (int i = 0; i < drv->nvqs; i++)
		ASSERT_ERRNO(0, drv_setup_vq(drv, i));
	drv_fill(drv_buf(1, drv), FRAME, NULL, 0);
	drv_avail(drv, DRV_TX, drv_chain(drv, DRV_TX, &tx, 1));
	EXPECT_EQ(-1, drv_used(drv, DRV_TX, DRV_QUIET_MS));
	ASSERT_ERRNO(0, set_status(drv->fd, STATUS_RUNNING));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
}

/* Copies the ring to where buffers are otherwise, and spoils what it leaves. */
static void move_ring(struct drv *drv, int idx)
{
	struct drv_vq *vq = &drv->vq[idx];
	uint8_t *room = drv_buf(64 + 8 * idx, drv);
	size_t desc = vq->size * sizeof(*vq->desc);
	size_t avail = 6 + vq->size * sizeof(uint16_t);
	size_t used = 6 + vq->size * sizeof(struct vring_used_elem);

	memcpy(room + 0x10, vq->desc, desc);
	memset(vq->desc, 0xff, desc);
	vq->desc = (void *)room + 0x10;
	memcpy(room + 0x2002, vq->avail, avail);
	memset(vq->avail, 0xff, avail);
	vq->avail = (void *)room + 0x2002;
	memcpy(room + 0x3004, vq->used, used);
	memset(vq->used, 0xff, used);
	vq->used = (void *)room + 0x3004;
}

/* Upstream kept the translation of the ring from before. */
TEST_F(form, ring_that_moved_while_suspended_goes_on_there)
{
	struct drv *drv = &self->drv;
	int i;

	ASSERT_TRUE(drv_works(drv, FRAME));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	for (i = DRV_RX; i <= DRV_TX; i++) {
		move_ring(drv, i);
		ASSERT_ERRNO(0, vq_addr(drv->fd, i,
					drv_iova(drv, drv->vq[i].desc),
					drv_iova(drv, drv->vq[i].avail),
					drv_iova(drv, drv->vq[i].used)));
	}
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(form, queue_is_enabled_after_driver_ok)
{
	struct drv *drv = &self->drv;
	uint64_t offered;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_GET_BACKEND_FEATURES, &offered));
	EXPECT_TRUE(offered & BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK));
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, drv_negotiate(drv));
	for (int i = 0; i < drv->nvqs; i++)
		ASSERT_ERRNO(0, drv_setup_vq(drv, i));
	ASSERT_ERRNO(0, vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_TX,
				 0));
	ASSERT_ERRNO(0, set_status(drv->fd, STATUS_RUNNING));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	ASSERT_ERRNO(0, vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_TX,
				 1));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

struct swapper {
	struct drv *drv;
	bool stop;
};

/* Every eventfd but the last is closed as soon as another one is there. */
static void *swapper(void *arg)
{
	struct swapper *s = arg;
	int old = -1, event;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		vq_file(s->drv->fd, VHOST_SET_VRING_CALL, DRV_TX, event);
		close(old);
		old = event;
	}
	close(old);
	return NULL;
}

TEST_F_TIMEOUT(form, call_eventfd_is_replaced_under_traffic, 60)
{
	struct swapper s = { .drv = &self->drv };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, swapper, &s));
	for (i = 0; i < 200; i++)
		EXPECT_TRUE(drv_works(&self->drv, FRAME));
	s.stop = true;
	pthread_join(thread, NULL);
}

TEST_F(form, driver_is_called_when_it_asks_for_it)
{
	struct drv *drv = &self->drv;
	struct drv_vq *vq = &drv->vq[DRV_TX];
	bool event_idx = drv->features & EVENT_IDX;

	/* The first completion of a ring calls in any case. */
	ASSERT_TRUE(drv_works(drv, FRAME));
	while (drv_called(drv, DRV_TX, DRV_QUIET_MS))
		;
	if (event_idx)
		vq->avail->ring[vq->size] = vq->used_idx + 1;
	else
		vq->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ASSERT_TRUE(drv_works(drv, FRAME));
	EXPECT_FALSE(drv_called(drv, DRV_TX, DRV_QUIET_MS));
	if (!event_idx)
		vq->avail->flags = 0;
	ASSERT_TRUE(drv_works(drv, FRAME));
	EXPECT_TRUE(drv_called(drv, DRV_TX, DRV_WAIT_MS));
}

TEST_HARNESS_MAIN
