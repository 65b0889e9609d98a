// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink requests that show something: complete, for every class of device,
 * for any number of them, and without the device noticing.
 *
 * The parent is vdpa_mock, whose configuration space holds 0, 1, 2, ... so
 * that a field is right only if it was read from the right place.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VERSION_1	BIT_ULL(VIRTIO_F_VERSION_1)

FIXTURE(show) {
	struct nl nl;
};

FIXTURE_SETUP(show)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, mock_knob("features", VERSION_1));
}

FIXTURE_TEARDOWN(show)
{
	file_write("1", MOCK "/class");
	file_write("\n", MOCK "/alone");
	mock_nl_close(&self->nl, "nlt");
}

TEST_F(show, management_device_is_complete)
{
	const struct nl_reply *reply = &self->nl.reply;

	ASSERT_TRUE(nl_has_mgmtdev(&self->nl, MOCKDEV));
	EXPECT_EQ(VDPA_CMD_MGMTDEV_NEW, reply->cmd);
	EXPECT_STREQ(MOCKDEV, nl_str(reply, VDPA_ATTR_MGMTDEV_DEV_NAME));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_MGMTDEV_BUS_NAME));
	EXPECT_EQ(1ULL << VIRTIO_ID_NET | 1ULL << VIRTIO_ID_BLOCK |
		  1ULL << VIRTIO_ID_CONSOLE,
		  nl_num(reply, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES));
	EXPECT_EQ(65535, nl_num(reply, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS));
	EXPECT_EQ(UINT64_MAX,
		  nl_num(reply, VDPA_ATTR_DEV_SUPPORTED_FEATURES));
}

static int count_mock(const struct nl_reply *reply, void *arg)
{
	int *count = arg;

	*count += !strcmp(nl_str(reply, VDPA_ATTR_MGMTDEV_DEV_NAME), MOCKDEV);
	return 0;
}

TEST_F(show, management_devices_are_dumped_once_each)
{
	int count = 0;

	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	EXPECT_EQ(0, nl_dump(&self->nl, count_mock, &count));
	EXPECT_EQ(1, count);
}

TEST_F(show, device_is_complete)
{
	const struct nl_reply *reply = &self->nl.reply;

	ASSERT_EQ(0, mock_knob("nvqs", 5));
	ASSERT_EQ(0, mock_knob("vq_num_max", 512));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
	EXPECT_EQ(VDPA_CMD_DEV_NEW, reply->cmd);
	EXPECT_STREQ("nlt0", nl_str(reply, VDPA_ATTR_DEV_NAME));
	EXPECT_STREQ(MOCKDEV, nl_str(reply, VDPA_ATTR_MGMTDEV_DEV_NAME));
	EXPECT_EQ(VIRTIO_ID_NET, nl_num(reply, VDPA_ATTR_DEV_ID));
	EXPECT_EQ(4, reply->attr[VDPA_ATTR_DEV_VENDOR_ID].len);
	EXPECT_EQ(5, nl_num(reply, VDPA_ATTR_DEV_MAX_VQS));
	EXPECT_EQ(512, nl_num(reply, VDPA_ATTR_DEV_MAX_VQ_SIZE));
	EXPECT_EQ(2, reply->attr[VDPA_ATTR_DEV_MAX_VQ_SIZE].len);
	EXPECT_EQ(1, nl_num(reply, VDPA_ATTR_DEV_MIN_VQ_SIZE));
	EXPECT_EQ(2, reply->attr[VDPA_ATTR_DEV_MIN_VQ_SIZE].len);
}

/* The fields of each class: where they are, and which feature they need. */
struct field {
	uint16_t attr;
	uint16_t offset;
	uint16_t len;
	int feature;		/* -1: none */
};

#define FIELD(_attr, _type, _member, _feature)				\
	{ _attr, offsetof(struct _type, _member),			\
	  sizeof(((struct _type *)0)->_member), _feature }
