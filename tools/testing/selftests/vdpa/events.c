// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds of /dev/vhost-vdpa-N, on vdpa_mock: kicks reach the device, what
 * the device raises reaches the eventfd that is set at that moment, and an
 * eventfd may be replaced or closed at any time, by whom it may please.
 */
#include "common.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "mockdev.h"
#include "vhost.h"

FIXTURE(events) {
	struct mockdev dev;
	int fd;
	int event[2];
};

FIXTURE_SETUP(events)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, ""));
	self->fd = self->dev.fd;
	self->event[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->event[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

FIXTURE_TEARDOWN(events)
{
	close(self->event[0]);
	close(self->event[1]);
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* How often it was signalled since the last time; waits for a first one. */
static uint64_t signalled(int event)
{
	struct pollfd wait = { .fd = event, .events = POLLIN };
	uint64_t count;

	poll(&wait, 1, 2000);
	return read(event, &count, sizeof(count)) < 0 ? 0 : count;
}

/* The same, without patience. */
static uint64_t signalled_now(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) < 0 ? 0 : count;
}

static int kick(int event)
{
	uint64_t one = 1;

	return write(event, &one, sizeof(one)) < 0 ? -1 : 0;
}

static int set_config_call(int fd, int event)
{
	return ioctl(fd, VHOST_VDPA_SET_CONFIG_CALL, &event);
}

TEST_F(events, call_is_signalled_for_its_queue_only)
{
	unsigned long cmd = VHOST_SET_VRING_CALL;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 1, self->event[1]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 1 3"));
	EXPECT_EQ(3, signalled(self->event[1]));
	EXPECT_EQ(0, signalled_now(self->event[0]));
}

/* A parent may signal the eventfd itself. */
TEST_F(events, call_eventfd_is_given_to_the_parent)
{
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 2,
				self->event[0]));
	EXPECT_EQ(1, mock_vq(&self->dev, 2, "trigger"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "trigger 2 2"));
	EXPECT_EQ(2, signalled(self->event[0]));
}

TEST_F(events, call_goes_to_the_eventfd_that_was_set_last)
{
	unsigned long cmd = VHOST_SET_VRING_CALL;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[1]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	EXPECT_EQ(1, signalled(self->event[1]));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, VHOST_FILE_UNBIND));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	EXPECT_EQ(0, signalled_now(self->event[0]));
	EXPECT_EQ(0, signalled_now(self->event[1]));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "trigger"));
}

TEST_F(events, bad_call_file_keeps_the_eventfd_before_it)
{
	unsigned long cmd = VHOST_SET_VRING_CALL;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	EXPECT_ERRNO(EBADF, vq_file(self->fd, cmd, 0, 9999));
	EXPECT_ERRNO(EINVAL, vq_file(self->fd, cmd, 0, self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	EXPECT_EQ(1, signalled(self->event[0]));
}

/* Nobody asked for it to be forgotten; VDUSE forgets it at a reset. */
TEST_F(events, call_eventfd_outlives_a_reset)
{
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
				self->event[0]));
	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[1]));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0"));
	EXPECT_EQ(1, signalled(self->event[0]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	EXPECT_EQ(1, signalled(self->event[1]));
}

TEST_F(events, config_change_is_signalled)
{
	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[0]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config 2"));
	EXPECT_EQ(2, signalled(self->event[0]));
	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[1]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	EXPECT_EQ(1, signalled(self->event[1]));
	ASSERT_ERRNO(0, set_config_call(self->fd, VHOST_FILE_UNBIND));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	EXPECT_EQ(0, signalled_now(self->event[0]));
	EXPECT_EQ(0, signalled_now(self->event[1]));
}

/* Upstream 6.12.111: the error pointer was kept and signalled. */
TEST_F(events, bad_config_file_keeps_the_eventfd_before_it)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[0]));
	EXPECT_ERRNO(EBADF, set_config_call(self->fd, 9999));
	EXPECT_ERRNO(EINVAL, set_config_call(self->fd, null));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	EXPECT_EQ(1, signalled(self->event[0]));
	close(null);
}

/* CVE-2021-29266: release put the eventfd and kept the pointer. */
TEST_F(events, config_eventfd_goes_with_the_file)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_ERRNO(0, set_config_call(self->fd, self->event[0]));
		close(self->fd);
		self->fd = vhost_open(self->dev.name);
		self->dev.fd = self->fd;
		ASSERT_LE(0, self->fd);
		ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	}
	EXPECT_EQ(0, signalled_now(self->event[0]));
}

TEST_F(events, config_eventfd_is_signalled_once_when_the_device_goes)
{
	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[0]));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	EXPECT_EQ(1, signalled(self->event[0]));
}

TEST_F(events, error_eventfd_is_signalled_when_the_device_needs_a_reset)
{
	unsigned long cmd = VHOST_SET_VRING_ERR;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	usleep(100000);
	EXPECT_EQ(0, signalled_now(self->event[0]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_LE(1, signalled(self->event[0]));
	EXPECT_EQ(STATUS_RUNNING | STATUS_NEEDS_RESET, get_status(self->fd));
}

TEST_F(events, error_eventfd_that_was_unbound_is_silent)
{
	unsigned long cmd = VHOST_SET_VRING_ERR;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, VHOST_FILE_UNBIND));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	usleep(100000);
	EXPECT_EQ(0, signalled_now(self->event[0]));
}

TEST_F(events, kick_reaches_its_queue)
{
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 1,
				self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, kick(self->event[0]));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "kicks"));
	ASSERT_ERRNO(0, kick(self->event[0]));
	EXPECT_EQ(2, mock_vq(&self->dev, 1, "kicks"));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "kicks"));
}

