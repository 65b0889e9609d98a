// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that is unloaded and loaded again meets everybody who could use it:
 * a device of it that is in the middle of a call or of traffic, one that is
 * being added, listed or opened. It goes unless a file is open that keeps it,
 * and nothing of it is used afterwards.
 */
#include "race.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "blkdev.h"
#include "calls.h"
#include "dev.h"
#include "mem.h"
#include "nic.h"
#include "vhost.h"

#define NAME	"racemod"
#define FRAME	100
#define TRIES	8

/* What goes, the file it comes from, and whose devices are used. */
static struct {
	const char *name;
	const char *mgmtdev;
	const char *options;
	int file;
} module;

/* modinfo(8) knows which of several is meant. */
static int open_module(const char *name)
{
	char command[64], path[512] = "";
	FILE *out;

	snprintf(command, sizeof(command), "modinfo -n %s", name);
	out = popen(command, "re");
	if (!out)
		return -1;
	if (!fgets(path, sizeof(path), out))
		path[0] = '\0';
	pclose(out);
	path[strcspn(path, "\n")] = '\0';
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Read once: what loads it later reads memory. */
static int copy_of(int from)
{
	int to = memfd_create("module", MFD_CLOEXEC);
	static char buf[1 << 16];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			return -1;
	close(from);
	return to;
}

static const char *begin_module(const char *name, const char *mgmtdev)
{
	if (!module_load("vhost_vdpa") || !module_load("virtio_vdpa") ||
	    !module_load("virtio_net") || !module_load("vdpa_net") ||
	    !module_load(name))
		return "a module is not built";
	module.name = name;
	module.mgmtdev = mgmtdev;
	module.file = copy_of(open_module(name));
	return module.file < 0 ? "the module cannot be read" : NULL;
}

static int unload(void)
{
	return race_err(syscall(SYS_delete_module, module.name, O_NONBLOCK));
}

static int load(void)
{
	return race_err(syscall(SYS_finit_module, module.file,
				module.options ?: "", 0));
}

static int reload(struct race *r)
{
	return unload() ?: load();
}

/* A device that runs, if it is there: then the module that goes is its own. */
static const char *device_runs(struct race *r)
{
	nl_del(race_nl(), NAME);
	if (nl_add(race_nl(), module.mgmtdev, NAME))
		return "there is no device";
	r->drv.fd = -1;
	r->drv.size = 64;
	r->drv.mem = (uint8_t *)r->mem;
	drv_fill(drv_buf(1, &r->drv), FRAME, NULL, 0);
	return drv_start(&r->drv, NAME, r->mem) ? "it does not start" : NULL;
}

static const char *device_is_gone(struct race *r)
{
	bool gone = r->a.err || (get_status(r->drv.fd) < 0 && errno == ENODEV);

	close(r->drv.fd);
	return gone ? NULL : "a file answers as if there were a device";
}

/* What two files or a busy machine keep is there in the next round. */
static const char *end_module(struct race *r)
{
	nl_del(race_nl(), NAME);
	drv_close(&r->drv);
	close(module.file);
	return module_load(module.name) ? NULL : "the module is gone";
}

static const char *begin_net(struct race *r)
{
	r->mem = mem_anon(DRV_MEM);
	return begin_module("vdpa_net", "vdpasim_net");
}

static const char *begin_blk(struct race *r)
{
	r->mem = mem_anon(DRV_MEM);
	/* Its bytes belong to the module. */
	module.options = "shared_backend=1";
	return begin_module("vdpa_blk", blk_sim.mgmtdev);
}

static const char *begin_vhost(struct race *r)
{
	r->mem = mem_anon(DRV_MEM);
	return begin_module("vhost_vdpa", "vdpasim_net");
}

static const char *begin_virtio(struct race *r)
{
	return begin_module("virtio_vdpa", "vdpasim_net");
}

static int call_ioctls(struct race *r)
{
	const struct call *call = &calls[r->round % nr_calls];
	int err = 0;

	for (int i = 0; i < TRIES && err != -ENODEV; i++) {
		union call_arg arg = call_harmless(call->cmd);

		err = race_err(ioctl(r->drv.fd, call->cmd, &arg));
	}
	return err;
}

static int send_frames(struct race *r)
{
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	for (int i = 0; i < TRIES; i++) {
		struct drv_seg rx = { drv_buf_iova(2 + i), DRV_BUF, true };

		drv_post(&r->drv, DRV_RX, &rx, 1);
		drv_post(&r->drv, DRV_TX, &tx, 1);
	}
	return 0;
}

static int read_sectors(struct race *r)
{
	for (int i = 0; i < TRIES; i++) {
		struct drv_seg seg = { drv_buf_iova(2 + i), DRV_BUF, true };

		blk_begin(&r->drv, 0, i, VIRTIO_BLK_T_IN, i * 8, &seg, 1);
	}
	return 0;
}

static int add_and_delete(struct race *r)
{
	return nl_add(race_nl(), module.mgmtdev, NAME) ?:
	       nl_del(race_nl(), NAME);
}

static int nothing(const struct nl_reply *reply, void *arg)
{
	return 0;
}

static int list(struct race *r)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_MGMTDEV_GET, VDPA_CMD_DEV_GET,
		VDPA_CMD_DEV_CONFIG_GET,
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cmds) && !err; i++) {
		nl_start(race_nl(), cmds[i]);
		err = nl_dump(race_nl(), nothing, NULL);
	}
	return err;
}