#define NET(attr, member, feature)					\
	FIELD(VDPA_ATTR_DEV_NET_##attr, virtio_net_config, member,	\
	      VIRTIO_NET_F_##feature)
#define BLK(attr, member, feature)					\
	FIELD(VDPA_ATTR_DEV_BLK_CFG_##attr, virtio_blk_config, member,	\
	      VIRTIO_BLK_F_##feature)

static const struct field net_fields[] = {
	NET(CFG_MACADDR, mac, MAC),
	NET(STATUS, status, STATUS),
	NET(CFG_MTU, mtu, MTU),
	NET(CFG_MAX_VQP, max_virtqueue_pairs, MQ),
	NET(CFG_MAX_VQP, max_virtqueue_pairs, RSS),
};

static const struct field blk_fields[] = {
	FIELD(VDPA_ATTR_DEV_BLK_CFG_CAPACITY, virtio_blk_config, capacity, -1),
	BLK(SIZE_MAX, size_max, SIZE_MAX),
	BLK(SEG_MAX, seg_max, SEG_MAX),
	BLK(BLK_SIZE, blk_size, BLK_SIZE),
	BLK(PHY_BLK_EXP, physical_block_exp, TOPOLOGY),
	BLK(ALIGN_OFFSET, alignment_offset, TOPOLOGY),
	BLK(MIN_IO_SIZE, min_io_size, TOPOLOGY),
	BLK(OPT_IO_SIZE, opt_io_size, TOPOLOGY),
	BLK(NUM_QUEUES, num_queues, MQ),
	BLK(MAX_DISCARD_SEC, max_discard_sectors, DISCARD),
	BLK(MAX_DISCARD_SEG, max_discard_seg, DISCARD),
	BLK(DISCARD_SEC_ALIGN, discard_sector_alignment, DISCARD),
	BLK(MAX_WRITE_ZEROES_SEC, max_write_zeroes_sectors, WRITE_ZEROES),
	BLK(MAX_WRITE_ZEROES_SEG, max_write_zeroes_seg, WRITE_ZEROES),
};

/* Says what is wrong with the field, or NULL. */
static const char *check_field(const struct nl_reply *reply,
			       const struct field *field, uint64_t features)
{
	const struct nl_attr *attr = &reply->attr[field->attr];
	const uint8_t *data = attr->data;
	int i;

	if (field->feature >= 0 && !(features & 1ULL << field->feature))
		return attr->data ? "is shown without its feature" : NULL;
	if (!data)
		return "is not shown";
	if (attr->len != field->len)
		return "has a wrong size";
	for (i = 0; i < field->len; i++)
		if (data[i] != field->offset + i)
			return "was read from a wrong place";
	return NULL;
}

#define EXPECT_FIELDS(_fields, _bits) do {				\
	unsigned int _i;						\
									\
	for (_i = 0; _i < ARRAY_SIZE(_fields); _i++)			\
		EXPECT_EQ(NULL, check_field(&self->nl.reply,		\
					    &(_fields)[_i], _bits))	\
			TH_LOG("row %u", _i);				\
} while (0)

TEST_F(show, fields_of_a_network_device_go_with_its_features)
{
	unsigned int i;
	uint64_t bits;

	for (i = 0; i < ARRAY_SIZE(net_fields); i++) {
		bits = 1ULL << net_fields[i].feature;
		ASSERT_EQ(0, mock_knob("features", VERSION_1 | bits));
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
		ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET,
				    "nlt0"));
		EXPECT_EQ(NULL, check_field(&self->nl.reply, &net_fields[i],
					    bits));
		if (net_fields[i].feature < VIRTIO_NET_F_MQ)
			EXPECT_FALSE(nl_has(&self->nl.reply,
					    VDPA_ATTR_DEV_NET_CFG_MAX_VQP));
		EXPECT_EQ(VERSION_1 | bits,
			  nl_num(&self->nl.reply, VDPA_ATTR_DEV_FEATURES));
		ASSERT_EQ(0, nl_del(&self->nl, "nlt0"));
	}
}

TEST_F(show, fields_of_a_disk_go_with_its_features)
{
	const struct nl_reply *reply = &self->nl.reply;
	int feature;
	uint64_t bits;

	ASSERT_EQ(0, mock_knob("device_id", VIRTIO_ID_BLOCK));
	for (feature = 0; feature < 24; feature++) {
		bits = 1ULL << feature;
		ASSERT_EQ(0, mock_knob("features", VERSION_1 | bits));
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
		ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET,
				    "nlt0"));
		EXPECT_FIELDS(blk_fields, bits);
		EXPECT_EQ(feature == VIRTIO_BLK_F_RO,
			  nl_num(reply, VDPA_ATTR_DEV_BLK_READ_ONLY));
		EXPECT_EQ(1, reply->attr[VDPA_ATTR_DEV_BLK_READ_ONLY].len);
		EXPECT_EQ(feature == VIRTIO_BLK_F_FLUSH,
			  nl_num(reply, VDPA_ATTR_DEV_BLK_FLUSH));
		EXPECT_EQ(1, reply->attr[VDPA_ATTR_DEV_BLK_FLUSH].len);
		ASSERT_EQ(0, nl_del(&self->nl, "nlt0"));
	}
}

