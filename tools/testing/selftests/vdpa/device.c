// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a device: registered or refused, bound, unbound, deleted, and what
 * is left when modules go, whoever still holds what.
 *
 * The parent is vdpa_mock. Bus drivers are our vhost_vdpa and, where the
 * kernel has it, virtio_vdpa.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mem.h"
#include "mockdev.h"
#include "nl.h"
#include "vhost.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/vhost.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DRIVERS	BUS "/drivers"

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static bool loaded(const char *module)
{
	return file_exists("/sys/module/%s/initstate", module);
}

static bool driven_by(const char *name, const char *driver)
{
	return !strcmp(link_name(BUS "/devices/%s/driver", name), driver);
}

FIXTURE(device) {
	struct nl nl;
};

FIXTURE_SETUP(device)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN(device)
{
	mock_nl_close(&self->nl, "dt");
}

TEST_F(device, is_found_in_sysfs_under_its_parent)
{
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	EXPECT_TRUE(file_exists("/sys/devices/vdpa_mock/dt0"));
	EXPECT_STREQ("dt0", link_name(BUS "/devices/dt0"));
	EXPECT_STREQ("vdpa", link_name(BUS "/devices/dt0/subsystem"));
	EXPECT_TRUE(file_exists(BUS "/devices/dt0/driver_override"));
	ASSERT_EQ(0, nl_del(&self->nl, "dt0"));
	EXPECT_FALSE(file_exists("/sys/devices/vdpa_mock/dt0"));
	EXPECT_FALSE(file_exists(BUS "/devices/dt0"));
}

static const char * const mandatory_ops[] = {
	"set_vq_address", "set_vq_num", "kick_vq", "set_vq_cb",
	"set_vq_ready", "get_vq_ready", "set_vq_state", "get_vq_state",
	"get_vq_align", "get_device_features", "set_driver_features",
	"get_driver_features", "set_config_cb", "get_vq_num_max",
	"get_device_id", "get_vendor_id", "get_status", "set_status",
	"reset", "get_config_size", "get_config", "set_config",
};

TEST_F(device, without_a_mandatory_operation_is_refused_by_name)
{
	char text[128];
	unsigned int i;
	int log;

	log = log_open();
	ASSERT_LE(0, log);
	for (i = 0; i < ARRAY_SIZE(mandatory_ops); i++) {
		ASSERT_EQ(0, file_write(mandatory_ops[i],
					MOCK "/next/without"));
		EXPECT_EQ(-EINVAL, nl_add(&self->nl, MOCKDEV, "dt0"));
		EXPECT_FALSE(file_exists(BUS "/devices/dt0"));
		snprintf(text, sizeof(text), "dt0: parent lacks the mandatory operation %s\n",
			 mandatory_ops[i]);
		EXPECT_TRUE(log_says(log, text)) TH_LOG("row %u", i);
	}
	close(log);
	ASSERT_EQ(0, file_write("1", MOCK "/next/default"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
}

TEST_F(device, without_an_optional_operation_is_taken)
{
	static const char * const ops[] = {
		"kick_vq_with_data", "get_vendor_vq_stats", "get_vq_irq",
		"get_vq_size", "get_vq_group", "get_vq_desc_group",
		"get_backend_features", "get_vq_num_min", "compat_reset",
		"suspend", "resume", "get_generation", "get_iova_range",
		"reset_map", "set_group_asid",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ASSERT_EQ(0, file_write(ops[i], MOCK "/next/without"));
		EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"))
			TH_LOG("row %u: %s", i, self->nl.extack);
		EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt0"));
		EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_CONFIG_GET,
				    "dt0"));
		EXPECT_EQ(0, nl_del(&self->nl, "dt0"));
	}
}

TEST_F(device, that_maps_but_cannot_unmap_is_refused)
{
	ASSERT_EQ(0, file_write("dma_unmap", MOCK "/next/without"));
	EXPECT_EQ(-EINVAL, nl_add(&self->nl, MOCKDEV, "dt0"));
	ASSERT_EQ(0, file_write("dma_map", MOCK "/next/without"));
	EXPECT_EQ(-EINVAL, nl_add(&self->nl, MOCKDEV, "dt0"));
}

