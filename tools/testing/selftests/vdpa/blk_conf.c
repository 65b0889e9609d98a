// SPDX-License-Identifier: GPL-2.0-only
/*
 * What software disks are: the directories of configfs that say it, what is
 * refused and in which words, what netlink, sysfs and the configuration space
 * tell, and how a disk grows.
 *
 * scripts/check-netlink-spec looks here for the words of drivers/vdpa/blk and
 * drivers/vdpa/soft, whole.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/vdpa_events.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "blkconf.h"
#include "dev.h"
#include "files.h"
#include "nic.h"
#include "nl.h"
#include "vhost.h"

#define NAME		"blkc0"
#define OTHER		"blkc1"
#define IMAGE		"/run/blkconf.img"
#define BYTES		(1024 * SECTOR)

#define NEEDED		(BIT_ULL(VIRTIO_F_VERSION_1) | \
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
#define RING		(BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX))
#define LIMITS		(BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | \
			 BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
			 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | \
			 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | \
			 BIT_ULL(VIRTIO_BLK_F_MQ))
#define RANGES		(BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
			 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES))
#define RAM_FEATURES	(NEEDED | RING | LIMITS | RANGES | \
			 BIT_ULL(VIRTIO_F_ANY_LAYOUT) | \
			 BIT_ULL(VIRTIO_BLK_F_FLUSH))
#define WCE		BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE)
#define FILE_FEATURES	(NEEDED | RING | LIMITS | RANGES | WCE | \
			 BIT_ULL(VIRTIO_BLK_F_FLUSH))

#define EXPECT_SAYS(_err, _text, _call) do {				\
	EXPECT_EQ(-(_err), _call);					\
	EXPECT_STREQ(_text, self->nl.extack);				\
} while (0)

/* A directory with a path, no device. */
FIXTURE(blk_conf) {
	struct nl nl;
};

FIXTURE_SETUP(blk_conf)
{
	const char *reason = conf_available();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, nl_open(&self->nl));
	conf_drop(OTHER);
	conf_drop(NAME);
	ASSERT_EQ(0, disk_file(IMAGE, BYTES));
	ASSERT_EQ(0, conf_make_on(NAME, IMAGE));
}

FIXTURE_TEARDOWN(blk_conf)
{
	conf_drop(OTHER);
	conf_drop(NAME);
	/* It would take the devices of the next test. */
	if (module_refs("virtio_vdpa") >= 0)
		EXPECT_EQ(0, run_command("rmmod virtio_vdpa"));
	unlink(IMAGE);
	nl_close(&self->nl);
}

static int add(struct nl *nl, const char *name)
{
	return nl_add(nl, "vdpa_blk", name);
}

static int add_with_features(struct nl *nl, const char *name, uint64_t features)
{
	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, "vdpa_blk");
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	nl_put_u64(nl, VDPA_ATTR_DEV_FEATURES, features);
	return nl_do(nl);
}

TEST_F(blk_conf, attributes_begin_with_their_defaults)
{
	ASSERT_EQ(0, conf_make(OTHER));
	EXPECT_STREQ("", conf_get(OTHER, "path"));
	EXPECT_STREQ("", conf_get(OTHER, "serial"));
	EXPECT_STREQ("0", conf_get(OTHER, "readonly"));
	EXPECT_STREQ("1", conf_get(OTHER, "queues"));
	EXPECT_STREQ("256", conf_get(OTHER, "queue_size"));
}

struct value {
	const char *attr, *written, *shown;
	int err;
};

