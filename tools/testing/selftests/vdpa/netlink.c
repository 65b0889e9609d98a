// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink requests that change something, and what is refused: each refusal
 * with its errno, words that say why, and nothing changed.
 *
 * Parents: vdpa_mock for what holds for all of them; vdpasim_net and vdpa_net
 * where a network device is needed that takes attributes.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <linux/virtio_net.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char good_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static void start_add(struct nl *nl, const char *mgmtdev, const char *name)
{
	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
}

FIXTURE(netlink) {
	struct nl nl;
};

FIXTURE_SETUP(netlink)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN(netlink)
{
	mock_nl_close(&self->nl, "nlt");
}

TEST_F(netlink, add_makes_a_device_and_del_removes_it)
{
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	EXPECT_TRUE(file_exists(BUS "/devices/nlt0"));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
	EXPECT_EQ(0, nl_del(&self->nl, "nlt0"));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
	EXPECT_REFUSED(ENODEV, "Fail to find the specified device",
		       nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
}

TEST_F(netlink, add_without_a_name_is_refused)
{
	nl_start(&self->nl, VDPA_CMD_DEV_NEW);
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME, MOCKDEV);
	EXPECT_REFUSED(EINVAL, "No name", nl_do(&self->nl));
	EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.miss);
}

TEST_F(netlink, add_without_a_management_device_is_refused)
{
	nl_start(&self->nl, VDPA_CMD_DEV_NEW);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, "nlt0");
	EXPECT_REFUSED(EINVAL, "No management device", nl_do(&self->nl));
	EXPECT_EQ(VDPA_ATTR_MGMTDEV_DEV_NAME, self->nl.miss);
}

