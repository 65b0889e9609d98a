// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of /dev/vhost-vdpa-N that are about the device as a whole, on
 * vdpa_mock: its facts, features, status, configuration space, backend
 * features, suspension, and the groups and address spaces of its queues.
 */
#include "abi.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <pthread.h>

TEST_F(abi, facts_of_the_device_are_told)
{
	struct vhost_vdpa_iova_range range;
	uint32_t value;

	self->fd = again(_metadata, &self->dev,
			 "nvqs=5 ngroups=3 nas=4 device_id=2 config_size=60 vq_num_max=128 iova_first=0x1000 iova_last=0xffffffff");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_DEVICE_ID, &value));
	EXPECT_EQ(VIRTIO_ID_BLOCK, value);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_VQS_COUNT, &value));
	EXPECT_EQ(5, value);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_GROUP_NUM, &value));
	EXPECT_EQ(3, value);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_AS_NUM, &value));
	EXPECT_EQ(4, value);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_CONFIG_SIZE, &value));
	EXPECT_EQ(60, value);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_EQ(0x1000, range.first);
	EXPECT_EQ(0xffffffff, range.last);
}

/* QEMU passes an int with all bits set and looks at what became of it. */
TEST_F(abi, get_vring_num_writes_two_bytes)
{
	uint32_t value = UINT32_MAX;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_VRING_NUM, &value));
	EXPECT_EQ(0xffff0000 | 256, value);
}

TEST_F(abi, iova_range_without_the_operation_is_everything)
{
	struct vhost_vdpa_iova_range range;

	self->fd = again(_metadata, &self->dev, "without=get_iova_range");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_EQ(0, range.first);
	EXPECT_EQ(UINT64_MAX, range.last);
}

TEST_F(abi, features_are_those_of_the_device)
{
	uint64_t offered;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_GET_FEATURES, &offered));
	EXPECT_EQ(BIT_ULL(VIRTIO_F_VERSION_1) |
		  BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
		  BIT_ULL(VIRTIO_F_RING_PACKED) |
		  BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
		  BIT_ULL(VIRTIO_RING_F_EVENT_IDX), offered);
	EXPECT_ERRNO(0, set_features(self->fd, offered));
	EXPECT_EQ(offered, mock_state(&self->dev, "features"));
}

/* Which takes an address for one virtqueue while the others run. */
TEST_F(abi, reset_of_single_queues_is_not_offered)
{
	uint64_t reset = BIT_ULL(VIRTIO_F_RING_RESET), offered;
	uint64_t good = BIT_ULL(VIRTIO_F_VERSION_1);
	char knobs[64];

	snprintf(knobs, sizeof(knobs), "features=%#lx", good | reset);
	self->fd = again(_metadata, &self->dev, knobs);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_GET_FEATURES, &offered));
	EXPECT_EQ(good, offered);
	EXPECT_ERRNO(EINVAL, set_features(self->fd, good | reset));
	EXPECT_ERRNO(0, set_features(self->fd, good));
}

TEST_F(abi, feature_that_is_not_offered_is_refused)
{
	uint64_t good = BIT_ULL(VIRTIO_F_VERSION_1);

	ASSERT_ERRNO(0, set_features(self->fd, good));
	EXPECT_ERRNO(EINVAL, set_features(self->fd, good | BIT_ULL(63)));
	EXPECT_ERRNO(EINVAL, set_features(self->fd, UINT64_MAX));
	EXPECT_EQ(good, mock_state(&self->dev, "features"));
}

TEST_F(abi, features_stay_after_features_ok)
{
	uint64_t good = BIT_ULL(VIRTIO_F_VERSION_1);

	ASSERT_ERRNO(0, set_features(self->fd, good));
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_ACK | STATUS_DRIVER |
				   STATUS_FEATURES_OK));
	EXPECT_ERRNO(EBUSY, set_features(self->fd, 0));
	EXPECT_EQ(good, mock_state(&self->dev, "features"));
}

TEST_F(abi, parent_that_refuses_features_is_einval)
{
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				"set_driver_features errno 5"));
	EXPECT_ERRNO(EINVAL, set_features(self->fd, 0));
}

TEST_F(abi, status_bits_are_added_and_not_cleared)
{
	ASSERT_EQ(0, get_status(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_ACK));
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_ACK | STATUS_DRIVER));
	EXPECT_ERRNO(EINVAL, set_status(self->fd, STATUS_ACK));
	EXPECT_ERRNO(EINVAL, set_status(self->fd, STATUS_DRIVER_OK));
	EXPECT_EQ(STATUS_ACK | STATUS_DRIVER, get_status(self->fd));
}

