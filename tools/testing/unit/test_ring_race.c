// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver and device on two threads that both sleep as often as they can: a
 * barrier that is missing makes both sleep for ever, which a limit of time
 * tells.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "drv.h"
#include "kselftest_harness.h"

#define RING_SIZE	4
#define CHAINS		400000
#define SECONDS		10

static struct drv drv;
static u32 kicks, calls;	/* eventfds, so to speak */
static u32 fetched;
static bool stuck;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Waits for an event; false if it does not come. */
static bool sleep_on(u32 *event)
{
	time_t end = now() + SECONDS;
	u32 i;

	for (i = 0; !__atomic_exchange_n(event, 0, __ATOMIC_ACQ_REL); i++) {
		if (__atomic_load_n(&stuck, __ATOMIC_RELAXED) ||
		    (i % 1024 == 0 && now() > end)) {
			__atomic_store_n(&stuck, true, __ATOMIC_RELAXED);
			return false;
		}
		if (i % 64 == 63)
			sched_yield();
	}
	return true;
}

static void raise_event(u32 *event)
{
	__atomic_store_n(event, 1, __ATOMIC_RELEASE);
}

static void *device(void *arg)
{
	while (fetched < CHAINS) {
		vdpa_ring_kick_disable(drv.ring);
		while (vdpa_ring_fetch(drv.ring, &drv.chain) == 1) {
			fetched++;
			vdpa_ring_complete(drv.ring, drv.chain.id, 0);
			if (vdpa_ring_publish(drv.ring))
				raise_event(&calls);
		}
		if (fetched < CHAINS && !vdpa_ring_kick_enable(drv.ring) &&
		    !sleep_on(&kicks))
			break;
	}
	return NULL;
}

static u16 used_idx(void)
{
	return le16_to_cpu(__atomic_load_n(&drv.used->idx, __ATOMIC_ACQUIRE));
}

static void driver(void)
{
	u16 sent = 0, done = 0;
	u32 left = CHAINS;

	while (left || done != sent) {
		while (left && (u16)(sent - done) < RING_SIZE) {
			drv_offer(&drv, sent % RING_SIZE);
			left--;
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			if (drv_would_kick(&drv, sent))
				raise_event(&kicks);
			sent++;
		}
		if (drv.features & DRV_EVENT_IDX)
			drv_set_used_event(&drv, done);
		else
			drv.avail->flags = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (used_idx() == done && !sleep_on(&calls))
			return;
		if (!(drv.features & DRV_EVENT_IDX))
			drv.avail->flags =
				cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
		done = used_idx();
	}
}

FIXTURE(race) {
};

FIXTURE_VARIANT(race) {
	u64 features;
};

FIXTURE_SETUP(race)
{
	u32 i;

	ASSERT_EQ(0, drv_init(&drv, RING_SIZE, variant->features));
	for (i = 0; i < RING_SIZE; i++)
		drv_desc(&drv, NULL, i, DRV_IOVA, 1, 0, 0);
}

FIXTURE_TEARDOWN(race)
{
	drv_fini(&drv);
}

FIXTURE_VARIANT_ADD(race, flags) { .features = 0 };

FIXTURE_VARIANT_ADD(race, event_idx) { .features = DRV_EVENT_IDX };

TEST_F_TIMEOUT(race, loses_no_wake_up, 60)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, device, NULL));
	driver();
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_FALSE(stuck);
	EXPECT_EQ(CHAINS, fetched);
}

TEST_HARNESS_MAIN
