// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device goes when it must, whatever its owner is doing: in each of the ways
 * it may go, and with the owner in each state in which it could hold things
 * up. Each time that is over at once, everything answers ENODEV afterwards,
 * and what the owner had been given is back before it closes the file.
 */
#include "common.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "dev.h"
#include "ending.h"
#include "files.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW	VHOST_ACCESS_RW
#define PAGES	16
#define TEN_GIB	(10ULL << 30)

FIXTURE(removal) {
	struct mockdev dev;
	int fd;
	char *mem;		/* @PAGES pages, mapped at 0 */
	uint32_t *doorbell;	/* of queue 0, in use */
};

FIXTURE_VARIANT(removal) {
	enum ending how;
	bool iommu;
	const char *knobs;
};

#define DMA	"nas=2 doorbell=page mapping=dma_map"
#define SET	"nas=2 doorbell=page mapping=set_map"

FIXTURE_VARIANT_ADD(removal, deleted) { END_DELETED, .knobs = DMA };
FIXTURE_VARIANT_ADD(removal, deleted_set_map) { END_DELETED, .knobs = SET };
FIXTURE_VARIANT_ADD(removal, unbound) { END_UNBOUND, .knobs = DMA };
FIXTURE_VARIANT_ADD(removal, unbound_set_map) { END_UNBOUND, .knobs = SET };
FIXTURE_VARIANT_ADD(removal, unloaded) { END_UNLOADED, .knobs = DMA };
FIXTURE_VARIANT_ADD(removal, unplugged) { END_UNPLUGGED, .knobs = DMA };
FIXTURE_VARIANT_ADD(removal, unplugged_iommu) {
	END_UNPLUGGED, true, "doorbell=page mapping=none",
};

FIXTURE_SETUP(removal)
{
	const char *mgmtdev = MOCKDEV;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	if (variant->how == END_UNPLUGGED)
		mgmtdev = ending_pci(variant->iommu);
	if (!mgmtdev)
		SKIP(return, "no PCI function edu%s",
		     variant->iommu ? " behind an IOMMU" : "");
	ASSERT_EQ(0, mock_make_on(&self->dev, mgmtdev, variant->knobs));
	self->fd = vhost_open(self->dev.name);
	self->dev.fd = self->fd;
	ASSERT_LE(0, self->fd);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	self->mem = mem_anon(PAGES * SZ_4K);
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, PAGES * SZ_4K, self->mem,
				  RW));
	self->doorbell = doorbell_map(self->fd, 0, SZ_4K, PROT_WRITE,
				      MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)self->doorbell);
	ASSERT_EQ(0, mem_store(self->doorbell, 1));
	ASSERT_ERRNO(0, start(self->fd));
}

FIXTURE_TEARDOWN(removal)
{
	munmap(self->doorbell, SZ_4K);
	munmap(self->mem, PAGES * SZ_4K);
	EXPECT_TRUE(module_load(MOCKDEV));
	EXPECT_STREQ("", mock_del(&self->dev));
	ending_pci_back();
}

#define EXPECT_GOES_AT_ONCE()						\
	EXPECT_ENDS_AT_ONCE(variant->how, self->dev.name, MOCKDEV)

static int poll_now(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&wait, 1, 0);
	return wait.revents;
}

/* What still answers as if there were a device; "" if nothing does. */
static const char *remains(int fd, uint32_t *doorbell)
{
	uint64_t features;

	if (get_status(fd) >= 0 || errno != ENODEV)
		return "GET_STATUS";
	if (!ioctl(fd, VHOST_GET_FEATURES, &features) || errno != ENODEV)
		return "GET_FEATURES";
	if (!vq_file(fd, VHOST_SET_VRING_KICK, 0, VHOST_FILE_UNBIND) ||
	    errno != ENODEV)
		return "SET_VRING_KICK";
	if (!iotlb_unmap(fd, 0, 0, UINT64_MAX) || errno != ENODEV)
		return "INVALIDATE";
	if (!iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_END) || errno != ENODEV)
		return "BATCH_END";
	if (doorbell_map(fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED) != MAP_FAILED ||
	    errno != ENODEV)
		return "mmap";
	if (poll_now(fd) != (POLLHUP | POLLERR))
		return "poll";
	if (mem_store(doorbell, 2) != SIGBUS)
		return "the doorbell";
	return "";
}

struct poller {
	int fd;
	pid_t tid;
};

static void *poller(void *arg)
{
	struct poller *p = arg;
	struct pollfd wait = { .fd = p->fd };
	long start = now_ms();
	sigset_t all;

	/* SIGCHLD of the process that removes the device would wake it. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	__atomic_store_n(&p->tid, gettid(), __ATOMIC_RELAXED);
	/* It looks once more when the time is over, which is no answer. */
	poll(&wait, 1, 2 * ENDING_MS);
	if (now_ms() - start >= 2 * ENDING_MS)
		return NULL;
	return (void *)(long)wait.revents;
}

