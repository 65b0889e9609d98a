// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three mappers, see mapper.h. as.c is their only caller.
 */
#include "mapper.h"

#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

#include "region.h"
#include "vhost_vdpa.h"

/* How many spans are mapped at a time, and how many while in the gate. */
#define MAP_SPANS	16
#define MAP_SLICE	512

/* How much is unmapped at a time; may be a quarter of a million pages. */
#define UNMAP_BYTES	((u64)SZ_1G)

/* Bytes from @first to @last; the whole of 2^64 is one short of it. */
static u64 range_size(u64 first, u64 last)
{
	u64 size = last - first;

	return size == U64_MAX ? size : size + 1;
}

/* dma_map() and dma_unmap() of the parent. */

static int dma_open(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err = 0;

	/* Parents may start with an identity map for users in the kernel. */
	for (u32 i = 0; i < v->nas && !err; i++)
		err = vdpa->config->dma_unmap(vdpa, i, 0, U64_MAX);
	return err;
}

static void dma_close(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	for (u32 i = 0; i < v->nas; i++)
		vdpa->config->dma_unmap(vdpa, i, 0, U64_MAX);
}

static int dma_map(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		   struct vhost_vdpa_as *as, const struct vhost_vdpa_span *span,
		   u32 nr, u32 *done)
{
	int err = 0;

	lockdep_assert_held(&as->lock);

	for (*done = 0; *done < nr; span++, ++*done) {
		err = vdpa->config->dma_map(vdpa, as->asid, span->iova,
					    span->size, span->addr, span->perm,
					    span->opaque);
		if (err)
			break;
	}
	return err;
}

static int dma_unmap(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		     struct vhost_vdpa_as *as, u64 first, u64 last,
		     struct list_head *regions)
{
	lockdep_assert_held(&as->lock);

	return vdpa->config->dma_unmap(vdpa, as->asid, first,
				       range_size(first, last));
}

static const struct vhost_vdpa_mapper mapper_dma = {
	.cuts = true,
	.open = dma_open,
	.close = dma_close,
	.map = dma_map,
	.unmap = dma_unmap,
};

/* set_map() of the parent: it is given the whole table each time. */

#define IOTLB_START(map) ((map)->start)
#define IOTLB_LAST(map) ((map)->last)

INTERVAL_TREE_DEFINE(struct vhost_iotlb_map, rb, u64, __subtree_last,
		     IOTLB_START, IOTLB_LAST, static inline, iotlb_tree)

/*
 * vhost_iotlb_add_range_ctx() would take atomic reserves and charge nobody; how
 * much a table takes is up to its user.
 */
static int table_add(struct vhost_iotlb *table,
		     const struct vhost_vdpa_span *span)
{
	struct vhost_iotlb_map *map = kmalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return -ENOMEM;
	*map = (struct vhost_iotlb_map) {
		.start = span->iova,
		.last = span->iova + (span->size - 1),
		.size = span->size,
		.addr = span->addr,
		.perm = span->perm,
		.opaque = span->opaque,
	};
	iotlb_tree_insert(map, &table->root);
	list_add_tail(&map->link, &table->list);
	table->nmaps++;
	return 0;
}

/* vhost_iotlb_del_range() of any number, without keeping the CPU. */
static void table_del(struct vhost_iotlb *table, u64 first, u64 last)
{
	struct vhost_iotlb_map *map;

	while ((map = vhost_iotlb_itree_first(table, first, last))) {
		vhost_iotlb_map_free(table, map);
		cond_resched();
	}
}

static int table_commit(struct vdpa_device *vdpa, struct vhost_vdpa_as *as)
{
	return vdpa->config->set_map(vdpa, as->asid, as->table);
}

static void table_close(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];

		if (!as->table)
			continue;
		table_del(as->table, 0, U64_MAX);
		table_commit(vdpa, as);
		vhost_iotlb_free(as->table);
		as->table = NULL;
	}
}

static int table_open(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err;

	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];

		/* The limit is ours, on spans; zero would admit nothing. */
		as->table = vhost_iotlb_alloc(UINT_MAX, 0);
		err = as->table ? table_commit(vdpa, as) : -ENOMEM;
		if (err) {
			table_close(v, vdpa);
			return err;
		}
	}
	return 0;
}

static int table_map(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		     struct vhost_vdpa_as *as,
		     const struct vhost_vdpa_span *span, u32 nr, u32 *done)
{
	int err = 0;

	lockdep_assert_held(&as->lock);

	for (*done = 0; *done < nr; span++, ++*done) {
		err = table_add(as->table, span);
		if (err)
			break;
	}
	return err;
}

