// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of a software device (drivers/vdpa/soft/map.c), next to a
 * model: the cells between a few addresses, each with what it leads to. After
 * whatever was mapped, cut out or replaced, any queue must find exactly that.
 */
#include "hostile.h"

#include <linux/vdpa_soft.h>

#include "../../../drivers/vdpa/soft/soft.h"

#define NR_AS	2
#define NR_VQS	3
#define MAX_NEW	4	/* mappings of one set_map() */
#define MEMORY	BIT_ULL(52)	/* bytes of it */
#define HOLE	BIT_ULL(40)	/* a page that is none */

enum op {
	OP_MAP, OP_UNMAP, OP_SET_MAP, OP_RESET_MAP, OP_CLEAR, OP_GROUP,
	OP_LOOK, OP_NR
};

/* Where cells begin; the last one reaches to the end. */
static const u64 edges[] = {
	0, 1, 0xfff, 0x1000, 0x1001, 0x2000, 0x3000, 0x7fff, 0x8000, 0x100000,
	0x101000, U32_MAX, 1ULL << 32, 1ULL << 62, 1ULL << 63,
	U64_MAX - 0xfff, U64_MAX,
};

#define NR_CELLS	((u32)ARRAY_SIZE(edges))

struct cell {
	u32 mapping;	/* number; 0: none */
	u32 perm;
	u64 pa;
};

static struct {
	struct cell cell[NR_CELLS];
	bool identity;
} model[NR_AS];

static u32 nr_mappings;
static const u8 groups[NR_VQS] = { 0, 0, 1 };
static const struct vdpa_soft_class class = { .ngroups = 2, .nas = NR_AS };
static struct vdpa_soft_as spaces[NR_AS];
static struct vdpa_soft_vq vqs[NR_VQS];
static struct vdpa_soft soft;

/* What map.c gets from its siblings, and from the kernel. */
void soft_vq_settle(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held_write(&vq->soft->map_lock);
}

void soft_vq_drop_ring(struct vdpa_soft_vq *vq)
{
	lockdep_assert_held_write(&vq->soft->map_lock);
}

bool soft_area_overlaps(const struct vdpa_soft_vq *vq, u64 iova, u64 last)
{
	return false;
}

void vdpa_soft_vq_queue(struct vdpa_soft_vq *vq)
{
}

int region_intersects(u64 pa, u64 size, unsigned long flags, unsigned long desc)
{
	u64 last = pa + (size - 1);
	bool hole = pa < HOLE + PAGE_SIZE && last >= HOLE;

	return last < MEMORY && !hole ? REGION_INTERSECTS : !REGION_INTERSECTS;
}

/* A range of cells: from the first to the one before @end. */
struct range {
	u32 first, end;
};

static struct range get_range(void)
{
	u32 a = get8() % (NR_CELLS + 1), b = get8() % (NR_CELLS + 1);

	return (struct range) { min(a, b), max(a, b) };
}

/* Bytes; 0 if there are none or as many as there are addresses. */
static u64 range_bytes(struct range range)
{
	if (range.first == range.end)
		return 0;
	return (range.end == NR_CELLS ? 0 : edges[range.end]) -
	       edges[range.first];
}

static u64 range_iova(struct range range)
{
	return range.first < NR_CELLS ? edges[range.first] : U64_MAX;
}

static u64 get_pa(void)
{
	static const u64 base[] = {
		0, 0x10000, 1ULL << 30, HOLE - 0x2000, HOLE, MEMORY - 0x2000,
		U64_MAX - 0x1fff,
	};

	return base[get8() % ARRAY_SIZE(base)] + get8() * 0x100;
}

static bool is_free(u32 asid, struct range range)
{
	for (u32 i = range.first; i < range.end; i++)
		if (model[asid].cell[i].mapping)
			return false;
	return true;
}

static int expect_new(u64 size, u64 pa, u32 perm)
{
	u64 last;

	if (!size || check_add_overflow(pa, size - 1, &last))
		return -EINVAL;
	if (!perm || perm > (VDPA_RING_READ | VDPA_RING_WRITE))
		return -EINVAL;
	return region_intersects(pa, size, 0, 0) == REGION_INTERSECTS ? 0 :
	       -EFAULT;
}

static void model_map(u32 asid, struct range range, u64 pa, u32 perm)
{
	nr_mappings++;
	for (u32 i = range.first; i < range.end; i++)
		model[asid].cell[i] = (struct cell) {
			.mapping = nr_mappings, .perm = perm,
			.pa = pa + (edges[i] - edges[range.first]),
		};
}

static void model_unmap(u32 asid, struct range range)
{
	for (u32 i = range.first; i < range.end; i++)
		model[asid].cell[i].mapping = 0;
	model[asid].identity = false;
}

static void do_map(u32 asid)
{
	struct range range = get_range();
	u64 size = range_bytes(range), pa = get_pa();
	u32 perm = get8() % 5;
	int want = expect_new(size, pa, perm);

	if (!want && !is_free(asid, range))
		want = -EEXIST;
	assert(soft_dma_map(&soft.vdpa, asid, range_iova(range), size, pa, perm,
			    NULL) == want);
	if (want)
		return;
	model[asid].identity = false;
	model_map(asid, range, pa, perm);
}

static void do_unmap(u32 asid)
{
	struct range range = get_range();
	u64 size = range_bytes(range);
	int err;

	/* All there is cannot be said otherwise: the last byte goes as well. */
	if (!range.first && range.end >= NR_CELLS - 1) {
		range.end = NR_CELLS;
		size = U64_MAX;
	}
	err = soft_dma_unmap(&soft.vdpa, asid, range_iova(range), size);
	assert(err == (size ? 0 : -EINVAL));
	if (!err)
		model_unmap(asid, range);
}

