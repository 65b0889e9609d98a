// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lot of everything: a thousand devices, 64 queues that are busy at the same
 * time, a million pieces of memory. What it takes is told, not asserted: time
 * under emulation is no promise; but the last piece may not take many times as
 * long as the first, nor keep others waiting. VDPA_ENDURE=1 asks for all of it.
 */
#include "common.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "blkdev.h"
#include "blkconf.h"
#include "dev.h"
#include "endure.h"
#include "mem.h"
#include "mockdev.h"
#include "nl.h"
#include "vhost.h"

#define DEVICES	1000

FIXTURE(thousand) {
	struct nl nl;
	struct leak_mark mark;
	int made;
	int fd[DEVICES];
};

/* Of all kinds that need little memory; NICs with a peer take their time. */
static const char *mgmtdev_of(int nr)
{
	if (nr % 10 == 9)
		return "vdpa_net";
	return nr % 2 ? "vdpasim_net" : MOCKDEV;
}

static const char *name_of(int nr)
{
	static char name[32];

	snprintf(name, sizeof(name), "crowd%d", nr);
	return name;
}

FIXTURE_SETUP(thousand)
{
	const char *reason = mock_nl_open(&self->nl);
	struct rlimit files = { DEVICES + 100, DEVICES + 100 };

	if (!reason && !(module_load("vhost_vdpa") && module_load("vdpa_net")))
		reason = "no vhost_vdpa or vdpa_net";
	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, mock_knob("track", 0));
	leak_mark(&self->mark);
}

FIXTURE_TEARDOWN(thousand)
{
	char leaks[512] = "";

	while (self->made)
		nl_del(&self->nl, name_of(--self->made));
	leak_check(&self->mark, leaks, sizeof(leaks));
	EXPECT_STREQ("", leaks);
	mock_nl_close(&self->nl, "crowd");
}

static int count_crowd(const struct nl_reply *reply, void *arg)
{
	int *seen = arg, nr;

	if (sscanf(nl_str(reply, VDPA_ATTR_DEV_NAME), "crowd%d", &nr) == 1)
		++*seen;
	return 0;
}

static int listed(struct nl *nl, uint8_t cmd)
{
	int seen = 0;

	nl_start(nl, cmd);
	return nl_dump(nl, count_crowd, &seen) ? -1 : seen;
}

static bool is_usable(int fd, const void *mem)
{
	return !ioctl(fd, VHOST_SET_OWNER) &&
	       !iotlb_map(fd, 0, 0, SZ_4K, mem, VHOST_ACCESS_RW) &&
	       get_status(fd) == 0;
}

TEST_F_TIMEOUT(thousand, devices_are_made_listed_used_and_deleted, 600)
{
	long start = now_ms(), made, shown, opened, deleted;
	char *mem = mem_anon(SZ_4K);
	int i;

	for (; self->made < DEVICES; self->made++)
		ASSERT_EQ(0, nl_add(&self->nl, mgmtdev_of(self->made),
				    name_of(self->made)));
	made = now_ms();
	EXPECT_EQ(DEVICES, listed(&self->nl, VDPA_CMD_DEV_GET));
	EXPECT_EQ(DEVICES, listed(&self->nl, VDPA_CMD_DEV_CONFIG_GET));
	shown = now_ms();
	for (i = 0; i < DEVICES; i++) {
		self->fd[i] = vhost_open(name_of(i));
		ASSERT_LE(0, self->fd[i]) TH_LOG("device %d", i);
		ASSERT_TRUE(is_usable(self->fd[i], mem))
			TH_LOG("device %d", i);
	}
	opened = now_ms();
	EXPECT_EQ(DEVICES * 4, status_kib("VmPin"));

	/* The half of them while they are in use. */
	while (self->made > DEVICES / 2)
		EXPECT_EQ(0, nl_del(&self->nl, name_of(--self->made)));
	for (i = 0; i < DEVICES; i++) {
		if (i >= DEVICES / 2)
			EXPECT_ERRNO(ENODEV, get_status(self->fd[i]));
		close(self->fd[i]);
	}
	while (self->made)
		EXPECT_EQ(0, nl_del(&self->nl, name_of(--self->made)));
	deleted = now_ms();
	EXPECT_EQ(0, listed(&self->nl, VDPA_CMD_DEV_GET));
	TH_LOG("%d devices: made in %ld ms, listed twice in %ld, opened in %ld, deleted in %ld",
	       DEVICES, made - start, shown - made, opened - shown,
	       deleted - opened);
	mem_free(mem, SZ_4K);
}

#define NAME	"crowd"
#define QUEUES	64
#define SIZE	4	/* descriptors of a ring */
#define IOVA	0x100000UL

/* Ring and request of a queue: a page each. */
struct queue {
	struct vring_desc desc[SIZE];
	struct vring_avail avail __attribute__((aligned(2)));
	uint16_t ring[SIZE + 1];
	struct vring_used used __attribute__((aligned(64)));
	struct vring_used_elem elem[SIZE];
	struct virtio_blk_outhdr hdr __attribute__((aligned(64)));
	uint8_t status;
	uint8_t data[SECTOR] __attribute__((aligned(SECTOR)));
} __attribute__((aligned(4096)));