TEST_F(abi, status_zero_is_a_reset)
{
	ASSERT_ERRNO(0, start(self->fd));
	mock_forget(&self->dev);
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_EQ(1, mock_count(&self->dev, "reset"));
	EXPECT_EQ(0, mock_count(&self->dev, "set_status"));
	EXPECT_EQ(0, get_status(self->fd));
}

TEST_F(abi, reset_that_fails_says_so)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "reset errno 5 1"));
	EXPECT_ERRNO(EIO, set_status(self->fd, 0));
	EXPECT_EQ(STATUS_RUNNING, get_status(self->fd));
	EXPECT_ERRNO(0, set_status(self->fd, 0));
}

/* The parent may leave FEATURES_OK away; who asks for the status sees it. */
TEST_F(abi, status_that_the_device_did_not_take_is_told)
{
	ASSERT_ERRNO(0, set_status(self->fd, STATUS_ACK));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_status errno 5"));
	set_status(self->fd, STATUS_ACK | STATUS_DRIVER);
	EXPECT_EQ(STATUS_ACK, get_status(self->fd));
}

TEST_F(abi, config_is_read_and_written)
{
	uint8_t buf[64], pattern[4] = { 0xde, 0xad, 0xbe, 0xef };
	int i;

	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0, 64, buf));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(i, buf[i]);
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_SET_CONFIG, 60, 4,
				  pattern));
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 59, 5, buf));
	EXPECT_EQ(59, buf[0]);
	EXPECT_EQ(0, memcmp(buf + 1, pattern, 4));
}

/* CVE-2022-0998, CVE-2021-47604 */
TEST_F(abi, config_read_does_not_touch_a_running_device)
{
	char buf[4];

	ASSERT_ERRNO(0, set_status(self->fd, VIRTIO_CONFIG_S_ACKNOWLEDGE |
					     VIRTIO_CONFIG_S_DRIVER |
					     VIRTIO_CONFIG_S_FEATURES_OK |
					     VIRTIO_CONFIG_S_DRIVER_OK));
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0, 4, buf));
	EXPECT_EQ(0, mock_count(&self->dev, "set_driver_features"));
}

TEST_F(abi, config_outside_its_size_is_einval)
{
	static const uint32_t offs[] = { 0, 63, 64, 65, 1U << 31, UINT32_MAX };
	static const uint32_t lens[] = { 0, 1, 2, 64, 65, 4096, 1U << 31,
					 UINT32_MAX };
	static const unsigned long cmds[] = {
		VHOST_VDPA_GET_CONFIG, VHOST_VDPA_SET_CONFIG
	};
	static uint8_t buf[65536];
	size_t c, o, l;

	for (c = 0; c < ARRAY_SIZE(cmds); c++)
		for (o = 0; o < ARRAY_SIZE(offs); o++)
			for (l = 0; l < ARRAY_SIZE(lens); l++) {
				uint64_t end = (uint64_t)offs[o] + lens[l];

				EXPECT_ERRNO(lens[l] && end <= 64 ? 0 : EINVAL,
					     config_io(self->fd, cmds[c],
						       offs[o], lens[l], buf))
					TH_LOG("%u bytes at %u", lens[l],
					       offs[o]);
			}
}

/* CVE-2022-2308: some parents write nothing when they fail. */
TEST_F(abi, config_that_the_parent_did_not_fill_is_zero)
{
	uint8_t buf[64], zero[64] = { };

	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_config errno 5"));
	memset(buf, 0xa5, sizeof(buf));
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0, 64, buf));
	EXPECT_EQ(0, memcmp(buf, zero, sizeof(buf)));
}

/* The generation, or -1 and errno. */
static int64_t generation(int fd)
{
	uint32_t value;

	if (ioctl(fd, VHOST_VDPA_GET_CONFIG_GENERATION, &value))
		return -1;
	return value;
}

TEST_F(abi, config_generation_changes_with_the_config_space)
{
	uint8_t byte = 1;
	int64_t old = generation(self->fd);

	ASSERT_LE(0, old);
	EXPECT_EQ(old, generation(self->fd));
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0, 1,
				  &byte));
	EXPECT_EQ(old, generation(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "config"));
	EXPECT_NE(old, generation(self->fd));
	old = generation(self->fd);
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_SET_CONFIG, 0, 1,
				  &byte));
	EXPECT_NE(old, generation(self->fd));
}

TEST_F(abi, config_generation_is_32_bits_of_any_value)
{
	uint64_t value = 0;

	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				"get_generation value 4294967295"));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_CONFIG_GENERATION,
			      &value));
	EXPECT_EQ(UINT32_MAX, value);
}

