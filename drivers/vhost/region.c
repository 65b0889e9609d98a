// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: what they hold, the spans in them, cutting one in two, and giving
 * their memory back. Called by as.c and by those who fill a region, pin.c and
 * vma.c. A region in a tree is protected by as->lock; out of it, it belongs to
 * whoever has it.
 */
#include "region.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <uapi/linux/vhost_types.h>

/* A chunk of this many runs fills a page. */
#define CHUNK_RUNS \
	((PAGE_SIZE - sizeof(struct vhost_vdpa_chunk)) / sizeof(u64))

static u64 run_make(unsigned long pfn, u64 npages)
{
	return (u64)pfn << SPAN_PAGES_BITS | npages;
}

static unsigned long run_pfn(u64 run)
{
	return run >> SPAN_PAGES_BITS;
}

static u64 run_pages(u64 run)
{
	return run & SPAN_PAGES_MAX;
}

struct vhost_vdpa_region *vhost_vdpa_region_alloc(u64 first, u64 last, u32 perm)
{
	struct vhost_vdpa_region *region;

	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return NULL;
	region->node.start = first;
	region->node.last = last;
	region->perm = perm;
	INIT_LIST_HEAD(&region->link);
	INIT_LIST_HEAD(&region->chunks);
	return region;
}

static void chunk_unpin(const struct vhost_vdpa_chunk *chunk, bool dirty)
{
	for (u32 i = 0; i < chunk->nr; i++) {
		struct page *page = pfn_to_page(run_pfn(chunk->run[i]));

		unpin_user_page_range_dirty_lock(page, run_pages(chunk->run[i]),
						 dirty);
	}
}

/* Frees @region with its memory, which no device reaches any more. */
void vhost_vdpa_region_free(struct vhost_vdpa_region *region)
{
	struct vhost_vdpa_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &region->chunks, link) {
		chunk_unpin(chunk, region->perm & VHOST_ACCESS_WO);
		kfree(chunk);
		cond_resched();
	}
	if (region->mm)
		vhost_vdpa_uncharge(region->mm, region->npages);
	if (region->file.file)
		fput(region->file.file);
	kfree(region);
}

void vhost_vdpa_regions_free(struct list_head *regions)
{
	struct vhost_vdpa_region *region, *next;

	list_for_each_entry_safe(region, next, regions, link) {
		list_del(&region->link);
		vhost_vdpa_region_free(region);
	}
}

static struct vhost_vdpa_chunk *chunk_alloc(u64 runs)
{
	u32 max = min_t(u64, runs, CHUNK_RUNS);
	struct vhost_vdpa_chunk *chunk;

	chunk = kmalloc(struct_size(chunk, run, max), GFP_KERNEL_ACCOUNT);
	if (chunk) {
		chunk->nr = 0;
		chunk->max = max;
	}
	return chunk;
}

/* How many of @pages are one after the other in memory, from the first. */
static u32 pages_contiguous(struct page **pages, u32 nr)
{
	u32 i = 1;

	while (i < nr && pages[i] == pages[0] + i)
		i++;
	return i;
}

/**
 * vhost_vdpa_region_add_pages() - Append pinned pages to a region.
 * @region: not mapped yet
 * @pages: the pages, in order of their addresses
 * @nr: how many
 * @left: how many more the region may get after the first of these; sizes what
 *	is allocated
 *
 * Return: how many pages the region has taken over, fewer than @nr if memory
 * is short.
 */
int vhost_vdpa_region_add_pages(struct vhost_vdpa_region *region,
				struct page **pages, u32 nr, u64 left)
{
	struct vhost_vdpa_chunk *chunk = NULL;
	u32 done = 0;

	if (!list_empty(&region->chunks))
		chunk = list_last_entry(&region->chunks,
					struct vhost_vdpa_chunk, link);
	while (done < nr) {
		u64 *last = chunk && chunk->nr ? &chunk->run[chunk->nr - 1] :
						 NULL;
		unsigned long pfn = page_to_pfn(pages[done]);
		u32 n = pages_contiguous(pages + done, nr - done);

		if (last && run_pfn(*last) + run_pages(*last) == pfn &&
		    run_pages(*last) + n <= SPAN_PAGES_MAX) {
			*last += n;
			done += n;
			continue;
		}
		if (!chunk || chunk->nr == chunk->max) {
			chunk = chunk_alloc(left - done);
			if (!chunk)
				break;
			list_add_tail(&chunk->link, &region->chunks);
		}
		chunk->run[chunk->nr++] = run_make(pfn, n);
		region->spans++;
		done += n;
	}
	region->npages += done;
	return done;
}

/* Pages of @region before the address @at. */
static u64 pages_before(const struct vhost_vdpa_region *region, u64 at)
{
	return (at - region->node.start + region->offset) >> PAGE_SHIFT;
}

/* Whether no page of @region lies on both sides of the address @at. */
bool vhost_vdpa_region_can_split(const struct vhost_vdpa_region *region, u64 at)
{
	return PAGE_ALIGNED(at - region->node.start + region->offset);
}