/* Whether it waits in poll(), and not before it. */
static bool is_waiting(const struct poller *p)
{
	char text[128];

	for (int i = 0; i < ENDING_MS / 10; i++) {
		pid_t tid = __atomic_load_n(&p->tid, __ATOMIC_RELAXED);

		if (tid && !file_read(text, sizeof(text),
				      "/proc/self/task/%d/syscall", tid) &&
		    strtol(text, NULL, 10) == SYS_poll)
			return true;
		usleep(10000);
	}
	return false;
}

static bool signalled(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count);
}

/* Running, polled, with every kind of eventfd and a batch that has begun. */
TEST_F_TIMEOUT(removal, ends_a_session_in_full_use, 90)
{
	int kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct poller p = { .fd = self->fd };
	uint64_t one = 1;
	pthread_t thread;
	void *events;

	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 0, kick));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0, kick));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_ERR, 0, kick));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SET_CONFIG_CALL, &told));
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 1 << 30, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, SZ_4K));
	ASSERT_EQ(0, pthread_create(&thread, NULL, poller, &p));
	ASSERT_TRUE(is_waiting(&p));

	EXPECT_GOES_AT_ONCE();
	EXPECT_STREQ("", remains(self->fd, self->doorbell));
	pthread_join(thread, &events);
	EXPECT_EQ(POLLHUP | POLLERR, (long)events);
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());
	/* Who looks at nothing else is told by this one. */
	EXPECT_TRUE(signalled(told));
	EXPECT_EQ(sizeof(one), write(kick, &one, sizeof(one)));
	close(kick);
	close(told);
}

struct mapping {
	int fd;
	char *mem;
	uint64_t size;
};

static void *map_it(void *arg)
{
	struct mapping *m = arg;

	/* Where an IOMMU of 39 bits reaches. */
	return (void *)(long)errno_of(iotlb_map(m->fd, 0, 1ULL << 32, m->size,
						m->mem, RW));
}

/* It waits for a page that somebody else has to provide. */
TEST_F_TIMEOUT(removal, does_not_wait_for_a_pin_that_is_stuck, 90)
{
	struct mapping m = { .fd = self->fd, .size = PAGES * SZ_4K };
	pthread_t thread;
	int fault;
	void *err;

	m.mem = mem_stuck(m.size, m.size / 2, &fault);
	ASSERT_NE(NULL, m.mem);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_it, &m));
	ASSERT_TRUE(mem_is_stuck(fault));

	EXPECT_GOES_AT_ONCE();
	EXPECT_STREQ("", remains(self->fd, self->doorbell));
	EXPECT_EQ(EBUSY, pthread_tryjoin_np(thread, &err));
	/* But for what is on its way. */
	EXPECT_EQ(m.size / 1024, status_kib("VmPin"));

	close(fault);
	pthread_join(thread, &err);
	EXPECT_EQ(ENODEV, (long)err);
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());
	munmap(m.mem, m.size);
}

TEST_F_TIMEOUT(removal, ends_a_pin_of_ten_gib, 120)
{
	struct mapping m = { .fd = self->fd, .size = TEN_GIB };
	pthread_t thread;
	void *err;
	long ms;

	m.mem = mem_repeated(m.size, SZ_2M);
	ASSERT_NE(NULL, m.mem);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_it, &m));
	usleep(300000);
	EXPECT_EQ(EBUSY, pthread_tryjoin_np(thread, &err));
	EXPECT_LE((long)(m.size / 1024), status_kib("VmPin"));

	EXPECT_GOES_AT_ONCE();
	EXPECT_STREQ("", remains(self->fd, self->doorbell));
	ms = now_ms();
	pthread_join(thread, &err);
	EXPECT_GT(ENDING_MS, now_ms() - ms);
	EXPECT_EQ(ENODEV, (long)err);
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());
	munmap(m.mem, m.size);
}

/* Calls whose argument lies in memory that is not there. */
enum argument { ARG_IN, ARG_TAIL, ARG_TAIL_OUT, ARG_OUT, ARG_MESSAGE, ARG_NR };

struct stuck {
	int fd;
	enum argument what;
	char *mem;		/* a page, and one that is not there */
};

static void *call_stuck(void *arg)
{
	struct stuck *s = arg;
	struct vhost_vdpa_config *config;
	void *bad = s->mem + SZ_4K;
	long ret = -1;

	config = bad - offsetof(struct vhost_vdpa_config, buf);
	switch (s->what) {
	case ARG_IN:
		ret = ioctl(s->fd, VHOST_SET_FEATURES, bad);
		break;
	case ARG_TAIL:
	case ARG_TAIL_OUT:
		config->off = 0;
		config->len = 8;
		ret = ioctl(s->fd, s->what == ARG_TAIL ?
			    VHOST_VDPA_SET_CONFIG : VHOST_VDPA_GET_CONFIG,
			    config);
		break;
	case ARG_OUT:
		ret = ioctl(s->fd, VHOST_GET_FEATURES, bad);
		break;
	default:
		ret = write(s->fd, bad, sizeof(struct vhost_msg_v2));
	}
	return (void *)(long)errno_of(ret);
}