static const struct value values[] = {
	{ "path", "/run/some", "/run/some" },
	{ "path", "/run/some\n", "/run/some" },
	{ "path", "run/some", .err = EINVAL },
	{ "path", "\n", .err = EINVAL },
	{ "serial", "12345678901234567890", "12345678901234567890" },
	{ "serial", "short\n", "short" },
	{ "serial", "\n", "" },
	{ "serial", "123456789012345678901", .err = EINVAL },
	{ "serial", "tab\there", .err = EINVAL },
	{ "serial", "\xe4", .err = EINVAL },
	{ "readonly", "1", "1" },
	{ "readonly", "n\n", "0" },
	{ "readonly", "2", .err = EINVAL },
	{ "queues", "64", "64" },
	{ "queues", "1\n", "1" },
	{ "queues", "0", .err = EINVAL },
	{ "queues", "65", .err = EINVAL },
	{ "queues", "65537", .err = ERANGE },
	{ "queues", "-1", .err = EINVAL },
	{ "queue_size", "4", "4" },
	{ "queue_size", "1024\n", "1024" },
	{ "queue_size", "0", .err = EINVAL },
	{ "queue_size", "2", .err = EINVAL },
	{ "queue_size", "2048", .err = EINVAL },
	{ "queue_size", "255", .err = EINVAL },
};

TEST_F(blk_conf, attribute_is_as_written_or_stays)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct value *v = &values[i];
		char before[64];

		snprintf(before, sizeof(before), "%s", conf_get(NAME, v->attr));
		EXPECT_EQ(-v->err, conf_set(NAME, v->attr, v->written))
			TH_LOG("%s: \"%s\"", v->attr, v->written);
		EXPECT_STREQ(v->err ? before : v->shown,
			     conf_get(NAME, v->attr));
	}
}

TEST_F(blk_conf, directory_of_a_device_does_not_change)
{
	static const char * const attrs[][2] = {
		{ "path", "/run/other" }, { "serial", "other" },
		{ "readonly", "1" }, { "queues", "2" }, { "queue_size", "8" },
	};

	ASSERT_EQ(0, add(&self->nl, NAME));
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		EXPECT_EQ(-EBUSY, conf_set(NAME, attrs[i][0], attrs[i][1]))
			TH_LOG("%s", attrs[i][0]);
		EXPECT_STRNE(attrs[i][1], conf_get(NAME, attrs[i][0]));
	}
	EXPECT_ERRNO(EBUSY, rmdir(CONF "/" NAME));

	ASSERT_EQ(0, nl_del(&self->nl, NAME));
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		EXPECT_EQ(0, conf_set(NAME, attrs[i][0], attrs[i][1]))
			TH_LOG("%s", attrs[i][0]);
		EXPECT_STREQ(attrs[i][1], conf_get(NAME, attrs[i][0]));
	}
	EXPECT_ERRNO(0, rmdir(CONF "/" NAME));
}

static const struct refusal {
	const char *path;
	int err;
	const char *says;
} refusals[] = {
	{ "/run/blkconf.none", ENOENT,
	  "There is no /run/blkconf.none: error -2" },
	{ "/run", EINVAL, "/run is neither a file nor a block device" },
	{ "/dev/null", EINVAL, "/dev/null is neither a file nor a block device" },
	{ "/run/blkconf.fifo", EINVAL,
	  "/run/blkconf.fifo is neither a file nor a block device" },
	{ "/run/blkconf.empty", EINVAL,
	  "/run/blkconf.empty has less than one block of 512 bytes" },
	{ "/run/blkconf.511", EINVAL,
	  "/run/blkconf.511 has less than one block of 512 bytes" },
	/* Nobody may write to it. */
	{ "/sys/kernel/uevent_seqnum", EACCES,
	  "/sys/kernel/uevent_seqnum cannot be opened: error -13" },
};

TEST_F(blk_conf, backing_that_is_none_is_refused_with_words)
{
	ASSERT_EQ(0, disk_file("/run/blkconf.empty", 0));
	ASSERT_EQ(0, disk_file("/run/blkconf.511", 511));
	mkfifo("/run/blkconf.fifo", 0600);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		ASSERT_EQ(0, conf_set(NAME, "path", refusals[i].path));
		EXPECT_SAYS(refusals[i].err, refusals[i].says,
			    add(&self->nl, NAME));
	}
	EXPECT_FALSE(vdpa_exists(NAME));
	unlink("/run/blkconf.empty");
	unlink("/run/blkconf.511");
	unlink("/run/blkconf.fifo");

	/* It can still be told better. */
	ASSERT_EQ(0, conf_set(NAME, "path", IMAGE));
	EXPECT_EQ(0, add(&self->nl, NAME));
}

