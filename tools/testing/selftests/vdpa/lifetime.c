// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a file of /dev/vhost-vdpa-N and of the device behind it: what
 * opening and closing do, and what is left of either when the other goes. What
 * a device that goes could get stuck on is in removal.c. Nothing is left
 * behind: no pinned page, no reference, no eventfd (mock_del() looks).
 */
#include "common.h"

#include <poll.h>
#include <pthread.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW

FIXTURE(lifetime) {
	struct mockdev dev;
	int fd;
};

FIXTURE_SETUP(lifetime)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, "doorbell=page"));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(lifetime)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

static bool is_gone(int fd)
{
	uint64_t features;

	return errno_of(ioctl(fd, VHOST_GET_FEATURES, &features)) == ENODEV &&
	       errno_of(iotlb_unmap(fd, 0, 0, UINT64_MAX)) == ENODEV &&
	       get_status(fd) < 0 && errno == ENODEV;
}

/* POLLHUP and POLLERR come whether asked for or not. */
static int poll_now(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&wait, 1, 0);
	return wait.revents;
}

TEST_F(lifetime, second_open_is_ebusy)
{
	EXPECT_ERRNO(EBUSY, vhost_open(self->dev.name));
	close(self->fd);
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_LE(0, self->dev.fd);
}

TEST_F(lifetime, file_that_was_duplicated_is_one_file)
{
	int copy = dup(self->fd);

	close(self->fd);
	self->dev.fd = copy;
	EXPECT_ERRNO(EBUSY, vhost_open(self->dev.name));
	EXPECT_LE(0, get_status(copy));
}

TEST_F(lifetime, open_that_fails_can_be_tried_again)
{
	int i;

	close(self->fd);
	self->dev.fd = -1;
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, mock_write(&self->dev, "inject",
					"reset errno 5 1"));
		EXPECT_ERRNO(EIO, vhost_open(self->dev.name));
	}
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_unmap errno 12 1"));
	EXPECT_ERRNO(ENOMEM, vhost_open(self->dev.name));
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_LE(0, self->dev.fd);
}

TEST_F(lifetime, close_resets_the_device)
{
	char *mem = mem_anon(SZ_64K);

	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_64K, mem, RW));
	ASSERT_ERRNO(0, start(self->fd));
	mock_forget(&self->dev);
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_LE(1, mock_count(&self->dev, "reset"));
	EXPECT_EQ(0, mock_state(&self->dev, "status"));
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
	EXPECT_EQ(0, mock_state(&self->dev, "config_cb"));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(lifetime, device_is_deleted_while_its_file_is_open)
{
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_FALSE(vdpa_exists(self->dev.name));
	EXPECT_TRUE(is_gone(self->fd));
	EXPECT_TRUE(is_gone(self->fd));
}

TEST_F(lifetime, parent_module_is_free_while_the_file_is_open)
{
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_EQ(self->dev.mark.parent_refs, module_refs("vdpa_mock"));
}

TEST_F(lifetime, node_is_free_for_the_next_device)
{
	char before[64], after[64];
	struct mockdev next;

	ASSERT_TRUE(vhost_path(self->dev.name, before, sizeof(before)));
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	close(self->fd);
	self->dev.fd = -1;
	ASSERT_EQ(0, mock_add(&next, ""));
	ASSERT_TRUE(vhost_path(next.name, after, sizeof(after)));
	EXPECT_STREQ(before, after);
	EXPECT_STREQ("", mock_del(&next));
}

TEST_F(lifetime, poll_says_nothing_until_the_device_is_gone)
{
	EXPECT_EQ(0, poll_now(self->fd));
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_DELETED_AT_ONCE(self->dev.name);
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd));
}

TEST_F(lifetime, unbind_lets_another_driver_have_the_device)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, driver_unbind("vhost_vdpa", self->dev.name));
	EXPECT_TRUE(is_gone(self->fd));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd));
	EXPECT_TRUE(vdpa_exists(self->dev.name));
	EXPECT_EQ(0, mock_state(&self->dev, "status"));
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));

	/* The same driver again, while the old file is still open. */
	ASSERT_EQ(0, driver_bind("vhost_vdpa", self->dev.name));
	EXPECT_TRUE(is_gone(self->fd));
	close(self->fd);
	self->dev.fd = vhost_open(self->dev.name);
	EXPECT_LE(0, self->dev.fd);
}

static void *deleter(void *arg)
{
	return (void *)vdpa_del_ms(arg);
}

/* An operation of the parent is waited for, and no longer. */
TEST_F(lifetime, deletion_waits_for_an_operation_that_is_under_way)
{
	pthread_t thread;
	void *ms;

	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_status delay 1000"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, deleter,
				    self->dev.name));
	get_status(self->fd);
	pthread_join(thread, &ms);
	EXPECT_LE(0, (long)ms);
	EXPECT_GT(AT_ONCE_MS + 2000, (long)ms);
	EXPECT_TRUE(is_gone(self->fd));
}

/* Its descriptor lives on in a child. */
TEST_F(lifetime, exit_of_the_owner_leaves_the_file_to_others)
{
	int status = -1;
	pid_t pid;

	close(self->fd);
	self->fd = vhost_open(self->dev.name);
	self->dev.fd = self->fd;
	pid = fork();
	if (!pid) {
		char *mem = mem_anon(SZ_64K);

		_exit(errno_of(ioctl(self->fd, VHOST_SET_OWNER)) ?:
		      errno_of(iotlb_map(self->fd, 0, 0, SZ_64K, mem, RW)));
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_STREQ("0 0x0 0xffff 3\n", mock_map(&self->dev));
	EXPECT_ERRNO(EPERM, iotlb_unmap(self->fd, 0, 0, SZ_64K));
}

struct opener {
	const char *name;
	bool stop;
	int opened;
	int odd;
};

static void *opener(void *arg)
{
	struct opener *o = arg;

	while (!__atomic_load_n(&o->stop, __ATOMIC_RELAXED)) {
		int fd = vhost_open(o->name);

		if (fd >= 0) {
			o->opened++;
			close(fd);
		} else if (errno != ENXIO && errno != ENODEV &&
			   errno != EBUSY && errno != ENOENT) {
			o->odd = errno;
		}
	}
	return NULL;
}

/* Upstream's probe showed the node before it was ready. */
TEST_F_TIMEOUT(lifetime, open_races_with_bind_and_unbind, 120)
{
	struct opener o = { .name = self->dev.name };
	pthread_t thread;
	int i;

	close(self->fd);
	self->dev.fd = -1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, opener, &o));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, driver_unbind("vhost_vdpa", self->dev.name));
		ASSERT_EQ(0, driver_bind("vhost_vdpa", self->dev.name));
		if (i % 10 == 0)
			usleep(20000);
	}
	o.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, o.opened);
	EXPECT_EQ(0, o.odd);
}

TEST_HARNESS_MAIN
