// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go and come, and a host that goes to sleep, under traffic: frames
 * between the kernel's virtio_net and the peer, and requests to a disk. Nothing
 * is lost, and both sides have counted the same bytes.
 */
#include "common.h"

#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "blkdev.h"
#include "dev.h"
#include "driver.h"
#include "endure.h"
#include "files.h"
#include "mem.h"
#include "nic.h"
#include "vhost.h"

#define NIC		"hotplugnic"
#define DISK		"hotplugdisk"
#define CPU1		"/sys/devices/system/cpu/cpu1/online"
#define POWER		"/sys/power"
#define SLEEP_S		1

/* What goes on meanwhile, in a thread each. */
struct traffic {
	pthread_t thread;
	int here, peer;		/* packet sockets */
	struct drv *drv;
	unsigned long rounds;	/* done so far */
	bool failed;
	bool stop;
};

FIXTURE(busy) {
	char nic[IFNAMSIZ];
	struct drv drv;
	struct traffic frames, requests;
	long sent[2], came[2];	/* bytes, when it began */
};

static bool stopped(const struct traffic *t)
{
	return __atomic_load_n(&t->stop, __ATOMIC_RELAXED);
}

static void done_round(struct traffic *t)
{
	__atomic_fetch_add(&t->rounds, 1, __ATOMIC_RELAXED);
}

/* One frame at a time there and back: each must come. */
static void *run_frames(void *arg)
{
	struct traffic *t = arg;

	while (!stopped(t) && !t->failed) {
		t->failed = !nic_crosses(t->here, t->peer) ||
			    !nic_crosses(t->peer, t->here);
		done_round(t);
	}
	return NULL;
}

static void *run_requests(void *arg)
{
	struct traffic *t = arg;
	uint32_t seed = 0;

	while (!stopped(t) && !t->failed) {
		uint64_t sector = seed % 100 * 8;

		t->failed = !blk_writes(t->drv, 0, sector, 8, seed) ||
			    !blk_reads(t->drv, 0, sector, 8, seed);
		seed++;
		done_round(t);
	}
	return NULL;
}

static int nic_setup(char *nic, struct traffic *t)
{
	if (vdpa_add(NIC, "vdpa_net") || nic_bind(NIC, nic, IFNAMSIZ) ||
	    nic_up(NIC) || nic_up(nic))
		return -1;
	t->here = nic_socket(nic);
	t->peer = nic_socket(NIC);
	if (t->here < 0 || t->peer < 0)
		return -1;
	/* The carrier may come a little later. */
	for (int i = 0; i < 10; i++)
		if (nic_crosses(t->here, t->peer))
			return 0;
	return -1;
}

FIXTURE_SETUP(busy)
{
	const char *reason = NULL;

	if (!nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_net cannot be loaded");
	reason = blk_add(DISK, &blk_ram, 1);
	if (reason)
		SKIP(return, "%s", reason);
	vdpa_del(NIC);
	ASSERT_EQ(0, nic_setup(self->nic, &self->frames));
	self->drv.size = 64;
	self->requests.drv = &self->drv;
	ASSERT_ERRNO(0, drv_start(&self->drv, DISK, mem_anon(DRV_MEM)));

	self->sent[0] = nic_stat(self->nic, "tx_bytes");
	self->sent[1] = nic_stat(NIC, "tx_bytes");
	self->came[0] = nic_stat(NIC, "rx_bytes");
	self->came[1] = nic_stat(self->nic, "rx_bytes");
	ASSERT_EQ(0, pthread_create(&self->frames.thread, NULL, run_frames,
				    &self->frames));
	ASSERT_EQ(0, pthread_create(&self->requests.thread, NULL, run_requests,
				    &self->requests));
}

FIXTURE_TEARDOWN(busy)
{
	drv_end(&self->drv, DISK);
	blk_del(DISK);
	vdpa_del(NIC);
}

/* Traffic has gone on since there were @rounds of it, and does not fail. */
static bool goes_on(struct traffic *t, unsigned long rounds)
{
	for (int i = 0; i < 1000; i++) {
		if (__atomic_load_n(&t->rounds, __ATOMIC_RELAXED) > rounds + 1)
			return !t->failed;
		usleep(10000);
	}
	return false;
}

static void finish(struct traffic *t)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELAXED);
	pthread_join(t->thread, NULL);
}

