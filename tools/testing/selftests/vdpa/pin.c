// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning a lot of memory, or memory that takes its time: the rest of the
 * device goes on meanwhile, SIGKILL ends it, and how many pieces an address
 * space takes is bounded where the documentation says.
 */
#include "common.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "slow.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW
#define PAGES		16
#define ASID		BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)
#define IOVA		0x10000000000ULL
#define GIB		0x40000000UL
#define LOAD		4

struct mapping {
	int fd;
	char *mem;
	uint64_t size;
};

static void *map_it(void *arg)
{
	struct mapping *m = arg;

	return (void *)(long)errno_of(iotlb_map(m->fd, 0, IOVA, m->size,
						m->mem, RW));
}

/* A device that one thread has been pinning memory for since a while. */
FIXTURE(stuck) {
	struct mockdev dev;
	int fd;
	struct mapping m;
	pthread_t thread;
	int fault;		/* -1: it has ended */
	int event;
};

/* Lets the thread have the rest of the memory, and tells what came of it. */
static int go_on(pthread_t thread, int *fault)
{
	void *err;

	if (pthread_tryjoin_np(thread, &err) != EBUSY)
		return -1;
	close(*fault);
	*fault = -1;
	pthread_join(thread, &err);
	return (long)err;
}

FIXTURE_VARIANT(stuck) {
	const char *knobs;
};

FIXTURE_VARIANT_ADD(stuck, dma_map) { "nas=2 mapping=dma_map" };
FIXTURE_VARIANT_ADD(stuck, set_map) { "nas=2 mapping=set_map" };

FIXTURE_SETUP(stuck)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, variant->knobs));
	self->fd = self->dev.fd;
	ASSERT_ERRNO(0, set_backend(self->fd, ASID));
	self->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_ERRNO(0, start(self->fd));

	self->m.fd = self->fd;
	self->m.size = PAGES * SZ_4K;
	self->m.mem = mem_stuck(self->m.size, self->m.size / 2, &self->fault);
	ASSERT_NE(NULL, self->m.mem);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, map_it, &self->m));
	ASSERT_TRUE(mem_is_stuck(self->fault));
}

/* It is still there, and ends well. */
FIXTURE_TEARDOWN(stuck)
{
	if (self->fault >= 0) {
		EXPECT_EQ(0, go_on(self->thread, &self->fault));
		EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA, self->m.mem,
					   self->m.size));
	}
	munmap(self->m.mem, self->m.size);
	close(self->event);
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(stuck, pin_holds_up_no_ioctl)
{
	uint64_t features;

	EXPECT_EQ(STATUS_RUNNING, get_status(self->fd));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_GET_FEATURES, &features));
	EXPECT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
				self->event));
	EXPECT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_ERR, 0,
				self->event));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SET_CONFIG_CALL,
			      &self->event));
	EXPECT_ERRNO(0, set_status(self->fd, 0));
}

TEST_F(stuck, pin_holds_up_no_kick_and_no_call)
{
	int kick = eventfd(0, EFD_CLOEXEC);
	uint64_t count = 1;

	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 0, kick));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
				self->event));
	ASSERT_EQ(sizeof(count), write(kick, &count, sizeof(count)));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "kicks"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	EXPECT_EQ(sizeof(count), read(self->event, &count, sizeof(count)));
	close(kick);
}

TEST_F(stuck, pin_holds_up_no_other_address_space)
{
	char *mem = mem_anon(2 * SZ_4K);

	EXPECT_ERRNO(0, iotlb_map(self->fd, 1, 0, 2 * SZ_4K, mem, RW));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 1, 0, SZ_4K));
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 1, VHOST_IOTLB_BATCH_BEGIN));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 1, 0, SZ_4K, mem, RW));
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 1, VHOST_IOTLB_BATCH_END));
	EXPECT_STREQ("1 0x0 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(stuck, pin_holds_up_no_other_update)
{
	char *mem = mem_anon(2 * SZ_4K);

	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, 0, 2 * SZ_4K, mem, RW));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, SZ_4K));
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, mem, RW));
	EXPECT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_STREQ("0 0x0 0x1fff 3\n", mock_map(&self->dev));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, 2 * SZ_4K));
}

/* Two updates of the same range: the one whose memory comes first has it. */
TEST_F(stuck, pin_that_ends_second_finds_the_range_taken)
{
	char *mem = mem_anon(SZ_4K);

	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, IOVA + SZ_4K, SZ_4K, mem, RW));
	EXPECT_EQ(EEXIST, go_on(self->thread, &self->fault));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA + SZ_4K, mem, SZ_4K));
	EXPECT_EQ(4, status_kib("VmPin"));
	munmap(mem, SZ_4K);
}

/* Owners that die: in a child each, which opens the device by itself. */
FIXTURE(killed) {
	struct mockdev dev;
	pid_t pid;
	pid_t load[LOAD];
	long ms;
};

FIXTURE_SETUP(killed)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_make(&self->dev, ""));
}