TEST_F(events, eventfd_that_is_signalled_already_kicks_at_once)
{
	ASSERT_ERRNO(0, kick(self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 1,
				self->event[0]));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "kicks"));
}

TEST_F(events, kick_that_was_unbound_or_replaced_reaches_nobody)
{
	unsigned long cmd = VHOST_SET_VRING_KICK;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[1]));
	ASSERT_ERRNO(0, kick(self->event[0]));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "kicks"));
	ASSERT_ERRNO(0, kick(self->event[1]));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "kicks"));
	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, VHOST_FILE_UNBIND));
	ASSERT_ERRNO(0, kick(self->event[1]));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "kicks"));
}

TEST_F(events, bad_kick_file_keeps_the_eventfd_before_it)
{
	unsigned long cmd = VHOST_SET_VRING_KICK;

	ASSERT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
	EXPECT_ERRNO(EBADF, vq_file(self->fd, cmd, 0, 9999));
	ASSERT_ERRNO(0, kick(self->event[0]));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "kicks"));
}

/* The file is ours no more, and the queue's still. */
TEST_F(events, eventfds_may_be_closed_while_they_are_set)
{
	unsigned long cmds[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR
	};
	size_t i;
	int event;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		event = eventfd(0, EFD_CLOEXEC);
		ASSERT_ERRNO(0, vq_file(self->fd, cmds[i], 0, event));
		close(event);
	}
	event = eventfd(0, EFD_CLOEXEC);
	ASSERT_ERRNO(0, set_config_call(self->fd, event));
	close(event);
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "vq 0 10"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "trigger 0 10"));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	/* Another one may get what the first one had. */
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 0,
				self->event[0]));
	ASSERT_ERRNO(0, kick(self->event[0]));
	EXPECT_LE(1, mock_vq(&self->dev, 0, "kicks"));
}

TEST_F(events, one_eventfd_may_serve_everything)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, i,
					self->event[0]));
		ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_ERR, i,
					self->event[0]));
		ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, i,
					self->event[1]));
	}
	ASSERT_ERRNO(0, set_config_call(self->fd, self->event[0]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	ASSERT_ERRNO(0, kick(self->event[1]));
	EXPECT_EQ(1, signalled(self->event[0]));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, mock_vq(&self->dev, i, "kicks"));
}

TEST_F(events, kick_and_call_of_a_gone_device_are_silent)
{
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_KICK, 0,
				self->event[0]));
	ASSERT_ERRNO(0, vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
				self->event[1]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	EXPECT_ERRNO(0, kick(self->event[0]));
	EXPECT_EQ(0, signalled_now(self->event[1]));
}

struct raiser {
	struct mockdev *dev;
	const char *line;
	bool stop;
	int rounds;
};

static void *raiser(void *arg)
{
	struct raiser *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		if (mock_write(r->dev, "raise", r->line))
			break;
		r->rounds++;
	}
	return NULL;
}

/* Swap the eventfd, and close the old one, while it is being signalled. */
#define SWAP_UNDER_LOAD(_line, _set)					\
do {									\
	struct raiser r = { .dev = &self->dev, .line = (_line) };	\
	pthread_t thread;						\
	int i, event;							\
									\
	ASSERT_EQ(0, pthread_create(&thread, NULL, raiser, &r));	\
	for (i = 0; i < 2000; i++) {					\
		event = eventfd(0, EFD_CLOEXEC);			\
		EXPECT_ERRNO(0, _set);					\
		close(event);						\
	}								\
	r.stop = true;							\
	pthread_join(thread, NULL);					\
	EXPECT_LT(0, r.rounds);						\
} while (0)

TEST_F_TIMEOUT(events, call_eventfd_is_replaced_under_load, 60)
{
	SWAP_UNDER_LOAD("vq 0 100", vq_file(self->fd, VHOST_SET_VRING_CALL, 0,
					    event));
}

TEST_F_TIMEOUT(events, trigger_eventfd_is_replaced_under_load, 60)
{
	SWAP_UNDER_LOAD("trigger 0 100",
			vq_file(self->fd, VHOST_SET_VRING_CALL, 0, event));
}

TEST_F_TIMEOUT(events, config_eventfd_is_replaced_under_load, 60)
{
	SWAP_UNDER_LOAD("config 100", set_config_call(self->fd, event));
}

TEST_F_TIMEOUT(events, error_eventfd_is_replaced_under_load, 60)
{
	SWAP_UNDER_LOAD("needs_reset", vq_file(self->fd, VHOST_SET_VRING_ERR,
					       0, event));
}

struct kicker {
	int event;
	bool started;
	bool stop;
};

static void *kicker(void *arg)
{
	struct kicker *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_RELAXED)) {
		kick(k->event);
		__atomic_store_n(&k->started, true, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F_TIMEOUT(events, kick_eventfd_is_set_and_unset_under_load, 60)
{
	struct kicker k = { .event = self->event[0] };
	unsigned long cmd = VHOST_SET_VRING_KICK;
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, kicker, &k));
	while (!__atomic_load_n(&k.started, __ATOMIC_RELAXED))
		sched_yield();
	for (i = 0; i < 1000; i++) {
		EXPECT_ERRNO(0, vq_file(self->fd, cmd, 0, self->event[0]));
		EXPECT_ERRNO(0, vq_file(self->fd, cmd, 0, VHOST_FILE_UNBIND));
	}
	k.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, mock_vq(&self->dev, 0, "kicks"));
}

TEST_HARNESS_MAIN