TEST_F(show, what_the_configuration_space_does_not_have_is_left_out)
{
	const struct nl_reply *reply = &self->nl.reply;

	ASSERT_EQ(0, mock_knob("features", UINT64_MAX));
	ASSERT_EQ(0, mock_knob("config_size", 7));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	EXPECT_TRUE(nl_has(reply, VDPA_ATTR_DEV_NET_CFG_MACADDR));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_DEV_NET_STATUS));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_DEV_NET_CFG_MTU));
}

TEST_F(show, a_parent_that_writes_nothing_shows_zeroes)
{
	const struct nl_reply *reply = &self->nl.reply;

	ASSERT_EQ(0, mock_knob("features", 1ULL << VIRTIO_NET_F_MAC));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	ASSERT_EQ(0, file_write("get_config errno 5", MOCK "/nlt0/inject"));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	EXPECT_EQ(6, reply->attr[VDPA_ATTR_DEV_NET_CFG_MACADDR].len);
	EXPECT_EQ(0, nl_num(reply, VDPA_ATTR_DEV_NET_CFG_MACADDR));
}

TEST_F(show, a_class_without_fields_shows_what_all_have)
{
	const struct nl_reply *reply = &self->nl.reply;

	ASSERT_EQ(0, mock_knob("device_id", VIRTIO_ID_CONSOLE));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	EXPECT_STREQ("nlt0", nl_str(reply, VDPA_ATTR_DEV_NAME));
	EXPECT_EQ(VIRTIO_ID_CONSOLE, nl_num(reply, VDPA_ATTR_DEV_ID));
	EXPECT_EQ(VERSION_1, nl_num(reply, VDPA_ATTR_DEV_FEATURES));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_DEV_NET_CFG_MACADDR));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_DEV_BLK_CFG_CAPACITY));
}

TEST_F(show, looking_on_does_not_touch_the_device)
{
	static const char * const ops[] = {
		"set_driver_features", "set_status", "reset", "set_config",
	};
	long before[ARRAY_SIZE(ops)];
	unsigned int i;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		before[i] = mock_calls("nlt0", ops[i]);
		ASSERT_LE(0, before[i]);
	}
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "nlt0"));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	nl_start(&self->nl, VDPA_CMD_DEV_CONFIG_GET);
	EXPECT_EQ(0, nl_dump(&self->nl, NULL, NULL));
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_EQ(before[i], mock_calls("nlt0", ops[i]))
			TH_LOG("operation %u", i);
	EXPECT_LT(0, mock_calls("nlt0", "get_config"));
}

/* Which of the devices nlt0, nlt1, ... a dump shows, and how often. */
#define MANY	300

struct seen {
	int times[MANY];
	int strange;
};

static int mark_seen(const struct nl_reply *reply, void *arg)
{
	const char *name = nl_str(reply, VDPA_ATTR_DEV_NAME);
	struct seen *seen = arg;
	unsigned int i;

	if (sscanf(name, "nlt%u", &i) == 1 && i < MANY)
		seen->times[i]++;
	else
		seen->strange++;
	return 0;
}

static const uint8_t dumps[] = { VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET };

TEST_F(show, a_device_of_any_class_hides_no_other)
{
	static const int classes[] = {
		VIRTIO_ID_NET, VIRTIO_ID_CONSOLE, VIRTIO_ID_BLOCK, 63, 64,
		0, VIRTIO_ID_NET,
	};
	unsigned int i, k;
	char name[16];

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		snprintf(name, sizeof(name), "nlt%u", i);
		ASSERT_EQ(0, mock_knob("device_id", classes[i]));
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	}
	for (k = 0; k < ARRAY_SIZE(dumps); k++) {
		struct seen seen = {};

		nl_start(&self->nl, dumps[k]);
		EXPECT_EQ(0, nl_dump(&self->nl, mark_seen, &seen));
		for (i = 0; i < ARRAY_SIZE(classes); i++)
			EXPECT_EQ(1, seen.times[i])
				TH_LOG("class %d", classes[i]);
	}
}

