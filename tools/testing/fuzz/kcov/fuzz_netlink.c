// SPDX-License-Identifier: GPL-2.0-only
/*
 * Surface "netlink": requests to the generic netlink family "vdpa", built
 * attribute by attribute: right, of a wrong size, nested, cut, or bytes of no
 * meaning; several in a row, answers read or left. Meanwhile vdpa_mock changes
 * what devices are like and fails, and drivers negotiate.
 */
#include "surface.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vdpa.h>
#include <linux/vdpa_events.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices.h"
#include "mockdev.h"
#include "nl.h"
#include "vhost.h"

#define MAX_RECORDS	100
#define MAX_REQ		4096
#define MAX_NEST	4

/* The request that is being made. */
static struct {
	unsigned char data[MAX_REQ];
	uint32_t len;
	uint32_t nest[MAX_NEST];	/* where these begin */
	uint32_t nr_nest;
	uint8_t cmd;
} req;

static struct nl nl, listener;
static int driver = -1;		/* a device that is open */
static bool knobs_changed;
static bool made;		/* there may be devices of other names */

static char long_name[300];

/* Of devices that are there, that may be made, and what no name is. */
static const char *const names[] = {
	"fz-mock", "fz-set", "fz-simnet", "fz-simblk", "fz-net", "fz-blk",
	"new0", "new1", "new2", "none", "", "..", "a/b", "next", "a b%s\n",
	long_name,
};

static const char *const mgmtdevs[] = {
	MOCKDEV, "vdpasim_net", "vdpasim_blk", "vdpa_net", "vdpa_blk", "none",
	"", long_name,
};

static void put_bytes(const void *data, uint32_t len)
{
	if (len > MAX_REQ - req.len)
		return;
	memcpy(req.data + req.len, data, len);
	req.len += len;
}

/* @off: what it says of its length that is not so. */
static void put_attr(uint16_t type, const void *data, uint32_t len, int8_t off)
{
	const struct nlattr head = {
		.nla_type = type,
		.nla_len = NLA_HDRLEN + len + off,
	};

	put_bytes(&head, sizeof(head));
	put_bytes(data, len);
	/* Padding that is not zero shows who reads behind an attribute. */
	put_bytes("XXX", NLA_ALIGN(len) - len);
}

static void begin(uint8_t cmd, uint16_t flags, uint8_t version)
{
	struct nlmsghdr head = {
		.nlmsg_type = nl.family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
	};
	struct genlmsghdr genl = { .cmd = cmd, .version = version };

	memset(&req, 0, sizeof(req));
	put_bytes(&head, NLMSG_HDRLEN);
	put_bytes(&genl, GENL_HDRLEN);
	req.cmd = cmd;
}

/*
 * @b: the command, mostly one that the family has, or the next; @c: more flags;
 * @x: type of the message if @c says so.
 */
static void do_begin(const struct record *r)
{
	struct nlmsghdr *head = (void *)req.data;
	uint8_t cmd = r->b < VDPA_CMD_DEV_BOUND_NTF ?
		      r->b % (VDPA_CMD_DEV_ATTR_SET + 2) : r->b;

	begin(cmd, r->c & 1 ? NLM_F_DUMP : 0, VDPA_GENL_VERSION + r->y % 4);
	if (r->c & 2)
		head->nlmsg_flags = r->y;
	if (r->c & 4)
		head->nlmsg_type = r->x;
}

static void do_name(const struct record *r)
{
	const char *name = names[r->b % ARRAY_SIZE(names)];

	put_attr(VDPA_ATTR_DEV_NAME, name, strlen(name) + !(r->c & 1), 0);
}

static void do_mgmtdev(const struct record *r)
{
	const char *name = mgmtdevs[r->b % ARRAY_SIZE(mgmtdevs)];

	if (r->c & 2)
		put_attr(VDPA_ATTR_MGMTDEV_BUS_NAME, "pci", 4, 0);
	put_attr(VDPA_ATTR_MGMTDEV_DEV_NAME, name, strlen(name) + !(r->c & 1),
		 0);
}

/*
 * A request with the attributes that it wants, but for those that a bit of @y
 * leaves out; more may be added.
 */