/* Of VHOST_RESET_OWNER when repeated, of what a device that runs refuses. */
#define IOCTLS		{ call_ioctls, { ENODEV, EPERM, EBUSY, EINVAL, \
					 EOPNOTSUPP } }
/* ENODEV: the management device is not there, or the device not any more. */
#define ADDS		{ add_and_delete, { ENODEV } }
#define LISTS		{ list }

#define PARENT(_begin, _b) { {						\
	.a = { reload }, .b = _b, .begin = _begin,			\
	.before = device_runs, .after = device_is_gone,			\
	.end = end_module, .part = 12,					\
} }

/* EAGAIN: the device that is being added keeps it. */
#define BARE(_begin, _b) { {						\
	.a = { reload, { EAGAIN } }, .b = _b, .begin = _begin,		\
	.end = end_module, .part = 12,					\
} }

FIXTURE_VARIANT_ADD(race, net_goes_while_ioctls_are_made)
	PARENT(begin_net, IOCTLS);
FIXTURE_VARIANT_ADD(race, net_goes_while_frames_are_sent)
	PARENT(begin_net, { send_frames });
FIXTURE_VARIANT_ADD(race, net_goes_while_devices_are_listed)
	PARENT(begin_net, LISTS);
FIXTURE_VARIANT_ADD(race, net_goes_while_a_device_is_added)
	BARE(begin_net, ADDS);
FIXTURE_VARIANT_ADD(race, blk_goes_while_ioctls_are_made)
	PARENT(begin_blk, IOCTLS);
FIXTURE_VARIANT_ADD(race, blk_goes_while_sectors_are_read)
	PARENT(begin_blk, { read_sectors });
FIXTURE_VARIANT_ADD(race, blk_goes_while_devices_are_listed)
	PARENT(begin_blk, LISTS);
/* Upstream made devices before they had something to work with. */
FIXTURE_VARIANT_ADD(race, blk_goes_while_a_device_is_added)
	BARE(begin_blk, ADDS);

/* A bus driver: the device stays. */
static const char *device_is_there(struct race *r)
{
	if (!vdpa_exists(NAME) && nl_add(race_nl(), module.mgmtdev, NAME))
		return "there is no device";
	return NULL;
}

static const char *node_is_there(struct race *r)
{
	const char *wrong = device_is_there(r);

	if (wrong)
		return wrong;
	return vhost_path(NAME, r->path, sizeof(r->path)) ? NULL :
		"the device has no node";
}

static int open_and_ask(struct race *r)
{
	int fd = -1, err;

	for (int i = 0; i < TRIES && fd < 0; i++)
		fd = open(r->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = race_err(get_status(fd));
	close(fd);
	r->count++;
	return err;
}

static int bind_other(struct race *r)
{
	driver_unbind("virtio_vdpa", NAME);
	driver_unbind("vhost_vdpa", NAME);
	driver_bind("virtio_vdpa", NAME);
	return 0;
}

/* Whoever has it now: no driver may be left with it. */
static const char *free_again(struct race *r)
{
	driver_unbind("virtio_vdpa", NAME);
	driver_unbind("vhost_vdpa", NAME);
	driver_bind("vhost_vdpa", NAME);
	return NULL;
}

#define BUS_DRIVER(_begin, _before, _after, ...) { {			\
	.a = { reload, { EAGAIN } }, .b = __VA_ARGS__, .begin = _begin,	\
	.before = _before, .after = _after, .end = end_module,		\
	.part = 12,							\
} }

FIXTURE_VARIANT_ADD(race, vhost_goes_while_it_is_opened)
	BUS_DRIVER(begin_vhost, node_is_there, NULL,
		   { open_and_ask, { ENOENT, ENXIO, ENODEV } });
FIXTURE_VARIANT_ADD(race, vhost_goes_while_devices_are_added)
	BUS_DRIVER(begin_vhost, NULL, NULL, ADDS);
FIXTURE_VARIANT_ADD(race, vhost_goes_while_devices_are_listed)
	BUS_DRIVER(begin_vhost, device_is_there, NULL, LISTS);
FIXTURE_VARIANT_ADD(race, virtio_goes_while_it_is_bound)
	BUS_DRIVER(begin_virtio, device_is_there, free_again, { bind_other });
FIXTURE_VARIANT_ADD(race, virtio_goes_while_devices_are_added)
	BUS_DRIVER(begin_virtio, NULL, NULL, ADDS);
FIXTURE_VARIANT_ADD(race, virtio_goes_while_devices_are_listed)
	BUS_DRIVER(begin_virtio, device_is_there, NULL, LISTS);

TEST_HARNESS_MAIN