TEST_F(abi, config_generation_without_the_operation_is_eopnotsupp)
{
	self->fd = again(_metadata, &self->dev, "without=get_generation");
	EXPECT_ERRNO(EOPNOTSUPP, generation(self->fd));
}

/* Half of the space from before a change, half from after it. */
TEST_F(abi, config_generation_tells_of_a_torn_read)
{
	uint8_t half[2];
	int64_t old;

	ASSERT_EQ(0, mock_write(&self->dev, "raise", "fill 1"));
	old = generation(self->fd);
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0, 1,
				  &half[0]));
	ASSERT_EQ(0, mock_write(&self->dev, "raise", "fill 2"));
	ASSERT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 32, 1,
				  &half[1]));
	EXPECT_EQ(1, half[0]);
	EXPECT_EQ(2, half[1]);
	EXPECT_NE(old, generation(self->fd));
}

struct filler {
	struct mockdev *dev;
	bool stop;
};

static void *filler(void *arg)
{
	struct filler *f = arg;
	char line[16];
	int i;

	for (i = 0; !__atomic_load_n(&f->stop, __ATOMIC_RELAXED); i++) {
		snprintf(line, sizeof(line), "fill %d", i & 0xff);
		if (mock_write(f->dev, "raise", line))
			break;
		usleep(200);
	}
	return NULL;
}

/* The loop of the documentation, in pieces of a byte. */
static int read_config(int fd, uint8_t *buf, uint32_t len)
{
	int64_t before, after = generation(fd);
	uint32_t i;
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		before = after;
		for (i = 0; i < len; i++)
			if (config_io(fd, VHOST_VDPA_GET_CONFIG, i, 1, &buf[i]))
				return -1;
		after = generation(fd);
		if (before == after)
			return 0;
	}
	errno = EAGAIN;
	return -1;
}

TEST_F_TIMEOUT(abi, config_read_by_generation_is_never_torn, 60)
{
	struct filler f = { .dev = &self->dev };
	uint8_t buf[4] = { };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, mock_write(&self->dev, "raise", "fill 0"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, filler, &f));
	for (i = 0; i < 300; i++) {
		EXPECT_ERRNO(0, read_config(self->fd, buf, sizeof(buf)));
		EXPECT_EQ(buf[0] * 0x01010101U,
			  buf[0] | buf[1] << 8 | buf[2] << 16 |
			  (uint32_t)buf[3] << 24);
	}
	f.stop = true;
	pthread_join(thread, NULL);
}

static uint64_t backend_offered(int fd)
{
	uint64_t features = 0;

	ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features);
	return features;
}

TEST_F(abi, backend_features_are_told_and_taken_before_set_owner)
{
	uint64_t offered = backend_offered(self->fd);

	EXPECT_TRUE(offered & BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2));
	EXPECT_TRUE(offered & BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH));
	EXPECT_ERRNO(0, set_backend(self->fd, offered));
}

struct offer {
	unsigned int bit;
	const char *with;
	const char *without;
};

TEST_F(abi, backend_feature_is_offered_when_the_device_can_keep_it)
{
	static const struct offer offers[] = {
		{ VHOST_BACKEND_F_IOTLB_ASID, "nas=2",
		  "without=compat_reset,set_group_asid" },
		{ VHOST_BACKEND_F_SUSPEND, "", "without=suspend" },
		{ VHOST_BACKEND_F_RESUME, "", "without=resume" },
		{ VHOST_BACKEND_F_DESC_ASID, "nas=2 ngroups=2",
		  "without=get_vq_desc_group" },
		{ VHOST_BACKEND_F_IOTLB_PERSIST, "", "without=reset_map" },
		{ VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK,
		  "backend_features=0x40", "" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offers); i++) {
		uint64_t bit = BIT_ULL(offers[i].bit);

		self->fd = again(_metadata, &self->dev, offers[i].with);
		EXPECT_TRUE(backend_offered(self->fd) & bit)
			TH_LOG("bit %u", offers[i].bit);
		self->fd = again(_metadata, &self->dev, offers[i].without);
		EXPECT_FALSE(backend_offered(self->fd) & bit)
			TH_LOG("bit %u", offers[i].bit);
		EXPECT_ERRNO(EOPNOTSUPP, set_backend(self->fd, bit))
			TH_LOG("bit %u", offers[i].bit);
	}
}

TEST_F(abi, unknown_backend_feature_is_refused)
{
	EXPECT_ERRNO(EOPNOTSUPP, set_backend(self->fd, BIT_ULL(0)));
	EXPECT_ERRNO(EOPNOTSUPP, set_backend(self->fd, BIT_ULL(63)));
}