FIXTURE_TEARDOWN(killed)
{
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
	/* The next one may have it. */
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_LE(0, self->dev.fd);
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* How long @pid lives after SIGKILL, in ms. */
static long kill_ms(pid_t pid)
{
	long start = now_ms();

	if (kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid)
		return -1;
	return now_ms() - start;
}

/* The owner: maps @mem, and does not come back from there. */
static void own_and_map(const char *name, char *mem, uint64_t size)
{
	struct mapping m = { .mem = mem, .size = size };

	m.fd = vhost_open(name);
	if (!mem || ioctl(m.fd, VHOST_SET_OWNER))
		_exit(1);
	map_it(&m);
	_exit(2);
}

/* Whether that many pages get pinned, within a minute. */
static bool are_pinned(const struct leak_mark *mark, long pages)
{
	for (int i = 0; i < 6000; i++) {
		if (pinned_pages() - mark->pinned >= pages)
			return true;
		usleep(10000);
	}
	return false;
}

static pid_t spin(void)
{
	pid_t pid = fork();

	while (!pid)
		;
	return pid;
}

TEST_F(killed, owner_does_not_wait_for_the_page_that_never_comes)
{
	int fault;

	self->pid = fork();
	if (!self->pid)
		own_and_map(self->dev.name,
			    mem_stuck(PAGES * SZ_4K, PAGES * SZ_4K / 2, &fault),
			    PAGES * SZ_4K);
	EXPECT_TRUE(are_pinned(&self->dev.mark, PAGES / 2));
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	self->ms = kill_ms(self->pid);
	EXPECT_LE(0, self->ms);
	EXPECT_GT(AT_ONCE_MS, self->ms);
}

/*
 * In the middle of 10 GiB, with two more who want each CPU. The promise is a
 * tenth of a second, on real hardware; here it is time enough to see that the
 * rest of the memory is not pinned first.
 */
TEST_F_TIMEOUT(killed, owner_of_ten_gib_ends_soon_on_a_busy_machine, 120)
{
	const uint64_t size = 10 * GIB;

	self->pid = fork();
	if (!self->pid)
		own_and_map(self->dev.name, mem_repeated(size, SZ_2M), size);
	EXPECT_TRUE(are_pinned(&self->dev.mark, GIB / 4 / SZ_4K));
	for (int i = 0; i < LOAD; i++)
		self->load[i] = spin();
	usleep(100000);
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	self->ms = kill_ms(self->pid);
	for (int i = 0; i < LOAD; i++)
		kill_ms(self->load[i]);
	TH_LOG("ended %ld ms after SIGKILL", self->ms);
	EXPECT_LE(0, self->ms);
	EXPECT_GT(2 * AT_ONCE_MS, self->ms);
}

/* The memory is pinned, and now the parent takes its time with each piece. */
TEST_F_TIMEOUT(killed, owner_does_not_wait_for_the_parent, 120)
{
	const uint64_t size = 8192 * SZ_4K;

	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map delay 2"));
	self->pid = fork();
	if (!self->pid)
		own_and_map(self->dev.name, mem_repeated(size, SZ_4K), size);
	for (int i = 0; i < 1000 * slowness() &&
	     !mock_count(&self->dev, "dma_map"); i++)
		usleep(10000);
	EXPECT_LT(0, mock_count(&self->dev, "dma_map"));
	self->ms = kill_ms(self->pid);
	EXPECT_LE(0, self->ms);
	/* It is asked for after each 512 pieces. */
	EXPECT_GT(2048, mock_count(&self->dev, "dma_map"));
	EXPECT_GT(2 * AT_ONCE_MS, self->ms);
}

/* A space that takes few pieces: vhost_vdpa is loaded with that bound. */
#define BOUND	4096UL

FIXTURE(bound) {
	struct mockdev dev;
	int fd;
	char *mem;		/* @BOUND pieces and one more */
};

FIXTURE_VARIANT(bound) {
	const char *knobs;
};

FIXTURE_VARIANT_ADD(bound, dma_map) { "mapping=dma_map" };
FIXTURE_VARIANT_ADD(bound, set_map) { "mapping=set_map" };

FIXTURE_SETUP(bound)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, run_command("rmmod vhost_vdpa && modprobe vhost_vdpa max_iotlb_entries=%lu",
				 BOUND));
	ASSERT_EQ(0, mock_own(&self->dev, variant->knobs));
	self->fd = self->dev.fd;
	self->mem = mem_repeated((BOUND + 1) * SZ_4K, SZ_4K);
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(bound)
{
	EXPECT_STREQ("", mock_del(&self->dev));
	mem_free(self->mem, (BOUND + 1) * SZ_4K);
	EXPECT_EQ(0, run_command("rmmod vhost_vdpa && modprobe vhost_vdpa"));
}

TEST_F(bound, request_beyond_it_is_enospc_and_changes_nothing)
{
	EXPECT_ERRNO(ENOSPC, iotlb_map(self->fd, 0, 0, (BOUND + 1) * SZ_4K,
				       self->mem, RW));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());

	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, BOUND * SZ_4K, self->mem,
				  RW));
	EXPECT_ERRNO(ENOSPC, iotlb_map(self->fd, 0, IOVA, SZ_4K, self->mem,
				       RW));
	EXPECT_STREQ("0 0x0 0xffffff 3\n", mock_map(&self->dev));
	EXPECT_EQ(BOUND * 4, status_kib("VmPin"));
}