static_assert(sizeof(struct queue) == 4096, "a page");

FIXTURE(queues) {
	struct drv drv;		/* its file, features and nothing else */
	struct queue *queue;
	int kick[QUEUES];
};

static uint64_t queue_iova(int idx, size_t off)
{
	return IOVA + idx * sizeof(struct queue) + off;
}

#define AT(idx, member)	queue_iova(idx, offsetof(struct queue, member))

static int queue_setup(int fd, int idx, int kick)
{
	if (vq_state(fd, VHOST_SET_VRING_NUM, idx, SIZE) ||
	    vq_addr(fd, idx, AT(idx, desc), AT(idx, avail), AT(idx, used)) ||
	    vq_file(fd, VHOST_SET_VRING_KICK, idx, kick))
		return -1;
	return vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, idx, 1);
}

FIXTURE_SETUP(queues)
{
	const char *reason = blk_add(NAME, &blk_ram, QUEUES);
	struct drv *drv = &self->drv;

	if (reason)
		SKIP(return, "%s", reason);
	drv->features = BIT_ULL(VIRTIO_BLK_F_MQ);
	self->queue = mem_anon(QUEUES * sizeof(struct queue));
	ASSERT_NE(NULL, self->queue);
	memset(self->queue, 0, QUEUES * sizeof(struct queue));
	ASSERT_ERRNO(0, drv_open(drv, NAME));
	ASSERT_ERRNO(0, drv_negotiate(drv));
	ASSERT_ERRNO(0, iotlb_map(drv->fd, 0, IOVA,
				  QUEUES * sizeof(struct queue), self->queue,
				  VHOST_ACCESS_RW));
	for (int i = 0; i < QUEUES; i++) {
		self->kick[i] = eventfd(0, EFD_CLOEXEC);
		ASSERT_ERRNO(0, queue_setup(drv->fd, i, self->kick[i]));
	}
	ASSERT_ERRNO(0, set_status(drv->fd, STATUS_RUNNING));
}

FIXTURE_TEARDOWN(queues)
{
	drv_close(&self->drv);
	for (int i = 0; i < QUEUES; i++)
		close(self->kick[i]);
	mem_free(self->queue, QUEUES * sizeof(struct queue));
	blk_del(NAME);
}

/* A sector of its own for each queue: written with @value, or read. */
static void begin(struct queue *q, int idx, bool write, uint8_t value)
{
	uint16_t next = q->avail.idx;

	q->hdr = (struct virtio_blk_outhdr) {
		.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
		.sector = idx * 3,
	};
	q->status = BLK_NO_STATUS;
	memset(q->data, write ? value : 0, SECTOR);
	q->desc[0] = (struct vring_desc) {
		AT(idx, hdr), sizeof(q->hdr), VRING_DESC_F_NEXT, 1,
	};
	q->desc[1] = (struct vring_desc) {
		AT(idx, data), SECTOR, VRING_DESC_F_NEXT |
		(write ? 0 : VRING_DESC_F_WRITE), 2,
	};
	q->desc[2] = (struct vring_desc) {
		AT(idx, status), 1, VRING_DESC_F_WRITE, 0,
	};
	q->avail.ring[next % SIZE] = 0;
	__atomic_store_n(&q->avail.idx, next + 1, __ATOMIC_SEQ_CST);
}