TEST_F(netlink, unknown_management_device_is_refused)
{
	EXPECT_REFUSED(ENODEV, "specified management device",
		       nl_add(&self->nl, "no_such_parent", "nlt0"));
	/* The right name on a bus that it is not on. */
	start_add(&self->nl, MOCKDEV, "nlt0");
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
	EXPECT_REFUSED(ENODEV, "specified management device",
		       nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(netlink, a_name_that_is_taken_is_refused)
{
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	EXPECT_REFUSED(EEXIST, "name exists",
		       nl_add(&self->nl, MOCKDEV, "nlt0"));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
	EXPECT_EQ(0, nl_del(&self->nl, "nlt0"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
}

/* Its directory would have to be where the parent has a file. */
TEST_F(netlink, a_name_that_sysfs_has_taken_is_refused)
{
	EXPECT_REFUSED(EEXIST, "parent's directory",
		       nl_add(&self->nl, MOCKDEV, "uevent"));
	EXPECT_REFUSED(EEXIST, "parent's directory",
		       nl_add(&self->nl, MOCKDEV, "power"));
}

TEST_F(netlink, a_parent_that_fails_leaves_nothing)
{
	EXPECT_EQ(0, file_write("no_such_op", MOCK "/next/without"));
	EXPECT_REFUSED(EINVAL, "failed to add the device",
		       nl_add(&self->nl, MOCKDEV, "nlt0"));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
	EXPECT_EQ(0, file_write("1", MOCK "/next/default"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
}

TEST_F(netlink, commands_on_no_device_say_what_is_missing)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_DEV_DEL, VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
		VDPA_CMD_DEV_VSTATS_GET, VDPA_CMD_DEV_ATTR_SET,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		nl_start(&self->nl, cmds[i]);
		EXPECT_REFUSED(EINVAL, "No device is named",
			       nl_do(&self->nl));
		EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.miss);
		EXPECT_REFUSED(ENODEV, "specified device",
			       nl_get(&self->nl, cmds[i], "no_such_device"));
	}
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	EXPECT_REFUSED(EINVAL, "No management device", nl_do(&self->nl));
}

TEST_F(netlink, unknown_commands_are_refused)
{
	nl_start(&self->nl, VDPA_CMD_UNSPEC);
	EXPECT_EQ(-EOPNOTSUPP, nl_do(&self->nl));
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_NEW);
	EXPECT_EQ(-EOPNOTSUPP, nl_do(&self->nl));
	nl_start(&self->nl, 0xff);
	EXPECT_EQ(-EOPNOTSUPP, nl_do(&self->nl));
}

TEST_F(netlink, an_attribute_of_another_command_is_refused)
{
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	nl_start(&self->nl, VDPA_CMD_DEV_DEL);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, "nlt0");
	nl_put_u32(&self->nl, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	EXPECT_EQ(-EINVAL, nl_do(&self->nl));
	EXPECT_TRUE(file_exists(BUS "/devices/nlt0"));
}

/* Names, byte by byte: what is sent and how it is answered. */
FIXTURE(name) {
	struct nl nl;
};

FIXTURE_VARIANT(name) {
	const char *text;
	size_t pad;		/* this many 'n' first */
	bool terminated;
	int err;
	const char *says;
	bool only_new;		/* a lookup may have it */
};

FIXTURE_VARIANT_ADD(name, of_255_bytes) {
	.text = "", .pad = 255, .terminated = true,
};

FIXTURE_VARIANT_ADD(name, of_256_bytes) {
	.text = "", .pad = 256, .terminated = true,
	.err = EINVAL, .says = "longer than 255",
};

FIXTURE_VARIANT_ADD(name, of_300_bytes) {
	.text = "", .pad = 300, .terminated = true,
	.err = EINVAL, .says = "longer than 255",
};

FIXTURE_VARIANT_ADD(name, unterminated_1_byte) {
	.text = "n", .err = EINVAL, .says = "not terminated",
};

FIXTURE_VARIANT_ADD(name, unterminated_15_bytes) {
	.text = "", .pad = 15, .err = EINVAL, .says = "not terminated",
};

FIXTURE_VARIANT_ADD(name, unterminated_255_bytes) {
	.text = "", .pad = 255, .err = EINVAL, .says = "not terminated",
};

FIXTURE_VARIANT_ADD(name, of_nothing_but_its_end) {
	.text = "", .terminated = true, .err = EINVAL, .says = "empty",
};

FIXTURE_VARIANT_ADD(name, of_no_bytes) {
	.text = "", .err = ERANGE, .says = "failed policy validation",
};

FIXTURE_VARIANT_ADD(name, dot) {
	.text = ".", .terminated = true, .only_new = true,
	.err = EINVAL, .says = "directory",
};

FIXTURE_VARIANT_ADD(name, dot_dot) {
	.text = "..", .terminated = true, .only_new = true,
	.err = EINVAL, .says = "directory",
};

FIXTURE_VARIANT_ADD(name, with_slash) {
	.text = "/etc", .pad = 3, .terminated = true, .only_new = true,
	.err = EINVAL, .says = "slash or a control character",
};

FIXTURE_VARIANT_ADD(name, with_newline) {
	.text = "\n<0> forged", .pad = 3, .terminated = true, .only_new = true,
	.err = EINVAL, .says = "slash or a control character",
};

FIXTURE_VARIANT_ADD(name, with_delete) {
	.text = "\x7f", .pad = 3, .terminated = true, .only_new = true,
	.err = EINVAL, .says = "slash or a control character",
};

FIXTURE_VARIANT_ADD(name, with_format) {
	.text = "%s%n%x", .pad = 3, .terminated = true,
};

FIXTURE_SETUP(name)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN(name)
{
	mock_nl_close(&self->nl, "n");
}

/* @pad times 'n', then @text; how long that is without its end. */
static size_t make_name(char *buf, size_t pad, const char *text)
{
	size_t len = strlen(text);

	memset(buf, 'n', pad);
	memcpy(buf + pad, text, len + 1);
	return pad + len;
}

TEST_F(name, of_a_new_device)
{
	char buf[512];
	size_t len = make_name(buf, variant->pad, variant->text) +
		     variant->terminated;

	nl_start(&self->nl, VDPA_CMD_DEV_NEW);
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME, MOCKDEV);
	nl_put(&self->nl, VDPA_ATTR_DEV_NAME, buf, len);
	if (variant->err) {
		EXPECT_REFUSED(variant->err, variant->says, nl_do(&self->nl));
		return;
	}
	EXPECT_EQ(0, nl_do(&self->nl)) TH_LOG("%s", self->nl.extack);
	EXPECT_TRUE(file_exists(BUS "/devices/%s", buf));
	EXPECT_EQ(0, nl_del(&self->nl, buf));
}

TEST_F(name, in_a_lookup)
{
	char buf[512];
	size_t len = make_name(buf, variant->pad, variant->text) +
		     variant->terminated;
	int err = variant->err && !variant->only_new ? variant->err : ENODEV;
	const char *says = err == ENODEV ? "Fail to find" : variant->says;

	nl_start(&self->nl, VDPA_CMD_DEV_GET);
	nl_put(&self->nl, VDPA_ATTR_DEV_NAME, buf, len);
	EXPECT_REFUSED(err, says, nl_do(&self->nl));

	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	nl_put(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME, buf, len);
	EXPECT_REFUSED(err, says, nl_do(&self->nl));

	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	nl_put(&self->nl, VDPA_ATTR_MGMTDEV_BUS_NAME, buf, len);
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME, MOCKDEV);
	EXPECT_REFUSED(err, says, nl_do(&self->nl));
}

