// SPDX-License-Identifier: GPL-2.0-only
/*
 * IRQ bypass, with consumers of vdpa_mock in the place of KVM: the interrupt of
 * a queue is offered under its call eventfd while the device runs and the
 * queue is ready, and is taken back before any of that ends.
 */
#include "common.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "mockdev.h"
#include "vhost.h"

FIXTURE(bypass) {
	struct mockdev dev;
	int fd;
	int event[2];		/* each with a consumer */
};

static int consumers_write(const char *text)
{
	return file_write(text, MOCK "/consumers");
}

static int consume(int event)
{
	char line[32];

	snprintf(line, sizeof(line), "add %d", event);
	return consumers_write(line);
}

FIXTURE_SETUP(bypass)
{
	int i;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, "backend_features=0x40"));
	self->fd = self->dev.fd;
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_irq value 40"));
	for (i = 0; i < 2; i++) {
		self->event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_EQ(0, consume(self->event[i]));
	}
	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1));
}

FIXTURE_TEARDOWN(bypass)
{
	EXPECT_EQ(0, consumers_write("clear"));
	close(self->event[0]);
	close(self->event[1]);
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* What consumer @nr has: the interrupt or -1, how many came and went. */
static const char *seen_by(unsigned int nr)
{
	static char text[512];
	char *line = text;

	if (file_read(text, sizeof(text), MOCK "/consumers"))
		return "no file";
	while (nr--) {
		line = strchr(line, '\n');
		if (!line++)
			return "no consumer";
	}
	line[strcspn(line, "\n")] = '\0';
	return strchr(line, ' ') + 1;
}

#define NEVER		"irq -1 added 0 deleted 0"
#define FIRST		"irq 40 added 1 deleted 0"
#define FIRST_GONE	"irq -1 added 1 deleted 1"
#define SECOND		"irq 40 added 2 deleted 1"

static int set_call(int fd, int event)
{
	return vq_file(fd, VHOST_SET_VRING_CALL, 0, event);
}

static int enable(int fd, bool ready)
{
	return vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, 0, ready);
}

TEST_F(bypass, begins_with_driver_ok)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	EXPECT_STREQ(NEVER, seen_by(0));
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_ACK | STATUS_DRIVER |
				   STATUS_FEATURES_OK));
	EXPECT_STREQ(NEVER, seen_by(0));
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_RUNNING));
	EXPECT_STREQ(FIRST, seen_by(0));
	EXPECT_STREQ(NEVER, seen_by(1));
	/* The status that it has is no second start. */
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_RUNNING));
	EXPECT_STREQ(FIRST, seen_by(0));
}

TEST_F(bypass, ends_with_a_reset)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
	ASSERT_ERRNO(0, enable(self->fd, true));
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_STREQ(SECOND, seen_by(0));
}

TEST_F(bypass, goes_on_when_the_reset_failed)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "reset errno 5 1"));
	ASSERT_ERRNO(EIO, set_status(self->fd, 0));
	EXPECT_STREQ(SECOND, seen_by(0));
}

/* CVE-2024-47748: the old eventfd's address stayed behind as the token. */
TEST_F(bypass, follows_the_call_eventfd)
{
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_STREQ(NEVER, seen_by(0));
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	EXPECT_STREQ(FIRST, seen_by(0));
	ASSERT_ERRNO(0, set_call(self->fd, self->event[1]));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
	EXPECT_STREQ(FIRST, seen_by(1));
	ASSERT_ERRNO(0, set_call(self->fd, VHOST_FILE_UNBIND));
	EXPECT_STREQ(FIRST_GONE, seen_by(1));
	/* Nobody is left with it: the file may go, and its memory be reused. */
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	EXPECT_STREQ(SECOND, seen_by(0));
}

TEST_F(bypass, stays_when_a_bad_file_is_refused)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	EXPECT_ERRNO(EBADF, set_call(self->fd, 9999));
	EXPECT_STREQ(FIRST, seen_by(0));
}

TEST_F(bypass, pauses_while_the_device_is_suspended)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
	ASSERT_ERRNO(0, set_call(self->fd, self->event[1]));
	EXPECT_STREQ(NEVER, seen_by(1));
	/* Its queues may have other interrupts then. */
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_irq value 41"));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_STREQ("irq 41 added 1 deleted 0", seen_by(1));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
}

TEST_F(bypass, goes_on_when_the_suspension_failed)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "suspend errno 5 1"));
	ASSERT_ERRNO(EIO, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_STREQ(FIRST, seen_by(0));
}

TEST_F(bypass, is_of_a_queue_that_is_ready)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, enable(self->fd, false));
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_STREQ(NEVER, seen_by(0));
	ASSERT_ERRNO(0, enable(self->fd, true));
	EXPECT_STREQ(FIRST, seen_by(0));
	ASSERT_ERRNO(0, enable(self->fd, true));
	EXPECT_STREQ(FIRST, seen_by(0));
	ASSERT_ERRNO(0, enable(self->fd, false));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
}

TEST_F(bypass, of_a_parent_without_an_interrupt_does_not_begin)
{
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "clear"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_irq errno 95"));
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_STREQ(NEVER, seen_by(0));
}

TEST_F(bypass, ends_with_the_file)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
}

TEST_F(bypass, ends_with_the_owner)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_RESET_OWNER));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
}

TEST_F(bypass, ends_with_the_device)
{
	ASSERT_ERRNO(0, set_call(self->fd, self->event[0]));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	EXPECT_STREQ(FIRST_GONE, seen_by(0));
}

struct swapper {
	int fd;
	int event[2];
	bool stop;
};

static void *swapper(void *arg)
{
	struct swapper *s = arg;
	int i;

	for (i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED); i++)
		set_call(s->fd, s->event[i & 1]);
	return NULL;
}

/* Interrupt, how many producers came, how many went. */
static bool counts(unsigned int nr, int *irq, unsigned int *added,
		   unsigned int *deleted)
{
	return sscanf(seen_by(nr), "irq %d added %u deleted %u", irq, added,
		      deleted) == 3;
}

/* The calls come from one thread, the starts and stops from another. */
TEST_F_TIMEOUT(bypass, changes_hands_under_load, 60)
{
	struct swapper s = { self->fd, { self->event[0], self->event[1] } };
	unsigned int added, deleted, seen = 0, i;
	pthread_t thread;
	int irq;

	ASSERT_EQ(0, pthread_create(&thread, NULL, swapper, &s));
	for (i = 0; i < 20000 && seen < 50; i++) {
		EXPECT_ERRNO(0, enable(self->fd, true));
		EXPECT_ERRNO(0, start(self->fd));
		EXPECT_ERRNO(0, set_status(self->fd, 0));
		EXPECT_TRUE(counts(i & 1, &irq, &added, &deleted));
		seen = added;
	}
	s.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LE(50, seen);
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(counts(i, &irq, &added, &deleted));
		EXPECT_EQ(-1, irq);
		EXPECT_EQ(added, deleted);
	}
}

TEST_HARNESS_MAIN
