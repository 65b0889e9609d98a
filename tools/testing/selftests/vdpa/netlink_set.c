// SPDX-License-Identifier: GPL-2.0-only
/*
 * VDPA_CMD_DEV_ATTR_SET: what of a device can be changed, when, and that what
 * is refused changes nothing.
 *
 * Parents: vdpa_mock, which takes whatever the core lets through; vdpa_net and
 * vdpasim_net for what a change means.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAC	VDPA_ATTR_DEV_NET_CFG_MACADDR
#define MTU	VDPA_ATTR_DEV_NET_CFG_MTU
#define PAIRS	VDPA_ATTR_DEV_NET_CFG_MAX_VQP
#define LINK	VDPA_ATTR_DEV_NET_STATUS

static const unsigned char mac[6] = { 0x52, 0x54, 0, 9, 8, 7 };

static void start_set(struct nl *nl)
{
	nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, "set0");
}

static int set_u16(struct nl *nl, uint16_t attr, uint16_t value)
{
	start_set(nl);
	nl_put_u16(nl, attr, value);
	return nl_do(nl);
}

static int set_mac(struct nl *nl)
{
	start_set(nl);
	nl_put(nl, MAC, mac, sizeof(mac));
	return nl_do(nl);
}

/* A field of the configuration space, as netlink shows it. */
static uint64_t shown(struct nl *nl, uint16_t attr)
{
	if (nl_get(nl, VDPA_CMD_DEV_CONFIG_GET, "set0"))
		return UINT64_MAX;
	return nl_num(&nl->reply, attr);
}

static bool mac_is_set(struct nl *nl)
{
	return shown(nl, MAC) != UINT64_MAX &&
	       nl->reply.attr[MAC].len == sizeof(mac) &&
	       !memcmp(nl->reply.attr[MAC].data, mac, sizeof(mac));
}

/* A driver in user space that has found the device; the file to close. */
static int start_driver(void)
{
	uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
	int fd = vhost_open("set0");

	if (fd >= 0 && (ioctl(fd, VHOST_SET_OWNER) ||
			ioctl(fd, VHOST_VDPA_SET_STATUS, &status))) {
		close(fd);
		return -1;
	}
	return fd;
}

FIXTURE(set) {
	struct nl nl;
};

#define NET_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) |			\
			 BIT_ULL(VIRTIO_NET_F_MAC) |			\
			 BIT_ULL(VIRTIO_NET_F_MTU) |			\
			 BIT_ULL(VIRTIO_NET_F_STATUS) |			\
			 BIT_ULL(VIRTIO_NET_F_MQ))

static int make(struct nl *nl, unsigned int id, uint64_t features)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", features);
	if (file_write("1", MOCK "/next/change") ||
	    file_write("8", MOCK "/next/nvqs") ||
	    file_write(text, MOCK "/next/features"))
		return -1;
	snprintf(text, sizeof(text), "%u", id);
	if (file_write(text, MOCK "/next/device_id"))
		return -1;
	return nl_add(nl, MOCKDEV, "set0");
}

FIXTURE_SETUP(set)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN(set)
{
	mock_nl_close(&self->nl, "set");
}

TEST_F(set, everything_at_once)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, make(nl, 1, NET_FEATURES));
	start_set(nl);
	nl_put(nl, MAC, mac, sizeof(mac));
	nl_put_u16(nl, MTU, 9000);
	nl_put_u16(nl, PAIRS, 4);
	nl_put_u16(nl, LINK, VIRTIO_NET_S_LINK_UP);
	ASSERT_EQ(0, nl_do(nl)) TH_LOG("%s", nl->extack);
	EXPECT_TRUE(mac_is_set(nl));
	EXPECT_EQ(9000, shown(nl, MTU));
	EXPECT_EQ(4, shown(nl, PAIRS));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, shown(nl, LINK));
	/* And one alone, which leaves the others. */
	ASSERT_EQ(0, set_u16(nl, LINK, 0));
	EXPECT_EQ(0, shown(nl, LINK));
	EXPECT_EQ(9000, shown(nl, MTU));
}

