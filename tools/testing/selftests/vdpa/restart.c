// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that are killed under traffic and started again, 200 times where
 * there is patience: what they know to be done, what the device has counted and
 * what has come out on the other side is the same, but for what was in flight.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "driver.h"
#include "endure.h"
#include "leak.h"
#include "mem.h"
#include "nic.h"
#include "vhost.h"

#define NAME		"restart"
#define FRAME		500
#define AHEAD		16	/* frames in flight at most */
#define SLOTS		8	/* requests */
#define SECTORS		1000

/* Of the driver that is going to be killed: it writes all but the first. */
struct shared {
	uint64_t first;		/* number of its first frame or request */
	uint64_t begun;		/* given to the device */
	uint64_t ended;		/* known to be done */
};

FIXTURE(restart) {
	struct shared *shared;
	struct leak_mark mark;
	unsigned int seed;
	int rounds;
	int fd;			/* the other side: socket, or backing */
};

FIXTURE_SETUP(restart)
{
	self->fd = -1;
	self->seed = getpid();
	self->rounds = endure(40, 200);
	self->shared = mmap(NULL, sizeof(*self->shared),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
}

FIXTURE_TEARDOWN(restart)
{
	char leaks[512] = "";

	leak_check(&self->mark, leaks, sizeof(leaks));
	EXPECT_STREQ("", leaks);
	if (self->fd >= 0)
		close(self->fd);
	blk_del(NAME);
	vdpa_del(NAME);
	munmap(self->shared, sizeof(*self->shared));
}

/* Numbers its frames, and has up to AHEAD of them under way. */
static void send_frames(struct shared *shared)
{
	struct drv drv = { .size = 64 };
	struct drv_seg tx = { .len = DRV_HDR + FRAME };
	uint64_t n;
	uint8_t *buf;

	if (drv_start(&drv, NAME, mem_anon(DRV_MEM)))
		_exit(1);
	for (n = 0;; n++) {
		uint64_t number = shared->first + n;

		if (n >= AHEAD) {
			if (drv_used(&drv, DRV_TX, DRV_WAIT_MS) < 0)
				_exit(2);
			shared->ended++;
		}
		buf = drv_buf(n % AHEAD, &drv);
		drv_fill(buf, FRAME, NULL, 0);
		memcpy(buf + DRV_HDR + ETH_HLEN, &number, sizeof(number));
		tx.iova = drv_buf_iova(n % AHEAD);
		shared->begun++;
		drv_post(&drv, DRV_TX, &tx, 1);
	}
}

/* Numbers sectors, and writes one after the other, up to SLOTS at a time. */
static void write_sectors(struct shared *shared)
{
	struct drv drv = { .size = 64 };
	uint64_t n;

	if (drv_start(&drv, NAME, mem_anon(DRV_MEM)))
		_exit(1);
	for (n = 0;; n++) {
		struct drv_seg out = { blk_data_iova(n % SLOTS), SECTOR };
		uint64_t number = shared->first + n;

		if (n >= SLOTS) {
			if (blk_end(&drv, 0) < 0)
				_exit(2);
			shared->ended++;
		}
		memcpy(blk_data(&drv, n % SLOTS), &number, sizeof(number));
		shared->begun++;
		blk_begin(&drv, 0, n % SLOTS, VIRTIO_BLK_T_OUT,
			  number % SECTORS, &out, 1);
	}
}

/* Has one run until it has done something, and then some; kills it. */
static bool run_and_kill(struct shared *shared, void (*fn)(struct shared *),
			 unsigned int *seed)
{
	int status, i;
	pid_t pid;

	shared->begun = 0;
	shared->ended = 0;
	pid = fork();
	if (!pid)
		fn(shared);
	for (i = 0; i < DRV_WAIT_MS * 2; i++) {
		if (__atomic_load_n(&shared->ended, __ATOMIC_RELAXED))
			break;
		usleep(1000);
	}
	usleep(rand_r(seed) % 30000);
	/* It does not end by itself. */
	return !kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid &&
	       WIFSIGNALED(status) && shared->ended;
}

/* How many frames have come: from number @first on, in order, none twice. */
static int64_t take_frames(int sock, uint64_t first)
{
	uint8_t frame[FRAME + 64];
	uint64_t number, got = 0;

	while (recv(sock, frame, sizeof(frame), MSG_DONTWAIT) == FRAME) {
		memcpy(&number, frame + ETH_HLEN, sizeof(number));
		if (number != first + got++)
			return -1;
	}
	return got;
}

TEST_F_TIMEOUT(restart, nic_sends_what_its_driver_knows_of, 600)
{
	struct shared *shared = self->shared;
	const int room = 16 << 20;
	uint64_t known = 0;
	int64_t got;
	int i;

	if (!module_load("vdpa_net") || !module_load("vhost_vdpa"))
		SKIP(return, "vdpa_net or vhost_vdpa cannot be loaded");
	vdpa_del(NAME);
	ASSERT_EQ(0, vdpa_add(NAME, "vdpa_net"));
	ASSERT_EQ(0, nic_up(NAME));
	self->fd = nic_socket(NAME);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room,
				sizeof(room)));
	leak_mark(&self->mark);
	for (i = 0; i < self->rounds; i++) {
		ASSERT_TRUE(run_and_kill(shared, send_frames, &self->seed));
		got = take_frames(self->fd, shared->first);
		ASSERT_LE(shared->ended, got) TH_LOG("round %d", i);
		ASSERT_GE(shared->begun, got) TH_LOG("round %d", i);
		/* The next one begins where this has ended. */
		shared->first += got;
		known += shared->ended;
	}
	TH_LOG("%d drivers killed: %lu frames came, %lu were known to",
	       i, shared->first, known);
	EXPECT_EQ(shared->first, nic_stat(NAME, "rx_packets"));
	EXPECT_EQ(shared->first * FRAME, nic_stat(NAME, "rx_bytes"));
	EXPECT_EQ(0, nic_stat(NAME, "rx_dropped"));
	EXPECT_EQ(0, nic_stat(NAME, "rx_errors"));
}

