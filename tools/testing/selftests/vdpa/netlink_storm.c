// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many devices that come and go all the time, on several management devices,
 * while others list, change, open and listen. Nobody gets an answer that makes
 * no sense, and nobody is held up for ever.
 *
 * Each job is a process with a socket of its own. Those that make devices end
 * by themselves, the others when they are told to.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <linux/vdpa_events.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAKERS	4
#define EACH	50	/* devices that a maker has at once */
#define ROUNDS	4
#define STAY	5	/* devices that stay */

/* What all processes see. */
struct shared {
	bool stop;
	unsigned long done[16];	/* by each job, what it is there for */
};

/* A process: returns 0, or which step has failed. */
typedef int (*job_fn)(struct nl *nl, struct shared *shared, unsigned int nr);

static bool stopped(const struct shared *shared)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static void device_name(char *name, size_t size, unsigned int maker,
			unsigned int i)
{
	snprintf(name, size, "storm%u_%u", maker, i);
}

/* One of those that may be there now. */
static void any_name(char *name, size_t size, unsigned int *seed)
{
	unsigned int maker = rand_r(seed) % MAKERS;

	device_name(name, size, maker, rand_r(seed) % EACH);
}

static int make(struct nl *nl, struct shared *shared, unsigned int nr)
{
	bool sim = nr % 2 && nl_has_mgmtdev(nl, "vdpasim_net");
	const char *mgmtdev = sim ? "vdpasim_net" : MOCKDEV;
	unsigned int round, i;
	char name[32];

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < EACH; i++) {
			device_name(name, sizeof(name), nr, i);
			if (nl_add(nl, mgmtdev, name))
				return 1;
			shared->done[nr]++;
		}
		for (i = 0; i < EACH; i++) {
			device_name(name, sizeof(name), nr, i);
			if (nl_del(nl, name))
				return 2;
		}
	}
	return 0;
}

static int count_staying(const struct nl_reply *reply, void *arg)
{
	int *seen = arg;
	unsigned int i;

	if (sscanf(nl_str(reply, VDPA_ATTR_DEV_NAME), "stay%u", &i) == 1)
		seen[i]++;
	return 0;
}

static int list(struct nl *nl, struct shared *shared, unsigned int nr)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
	};
	unsigned int i, k;

	while (!stopped(shared)) {
		for (k = 0; k < ARRAY_SIZE(cmds); k++) {
			int seen[STAY] = {};

			nl_start(nl, cmds[k]);
			if (nl_dump(nl, count_staying, seen))
				return 3;
			for (i = 0; i < STAY; i++)
				if (seen[i] != 1)
					return 4;
		}
		shared->done[nr]++;
	}
	return 0;
}

/* It may be gone before, or never have been one that can be changed. */
static int change(struct nl *nl, struct shared *shared, unsigned int nr)
{
	unsigned int seed = nr;
	char name[32];
	int err;

	while (!stopped(shared)) {
		any_name(name, sizeof(name), &seed);
		nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
		nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
		nl_put_u16(nl, VDPA_ATTR_DEV_NET_STATUS, rand_r(&seed) % 2);
		err = nl_do(nl);
		if (err && err != -ENODEV)
			return 5;
		shared->done[nr] += !err;
	}
	return 0;
}

/* Any call may find that the device has gone. */
static int use(struct nl *nl, struct shared *shared, unsigned int nr)
{
	unsigned int seed = nr;
	uint64_t features;
	char name[32];
	int fd;

	while (!stopped(shared)) {
		any_name(name, sizeof(name), &seed);
		fd = vhost_open(name);
		if (fd < 0)
			continue;
		if (ioctl(fd, VHOST_SET_OWNER) && errno != ENODEV)
			return 6;
		if (ioctl(fd, VHOST_GET_FEATURES, &features) &&
		    errno != ENODEV)
			return 7;
		close(fd);
		shared->done[nr]++;
	}
	return 0;
}

/* It may miss events, but is told so. */
static int listen_to_all(struct nl *nl, struct shared *shared,
			 unsigned int nr)
{
	int err;

	if (nl_join(nl, VDPA_MCGRP_EVENTS_NAME))
		return 8;
	while (!stopped(shared)) {
		err = nl_event(nl, 100);
		if (err && err != -ETIMEDOUT && err != -ENOBUFS)
			return 9;
		shared->done[nr] += !err;
	}
	return 0;
}

static const job_fn jobs[] = {
	make, make, make, make, list, list, change, use, use, listen_to_all,
};

FIXTURE(storm) {
	struct nl nl;
	struct shared *shared;
};

FIXTURE_SETUP(storm)
{
	const char *reason = mock_nl_open(&self->nl);
	unsigned int i;
	char name[32];

	if (!reason && !module_load("vhost_vdpa"))
		reason = "no vhost_vdpa";
	if (reason)
		SKIP(return, "%s", reason);
	/* Half of the devices, if it is there. */
	module_load("vdpa_net");
	self->shared = mmap(NULL, sizeof(*self->shared),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);

	ASSERT_EQ(0, file_write("0", MOCK "/next/track"));
	ASSERT_EQ(0, file_write("1", MOCK "/next/change"));
	ASSERT_EQ(0, file_write("0x300010020", MOCK "/next/features"));
	for (i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "stay%u", i);
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	}
}

FIXTURE_TEARDOWN(storm)
{
	nl_del_all(&self->nl, "storm");
	mock_nl_close(&self->nl, "stay");
	munmap(self->shared, sizeof(*self->shared));
}

static pid_t start_job(job_fn job, struct shared *shared, unsigned int nr)
{
	static struct nl nl;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (nl_open(&nl))
		_exit(99);
	_exit(job(&nl, shared, nr));
}

static int exit_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F_TIMEOUT(storm, of_200_devices_disturbs_nobody, 300)
{
	pid_t pids[ARRAY_SIZE(jobs)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		pids[i] = start_job(jobs[i], self->shared, i);
		ASSERT_LT(0, pids[i]);
	}
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		if (i == MAKERS)
			__atomic_store_n(&self->shared->stop, true,
					 __ATOMIC_RELAXED);
		EXPECT_EQ(0, exit_of(pids[i])) TH_LOG("job %u", i);
		/* They have met. */
		EXPECT_LT(0, self->shared->done[i]) TH_LOG("job %u", i);
	}
	EXPECT_FALSE(vdpa_exists("storm0_0"));
	EXPECT_TRUE(vdpa_exists("stay0"));
}

TEST_HARNESS_MAIN
