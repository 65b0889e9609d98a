// SPDX-License-Identifier: GPL-2.0-only
/*
 * A row for each ioctl, and the memory of surface "ioctl"; see arguments.h.
 */
#include "arguments.h"

#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_vdpa.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"

static unsigned char *end_page;		/* nothing follows it */
static unsigned char *ro_page;
static int short_file;			/* its second page is behind its end */

static void put(struct argument *arg, const void *data, size_t len)
{
	memcpy(arg->bytes, data, len);
}

static void fill_u8(struct argument *arg, const struct record *r)
{
	arg->bytes[0] = r->x;
}

static void fill_number(struct argument *arg, const struct record *r)
{
	uint64_t value = value_of(r->c, r->x);

	put(arg, &value, sizeof(value));
}

static void fill_status(struct argument *arg, const struct record *r)
{
	static const uint8_t likely[] = { 0, 1, 3, 11, 15, 15, 75, 143 };

	arg->bytes[0] = r->c & 1 ? r->x : likely[r->x % 8];
}

/* What is on offer, less a feature, or with one; or any number. */
static void fill_features(struct argument *arg, const struct record *r)
{
	unsigned long get = arg->request->cmd == VHOST_SET_FEATURES ?
			    VHOST_GET_FEATURES : VHOST_GET_BACKEND_FEATURES;
	uint64_t value = 0;

	ioctl(arg->fd, get, &value);
	if (r->c & 1)
		value ^= 1ULL << r->x % 64;
	if (r->c & 2)
		value &= ~(uint64_t)r->y;
	if (r->c & 4)
		value = value_of(r->c >> 3, r->x);
	put(arg, &value, sizeof(value));
}

static uint32_t index_of(const struct record *r)
{
	uint32_t idx = r->a / 4 % 8;

	return idx < 6 ? idx : value_of(r->c, r->x);
}

static void fill_state(struct argument *arg, const struct record *r)
{
	struct vhost_vring_state state = {
		.index = index_of(r),
		.num = value_of(r->c, r->y),
	};

	put(arg, &state, sizeof(state));
}

static void fill_addr(struct argument *arg, const struct record *r)
{
	uint64_t iova = (uint64_t)(r->x % 256) * SZ_4K;
	struct vhost_vring_addr addr = {
		.index = index_of(r),
		.flags = r->c >> 6,
		.desc_user_addr = iova,
		.avail_user_addr = iova + (r->y % 256) * 16,
		.used_user_addr = iova + SZ_4K + (r->y / 256) * 16,
	};

	if (r->c & 0x3f) {
		addr.desc_user_addr ^= value_of(r->c, r->x >> 8);
		addr.used_user_addr ^= value_of(r->c >> 1, r->y);
	}
	put(arg, &addr, sizeof(addr));
}

static void fill_file(struct argument *arg, const struct record *r)
{
	struct vhost_vring_file file = {
		.index = index_of(r),
		.fd = arg->file(r->y),
	};

	put(arg, &file, sizeof(file));
}

static void fill_fd(struct argument *arg, const struct record *r)
{
	int fd = arg->file(r->y);

	put(arg, &fd, sizeof(fd));
}

static void fill_config(struct argument *arg, const struct record *r)
{
	struct vhost_vdpa_config config = {
		.off = r->x,
		.len = r->c,
	};

	if (r->a & 0x80)
		config.off = value_of(r->c, r->x);
	if (r->a & 0x40)
		config.len = value_of(r->c, r->y);
	memset(arg->bytes, r->y, sizeof(arg->bytes));
	put(arg, &config, sizeof(config));
}

static void fill_mem(struct argument *arg, const struct record *r)
{
	struct vhost_memory mem = {
		.nregions = value_of(r->c, r->x),
		.padding = r->y & 1,
	};

	put(arg, &mem, sizeof(mem));
}

#define U8	sizeof(uint8_t)
#define U16	sizeof(uint16_t)
#define U32	sizeof(uint32_t)
#define U64	sizeof(uint64_t)
#define ANY	sizeof(((struct argument *)0)->bytes)
#define STATE(cmd)							\
	{ cmd, sizeof(struct vhost_vring_state), fill_state }
#define OF_FILE(cmd)							\
	{ cmd, sizeof(struct vhost_vring_file), fill_file }

