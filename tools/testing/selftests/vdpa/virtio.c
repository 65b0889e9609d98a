// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio_vdpa: devices of vdpa_net and vdpa_mock as network interfaces of the
 * VM, driven by the kernel's own virtio_net. The first has a data path, with a
 * packet socket at either end; of the second is seen what it was told.
 */
#include "common.h"

#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nic.h"

#define NAME		"virttest"
#define FRAME		200
#define WAIT_MS		10000
#define REBINDS		10

static int nic_carrier(const char *nic)
{
	char text[8];

	return file_read(text, sizeof(text), "/sys/class/net/%s/carrier", nic) ?
	       -1 : atoi(text);
}

static bool nic_carrier_becomes(const char *nic, int value)
{
	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (nic_carrier(nic) == value)
			return true;
		usleep(10000);
	}
	return false;
}

/* Sends without end into one side; nobody minds what becomes of it. */
struct flood {
	pthread_t thread;
	int from;
	bool stop;
};

static void *flood_run(void *arg)
{
	struct flood *flood = arg;
	uint8_t frame[FRAME] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	frame[12] = ETH_P_802_EX1 >> 8;
	frame[13] = ETH_P_802_EX1 & 0xff;
	while (!__atomic_load_n(&flood->stop, __ATOMIC_RELAXED))
		if (send(flood->from, frame, sizeof(frame), MSG_DONTWAIT) < 0)
			usleep(1000);
	return NULL;
}

static int flood_start(struct flood *flood, int from)
{
	*flood = (struct flood){ .from = from };
	return pthread_create(&flood->thread, NULL, flood_run, flood);
}

static void flood_end(struct flood *flood)
{
	__atomic_store_n(&flood->stop, true, __ATOMIC_RELAXED);
	pthread_join(flood->thread, NULL);
}

/* Take out what a flood has left, for there to be room again. */
static void drain(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t frame[FRAME];

	while (poll(&pfd, 1, 200) == 1)
		if (recv(fd, frame, sizeof(frame), 0) < 0)
			break;
}

FIXTURE(virtio_net) {
	char nic[IFNAMSIZ];
	int here;	/* packet socket on it */
	int peer;	/* and on the other end */
};

FIXTURE_SETUP(virtio_net)
{
	if (!nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_net cannot be loaded");
	vdpa_del(NAME);
	ASSERT_EQ(0, vdpa_add(NAME, "vdpa_net"));
	ASSERT_EQ(0, nic_bind(NAME, self->nic, sizeof(self->nic)));
	ASSERT_EQ(0, nic_up(NAME));
	ASSERT_EQ(0, nic_up(self->nic));
	self->here = nic_socket(self->nic);
	self->peer = nic_socket(NAME);
	ASSERT_LE(0, self->here);
	ASSERT_LE(0, self->peer);
	ASSERT_TRUE(nic_carrier_becomes(self->nic, 1));
}

FIXTURE_TEARDOWN(virtio_net)
{
	vdpa_del(NAME);
	close(self->here);
	close(self->peer);
}

TEST_F(virtio_net, frames_go_both_ways)
{
	for (int i = 0; i < 600; i++) {	/* around the rings and again */
		ASSERT_TRUE(nic_crosses(self->here, self->peer));
		ASSERT_TRUE(nic_crosses(self->peer, self->here));
	}
}

/* As "ethtool -i" asks. */
TEST_F(virtio_net, has_the_device_for_its_bus)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	ASSERT_EQ(0, nic_ethtool(self->nic, &info));
	EXPECT_STREQ("virtio_net", info.driver);
	EXPECT_STREQ(NAME, info.bus_info);
}

TEST_F(virtio_net, carrier_follows_the_other_end)
{
	ASSERT_EQ(0, run_command("ip link set " NAME " down"));
	EXPECT_TRUE(nic_carrier_becomes(self->nic, 0));
	ASSERT_EQ(0, run_command("ip link set " NAME " up"));
	EXPECT_TRUE(nic_carrier_becomes(self->nic, 1));
}

TEST_F(virtio_net, rings_are_resized_under_traffic)
{
	uint32_t sizes[] = { 64, 256, 32, 128 }, rx, tx;
	struct flood out, in;

	ASSERT_EQ(0, flood_start(&out, self->here));
	ASSERT_EQ(0, flood_start(&in, self->peer));
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		rx = sizes[i];
		tx = sizes[i];
		EXPECT_EQ(0, nic_ring_size(self->nic, ETHTOOL_SRINGPARAM,
					   &rx, &tx));
		EXPECT_EQ(0, nic_ring_size(self->nic, ETHTOOL_GRINGPARAM,
					   &rx, &tx));
		EXPECT_EQ(sizes[i], rx);
		EXPECT_EQ(sizes[i], tx);
	}
	flood_end(&out);
	flood_end(&in);
	drain(self->here);
	drain(self->peer);
	EXPECT_TRUE(nic_crosses(self->here, self->peer));
	EXPECT_TRUE(nic_crosses(self->peer, self->here));
}

