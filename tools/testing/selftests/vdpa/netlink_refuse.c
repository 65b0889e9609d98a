// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a netlink request is refused: in words, whatever the reason is.
 *
 * The words are those of drivers/vdpa/core, whole: scripts/check-netlink-spec
 * looks here for each refusal that there is. What generic netlink itself
 * refuses (an unknown command, no privilege) has none.
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

#define MAC		VDPA_ATTR_DEV_NET_CFG_MACADDR
#define MTU		VDPA_ATTR_DEV_NET_CFG_MTU
#define PAIRS		VDPA_ATTR_DEV_NET_CFG_MAX_VQP
#define LINK		VDPA_ATTR_DEV_NET_STATUS
#define FEATURES	VDPA_ATTR_DEV_FEATURES
#define QUEUE		VDPA_ATTR_DEV_QUEUE_INDEX

#define NET_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) |			\
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |		\
			 BIT_ULL(VIRTIO_NET_F_MAC) |			\
			 BIT_ULL(VIRTIO_NET_F_MTU) |			\
			 BIT_ULL(VIRTIO_NET_F_STATUS) |			\
			 BIT_ULL(VIRTIO_NET_F_MQ))

/* What is sent: both names if they are given, then the attribute. */
struct request {
	uint8_t cmd;
	const char *mgmtdev;
	const char *name;
	uint16_t attr;
	const void *data;
	size_t len;
};

struct refusal {
	const char *says;
	int err;
	struct request request;
};

static int make_request(struct nl *nl, const struct request *request)
{
	nl_start(nl, request->cmd);
	if (request->mgmtdev)
		nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, request->mgmtdev);
	if (request->name)
		nl_put_str(nl, VDPA_ATTR_DEV_NAME, request->name);
	if (request->data)
		nl_put(nl, request->attr, request->data, request->len);
	return nl_do(nl);
}

#define EXPECT_SAYS(_err, _text, _call) do {				\
	EXPECT_EQ(-(_err), _call);					\
	EXPECT_STREQ(_text, self->nl.extack);				\
} while (0)

static int request_u16(struct nl *nl, uint8_t cmd, const char *mgmtdev,
		       const char *name, uint16_t attr, uint16_t value)
{
	struct request request = {
		cmd, mgmtdev, name, attr, &value, sizeof(value)
	};

	return make_request(nl, &request);
}

static int set_u16(struct nl *nl, const char *name, uint16_t attr,
		   uint16_t value)
{
	return request_u16(nl, VDPA_CMD_DEV_ATTR_SET, NULL, name, attr, value);
}

static int add_with_features(struct nl *nl, const char *mgmtdev,
			     uint64_t features)
{
	struct request request = {
		VDPA_CMD_DEV_NEW, mgmtdev, "ref1", FEATURES, &features,
		sizeof(features)
	};

	return make_request(nl, &request);
}

/* A device that can do everything: ref0. */
FIXTURE(refuse) {
	struct nl nl;
};

FIXTURE_SETUP(refuse)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, mock_knob("features", NET_FEATURES));
	ASSERT_EQ(0, mock_knob("change", 1));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "ref0"));
}

FIXTURE_TEARDOWN(refuse)
{
	file_write("1", MOCK "/class");
	file_write("\n", MOCK "/alone");
	mock_nl_close(&self->nl, "ref");
}

/* All 'n', with its end. */
static char long_name[257];
static const unsigned char no_mac[6], group_mac[6] = { 1, 0, 0x5e, 0, 0, 1 };

#define NOT_NAMED(_cmd)							\
	{ "No device is named", EINVAL, { (_cmd) } }
#define NOT_FOUND(_cmd)							\
	{ "Fail to find the specified device", ENODEV,			\
	  { (_cmd), NULL, "none" } }
#define LOOKUP(_data, _len, _says)					\
	{ _says, EINVAL, { VDPA_CMD_DEV_GET, NULL, NULL,		\
			   VDPA_ATTR_DEV_NAME, _data, _len } }
#define NEW(_name, _err, _says)						\
	{ _says, _err, { VDPA_CMD_DEV_NEW, MOCKDEV, _name } }
#define NEW_WITH(_attr, _data, _err, _says)				\
	{ _says, _err, { VDPA_CMD_DEV_NEW, MOCKDEV, "ref1",		\
			 _attr, &(_data), sizeof(_data) } }