TEST_F(device, that_takes_user_addresses_must_map_them_itself)
{
	ASSERT_EQ(0, file_write("va", MOCK "/next/mapping"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	ASSERT_EQ(0, file_write("dma_map dma_unmap", MOCK "/next/without"));
	EXPECT_EQ(-EINVAL, nl_add(&self->nl, MOCKDEV, "dt1"));
}

TEST_F(device, of_65535_queues_is_shown)
{
	ASSERT_EQ(0, file_write("65535", MOCK "/next/nvqs"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt0"));
	EXPECT_EQ(65535, nl_num(&self->nl.reply, VDPA_ATTR_DEV_MAX_VQS));
}

TEST_F_TIMEOUT(device, may_be_added_again_at_once_500_times, 120)
{
	int i;

	for (i = 0; i < 500; i++) {
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
		ASSERT_EQ(0, nl_del(&self->nl, "dt0"));
	}
}

/* One thread of several that get in each other's way. */
struct worker {
	pthread_t thread;
	unsigned int seed;
	bool *stop;
	unsigned int done;
	struct nl nl;
};

static void work(struct worker *w)
{
	char name[8];

	snprintf(name, sizeof(name), "dt%u", rand_r(&w->seed) % 3);
	switch (rand_r(&w->seed) % 6) {
	case 0:
	case 1:
		nl_add(&w->nl, MOCKDEV, name);
		break;
	case 2:
		nl_del(&w->nl, name);
		break;
	case 3:
		nl_get(&w->nl, VDPA_CMD_DEV_CONFIG_GET, name);
		break;
	case 4:
		file_write(name, DRIVERS "/vhost_vdpa/unbind");
		break;
	case 5:
		file_write(name, BUS "/drivers_probe");
		break;
	}
	w->done++;
}

static void *worker(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED))
		work(w);
	return NULL;
}

TEST_F(device, survives_four_who_disagree_about_it)
{
	static struct worker workers[4];
	bool stop = false;
	int i;

	for (i = 0; i < 4; i++) {
		workers[i].seed = i;
		workers[i].stop = &stop;
		ASSERT_EQ(0, nl_open(&workers[i].nl));
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, worker,
					    &workers[i]));
	}
	sleep(4);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		nl_close(&workers[i].nl);
		EXPECT_LT(10, workers[i].done);
	}
	EXPECT_EQ(0, nl_del_all(&self->nl, "dt"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
}

/* A device that vhost_vdpa drives. */
FIXTURE(bound) {
	struct nl nl;
};

FIXTURE_SETUP(bound)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
	if (!file_exists(DRIVERS "/vhost_vdpa"))
		SKIP(return, "vhost_vdpa is not loaded");
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	if (!driven_by("dt0", "vhost_vdpa"))
		SKIP(return, "another driver was faster");
}

FIXTURE_TEARDOWN(bound)
{
	mock_nl_close(&self->nl, "dt");
}

TEST_F(bound, is_unbound_and_bound_by_hand)
{
	int i;

	EXPECT_TRUE(file_exists(DRIVERS "/vhost_vdpa/dt0"));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, file_write("dt0", DRIVERS "/vhost_vdpa/unbind"));
		EXPECT_STREQ("", link_name(BUS "/devices/dt0/driver"));
		EXPECT_FALSE(file_exists(DRIVERS "/vhost_vdpa/dt0"));
		EXPECT_EQ(-ENODEV,
			  file_write("dt0", DRIVERS "/vhost_vdpa/unbind"));
		/* It is still there, and shown. */
		EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt0"));
		ASSERT_EQ(0, file_write("dt0", DRIVERS "/vhost_vdpa/bind"));
		EXPECT_TRUE(driven_by("dt0", "vhost_vdpa"));
	}
}