TEST_F(blk_conf, device_needs_its_directory_and_a_path)
{
	struct nl *nl = &self->nl;

	EXPECT_SAYS(ENOENT, "configfs has no vdpa_blk/blkc1", add(nl, OTHER));
	ASSERT_EQ(0, conf_make(OTHER));
	EXPECT_SAYS(EINVAL, "configfs has no path for the device",
		    add(nl, OTHER));
	EXPECT_FALSE(vdpa_exists(OTHER));
	EXPECT_ERRNO(0, rmdir(CONF "/" OTHER));
	EXPECT_SAYS(ENOENT, "configfs has no vdpa_blk/blkc1", add(nl, OTHER));
}

/* Two that write to one file would not know of each other. */
TEST_F(blk_conf, backing_has_one_writer)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, add(nl, NAME));
	ASSERT_EQ(0, conf_make_on(OTHER, IMAGE));
	EXPECT_SAYS(EBUSY,
		    "/run/blkconf.img is in use by another vdpa_blk device",
		    add(nl, OTHER));
	ASSERT_EQ(0, conf_set(OTHER, "readonly", "1"));
	EXPECT_SAYS(EBUSY,
		    "/run/blkconf.img is in use by another vdpa_blk device",
		    add(nl, OTHER));
	EXPECT_SAYS(EEXIST, "A device of this name exists", add(nl, NAME));

	ASSERT_EQ(0, nl_del(nl, NAME));
	ASSERT_EQ(0, add(nl, OTHER));
	EXPECT_SAYS(EBUSY,
		    "/run/blkconf.img is in use by another vdpa_blk device",
		    add(nl, NAME));
	ASSERT_EQ(0, conf_set(NAME, "readonly", "1"));
	EXPECT_EQ(0, add(nl, NAME));
}

/* Bits that the management device knows, but this backing cannot have. */
TEST_F(blk_conf, features_that_the_backing_lacks_are_refused)
{
	struct nl *nl = &self->nl;

	EXPECT_SAYS(EINVAL, "Device cannot have features 0x20",
		    add_with_features(nl, NAME,
				      NEEDED | BIT_ULL(VIRTIO_BLK_F_RO)));
	EXPECT_SAYS(EINVAL, "Device cannot have features 0x10000",
		    add_with_features(nl, NAME, NEEDED |
				BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE)));
	EXPECT_FALSE(vdpa_exists(NAME));
	/* Nothing of the attempts stays. */
	EXPECT_EQ(0, add_with_features(nl, NAME, NEEDED));
}

static uint64_t offered(int fd)
{
	uint64_t features = 0;

	ioctl(fd, VHOST_GET_FEATURES, &features);
	return features;
}

static uint32_t config_size(int fd)
{
	uint32_t size = 0;

	ioctl(fd, VHOST_VDPA_GET_CONFIG_SIZE, &size);
	return size;
}

/* Little endian, as we are. */
static int read_config(int fd, struct virtio_blk_config *config)
{
	memset(config, 0, sizeof(*config));
	return config_io(fd, VHOST_VDPA_GET_CONFIG, 0, config_size(fd), config);
}