#define SET_WITH(_attr, _data, _err, _says)				\
	{ _says, _err, { VDPA_CMD_DEV_ATTR_SET, NULL, "ref0",		\
			 _attr, &(_data), sizeof(_data) } }
#define VSTATS(_queue, _err, _says)					\
	{ _says, _err, { VDPA_CMD_DEV_VSTATS_GET, NULL, "ref0",		\
			 QUEUE, &(const uint32_t){ _queue }, 4 } }
#define U16(value)	((const uint16_t){ value })
#define U64(value)	((const uint64_t){ value })

static const struct refusal refusals[] = {
	{ "No management device is named", EINVAL, { VDPA_CMD_MGMTDEV_GET } },
	{ "No management device is named", EINVAL,
	  { VDPA_CMD_DEV_NEW, NULL, "ref1" } },
	{ "Fail to find the specified management device", ENODEV,
	  { VDPA_CMD_MGMTDEV_GET, "none" } },
	{ "Fail to find the specified management device", ENODEV,
	  { VDPA_CMD_DEV_NEW, "none", "ref1" } },
	NOT_NAMED(VDPA_CMD_DEV_DEL),
	NOT_NAMED(VDPA_CMD_DEV_GET),
	NOT_NAMED(VDPA_CMD_DEV_CONFIG_GET),
	NOT_NAMED(VDPA_CMD_DEV_VSTATS_GET),
	NOT_NAMED(VDPA_CMD_DEV_ATTR_SET),
	NOT_FOUND(VDPA_CMD_DEV_DEL),
	NOT_FOUND(VDPA_CMD_DEV_GET),
	NOT_FOUND(VDPA_CMD_DEV_CONFIG_GET),
	NOT_FOUND(VDPA_CMD_DEV_VSTATS_GET),
	NOT_FOUND(VDPA_CMD_DEV_ATTR_SET),

	LOOKUP("", 1, "Name is empty"),
	LOOKUP("ref0", 4, "Name is not terminated"),
	LOOKUP(long_name, sizeof(long_name),
	       "Name is longer than 255 characters"),
	NEW("..", EINVAL, "Name is that of a directory"),
	NEW("a/b", EINVAL, "Name has a slash or a control character"),

	NEW(NULL, EINVAL, "No name is given"),
	NEW("ref0", EEXIST, "A device of this name exists"),
	NEW("uevent", EEXIST, "The parent's directory has that name"),
	NEW("next", EINVAL,
	    "Management device failed to add the device: error -22"),
	NEW_WITH(MAC, no_mac, EINVAL, "MAC address is zero or a group address"),
	NEW_WITH(MTU, U16(67), ERANGE, "MTU is below 68"),
	NEW_WITH(PAIRS, U16(0), EINVAL,
		 "At least one pair of virtqueues is needed"),
	NEW_WITH(MTU, U16(1400), EOPNOTSUPP,
		 "Some provided attributes are not supported: 0x2000"),
	NEW_WITH(FEATURES, U64(1 << 5), EINVAL,
		 "Features are ambiguous: management device supports several classes"),

	{ "No attribute to set is given", EINVAL,
	  { VDPA_CMD_DEV_ATTR_SET, NULL, "ref0" } },
	SET_WITH(MAC, group_mac, EINVAL,
		 "MAC address is zero or a group address"),
	SET_WITH(MTU, U16(67), ERANGE, "MTU is below 68"),
	SET_WITH(PAIRS, U16(0), EINVAL,
		 "At least one pair of virtqueues is needed"),
	SET_WITH(LINK, U16(2), EINVAL,
		 "Only the link is set, up (1) or down (0)"),
	SET_WITH(FEATURES, U64(NET_FEATURES), EOPNOTSUPP,
		 "Some provided attributes cannot be changed: 0x100000"),
	SET_WITH(PAIRS, U16(2), EINVAL, "Device has 3 virtqueues only"),

	{ "No virtqueue index is given", EINVAL,
	  { VDPA_CMD_DEV_VSTATS_GET, NULL, "ref0" } },
	VSTATS(3, ERANGE, "Device has 3 virtqueues only"),
	VSTATS(0, EAGAIN, "Features are not negotiated yet"),
};

TEST_F(refuse, says_what_is_wrong_with_a_request)
{
	unsigned int i;

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		EXPECT_EQ(-refusals[i].err,
			  make_request(&self->nl, &refusals[i].request))
			TH_LOG("row %u", i);
		EXPECT_STREQ(refusals[i].says, self->nl.extack);
	}
	EXPECT_FALSE(vdpa_exists("ref1"));
}