TEST_F(set, values_that_make_no_sense_are_refused)
{
	static const unsigned char group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, make(nl, 1, NET_FEATURES));
	EXPECT_REFUSED(EINVAL, "Only the link", set_u16(nl, LINK, 2));
	EXPECT_REFUSED(EINVAL, "Only the link", set_u16(nl, LINK, 0x101));
	EXPECT_REFUSED(ERANGE, "MTU is below 68", set_u16(nl, MTU, 67));
	EXPECT_REFUSED(EINVAL, "At least one pair", set_u16(nl, PAIRS, 0));
	EXPECT_REFUSED(EINVAL, "8 virtqueues only", set_u16(nl, PAIRS, 5));
	EXPECT_REFUSED(EINVAL, "8 virtqueues only",
		       set_u16(nl, PAIRS, 0x8001));
	start_set(nl);
	nl_put(nl, MAC, group, sizeof(group));
	EXPECT_REFUSED(EINVAL, "group address", nl_do(nl));
	start_set(nl);
	EXPECT_REFUSED(EINVAL, "No attribute to set", nl_do(nl));
	/* The mock's configuration space holds 0, 1, 2, ... */
	EXPECT_EQ(0x0706, shown(nl, LINK));
	EXPECT_EQ(0x0908, shown(nl, PAIRS));
	EXPECT_EQ(0x0b0a, shown(nl, MTU));
}

TEST_F(set, what_a_driver_reads_once_is_not_changed_under_it)
{
	struct nl *nl = &self->nl;
	int fd;

	ASSERT_EQ(0, make(nl, 1, NET_FEATURES));
	fd = start_driver();
	ASSERT_LE(0, fd);
	EXPECT_REFUSED(EBUSY, "cannot be changed: 0x2000",
		       set_u16(nl, MTU, 9000));
	EXPECT_REFUSED(EBUSY, "cannot be changed: 0x1000",
		       set_u16(nl, PAIRS, 2));
	/* All or nothing. */
	start_set(nl);
	nl_put(nl, MAC, mac, sizeof(mac));
	nl_put_u16(nl, MTU, 9000);
	EXPECT_REFUSED(EBUSY, "A driver uses the device", nl_do(nl));
	EXPECT_FALSE(mac_is_set(nl));
	EXPECT_EQ(0x0b0a, shown(nl, MTU));
	/* What it is told of is. */
	EXPECT_EQ(0, set_mac(nl));
	EXPECT_EQ(0, set_u16(nl, LINK, 1));
	EXPECT_TRUE(mac_is_set(nl));

	close(fd);
	EXPECT_EQ(0, set_u16(nl, MTU, 9000)) TH_LOG("%s", nl->extack);
	EXPECT_EQ(0, set_u16(nl, PAIRS, 2)) TH_LOG("%s", nl->extack);
}

TEST_F(set, attributes_without_their_feature_are_refused)
{
	static const struct {
		uint16_t attr;
		int feature;
		const char *says;
	} rows[] = {
		{ MTU, VIRTIO_NET_F_MTU, "lacks features 0x8 " },
		{ LINK, VIRTIO_NET_F_STATUS, "lacks features 0x10000 " },
		{ PAIRS, VIRTIO_NET_F_MQ, "lacks features 0x400000 " },
	};
	struct nl *nl = &self->nl;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, make(nl, 1, NET_FEATURES &
				  ~BIT_ULL(rows[i].feature)));
		EXPECT_REFUSED(EOPNOTSUPP, rows[i].says,
			       set_u16(nl, rows[i].attr,
				       rows[i].attr == MTU ? 1400 : 1));
		ASSERT_EQ(0, nl_del(nl, "set0"));
	}
}

TEST_F(set, attributes_of_another_class_are_refused)
{
	static const unsigned int ids[] = { 2, 3, 63, 64, 1000 };
	struct nl *nl = &self->nl;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		ASSERT_EQ(0, make(nl, ids[i], NET_FEATURES));
		EXPECT_REFUSED(EOPNOTSUPP, "not of the class",
			       set_u16(nl, MTU, 1400));
		EXPECT_REFUSED(EOPNOTSUPP, "not of the class",
			       set_u16(nl, LINK, 1));
		ASSERT_EQ(0, nl_del(nl, "set0"));
	}
}

TEST_F(set, features_stay_as_they_are)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, make(nl, 1, NET_FEATURES));
	start_set(nl);
	nl_put_u64(nl, VDPA_ATTR_DEV_FEATURES, NET_FEATURES);
	EXPECT_REFUSED(EOPNOTSUPP, "cannot be changed: 0x100000", nl_do(nl));
}