TEST_F(blk_conf, ram_disk_is_as_the_simulator_was)
{
	struct virtio_blk_config config;
	uint32_t number;
	uint16_t num;
	int fd;

	ASSERT_EQ(0, nl_add(&self->nl, "vdpasim_blk", OTHER));
	fd = vhost_open(OTHER);
	ASSERT_LE(0, fd);
	EXPECT_EQ(RAM_FEATURES, offered(fd));
	EXPECT_EQ(60, config_size(fd));
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_VQS_COUNT, &number));
	EXPECT_EQ(1, number);
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_GROUP_NUM, &number));
	EXPECT_EQ(1, number);
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_AS_NUM, &number));
	EXPECT_EQ(1, number);
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_VRING_NUM, &num));
	EXPECT_EQ(256, num);

	ASSERT_ERRNO(0, read_config(fd, &config));
	EXPECT_EQ(0x40000, config.capacity);
	EXPECT_EQ(4096, config.size_max);
	EXPECT_EQ(32, config.seg_max);
	EXPECT_EQ(512, config.blk_size);
	EXPECT_EQ(1, config.num_queues);
	EXPECT_EQ(1, config.min_io_size);
	EXPECT_EQ(1, config.opt_io_size);
	EXPECT_EQ(0xffff, config.max_discard_sectors);
	EXPECT_EQ(1, config.max_discard_seg);
	EXPECT_EQ(1, config.discard_sector_alignment);
	EXPECT_EQ(0xffff, config.max_write_zeroes_sectors);
	EXPECT_EQ(1, config.max_write_zeroes_seg);
	close(fd);
}

TEST_F(blk_conf, disk_is_as_its_directory_says)
{
	struct virtio_blk_config config;
	uint32_t number;
	uint16_t num;
	char text[64];
	int fd;

	/* The tail that is no sector is cut. */
	ASSERT_EQ(0, disk_file(IMAGE, BYTES + SECTOR - 1));
	ASSERT_EQ(0, conf_set(NAME, "queues", "3"));
	ASSERT_EQ(0, conf_set(NAME, "queue_size", "64"));
	ASSERT_EQ(0, conf_set(NAME, "serial", "blk-serial"));
	ASSERT_EQ(0, add(&self->nl, NAME));
	fd = vhost_open(NAME);
	ASSERT_LE(0, fd);

	EXPECT_EQ(FILE_FEATURES, offered(fd));
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_VQS_COUNT, &number));
	EXPECT_EQ(3, number);
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_VRING_NUM, &num));
	EXPECT_EQ(64, num);
	ASSERT_ERRNO(0, read_config(fd, &config));
	EXPECT_EQ(BYTES / SECTOR, config.capacity);
	EXPECT_EQ(3, config.num_queues);
	EXPECT_EQ(62, config.seg_max);
	EXPECT_EQ(1, config.wce);
	close(fd);

	EXPECT_EQ(0, file_read(text, sizeof(text), BUS "/devices/" NAME
			       "/backing"));
	EXPECT_STREQ(IMAGE "\n", text);
	EXPECT_EQ(0, file_read(text, sizeof(text), BUS "/devices/" NAME
			       "/serial"));
	EXPECT_STREQ("blk-serial\n", text);
}

TEST_F(blk_conf, readonly_disk_says_so)
{
	int fd;

	ASSERT_EQ(0, conf_set(NAME, "readonly", "1"));
	ASSERT_EQ(0, add(&self->nl, NAME));
	fd = vhost_open(NAME);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, offered(fd) & BIT_ULL(VIRTIO_BLK_F_RO));
	close(fd);
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET, NAME));
	EXPECT_EQ(1, nl_num(&self->nl.reply, VDPA_ATTR_DEV_BLK_READ_ONLY));
}

TEST_F(blk_conf, netlink_tells_what_the_driver_reads)
{
	struct nl *nl = &self->nl;

	ASSERT_EQ(0, add(nl, NAME));
	ASSERT_EQ(0, nl_get(nl, VDPA_CMD_DEV_GET, NAME));
	EXPECT_EQ(2, nl_num(&nl->reply, VDPA_ATTR_DEV_ID));
	EXPECT_EQ(1, nl_num(&nl->reply, VDPA_ATTR_DEV_MAX_VQS));
	EXPECT_EQ(256, nl_num(&nl->reply, VDPA_ATTR_DEV_MAX_VQ_SIZE));
	EXPECT_STREQ("vdpa_blk", nl_str(&nl->reply, VDPA_ATTR_MGMTDEV_DEV_NAME));
	ASSERT_EQ(0, nl_get(nl, VDPA_CMD_DEV_CONFIG_GET, NAME));
	EXPECT_EQ(BYTES / SECTOR,
		  nl_num(&nl->reply, VDPA_ATTR_DEV_BLK_CFG_CAPACITY));
	EXPECT_EQ(0, nl_num(&nl->reply, VDPA_ATTR_DEV_BLK_READ_ONLY));
	EXPECT_EQ(1, nl_num(&nl->reply, VDPA_ATTR_DEV_BLK_FLUSH));
}

