// SPDX-License-Identifier: GPL-2.0-only
/*
 * VHOST_RESET_OWNER: a process gives /dev/vhost-vdpa-N up and another one takes
 * it over, with the file open all the time. Whatever the first one had set up
 * is gone, whatever it was doing comes to nothing. On vdpa_mock; the doorbells
 * are in doorbell.c.
 */
#include "common.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW
#define MEM_SIZE	(16 * SZ_4K)

FIXTURE(owner) {
	struct mockdev dev;
	int fd;
	char *mem;
	int event[2];
};

FIXTURE_VARIANT(owner) {
	const char *knobs;
};

FIXTURE_VARIANT_ADD(owner, dma_map) { "nas=2 mapping=dma_map" };
FIXTURE_VARIANT_ADD(owner, set_map) { "nas=2 mapping=set_map" };
FIXTURE_VARIANT_ADD(owner, dma_map_va) { "nas=2 mapping=va" };
FIXTURE_VARIANT_ADD(owner, set_map_va) { "nas=2 mapping=set_map_va" };

FIXTURE_SETUP(owner)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = mem_memfd(MEM_SIZE);
	ASSERT_NE(NULL, self->mem);
	self->event[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->event[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_EQ(0, mock_own(&self->dev, variant->knobs));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(owner)
{
	EXPECT_STREQ("", mock_del(&self->dev));
	close(self->event[0]);
	close(self->event[1]);
	munmap(self->mem, MEM_SIZE);
}

static bool is_signalled(int event, int ms)
{
	struct pollfd wait = { .fd = event, .events = POLLIN };

	return poll(&wait, 1, ms) == 1;
}

/* What a child of ours is told: 0 or an errno. */
static int errno_in_child(int fd, unsigned long cmd)
{
	int status = -1;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(errno_of(ioctl(fd, cmd)));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(owner, reset_is_for_the_owner)
{
	EXPECT_EQ(EPERM, errno_in_child(self->fd, VHOST_RESET_OWNER));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_ERRNO(EPERM, ioctl(self->fd, VHOST_RESET_OWNER));
}

TEST_F(owner, reset_makes_room_for_another_process)
{
	EXPECT_EQ(EBUSY, errno_in_child(self->fd, VHOST_SET_OWNER));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_ERRNO(EPERM, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 64));
	EXPECT_ERRNO(EPERM, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	EXPECT_EQ(0, errno_in_child(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(EBUSY, ioctl(self->fd, VHOST_SET_OWNER));
}

TEST_F(owner, reset_resets_the_device)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	mock_forget(&self->dev);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_EQ(1, mock_count(&self->dev, "reset"));
	EXPECT_EQ(0, get_status(self->fd));
	EXPECT_EQ(0, mock_state(&self->dev, "mm") & 1);
	/* Were it taken for suspended, the second would do nothing. */
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ(1, mock_count(&self->dev, "suspend"));
}

TEST_F(owner, reset_unmaps_and_unpins)
{
	ASSERT_ERRNO(0, set_backend(self->fd,
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, SZ_64K, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 1, 0, MEM_SIZE, self->mem, RW));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
	EXPECT_EQ(self->dev.mark.pinned, pinned_pages());
}

TEST_F(owner, reset_leaves_a_device_to_map_for)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, SZ_4K, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(owner, reset_ends_an_open_batch)
{
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, SZ_4K, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(owner, reset_forgets_the_backend_features)
{
	ASSERT_ERRNO(0, set_backend(self->fd,
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 1, 0, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
}

TEST_F(owner, reset_forgets_the_eventfds)
{
	uint64_t one = 1;

	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 0,
				self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
				self->event[1]));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_ERR, 0,
				self->event[1]));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SET_CONFIG_CALL,
			      &self->event[1]));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "trigger"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_FALSE(is_signalled(self->event[1], 100));
	ASSERT_EQ(sizeof(one), write(self->event[0], &one, sizeof(one)));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "kicks"));
}

TEST_F(owner, next_one_hears_of_the_device)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_ERR, 0,
				self->event[0]));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SET_CONFIG_CALL,
			      &self->event[1]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_TRUE(is_signalled(self->event[0], 2000));
	EXPECT_TRUE(is_signalled(self->event[1], 2000));
}

TEST_F(owner, stays_when_the_device_refuses_the_reset)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "reset errno 5 1"));
	EXPECT_ERRNO(EIO, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 64));
}

TEST_F(owner, stays_when_the_device_refuses_to_unmap)
{
	bool table = strstr(variant->knobs, "set_map");

	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				table ? "set_map errno 5 1" :
					"dma_unmap errno 5 1"));
	EXPECT_ERRNO(EIO, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
	EXPECT_ERRNO(EBUSY, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, SZ_4K, SZ_4K, self->mem, RW));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
}

/* What the device kept of an update that failed is not for the next owner. */
TEST_F(owner, reset_ends_what_the_device_would_not_give_back)
{
	ASSERT_STREQ("", mock_del(&self->dev));
	munmap(self->mem, MEM_SIZE);
	self->mem = mem_scattered(MEM_SIZE);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	self->fd = self->dev.fd;
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map errno 12 5"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_unmap errno 5 1"));
	EXPECT_ERRNO(ENOMEM, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem,
				       RW));
	ASSERT_EQ(MEM_SIZE / 1024, status_kib("VmPin"));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
}

/* For a second thread: what it does to the device, and what it is told. */
struct other {
	int fd;
	char *mem;
	int err;
	bool stop;
};

static void *other_map(void *arg)
{
	struct other *o = arg;

	o->err = errno_of(iotlb_map(o->fd, 0, 0, 2 * SZ_4K, o->mem, RW));
	return NULL;
}