static void do_request(const struct record *r)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_MGMTDEV_GET, VDPA_CMD_DEV_NEW, VDPA_CMD_DEV_DEL,
		VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
		VDPA_CMD_DEV_VSTATS_GET, VDPA_CMD_DEV_ATTR_SET,
		VDPA_CMD_DEV_NEW,
	};
	uint8_t cmd = cmds[r->a % ARRAY_SIZE(cmds)];
	const struct record name = { .b = r->b }, mgmtdev = { .b = r->c };
	uint32_t idx = r->x;

	begin(cmd, 0, VDPA_GENL_VERSION);
	if ((cmd == VDPA_CMD_MGMTDEV_GET || cmd == VDPA_CMD_DEV_NEW) &&
	    !(r->y & 1))
		do_mgmtdev(&mgmtdev);
	if (cmd != VDPA_CMD_MGMTDEV_GET && !(r->y & 2))
		do_name(&name);
	if (cmd == VDPA_CMD_DEV_VSTATS_GET && !(r->y & 4))
		put_attr(VDPA_ATTR_DEV_QUEUE_INDEX, &idx, sizeof(idx), 0);
}

/* An attribute of class net with a value that may be good. */
static void do_setting(const struct record *r)
{
	static const struct { uint8_t type, size; } settings[] = {
		{ VDPA_ATTR_DEV_NET_CFG_MACADDR, 6 },
		{ VDPA_ATTR_DEV_NET_CFG_MTU, 2 },
		{ VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2 },
		{ VDPA_ATTR_DEV_NET_STATUS, 2 },
		{ VDPA_ATTR_DEV_FEATURES, 8 },
		{ VDPA_ATTR_DEV_QUEUE_INDEX, 4 },
	};
	uint32_t which = r->b % ARRAY_SIZE(settings);
	uint64_t value = r->y;

	if (settings[which].size == 8)
		value = 3ULL << 32 ^ value_of(r->c, r->x);
	put_attr(settings[which].type, &value, settings[which].size, 0);
}

/* @a: type; @b: size; @c: what it lies about it; @x, @y: value. */
static void do_attr(const struct record *r)
{
	static const uint16_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 9, 300 };
	unsigned char data[300];
	uint64_t value = value_of(r->c >> 3, r->x) ^ (uint64_t)r->y << 16;
	uint16_t type = r->a;

	memset(data, r->y, sizeof(data));
	memcpy(data, &value, sizeof(value));
	if (r->a >= 0x80)
		type = (r->a & 0x3f) | NLA_F_NESTED;
	if (r->a >= 0xc0)
		type = r->x;
	put_attr(type, data, sizes[r->b % ARRAY_SIZE(sizes)],
		 r->c % 8 ? (int8_t)r->c % 8 : 0);
}

static void do_nest(const struct record *r)
{
	if (req.nr_nest == MAX_NEST)
		return;
	req.nest[req.nr_nest++] = req.len;
	put_attr(r->a | NLA_F_NESTED, NULL, 0, 0);
}

static void do_nest_end(const struct record *r)
{
	struct nlattr *nest;
	uint32_t at;

	if (!req.nr_nest)
		return;
	at = req.nest[--req.nr_nest];
	if (at + NLA_HDRLEN > req.len)
		return;
	nest = (void *)(req.data + at);
	nest->nla_len = req.len - at;
}

static void do_bytes(const struct record *r)
{
	put_bytes(&r->a, sizeof(*r) - 1);
}

static void do_cut(const struct record *r)
{
	uint32_t cut = r->x % 64;

	req.len -= cut < req.len ? cut : req.len;
}