static const struct mgmt {
	const char *name;
	uint32_t max_vqs;
	uint64_t features;
} mgmts[] = {
	{ "vdpasim_blk", 1, RAM_FEATURES },
	/* No driver in user space can reset one queue. */
	{ "vdpa_blk", 64, FILE_FEATURES | BIT_ULL(VIRTIO_BLK_F_RO) |
	  BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE) | BIT_ULL(VIRTIO_F_RING_RESET) },
};

TEST_F(blk_conf, management_devices_tell_what_they_make)
{
	struct nl *nl = &self->nl;

	for (size_t i = 0; i < ARRAY_SIZE(mgmts); i++) {
		ASSERT_TRUE(nl_has_mgmtdev(nl, mgmts[i].name));
		EXPECT_EQ(1ULL << 2,
			  nl_num(&nl->reply,
				 VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES));
		EXPECT_EQ(mgmts[i].max_vqs,
			  nl_num(&nl->reply, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS));
		EXPECT_EQ(mgmts[i].features,
			  nl_num(&nl->reply, VDPA_ATTR_DEV_SUPPORTED_FEATURES));
	}
}

/* As a driver with these features, its config interrupt at @event. */
static int start_driver(const char *name, uint64_t features, int event)
{
	int fd = vhost_open(name);

	if (fd >= 0 && !negotiate(fd, features) &&
	    !ioctl(fd, VHOST_VDPA_SET_CONFIG_CALL, &event) &&
	    !set_status(fd, STATUS_RUNNING))
		return fd;
	close(fd);
	return -1;
}

static bool signalled(int event, int ms)
{
	struct pollfd pfd = { .fd = event, .events = POLLIN };
	uint64_t count;

	return poll(&pfd, 1, ms) == 1 &&
	       read(event, &count, sizeof(count)) == sizeof(count);
}

static uint64_t capacity(int fd)
{
	struct virtio_blk_config config;

	return read_config(fd, &config) ? 0 : config.capacity;
}

/* The driver is interrupted, and finds what netlink tells too. */
TEST_F(blk_conf, resize_tells_the_driver)
{
	static const struct {
		uint64_t bytes, sectors;
	} sizes[] = {
		{ 2 * BYTES, 2 * BYTES / SECTOR },
		{ 4 * BYTES + 100, 4 * BYTES / SECTOR },
		{ BYTES, BYTES / SECTOR },
	};
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct nl *nl = &self->nl, listener;
	int fd;

	ASSERT_EQ(0, add(nl, NAME));
	fd = start_driver(NAME, NEEDED, event);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, nl_open(&listener));
	ASSERT_EQ(0, nl_join(&listener, VDPA_MCGRP_EVENTS_NAME));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, disk_file(IMAGE, sizes[i].bytes));
		EXPECT_FALSE(signalled(event, 0));
		EXPECT_EQ(0, conf_set(NAME, "resize", "1"));
		EXPECT_TRUE(signalled(event, AT_ONCE_MS));
		EXPECT_EQ(sizes[i].sectors, capacity(fd));
		EXPECT_EQ(0, nl_event(&listener, AT_ONCE_MS));
		EXPECT_STREQ(NAME, nl_str(&listener.reply, VDPA_ATTR_DEV_NAME));
		EXPECT_EQ(0, nl_get(nl, VDPA_CMD_DEV_CONFIG_GET, NAME));
		EXPECT_EQ(sizes[i].sectors,
			  nl_num(&nl->reply, VDPA_ATTR_DEV_BLK_CFG_CAPACITY));
	}
	nl_close(&listener);
	close(fd);
	close(event);
}