/* What one side has sent has come at the other one. */
#define EXPECT_ALL_COUNTED() do {					\
	finish(&self->frames);						\
	finish(&self->requests);					\
	EXPECT_FALSE(self->frames.failed);				\
	EXPECT_FALSE(self->requests.failed);				\
	EXPECT_EQ(nic_stat(self->nic, "tx_bytes") - self->sent[0],	\
		  nic_stat(NIC, "rx_bytes") - self->came[0]);		\
	EXPECT_EQ(nic_stat(NIC, "tx_bytes") - self->sent[1],		\
		  nic_stat(self->nic, "rx_bytes") - self->came[1]);	\
	EXPECT_EQ(self->requests.rounds * 8 * 512,			\
		  blk_counter(DISK, 0, "written bytes"));		\
	EXPECT_EQ(self->requests.rounds * 8 * 512,			\
		  blk_counter(DISK, 0, "read bytes"));			\
	TH_LOG("%lu frames each way, %lu sectors written and read",	\
	       self->frames.rounds, self->requests.rounds * 8);		\
} while (0)

TEST_F_TIMEOUT(busy, loses_nothing_to_a_cpu_that_goes_and_comes, 600)
{
	int rounds = endure(20, 200), i;
	unsigned long frames, requests;

	for (i = 0; i < rounds; i++) {
		frames = self->frames.rounds;
		requests = self->requests.rounds;
		if (file_write(i % 2 ? "1" : "0", CPU1))
			break;
		EXPECT_TRUE(goes_on(&self->frames, frames));
		EXPECT_TRUE(goes_on(&self->requests, requests));
	}
	file_write("1", CPU1);
	EXPECT_ALL_COUNTED();
	if (!i)
		SKIP(return, "there is no second CPU to take away");
	EXPECT_EQ(rounds, i);
}

/* All stops for a while, and both go on; or what is wrong. */
static const char *freeze(struct _test_data_busy *self)
{
	unsigned long frames = self->frames.rounds;
	unsigned long requests = self->requests.rounds;
	long start = now_ms();

	if (file_write("freeze", POWER "/state"))
		return "the kernel does not suspend";
	if (now_ms() - start < SLEEP_S * 1000)
		return "it comes back too early";
	if (!goes_on(&self->frames, frames))
		return "no frame goes on";
	if (!goes_on(&self->requests, requests))
		return "no request goes on";
	return "";
}

/*
 * As far as a machine goes whose root is served by a device that does not
 * survive more: all tasks are frozen, for a second, and thawed. None may be
 * where it cannot be frozen, on our account.
 */
TEST_F_TIMEOUT(busy, loses_nothing_while_all_tasks_are_frozen, 600)
{
	int rounds = endure(3, 20), i;
	char delay[16];

	snprintf(delay, sizeof(delay), "%d", SLEEP_S);
	if (file_write("freezer", POWER "/pm_test"))
		rounds = 0;
	file_write(delay, "/sys/module/suspend/parameters/pm_test_delay");
	for (i = 0; i < rounds; i++)
		EXPECT_STREQ("", freeze(self));
	file_write("none", POWER "/pm_test");
	EXPECT_ALL_COUNTED();
	if (!rounds)
		SKIP(return, "the kernel cannot test its suspending");
}

static long sleeps(void)
{
	char text[16];

	return file_read(text, sizeof(text), POWER "/suspend_stats/success") ?
	       -1 : atol(text);
}

/* Devices are suspended, and CPUs idle until somebody outside wakes them. */
TEST_F_TIMEOUT(busy, loses_nothing_while_the_machine_sleeps, 600)
{
	int rounds = endure(3, 20), i;
	long before = sleeps();

	if (!getenv("VDPA_SLEEP"))
		rounds = 0;
	for (i = 0; i < rounds; i++)
		EXPECT_STREQ("", freeze(self));
	EXPECT_EQ(before + rounds, sleeps());
	EXPECT_ALL_COUNTED();
	if (!rounds)
		SKIP(return, "nobody would wake it up, as tools/testing/vm/sleep does");
}

TEST_HARNESS_MAIN