static const struct request requests[] = {
	{ VHOST_SET_OWNER, U8, fill_u8 },
	{ VHOST_RESET_OWNER, U8, fill_u8 },
	{ VHOST_GET_FEATURES, U64, fill_number },
	{ VHOST_SET_FEATURES, U64, fill_features },
	{ VHOST_GET_BACKEND_FEATURES, U64, fill_number },
	{ VHOST_SET_BACKEND_FEATURES, U64, fill_features },
	{ VHOST_SET_MEM_TABLE, ANY, fill_mem },
	{ VHOST_SET_LOG_BASE, U64, fill_number },
	{ VHOST_SET_LOG_FD, U32, fill_fd },
	{ VHOST_SET_FORK_FROM_OWNER, U8, fill_u8 },
	{ VHOST_GET_FORK_FROM_OWNER, U8, fill_u8 },
	{ VHOST_VDPA_GET_DEVICE_ID, U32, fill_number },
	{ VHOST_VDPA_GET_STATUS, U8, fill_u8 },
	{ VHOST_VDPA_SET_STATUS, U8, fill_status },
	{ VHOST_VDPA_GET_CONFIG, ANY, fill_config },
	{ VHOST_VDPA_SET_CONFIG, ANY, fill_config },
	{ VHOST_VDPA_GET_CONFIG_SIZE, U32, fill_number },
	{ VHOST_VDPA_GET_CONFIG_GENERATION, U32, fill_number },
	{ VHOST_VDPA_SET_CONFIG_CALL, U32, fill_fd },
	{ VHOST_VDPA_GET_VRING_NUM, U16, fill_number },
	{ VHOST_VDPA_GET_IOVA_RANGE, 2 * U64, fill_number },
	{ VHOST_VDPA_GET_VQS_COUNT, U32, fill_number },
	{ VHOST_VDPA_GET_GROUP_NUM, U32, fill_number },
	{ VHOST_VDPA_GET_AS_NUM, U32, fill_number },
	{ VHOST_VDPA_SUSPEND, U8, fill_u8 },
	{ VHOST_VDPA_RESUME, U8, fill_u8 },
	STATE(VHOST_SET_VRING_NUM),
	STATE(VHOST_SET_VRING_BASE),
	STATE(VHOST_GET_VRING_BASE),
	{ VHOST_SET_VRING_ADDR, sizeof(struct vhost_vring_addr), fill_addr },
	OF_FILE(VHOST_SET_VRING_KICK),
	OF_FILE(VHOST_SET_VRING_CALL),
	OF_FILE(VHOST_SET_VRING_ERR),
	STATE(VHOST_SET_VRING_ENDIAN),
	STATE(VHOST_GET_VRING_ENDIAN),
	STATE(VHOST_SET_VRING_BUSYLOOP_TIMEOUT),
	STATE(VHOST_GET_VRING_BUSYLOOP_TIMEOUT),
	STATE(VHOST_VDPA_SET_VRING_ENABLE),
	STATE(VHOST_VDPA_GET_VRING_GROUP),
	STATE(VHOST_VDPA_GET_VRING_DESC_GROUP),
	STATE(VHOST_VDPA_SET_GROUP_ASID),
	STATE(VHOST_VDPA_GET_VRING_SIZE),
};

const struct request *argument_fill(struct argument *arg,
				    const struct record *r, int fd,
				    int (*file)(uint16_t x))
{
	const struct request *request;

	request = &requests[r->b % 64 % ARRAY_SIZE(requests)];
	memset(arg, 0, sizeof(*arg));
	arg->request = request;
	arg->fd = fd;
	arg->file = file;
	arg->len = request->len;
	request->fill(arg, r);
	return request;
}

void *argument_place(const struct argument *arg, uint8_t kind)
{
	static struct argument good;
	unsigned char *at = end_page + SZ_4K - arg->len / 2;

	switch (kind) {
	case 0:
		good = *arg;
		return good.bytes;
	case 1:
		return NULL;
	case 2:
		memcpy(at, arg->bytes, arg->len / 2);
		return at;
	default:
		mprotect(ro_page, SZ_4K, PROT_READ | PROT_WRITE);
		memcpy(ro_page, arg->bytes, arg->len);
		mprotect(ro_page, SZ_4K, PROT_READ);
		return ro_page;
	}
}

static void *arena_map(uint64_t addr, size_t size, int flags, int fd)
{
	return mmap((void *)addr, size, PROT_READ | PROT_WRITE,
		    MAP_FIXED | flags, fd, 0);
}

void arena_make(void)
{
	arena_map(ARENA, ARENA_PAGES * SZ_4K, MAP_SHARED | MAP_ANONYMOUS, -1);
}

void arena_change(uint64_t addr, size_t size, uint8_t kind)
{
	void *mem = (void *)addr;

	switch (kind % 6) {
	case 0:
		munmap(mem, size);
		break;
	case 1:
		mprotect(mem, size, PROT_READ);
		break;
	case 2:
		madvise(mem, size, MADV_DONTNEED);
		break;
	case 3:
		arena_map(addr, size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		break;
	case 4:
		arena_map(addr, size, MAP_SHARED, short_file);
		break;
	default:
		arena_map(addr, size, MAP_SHARED | MAP_ANONYMOUS, -1);
	}
}

int arguments_init(void)
{
	end_page = mem_anon(2 * SZ_4K);
	ro_page = mem_anon(SZ_4K);
	short_file = memfd_create("short", MFD_CLOEXEC);
	if (!end_page || !ro_page || short_file < 0 ||
	    ftruncate(short_file, SZ_4K))
		return -1;
	return munmap(end_page + SZ_4K, SZ_4K);
}