TEST_F(blk_conf, resize_to_nothing_changes_nothing)
{
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int fd;

	EXPECT_EQ(-ENODEV, conf_set(NAME, "resize", "1"));
	ASSERT_EQ(0, add(&self->nl, NAME));
	fd = start_driver(NAME, NEEDED, event);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, disk_file(IMAGE, SECTOR - 1));
	EXPECT_EQ(-EINVAL, conf_set(NAME, "resize", "1"));
	EXPECT_EQ(BYTES / SECTOR, capacity(fd));
	EXPECT_FALSE(signalled(event, 100));
	close(fd);
	ASSERT_EQ(0, nl_del(&self->nl, NAME));
	EXPECT_EQ(-ENODEV, conf_set(NAME, "resize", "1"));
	close(event);
}

/* The driver writes all of it, one byte after the other. */
static void write_config(int fd, uint8_t value)
{
	for (uint32_t i = 0; i < config_size(fd); i++)
		config_io(fd, VHOST_VDPA_SET_CONFIG, i, 1, &value);
}

TEST_F(blk_conf, driver_writes_writeback_and_nothing_else)
{
	uint8_t piece[6] = { 9, 9, 0, 9, 9, 9 };
	struct virtio_blk_config before, now;
	int fd;

	ASSERT_EQ(0, add(&self->nl, NAME));
	fd = start_driver(NAME, NEEDED | WCE, -1);
	ASSERT_LE(0, fd);
	ASSERT_ERRNO(0, read_config(fd, &before));
	EXPECT_EQ(1, before.wce);

	write_config(fd, 0);
	ASSERT_ERRNO(0, read_config(fd, &now));
	EXPECT_EQ(0, now.wce);
	before.wce = 0;
	EXPECT_EQ(0, memcmp(&before, &now, sizeof(now)));

	/* It has two values. */
	write_config(fd, 0xee);
	ASSERT_ERRNO(0, read_config(fd, &now));
	before.wce = 1;
	EXPECT_EQ(0, memcmp(&before, &now, sizeof(now)));
	/* In the middle of a longer write. */
	EXPECT_ERRNO(0, config_io(fd, VHOST_VDPA_SET_CONFIG,
				  offsetof(struct virtio_blk_config, wce) - 2,
				  sizeof(piece), piece));
	ASSERT_ERRNO(0, read_config(fd, &now));
	before.wce = 0;
	EXPECT_EQ(0, memcmp(&before, &now, sizeof(now)));

	EXPECT_ERRNO(0, set_status(fd, 0));
	ASSERT_ERRNO(0, read_config(fd, &now));
	EXPECT_EQ(1, now.wce);
	close(fd);
}

TEST_F(blk_conf, writeback_is_read_only_without_its_feature)
{
	struct virtio_blk_config config;
	int fd;

	ASSERT_EQ(0, add(&self->nl, NAME));
	fd = start_driver(NAME, NEEDED, -1);
	ASSERT_LE(0, fd);
	write_config(fd, 0);
	ASSERT_ERRNO(0, read_config(fd, &config));
	EXPECT_EQ(1, config.wce);
	close(fd);
}

/* It shows what the device says after the write. */
TEST_F(blk_conf, host_writes_writeback_as_cache_type)
{
	static const char * const types[] = { "write through", "write back" };
	char disk[32], path[64], type[32];

	ASSERT_TRUE(module_load("virtio_vdpa"));
	ASSERT_TRUE(module_load("virtio_blk"));
	ASSERT_EQ(0, add(&self->nl, NAME));
	ASSERT_EQ(0, virtio_bind(NAME));
	ASSERT_TRUE(virtio_find(NAME, "block", disk, sizeof(disk)));
	snprintf(path, sizeof(path), "/sys/block/%s/cache_type", disk);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_EQ(0, file_write(types[i], "%s", path));
		EXPECT_EQ(0, file_read(type, sizeof(type), "%s", path));
		type[strcspn(type, "\n")] = '\0';
		EXPECT_STREQ(types[i], type);
	}
}

TEST_HARNESS_MAIN
