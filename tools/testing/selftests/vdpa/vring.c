// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting up the virtqueues of /dev/vhost-vdpa-N, on vdpa_mock: what is taken
 * reaches the parent as it was given, what is refused changes nothing, and
 * nothing of a queue changes while the device runs.
 */
#include "common.h"

#include <linux/virtio_config.h>

#include "dev.h"
#include "mockdev.h"
#include "vhost.h"

#define NVQS	3
#define NUM_MAX	256

FIXTURE(vring) {
	struct mockdev dev;
	int fd;
};

FIXTURE_SETUP(vring)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, "nvqs=3 vq_num_max=256"));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(vring)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(vring, num_reaches_the_queue)
{
	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 1, NUM_MAX));
	EXPECT_EQ(NUM_MAX, mock_vq(&self->dev, 1, "num"));
	EXPECT_EQ(NUM_MAX, vq_get(self->fd, VHOST_VDPA_GET_VRING_SIZE, 1));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "num"));
	EXPECT_EQ(0, mock_vq(&self->dev, 2, "num"));
}

/* Regression of 6.12.111: more than the device has was let through. */
TEST_F(vring, bad_num_is_einval_and_does_not_reach_the_device)
{
	static const uint32_t bad[] = {
		0, 3, 255, NUM_MAX + 1, 2 * NUM_MAX, 0xffff, 0x10000,
		0x10100, 1U << 31, UINT32_MAX,
	};
	size_t i;

	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 16));
	mock_forget(&self->dev);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_ERRNO(EINVAL, vq_state(self->fd, VHOST_SET_VRING_NUM, 0,
					      bad[i]))
			TH_LOG("%u", bad[i]);
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_num"));
	EXPECT_EQ(16, mock_vq(&self->dev, 0, "num"));
}

TEST_F(vring, num_max_is_asked_again_at_reset)
{
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_num_max value 64"));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_ERRNO(EINVAL,
		     vq_state(self->fd, VHOST_SET_VRING_NUM, 0, NUM_MAX));
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 64));
}

TEST_F(vring, addresses_reach_the_queue_in_their_places)
{
	ASSERT_ERRNO(0, vq_addr(self->fd, 2, 0x1000, 0x2002, 0x3004));
	/* desc, driver (avail), device (used) */
	EXPECT_TRUE(mock_called(&self->dev,
				"set_vq_address 0x2 0x1000 0x2002 0x3004"));
}

TEST_F(vring, misaligned_address_is_einval)
{
	ASSERT_ERRNO(0, vq_addr(self->fd, 0, 0x1000, 0x2000, 0x3000));
	mock_forget(&self->dev);
	EXPECT_ERRNO(EINVAL, vq_addr(self->fd, 0, 0x1000, 0x2001, 0x3000));
	EXPECT_ERRNO(EINVAL, vq_addr(self->fd, 0, 0x1000, 0x2000, 0x3001));
	EXPECT_ERRNO(EINVAL, vq_addr(self->fd, 0, 0x1000, 0x2000, 0x3002));
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_address"));
}

TEST_F(vring, unknown_address_flag_is_eopnotsupp)
{
	struct vhost_vring_addr addr = { .flags = 2 };

	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_SET_VRING_ADDR, &addr));
	addr.flags = 1U << 31;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_SET_VRING_ADDR, &addr));
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_address"));
}

TEST_F(vring, address_that_the_parent_refuses_is_einval)
{
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				"set_vq_address errno 12"));
	EXPECT_ERRNO(EINVAL, vq_addr(self->fd, 0, 0x1000, 0x2000, 0x3000));
}

TEST_F(vring, base_of_a_split_ring_goes_and_comes_back)
{
	static const uint32_t good[] = { 0, 1, 0x1234, 0x8000, 0xffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 1,
					 good[i]));
		EXPECT_EQ(good[i], vq_get(self->fd, VHOST_GET_VRING_BASE, 1));
	}
	EXPECT_EQ(0, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
}

TEST_F(vring, base_beyond_16_bits_of_a_split_ring_is_einval)
{
	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 7));
	EXPECT_ERRNO(EINVAL,
		     vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 0x10000));
	EXPECT_ERRNO(EINVAL,
		     vq_state(self->fd, VHOST_SET_VRING_BASE, 0, UINT32_MAX));
	EXPECT_EQ(7, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
}

/* Bits 0-14 avail, 15 its wrap counter, 16-30 used, 31 its wrap counter. */
TEST_F(vring, base_of_a_packed_ring_goes_and_comes_back)
{
	static const uint32_t good[] = {
		0, 0x80008000, 0x00008000, 0x80000000, 0x12345678, 0xffffffff,
		0x7fff7fff,
	};
	uint32_t state;
	size_t i;

	ASSERT_ERRNO(0, set_features(self->fd, BIT_ULL(VIRTIO_F_RING_PACKED)));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 1,
					 good[i]));
		EXPECT_EQ(good[i], vq_get(self->fd, VHOST_GET_VRING_BASE, 1));
		/* The parent's bit fields have the counter first. */
		state = (good[i] & 0x7fff) << 1 | (good[i] >> 15 & 1) |
			(good[i] >> 16 & 0x7fff) << 17 |
			(good[i] >> 31) << 16;
		EXPECT_EQ(state, mock_vq(&self->dev, 1, "state"));
	}
}

