// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who pays: what a program makes the kernel keep for it is charged to its
 * memory cgroup, what it pins to its RLIMIT_MEMLOCK. At the end of either
 * nobody else comes to harm, and nothing is lost.
 */
#include "common.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "dev.h"
#include "endure.h"
#include "mem.h"
#include "mockdev.h"
#include "slow.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW
#define CGROUP		"/sys/fs/cgroup"
#define GROUP		CGROUP "/vdpa-charge"
#define PAGES		4096UL	/* of memory: mapped again and again */
#define TIMES		(64UL / slowness())
#define PIECES		(PAGES * TIMES)
/* Each CPU has some pages that are charged and not used yet. */
#define SLACK		(2 << 20)

/* With what a parent does for a piece on top of our 8 bytes. */
FIXTURE(memcg) {
	struct mockdev dev;
	char *mem;
	pid_t pid;
};

FIXTURE_VARIANT(memcg) {
	const char *mgmtdev;
	const char *knobs;
	long bytes;		/* that a piece costs at least */
};

FIXTURE_VARIANT_ADD(memcg, changes) { MOCKDEV, "track=0 mapping=dma_map", 8 };
FIXTURE_VARIANT_ADD(memcg, table) { MOCKDEV, "track=0 mapping=set_map", 104 };
FIXTURE_VARIANT_ADD(memcg, software) { "vdpasim_net", "", 72 };

static const char *memcg_make(void)
{
	char text[256] = "";

	file_read(text, sizeof(text), CGROUP "/cgroup.controllers");
	if (!strstr(text, "memory") ||
	    file_write("+memory", CGROUP "/cgroup.subtree_control"))
		return "there is no memory controller at " CGROUP;
	rmdir(GROUP);
	return mkdir(GROUP, 0755) ? "no group can be made" : NULL;
}

static int memcg_join(const char *group)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", getpid());
	return file_write(text, "%s/cgroup.procs", group);
}

static long memcg_get(const char *name)
{
	char text[64];

	return file_read(text, sizeof(text), GROUP "/%s", name) ? -1 :
	       atol(text);
}

static int memcg_limit(long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", bytes);
	return file_write(text, GROUP "/memory.max");
}

static long memcg_kills(void)
{
	char text[256];
	const char *line;

	if (file_read(text, sizeof(text), GROUP "/memory.events"))
		return -1;
	line = strstr(text, "oom_kill ");
	return line ? atol(line + 9) : -1;
}

FIXTURE_SETUP(memcg)
{
	const char *reason;

	if (!mock_available() || !module_load("vdpa_net"))
		SKIP(return, "vdpa_mock or vdpa_net is not built");
	reason = memcg_make();
	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, mock_make_on(&self->dev, variant->mgmtdev,
				  variant->knobs));
}

FIXTURE_TEARDOWN(memcg)
{
	char leaks[512] = "";

	EXPECT_EQ(0, memcg_join(CGROUP));
	if (self->dev.fd >= 0)
		close(self->dev.fd);
	EXPECT_EQ(0, vdpa_del(self->dev.name));
	leak_check(&self->dev.mark, leaks, sizeof(leaks));
	EXPECT_STREQ("", leaks);
	EXPECT_EQ(0, rmdir(GROUP));
}

static int own(struct mockdev *dev)
{
	dev->fd = vhost_open(dev->name);
	return dev->fd < 0 || ioctl(dev->fd, VHOST_SET_OWNER) ? -1 : 0;
}

/* All of the memory, at @nr places; the errno. */
static int map_times(int fd, const char *mem, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		if (iotlb_map(fd, 0, i * PAGES * SZ_4K, PAGES * SZ_4K, mem,
			      RW))
			return errno;
	return 0;
}

TEST_F_TIMEOUT(memcg, pays_for_each_piece_that_is_mapped, 200)
{
	long before, cost;

	ASSERT_EQ(0, own(&self->dev));
	ASSERT_EQ(0, memcg_join(GROUP));
	self->mem = mem_scattered(PAGES * SZ_4K);
	ASSERT_NE(NULL, self->mem);

	before = memcg_get("memory.current");
	ASSERT_EQ(0, iotlb_batch(self->dev.fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_EQ(0, map_times(self->dev.fd, self->mem, TIMES));
	ASSERT_EQ(0, iotlb_batch(self->dev.fd, 0, VHOST_IOTLB_BATCH_END));
	cost = memcg_get("memory.current") - before;
	TH_LOG("%ld bytes for %lu pieces", cost, PIECES);
	EXPECT_LE(variant->bytes * (long)PIECES - SLACK, cost);

	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, 0, UINT64_MAX));
	EXPECT_GE(before + SLACK, memcg_get("memory.current"));
	mem_free(self->mem, PAGES * SZ_4K);
}

/*
 * Maps until there is no more. The kernel may say so by ENOMEM, which is the
 * exit status then, but rather kills who asks for more.
 */
static void map_until_the_limit(struct mockdev *dev)
{
	char *mem;
	int err;

	if (memcg_join(GROUP) || own(dev))
		_exit(1);
	mem = mem_scattered(PAGES * SZ_4K);
	if (!mem || memcg_limit(memcg_get("memory.current") + SLACK))
		_exit(2);
	err = map_times(dev->fd, mem, 1 << 20);
	_exit(err);
}