TEST_F(bound, driver_override_decides)
{
	char text[64];

	EXPECT_EQ(0, file_read(text, sizeof(text),
			       BUS "/devices/dt0/driver_override"));
	EXPECT_STREQ("(null)\n", text);
	ASSERT_EQ(0, file_write("no_such_driver\n",
				BUS "/devices/dt0/driver_override"));
	EXPECT_EQ(0, file_read(text, sizeof(text),
			       BUS "/devices/dt0/driver_override"));
	EXPECT_STREQ("no_such_driver\n", text);

	ASSERT_EQ(0, file_write("dt0", DRIVERS "/vhost_vdpa/unbind"));
	file_write("dt0", BUS "/drivers_probe");
	EXPECT_STREQ("", link_name(BUS "/devices/dt0/driver"));
	EXPECT_EQ(-ENODEV, file_write("dt0", DRIVERS "/vhost_vdpa/bind"));

	ASSERT_EQ(0, file_write("vhost_vdpa",
				BUS "/devices/dt0/driver_override"));
	EXPECT_EQ(0, file_write("dt0", BUS "/drivers_probe"));
	EXPECT_TRUE(driven_by("dt0", "vhost_vdpa"));

	ASSERT_EQ(0, file_write("\n", BUS "/devices/dt0/driver_override"));
	EXPECT_EQ(0, file_read(text, sizeof(text),
			       BUS "/devices/dt0/driver_override"));
	EXPECT_STREQ("(null)\n", text);
}

TEST_F_TIMEOUT(bound, moves_to_virtio_vdpa_and_back, 60)
{
	bool was_loaded = loaded("virtio_vdpa");

	if (run_command("modprobe virtio_vdpa"))
		SKIP(return, "this kernel has no virtio_vdpa");
	EXPECT_TRUE(driven_by("dt0", "vhost_vdpa"));
	ASSERT_EQ(0, file_write("virtio_vdpa",
				BUS "/devices/dt0/driver_override"));
	ASSERT_EQ(0, file_write("dt0", DRIVERS "/vhost_vdpa/unbind"));
	EXPECT_EQ(0, file_write("dt0", BUS "/drivers_probe"));
	EXPECT_TRUE(driven_by("dt0", "virtio_vdpa"));
	ASSERT_EQ(0, file_write("vhost_vdpa",
				BUS "/devices/dt0/driver_override"));
	ASSERT_EQ(0, file_write("dt0", DRIVERS "/virtio_vdpa/unbind"));
	EXPECT_EQ(0, file_write("dt0", BUS "/drivers_probe"));
	EXPECT_TRUE(driven_by("dt0", "vhost_vdpa"));
	if (!was_loaded)
		EXPECT_EQ(0, unload("virtio_vdpa"));
}

TEST_F(bound, queues_smaller_than_their_least_size_are_not_driven)
{
	ASSERT_EQ(0, file_write("0", MOCK "/next/vq_num_max"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt1"));
	EXPECT_STREQ("", link_name(BUS "/devices/dt1/driver"));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt1"));
}

/* Whether vhost_vdpa is ours: the kernel's waits for user space. */
static bool ours(void)
{
	char taint[16] = "";

	file_read(taint, sizeof(taint), "/sys/module/vhost_vdpa/taint");
	return strchr(taint, 'O');
}

/* Read it, and write what it cannot mean; whatever it answers. */
static int try_attribute(const char *path, const struct stat *stat, int type,
			 struct FTW *where)
{
	static const char * const texts[] = { "", "\n", "-1", "%s%n" };
	char text[4096];
	int i;

	if (type != FTW_F)
		return 0;
	file_read(text, sizeof(text), "%s", path);
	for (i = 0; stat->st_mode & 0222 && i < ARRAY_SIZE(texts); i++)
		file_write(texts[i], "%s", path);
	return 0;
}

TEST_F(bound, is_not_harmed_through_its_attributes)
{
	/* Those of its char device are below it. */
	EXPECT_EQ(0, nftw("/sys/devices/vdpa_mock", try_attribute, 8,
			  FTW_PHYS));
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt0"));
	EXPECT_EQ(0, nl_del(&self->nl, "dt0"));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	EXPECT_TRUE(driven_by("dt0", "vhost_vdpa"));
}

TEST_F(bound, is_deleted_while_a_file_is_open)
{
	uint32_t id;
	long start;
	int fd;

	if (!ours())
		SKIP(return, "not our vhost_vdpa");
	fd = vhost_open("dt0");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, VHOST_VDPA_GET_DEVICE_ID, &id));
	start = now_ms();
	EXPECT_EQ(0, nl_del(&self->nl, "dt0"));
	EXPECT_GT(1000, now_ms() - start);
	EXPECT_EQ(-1, ioctl(fd, VHOST_VDPA_GET_DEVICE_ID, &id));
	EXPECT_EQ(ENODEV, errno);
	/* Its name is free, though its memory is not. */
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "dt0"));
	close(fd);
	EXPECT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, "dt0"));
}

