/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region: a range of I/O virtual addresses that one IOTLB update mapped, or
 * what invalidates have left of it, with the memory behind. It is stored as
 * the program asked for it; where that memory really lies is a list of spans,
 * packed to eight bytes each, so that a region costs little whether its memory
 * is one huge page or a million scattered ones.
 */
#ifndef _VHOST_VDPA_REGION_H
#define _VHOST_VDPA_REGION_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include <linux/vdpa.h>

struct page;

/*
 * Pages that are contiguous: frame number above, how many below; 2 GiB at most,
 * for the bytes to fit a scatterlist.
 */
#define SPAN_PAGES_BITS	20
#define SPAN_PAGES_MAX	BIT(19)

struct vhost_vdpa_chunk {
	struct vhost_vdpa_chunk *next;
	u32 nr;			/* used entries of @run */
	u32 max;		/* all entries of @run */
	u64 run[] __counted_by(max);
};

/**
 * struct vhost_vdpa_region - one entry of an address space
 * @node: in as->regions: first and last byte of I/O virtual address
 * @link: in a list of regions that are in no tree
 * @tail: the last chunk, which is being filled
 * @mm: who is charged for @npages
 * @npages: pinned pages
 * @spans: how many pieces the device is given
 * @offset: bytes from the start of its page to the first byte
 * @perm: VHOST_ACCESS_*
 * @uaddr: address in the process, where the parent takes those
 * @file: what is mapped at @uaddr
 * @head: the first chunk, which lives and dies with the region; empty where
 *	the parent takes addresses of the process
 */
struct vhost_vdpa_region {
	struct interval_tree_node node;
	struct list_head link;
	struct vhost_vdpa_chunk *tail;
	struct mm_struct *mm;
	u64 npages;
	u64 spans;
	u32 offset;
	u32 perm;
	u64 uaddr;
	struct vdpa_map_file file;
	struct vhost_vdpa_chunk head;
};

/* A piece of a region that the device is given at once. */
struct vhost_vdpa_span {
	u64 iova;
	u64 size;
	u64 addr;	/* physical, or of the process */
	u32 perm;
	void *opaque;
};

struct vhost_vdpa_span_iter {
	struct vhost_vdpa_region *region;
	struct vhost_vdpa_chunk *chunk;
	u32 idx;
	u64 iova;	/* where the next span starts */
	bool done;
};

/* region.c */
struct vhost_vdpa_region *vhost_vdpa_region_alloc(u64 first, u64 last,
						  u32 perm, u64 runs);
void vhost_vdpa_region_free(struct vhost_vdpa_region *region);
void vhost_vdpa_regions_free(struct list_head *regions);
int vhost_vdpa_region_add_pages(struct vhost_vdpa_region *region,
				struct page **pages, u32 nr, u64 left);
bool vhost_vdpa_region_can_split(const struct vhost_vdpa_region *region,
				 u64 at);
struct vhost_vdpa_region *
vhost_vdpa_region_split(struct vhost_vdpa_region *region, u64 at);
struct vhost_vdpa_span_iter
vhost_vdpa_spans(struct vhost_vdpa_region *region);
bool vhost_vdpa_span_next(struct vhost_vdpa_span_iter *iter,
			  struct vhost_vdpa_span *span);
bool vhost_vdpa_span_starts(struct vhost_vdpa_region *region, u64 at);

/* pin.c */
int vhost_vdpa_charge(struct mm_struct *mm, u64 npages);

static inline void vhost_vdpa_uncharge(struct mm_struct *mm, u64 npages)
{
	atomic64_sub(npages, &mm->pinned_vm);
}

#endif /* _VHOST_VDPA_REGION_H */