/* What a device is made of, and how it behaves then. */
static const struct {
	const char *knob;
	const char *value;
	const char *inject;
} strange[] = {
	{ "config_size", "0" },
	{ "config_size", "1" },
	{ "vq_num_max", "0" },
	{ "nvqs", "65536" },
	{ "without", "get_vq_num_min get_vendor_vq_stats get_generation" },
	{ "features", "0" },
	{ "features", "0xffffffffffffffff" },
	{ "device_id", "0xffffffff" },
	{ "track", "1", "get_config errno 5" },
	{ "track", "1", "get_config delay 500" },
	{ "track", "1", "get_config_size value 0" },
	{ "track", "1", "get_config_size value 1" },
	{ "track", "1", "get_device_id value 0xffffffff" },
	{ "track", "1", "get_device_id value 2" },
	{ "track", "1", "get_vendor_id errno 5" },
	{ "track", "1", "get_vq_num_max value 0" },
	{ "track", "1", "get_vq_num_max value 0xffffffff" },
	{ "track", "1", "get_vq_num_min value 0xffff" },
};

TEST_F_TIMEOUT(show, a_device_that_misbehaves_hides_no_other, 60)
{
	const unsigned int nr = ARRAY_SIZE(strange);
	unsigned int i, k;
	char name[16];

	/* A good one before each, and one at the end. */
	for (i = 0; i <= 2 * nr; i++) {
		snprintf(name, sizeof(name), "nlt%u", i);
		ASSERT_EQ(0, file_write("1", MOCK "/next/default"));
		if (i % 2)
			ASSERT_EQ(0, file_write(strange[i / 2].value,
						MOCK "/next/%s",
						strange[i / 2].knob));
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name)) TH_LOG("%u", i);
		if (i % 2 && strange[i / 2].inject)
			ASSERT_EQ(0, file_write(strange[i / 2].inject,
						MOCK "/%s/inject", name));
	}
	for (k = 0; k < ARRAY_SIZE(dumps); k++) {
		struct seen seen = {};

		nl_start(&self->nl, dumps[k]);
		EXPECT_EQ(0, nl_dump(&self->nl, mark_seen, &seen));
		for (i = 0; i <= 2 * nr; i++)
			EXPECT_EQ(1, seen.times[i])
				TH_LOG("dump %u, nlt%u", k, i);
	}
}

/* It cannot be managed, so it is not shown; but what comes after it is. */
TEST_F(show, a_device_that_is_not_managed_hides_no_other)
{
	unsigned int k;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	ASSERT_EQ(0, file_write("nlt1", MOCK "/alone"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt2"));
	for (k = 0; k < ARRAY_SIZE(dumps); k++) {
		struct seen seen = {};

		nl_start(&self->nl, dumps[k]);
		EXPECT_EQ(0, nl_dump(&self->nl, mark_seen, &seen));
		EXPECT_EQ(1, seen.times[0]);
		EXPECT_EQ(0, seen.times[1]);
		EXPECT_EQ(1, seen.times[2]);
	}
}

TEST_F(show, a_management_device_without_classes_hides_no_other)
{
	unsigned int all;

	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	ASSERT_EQ(0, nl_dump(&self->nl, NULL, NULL));
	all = self->nl.messages;
	ASSERT_EQ(0, file_write("0", MOCK "/class"));
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET);
	EXPECT_EQ(0, nl_dump(&self->nl, NULL, NULL));
	EXPECT_EQ(all, self->nl.messages);
	EXPECT_TRUE(nl_has_mgmtdev(&self->nl, MOCKDEV));
	EXPECT_EQ(0, nl_num(&self->nl.reply,
			    VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES));
	/* One above those that the mask has a bit for. */
	ASSERT_EQ(0, file_write("64", MOCK "/class"));
	EXPECT_TRUE(nl_has_mgmtdev(&self->nl, MOCKDEV));
	EXPECT_EQ(1ULL << VIRTIO_ID_BLOCK | 1ULL << VIRTIO_ID_CONSOLE,
		  nl_num(&self->nl.reply,
			 VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES));
}

TEST_F_TIMEOUT(show, a_dump_in_many_parts_shows_each_device_once, 120)
{
	unsigned int i, k;
	char name[16];

	ASSERT_EQ(0, mock_knob("track", 0));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "nlt%u", i);
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	}
	for (k = 0; k < ARRAY_SIZE(dumps); k++) {
		struct seen seen = {};

		nl_start(&self->nl, dumps[k]);
		EXPECT_EQ(0, nl_dump(&self->nl, mark_seen, &seen));
		EXPECT_LT(2, self->nl.parts);
		for (i = 0; i < MANY; i++)
			EXPECT_EQ(1, seen.times[i])
				TH_LOG("nlt%u", i);
	}
}