TEST_F(bound, space_that_was_left_can_be_taken_again)
{
	size_t half = BOUND / 2 * SZ_4K;

	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, half, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, half, half, self->mem + half,
				  RW));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, half));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, IOVA, half, self->mem, RW));
	EXPECT_ERRNO(ENOSPC, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
}

TEST_F(bound, piece_can_be_taken_out_of_a_full_space)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, BOUND * SZ_4K, self->mem,
				  RW));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 0, 5 * SZ_4K, SZ_4K));
	EXPECT_STREQ("0 0x0 0x4fff 3\n0 0x6000 0xffffff 3\n",
		     mock_map(&self->dev));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, IOVA, SZ_4K, self->mem, RW));
	EXPECT_ERRNO(ENOSPC, iotlb_map(self->fd, 0, 5 * SZ_4K, SZ_4K,
				       self->mem, RW));
}

TEST_F(bound, cut_that_would_make_another_piece_is_enospc)
{
	char *mem = mem_thp(SZ_2M);

	ASSERT_NE(NULL, mem);
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, (BOUND - 1) * SZ_4K,
				  self->mem, RW));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, IOVA, SZ_2M, mem, RW));
	EXPECT_ERRNO(ENOSPC, iotlb_unmap(self->fd, 0, IOVA + SZ_4K, SZ_4K));
	EXPECT_STREQ("0 0x0 0xffefff 3\n0 0x10000000000 0x100001fffff 3\n",
		     mock_map(&self->dev));
	mem_free(mem, SZ_2M);
}

/* As it comes. */
FIXTURE(many) {
	struct mockdev dev;
	char *mem;
};

/* Mapped again and again: what counts is how many, not which. */
#define MANY	4096UL

FIXTURE_SETUP(many)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	/* It only counts; else it would need more memory than all this. */
	ASSERT_EQ(0, mock_own(&self->dev, "track=0"));
	self->mem = mem_scattered(MANY * SZ_4K);
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(many)
{
	EXPECT_STREQ("", mock_del(&self->dev));
	mem_free(self->mem, MANY * SZ_4K);
}

static long kernel_kib(void)
{
	char text[8192];
	const char *line;

	if (file_read(text, sizeof(text), "/proc/meminfo"))
		return -1;
	line = strstr(text, "SUnreclaim:");
	return line ? atol(line + 11) : -1;
}

static long pieces(struct mockdev *dev)
{
	return mock_count(dev, "dma_map");
}

TEST_F_TIMEOUT(many, pieces_of_64_gib_and_more_fit_at_ten_bytes_each, 200)
{
	long want = 64 * GIB / SZ_4K, before = kernel_kib(), cost;
	uint64_t size = MANY * SZ_4K, iova = 0;
	int fd = self->dev.fd, err = 0;

	if (slowness() > 1)
		SKIP(return, "what looks for bugs takes memory for itself");
	/* The rest is video memory, firmware, the rings of a monitor. */
	while (!err && (iova / size % 256 || pieces(&self->dev) <= want)) {
		err = errno_of(iotlb_map(fd, 0, iova, size, self->mem, RW));
		iova += size;
	}
	EXPECT_EQ(0, err);
	want = pieces(&self->dev);
	cost = (kernel_kib() - before) * 1024;
	TH_LOG("%ld bytes for %ld pieces", cost, want);
	EXPECT_LT(0, cost);
	EXPECT_GE(10 * want, cost);
	EXPECT_ERRNO(0, iotlb_unmap(fd, 0, 0, UINT64_MAX));
	EXPECT_EQ(0, status_kib("VmPin"));
}

/* The kernel counts to 2^31, 1024 for each, and warns when it is there. */
TEST_F_TIMEOUT(many, pins_of_one_page_end_before_the_kernel_warns, 200)
{
	const uint64_t size = 0x8000 * SZ_4K;
	int fd = self->dev.fd, err = 0;
	uint64_t iova;
	char *mem;

	if (slowness() > 1)
		SKIP(return, "two million pins take minutes here");
	mem = mem_repeated(size, SZ_4K);
	ASSERT_NE(NULL, mem);
	for (iova = 0; !err && iova <= 66 * size; iova += size)
		err = errno_of(iotlb_map(fd, 0, iova, size, mem, RW));
	EXPECT_EQ(ENOMEM, err);
	EXPECT_LE(100000, pieces(&self->dev));
	EXPECT_ERRNO(0, iotlb_unmap(fd, 0, 0, UINT64_MAX));
	EXPECT_ERRNO(0, iotlb_map(fd, 0, 0, size, mem, RW));
	EXPECT_ERRNO(0, iotlb_unmap(fd, 0, 0, UINT64_MAX));
	EXPECT_EQ(0, status_kib("VmPin"));
	mem_free(mem, size);
}

TEST_HARNESS_MAIN