TEST_F(abi, desc_asid_needs_iotlb_asid)
{
	uint64_t desc = BIT_ULL(VHOST_BACKEND_F_DESC_ASID);

	self->fd = again(_metadata, &self->dev, "nas=2 ngroups=2");
	EXPECT_ERRNO(EINVAL, set_backend(self->fd, desc));
	EXPECT_ERRNO(0, set_backend(self->fd, desc |
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)));
}

TEST_F(abi, suspend_before_driver_ok_does_nothing)
{
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(0, mock_count(&self->dev, "suspend"));
	EXPECT_EQ(0, mock_count(&self->dev, "resume"));
}

TEST_F(abi, suspend_and_resume_reach_the_device)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ(1, mock_state(&self->dev, "suspended"));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(0, mock_state(&self->dev, "suspended"));
}

TEST_F(abi, suspend_without_the_operation_is_eopnotsupp)
{
	self->fd = again(_metadata, &self->dev, "without=suspend,resume");
	ASSERT_ERRNO(0, start(self->fd));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_VDPA_RESUME));
}

TEST_F(abi, suspend_that_fails_leaves_the_device_running)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "suspend errno 5 1"));
	EXPECT_ERRNO(EIO, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	/* Were it taken for suspended, this would be allowed. */
	EXPECT_ERRNO(EBUSY, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 16));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
}

TEST_F(abi, reset_ends_the_suspension)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	ASSERT_ERRNO(0, start(self->fd));
	mock_forget(&self->dev);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ(1, mock_count(&self->dev, "suspend"));
}

/* Upstream's simulator starts to run again, and vhost_vdpa does not know. */
TEST_F(abi, status_does_not_wake_a_suspended_device)
{
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	mock_forget(&self->dev);
	set_status(self->fd, STATUS_RUNNING);
	EXPECT_EQ(0, mock_count(&self->dev, "set_status"));
}

/* QEMU tells by this very errno that a device has no groups. */
TEST_F(abi, group_of_a_queue_without_the_operation_is_eopnotsupp)
{
	self->fd = again(_metadata, &self->dev,
			 "without=get_vq_group,get_vq_desc_group,get_vq_size");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_get(self->fd, VHOST_VDPA_GET_VRING_GROUP, 0));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_get(self->fd, VHOST_VDPA_GET_VRING_DESC_GROUP, 0));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_get(self->fd, VHOST_VDPA_GET_VRING_SIZE, 0));
}

TEST_F(abi, group_of_a_queue_is_told)
{
	self->fd = again(_metadata, &self->dev, "nvqs=4 ngroups=2 nas=2");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_EQ(0, vq_get(self->fd, VHOST_VDPA_GET_VRING_GROUP, 2));
	EXPECT_EQ(1, vq_get(self->fd, VHOST_VDPA_GET_VRING_GROUP, 3));
	EXPECT_EQ(1, vq_get(self->fd, VHOST_VDPA_GET_VRING_DESC_GROUP, 2));
}

TEST_F(abi, group_that_is_not_there_is_eio)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "get_vq_group value 1"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				"get_vq_desc_group value 4294967295"));
	EXPECT_ERRNO(EIO, vq_get(self->fd, VHOST_VDPA_GET_VRING_GROUP, 0));
	EXPECT_ERRNO(EIO, vq_get(self->fd, VHOST_VDPA_GET_VRING_DESC_GROUP, 0));
}

TEST_F(abi, group_asid_is_set_within_bounds)
{
	unsigned long cmd = VHOST_VDPA_SET_GROUP_ASID;

	self->fd = again(_metadata, &self->dev, "nvqs=8 ngroups=2 nas=3");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, vq_state(self->fd, cmd, 1, 2));
	EXPECT_EQ(2, mock_state(&self->dev, "group1"));
	mock_forget(&self->dev);
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, cmd, 2, 0));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, cmd, 0, 3));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, cmd, 2, 3));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, cmd, 0, UINT32_MAX));
	EXPECT_EQ(0, mock_count(&self->dev, "set_group_asid"));
	EXPECT_EQ(0, mock_state(&self->dev, "group0"));
}

TEST_F(abi, group_asid_without_the_operation_is_eopnotsupp)
{
	self->fd = again(_metadata, &self->dev, "without=set_group_asid nas=2");
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_state(self->fd, VHOST_VDPA_SET_GROUP_ASID, 0, 1));
}

TEST_F(abi, group_asid_error_is_passed_on)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_EQ(0, mock_write(&self->dev, "inject",
				"set_group_asid errno 28"));
	EXPECT_ERRNO(ENOSPC,
		     vq_state(self->fd, VHOST_VDPA_SET_GROUP_ASID, 0, 0));
}

TEST_HARNESS_MAIN