static void *add_and_delete(void *arg)
{
	static struct nl nl;
	bool *stop = arg;
	char name[16];
	unsigned int i;

	if (nl_open(&nl))
		return NULL;
	for (i = 0; !__atomic_load_n(stop, __ATOMIC_RELAXED); i++) {
		snprintf(name, sizeof(name), "nltx%u", i % 8);
		if (nl_add(&nl, MOCKDEV, name))
			nl_del(&nl, name);
	}
	nl_close(&nl);
	return &nl;
}

TEST_F_TIMEOUT(show, devices_that_come_and_go_do_not_disturb_a_dump, 120)
{
	bool stop = false;
	unsigned int i, round;
	char name[16];
	pthread_t thread;
	void *ran;

	ASSERT_EQ(0, mock_knob("track", 0));
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "nlt%u", i);
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, add_and_delete, &stop));
	for (round = 0; round < 40; round++) {
		struct seen seen = {};

		nl_start(&self->nl, VDPA_CMD_DEV_GET);
		EXPECT_EQ(0, nl_dump(&self->nl, mark_seen, &seen));
		for (i = 0; i < 60; i++)
			EXPECT_EQ(1, seen.times[i]) TH_LOG("nlt%u", i);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, &ran);
	EXPECT_NE(NULL, ran);
}

TEST_F(show, statistics_are_refused_with_the_reason)
{
	static const uint32_t bad[] = { 3, 4, 0x8000, 0x10000, UINT32_MAX };
	unsigned int i;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-ERANGE, nl_vstats(&self->nl, "nlt0", bad[i]));
		EXPECT_STREQ("Device has 3 virtqueues only", self->nl.extack);
	}
	EXPECT_EQ(-EAGAIN, nl_vstats(&self->nl, "nlt0", 2));
	EXPECT_STREQ("Features are not negotiated yet", self->nl.extack);
	EXPECT_EQ(-EINVAL,
		  nl_get(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "nlt0"));
	EXPECT_EQ(VDPA_ATTR_DEV_QUEUE_INDEX, self->nl.miss);
	EXPECT_EQ(0, mock_calls("nlt0", "get_vendor_vq_stats"));

	ASSERT_EQ(0, file_write("get_vendor_vq_stats", MOCK "/next/without"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt1"));
	EXPECT_EQ(-EOPNOTSUPP, nl_vstats(&self->nl, "nlt1", 0));
	EXPECT_STREQ("Device keeps no statistics", self->nl.extack);
}

TEST_F(show, a_driver_in_action_is_shown)
{
	const uint64_t mq = 1ULL << VIRTIO_NET_F_MQ;
	const uint64_t bits = VERSION_1 | mq | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	const struct nl_reply *reply = &self->nl.reply;
	int fd;

	ASSERT_EQ(0, mock_knob("features", bits));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "nlt0"));
	fd = vhost_open("nlt0");
	if (fd < 0)
		SKIP(return, "vhost_vdpa does not drive the device");
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	EXPECT_FALSE(nl_has(reply, VDPA_ATTR_DEV_NEGOTIATED_FEATURES));

	ASSERT_EQ(0, negotiate(fd, bits));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "nlt0"));
	EXPECT_EQ(bits, nl_num(reply, VDPA_ATTR_DEV_NEGOTIATED_FEATURES));

	ASSERT_EQ(0, nl_vstats(&self->nl, "nlt0", 2))
		TH_LOG("%s", self->nl.extack);
	EXPECT_EQ(VDPA_CMD_DEV_VSTATS_GET, reply->cmd);
	EXPECT_EQ(VIRTIO_ID_NET, nl_num(reply, VDPA_ATTR_DEV_ID));
	EXPECT_EQ(2, nl_num(reply, VDPA_ATTR_DEV_QUEUE_INDEX));
	EXPECT_EQ(bits, nl_num(reply, VDPA_ATTR_DEV_NEGOTIATED_FEATURES));
	EXPECT_EQ(0x0908, nl_num(reply, VDPA_ATTR_DEV_NET_CFG_MAX_VQP));
	EXPECT_STREQ("kicks", nl_str(reply, VDPA_ATTR_DEV_VENDOR_ATTR_NAME));
	EXPECT_EQ(8, reply->attr[VDPA_ATTR_DEV_VENDOR_ATTR_VALUE].len);

	ASSERT_EQ(0, file_write("get_vendor_vq_stats errno 5",
				MOCK "/nlt0/inject"));
	EXPECT_EQ(-EIO, nl_vstats(&self->nl, "nlt0", 0));
	close(fd);
}

TEST_HARNESS_MAIN