static int table_unmap(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		       struct vhost_vdpa_as *as, u64 first, u64 last,
		       struct list_head *regions)
{
	lockdep_assert_held(&as->lock);

	table_del(as->table, first, last);
	return 0;
}

static int table_rebuild(struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_region *region;
	struct vhost_vdpa_span_iter iter;
	struct interval_tree_node *node;
	struct vhost_vdpa_span span;
	int err;

	lockdep_assert_held(&as->lock);

	table_del(as->table, 0, U64_MAX);
	for (node = interval_tree_iter_first(&as->regions, 0, U64_MAX); node;
	     node = interval_tree_iter_next(node, 0, U64_MAX)) {
		region = container_of(node, struct vhost_vdpa_region, node);
		iter = vhost_vdpa_spans(region);
		while (vhost_vdpa_span_next(&iter, &span)) {
			err = table_add(as->table, &span);
			if (err)
				return err;
			cond_resched();
		}
	}
	return 0;
}

static const struct vhost_vdpa_mapper mapper_table = {
	.open = table_open,
	.close = table_close,
	.map = table_map,
	.unmap = table_unmap,
	.rebuild = table_rebuild,
	.commit = table_commit,
};

/* The platform's IOMMU: a domain of our own for the session. */

static void iommu_close(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	iommu_detach_device(v->domain, vdpa_get_dma_dev(vdpa));
	iommu_domain_free(v->domain);
	v->domain = NULL;
}

