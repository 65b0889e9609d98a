// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa and devices that break: what the virtio drivers of the VM see of
 * a device of vdpa_mock that asks for a reset, or fails to reset a virtqueue.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nic.h"

#define WAIT_MS		10000

/* virtio_net waits for the answer to a command with the rtnl held. */
FIXTURE(virtio_waits) {
	struct mockdev dev;
	char nic[IFNAMSIZ];
};

FIXTURE_SETUP(virtio_waits)
{
	char knobs[64];

	if (!mock_available() || !nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_mock is not built");
	snprintf(knobs, sizeof(knobs), "features=%#llx", VIRTIO_F_BASE |
		 BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | BIT_ULL(VIRTIO_NET_F_CTRL_RX));
	ASSERT_EQ(0, mock_make(&self->dev, knobs));
	ASSERT_EQ(0, nic_bind(self->dev.name, self->nic, sizeof(self->nic)));
	ASSERT_EQ(0, nic_up(self->nic));
	for (int i = 0; i < 500 && !mock_vq(&self->dev, 2, "kicks"); i++)
		usleep(10000);
	ASSERT_LT(0, mock_vq(&self->dev, 2, "kicks"));
}

FIXTURE_TEARDOWN(virtio_waits)
{
	/* The end of those that have failed. */
	mock_write(&self->dev, "raise", "needs_reset");
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(virtio_waits, ends_with_a_broken_device_that_is_deleted)
{
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_DELETED_AT_ONCE(self->dev.name);
}

TEST_F(virtio_waits, ends_when_the_device_breaks)
{
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_EQ(0, run_command("timeout 20 ip link set %s down", self->nic));
	EXPECT_EQ(0, nic_up(self->nic));
}

static bool ends_within(pid_t pid, int *status, int ms)
{
	for (; ms > 0; ms -= 10) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F(virtio_waits, ends_when_the_device_breaks_while_it_is_unbound)
{
	int status = -1;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(driver_unbind("virtio_vdpa", self->dev.name) ? 1 : 0);
	/* It waits, and would for ever. */
	EXPECT_FALSE(ends_within(pid, &status, 1000));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "needs_reset"));
	EXPECT_TRUE(ends_within(pid, &status, WAIT_MS));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, mock_state(&self->dev, "status"));
}

FIXTURE(virtio_resize_fails) {
	struct mockdev dev;
	char nic[IFNAMSIZ];
};

/* While the transmit queue, the only one, is given another size. */
FIXTURE_VARIANT(virtio_resize_fails) {
	const char *inject;
	int stays;		/* the queue is as it was */
};

FIXTURE_VARIANT_ADD(virtio_resize_fails, queue_does_not_stop) {
	.inject = "set_vq_ready errno 5 1",
	.stays = 1,
};

FIXTURE_VARIANT_ADD(virtio_resize_fails, queue_does_not_start) {
	.inject = "set_vq_ready errno 5 2",
};

FIXTURE_VARIANT_ADD(virtio_resize_fails, address_is_refused) {
	.inject = "set_vq_address errno 22 1",
};

FIXTURE_VARIANT_ADD(virtio_resize_fails, state_is_refused) {
	.inject = "set_vq_state errno 5 1",
};

FIXTURE_SETUP(virtio_resize_fails)
{
	char knobs[64];

	if (!mock_available() || !nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_mock is not built");
	snprintf(knobs, sizeof(knobs), "nvqs=2 vq_reset=1 features=%#llx",
		 VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_RING_RESET));
	ASSERT_EQ(0, mock_make(&self->dev, knobs));
	ASSERT_EQ(0, nic_bind(self->dev.name, self->nic, sizeof(self->nic)));
	ASSERT_EQ(0, nic_up(self->nic));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", variant->inject));
}

FIXTURE_TEARDOWN(virtio_resize_fails)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* The receive queue has its size already, and is left alone. */
static int resize(const char *nic, uint32_t size)
{
	uint32_t rx = 256;

	return nic_ring_size(nic, ETHTOOL_SRINGPARAM, &rx, &size);
}