/* Answers that are there; a dump goes on with each. Is one an error? */
static bool receive(struct nl *from, uint32_t nr)
{
	static unsigned char data[1 << 16];
	const struct nlmsghdr *head = (void *)data;
	const struct nlmsgerr *error = NLMSG_DATA(head);
	bool refused = false;

	while (nr-- && recv(from->fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		if (head->nlmsg_type == NLMSG_ERROR && error->error)
			refused = true;
	return refused;
}

/* What the request has done is undone later. */
static void note_change(void)
{
	struct device *device;

	if (req.cmd == VDPA_CMD_DEV_NEW)
		made = true;
	if (req.cmd != VDPA_CMD_DEV_DEL && req.cmd != VDPA_CMD_DEV_ATTR_SET)
		return;
	for (device = devices; device < devices + NR_DEVICES; device++)
		if (memmem(req.data, req.len, device->name,
			   strlen(device->name) + 1))
			device->changed = true;
}

static void do_send(const struct record *r)
{
	struct nlmsghdr *head = (void *)req.data;

	if (req.len < NLMSG_HDRLEN)
		return;
	head->nlmsg_len = req.len + (r->b & 1 ? (int8_t)r->c : 0);
	head->nlmsg_seq = ++nl.seq;
	/* Of other families there are some that are nobody's concern here. */
	if (head->nlmsg_type > NLMSG_OVERRUN)
		head->nlmsg_type = nl.family;
	if (send(nl.fd, req.data, req.len, MSG_DONTWAIT) < 0)
		return;
	if (!receive(&nl, r->a & 1 ? r->a / 2 % 4 : UINT32_MAX))
		note_change();
}

static void do_driver(const struct record *r)
{
	static const uint8_t steps[] = { 1, 3, 11, 15, 0 };
	uint64_t features = 0;
	uint32_t i;

	if (driver >= 0)
		close(driver);
	driver = device_open(&devices[r->b % NR_DEVICES]);
	if (driver < 0 || ioctl(driver, VHOST_SET_OWNER))
		return;
	ioctl(driver, VHOST_GET_FEATURES, &features);
	for (i = 0; i < ARRAY_SIZE(steps) && i < r->c % 8U; i++) {
		if (steps[i] == 11)
			set_features(driver, features & ~(uint64_t)r->x);
		set_status(driver, steps[i]);
	}
}

/* What the next device of vdpa_mock is like. */
static void do_knob(const struct record *r)
{
	static const struct {
		const char *name;
		uint8_t mod;
	} knobs[] = {
		{ "device_id", 10 }, { "config_size", 100 }, { "nvqs", 6 },
		{ "change", 3 }, { "vq_num_max", 255 }, { "iova_last", 200 },
	};
	uint32_t which = r->b % ARRAY_SIZE(knobs);

	knobs_changed = true;
	if (r->c & 1)
		mock_knob("features", value_of(r->c >> 1, r->x));
	else
		mock_knob(knobs[which].name, r->x % knobs[which].mod);
}

static void do_without(const struct record *r)
{
	static const char *const without[] = {
		"get_vendor_vq_stats", "get_generation", "get_vq_num_min",
		"get_vq_size", "dev_set_attr", "get_vq_group",
	};

	knobs_changed = true;
	file_write(without[r->b % ARRAY_SIZE(without)], MOCK "/next/without");
}

/* One that is there, or that may have been made. */
static void tell_mock(uint8_t which, const char *file, const char *line)
{
	struct device *device = &devices[which % 2 ? DEV_MOCK : DEV_MOCK_SET];

	if (which & 2) {
		file_write(line, MOCK "/new%u/%s", which / 4 % 3, file);
		return;
	}
	device->changed = true;
	file_write(line, MOCK "/%s/%s", device->name, file);
}

static void do_inject(const struct record *r)
{
	static const char *const ops[] = {
		"get_vendor_vq_stats", "get_vq_num_max", "get_config",
		"get_device_id", "get_status", "set_status", "get_vq_num_min",
	};
	char line[64];

	if (r->c & 1)
		snprintf(line, sizeof(line), "%s value %u",
			 ops[r->b % ARRAY_SIZE(ops)], r->x);
	else
		snprintf(line, sizeof(line), "%s errno %u",
			 ops[r->b % ARRAY_SIZE(ops)], 1 + r->x % 130);
	tell_mock(r->a, "inject", line);
}

static void do_raise(const struct record *r)
{
	static const char *const lines[] = {
		"fill 255", "fill 0", "fill 1", "config 1", "needs_reset",
	};

	tell_mock(r->a, "raise", lines[r->b % ARRAY_SIZE(lines)]);
}

static void (*const ops[])(const struct record *r) = {
	do_request, do_send, do_setting, do_attr, do_request, do_send,
	do_begin, do_name, do_mgmtdev, do_send, do_nest, do_nest_end, do_bytes,
	do_cut, do_driver, do_knob, do_without, do_inject, do_raise,
};

static void clean(void)
{
	if (driver >= 0)
		close(driver);
	driver = -1;
	receive(&nl, UINT32_MAX);
	receive(&listener, UINT32_MAX);
	if (made)
		devices_sweep();
	made = false;
	devices_restore();
	if (knobs_changed)
		mock_knobs("");
	knobs_changed = false;
}

static void run(const struct record *record, uint32_t nr)
{
	uint32_t i;

	begin(VDPA_CMD_DEV_GET, 0, VDPA_GENL_VERSION);
	for (i = 0; i < nr && i < MAX_RECORDS; i++)
		ops[record[i].op % ARRAY_SIZE(ops)](&record[i]);
	clean();
}

static const char *init(void)
{
	memset(long_name, 'n', sizeof(long_name) - 1);
	if (nl_open(&nl) || nl_open(&listener) ||
	    nl_join(&listener, VDPA_MCGRP_EVENTS_NAME))
		return "there is no netlink family vdpa";
	return devices_init();
}

const struct surface surface = { init, run };
