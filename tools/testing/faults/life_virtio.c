// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device with the kernel's own driver: bound to virtio_vdpa,
 * upon which virtio_net or virtio_blk takes it, used, unbound.
 */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "nic.h"

/* The virtio device of a vDPA device: its name; "" if there is none. */
static const char *virtio_name(struct life *life)
{
	static char name[32];

	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "virtio%d", i);
		if (file_exists(BUS "/devices/%s/%s", life->name, name))
			return name;
	}
	return "";
}

static int bind_driver(struct life *life)
{
	return driver_bind("virtio_vdpa", life->name);
}

static int unbind_driver(struct life *life)
{
	return driver_unbind("virtio_vdpa", life->name);
}

/*
 * As life_settle(), one bus further. A virtio driver that could not take its
 * device has left FAILED there, and no other takes it before a reset.
 */
static int settle(struct life *life)
{
	const char *class = strstr(life->parent->name, "blk") ? "block" : "net";
	char entry[32];

	if (!file_exists("/sys/bus/virtio/devices/%s/driver",
			 virtio_name(life))) {
		unbind_driver(life);
		bind_driver(life);
	}
	return virtio_find(life->name, class, entry, sizeof(entry)) ?
	       0 : -ENOENT;
}

static int link_is(struct life *life, bool up)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};
	char nic[IFNAMSIZ];
	int err = 0;

	if (!nic_find(life->name, nic, sizeof(nic)))
		goto out;
	memcpy(ifr.ifr_name, nic, IFNAMSIZ);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		err = -errno;
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= ~IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &ifr))
		err = -errno;
out:
	close(fd);
	return err;
}

static int link_up(struct life *life)
{
	return link_is(life, true);
}

static int link_down(struct life *life)
{
	return link_is(life, false);
}

static const struct call calls[] = {
	{ "bind", bind_driver, settle },
	{ "link up", link_up },
	{ "link down", link_down },
	{ "unbind", unbind_driver },
};

static int begin(struct life *life)
{
	int err = life_begin(life);

	return err ?: driver_unbind("vhost_vdpa", life->name);
}

const struct scenario life_virtio = {
	"virtio", calls, ARRAY_SIZE(calls), begin, life_end,
	fault_range_modules, "virtio_vdpa",
};
