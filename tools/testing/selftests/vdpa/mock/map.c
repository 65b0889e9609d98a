// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device has been told about memory, one tree an address space.
 *
 * The tree keeps the ranges as they were given: an unmap that cuts a range
 * leaves its ends. As every software device it starts with an identity map
 * (IOVA is the physical address), which the first call ends and reset_map
 * brings back. Everything is under mock->map_lock.
 *
 * Pages that a device can reach must be pinned until it has been told that it
 * cannot: that is checked at each call, at both ends of every range.
 */
#include "mock.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/overflow.h>

int mock_as_init(struct mock *m)
{
	u32 i;

	m->as = kvcalloc(m->props.nas, sizeof(*m->as), GFP_KERNEL);
	if (!m->as)
		return -ENOMEM;
	for (i = 0; i < m->props.nas; i++) {
		m->as[i].identity = true;
		m->as[i].map = vhost_iotlb_alloc(UINT_MAX, 0);
		if (!m->as[i].map)
			return -ENOMEM;
	}
	return 0;
}

void mock_as_fini(struct mock *m)
{
	u32 i;

	for (i = 0; m->as && i < m->props.nas; i++)
		vhost_iotlb_free(m->as[i].map);
	kvfree(m->as);
}

static struct mock_as *mock_as(struct mock *m, enum mock_op op, u32 asid)
{
	if (asid < m->props.nas)
		return &m->as[asid];
	mock_breach(m, "%s: no asid %u", mock_op_name[op], asid);
	return NULL;
}

static void mock_check_pinned(struct mock *m, enum mock_op op, u64 iova,
			      u64 size, u64 pa)
{
	u64 pfns[] = { PHYS_PFN(pa), PHYS_PFN(pa + size - 1) };
	u32 i;

	if (!mock_maps_pages(m))
		return;
	for (i = 0; i < ARRAY_SIZE(pfns); i++) {
		if (pfn_valid(pfns[i]) &&
		    folio_maybe_dma_pinned(pfn_folio(pfns[i])))
			continue;
		mock_breach(m, "%s: page of %#llx not pinned",
			    mock_op_name[op], iova);
		return;
	}
}

/* Everything the device can still reach must be there. */
static void mock_check_table(struct mock *m, enum mock_op op,
			     struct vhost_iotlb *iotlb)
{
	struct vhost_iotlb_map *map;

	list_for_each_entry(map, &iotlb->list, link)
		mock_check_pinned(m, op, map->start, map->size, map->addr);
}

static int mock_copy_table(struct mock *m, struct vhost_iotlb *to,
			   const struct vhost_iotlb *from)
{
	struct vhost_iotlb_map *map;
	int err;

	if (from->nmaps > m->props.max_maps)
		return -ENOSPC;
	list_for_each_entry(map, &from->list, link) {
		err = vhost_iotlb_add_range(to, map->start, map->last,
					    map->addr, map->perm);
		if (err)
			return err;
	}
	return 0;
}

int mock_set_map(struct vdpa_device *vdpa, unsigned int asid,
		 struct vhost_iotlb *iotlb)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, set_map, asid, iotlb->nmaps);
	struct mock_as *as = mock_as(m, MOCK_OP_set_map, asid);
	struct vhost_iotlb *table;

	if (err || !as)
		return err ?: -EINVAL;
	if (!m->props.track)
		return 0;

	table = vhost_iotlb_alloc(UINT_MAX, 0);
	if (!table)
		return -ENOMEM;

	guard(mutex)(&m->map_lock);
	mock_check_table(m, MOCK_OP_set_map, as->map);
	mock_check_table(m, MOCK_OP_set_map, iotlb);
	err = mock_copy_table(m, table, iotlb);
	if (err) {
		vhost_iotlb_free(table);
		return err;
	}
	swap(as->map, table);
	as->identity = false;
	vhost_iotlb_free(table);
	return 0;
}