/* Every attribute that a command takes, in every size but its own. */
TEST_F(netlink, attributes_of_a_wrong_size_are_refused)
{
	static const struct {
		uint8_t cmd;
		uint16_t attr;
		uint16_t size;
	} rows[] = {
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_CFG_MTU, 2 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_FEATURES, 8 },
		{ VDPA_CMD_DEV_ATTR_SET, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6 },
		{ VDPA_CMD_DEV_ATTR_SET, VDPA_ATTR_DEV_NET_CFG_MTU, 2 },
		{ VDPA_CMD_DEV_VSTATS_GET, VDPA_ATTR_DEV_QUEUE_INDEX, 4 },
	};
	static const uint8_t bytes[] = "\x52\x54\0\x12\x34\x56\0\0\0";
	static const uint16_t sizes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	unsigned int i, k;
	int err;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (k = 0; k < ARRAY_SIZE(sizes); k++) {
			if (sizes[k] == rows[i].size)
				continue;
			nl_start(&self->nl, rows[i].cmd);
			if (rows[i].cmd == VDPA_CMD_DEV_NEW)
				nl_put_str(&self->nl,
					   VDPA_ATTR_MGMTDEV_DEV_NAME,
					   MOCKDEV);
			nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME,
				   rows[i].cmd == VDPA_CMD_DEV_NEW ?
				   "nlt1" : "nlt0");
			nl_put(&self->nl, rows[i].attr, bytes, sizes[k]);
			err = nl_do(&self->nl);
			EXPECT_TRUE(err == -EINVAL || err == -ERANGE)
				TH_LOG("attribute %u of %u bytes: %d",
				       rows[i].attr, sizes[k], err);
			EXPECT_NE('\0', self->nl.extack[0]);
		}
	}
	EXPECT_FALSE(file_exists(BUS "/devices/nlt1"));
}

