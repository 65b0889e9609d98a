// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device is given 64 MiB, of each kind of memory: mapped, cut, unmapped, and
 * the same in a batch. One that takes user addresses gets shared memory only.
 */
#include "faults.h"

#include <errno.h>
#include <unistd.h>

#include "mem.h"
#include "vhost.h"

#define SIZE		(64UL << 20)
#define IOVA		0x100000000ULL
#define CUT		(SIZE / 2)

enum { ANON, SHARED, HUGE, NR_KINDS };

/* Made once, for all lives: 64 MiB take their time. */
static void *memory(int kind)
{
	static void *(*const make[NR_KINDS])(size_t size) = {
		[ANON] = mem_anon, [SHARED] = mem_memfd, [HUGE] = mem_hugetlb,
	};
	static void *mem[NR_KINDS];

	if (!mem[kind])
		mem[kind] = make[kind](SIZE);
	return mem[kind];
}

static int map(struct life *life, int kind)
{
	return iotlb_map(life->drv.fd, 0, IOVA, SIZE, memory(kind),
			 VHOST_ACCESS_RW) ? -errno : 0;
}

static int map_anon(struct life *life)
{
	return map(life, ANON);
}

static int map_shared(struct life *life)
{
	return map(life, SHARED);
}

static int map_huge(struct life *life)
{
	return map(life, HUGE);
}

/*
 * A page in the middle. A parent that takes ranges may lose the piece that is
 * cut: many states.
 */
static int cut(struct life *life)
{
	return iotlb_unmap(life->drv.fd, 0, IOVA + CUT, SZ_4K) ? -errno : 0;
}

static int unmap(struct life *life)
{
	return iotlb_unmap(life->drv.fd, 0, IOVA, SIZE) ? -errno : 0;
}

static int batch(struct life *life)
{
	int fd = life->drv.fd;
	int err;

	if (iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_BEGIN))
		return -errno;
	err = map_shared(life);
	if (iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_END) && !err)
		err = -errno;
	return err;
}

static int file_close(struct life *life)
{
	int fd = life->drv.fd;

	life->drv.fd = 0;
	return close(fd) ? -errno : 0;
}

static const struct call calls[] = {
	{ "map anonymous memory", map_anon },
	{ "cut it", cut, .many = true },
	{ "unmap it", unmap },
	{ "map shared memory", map_shared },
	{ "cut it", cut, .many = true },
	{ "unmap it", unmap },
	{ "map huge pages", map_huge },
	{ "cut them", cut, .many = true },
	{ "unmap them", unmap },
	{ "map in a batch", batch, .many = true },
	{ "close", file_close },
};

static const struct call shared_calls[] = {
	{ "map shared memory", map_shared },
	{ "cut it", cut, .many = true },
	{ "unmap it", unmap },
	{ "map in a batch", batch, .many = true },
	{ "close", file_close },
};

static int begin(struct life *life)
{
	uint64_t features = BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) |
			    BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH);
	int err = life_begin(life);

	err = err ?: life_open(life);
	err = err ?: life_owner(life);
	if (err)
		return err;
	return set_backend(life->drv.fd, features) ? -errno : 0;
}

/* As in life_file.c. */
const struct scenario life_memory = {
	"memory", calls, ARRAY_SIZE(calls), begin, life_end,
	fault_range_modules, .helpless = "iommu_detach_device",
};

const struct scenario life_shared = {
	"memory", shared_calls, ARRAY_SIZE(shared_calls), begin, life_end,
	fault_range_modules,
};
