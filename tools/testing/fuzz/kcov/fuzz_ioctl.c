// SPDX-License-Identifier: GPL-2.0-only
/*
 * Surface "ioctl": all that the owner of /dev/vhost-vdpa-N can do with it:
 * ioctl, write, mmap, read, poll, and with the eventfds and the memory that it
 * gives to it, on a device of each kind. The parent may fail meanwhile, and the
 * device go and come.
 *
 * Of the operands of a record, a has the file in its lowest two bits.
 */
#include "surface.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_vdpa.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arguments.h"
#include "dev.h"
#include "devices.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define NR_FILES	4
#define NR_EVENTS	4
#define MAX_RECORDS	200

struct file {
	int fd;			/* -1: closed */
	uint32_t device;
	void *doorbell;		/* NULL: none */
};

static struct file files[NR_FILES];
static int events[NR_EVENTS], null, own_memory;
static bool injected[NR_DEVICES];
static bool memory_changed;

static struct file *file_of(const struct record *r)
{
	return &files[r->a % NR_FILES];
}

static void file_close(struct file *file)
{
	if (file->doorbell)
		munmap(file->doorbell, SZ_4K);
	file->doorbell = NULL;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static void do_open(const struct record *r)
{
	struct file *file = file_of(r);

	file_close(file);
	file->device = r->b % NR_DEVICES;
	file->fd = device_open(&devices[file->device]);
	if (file->fd >= 0 && r->c % 4)
		ioctl(file->fd, VHOST_SET_OWNER);
}

static void do_close(const struct record *r)
{
	file_close(file_of(r));
}

/* As a driver goes about it, as far as @c says; x: features it does without. */
static void do_begin(const struct record *r)
{
	static const uint8_t steps[] = { 1, 3, 11, 15 };
	int fd = file_of(r)->fd;
	uint64_t features = 0;
	uint32_t i;

	ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features);
	if (!(r->b & 1))
		set_backend(fd, features);
	ioctl(fd, VHOST_GET_FEATURES, &features);
	for (i = 0; i < ARRAY_SIZE(steps) && i <= r->c % 8U; i++) {
		if (steps[i] == 11)
			set_features(fd, features & ~(uint64_t)r->x);
		set_status(fd, steps[i]);
	}
}

/* A ring on memory that is mapped, from page @y on, with all it needs. */
static void do_ring(const struct record *r)
{
	uint64_t iova = r->y % ARENA_PAGES * SZ_4K;
	uint32_t idx = r->b % 4;
	int fd = file_of(r)->fd;

	vq_state(fd, VHOST_SET_VRING_NUM, idx, 1U << r->x % 7);
	vq_addr(fd, idx, iova, iova + 0x800, iova + SZ_4K);
	vq_file(fd, VHOST_SET_VRING_KICK, idx, events[r->c % NR_EVENTS]);
	vq_file(fd, VHOST_SET_VRING_CALL, idx, events[r->c / 4 % NR_EVENTS]);
	iotlb_map(fd, r->c / 16 % 2, 0, ARENA_PAGES * SZ_4K, (void *)ARENA,
		  VHOST_ACCESS_RW);
	vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, idx, 1);
}

static int any_file(uint16_t x)
{
	const int odd[] = { -1, null, 9999, files[x / 8 % NR_FILES].fd };

	return x & 4 ? odd[x % 4] : events[x % NR_EVENTS];
}

static void do_ioctl(const struct record *r)
{
	struct file *file = file_of(r);
	const struct request *request;
	struct argument arg;

	request = argument_fill(&arg, r, file->fd, any_file);
	ioctl(file->fd, request->cmd, argument_place(&arg, r->b >> 6));
}

/* An ioctl that there may be or not, with as much as it says of nothing. */
static void do_any_ioctl(const struct record *r)
{
	unsigned long cmd = _IOC(r->b % 4, VHOST_VIRTIO, r->c, r->x % 0x4000);
	struct argument arg;

	memset(&arg, 0, sizeof(arg));
	arg.len = sizeof(arg.bytes);
	memcpy(arg.bytes, &r->y, sizeof(r->y));
	ioctl(file_of(r)->fd, cmd, argument_place(&arg, r->b >> 6));
}