TEST_F(virtio_net, deleted_at_once_under_traffic)
{
	struct flood out, in;

	ASSERT_EQ(0, flood_start(&out, self->here));
	ASSERT_EQ(0, flood_start(&in, self->peer));
	EXPECT_DELETED_AT_ONCE(NAME);
	flood_end(&out);
	flood_end(&in);
	EXPECT_FALSE(file_exists("/sys/class/net/%s", self->nic));
}

TEST_F(virtio_net, comes_back_from_user_space_and_from_unbinding)
{
	struct flood flood;
	int fd;

	for (int i = 0; i < REBINDS; i++) {
		ASSERT_EQ(0, flood_start(&flood, self->here));
		EXPECT_EQ(0, driver_unbind("virtio_vdpa", NAME));
		flood_end(&flood);
		close(self->here);
		EXPECT_FALSE(nic_find(NAME, self->nic, sizeof(self->nic)));

		ASSERT_EQ(0, driver_bind("vhost_vdpa", NAME));
		fd = vhost_open(NAME);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, nic_bind(NAME, self->nic, sizeof(self->nic)));
		close(fd);
		ASSERT_EQ(0, nic_up(self->nic));
		self->here = nic_socket(self->nic);
		ASSERT_TRUE(nic_carrier_becomes(self->nic, 1));
		ASSERT_TRUE(nic_crosses(self->peer, self->here));
	}
}

FIXTURE(virtio_told) {
	struct mockdev dev;
	char nic[IFNAMSIZ];
	int err;
};

FIXTURE_VARIANT(virtio_told) {
	const char *knobs;	/* besides "features" */
	uint64_t offered;
	uint64_t taken;		/* of those that are about rings */
	uint32_t state;		/* of a virtqueue that begins */
};

FIXTURE_VARIANT_ADD(virtio_told, split) {
	.offered = VIRTIO_F_BASE | BIT_ULL(VIRTIO_RING_F_EVENT_IDX),
	.taken = VIRTIO_F_BASE | BIT_ULL(VIRTIO_RING_F_EVENT_IDX),
};

/* Both wrap counters are one, both indices zero. */
FIXTURE_VARIANT_ADD(virtio_told, packed) {
	.offered = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_RING_PACKED),
	.taken = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_RING_PACKED),
	.state = 0x00010001,
};

/* It is the parent that declares, not the one whose bits it passes on. */
FIXTURE_VARIANT_ADD(virtio_told, ring_reset_is_not_taken_undeclared) {
	.offered = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_RING_RESET),
	.taken = VIRTIO_F_BASE,
};

FIXTURE_VARIANT_ADD(virtio_told, what_the_ring_cannot_is_not_taken) {
	.knobs = "vq_reset=1",
	.offered = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_IN_ORDER) |
		   BIT_ULL(VIRTIO_F_SR_IOV) | BIT_ULL(VIRTIO_F_ADMIN_VQ) |
		   BIT_ULL(VIRTIO_F_ORDER_PLATFORM) |
		   BIT_ULL(VIRTIO_F_NOTIFICATION_DATA) |
		   BIT_ULL(VIRTIO_F_RING_RESET),
	.taken = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_ORDER_PLATFORM) |
		 BIT_ULL(VIRTIO_F_NOTIFICATION_DATA) |
		 BIT_ULL(VIRTIO_F_RING_RESET),
};

FIXTURE_VARIANT_ADD(virtio_told, no_data_with_notifications) {
	.knobs = "without=kick_vq_with_data,compat_reset",
	.offered = VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_NOTIFICATION_DATA),
	.taken = VIRTIO_F_BASE,
};

FIXTURE_SETUP(virtio_told)
{
	char knobs[256];

	if (!mock_available() || !nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_mock is not built");
	snprintf(knobs, sizeof(knobs), "nvqs=2 features=%#llx %s",
		 (unsigned long long)variant->offered, variant->knobs ?: "");
	ASSERT_EQ(0, mock_make(&self->dev, knobs));
	self->err = nic_bind(self->dev.name, self->nic, sizeof(self->nic));
}

FIXTURE_TEARDOWN(virtio_told)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(virtio_told, features_and_queues)
{
	struct mockdev *dev = &self->dev;

	ASSERT_EQ(0, self->err);
	EXPECT_EQ(variant->taken, mock_state(dev, "features"));
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(256, mock_vq(dev, i, "num"));
		EXPECT_EQ(1, mock_vq(dev, i, "ready"));
		EXPECT_EQ(1, mock_vq(dev, i, "cb"));
		EXPECT_EQ(variant->state, mock_vq(dev, i, "state"));
		EXPECT_NE(0, mock_vq(dev, i, "addr"));
	}
}