/*
 * Moves the runs of @left after its first @npages to @right, which is empty.
 * @spare has room for what follows the cut in the chunk that is cut; it is
 * used or freed.
 */
static void runs_split(struct vhost_vdpa_region *left,
		       struct vhost_vdpa_region *right,
		       struct vhost_vdpa_chunk *spare, u64 npages)
{
	struct vhost_vdpa_chunk *chunk;
	u64 total = left->spans;
	LIST_HEAD(kept);
	u64 keep = npages;
	u32 i = 0;

	/* The run that the cut goes through, or comes before. */
	left->spans = 0;
	list_for_each_entry(chunk, &left->chunks, link) {
		for (i = 0; i < chunk->nr; i++) {
			if (run_pages(chunk->run[i]) > keep)
				goto found;
			keep -= run_pages(chunk->run[i]);
			left->spans++;
		}
	}
found:
	right->spans = total - left->spans;
	if (keep) {
		u64 run = chunk->run[i];

		chunk->run[i++] = run_make(run_pfn(run), keep);
		left->spans++;
		spare->run[spare->nr++] = run_make(run_pfn(run) + keep,
						   run_pages(run) - keep);
	}
	if (i) {
		for (u32 j = i; j < chunk->nr; j++)
			spare->run[spare->nr++] = chunk->run[j];
		chunk->nr = i;
		chunk = list_next_entry(chunk, link);
	}
	list_cut_before(&kept, &left->chunks, &chunk->link);
	list_splice_init(&left->chunks, &right->chunks);
	list_splice(&kept, &left->chunks);
	if (spare->nr)
		list_add(&spare->link, &right->chunks);
	else
		kfree(spare);
}

/**
 * vhost_vdpa_region_split() - Cut a region in two.
 * @region: keeps what lies before @at
 * @at: first address of the new region; vhost_vdpa_region_can_split() said yes
 *
 * The caller holds as->lock and keeps the tree right.
 *
 * Return: the new region; NULL if memory is short.
 */
struct vhost_vdpa_region *
vhost_vdpa_region_split(struct vhost_vdpa_region *region, u64 at)
{
	struct vhost_vdpa_region *right;
	struct vhost_vdpa_chunk *spare;
	u64 npages = pages_before(region, at);

	right = vhost_vdpa_region_alloc(at, region->node.last, region->perm);
	if (!right)
		return NULL;
	if (region->file.file) {
		right->uaddr = region->uaddr + (at - region->node.start);
		right->file.file = get_file(region->file.file);
		right->file.offset = region->file.offset +
				     (at - region->node.start);
		right->spans = region->spans;
	} else {
		spare = chunk_alloc(min_t(u64, CHUNK_RUNS, region->spans + 1));
		if (!spare) {
			kfree(right);
			return NULL;
		}
		runs_split(region, right, spare, npages);
		right->mm = region->mm;
		right->npages = region->npages - npages;
		region->npages = npages;
	}
	region->node.last = at - 1;
	return right;
}

struct vhost_vdpa_span_iter vhost_vdpa_spans(struct vhost_vdpa_region *region)
{
	return (struct vhost_vdpa_span_iter){
		.region = region,
		.chunk = list_first_entry_or_null(&region->chunks,
						  struct vhost_vdpa_chunk,
						  link),
		.iova = region->node.start,
	};
}

/* Fills @span with the next piece of the region; false after the last one. */
bool vhost_vdpa_span_next(struct vhost_vdpa_span_iter *iter,
			  struct vhost_vdpa_span *span)
{
	struct vhost_vdpa_region *region = iter->region;
	u64 room = region->node.last - iter->iova;	/* bytes less one */
	u64 run, size, skip;

	if (iter->done)
		return false;
	span->iova = iter->iova;
	span->perm = region->perm;
	if (!iter->chunk) {
		span->size = room + 1;
		span->addr = region->uaddr;
		span->opaque = &region->file;
		iter->done = true;
		return true;
	}

	run = iter->chunk->run[iter->idx];
	skip = iter->iova == region->node.start ? region->offset : 0;
	size = (run_pages(run) << PAGE_SHIFT) - skip;
	if (size - 1 >= room) {
		size = room + 1;
		iter->done = true;
	}
	span->size = size;
	span->addr = PFN_PHYS(run_pfn(run)) + skip;
	span->opaque = NULL;

	iter->iova += size;
	if (++iter->idx == iter->chunk->nr) {
		iter->chunk = list_next_entry(iter->chunk, link);
		iter->idx = 0;
	}
	return true;
}

/* Whether a span of @region starts at the address @at, which lies within. */
bool vhost_vdpa_span_starts(struct vhost_vdpa_region *region, u64 at)
{
	struct vhost_vdpa_span_iter iter = vhost_vdpa_spans(region);
	struct vhost_vdpa_span span;

	while (vhost_vdpa_span_next(&iter, &span))
		if (span.iova >= at)
			return span.iova == at;
	return false;
}
