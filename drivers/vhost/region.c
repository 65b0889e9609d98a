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

/* A chunk of this many runs fills a page, in a region or on its own. */
#define CHUNK_RUNS \
	((PAGE_SIZE - sizeof(struct vhost_vdpa_region)) / sizeof(u64))

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
	return run & (BIT(SPAN_PAGES_BITS) - 1);
}

/* How many entries a chunk gets that may have to hold @runs. */
static u32 chunk_max(u64 runs)
{
	return min_t(u64, runs, CHUNK_RUNS);
}

/*
 * A region without memory yet; @runs is how many runs it may get, for one
 * allocation to do where they are few.
 */
struct vhost_vdpa_region *vhost_vdpa_region_alloc(u64 first, u64 last, u32 perm,
						  u64 runs)
{
	struct vhost_vdpa_region *region;
	u32 max = chunk_max(runs);

	region = kzalloc(struct_size(region, head.run, max),
			 GFP_KERNEL_ACCOUNT);
	if (!region)
		return NULL;
	region->node.start = first;
	region->node.last = last;
	region->perm = perm;
	INIT_LIST_HEAD(&region->link);
	region->head.max = max;
	region->tail = &region->head;
	return region;
}

static void chunk_unpin(const struct vhost_vdpa_chunk *chunk, bool dirty)
{
	for (u32 i = 0; i < chunk->nr; i++) {
		struct page *page = pfn_to_page(run_pfn(chunk->run[i]));

		unpin_user_page_range_dirty_lock(page, run_pages(chunk->run[i]),
						 dirty);
		cond_resched();
	}
}

/* Frees @region with its memory, which no device reaches any more. */
void vhost_vdpa_region_free(struct vhost_vdpa_region *region)
{
	struct vhost_vdpa_chunk *chunk = &region->head, *next;
	bool dirty = region->perm & VHOST_ACCESS_WO;

	chunk_unpin(chunk, dirty);
	while ((next = chunk->next)) {
		chunk->next = next->next;
		chunk_unpin(next, dirty);
		kfree(next);
	}
	if (region->mm)
		vhost_vdpa_uncharge(region->mm, region->npages);
	if (region->file.file)
		fput(region->file.file);
	kfree(region);
}

/* The same of all in a list, which is empty then. */
void vhost_vdpa_regions_free(struct list_head *regions)
{
	struct vhost_vdpa_region *region, *next;

	list_for_each_entry_safe(region, next, regions, link) {
		vhost_vdpa_region_free(region);
		cond_resched();
	}
	INIT_LIST_HEAD(regions);
}