/* A table of mappings that do not overlap, in any order. */
static void do_set_map(u32 asid)
{
	static struct vhost_iotlb_map maps[MAX_NEW];
	struct range range[MAX_NEW];
	struct vhost_iotlb table;
	u32 nr = 0, at = 0;
	int want = 0;

	INIT_LIST_HEAD(&table.list);
	while (nr < MAX_NEW && at + 1 < NR_CELLS && get8() % 4) {
		struct vhost_iotlb_map *map = &maps[nr];

		range[nr].first = at + get8() % (NR_CELLS - 1 - at);
		at = range[nr].first + 1;
		range[nr].end = at;
		map->start = range_iova(range[nr]);
		map->last = map->start + (range_bytes(range[nr]) - 1);
		map->addr = get_pa();
		map->perm = get8() % 5;
		if (get8() & 1)
			list_add(&map->link, &table.list);
		else
			list_add_tail(&map->link, &table.list);
		nr++;
	}
	for (struct list_head *p = table.list.next; p != &table.list && !want;
	     p = p->next) {
		struct vhost_iotlb_map *map =
			list_entry(p, struct vhost_iotlb_map, link);

		want = expect_new(map->last - map->start + 1, map->addr,
				  map->perm);
	}
	assert(soft_set_map(&soft.vdpa, asid, &table) == want);
	if (want)
		return;
	model_unmap(asid, (struct range) { 0, NR_CELLS });
	for (u32 i = 0; i < nr; i++)
		model_map(asid, range[i], maps[i].addr, maps[i].perm);
}

static void do_clear(u32 asid, bool identity)
{
	if (identity)
		assert(!soft_reset_map(&soft.vdpa, asid));
	else
		soft_as_clear(&soft, &spaces[asid], false);
	model_unmap(asid, (struct range) { 0, NR_CELLS });
	model[asid].identity = identity;
}

static void do_group(u32 asid)
{
	u32 group = get8() % 3;

	assert(soft_set_group_asid(&soft.vdpa, group, asid) ==
	       (group < 2 ? 0 : -EINVAL));
	for (int i = 0; i < NR_VQS; i++)
		assert(groups[i] != group || vqs[i].as == &spaces[asid]);
}

/* To the end of its mapping, of which there is one piece here. */
static u64 cell_rest(const struct cell *cells, u32 i, u64 iova)
{
	u32 mapping = cells[i].mapping;

	while (i < NR_CELLS && cells[i].mapping == mapping)
		i++;
	return (i == NR_CELLS ? U64_MAX : edges[i] - 1) - iova;
}

static void check_identity(const void *p, u64 iova, u32 len)
{
	u64 page = iova & PAGE_MASK;

	if (page == HOLE || page >= MEMORY) {
		assert(!p);
		return;
	}
	assert((u64)p == iova);
	assert(len <= PAGE_SIZE - (iova - page));
}

static void look(struct vdpa_soft_vq *vq, u32 i, u64 iova, u32 len, u32 access)
{
	u32 asid = vq->as - spaces, got = len;
	const struct cell *cell = &model[asid].cell[i];
	void *p;

	mutex_lock(&vq->lock);
	down_read(&soft.map_lock);
	p = soft_translate(vq, iova, &got, access);
	up_read(&soft.map_lock);
	mutex_unlock(&vq->lock);
	if (model[asid].identity) {
		check_identity(p, iova, got);
	} else if (!cell->mapping || access & ~cell->perm) {
		assert(!p);
	} else {
		assert((u64)p == cell->pa + (iova - edges[i]));
		assert(got && got - 1 == min((u64)len - 1,
					     cell_rest(model[asid].cell, i,
						       iova)));
	}
}

/* First and last byte of a cell, for all or any that may follow. */
static void do_look(void)
{
	struct vdpa_soft_vq *vq = &vqs[get8() % NR_VQS];
	u32 i = get8() % NR_CELLS, len = get8() & 1 ? U32_MAX : 1;
	u64 last = i + 1 == NR_CELLS ? U64_MAX : edges[i + 1] - 1;
	u32 access = 1 + get8() % 2;

	look(vq, i, edges[i], len, access);
	look(vq, i, last, len, access);
}

static void do_op(enum op op)
{
	u32 asid = get8() % NR_AS;

	switch (op) {
	case OP_MAP:
		do_map(asid);
		break;
	case OP_UNMAP:
		do_unmap(asid);
		break;
	case OP_SET_MAP:
		do_set_map(asid);
		break;
	case OP_RESET_MAP:
	case OP_CLEAR:
		do_clear(asid, op == OP_RESET_MAP);
		break;
	case OP_GROUP:
		do_group(asid);
		break;
	default:
		do_look();
	}
}

static void setup(void)
{
	memset(model, 0, sizeof(model));
	memset(vqs, 0, sizeof(vqs));
	soft = (struct vdpa_soft) {
		.class = &class, .nvqs = NR_VQS, .vqs = vqs, .as = spaces,
	};
	for (int i = 0; i < NR_AS; i++) {
		soft_as_init(&spaces[i]);
		model[i].identity = true;
	}
	for (int i = 0; i < NR_VQS; i++) {
		vqs[i].soft = &soft;
		vqs[i].idx = i;
		vqs[i].group = groups[i];
		vqs[i].as = &spaces[0];
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input_begin(data, size);
	setup();
	while (input_left())
		do_op(get8() % OP_NR);
	for (u32 vq = 0; vq < NR_VQS; vq++)
		for (u32 i = 0; i < NR_CELLS; i++)
			look(&vqs[vq], i, edges[i], U32_MAX, VDPA_RING_READ);
	for (int i = 0; i < NR_AS; i++)
		soft_as_free(&spaces[i]);
	return 0;
}
