/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The regions of an address space, for those who change them: as.c and cut.c.
 */
#ifndef _VHOST_VDPA_AS_H
#define _VHOST_VDPA_AS_H

#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "region.h"
#include "vhost_vdpa.h"

extern unsigned int vhost_vdpa_max_spans;	/* of an address space */

/*
 * File mappings in an address space: each is a region of its own, which is many
 * times the size of a span, and holds its file.
 */
#define AS_MAX_FILES	65536U

static inline u64 as_max_spans(const struct vhost_vdpa *v)
{
	return v->use_va ? min(vhost_vdpa_max_spans, AS_MAX_FILES) :
			   vhost_vdpa_max_spans;
}

static inline struct vhost_vdpa_region *as_find(struct vhost_vdpa_as *as,
						u64 first, u64 last)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&as->lock);

	node = interval_tree_iter_first(&as->regions, first, last);
	return node ? container_of(node, struct vhost_vdpa_region, node) : NULL;
}

static inline void as_insert(struct vhost_vdpa_as *as,
			     struct vhost_vdpa_region *region)
{
	lockdep_assert_held(&as->lock);

	interval_tree_insert(&region->node, &as->regions);
	as->spans += region->spans;
}

/* cut.c */
int vhost_vdpa_as_cut_out(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			  struct vhost_vdpa_region *start,
			  struct vhost_vdpa_region *end, u64 first, u64 last);

#endif /* _VHOST_VDPA_AS_H */