static int mock_check_map(struct mock *m, struct mock_as *as, u64 iova,
			  u64 last, u32 perm)
{
	if (!perm || (perm & ~VHOST_MAP_RW))
		mock_breach(m, "dma_map: perm %u", perm);
	if (iova < m->props.iova_first || last > m->props.iova_last)
		mock_breach(m, "dma_map: %#llx outside", iova);
	if (vhost_iotlb_itree_first(as->map, iova, last)) {
		mock_breach(m, "dma_map: %#llx mapped already", iova);
		return -EEXIST;
	}
	return as->map->nmaps >= m->props.max_maps ? -ENOSPC : 0;
}

int mock_dma_map(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		 u64 size, u64 pa, u32 perm, void *opaque)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, dma_map, asid, iova, size, pa, perm);
	struct mock_as *as = mock_as(m, MOCK_OP_dma_map, asid);
	u64 last;

	if (err || !as)
		return err ?: -EINVAL;
	atomic64_add(size, &m->mapped);
	if (!m->props.track)
		return 0;

	if (!size || check_add_overflow(iova, size - 1, &last)) {
		mock_breach(m, "dma_map: %#llx of %#llx", size, iova);
		return -EINVAL;
	}

	guard(mutex)(&m->map_lock);
	err = mock_check_map(m, as, iova, last, perm);
	if (err)
		return err;
	mock_check_pinned(m, MOCK_OP_dma_map, iova, size, pa);
	err = vhost_iotlb_add_range(as->map, iova, last, pa, perm);
	if (!err)
		as->identity = false;
	return err;
}

/* Take [@iova, @last] out of @map, and keep what is left of it. */
static int mock_cut(struct mock_as *as, struct vhost_iotlb_map *map, u64 iova,
		    u64 last)
{
	u64 start = map->start, end = map->last, addr = map->addr;
	u32 perm = map->perm;
	int err = 0;

	vhost_iotlb_map_free(as->map, map);
	if (start < iova)
		err = vhost_iotlb_add_range(as->map, start, iova - 1, addr,
					    perm);
	if (!err && end > last)
		err = vhost_iotlb_add_range(as->map, last + 1, end,
					    addr + (last + 1 - start), perm);
	return err;
}

int mock_dma_unmap(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		   u64 size)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, dma_unmap, asid, iova, size);
	struct mock_as *as = mock_as(m, MOCK_OP_dma_unmap, asid);
	struct vhost_iotlb_map *map;
	u64 last;

	if (err || !as)
		return err ?: -EINVAL;
	atomic64_add(size, &m->unmapped);
	if (!m->props.track)
		return 0;

	if (!size || check_add_overflow(iova, size - 1, &last)) {
		mock_breach(m, "dma_unmap: %#llx of %#llx", size, iova);
		return -EINVAL;
	}
	/* A size cannot say 2^64, so this does. */
	if (!iova && size == U64_MAX)
		last = U64_MAX;

	guard(mutex)(&m->map_lock);
	as->identity = false;
	while ((map = vhost_iotlb_itree_first(as->map, iova, last))) {
		mock_check_pinned(m, MOCK_OP_dma_unmap, map->start, map->size,
				  map->addr);
		err = mock_cut(as, map, iova, last);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static void mock_as_clean(struct mock *m, enum mock_op op, struct mock_as *as)
	__must_hold(&m->map_lock)
{
	lockdep_assert_held(&m->map_lock);
	mock_check_table(m, op, as->map);
	vhost_iotlb_reset(as->map);
	as->identity = true;
}

int mock_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct mock *m = to_mock(vdpa);
	int err = mock_call(m, reset_map, asid);
	struct mock_as *as = mock_as(m, MOCK_OP_reset_map, asid);

	if (err || !as)
		return err ?: -EINVAL;

	guard(mutex)(&m->map_lock);
	mock_as_clean(m, MOCK_OP_reset_map, as);
	return 0;
}

/* What a reset of an old-fashioned parent does to its maps. */
void mock_clean_maps(struct mock *m)
{
	u32 i;

	guard(mutex)(&m->map_lock);
	for (i = 0; i < m->props.nas; i++)
		mock_as_clean(m, MOCK_OP_compat_reset, &m->as[i]);
}