/* The counter of all drivers so far; it is told while there is one. */
static int64_t counted(const char *counter)
{
	struct drv drv = {};
	int64_t value = -1;

	if (!drv_open(&drv, NAME) && !drv_negotiate(&drv))
		value = blk_counter(NAME, 0, counter);
	drv_close(&drv);
	return value;
}

/* Is @number, or what came there after it, on the disk? */
static bool is_written(int fd, uint64_t number)
{
	uint64_t got;

	return pread(fd, &got, sizeof(got), number % SECTORS * SECTOR) ==
	       sizeof(got) && (got == number || got == number + SECTORS);
}

TEST_F_TIMEOUT(restart, disk_has_what_its_driver_knows_of, 600)
{
	const char *reason = blk_add(NAME, &blk_file, 1);
	struct shared *shared = self->shared;
	uint64_t known = 0, n;
	int64_t writes = 0;
	int i;

	if (reason)
		SKIP(return, "%s", reason);
	self->fd = open(BLK_FILE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	leak_mark(&self->mark);
	for (i = 0; i < self->rounds; i++) {
		ASSERT_TRUE(run_and_kill(shared, write_sectors, &self->seed));
		writes = counted("writes") - shared->first;
		ASSERT_LE(shared->ended, writes) TH_LOG("round %d", i);
		ASSERT_GE(shared->begun, writes) TH_LOG("round %d", i);
		n = shared->ended > SECTORS / 2 ? shared->ended - SECTORS / 2 :
						  0;
		for (; n < shared->ended; n++)
			ASSERT_TRUE(is_written(self->fd, shared->first + n))
				TH_LOG("round %d, number %lu", i, n);
		shared->first += writes;
		known += shared->ended;
	}
	TH_LOG("%d drivers killed: %lu sectors were written, %lu were known to",
	       i, shared->first, known);
	EXPECT_EQ(shared->first * SECTOR, counted("written bytes"));
	EXPECT_EQ(0, counted("errors"));
}

TEST_HARNESS_MAIN
