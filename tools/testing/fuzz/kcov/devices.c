// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices for the inputs; see devices.h. Made by raw netlink: a program of its
 * own for each would take longer than the input.
 */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "blkconf.h"
#include "dev.h"
#include "mockdev.h"
#include "nl.h"
#include "surface.h"

#define BACKING		"/tmp/fuzz.img"
#define NAME_BYTES	256
#define BACKING_BYTES	(64 * 1024)

/* Two of all that a parent may have more than one of. */
#define SHAPE								\
	"nvqs=3 ngroups=2 nas=2 config_size=32 vq_num_max=64 doorbell=page " \
	"change=1 max_maps=16 mapping="

struct device devices[NR_DEVICES] = {
	[DEV_MOCK] = { "fz-mock", MOCKDEV, SHAPE "dma_map" },
	[DEV_MOCK_SET] = { "fz-set", MOCKDEV, SHAPE "set_map" },
	[DEV_MOCK_VA] = { "fz-va", MOCKDEV, SHAPE "va" },
	[DEV_MOCK_SET_VA] = { "fz-setva", MOCKDEV, SHAPE "set_map_va" },
	[DEV_SIM_NET] = { "fz-simnet", "vdpasim_net" },
	[DEV_SIM_BLK] = { "fz-simblk", "vdpasim_blk" },
	[DEV_NET] = { "fz-net", "vdpa_net" },
	[DEV_BLK] = { "fz-blk", "vdpa_blk" },
};

static struct nl nl;

struct nl *devices_nl(void)
{
	return &nl;
}

bool device_is_mock(const struct device *device)
{
	return device->knobs;
}

void device_find(struct device *device)
{
	if (!vhost_path(device->name, device->path, sizeof(device->path)))
		device->path[0] = '\0';
}

int device_add(struct device *device)
{
	int err = device->knobs ? mock_knobs(device->knobs) : 0;

	if (!err)
		err = nl_add(&nl, device->mgmtdev, device->name);
	device_find(device);
	return err;
}

int device_del(struct device *device)
{
	int err = nl_del(&nl, device->name);

	device->path[0] = '\0';
	return err;
}

int device_open(const struct device *device)
{
	return open(device->path, O_RDWR | O_CLOEXEC);
}

const char *devices_init(void)
{
	static char why[320];
	uint32_t i;
	int err;

	if (!mock_available() || !module_load("vdpa_net"))
		return "vhost_vdpa, vdpa_mock or vdpa_net cannot be loaded";
	if (conf_available())
		return conf_available();
	if (nl_open(&nl))
		return "there is no netlink family vdpa";
	if (nl_del_all(&nl, "fz-"))
		return "old devices cannot be deleted";
	if (disk_file(BACKING, BACKING_BYTES))
		return "there is no room for a disk";
	if (!file_exists(CONF "/%s", devices[DEV_BLK].name) &&
	    conf_make_on(devices[DEV_BLK].name, BACKING))
		return "a disk cannot be configured";
	for (i = 0; i < NR_DEVICES; i++) {
		err = device_add(&devices[i]);
		if (!err && devices[i].path[0])
			continue;
		snprintf(why, sizeof(why), "%s cannot be made: %s, %s",
			 devices[i].name, strerror(-err), nl.extack);
		return why;
	}
	return NULL;
}

/* Of the devices there are one that is none of ours, if there is any. */
static int find_other(const struct nl_reply *reply, void *arg)
{
	const char *name = nl_str(reply, VDPA_ATTR_DEV_NAME);
	uint32_t i;

	for (i = 0; i < NR_DEVICES; i++)
		if (!strcmp(name, devices[i].name))
			return 0;
	snprintf(arg, NAME_BYTES, "%s", name);
	return 1;
}

void devices_sweep(void)
{
	char name[NAME_BYTES];
	int err;

	for (;;) {
		nl_start(&nl, VDPA_CMD_DEV_GET);
		err = nl_dump(&nl, find_other, name);
		if (!err)
			return;
		if (err > 0)
			err = nl_del(&nl, name);
		if (err)
			wrong("%s cannot be deleted: %s", name, strerror(-err));
	}
}

void devices_restore(void)
{
	uint32_t i;
	int err;

	for (i = 0; i < NR_DEVICES; i++) {
		if (!devices[i].changed)
			continue;
		devices[i].changed = false;
		device_del(&devices[i]);
		err = device_add(&devices[i]);
		if (err || !devices[i].path[0])
			wrong("%s cannot be made again: %s, %s",
			      devices[i].name, strerror(-err), nl.extack);
	}
}