/* A new device gets its link from its parent. */
TEST_F(set, the_link_of_a_new_device_is_not)
{
	struct nl *nl = &self->nl;

	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, MOCKDEV);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, "set0");
	nl_put_u16(nl, LINK, 1);
	EXPECT_EQ(-EINVAL, nl_do(nl));
	EXPECT_NE('\0', nl->extack[0]);
	EXPECT_FALSE(vdpa_exists("set0"));
}

FIXTURE(nic) {
	struct nl nl;
};

FIXTURE_VARIANT(nic) {
	const char *mgmtdev;
	bool has_peer;
};

FIXTURE_VARIANT_ADD(nic, loopback) {
	.mgmtdev = "vdpasim_net",
};

FIXTURE_VARIANT_ADD(nic, host_peer) {
	.mgmtdev = "vdpa_net",
	.has_peer = true,
};

FIXTURE_SETUP(nic)
{
	ASSERT_EQ(0, nl_open(&self->nl));
	if (!module_load("vhost_vdpa") ||
	    !nl_has_mgmtdev(&self->nl, variant->mgmtdev))
		SKIP(return, "no management device %s", variant->mgmtdev);
	ASSERT_EQ(0, nl_add(&self->nl, variant->mgmtdev, "set0"));
	if (variant->has_peer)
		ASSERT_EQ(0, run_command("ip link set set0 up"));
}

FIXTURE_TEARDOWN(nic)
{
	nl_del_all(&self->nl, "set");
	nl_close(&self->nl);
}

TEST_F(nic, mac_can_be_changed)
{
	EXPECT_EQ(0, set_mac(&self->nl)) TH_LOG("%s", self->nl.extack);
	EXPECT_TRUE(mac_is_set(&self->nl));
}

TEST_F(nic, link_is_up_if_nobody_wants_it_down)
{
	struct nl *nl = &self->nl;

	EXPECT_EQ(1, shown(nl, LINK));
	ASSERT_EQ(0, set_u16(nl, LINK, 0)) TH_LOG("%s", nl->extack);
	EXPECT_EQ(0, shown(nl, LINK));
	if (variant->has_peer) {
		ASSERT_EQ(0, run_command("ip link set set0 down"));
		ASSERT_EQ(0, run_command("ip link set set0 up"));
		EXPECT_EQ(0, shown(nl, LINK));
		ASSERT_EQ(0, run_command("ip link set set0 down"));
		ASSERT_EQ(0, set_u16(nl, LINK, 1));
		EXPECT_EQ(0, shown(nl, LINK));
		ASSERT_EQ(0, run_command("ip link set set0 up"));
	} else {
		ASSERT_EQ(0, set_u16(nl, LINK, 1));
	}
	EXPECT_EQ(1, shown(nl, LINK));
}

static int peer_mtu(void)
{
	char text[32];

	return file_read(text, sizeof(text), "/sys/class/net/set0/mtu") ?
	       -1 : atoi(text);
}

TEST_F(nic, mtu_is_that_of_both_ends)
{
	struct nl *nl = &self->nl;
	int fd;

	ASSERT_EQ(0, set_u16(nl, MTU, 9000)) TH_LOG("%s", nl->extack);
	EXPECT_EQ(9000, shown(nl, MTU));
	if (variant->has_peer) {
		EXPECT_EQ(9000, peer_mtu());
		/* One that was chosen stays, as long as it fits. */
		ASSERT_EQ(0, run_command("ip link set set0 mtu 1000"));
		ASSERT_EQ(0, set_u16(nl, MTU, 2000));
		EXPECT_EQ(1000, peer_mtu());
		EXPECT_NE(0, run_command("ip link set set0 mtu 2001"));
		ASSERT_EQ(0, set_u16(nl, MTU, 900));
		EXPECT_EQ(900, peer_mtu());
	}

	fd = start_driver();
	ASSERT_LE(0, fd);
	EXPECT_REFUSED(EBUSY, "A driver uses the device",
		       set_u16(nl, MTU, 1400));
	EXPECT_NE(1400, shown(nl, MTU));
	close(fd);
	EXPECT_EQ(0, set_u16(nl, MTU, 1400));
	EXPECT_EQ(1400, shown(nl, MTU));
}

TEST_F(nic, has_one_pair_of_queues)
{
	EXPECT_REFUSED(EOPNOTSUPP, "lacks features 0x400000",
		       set_u16(&self->nl, PAIRS, 1));
}

TEST_HARNESS_MAIN
