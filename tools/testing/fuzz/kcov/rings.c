// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of surface "ring"; see rings.h.
 */
#include "rings.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define GUARD		0xa5
#define SEALED		0x5a		/* what the page for reading holds */

/* The pages, in the order of their addresses in the process. */
enum {
	GUARD_0, RW, GUARD_1 = RW + RW_BYTES / SZ_4K, RO, GUARD_2, WO, GUARD_3,
	NR_PAGES
};

uint8_t *rw;
struct queue queues[NR_QUEUES];
bool honest;

static uint8_t *pages;
static uint8_t expected[SZ_4K];

static uint8_t *page(uint32_t nr)
{
	return pages + nr * SZ_4K;
}

/* Races */
static struct {
	atomic_uint at;			/* of @rw */
	atomic_ushort value;
} races[RACES_MAX];

static atomic_uint nr_races;
static atomic_bool racing, race_idle = true;
static int race_wake;

static uint16_t *race_place(uint32_t i)
{
	return (uint16_t *)(rw + races[i].at);
}

static void race_round(uint32_t nr)
{
	uint16_t old[RACES_MAX];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		old[i] = __atomic_load_n(race_place(i), __ATOMIC_RELAXED);
		__atomic_store_n(race_place(i), races[i].value,
				 __ATOMIC_SEQ_CST);
	}
	for (i = 0; i < nr; i++)
		__atomic_store_n(race_place(i), old[i], __ATOMIC_SEQ_CST);
}

static void *race_thread(void *arg)
{
	uint64_t count;

	for (;;) {
		if (read(race_wake, &count, sizeof(count)) < 0)
			continue;
		race_idle = false;
		while (racing)
			race_round(nr_races);
		race_idle = true;
	}
	return NULL;
}

void race_add(uint32_t at, uint16_t value)
{
	uint64_t one = 1;
	uint32_t nr = nr_races;

	honest = false;
	if (nr == RACES_MAX)
		return;
	races[nr].at = at % RW_BYTES & ~1U;
	races[nr].value = value;
	nr_races = nr + 1;
	if (racing)
		return;
	racing = true;
	race_idle = false;
	if (write(race_wake, &one, sizeof(one)) < 0)
		wrong("the thread that races cannot be woken");
}

void race_end(void)
{
	racing = false;
	while (!race_idle)
		usleep(100);
	nr_races = 0;
}

