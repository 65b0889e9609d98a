// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that a new device asks for: its default driver, if nobody drives it.
 *
 * Each test begins without a bus driver. Loading is not waited for by the one
 * who adds the device, so the tests wait.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARAMETER	"/sys/module/vdpa/parameters/default_driver"
#define MANY		20

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

static bool comes_to(const char *name, const char *driver)
{
	long end = now_ms() + 15000;

	while (!driven_by(name, driver) && now_ms() < end)
		usleep(20000);
	return driven_by(name, driver);
}

static bool stays_unbound(const char *name)
{
	sleep(2);
	return driven_by(name, "");
}

FIXTURE(autoload) {
	struct nl nl;
	bool had_virtio;
};

FIXTURE_SETUP(autoload)
{
	const char *reason = mock_nl_open(&self->nl);

	if (reason)
		SKIP(return, "%s", reason);
	self->had_virtio = loaded("virtio_vdpa");
	if (self->had_virtio)
		ASSERT_EQ(0, unload("virtio_vdpa"));
	if (loaded("vhost_vdpa"))
		ASSERT_EQ(0, unload("vhost_vdpa"));
}

FIXTURE_TEARDOWN(autoload)
{
	file_write("vhost_vdpa", PARAMETER);
	mock_nl_close(&self->nl, "al");
	/* Not for ever: what modprobe(8) has begun has to end. */
	if (loaded("virtio_vdpa") && !self->had_virtio)
		unload("virtio_vdpa");
	run_command("modprobe vhost_vdpa");
	if (self->had_virtio)
		run_command("modprobe virtio_vdpa");
}

TEST_F(autoload, a_device_loads_its_default_driver)
{
	char text[64];

	ASSERT_EQ(0, file_read(text, sizeof(text), PARAMETER));
	EXPECT_STREQ("vhost_vdpa\n", text);
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	EXPECT_TRUE(comes_to("al0", "vhost_vdpa"));
}

/* Its driver resets it before its peer is a network interface. */
TEST_F(autoload, a_nic_may_be_taken_at_once)
{
	if (!nl_has_mgmtdev(&self->nl, "vdpa_net"))
		SKIP(return, "no management device vdpa_net");
	ASSERT_EQ(0, run_command("modprobe virtio_vdpa"));
	ASSERT_EQ(0, nl_add(&self->nl, "vdpa_net", "al0"));
	EXPECT_TRUE(driven_by("al0", "virtio_vdpa"));
	EXPECT_EQ(0, nl_del(&self->nl, "al0"));
	EXPECT_EQ(0, run_command("rmmod virtio_vdpa"));
}

TEST_F_TIMEOUT(autoload, many_devices_get_their_driver, 90)
{
	char name[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "al%d", i);
		ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	}
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "al%d", i);
		EXPECT_TRUE(comes_to(name, "vhost_vdpa"));
	}
}

TEST_F(autoload, the_parameter_names_the_driver)
{
	if (run_command("modinfo virtio_vdpa"))
		SKIP(return, "no virtio_vdpa");
	ASSERT_EQ(0, file_write("virtio_vdpa\n", PARAMETER));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	EXPECT_TRUE(comes_to("al0", "virtio_vdpa"));
	EXPECT_FALSE(loaded("vhost_vdpa"));
}

TEST_F(autoload, without_a_name_nothing_is_loaded)
{
	ASSERT_EQ(0, file_write("\n", PARAMETER));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	EXPECT_TRUE(stays_unbound("al0"));
	EXPECT_FALSE(loaded("vhost_vdpa"));
	/* And by hand it can be had. */
	EXPECT_EQ(0, run_command("modprobe vhost_vdpa"));
	EXPECT_TRUE(driven_by("al0", "vhost_vdpa"));
}

TEST_F(autoload, a_name_that_is_none_does_no_harm)
{
	ASSERT_EQ(0, file_write("no_such_driver", PARAMETER));
	EXPECT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	EXPECT_TRUE(stays_unbound("al0"));
	EXPECT_EQ(0, nl_del(&self->nl, "al0"));
}

TEST_F(autoload, a_device_that_is_driven_loads_nothing)
{
	if (run_command("modprobe virtio_vdpa"))
		SKIP(return, "no virtio_vdpa");
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	EXPECT_TRUE(driven_by("al0", "virtio_vdpa"));
	sleep(2);
	EXPECT_FALSE(loaded("vhost_vdpa"));
}

TEST_F(autoload, the_alias_tells_class_and_vendor)
{
	char text[1024];

	ASSERT_EQ(0, file_write("2", MOCK "/next/device_id"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "al0"));
	ASSERT_EQ(0, file_read(text, sizeof(text),
			       BUS "/devices/al0/uevent"));
	EXPECT_NE(NULL, strstr(text, "MODALIAS=vdpa:d00000002v6D6F636B\n"))
		TH_LOG("%s", text);
}

TEST_HARNESS_MAIN