TEST_F(virtio_told, driver_that_leaves_leaves_nothing)
{
	struct mockdev *dev = &self->dev;

	ASSERT_EQ(0, self->err);
	ASSERT_EQ(0, driver_unbind("virtio_vdpa", dev->name));
	EXPECT_EQ(0, mock_state(dev, "status"));
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(0, mock_vq(dev, i, "ready"));
		EXPECT_EQ(0, mock_vq(dev, i, "cb"));
	}
	/* Nobody is there to hear it. */
	EXPECT_EQ(0, mock_write(dev, "raise", "vq 0 10"));
	EXPECT_EQ(0, mock_write(dev, "raise", "config 10"));
}

TEST_F(virtio_told, kick_is_of_the_queue_and_of_its_kind)
{
	bool data = variant->taken & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	int fd;

	ASSERT_EQ(0, self->err);
	ASSERT_EQ(0, nic_up(self->nic));
	mock_forget(&self->dev);
	fd = nic_socket(self->nic);
	nic_crosses(fd, -1);
	close(fd);
	EXPECT_EQ(!data, !!mock_count(&self->dev, "kick_vq"));
	EXPECT_EQ(data, !!mock_count(&self->dev, "kick_vq_with_data"));
	EXPECT_LE(1, mock_vq(&self->dev, 1, "kicks"));
}

TEST_F(virtio_told, queue_that_is_refused_refuses_the_driver)
{
	struct mockdev *dev = &self->dev;

	ASSERT_EQ(0, self->err);
	/* The second of two: the first is there by then. */
	ASSERT_EQ(0, mock_write(dev, "inject", "set_vq_address errno 5 2"));
	EXPECT_NE(0, nic_bind(dev->name, self->nic, sizeof(self->nic)));
	EXPECT_EQ(0, mock_vq(dev, 0, "ready"));
	EXPECT_EQ(0, mock_vq(dev, 1, "ready"));
	EXPECT_EQ(0, nic_bind(dev->name, self->nic, sizeof(self->nic)));
}

TEST_F(virtio_told, callbacks_run_where_the_driver_says)
{
	char call[2][64];

	ASSERT_EQ(0, self->err);
	/* virtio_net has one pair of queues, for all CPUs. */
	for (int i = 0; i < 2; i++)
		snprintf(call[i], sizeof(call[i]), "set_vq_affinity 0x%x %#lx",
			 i, sysconf(_SC_NPROCESSORS_ONLN));
	EXPECT_TRUE(mock_called(&self->dev, call[0]));
	EXPECT_TRUE(mock_called(&self->dev, call[1]));
}

TEST_F(virtio_told, broken_device_is_deleted_at_once)
{
	struct mockdev *dev = &self->dev;

	ASSERT_EQ(0, self->err);
	ASSERT_EQ(0, nic_up(self->nic));
	ASSERT_EQ(0, mock_write(dev, "raise", "needs_reset"));
	EXPECT_DELETED_AT_ONCE(dev->name);
}

FIXTURE(virtio_resize) {
	struct mockdev dev;
	char nic[IFNAMSIZ];
};

FIXTURE_VARIANT(virtio_resize) {
	int declared;
	int err;
};

FIXTURE_VARIANT_ADD(virtio_resize, declared) {
	.declared = 1,
};

FIXTURE_VARIANT_ADD(virtio_resize, undeclared) {
	.err = -ENOENT,
};

FIXTURE_SETUP(virtio_resize)
{
	char knobs[64];

	if (!mock_available() || !nic_modules())
		SKIP(return, "virtio_vdpa or vdpa_mock is not built");
	snprintf(knobs, sizeof(knobs), "nvqs=2 features=%#llx vq_reset=%d",
		 VIRTIO_F_BASE | BIT_ULL(VIRTIO_F_RING_RESET), variant->declared);
	ASSERT_EQ(0, mock_make(&self->dev, knobs));
	ASSERT_EQ(0, nic_bind(self->dev.name, self->nic, sizeof(self->nic)));
	ASSERT_EQ(0, nic_up(self->nic));
}

FIXTURE_TEARDOWN(virtio_resize)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(virtio_resize, needs_a_parent_that_declares_it)
{
	uint32_t rx = 64, tx = 32;

	EXPECT_EQ(variant->err, nic_ring_size(self->nic, ETHTOOL_SRINGPARAM,
					      &rx, &tx));
	EXPECT_EQ(variant->declared ? 64 : 256, mock_vq(&self->dev, 0, "num"));
	EXPECT_EQ(variant->declared ? 32 : 256, mock_vq(&self->dev, 1, "num"));
	EXPECT_EQ(1, mock_vq(&self->dev, 0, "ready"));
	EXPECT_EQ(1, mock_vq(&self->dev, 1, "ready"));
}

TEST_HARNESS_MAIN