static void *other_reset(void *arg)
{
	struct other *o = arg;

	o->err = errno_of(ioctl(o->fd, VHOST_RESET_OWNER));
	return NULL;
}

static void *other_batches(void *arg)
{
	struct other *o = arg;

	while (!__atomic_load_n(&o->stop, __ATOMIC_RELAXED))
		iotlb_batch(o->fd, 0, VHOST_IOTLB_BATCH_BEGIN);
	return NULL;
}

/* A reset ends batches, which takes the device its time. */
TEST_F_TIMEOUT(owner, batch_of_the_old_one_does_not_begin_during_a_reset, 60)
{
	struct other o = { .fd = self->fd };
	pthread_t thread;

	ASSERT_ERRNO(0, set_backend(self->fd,
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_batch(self->fd, 1, VHOST_IOTLB_BATCH_BEGIN));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 1, 0, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				strstr(variant->knobs, "set_map") ?
				"set_map delay 500" : "dma_unmap delay 500"));
	mock_forget(&self->dev);
	ASSERT_EQ(0, pthread_create(&thread, NULL, other_reset, &o));
	while (!mock_count(&self->dev, "reset"))
		usleep(1000);
	usleep(100000);
	EXPECT_ERRNO(EPERM, iotlb_batch(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, o.err);
	EXPECT_STREQ("", mock_map(&self->dev));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, SZ_64K, SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x10000 0x10fff 3\n", mock_map(&self->dev));
}

TEST_F_TIMEOUT(owner, map_is_empty_after_every_reset, 60)
{
	struct other o = { .fd = self->fd };
	pthread_t thread;
	long until;

	ASSERT_EQ(0, pthread_create(&thread, NULL, other_batches, &o));
	for (until = now_ms() + 1000; now_ms() < until;) {
		EXPECT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_4K, self->mem,
					  RW));
		EXPECT_ERRNO(0, iotlb_batch(self->fd, 0,
					    VHOST_IOTLB_BATCH_END));
		EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
		EXPECT_STREQ("", mock_map(&self->dev));
		EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	}
	__atomic_store_n(&o.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* An update whose memory comes when its owner has left. */
FIXTURE(under_way) {
	struct mockdev dev;
	int fd;
	struct other o;
	int fault;		/* closed, the memory is there */
	pthread_t thread;
};

FIXTURE_VARIANT(under_way) {
	const char *knobs;
};

FIXTURE_VARIANT_ADD(under_way, dma_map) { "mapping=dma_map" };
FIXTURE_VARIANT_ADD(under_way, set_map) { "mapping=set_map" };

FIXTURE_SETUP(under_way)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, variant->knobs));
	self->fd = self->dev.fd;
	self->o.fd = self->fd;
	self->o.mem = mem_stuck(2 * SZ_4K, SZ_4K, &self->fault);
	ASSERT_NE(NULL, self->o.mem);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, other_map, &self->o));
	ASSERT_TRUE(mem_is_stuck(self->fault));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
}

FIXTURE_TEARDOWN(under_way)
{
	char *before = strdup(mock_map(&self->dev));

	EXPECT_EQ(EBUSY, pthread_tryjoin_np(self->thread, NULL));
	close(self->fault);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(EPERM, self->o.err);
	EXPECT_STREQ(before, mock_map(&self->dev));
	free(before);
	munmap(self->o.mem, 2 * SZ_4K);
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(under_way, update_maps_nothing_for_nobody)
{
	EXPECT_ERRNO(EPERM, iotlb_unmap(self->fd, 0, 0, SZ_4K));
}

TEST_F(under_way, update_maps_nothing_for_the_next_one)
{
	EXPECT_EQ(0, errno_in_child(self->fd, VHOST_SET_OWNER));
}

TEST_F(under_way, update_maps_nothing_for_the_same_one)
{
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
}

TEST_F(under_way, update_holds_up_no_next_one)
{
	char *mem = mem_anon(SZ_4K);
	int status = -1;
	pid_t pid;

	pid = fork();
	if (!pid) {
		alarm(AT_ONCE_MS / 1000);
		if (ioctl(self->fd, VHOST_SET_OWNER))
			_exit(errno);
		_exit(errno_of(iotlb_map(self->fd, 0, 0, SZ_4K, mem, RW)));
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
	munmap(mem, SZ_4K);
}

struct load {
	int fd;
	int event;
	char *mem;
	bool stop;
};

/* All that an owner does, whether it is one or not. */
static void *load(void *arg)
{
	struct load *l = arg;
	uint64_t one = 1;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		vq_file(l->fd, VHOST_SET_VRING_KICK, 0, l->event);
		vq_file(l->fd, VHOST_SET_VRING_CALL, 0, l->event);
		iotlb_map(l->fd, 0, 0, MEM_SIZE, l->mem, RW);
		start(l->fd);
		if (write(l->event, &one, sizeof(one)) < 0)
			break;
		iotlb_batch(l->fd, 0, VHOST_IOTLB_BATCH_BEGIN);
		iotlb_unmap(l->fd, 0, SZ_4K, SZ_4K);
	}
	return NULL;
}

TEST_F_TIMEOUT(owner, changes_under_load, 120)
{
	struct load l = {
		.fd = self->fd, .mem = self->mem,
		.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	pthread_t thread[2];
	long until;
	int i;

	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_irq value 40"));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, load, &l));
	for (until = now_ms() + 2000; now_ms() < until;) {
		EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
		EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	}
	l.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
	close(l.event);
}

TEST_HARNESS_MAIN