TEST_F_TIMEOUT(bound, the_module_of_the_parent_goes_while_a_file_is_open, 60)
{
	uint32_t id;
	int fd;

	if (!ours())
		SKIP(return, "not our vhost_vdpa");
	fd = vhost_open("dt0");
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, unload("vdpa_mock"));
	EXPECT_FALSE(file_exists(BUS "/devices/dt0"));
	EXPECT_EQ(-1, ioctl(fd, VHOST_VDPA_GET_DEVICE_ID, &id));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-EAGAIN, unload("vhost_vdpa"));
	close(fd);
	EXPECT_EQ(0, run_command("modprobe vdpa_mock"));
}

/* From those that use others to those that are used. */
static const char * const modules[] = {
	"vdpa_mock", "vdpa_net", "vdpa_blk", "vdpa_soft", "vdpa_ring",
	"vhost_vdpa", "virtio_vdpa", "vduse", "vdpa",
};

FIXTURE(modules) {
	bool had[ARRAY_SIZE(modules)];
};

static void load(const bool *had)
{
	int i;

	for (i = ARRAY_SIZE(modules) - 1; i >= 0; i--)
		if (had[i] && !loaded(modules[i]))
			run_command("modprobe %s", modules[i]);
}

FIXTURE_SETUP(modules)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(modules); i++)
		self->had[i] = loaded(modules[i]);
	if (!self->had[0])
		SKIP(return, "vdpa_mock is not loaded");
}

FIXTURE_TEARDOWN(modules)
{
	load(self->had);
}

TEST_F(modules, vdpa_stays_while_anything_uses_it)
{
	EXPECT_EQ(-EAGAIN, unload("vdpa"));
	EXPECT_TRUE(loaded("vdpa"));
}

TEST_F(modules, limit_of_the_map_is_kept)
{
	int first, second, third;
	struct mockdev dev;
	char *mem = mem_anon(SZ_4K);

	ASSERT_EQ(0, unload("vhost_vdpa"));
	ASSERT_EQ(0, run_command("modprobe vhost_vdpa max_iotlb_entries=2"));
	ASSERT_EQ(0, mock_own(&dev, ""));
	first = errno_of(iotlb_map(dev.fd, 0, 0x1000, SZ_4K, mem, 3));
	second = errno_of(iotlb_map(dev.fd, 0, 0x3000, SZ_4K, mem, 3));
	third = errno_of(iotlb_map(dev.fd, 0, 0x5000, SZ_4K, mem, 3));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n0 0x3000 0x3fff 3\n", mock_map(&dev));
	EXPECT_STREQ("", mock_del(&dev));
	EXPECT_EQ(0, unload("vhost_vdpa"));
	EXPECT_EQ(0, first);
	EXPECT_EQ(0, second);
	EXPECT_EQ(ENOSPC, third);
}

TEST_F_TIMEOUT(modules, go_and_come_ten_times_with_devices_there, 200)
{
	int i, round;

	for (round = 0; round < 10; round++) {
		EXPECT_EQ(0, vdpa_add("dt0", MOCKDEV));
		EXPECT_EQ(0, vdpa_add("dt1", MOCKDEV));
		for (i = 0; i < ARRAY_SIZE(modules); i++)
			if (loaded(modules[i]))
				EXPECT_EQ(0, unload(modules[i]))
					TH_LOG("module %d", i);
		EXPECT_FALSE(file_exists(BUS));
		load(self->had);
	}
}

TEST_HARNESS_MAIN
