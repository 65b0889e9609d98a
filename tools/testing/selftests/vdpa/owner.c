// SPDX-License-Identifier: GPL-2.0-only
/*
 * VHOST_RESET_OWNER: a process gives /dev/vhost-vdpa-N up and another one takes
 * it over, with the file open all the time. Whatever the first one had set up
 * is gone, whatever it was doing comes to nothing. On vdpa_mock; the doorbells
 * are in doorbell.c.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

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

struct mapper {
	int fd;
	void *mem;
	int err;
	bool done;
};

static void *mapper(void *arg)
{
	struct mapper *m = arg;

	m->err = errno_of(iotlb_map(m->fd, 0, 0, SZ_4K, m->mem, RW));
	__atomic_store_n(&m->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A page whose first touch waits until uffd_fill(). */
static void *uffd_page(int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *mem = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* It can be polled only without blocking. */
	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	reg.range.start = (uintptr_t)mem;
	reg.range.len = SZ_4K;
	if (mem == MAP_FAILED || *uffd < 0 || ioctl(*uffd, UFFDIO_API, &api) ||
	    ioctl(*uffd, UFFDIO_REGISTER, &reg))
		return NULL;
	return mem;
}

static int uffd_fill(int uffd, void *mem)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)mem, .len = SZ_4K },
	};

	return ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

static bool has_fault(int uffd)
{
	struct pollfd wait = { .fd = uffd, .events = POLLIN };

	return poll(&wait, 1, 5000) == 1 && wait.revents == POLLIN;
}

/* The pin waits for us; the owner changes meanwhile, and waits for nobody. */
TEST_F_TIMEOUT(owner, update_under_way_maps_nothing_for_the_next_one, 60)
{
	struct mapper m = { };
	pthread_t thread;
	int uffd;

	if (strstr(variant->knobs, "va"))
		SKIP(return, "nothing is pinned");
	m.fd = self->fd;
	m.mem = uffd_page(&uffd);
	ASSERT_NE(NULL, m.mem);
	ASSERT_EQ(0, pthread_create(&thread, NULL, mapper, &m));
	EXPECT_TRUE(has_fault(uffd));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_EQ(0, errno_in_child(self->fd, VHOST_SET_OWNER));
	EXPECT_FALSE(__atomic_load_n(&m.done, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, uffd_fill(uffd, m.mem));
	pthread_join(thread, NULL);
	EXPECT_EQ(EPERM, m.err);
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
	close(uffd);
	munmap(m.mem, SZ_4K);
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