/* All of them have done what was asked, and the data is @value. */
static bool all_end(struct queue *queue, uint16_t done, uint8_t value)
{
	long end = now_ms() + 10 * DRV_WAIT_MS;

	for (int i = 0; i < QUEUES; i++) {
		struct queue *q = &queue[i];

		while (__atomic_load_n(&q->used.idx, __ATOMIC_ACQUIRE) != done)
			if (now_ms() >= end || usleep(100))
				return false;
		if (q->status || q->data[0] != (uint8_t)(value + i) ||
		    memcmp(q->data, q->data + 1, SECTOR - 1))
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(queues, all_64_are_busy_at_the_same_time, 200)
{
	int rounds = endure(50, 500), i, n;
	uint64_t one = 1;
	uint16_t done = 0;

	for (n = 0; n < 2 * rounds; n++) {
		uint8_t value = n / 2;

		for (i = 0; i < QUEUES; i++)
			begin(&self->queue[i], i, n % 2 == 0, value + i);
		for (i = 0; i < QUEUES; i++)
			ASSERT_EQ(sizeof(one), write(self->kick[i], &one,
						     sizeof(one)));
		ASSERT_TRUE(all_end(self->queue, ++done, value))
			TH_LOG("round %d", n);
	}
	for (i = 0; i < QUEUES; i++) {
		EXPECT_EQ(rounds, blk_counter(NAME, i, "writes"));
		EXPECT_EQ(rounds * SECTOR,
			  blk_counter(NAME, i, "written bytes"));
		EXPECT_EQ(rounds, blk_counter(NAME, i, "reads"));
		EXPECT_EQ(rounds * SECTOR, blk_counter(NAME, i, "read bytes"));
	}
}

/* Mapped again and again, for much to be mapped with little memory. */
#define MEM	(64 * SZ_2M / 2)

FIXTURE(pieces) {
	int fd;
	char *mem;
	struct leak_mark mark;
};

FIXTURE_SETUP(pieces)
{
	const char *reason = drv_device(NAME);

	if (reason)
		SKIP(return, "%s", reason);
	leak_mark(&self->mark);
	self->mem = mem_scattered(MEM);
	ASSERT_NE(NULL, self->mem);
	self->fd = vhost_open(NAME);
	ASSERT_LE(0, self->fd);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
}

FIXTURE_TEARDOWN(pieces)
{
	char leaks[512] = "";

	close(self->fd);
	mem_free(self->mem, MEM);
	leak_check(&self->mark, leaks, sizeof(leaks));
	EXPECT_STREQ("", leaks);
	vdpa_del(NAME);
}

/* What the kernel has done for this thread, in ms. */
static long system_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

/* Pages @from to @to of the device's memory, one message each. */
static int map_pages(int fd, char *mem, uint64_t from, uint64_t to)
{
	uint64_t nr;

	for (nr = from; nr < to; nr++)
		if (iotlb_map(fd, 0, nr * SZ_4K, SZ_4K,
			      mem + nr * SZ_4K % MEM, VHOST_ACCESS_RW))
			return errno;
	return 0;
}

#define PARTS	8

/* Were the cost of one to grow with all, the last part would be 15 times. */
static int map_all(struct __test_metadata *_metadata, int fd, char *mem,
		   uint64_t pages)
{
	long ms[PARTS];
	int i;

	for (i = 0; i < PARTS; i++) {
		ms[i] = -system_ms();
		ASSERT_EQ(0, map_pages(fd, mem, pages / PARTS * i,
				       pages / PARTS * (i + 1)));
		ms[i] += system_ms();
	}
	TH_LOG("%lu pieces: the first eighth took %ld ms, the last one %ld",
	       pages, ms[0], ms[PARTS - 1]);
	EXPECT_GT(5 * (ms[0] + 50), ms[PARTS - 1]);
	EXPECT_EQ(pages * 4, status_kib("VmPin"));
	return 0;
}

/*
 * Wants this CPU each millisecond, before all others; how long it had to wait
 * at most. A kernel that can be preempted anywhere never lets it wait, others
 * only if something goes on without end.
 */
struct watch {
	pthread_t thread;
	bool stop;
	long worst;
};

static void *watch_run(void *arg)
{
	struct watch *watch = arg;
	long last = now_ms(), now;

	while (!__atomic_load_n(&watch->stop, __ATOMIC_RELAXED)) {
		usleep(1000);
		now = now_ms();
		if (now - last > watch->worst)
			watch->worst = now - last;
		last = now;
	}
	return NULL;
}

static bool watch_begin(struct watch *watch)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t cpu;

	*watch = (struct watch) {};
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		return false;
	return !pthread_create(&watch->thread, NULL, watch_run, watch) &&
	       !pthread_setschedparam(watch->thread, SCHED_FIFO, &first);
}

static long watch_end(struct watch *watch)
{
	__atomic_store_n(&watch->stop, true, __ATOMIC_RELAXED);
	pthread_join(watch->thread, NULL);
	return watch->worst;
}

TEST_F_TIMEOUT(pieces, of_4_gib_by_the_page_are_mapped_and_unmapped, 1200)
{
	uint64_t pages = endure((1 << 17) / slowness(), 1 << 20);
	struct watch watch;
	long ms;

	map_all(_metadata, self->fd, self->mem, pages);
	ASSERT_TRUE(watch_begin(&watch));
	ms = -now_ms();
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, UINT64_MAX));
	ms += now_ms();
	watch_end(&watch);
	TH_LOG("unmapped in %ld ms, others waited for %ld at most", ms,
	       watch.worst);
	EXPECT_GT(ms / 8 + 50, watch.worst);
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F_TIMEOUT(pieces, go_with_the_file, 1200)
{
	uint64_t pages = endure((1 << 17) / slowness(), 1 << 20);
	struct watch watch;
	long ms;

	ASSERT_EQ(0, map_pages(self->fd, self->mem, 0, pages));
	ASSERT_TRUE(watch_begin(&watch));
	ms = -now_ms();
	close(self->fd);
	ms += now_ms();
	watch_end(&watch);
	TH_LOG("closed in %ld ms, others waited for %ld at most", ms,
	       watch.worst);
	EXPECT_GT(ms / 8 + 50, watch.worst);
	EXPECT_EQ(0, status_kib("VmPin"));
	self->fd = vhost_open(NAME);
	EXPECT_LE(0, self->fd);
}

TEST_HARNESS_MAIN