TEST_F(refuse, says_what_is_wrong_with_a_parent)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, file_write("kick_vq", MOCK "/next/without"));
	EXPECT_SAYS(EINVAL, "Parent lacks the mandatory operation kick_vq",
		    nl_add(nl, MOCKDEV, "ref1"));
	ASSERT_EQ(0, file_write("\n", MOCK "/next/without"));
	ASSERT_EQ(0, mock_knob("nvqs", 65537));
	EXPECT_SAYS(EINVAL, "Device has too many virtqueues",
		    nl_add(nl, MOCKDEV, "ref1"));
	/* What was said about one does not stay for the next. */
	ASSERT_EQ(0, mock_knob("nvqs", 0));
	EXPECT_SAYS(EINVAL,
		    "Management device failed to add the device: error -22",
		    nl_add(nl, MOCKDEV, "ref1"));
	EXPECT_FALSE(vdpa_exists("ref1"));
}

TEST_F(refuse, says_what_a_device_does_not_offer)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, file_write("get_vendor_vq_stats", MOCK "/next/without"));
	ASSERT_EQ(0, mock_knob("device_id", 2));
	ASSERT_EQ(0, nl_add(nl, MOCKDEV, "ref1"));
	EXPECT_SAYS(EOPNOTSUPP, "Device keeps no statistics",
		    nl_vstats(nl, "ref1", 0));
	EXPECT_SAYS(EOPNOTSUPP,
		    "Attributes are not of the class of the device, 2",
		    set_u16(nl, "ref1", MTU, 1400));

	ASSERT_EQ(0, mock_knob("device_id", 1));
	ASSERT_EQ(0, mock_knob("features", 1ULL << VIRTIO_F_VERSION_1));
	ASSERT_EQ(0, nl_add(nl, MOCKDEV, "ref2"));
	EXPECT_SAYS(EOPNOTSUPP,
		    "Device lacks features 0x8 for provided attributes",
		    set_u16(nl, "ref2", MTU, 1400));

	ASSERT_EQ(0, mock_knob("features", NET_FEATURES));
	ASSERT_EQ(0, mock_knob("change", 0));
	ASSERT_EQ(0, nl_add(nl, MOCKDEV, "ref3"));
	EXPECT_SAYS(EOPNOTSUPP, "Management device changes no attributes",
		    set_u16(nl, "ref3", MTU, 1400));

	ASSERT_EQ(0, mock_knob("change", EIO));
	ASSERT_EQ(0, nl_add(nl, MOCKDEV, "ref4"));
	EXPECT_SAYS(EIO,
		    "Management device failed to change the device: error -5",
		    set_u16(nl, "ref4", MTU, 1400));
}

TEST_F(refuse, says_which_class_a_management_device_lacks)
{
	ASSERT_EQ(0, file_write("3", MOCK "/class"));
	EXPECT_SAYS(EOPNOTSUPP,
		    "Attributes of a class that the management device does not support",
		    request_u16(&self->nl, VDPA_CMD_DEV_NEW, MOCKDEV, "ref1",
				MTU, 1400));
}

TEST_F(refuse, says_that_a_device_is_nobodys)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_DEV_DEL, VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
		VDPA_CMD_DEV_VSTATS_GET, VDPA_CMD_DEV_ATTR_SET,
	};
	unsigned int i;

	ASSERT_EQ(0, file_write("refalone", MOCK "/alone"));
	ASSERT_TRUE(vdpa_exists("refalone"));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_SAYS(EINVAL, "Device has no management device",
			    nl_get(&self->nl, cmds[i], "refalone"));
	EXPECT_SAYS(EEXIST, "A device of this name exists",
		    nl_add(&self->nl, MOCKDEV, "refalone"));
	EXPECT_TRUE(vdpa_exists("refalone"));
}