TEST_F(vring, base_errors_of_the_parent_are_passed_on)
{
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_vq_state errno 95"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_state errno 5"));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 1));
	EXPECT_ERRNO(EIO, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
}

TEST_F(vring, enable_reaches_the_queue)
{
	unsigned long cmd = VHOST_VDPA_SET_VRING_ENABLE;

	ASSERT_ERRNO(0, vq_state(self->fd, cmd, 1, 1));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "ready"));
	EXPECT_EQ(0, mock_vq(&self->dev, 0, "ready"));
	ASSERT_ERRNO(0, vq_state(self->fd, cmd, 1, 0));
	EXPECT_EQ(0, mock_vq(&self->dev, 1, "ready"));
	/* Any other number than 0 means yes. */
	ASSERT_ERRNO(0, vq_state(self->fd, cmd, 1, 0x100));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "ready"));
}

static int set_up(int fd)
{
	return vq_state(fd, VHOST_SET_VRING_NUM, 0, 64) ?:
	       vq_state(fd, VHOST_SET_VRING_BASE, 0, 5) ?:
	       vq_addr(fd, 0, 0x1000, 0x2000, 0x3000) ?:
	       vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1) ?:
	       start(fd);
}

TEST_F(vring, nothing_of_a_queue_changes_while_the_device_runs)
{
	ASSERT_ERRNO(0, set_up(self->fd));
	mock_forget(&self->dev);
	EXPECT_ERRNO(EBUSY, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 128));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 6));
	EXPECT_ERRNO(EINVAL, vq_addr(self->fd, 0, 0x4000, 0x5000, 0x6000));
	EXPECT_ERRNO(EBUSY,
		     vq_state(self->fd, VHOST_VDPA_SET_GROUP_ASID, 0, 0));
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_num"));
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_state"));
	EXPECT_EQ(0, mock_count(&self->dev, "set_vq_address"));
	EXPECT_EQ(0, mock_count(&self->dev, "set_group_asid"));
	EXPECT_EQ(5, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
}

TEST_F(vring, suspended_device_takes_base_and_addresses)
{
	ASSERT_ERRNO(0, set_up(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 6));
	EXPECT_ERRNO(0, vq_addr(self->fd, 0, 0x4000, 0x5000, 0x6000));
	EXPECT_EQ(6, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 7));
}

TEST_F(vring, reset_makes_the_queues_settable_again)
{
	ASSERT_ERRNO(0, set_up(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 128));
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 6));
}

TEST_F(vring, enable_after_driver_ok_needs_the_backend_feature)
{
	unsigned long cmd = VHOST_VDPA_SET_VRING_ENABLE;

	ASSERT_ERRNO(0, set_up(self->fd));
	EXPECT_ERRNO(EBUSY, vq_state(self->fd, cmd, 1, 1));
	EXPECT_EQ(0, mock_vq(&self->dev, 1, "ready"));
	EXPECT_ERRNO(EBUSY, vq_state(self->fd, cmd, 0, 0));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "ready"));

	ASSERT_STREQ("", mock_del(&self->dev));
	ASSERT_EQ(0, mock_own(&self->dev, "backend_features=0x40"));
	self->fd = self->dev.fd;
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_ERRNO(0, vq_state(self->fd, cmd, 1, 1));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "ready"));
}

TEST_F(vring, file_that_is_no_eventfd_is_refused)
{
	static const unsigned long cmds[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_ERRNO(EBADF, vq_file(self->fd, cmds[i], 0, 9999))
			TH_LOG("%#lx", cmds[i]);
		EXPECT_ERRNO(EINVAL, vq_file(self->fd, cmds[i], 0, self->fd))
			TH_LOG("%#lx", cmds[i]);
		EXPECT_ERRNO(0, vq_file(self->fd, cmds[i], 0,
					VHOST_FILE_UNBIND))
			TH_LOG("%#lx", cmds[i]);
	}
}

/* Upstream's probe fails above some 220 queues. */
TEST_F(vring, device_with_many_queues_works)
{
	static const char *const knobs[] = { "nvqs=1024", "nvqs=65535" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		uint32_t nvqs, last;

		ASSERT_STREQ("", mock_del(&self->dev));
		ASSERT_EQ(0, mock_add(&self->dev, knobs[i]));
		self->fd = self->dev.fd;
		ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
		ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_VQS_COUNT,
				      &nvqs));
		last = nvqs - 1;
		EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, last,
					 16));
		EXPECT_ERRNO(ENOBUFS, vq_state(self->fd, VHOST_SET_VRING_NUM,
					       nvqs, 16));
	}
}

TEST_HARNESS_MAIN