/* Memory */
const char *rings_init(void)
{
	uint32_t i;
	pthread_t thread;

	pages = mmap(NULL, NR_PAGES * SZ_4K, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return "there is no memory for the device";
	memset(pages, GUARD, NR_PAGES * SZ_4K);
	rw = page(RW);
	race_wake = eventfd(0, EFD_CLOEXEC);
	for (i = 0; i < NR_QUEUES; i++) {
		queues[i].kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		queues[i].call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	if (pthread_create(&thread, NULL, race_thread, NULL))
		return "there is no thread to race with";
	return NULL;
}

static void map(int fd, uint64_t iova, uint32_t nr, size_t bytes, uint8_t perm)
{
	if (iotlb_map(fd, 0, iova, bytes, page(nr), perm))
		wrong("page %u cannot be mapped", nr);
}

void rings_map(int fd)
{
	iotlb_unmap(fd, 0, 0, 1ULL << 63);
	iotlb_unmap(fd, 0, 1ULL << 63, 1ULL << 63);
	map(fd, RW_IOVA, RW, RW_BYTES, VHOST_ACCESS_RW);
	map(fd, RO_IOVA, RO, SZ_4K, VHOST_ACCESS_RO);
	map(fd, WO_IOVA, WO, SZ_4K, VHOST_ACCESS_WO);
	map(fd, TOP_IOVA, GUARD_1 - 1, SZ_4K, VHOST_ACCESS_RW);
}

static void queue_place(struct queue *q, uint32_t desc, uint32_t avail,
			uint32_t used)
{
	q->desc = (void *)(rw + desc);
	q->avail = (void *)(rw + avail);
	q->used = (void *)(rw + used);
	q->desc_iova = RW_IOVA + desc;
	q->avail_iova = RW_IOVA + avail;
	q->used_iova = RW_IOVA + used;
}

void rings_clear(uint32_t size, uint16_t base)
{
	uint32_t i;

	memset(rw, 0, RW_BYTES);
	memset(page(RO), SEALED, SZ_4K);
	memset(page(WO), 0, SZ_4K);
	honest = true;
	for (i = 0; i < NR_QUEUES; i++) {
		struct queue *q = &queues[i];
		uint32_t at = i * QUEUE_BYTES;

		q->size = size;
		queue_place(q, at, at + SZ_4K, at + 2 * SZ_4K);
		q->avail->idx = base;
		q->used->idx = base;
		q->next = 0;
		q->first = 0;
		q->seen = base;
		memset(q->offered, 0, sizeof(q->offered));
		memset(q->room, 0, sizeof(q->room));
	}
}

/* In one another, across pages, at the end, or where the device may not. */
void rings_move(uint8_t how)
{
	static const uint16_t places[][3] = {
		{ 0x0000, 0x1000, 0x1800 }, { 0x0000, 0x0000, 0x2000 },
		{ 0x0000, 0x1000, 0x0000 }, { 0x0ff0, 0x2ffe, 0x1ffc },
		{ 0x0000, 0x1000, 0x1000 }, { 0x0008, 0x1001, 0x2002 },
		{ 0xf000, 0xf800, 0xfc00 },
	};
	const uint16_t *at = places[how % ARRAY_SIZE(places)];
	uint32_t i;

	honest = false;
	for (i = 0; i < NR_QUEUES; i++) {
		struct queue *q = &queues[i];
		uint16_t base = q->seen;

		queue_place(q, at[0], at[1], at[2]);
		if (how & 0x80)
			q->used_iova = RO_IOVA;
		if (how & 0x40)
			q->desc_iova = RO_IOVA - 0x10;
		if (how & 0x20)
			q->avail_iova = TOP_IOVA;
		q->used->idx = base;
		q->avail->idx = base;
	}
}

void rings_check_memory(void)
{
	static const uint8_t kept[] = { GUARD_0, GUARD_1, GUARD_2, GUARD_3, RO };
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		memset(expected, kept[i] == RO ? SEALED : GUARD, SZ_4K);
		if (memcmp(page(kept[i]), expected, SZ_4K))
			wrong("page %u was written to", kept[i]);
	}
}

/* Queues */
static uint16_t used_idx(const struct queue *q)
{
	return __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
}

/* Every completion is one of what is on offer, and no longer than that. */
void queue_check(struct queue *q, uint32_t idx)
{
	uint16_t now = used_idx(q);

	if (!honest)
		return;
	for (; q->seen != now; q->seen++) {
		struct vring_used_elem *e = &q->used->ring[q->seen % q->size];

		if (e->id >= q->size || !q->offered[e->id])
			wrong("queue %u completes %u, which is not on offer",
			      idx, e->id);
		if (e->len > q->room[e->id])
			wrong("queue %u writes %u bytes to %u, which has %llu",
			      idx, e->len, e->id,
			      (unsigned long long)q->room[e->id]);
		q->offered[e->id]--;
	}
}

void desc_put(struct vring_desc *desc, uint64_t addr, uint64_t len,
	      uint16_t flags, uint16_t next)
{
	desc->addr = addr;
	desc->len = len;
	desc->flags = flags;
	desc->next = next;
}

void queue_offer(struct queue *q, uint16_t head, uint64_t room)
{
	uint16_t idx = q->avail->idx;

	/* What is in the way of more must have been looked at. */
	if ((uint16_t)(idx - q->seen) >= q->size)
		queue_check(q, q - queues);
	/* More than the ring holds: an entry that was not read is overwritten. */
	if ((uint16_t)(idx - q->seen) >= q->size)
		honest = false;
	if (head < q->size) {
		q->offered[head]++;
		if (q->room[head] < room)
			q->room[head] = room;
	}
	q->avail->ring[idx % q->size] = head;
	__atomic_store_n(&q->avail->idx, idx + 1, __ATOMIC_RELEASE);
}

void queue_forget_room(struct queue *q)
{
	memset(q->room, 0xff, sizeof(q->room));
}

bool queue_is_idle(const struct queue *q)
{
	return used_idx(q) == q->avail->idx;
}

void queue_kick(struct queue *q)
{
	uint64_t one = 1;

	if (write(q->kick, &one, sizeof(one)) < 0)
		wrong("a queue cannot be kicked");
}

void queue_wait(struct queue *q, int ms)
{
	struct pollfd poller = { .fd = q->call, .events = POLLIN };
	uint64_t count;
	long end = now_ms() + ms;

	while (!queue_is_idle(q) && now_ms() < end) {
		if (poll(&poller, 1, ms < 100 ? 1 : 100) > 0 &&
		    read(q->call, &count, sizeof(count)) < 0)
			continue;
	}
}
