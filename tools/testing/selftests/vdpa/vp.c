// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio-pci function through vp_vdpa: what /dev/vhost-vdpa-N answers, what
 * its management device refuses, and that making and deleting devices costs
 * nothing. The function is the NIC of the machine that scripts/check vp boots,
 * each of whose virtqueues has its page to kick it; skips elsewhere.
 */
#include "common.h"

#include <limits.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "dev.h"
#include "files.h"
#include "mem.h"
#include "nl.h"
#include "vhost.h"
#include "vpdev.h"

#define NAME		"vp0"
#define NVQS		3
#define NO_SUCH_FEATURE	BIT_ULL(50)
#define WINDOWS		5
#define ROUNDS		200	/* devices in each */
/* Unmapped registers: the kernel keeps their areas, 72 bytes, for a while. */
#define NOISE_KIB	64

static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static int add_with(struct nl *nl, const char *name, uint64_t features)
{
	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, VP_FUNCTION);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	if (features)
		nl_put_u64(nl, VDPA_ATTR_DEV_FEATURES, features);
	return nl_do(nl);
}

FIXTURE(vp) {
	struct nl nl;
	int fd;
};

FIXTURE_SETUP(vp)
{
	const char *why = vp_take();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, nl_open(&self->nl));
	ASSERT_EQ(0, add_with(&self->nl, NAME, 0));
	self->fd = vhost_open(NAME);
	ASSERT_LE(0, self->fd);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
}

FIXTURE_TEARDOWN(vp)
{
	close(self->fd);
	if (vdpa_exists(NAME))
		EXPECT_EQ(0, nl_del(&self->nl, NAME));
	nl_close(&self->nl);
	vp_give_back();
}

TEST_F(vp, tells_what_the_function_has)
{
	uint32_t value = 0;
	uint16_t num = 0;
	uint8_t got[6] = {};

	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_DEVICE_ID, &value));
	EXPECT_EQ(1, value);
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_VQS_COUNT, &value));
	EXPECT_EQ(NVQS, value);
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_VRING_NUM, &num));
	EXPECT_EQ(256, num);
	value = 0;
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_CONFIG_SIZE, &value));
	EXPECT_LE(sizeof(mac), value);
	EXPECT_ERRNO(0, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0,
				  sizeof(got), got));
	EXPECT_EQ(0, memcmp(mac, got, sizeof(mac)));
}

/* QEMU has 256 descriptors for data, and 64 for commands. */
TEST_F(vp, each_queue_has_its_size)
{
	EXPECT_EQ(256, vq_get(self->fd, VHOST_VDPA_GET_VRING_SIZE, 0));
	EXPECT_EQ(256, vq_get(self->fd, VHOST_VDPA_GET_VRING_SIZE, 1));
	EXPECT_EQ(64, vq_get(self->fd, VHOST_VDPA_GET_VRING_SIZE, 2));
}

TEST_F(vp, offers_what_a_device_behind_an_iommu_must)
{
	const uint64_t must = BIT_ULL(VIRTIO_F_VERSION_1) |
			      BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	struct vhost_vdpa_iova_range range = {};
	uint64_t features = 0;

	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_GET_FEATURES, &features));
	EXPECT_EQ(must, features & must);
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_GT(range.last, range.first);
	/* What the platform's IOMMU has, not all there is. */
	EXPECT_NE(UINT64_MAX, range.last);
}

TEST_F(vp, does_not_say_that_it_can_suspend)
{
	uint64_t features = 0;

	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_GET_BACKEND_FEATURES, &features));
	EXPECT_EQ(0, features & (BIT_ULL(VHOST_BACKEND_F_SUSPEND) |
				 BIT_ULL(VHOST_BACKEND_F_RESUME)));
}

/* virtio-pci has no register for where a queue begins, or is. */
TEST_F(vp, position_of_a_queue_is_not_to_be_set)
{
	EXPECT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 0));
	EXPECT_ERRNO(EOPNOTSUPP,
		     vq_state(self->fd, VHOST_SET_VRING_BASE, 0, 1));
}

TEST_F(vp, position_of_a_queue_that_runs_is_not_known)
{
	const uint64_t features = BIT_ULL(VIRTIO_F_VERSION_1) |
				  BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	void *mem = mem_anon(SZ_64K);
	uint8_t status = STATUS_ACK;

	EXPECT_EQ(0, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, SZ_64K, mem,
				  VHOST_ACCESS_RW));
	ASSERT_ERRNO(0, set_status(self->fd, status));
	ASSERT_ERRNO(0, set_status(self->fd, status |= STATUS_DRIVER));
	ASSERT_ERRNO(0, set_features(self->fd, features));
	ASSERT_ERRNO(0, set_status(self->fd, status |= STATUS_FEATURES_OK));
	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_SET_VRING_NUM, 0, 256));
	ASSERT_ERRNO(0, vq_addr(self->fd, 0, 0, 0x2000, 0x3000));
	ASSERT_ERRNO(0, vq_state(self->fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1));
	ASSERT_ERRNO(0, set_status(self->fd, status |= STATUS_DRIVER_OK));
	EXPECT_EQ(STATUS_RUNNING, get_status(self->fd));
	EXPECT_EQ(-1, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_VDPA_SUSPEND));

	/* And from the beginning after a reset. */
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_EQ(0, get_status(self->fd));
	EXPECT_EQ(0, vq_get(self->fd, VHOST_GET_VRING_BASE, 0));
	munmap(mem, SZ_64K);
}

