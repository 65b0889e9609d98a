// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of an address space: which byte is mapped to what, kept in pieces
 * that lie within a page each, so that a cut through a page shows as one, and
 * pages that are pinned can be counted.
 */
#include "random.h"

#include <stdlib.h>
#include <string.h>

bool has_table(void)
{
	return m.shape.mapping == MAP_SET || m.shape.mapping == MAP_SET_VA;
}

bool takes_va(void)
{
	return m.shape.mapping == MAP_VA || m.shape.mapping == MAP_SET_VA;
}

void pieces_push(struct pieces *pieces, struct piece piece)
{
	if (pieces->nr == pieces->max) {
		pieces->max = pieces->max ? 2 * pieces->max : 64;
		pieces->at = realloc(pieces->at,
				     pieces->max * sizeof(*pieces->at));
		if (!pieces->at)
			abort();
	}
	pieces->at[pieces->nr++] = piece;
}

void pieces_copy(struct pieces *to, const struct pieces *from)
{
	uint32_t i;

	to->nr = 0;
	for (i = 0; i < from->nr; i++)
		pieces_push(to, from->at[i]);
}

void pieces_merge(struct pieces *pieces)
{
	uint32_t i, n = 0;

	for (i = 0; i < pieces->nr; i++) {
		struct piece *last = n ? &pieces->at[n - 1] : NULL;
		const struct piece *p = &pieces->at[i];

		if (last && last->last + 1 == p->first &&
		    last->perm == p->perm &&
		    last->addr + (p->first - last->first) == p->addr)
			last->last = p->last;
		else
			pieces->at[n++] = *p;
	}
	pieces->nr = n;
}

/* The first piece that ends at @at or later. */
static uint32_t piece_from(const struct pieces *pieces, uint64_t at)
{
	uint32_t low = 0, high = pieces->nr;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (pieces->at[mid].last < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool space_overlaps(const struct space *as, uint64_t first, uint64_t last)
{
	uint32_t i = piece_from(&as->map, first);

	return i < as->map.nr && as->map.at[i].first <= last;
}

bool space_can_cut(const struct space *as, uint64_t at)
{
	uint32_t i = piece_from(&as->map, at);

	return i == as->map.nr || as->map.at[i].first >= at;
}

/* The device has been told. */
void space_commit(struct space *as)
{
	pieces_copy(&as->dev, &as->map);
	as->limbo = 0;
	as->uncommitted = false;
}

/* How many pages went. */
uint64_t space_remove(struct space *as, uint64_t first, uint64_t last)
{
	struct pieces *map = &as->map;
	uint32_t from = piece_from(map, first), to = from;

	while (to < map->nr && map->at[to].first <= last)
		to++;
	memmove(map->at + from, map->at + to,
		(map->nr - to) * sizeof(*map->at));
	map->nr -= to - from;
	return to - from;
}

/* The memory is pinned by now, so it can be asked where it is. */
void space_add(struct space *as, const struct vhost_iotlb_msg *msg)
{
	uint64_t offset = msg->uaddr % PAGE, done = 0, i;
	uint64_t nr = (offset + msg->size - 1) / PAGE + 1;
	uint32_t at = piece_from(&as->map, msg->iova);
	uint64_t phys[ARENA_PAGES];

	if (!takes_va())
		arena_phys(msg->uaddr - offset, phys, nr);
	for (i = 0; i < nr; i++)
		pieces_push(&as->map, (struct piece){ });
	memmove(as->map.at + at + nr, as->map.at + at,
		(as->map.nr - nr - at) * sizeof(*as->map.at));
	for (i = 0; i < nr; i++) {
		uint64_t len = PAGE - offset;

		if (len > msg->size - done)
			len = msg->size - done;
		as->map.at[at + i] = (struct piece){
			.first = msg->iova + done,
			.last = msg->iova + done + len - 1,
			.addr = takes_va() ? msg->uaddr + done :
					     phys[i] + offset,
			.perm = msg->perm,
		};
		done += len;
		offset = 0;
	}
}

void space_empty(struct space *as)
{
	as->map.nr = 0;
	as->dev.nr = 0;
	as->limbo = 0;
	as->in_batch = false;
	as->uncommitted = false;
}

uint64_t pinned_model(void)
{
	uint64_t pages = 0;
	int i;

	if (takes_va())
		return 0;
	for (i = 0; i < MAX_AS; i++)
		pages += m.as[i].map.nr + m.as[i].limbo;
	return pages;
}