static void do_message(const struct record *r)
{
	static const uint8_t types[] = {
		VHOST_IOTLB_UPDATE, VHOST_IOTLB_UPDATE, VHOST_IOTLB_INVALIDATE,
		VHOST_IOTLB_BATCH_BEGIN, VHOST_IOTLB_BATCH_END,
		VHOST_IOTLB_MISS, VHOST_IOTLB_ACCESS_FAIL, 0,
	};
	struct iotlb_req req = {
		.version = r->a & 0x20 ? 1 : 2,
		.asid = r->a >> 6,
		.msg = {
			.type = types[r->a / 4 % 8],
			.iova = (uint64_t)(r->x % 64) * SZ_4K,
			.size = (1 + r->x / 64 % 16) * SZ_4K,
			.uaddr = ARENA + r->y % ARENA_PAGES * SZ_4K,
			.perm = r->b % 4,
		},
	};

	if (r->b & 0x04)
		req.msg.iova = value_of(r->c, r->x);
	if (r->b & 0x08)
		req.msg.size = value_of(r->c, r->y);
	if (r->b & 0x10)
		req.msg.uaddr = value_of(r->c, r->y);
	if (r->b & 0x20)
		req.msg.uaddr += r->c;
	if (r->b & 0x40)
		req.msg.perm = r->c;
	iotlb_send(file_of(r)->fd, &req);
}

/* Bytes that are no message, in one piece or two. */
static void do_write(const struct record *r)
{
	static unsigned char bytes[256];
	size_t len = r->y % sizeof(bytes), cut = r->c % (len + 1);
	const struct iovec parts[] = {
		{ bytes, cut }, { bytes + cut, len - cut },
	};

	memset(bytes, 0, sizeof(bytes));
	bytes[0] = r->b;
	memcpy(bytes + r->y / 256 % 64, &r->x, sizeof(r->x));
	if (writev(file_of(r)->fd, parts, r->a & 4 ? 1 : 2) < 0)
		return;
}

static void do_read(const struct record *r)
{
	struct pollfd poller = { .fd = file_of(r)->fd, .events = r->x };
	char bytes[64];

	poll(&poller, 1, 0);
	fcntl(file_of(r)->fd, F_SETFL, r->b & 1 ? O_NONBLOCK : 0);
	if (read(file_of(r)->fd, bytes, r->c % sizeof(bytes)) < 0)
		return;
}

static void do_doorbell(const struct record *r)
{
	struct file *file = file_of(r);
	int prot = r->b % 8, flags = r->b & 8 ? MAP_PRIVATE : MAP_SHARED;
	size_t size = (1 + r->b / 16 % 4) * SZ_4K;
	void *at;

	if (file->doorbell) {
		mem_store(file->doorbell, r->y);
		if (!(r->b & 0x80))
			return;
		munmap(file->doorbell, SZ_4K);
		file->doorbell = NULL;
	}
	at = mmap(NULL, size, prot, flags, file->fd,
		  r->c ? (off_t)(value_of(r->c, r->x) & ~0xfffULL) :
			 (off_t)(r->x % 8) * 4096);
	if (at == MAP_FAILED)
		return;
	mem_store(at, r->y);
	munmap(at + SZ_4K, size - SZ_4K);
	file->doorbell = at;
}

static void do_event(const struct record *r)
{
	uint64_t value = r->x & 1 ? value_of(r->c, r->y) : 1;
	int event = events[r->a % NR_EVENTS];

	if (r->b & 1 && read(event, &value, sizeof(value)) < 0)
		return;
	if (write(event, &value, sizeof(value)) < 0)
		return;
}

static void do_memory(const struct record *r)
{
	size_t first = r->x % ARENA_PAGES, nr = 1 + r->y % 16;

	memory_changed = true;
	if (nr > ARENA_PAGES - first)
		nr = ARENA_PAGES - first;
	arena_change(ARENA + first * SZ_4K, nr * SZ_4K, r->b);
}

/* Two bytes of what a driver writes; where there is no memory, nothing. */
static void do_poke(const struct record *r)
{
	off_t at = ARENA + (r->x & ~1) % (ARENA_PAGES * SZ_4K);

	memory_changed = true;
	if (pwrite(own_memory, &r->y, sizeof(r->y), at) < 0)
		return;
}