static int iommu_open(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	struct device *dma_dev = vdpa_get_dma_dev(vdpa);
	struct iommu_domain *domain;
	int err;

	/* Else the device could see memory as it was before a write. */
	if (!device_iommu_capable(dma_dev, IOMMU_CAP_CACHE_COHERENCY))
		return -EOPNOTSUPP;
	domain = iommu_paging_domain_alloc(dma_dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	err = iommu_attach_device(domain, dma_dev);
	if (err) {
		iommu_domain_free(domain);
		return err;
	}
	v->domain = domain;
	return 0;
}

static int iommu_prot(u32 perm)
{
	int prot = IOMMU_CACHE;

	if (perm & VHOST_ACCESS_RO)
		prot |= IOMMU_READ;
	if (perm & VHOST_ACCESS_WO)
		prot |= IOMMU_WRITE;
	return prot;
}

/*
 * How many of @nr spans, from the first, do not go on where the one before ends
 * in memory. Their addresses always do. What goes on in both must not be mapped
 * at once: a superpage across two spans would be lost to both when one is
 * unmapped.
 */
static u32 spans_apart(const struct vhost_vdpa_span *span, u32 nr)
{
	u32 n = 1;

	while (n < nr && span[n - 1].addr + span[n - 1].size != span[n].addr)
		n++;
	return n;
}

/*
 * What a map that failed has left. The kernel takes back what it knows of, but
 * an IOMMU that runs out of memory for its tables may have begun with more.
 * Page by page: to unmap what is not mapped may take its neighbours away.
 */
static void iommu_clear(struct iommu_domain *domain, u64 iova, u64 size)
{
	u64 end = iova + size, done;

	for (; iova < end; iova += done) {
		done = 0;
		if (iommu_iova_to_phys(domain, iova))
			done = iommu_unmap(domain, iova, PAGE_SIZE);
		done = done ?: PAGE_SIZE;
		cond_resched();
	}
}

/*
 * All or none of them, with one flush where an IOMMU wants that of a map. Only
 * the first may start, and only the last end, within a page.
 */
static int iommu_map_apart(struct iommu_domain *domain,
			   const struct vhost_vdpa_span *span, u32 nr)
{
	u64 before = offset_in_page(span->iova);
	u64 iova = span->iova - before, size = 0;
	int prot = iommu_prot(span->perm);
	struct scatterlist sg[MAP_SPANS] __uninitialized;
	ssize_t ret;

	if (nr == 1) {
		size = PAGE_ALIGN(span->size + before);
		ret = iommu_map(domain, iova, span->addr - before, size, prot,
				GFP_KERNEL_ACCOUNT);
	} else {
		sg_init_table(sg, nr);
		for (u32 i = 0; i < nr; i++) {
			u64 addr = span[i].addr;

			sg_set_page(&sg[i], pfn_to_page(PHYS_PFN(addr)),
				    PAGE_ALIGN(span[i].size +
					       offset_in_page(addr)), 0);
			size += sg[i].length;
		}
		ret = iommu_map_sg(domain, iova, sg, nr, prot,
				   GFP_KERNEL_ACCOUNT);
	}
	if (ret >= 0)
		return 0;
	iommu_clear(domain, iova, size);
	return ret;
}

static int iommu_map_spans(struct vhost_vdpa *v, struct vdpa_device *vdpa,
			   struct vhost_vdpa_as *as,
			   const struct vhost_vdpa_span *span, u32 nr,
			   u32 *done)
{
	int err = 0;
	u32 n;

	lockdep_assert_held(&as->lock);

	for (*done = 0; *done < nr; *done += n) {
		n = spans_apart(span + *done, nr - *done);
		err = iommu_map_apart(v->domain, span + *done, n);
		if (err)
			break;
	}
	return err;
}

/* One flush for all of them. */
static int iommu_unmap_range(struct vhost_vdpa *v, struct vdpa_device *vdpa,
			     struct vhost_vdpa_as *as, u64 first, u64 last,
			     struct list_head *regions)
{
	struct iommu_iotlb_gather gather __uninitialized;
	struct vhost_vdpa_region *region;

	lockdep_assert_held(&as->lock);

	iommu_iotlb_gather_init(&gather);
	list_for_each_entry(region, regions, link) {
		u64 from = max_t(u64, region->node.start, first) & PAGE_MASK;
		u64 to = min_t(u64, region->node.last, last) | ~PAGE_MASK;
		u64 left = range_size(from, to), done;

		for (;;) {
			done = iommu_unmap_fast(v->domain, from,
						min(left, UNMAP_BYTES),
						&gather);
			cond_resched();
			if (done >= left)
				break;
			/* A cut out of memory leaves a hole, where it stops. */
			done = done ?: PAGE_SIZE;
			left -= min(done, left);
			from += done;
		}
	}
	iommu_iotlb_sync(v->domain, &gather);
	return 0;
}

static const struct vhost_vdpa_mapper mapper_iommu = {
	.one_as = true,
	.persists = true,
	.pages = true,
	.open = iommu_open,
	.close = iommu_close,
	.map = iommu_map_spans,
	.unmap = iommu_unmap_range,
};

const struct vhost_vdpa_mapper *
vhost_vdpa_mapper_of(const struct vdpa_device *vdpa)
{
	if (vdpa->config->set_map)
		return &mapper_table;
	if (vdpa->config->dma_map)
		return &mapper_dma;
	return &mapper_iommu;
}

int vhost_vdpa_map_span(struct vhost_vdpa *v, struct vdpa_device *vdpa,
			struct vhost_vdpa_as *as,
			const struct vhost_vdpa_span *span)
{
	u32 done;

	lockdep_assert_held(&as->lock);

	return v->mapper->map(v, vdpa, as, span, 1, &done);
}

/* Maps the next spans of a region, with the device held; *@end follows. */
static int map_slice(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		     struct vhost_vdpa_span_iter *iter, u64 *end)
{
	/* Zeroed it would cost more than a map. */
	struct vhost_vdpa_span spans[MAP_SPANS] __uninitialized;
	int err = 0;

	lockdep_assert_held(&as->lock);

	CLASS(vdpa_live, live)(&v->gate);
	if (!live.ops)
		return -ENODEV;
	if (fatal_signal_pending(current))
		return -EINTR;
	for (u32 n = 0; n < MAP_SLICE && !iter->done && !err; n += MAP_SPANS) {
		u32 nr = 0, done;

		while (nr < MAP_SPANS && vhost_vdpa_span_next(iter, &spans[nr]))
			nr++;
		err = v->mapper->map(v, live.vdpa, as, spans, nr, &done);
		if (err)
			nr = done;
		if (nr)
			*end = spans[nr - 1].iova + spans[nr - 1].size;
	}
	return err;
}

/* Leaves the gate now and then, for a removal not to wait for all of it. */
static int map_region(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		      struct vhost_vdpa_region *region, u64 *end)
{
	struct vhost_vdpa_span_iter iter = vhost_vdpa_spans(region);
	int err;

	lockdep_assert_held(&as->lock);

	*end = region->node.start;
	for (;;) {
		err = map_slice(v, as, &iter, end);
		if (err || iter.done)
			return err;
		cond_resched();
	}
}

/**
 * vhost_vdpa_map_regions() - Give a device what an update found.
 * @v: the node
 * @as: the address space, locked
 * @regions: regions that follow each other, not mapped yet
 * @end: after an error: first address that is not mapped
 *
 * Return: 0; -ENODEV the device went away; -EINTR killed; what the device said.
 */
int vhost_vdpa_map_regions(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			   struct list_head *regions, u64 *end)
{
	struct vhost_vdpa_region *region;
	int err;

	lockdep_assert_held(&as->lock);

	list_for_each_entry(region, regions, link) {
		err = map_region(v, as, region, end);
		if (err)
			return err;
	}
	return 0;
}