TEST_F(vp, ring_that_is_too_large_is_refused)
{
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, VHOST_SET_VRING_NUM, 2, 512));
}

TEST_F(vp, doorbell_is_of_no_use_once_the_function_is_unbound)
{
	uint32_t *page[NVQS];
	int i;

	for (i = 0; i < NVQS; i++) {
		page[i] = doorbell_map(self->fd, i, SZ_4K, PROT_WRITE,
				       MAP_SHARED);
		ASSERT_NE(MAP_FAILED, (void *)page[i]);
		EXPECT_EQ(0, mem_store(page[i], i));
	}
	ASSERT_EQ(0, file_write(VP_FUNCTION, PCI "/drivers/" VP_DRIVER "/unbind"));
	for (i = 0; i < NVQS; i++)
		EXPECT_EQ(SIGBUS, mem_store(page[i], i));
	EXPECT_EQ(-1, get_status(self->fd));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_FALSE(vdpa_exists(NAME));
}

TEST_F(vp, second_device_is_refused)
{
	EXPECT_REFUSED(EBUSY, "Function has a device already: " NAME,
		       add_with(&self->nl, "vp1", 0));
	EXPECT_FALSE(vdpa_exists("vp1"));
	EXPECT_EQ(0, get_status(self->fd));
}

/* Has a function, but no device on it yet. */
FIXTURE(function) {
	struct nl nl;
};

FIXTURE_SETUP(function)
{
	const char *why = vp_take();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, nl_open(&self->nl));
}

FIXTURE_TEARDOWN(function)
{
	if (vdpa_exists(NAME))
		EXPECT_EQ(0, nl_del(&self->nl, NAME));
	nl_close(&self->nl);
	vp_give_back();
}

TEST_F(function, features_that_it_lacks_are_refused)
{
	EXPECT_EQ(-EINVAL, add_with(&self->nl, NAME,
				    BIT_ULL(VIRTIO_F_VERSION_1) |
				    NO_SUCH_FEATURE));
	EXPECT_STRNE("", self->nl.extack);
	EXPECT_FALSE(vdpa_exists(NAME));
}

TEST_F(function, fewer_features_may_be_offered)
{
	const uint64_t want = BIT_ULL(VIRTIO_F_VERSION_1) |
			      BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
			      BIT_ULL(VIRTIO_NET_F_MAC);
	uint64_t features = 0;
	int fd;

	ASSERT_EQ(0, add_with(&self->nl, NAME, want));
	fd = vhost_open(NAME);
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(0, ioctl(fd, VHOST_GET_FEATURES, &features));
	EXPECT_EQ(want, features);
	close(fd);
}

TEST_F(function, address_of_another_device_is_refused_with_words)
{
	nl_start(&self->nl, VDPA_CMD_DEV_NEW);
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
	nl_put_str(&self->nl, VDPA_ATTR_MGMTDEV_DEV_NAME, VP_FUNCTION);
	nl_put_str(&self->nl, VDPA_ATTR_DEV_NAME, NAME);
	nl_put(&self->nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, mac, sizeof(mac));
	EXPECT_EQ(-EOPNOTSUPP, nl_do(&self->nl));
	EXPECT_STRNE("", self->nl.extack);
	EXPECT_FALSE(vdpa_exists(NAME));
}

/* What the kernel's allocators of small things hold. */
static long slab_kib(void)
{
	static char text[8192];
	const char *line;

	if (file_read(text, sizeof(text), "/proc/meminfo"))
		return -1;
	line = strstr(text, "SUnreclaim:");
	return line ? atol(line + strlen("SUnreclaim:")) : -1;
}

static int add_and_delete(struct nl *nl, int rounds)
{
	int err = 0;

	while (rounds-- && !err) {
		err = add_with(nl, NAME, 0);
		if (!err)
			err = nl_del(nl, NAME);
	}
	return err;
}

/* What is lost is lost each time; what else the kernel does, is not. */
TEST_F_TIMEOUT(function, devices_that_come_and_go_cost_no_memory, 120)
{
	long least = LONG_MAX, before, grown;
	int i;

	/* KASAN keeps what is freed until it has enough of it. */
	for (i = 0; i < WINDOWS * slowness() && least > NOISE_KIB; i++) {
		before = slab_kib();
		ASSERT_LT(0, before);
		ASSERT_EQ(0, add_and_delete(&self->nl, ROUNDS));
		/* Devices and sysfs are freed after a grace period. */
		sleep(1);
		grown = slab_kib() - before;
		TH_LOG("%d devices, %ld KiB", ROUNDS, grown);
		least = grown < least ? grown : least;
	}
	EXPECT_GE(NOISE_KIB, least);
}

TEST_HARNESS_MAIN