TEST_F_TIMEOUT(removal, does_not_wait_for_the_memory_of_a_call, 90)
{
	struct stuck s[ARG_NR];
	pthread_t thread[ARG_NR];
	int fault[ARG_NR], i;
	void *err;

	for (i = 0; i < ARG_NR; i++) {
		s[i].fd = self->fd;
		s[i].what = i;
		s[i].mem = mem_stuck(2 * SZ_4K, SZ_4K, &fault[i]);
		ASSERT_NE(NULL, s[i].mem);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, call_stuck,
					    &s[i]));
		ASSERT_TRUE(mem_is_stuck(fault[i]));
	}
	EXPECT_GOES_AT_ONCE();
	EXPECT_STREQ("", remains(self->fd, self->doorbell));
	for (i = 0; i < ARG_NR; i++) {
		close(fault[i]);
		pthread_join(thread[i], &err);
		/* These had their answer before the device went. */
		EXPECT_EQ(i == ARG_TAIL_OUT || i == ARG_OUT ? 0 : ENODEV,
			  (long)err)
			TH_LOG("call %d", i);
		munmap(s[i].mem, 2 * SZ_4K);
	}
}

struct caller {
	int fd;
	int event;
	unsigned int kind;
	char *mem;
	int odd;		/* the first unexpected errno */
	bool gone;
};

static int map_or_unmap(struct caller *c, unsigned int round)
{
	uint64_t iova = (1 + c->kind) << 20;

	if (round % 2)
		return iotlb_unmap(c->fd, 0, iova, PAGES * SZ_4K);
	return iotlb_map(c->fd, 0, iova, PAGES * SZ_4K, c->mem, RW);
}

static int use_doorbell(struct caller *c)
{
	void *page = doorbell_map(c->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);

	return page == MAP_FAILED ? -1 : munmap(page, SZ_4K);
}

/* What the eight threads do, each one thing. */
static int call_once(struct caller *c, unsigned int round)
{
	unsigned long set = c->kind == 4 ? VHOST_SET_VRING_CALL :
					   VHOST_SET_VRING_KICK;
	uint64_t one = 1;

	switch (c->kind) {
	case 0:
	case 1:
		return map_or_unmap(c, round);
	case 2:
		return iotlb_batch(c->fd, 0, round % 2 ?
				   VHOST_IOTLB_BATCH_END :
				   VHOST_IOTLB_BATCH_BEGIN);
	case 3:
	case 4:
		return vq_file(c->fd, set, 1, round % 2 ? VHOST_FILE_UNBIND :
							  c->event);
	case 5:
		if (write(c->event, &one, sizeof(one)) < 0)
			return -1;
		return get_status(c->fd) < 0 ? -1 : 0;
	case 6:
		return use_doorbell(c);
	default:
		return set_status(c->fd, round % 2 ? STATUS_ACK : 0);
	}
}

static void *caller(void *arg)
{
	struct caller *c = arg;
	unsigned int round;

	for (round = 0; !c->gone; round++) {
		if (!call_once(c, round))
			continue;
		c->gone = errno == ENODEV;
		if (!c->gone && !c->odd)
			c->odd = errno;
	}
	return NULL;
}

TEST_F_TIMEOUT(removal, ends_what_eight_threads_do, 90)
{
	int event = eventfd(0, EFD_CLOEXEC), i;
	struct caller c[8] = { };
	pthread_t thread[8];

	for (i = 0; i < 8; i++) {
		c[i].fd = self->fd;
		c[i].event = event;
		c[i].kind = i;
		c[i].mem = self->mem;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, caller, &c[i]));
	}
	usleep(300000);
	EXPECT_GOES_AT_ONCE();
	for (i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, c[i].odd)
			TH_LOG("thread %d", i);
	}
	EXPECT_STREQ("", remains(self->fd, self->doorbell));
	EXPECT_EQ(0, status_kib("VmPin"));
	close(event);
}

TEST_F_TIMEOUT(removal, leaves_the_module_to_those_who_hold_the_file, 90)
{
	const char *module = "vhost_vdpa";

	EXPECT_ERRNO(EAGAIN, syscall(SYS_delete_module, module, O_NONBLOCK));
	EXPECT_GOES_AT_ONCE();
	EXPECT_ERRNO(EAGAIN, syscall(SYS_delete_module, module, O_NONBLOCK));
	close(self->fd);
	self->dev.fd = -1;
	/* The doorbell is still mapped. */
	EXPECT_ERRNO(EAGAIN, syscall(SYS_delete_module, module, O_NONBLOCK));
	munmap(self->doorbell, SZ_4K);
	EXPECT_ERRNO(0, syscall(SYS_delete_module, module, O_NONBLOCK));
	EXPECT_TRUE(module_load(module));
}

TEST_HARNESS_MAIN
