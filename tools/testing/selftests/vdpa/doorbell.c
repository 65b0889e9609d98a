// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells of queues in user space: mapped under rules, one page a queue,
 * never inherited, and of no effect once the device is gone. The register
 * behind them is a page of vdpa_mock, which tells what was stored.
 */
#include "common.h"

#include <pthread.h>
#include <signal.h>

#include "dev.h"
#include "files.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

FIXTURE(doorbell) {
	struct mockdev dev;
	int fd;
};

FIXTURE_SETUP(doorbell)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, "doorbell=page"));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(doorbell)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

static int doorbell_errno(int fd, unsigned int idx, size_t size, int prot,
			  int flags)
{
	void *mem = doorbell_map(fd, idx, size, prot, flags);

	if (mem == MAP_FAILED)
		return errno;
	munmap(mem, size);
	return 0;
}

TEST_F(doorbell, of_each_queue_is_its_own_page)
{
	uint32_t *page[3];
	int i;

	for (i = 0; i < 3; i++) {
		page[i] = doorbell_map(self->fd, i, SZ_4K, PROT_WRITE, MAP_SHARED);
		ASSERT_NE(MAP_FAILED, (void *)page[i]);
		EXPECT_EQ(0, mem_store(page[i], 0x10 + i));
	}
	EXPECT_STREQ("0x10\n0x11\n0x12\n", mock_read(&self->dev, "doorbell"));
	for (i = 0; i < 3; i++)
		munmap(page[i], SZ_4K);
}

TEST_F(doorbell, mapping_has_rules)
{
	int fd = self->fd;

	EXPECT_EQ(0, doorbell_errno(fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(EINVAL, doorbell_errno(fd, 0, SZ_4K, PROT_WRITE,
					 MAP_PRIVATE));
	EXPECT_EQ(EINVAL, doorbell_errno(fd, 0, SZ_4K, PROT_READ | PROT_WRITE,
					 MAP_SHARED));
	EXPECT_EQ(EINVAL, doorbell_errno(fd, 0, 2 * SZ_4K, PROT_WRITE,
					 MAP_SHARED));
}

/* CVE-2026-74312: the offset was used as an index unchecked. */
TEST_F(doorbell, of_no_queue_is_refused)
{
	static const uint64_t bad[] = { 3, 4, 65535, 65536, 1UL << 28 };
	size_t i;

	mock_forget(&self->dev);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(EINVAL, doorbell_errno(self->fd, bad[i], SZ_4K,
						 PROT_WRITE, MAP_SHARED))
			TH_LOG("%lu", bad[i]);
	EXPECT_EQ(0, mock_count(&self->dev, "get_vq_notification"));
}

TEST_F(doorbell, that_is_not_a_page_is_refused)
{
	static const struct {
		const char *knobs;
		int err;
	} bad[] = {
		{ "doorbell=none", EOPNOTSUPP }, { "doorbell=short", EOPNOTSUPP },
		{ "doorbell=unaligned", EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_STREQ("", mock_del(&self->dev));
		ASSERT_EQ(0, mock_add(&self->dev, bad[i].knobs));
		EXPECT_EQ(bad[i].err, doorbell_errno(self->dev.fd, 0, SZ_4K,
						     PROT_WRITE, MAP_SHARED))
			TH_LOG("%s", bad[i].knobs);
	}
}

/* The flags that smaps shows for the mapping at @mem. */
static bool vma_has(const void *mem, const char *const flags[])
{
	static char text[1 << 18];
	char start[32];
	char *line, *end;

	if (file_read(text, sizeof(text), "/proc/self/smaps"))
		return false;
	snprintf(start, sizeof(start), "%lx-", (uintptr_t)mem);
	line = strstr(text, start);
	line = line ? strstr(line, "VmFlags:") : NULL;
	if (!line)
		return false;
	end = line + strcspn(line, "\n");
	*end = '\0';
	for (; *flags; flags++)
		if (!strstr(line, *flags))
			return false;
	return true;
}

/* CVE-2021-46967: io, pfnmap, no expansion, no dump; never to be read. */
TEST_F(doorbell, mapping_has_the_flags_of_a_register)
{
	static const char *const flags[] = {
		" io", " pf", " de", " dd", " dc", NULL
	};
	uint32_t *page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)page);
	EXPECT_TRUE(vma_has(page, flags));
	EXPECT_ERRNO(EACCES, mprotect(page, SZ_4K, PROT_READ));
	EXPECT_EQ(MAP_FAILED, mremap(page, SZ_4K, 2 * SZ_4K, MREMAP_MAYMOVE));
	munmap(page, SZ_4K);
}

TEST_F(doorbell, is_not_inherited)
{
	uint32_t *page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	int status = -1;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, mem_store(page, 1));
	pid = fork();
	if (!pid)
		_exit(mem_store(page, 2));
	waitpid(pid, &status, 0);
	EXPECT_EQ(SIGSEGV, WEXITSTATUS(status));
	munmap(page, SZ_4K);
}