/* As a driver does, up to FEATURES_OK; the file. */
static int start_driver(const char *name)
{
	const uint64_t features = NET_FEATURES & ~BIT_ULL(VIRTIO_NET_F_MQ);
	int fd = vhost_open(name);

	if (fd >= 0 && negotiate(fd, features)) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST_F(refuse, says_that_a_driver_is_in_the_way)
{
	int fd = start_driver("ref0");

	ASSERT_LE(0, fd);
	EXPECT_SAYS(EBUSY,
		    "A driver uses the device; then these cannot be changed: 0x2000",
		    set_u16(&self->nl, "ref0", MTU, 1400));
	close(fd);
}

/* One that fails without a word, and one that has too much to say. */
TEST_F(refuse, says_that_a_device_gave_no_answer)
{
	int fd = start_driver("ref0");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, file_write("get_vendor_vq_stats errno 5",
				MOCK "/ref0/inject"));
	EXPECT_SAYS(EIO, "Device gave no answer: error -5",
		    nl_vstats(&self->nl, "ref0", 0));
	ASSERT_EQ(0, file_write("clear", MOCK "/ref0/inject"));
	ASSERT_EQ(0, file_write("get_vendor_vq_stats value 1000",
				MOCK "/ref0/inject"));
	EXPECT_SAYS(EMSGSIZE, "Device gave no answer: error -90",
		    nl_vstats(&self->nl, "ref0", 0));
	ASSERT_EQ(0, file_write("clear", MOCK "/ref0/inject"));
	EXPECT_EQ(0, nl_vstats(&self->nl, "ref0", 0));
	close(fd);
}

TEST_F(refuse, says_which_features_do_not_go_together)
{
	const uint64_t needed = BIT_ULL(VIRTIO_F_VERSION_1) |
				BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	struct nl *nl = &self->nl;

	if (!nl_has_mgmtdev(nl, "vdpa_net"))
		SKIP(return, "no management device vdpa_net");
	EXPECT_SAYS(EINVAL,
		    "Management device does not support features 0x200000000000",
		    add_with_features(nl, "vdpa_net", needed | 1ULL << 45));
	EXPECT_SAYS(EINVAL, "Device needs features 0x200000000 too",
		    add_with_features(nl, "vdpa_net",
				      BIT_ULL(VIRTIO_F_VERSION_1)));
	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, "vdpa_net");
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, "ref1");
	nl_put_u64(nl, FEATURES, needed);
	nl_put_u16(nl, MTU, 1400);
	EXPECT_SAYS(EINVAL, "Missing features 0x8 for provided attributes",
		    nl_do(nl));
	EXPECT_SAYS(EINVAL, "Device has one pair of virtqueues only",
		    request_u16(nl, VDPA_CMD_DEV_NEW, "vdpa_net", "ref1",
				PAIRS, 2));
	EXPECT_FALSE(vdpa_exists("ref1"));
}

/* Undoes what a request may have done. */
static int restore(struct nl *nl)
{
	if (vdpa_exists("ref1") && nl_del(nl, "ref1"))
		return -1;
	return vdpa_exists("ref0") ? 0 : nl_add(nl, MOCKDEV, "ref0");
}

/*
 * Each attribute in each command, of some sizes, with some values, on a device
 * that is there, that is not, and on none.
 */
TEST_F_TIMEOUT(refuse, has_words_whatever_is_sent, 300)
{
	static const size_t sizes[] = { 0, 1, 2, 4, 6, 8, 255, 300 };
	static const char * const names[] = { NULL, "ref0", "ref1" };
	static const unsigned char fills[] = { 0, 1, 0xfe };
	enum { NR_ATTRS = VDPA_ATTR_MAX + 3 };
	unsigned int i, refused = 0, done = 0;
	unsigned char data[300];
	struct request request;
	int err;

	for (i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(names) *
			ARRAY_SIZE(fills) * NR_ATTRS; i++) {
		unsigned int n = i;

		request.data = data;
		request.len = sizes[n % ARRAY_SIZE(sizes)];
		n /= ARRAY_SIZE(sizes);
		request.name = names[n % ARRAY_SIZE(names)];
		n /= ARRAY_SIZE(names);
		memset(data, fills[n % ARRAY_SIZE(fills)], sizeof(data));
		request.attr = n / ARRAY_SIZE(fills);

		for (request.cmd = VDPA_CMD_MGMTDEV_GET;
		     request.cmd <= VDPA_CMD_DEV_ATTR_SET; request.cmd++) {
			request.mgmtdev = request.cmd <= VDPA_CMD_DEV_NEW ?
					  MOCKDEV : NULL;
			err = make_request(&self->nl, &request);
			if (!err) {
				ASSERT_EQ(0, restore(&self->nl));
				done++;
				continue;
			}
			refused++;
			ASSERT_NE('\0', self->nl.extack[0])
				TH_LOG("command %u, attribute %u of %zu bytes: %d",
				       request.cmd, request.attr, request.len,
				       err);
		}
	}
	EXPECT_LT(0, done);
	EXPECT_LT(10000, refused);
}

TEST_HARNESS_MAIN