TEST_F(virtio_resize_fails, and_works_when_tried_again)
{
	struct mockdev *dev = &self->dev;

	EXPECT_NE(0, resize(self->nic, 64));
	EXPECT_EQ(variant->stays, mock_vq(dev, 1, "ready"));
	EXPECT_EQ(variant->stays, mock_vq(dev, 1, "cb"));

	EXPECT_EQ(0, resize(self->nic, 32));
	EXPECT_EQ(1, mock_vq(dev, 1, "ready"));
	EXPECT_EQ(1, mock_vq(dev, 1, "cb"));
	EXPECT_EQ(32, mock_vq(dev, 1, "num"));
	mock_forget(dev);
	EXPECT_EQ(0, nic_send(self->nic));
	EXPECT_LE(1, mock_count(dev, "kick_vq"));
}

/* What is sent meanwhile is refused, not kept for ever. */
TEST_F(virtio_resize_fails, queue_that_is_lost_says_so)
{
	struct mockdev *dev = &self->dev;

	EXPECT_NE(0, resize(self->nic, 64));
	mock_forget(dev);
	EXPECT_EQ(0, nic_send(self->nic));
	EXPECT_EQ(variant->stays, !!mock_count(dev, "kick_vq"));
	EXPECT_EQ(!variant->stays, nic_stat(self->nic, "tx_dropped") > 0);
	EXPECT_DELETED_AT_ONCE(dev->name);
}

/* Starting it again does not hide that the device is broken. */
TEST_F(virtio_resize_fails, broken_device_stays_broken)
{
	struct mockdev *dev = &self->dev;

	EXPECT_NE(0, resize(self->nic, 64));
	mock_forget(dev);
	ASSERT_EQ(0, mock_write(dev, "raise", "needs_reset"));
	for (int i = 0; i < 500 && !mock_count(dev, "get_status"); i++)
		usleep(10000);
	EXPECT_EQ(0, resize(self->nic, 32));
	mock_forget(dev);
	EXPECT_EQ(0, nic_send(self->nic));
	EXPECT_EQ(0, mock_count(dev, "kick_vq"));
	EXPECT_DELETED_AT_ONCE(dev->name);
}

/* 0 or -errno; the size is not in it. */
static int disk_read(const char *disk)
{
	char path[64], block[512];
	int err, fd;

	snprintf(path, sizeof(path), "/dev/%s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read(fd, block, sizeof(block)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* A disk without size, which nobody reads, breaks and grows. */
TEST(io_to_a_broken_disk_fails_instead_of_waiting)
{
	char disk[32], knobs[64];
	struct mockdev dev;

	if (!mock_available() || !nic_modules() ||
	    !module_load("virtio_blk"))
		SKIP(return, "virtio_vdpa, virtio_blk or vdpa_mock is missing");
	snprintf(knobs, sizeof(knobs), "device_id=2 features=%#llx", VIRTIO_F_BASE);
	ASSERT_EQ(0, mock_make(&dev, knobs));
	ASSERT_EQ(0, mock_write(&dev, "raise", "fill 0"));
	ASSERT_EQ(0, virtio_bind(dev.name));
	ASSERT_TRUE(virtio_find(dev.name, "block", disk, sizeof(disk)));
	mock_forget(&dev);
	ASSERT_EQ(0, mock_write(&dev, "raise", "needs_reset"));
	/* What is under way before it is heard of stays so. */
	for (int i = 0; i < 500 && !mock_count(&dev, "get_status"); i++)
		usleep(10000);
	ASSERT_LT(0, mock_count(&dev, "get_status"));
	ASSERT_EQ(0, mock_write(&dev, "raise", "fill 1"));

	for (int i = 0; i < 100 && disk_read(disk) == 0; i++)
		usleep(10000);
	EXPECT_EQ(-EIO, disk_read(disk));
	EXPECT_DELETED_AT_ONCE(dev.name);
	EXPECT_STREQ("", mock_del(&dev));
}

TEST_HARNESS_MAIN