TEST_F(doorbell, of_a_gone_device_is_sigbus)
{
	uint32_t *touched, *fresh;

	touched = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	fresh = doorbell_map(self->fd, 1, SZ_4K, PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)touched);
	ASSERT_NE(MAP_FAILED, (void *)fresh);
	ASSERT_EQ(0, mem_store(touched, 1));
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_EQ(SIGBUS, mem_store(touched, 2));
	EXPECT_EQ(SIGBUS, mem_store(fresh, 2));
	munmap(touched, SZ_4K);
	munmap(fresh, SZ_4K);
}

TEST_F(doorbell, from_before_a_reset_of_ownership_is_sigbus)
{
	uint32_t *touched, *fresh, *next;

	touched = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	fresh = doorbell_map(self->fd, 1, SZ_4K, PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)touched);
	ASSERT_NE(MAP_FAILED, (void *)fresh);
	ASSERT_EQ(0, mem_store(touched, 1));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_EQ(SIGBUS, mem_store(touched, 2));
	EXPECT_EQ(SIGBUS, mem_store(fresh, 2));
	/* Nor does the next owner bring them back. */
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	next = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)next);
	EXPECT_EQ(0, mem_store(next, 3));
	EXPECT_EQ(SIGBUS, mem_store(touched, 4));
	EXPECT_EQ(SIGBUS, mem_store(fresh, 4));
	EXPECT_STREQ("0x3\n0x0\n0x0\n", mock_read(&self->dev, "doorbell"));
	munmap(touched, SZ_4K);
	munmap(fresh, SZ_4K);
	munmap(next, SZ_4K);
}

TEST_F(doorbell, survives_a_reset_of_the_device)
{
	uint32_t *page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_EQ(0, mem_store(page, 5));
	munmap(page, SZ_4K);
}

struct sharers {
	uint32_t *page;
	pthread_barrier_t barrier;
};

static void *sharer(void *arg)
{
	struct sharers *s = arg;

	pthread_barrier_wait(&s->barrier);
	__atomic_store_n(s->page, 7, __ATOMIC_RELAXED);
	return NULL;
}

TEST_F(doorbell, may_be_touched_first_by_many_threads)
{
	struct sharers s;
	pthread_t thread[8];
	int round, i;

	pthread_barrier_init(&s.barrier, NULL, 8);
	for (round = 0; round < 20; round++) {
		s.page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE,
				      MAP_SHARED);
		ASSERT_NE(MAP_FAILED, (void *)s.page);
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, sharer,
						    &s));
		for (i = 0; i < 8; i++)
			pthread_join(thread[i], NULL);
		munmap(s.page, SZ_4K);
	}
	EXPECT_STREQ("0x7\n0x0\n0x0\n", mock_read(&self->dev, "doorbell"));
	pthread_barrier_destroy(&s.barrier);
}

/* Faults against revocations: what is left at the end does not ring. */
static void *toucher(void *arg)
{
	uint32_t **page = arg;
	int i;

	for (i = 0; i < 500; i++)
		mem_store(page[0], 0xbad);
	return NULL;
}

TEST_F_TIMEOUT(doorbell, is_revoked_under_load, 60)
{
	uint32_t *page;
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
		ASSERT_NE(MAP_FAILED, (void *)page);
		ASSERT_EQ(0, pthread_create(&thread, NULL, toucher, &page));
		ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
		ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
		pthread_join(thread, NULL);
		EXPECT_EQ(SIGBUS, mem_store(page, 0xbad));
		munmap(page, SZ_4K);
	}
}

TEST_F(doorbell, of_a_gone_device_cannot_be_mapped)
{
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_EQ(ENODEV, doorbell_errno(self->fd, 0, SZ_4K, PROT_WRITE,
					 MAP_SHARED));
}

/* The file is closed, the mapping keeps it, the device goes. */
TEST_F(doorbell, outlives_its_descriptor_and_not_the_device)
{
	uint32_t *page = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)page);
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_EQ(0, mem_store(page, 7));
	EXPECT_EQ(0, strncmp("0x7\n", mock_read(&self->dev, "doorbell"), 4));
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_EQ(SIGBUS, mem_store(page, 8));
	munmap(page, SZ_4K);
}

TEST_HARNESS_MAIN