TEST_F_TIMEOUT(memcg, limit_ends_who_is_at_it_and_nobody_else, 200)
{
	char *mem = mem_anon(SZ_4K);
	long pinned = pinned_pages();
	int status = 0;

	self->pid = fork();
	if (!self->pid)
		map_until_the_limit(&self->dev);
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	if (WIFSIGNALED(status)) {
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		EXPECT_LE(1, memcg_kills());
	} else {
		EXPECT_EQ(ENOMEM, WEXITSTATUS(status));
	}
	EXPECT_EQ(pinned, pinned_pages());
	EXPECT_EQ(0, memcg_limit(1L << 40));
	/* The next one has it, from outside. */
	ASSERT_EQ(0, own(&self->dev));
	EXPECT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0, SZ_4K, mem, RW));
	mem_free(mem, SZ_4K);
}

/* As a user who has been handed the file, and has no privilege. */
#define DEVICES		2
#define THREADS		4
#define LIMIT		64	/* pages */
#define NOBODY		65534

FIXTURE(memlock) {
	struct mockdev dev[DEVICES];
	char *mem;
	pthread_t thread[THREADS];
};

FIXTURE_SETUP(memlock)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	for (int i = 0; i < DEVICES; i++)
		ASSERT_EQ(0, mock_own(&self->dev[i], "track=0"));
	self->mem = mem_anon((LIMIT + 1) * SZ_4K);
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(memlock)
{
	int i;

	for (i = 0; i < DEVICES; i++)
		iotlb_unmap(self->dev[i].fd, 0, 0, UINT64_MAX);
	/* Each was made with those before it in use. */
	while (i--)
		EXPECT_STREQ("", mock_del(&self->dev[i]));
	mem_free(self->mem, (LIMIT + 1) * SZ_4K);
}

/* Root again with seteuid(0); the capabilities go and come with it. */
static int be_nobody(void)
{
	struct rlimit limit = { LIMIT * SZ_4K, LIMIT * SZ_4K };

	return setrlimit(RLIMIT_MEMLOCK, &limit) || seteuid(NOBODY) ? -1 : 0;
}

TEST_F_TIMEOUT(memlock, limit_is_exact_and_of_the_process, 120)
{
	int first = self->dev[0].fd, second = self->dev[1].fd;
	const long pinned = pinned_pages();

	ASSERT_EQ(0, be_nobody());
	EXPECT_ERRNO(ENOMEM, iotlb_map(first, 0, 0, (LIMIT + 1) * SZ_4K,
				       self->mem, RW));
	EXPECT_ERRNO(ENOMEM, iotlb_map(first, 0, SZ_4K / 2, LIMIT * SZ_4K,
				       self->mem + SZ_4K / 2, RW));
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_ERRNO(0, iotlb_map(first, 0, 0, LIMIT / 2 * SZ_4K, self->mem,
				  RW));
	EXPECT_ERRNO(ENOMEM, iotlb_map(second, 0, 0,
				       (LIMIT / 2 + 1) * SZ_4K, self->mem,
				       RW));
	EXPECT_ERRNO(0, iotlb_map(second, 0, 0, LIMIT / 2 * SZ_4K, self->mem,
				  RW));
	EXPECT_ERRNO(ENOMEM, iotlb_map(first, 0, SZ_2M, 1, self->mem, RW));
	EXPECT_EQ(LIMIT * 4, status_kib("VmPin"));
	EXPECT_EQ(0, seteuid(0));
	EXPECT_EQ(pinned + LIMIT, pinned_pages());

	/* What one gives back the other one may have. */
	EXPECT_EQ(0, seteuid(NOBODY));
	EXPECT_ERRNO(0, iotlb_unmap(second, 0, 0, SZ_4K));
	EXPECT_ERRNO(0, iotlb_map(first, 0, SZ_2M, 1, self->mem, RW));
	EXPECT_ERRNO(ENOMEM, iotlb_map(second, 0, 0, SZ_4K, self->mem, RW));
	EXPECT_EQ(0, seteuid(0));
}

struct mapper {
	int fd;
	int nr;
	char *mem;
	unsigned long times;
	unsigned long full;	/* of them it was refused */
	int err;		/* that nobody should get */
};

/* Takes half of the limit, again and again. */
static void *map_at_the_limit(void *arg)
{
	const uint64_t size = LIMIT / 2 * SZ_4K;
	struct mapper *m = arg;
	uint64_t iova = m->nr * SZ_2M;

	for (unsigned long i = 0; i < m->times && !m->err; i++) {
		if (!iotlb_map(m->fd, 0, iova, size, m->mem, RW)) {
			if (status_kib("VmPin") > LIMIT * 4 ||
			    iotlb_unmap(m->fd, 0, iova, size))
				m->err = errno ?: -1;
		} else if (errno == ENOMEM) {
			m->full++;
		} else {
			m->err = errno;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(memlock, threads_at_the_limit_never_pass_it, 120)
{
	struct mapper mapper[THREADS] = {};
	unsigned long full = 0;

	ASSERT_EQ(0, be_nobody());
	for (int i = 0; i < THREADS; i++) {
		mapper[i].nr = i;
		mapper[i].times = endure(500, 10000);
		mapper[i].fd = self->dev[i % DEVICES].fd;
		mapper[i].mem = self->mem;
		ASSERT_EQ(0, pthread_create(&self->thread[i], NULL,
					    map_at_the_limit, &mapper[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(self->thread[i], NULL);
		EXPECT_EQ(0, mapper[i].err);
		full += mapper[i].full;
	}
	/* They have met. */
	EXPECT_LT(0, full);
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_ERRNO(0, iotlb_map(self->dev[0].fd, 0, 0, LIMIT * SZ_4K,
				  self->mem, RW));
	EXPECT_EQ(0, seteuid(0));
}

TEST_HARNESS_MAIN