/* Values are checked before the parent is asked whether it takes them. */
TEST_F(netlink, values_that_make_no_sense_are_refused)
{
	static const unsigned char zero[6], group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const unsigned char broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	static const unsigned char * const bad[] = { zero, group, broadcast };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start_add(&self->nl, MOCKDEV, "nlt0");
		nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, bad[i], 6);
		EXPECT_REFUSED(EINVAL, "MAC address is zero or a group",
			       nl_do(&self->nl));
	}
	for (i = 0; i < 68; i += 67) {
		start_add(&self->nl, MOCKDEV, "nlt0");
		nl_put_u16(&self->nl, VDPA_ATTR_DEV_NET_CFG_MTU, i);
		EXPECT_REFUSED(ERANGE, "MTU is below 68", nl_do(&self->nl));
	}
	start_add(&self->nl, MOCKDEV, "nlt0");
	nl_put_u16(&self->nl, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 0);
	EXPECT_REFUSED(EINVAL, "At least one pair", nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(netlink, an_attribute_that_the_parent_does_not_take_is_refused)
{
	start_add(&self->nl, MOCKDEV, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, good_mac, 6);
	EXPECT_REFUSED(EOPNOTSUPP, "attributes are not supported: 0x400",
		       nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(netlink, class_features_for_a_parent_of_several_are_ambiguous)
{
	start_add(&self->nl, MOCKDEV, "nlt0");
	nl_put_u64(&self->nl, VDPA_ATTR_DEV_FEATURES, 1ULL << 5);
	EXPECT_REFUSED(EINVAL, "ambiguous", nl_do(&self->nl));
	/* Bits that mean the same in every class are not. */
	start_add(&self->nl, MOCKDEV, "nlt0");
	nl_put_u64(&self->nl, VDPA_ATTR_DEV_FEATURES, 3ULL << 32);
	EXPECT_EQ(0, nl_do(&self->nl)) TH_LOG("%s", self->nl.extack);
}

TEST_F(netlink, only_an_administrator_changes_anything)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_DEV_NEW, VDPA_CMD_DEV_DEL,
		VDPA_CMD_DEV_VSTATS_GET, VDPA_CMD_DEV_ATTR_SET,
	};
	unsigned int i;
	int status;
	pid_t pid;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static struct nl nl;

		/* A socket of its own: the opener of a socket counts too. */
		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534) || nl_open(&nl))
			_exit(100);
		for (i = 0; i < ARRAY_SIZE(cmds); i++)
			if (nl_get(&nl, cmds[i], "nlt0") != -EPERM)
				_exit(1 + i);
		if (nl_get(&nl, VDPA_CMD_DEV_GET, "nlt0") ||
		    nl_get(&nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0") ||
		    !nl_has_mgmtdev(&nl, MOCKDEV))
			_exit(50);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(netlink, a_device_whose_parent_sets_nothing_refuses_to_be_changed)
{
	ASSERT_EQ(0, file_write("0x100000020", MOCK "/next/features"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	nl_start(&self->nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, good_mac, 6);
	EXPECT_REFUSED(EOPNOTSUPP, "changes no attributes", nl_do(&self->nl));

	nl_start(&self->nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, "nlt0");
	EXPECT_REFUSED(EINVAL, "No attribute to set", nl_do(&self->nl));
}

TEST_F(netlink, a_disk_has_no_mac_address_to_change)
{
	ASSERT_EQ(0, file_write("2", MOCK "/next/device_id"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	nl_start(&self->nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, good_mac, 6);
	EXPECT_REFUSED(EOPNOTSUPP, "not of the class", nl_do(&self->nl));
}

/* Seeded, so that a failure can be had again: random attributes, any size. */
TEST_F_TIMEOUT(netlink, random_requests_do_no_harm, 120)
{
	unsigned char data[320];
	unsigned int seed = 20, i, k, n;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	for (i = 0; i < 3000; i++) {
		nl_start(&self->nl, rand_r(&seed) % 10);
		if (rand_r(&seed) % 2)
			nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME,
				   MOCKDEV);
		if (rand_r(&seed) % 2)
			nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME,
				   rand_r(&seed) % 2 ? "nlt0" : "nlt1");
		for (n = rand_r(&seed) % 4; n; n--) {
			size_t len = rand_r(&seed) % sizeof(data);

			for (k = 0; k < len; k++)
				data[k] = rand_r(&seed);
			nl_put(&self->nl, rand_r(&seed) % (VDPA_ATTR_MAX + 2),
			       data, rand_r(&seed) % 2 ? len : len % 9);
		}
		EXPECT_NE(-EAGAIN, nl_do(&self->nl)) break;
	}
	/* Whatever it did, the family still works. */
	nl_add(&self->nl, MOCKDEV, "nlt0");
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
	/* A few of the names were good ones. */
	EXPECT_EQ(0, nl_del_all(&self->nl, ""));
}

/* A network device that takes attributes. */
FIXTURE(net) {
	struct nl nl;
};

FIXTURE_VARIANT(net) {
	const char *mgmtdev;
};

FIXTURE_VARIANT_ADD(net, loopback) {
	.mgmtdev = "vdpasim_net",
};

FIXTURE_VARIANT_ADD(net, host_peer) {
	.mgmtdev = "vdpa_net",
};

FIXTURE_SETUP(net)
{
	ASSERT_EQ(0, nl_open(&self->nl));
	if (!nl_has_mgmtdev(&self->nl, variant->mgmtdev))
		SKIP(return, "no management device %s", variant->mgmtdev);
}

FIXTURE_TEARDOWN(net)
{
	nl_del_all(&self->nl, "nlt");
	nl_close(&self->nl);
}

TEST_F(net, mac_and_mtu_are_those_that_were_asked_for)
{
	const struct nl_reply *reply = &self->nl.reply;

	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, good_mac, 6);
	nl_put_u16(&self->nl, VDPA_ATTR_DEV_NET_CFG_MTU, 1400);
	ASSERT_EQ(0, nl_do(&self->nl)) TH_LOG("%s", self->nl.extack);
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	ASSERT_EQ(6, reply->attr[VDPA_ATTR_DEV_NET_CFG_MACADDR].len);
	EXPECT_EQ(0, memcmp(reply->attr[VDPA_ATTR_DEV_NET_CFG_MACADDR].data,
			    good_mac, 6));
	EXPECT_EQ(1400, nl_num(reply, VDPA_ATTR_DEV_NET_CFG_MTU));
}

TEST_F(net, mac_without_its_feature_is_refused)
{
	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, good_mac, 6);
	nl_put_u64(&self->nl, VDPA_ATTR_DEV_FEATURES, 3ULL << 32);
	EXPECT_REFUSED(EINVAL, "Missing features 0x20", nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(net, features_that_the_parent_lacks_are_refused)
{
	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put_u64(&self->nl, VDPA_ATTR_DEV_FEATURES, 1ULL << 45);
	EXPECT_REFUSED(EINVAL, "does not support features 0x200000000000",
		       nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_F(net, bad_values_are_refused)
{
	static const unsigned char group[6] = { 1, 0, 0x5e, 0, 0, 1 };

	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, group, 6);
	EXPECT_REFUSED(EINVAL, "group address", nl_do(&self->nl));
	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put_u16(&self->nl, VDPA_ATTR_DEV_NET_CFG_MTU, 67);
	EXPECT_REFUSED(ERANGE, "MTU is below 68", nl_do(&self->nl));
	start_add(&self->nl, variant->mgmtdev, "nlt0");
	nl_put_u16(&self->nl, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 0);
	EXPECT_REFUSED(EINVAL, "At least one pair", nl_do(&self->nl));
	EXPECT_FALSE(file_exists(BUS "/devices/nlt0"));
}

TEST_HARNESS_MAIN