static void do_inject(const struct record *r)
{
	static const char *const ops[] = {
		"dma_map", "dma_unmap", "set_map", "reset", "reset_map",
		"suspend", "resume", "set_vq_address", "set_vq_state",
		"get_vq_state", "set_group_asid", "set_driver_features",
		"bind_mm", "compat_reset",
	};
	static const int errnos[] = { EIO, ENOMEM, ENOSPC, EINVAL };
	uint32_t device = file_of(r)->device;
	char line[64];

	if (!device_is_mock(&devices[device]))
		return;
	injected[device] = true;
	snprintf(line, sizeof(line), "%s errno %d %u",
		 ops[r->b % ARRAY_SIZE(ops)],
		 errnos[r->c % ARRAY_SIZE(errnos)], r->x % 8);
	file_write(line, MOCK "/%s/inject", devices[device].name);
}

static void do_raise(const struct record *r)
{
	static const char *const lines[] = {
		"vq 0 1", "vq 1 2", "trigger 0 1", "config 1", "needs_reset",
		"trigger 2 1",
	};
	const struct device *device = &devices[file_of(r)->device];

	if (device_is_mock(device))
		file_write(lines[r->b % ARRAY_SIZE(lines)],
			   MOCK "/%s/raise", device->name);
}

/* The device of a file goes, and maybe comes back; the file stays. */
static void do_device(const struct record *r)
{
	struct device *device = &devices[file_of(r)->device];

	device->changed = true;
	switch (r->b % 4) {
	case 0:
		device_del(device);
		break;
	case 1:
		device_del(device);
		device_add(device);
		break;
	case 2:
		driver_unbind("vhost_vdpa", device->name);
		break;
	default:
		driver_bind("vhost_vdpa", device->name);
		device_find(device);
	}
}

static void (*const ops[])(const struct record *r) = {
	do_open, do_close, do_begin, do_ring, do_ioctl, do_message, do_event,
	do_poke, do_ioctl, do_message, do_doorbell, do_memory, do_any_ioctl,
	do_write, do_read, do_inject, do_raise,
};

/* From here on: takes as long as a hundred others. */
#define SLOW		252

static void do_record(const struct record *r)
{
	if (r->op >= SLOW)
		do_device(r);
	else
		ops[r->op % ARRAY_SIZE(ops)](r);
}

/* What vdpa_mock has to say of how it was treated. */
static void check_breaches(uint32_t device)
{
	const char *name = devices[device].name;
	static char text[4096];

	if (!device_is_mock(&devices[device]) || devices[device].changed)
		return;
	if (injected[device]) {
		file_write("clear", MOCK "/%s/inject", name);
		/* A parent that fails keeps what it should have given up. */
		file_write("1", MOCK "/%s/breaches", name);
		injected[device] = false;
		return;
	}
	if (!file_read(text, sizeof(text), MOCK "/%s/breaches", name) && *text)
		wrong("%s: %s", name, text);
}

static void clean(void)
{
	uint64_t value;
	uint32_t i;

	for (i = 0; i < NR_FILES; i++) {
		bool used = files[i].fd >= 0;

		file_close(&files[i]);
		if (used)
			check_breaches(files[i].device);
	}
	devices_restore();
	memset(injected, 0, sizeof(injected));
	for (i = 0; i < NR_EVENTS; i++)
		if (read(events[i], &value, sizeof(value)) < 0)
			continue;
	if (memory_changed)
		arena_make();
	memory_changed = false;
}

/* The first file is open, so that every record can do something. */
static void run(const struct record *record, uint32_t nr)
{
	const struct record first = { .c = 1 };
	uint32_t i;

	do_open(&first);
	for (i = 0; i < nr && i < MAX_RECORDS; i++)
		do_record(&record[i]);
	clean();
}

static const char *init(void)
{
	uint32_t i;

	for (i = 0; i < NR_EVENTS; i++)
		events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < NR_FILES; i++)
		files[i].fd = -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	own_memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (null < 0 || own_memory < 0 || arguments_init())
		return "files or memory are missing";
	arena_make();
	return devices_init();
}

const struct surface surface = { init, run };