/* The chunk of @region that has room for a run, @runs of which may follow. */
static struct vhost_vdpa_chunk *chunk_get(struct vhost_vdpa_region *region,
					  u64 runs)
{
	struct vhost_vdpa_chunk *chunk = region->tail;
	u32 max;

	if (chunk->nr < chunk->max)
		return chunk;
	max = chunk_max(runs);
	chunk = kmalloc(struct_size(chunk, run, max), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	chunk->next = NULL;
	chunk->nr = 0;
	chunk->max = max;
	region->tail->next = chunk;
	region->tail = chunk;
	return chunk;
}

/* Whether @npages at @pfn follow the last run of @chunk, and now are of it. */
static bool chunk_extend(struct vhost_vdpa_chunk *chunk, unsigned long pfn,
			 u32 npages)
{
	u64 last = chunk->nr ? chunk->run[chunk->nr - 1] : 0;

	if (!last || run_pfn(last) + run_pages(last) != pfn ||
	    run_pages(last) + npages > SPAN_PAGES_MAX)
		return false;
	chunk->run[chunk->nr - 1] = last + npages;
	return true;
}

/*
 * How many of @pages, from the first, are known to be one huge page without a
 * look at each: one entry of the page tables mapped it when they were pinned.
 * What an entry maps is pinned in one step, so no other page that somebody put
 * there meanwhile can be among them.
 *
 * That is so for hugetlbfs, if the page is what one entry holds and not several
 * of them. A transparent one is mapped as a whole, and nowhere else, if that is
 * its only mapping now; then it was when it was pinned, since an anonymous huge
 * page that was once mapped by pieces never is as a whole again (collapsing
 * takes a new one), and one that is pinned is not freed. A pinned anonymous
 * page is no other process's, so the mapping is the one that was followed. Its
 * first page must be the first that was pinned, for all of it to follow.
 */
static u32 pages_huge(struct page **pages, u32 nr)
{
	struct folio *folio = page_folio(pages[0]);
	size_t size = folio_size(folio);
	u32 n;

	if (size != PMD_SIZE && size != PUD_SIZE)
		return 1;
	n = folio_nr_pages(folio) - folio_page_idx(folio, pages[0]);
	if (folio_test_hugetlb(folio))
		return min(n, nr);
	if (n == PMD_SIZE >> PAGE_SHIFT && n <= nr && folio_test_anon(folio) &&
	    folio_entire_mapcount(folio) == 1 &&
	    folio_large_mapcount(folio) == 1)
		return n;
	return 1;
}

/*
 * A pin counts 1024 references of a small page, and the kernel warns if they
 * are more than an int holds. Most of it is left for those who pin while we
 * look: a list of pages at a time, each.
 */
#define PAGE_REFS_MAX	(INT_MAX / 4)

/* Whether one of @nr pages, from @page in memory, is pinned too often. */
static bool pages_overused(struct page *page, u32 nr)
{
	for (u32 i = 0; i < nr;) {
		struct folio *folio = page_folio(page + i);

		if (folio_ref_count(folio) > PAGE_REFS_MAX)
			return true;
		i += folio_nr_pages(folio) - folio_page_idx(folio, page + i);
	}
	return false;
}

/*
 * How many of @pages are one after the other in memory, from the first. This is
 * the most of what is done for a page, so by eights.
 */
static u32 pages_contiguous(struct page **pages, u32 nr)
{
	struct page *first = pages[0];
	u32 i = pages_huge(pages, nr);

	if (i > 1)
		return i;
	for (; i + 8 <= nr; i += 8) {
		struct page **at = pages + i, *want = first + i;

		if (at[0] != want || at[1] != want + 1 ||
		    at[2] != want + 2 || at[3] != want + 3 ||
		    at[4] != want + 4 || at[5] != want + 5 ||
		    at[6] != want + 6 || at[7] != want + 7)
			break;
	}
	while (i < nr && pages[i] == first + i)
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
 * is short or a page is pinned too often.
 */
int vhost_vdpa_region_add_pages(struct vhost_vdpa_region *region,
				struct page **pages, u32 nr, u64 left)
{
	struct vhost_vdpa_chunk *chunk = region->tail;
	u32 done = 0;

	while (done < nr) {
		unsigned long pfn = page_to_pfn(pages[done]);
		u32 n = pages_contiguous(pages + done, nr - done);

		if (pages_overused(pages[done], n))
			break;
		if (!chunk_extend(chunk, pfn, n)) {
			chunk = chunk_get(region, left - done);
			if (!chunk)
				break;
			chunk->run[chunk->nr++] = run_make(pfn, n);
			region->spans++;
		}
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
 * Moves the runs of @left after its first @npages, which are not all and not
 * none, to @right. That is empty and has room for what follows the cut in the
 * chunk that is cut.
 */
static void runs_split(struct vhost_vdpa_region *left,
		       struct vhost_vdpa_region *right, u64 npages)
{
	struct vhost_vdpa_chunk *chunk = &left->head, *to = &right->head;
	u64 total = left->spans, keep = npages, run;
	u32 i = 0;

	/* Past the runs that stay, to the one that the cut goes through. */
	left->spans = 0;
	while (keep) {
		if (i == chunk->nr) {
			chunk = chunk->next;
			i = 0;
			continue;
		}
		if (run_pages(chunk->run[i]) > keep)
			break;
		keep -= run_pages(chunk->run[i++]);
		left->spans++;
		cond_resched();
	}
	right->spans = total - left->spans;
	if (keep) {
		run = chunk->run[i];
		chunk->run[i++] = run_make(run_pfn(run), keep);
		left->spans++;
		to->run[to->nr++] = run_make(run_pfn(run) + keep,
					     run_pages(run) - keep);
	}
	while (i < chunk->nr)
		to->run[to->nr++] = chunk->run[i++];
	chunk->nr -= to->nr - !!keep;
	to->next = chunk->next;
	right->tail = to->next ? left->tail : to;
	chunk->next = NULL;
	left->tail = chunk;
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
	u64 npages = pages_before(region, at);
	u64 runs = region->file.file ? 0 : region->spans;

	right = vhost_vdpa_region_alloc(at, region->node.last, region->perm,
					runs);
	if (!right)
		return NULL;
	if (region->file.file) {
		right->uaddr = region->uaddr + (at - region->node.start);
		right->file.file = get_file(region->file.file);
		right->file.offset = region->file.offset +
				     (at - region->node.start);
		right->spans = region->spans;
	} else {
		runs_split(region, right, npages);
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
		/* A cut between two chunks leaves the first one empty. */
		.chunk = region->head.nr ? &region->head : region->head.next,
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
		iter->chunk = iter->chunk->next;
		iter->idx = 0;
	}
	return true;
}

/* Whether a span of @region starts at the address @at, which lies within. */
bool vhost_vdpa_span_starts(struct vhost_vdpa_region *region, u64 at)
{
	struct vhost_vdpa_span_iter iter = vhost_vdpa_spans(region);
	struct vhost_vdpa_span span;

	while (vhost_vdpa_span_next(&iter, &span)) {
		if (span.iova >= at)
			return span.iova == at;
		cond_resched();
	}
	return false;
}
