// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device that nobody uses: added, looked at, changed, removed.
 */
#include "faults.h"

#include <errno.h>
#include <linux/vdpa.h>
#include <string.h>

#include "dev.h"
#include "files.h"

int life_add(struct life *life)
{
	struct nl *nl = &life->nl;

	nl_start(nl, VDPA_CMD_DEV_NEW);
	if (life->parent->bus)
		nl_put_str(nl, VDPA_ATTR_MGMTDEV_BUS_NAME, life->parent->bus);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, life->parent->mgmtdev);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, life->name);
	return nl_do(nl);
}

/*
 * A bus driver that could not take the device is no reason for the driver core
 * not to add it: it is there, and can be bound.
 */
int life_settle(struct life *life)
{
	const char *driver = link_name(BUS "/devices/%s/driver", life->name);

	if (!strcmp(driver, "vhost_vdpa"))
		return 0;
	if (!vdpa_exists(life->name))
		return -ENODEV;
	if (*driver)
		driver_unbind(driver, life->name);
	return driver_bind("vhost_vdpa", life->name);
}

int life_begin(struct life *life)
{
	int err = life_add(life);

	return err ?: life_settle(life);
}

void life_end(struct life *life)
{
	drv_close(&life->drv);
	memset(life->drv.vq, 0, sizeof(life->drv.vq));
	life->drv.fd = 0;
	life->drv.nvqs = 0;
	if (vdpa_exists(life->name))
		nl_del(&life->nl, life->name);
}

static int count_messages(const struct nl_reply *reply, void *arg)
{
	return 0;
}

/* All that there is to be seen of it, by dumps and one by one. */
static int show(struct life *life)
{
	static const uint8_t commands[] = {
		VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
	};
	struct nl *nl = &life->nl;
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(commands) && !err; i++) {
		err = nl_get(nl, commands[i], life->name);
		if (err)
			break;
		nl_start(nl, commands[i]);
		err = nl_dump(nl, count_messages, NULL);
	}
	if (err)
		return err;
	nl_start(nl, VDPA_CMD_MGMTDEV_GET);
	err = nl_dump(nl, count_messages, NULL);
	if (err)
		return err;
	/* There may be none, and are none before a driver has negotiated. */
	err = nl_vstats(nl, life->name, 0);
	return err == -EOPNOTSUPP || err == -EAGAIN ? 0 : err;
}

static int override(struct life *life)
{
	return file_write("vhost_vdpa", BUS "/devices/%s/driver_override",
			  life->name);
}

static int unbind_driver(struct life *life)
{
	return driver_unbind("vhost_vdpa", life->name);
}

static int bind_driver(struct life *life)
{
	return driver_bind("vhost_vdpa", life->name);
}

static int del(struct life *life)
{
	return nl_del(&life->nl, life->name);
}

static const struct call calls[] = {
	{ "add", life_add, life_settle },
	{ "show", show },
	{ "override", override },
	{ "unbind", unbind_driver },
	{ "bind", bind_driver },
	{ "remove", del },
};

static int begin(struct life *life)
{
	return 0;
}

const struct scenario life_device = {
	"device", calls, ARRAY_SIZE(calls), begin, life_end,
	fault_range_modules,
};
