/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three ways in which a device is given memory: a parent with dma_map()
 * and dma_unmap(), a parent with set_map(), or the platform's IOMMU.
 */
#ifndef _VHOST_VDPA_MAPPER_H
#define _VHOST_VDPA_MAPPER_H

#include <linux/types.h>

struct list_head;
struct vdpa_device;
struct vhost_vdpa;
struct vhost_vdpa_as;
struct vhost_vdpa_span;

/**
 * struct vhost_vdpa_mapper - a way to give memory to a device
 * @one_as: there is one address space for all queues
 * @persists: mappings survive a reset of the device
 * @pages: only whole pages can be mapped
 * @cuts: @unmap may take a part out of a span that was mapped as one
 * @open: a session starts: all address spaces exist and are empty
 * @close: a session ends: the device reaches nothing any more
 * @map: adds @nr spans of one region, one after the other, where nothing is
 *	mapped; @done tells how many it has, if not all
 * @unmap: removes everything from @first to @last, which are ends of spans
 *	unless @cuts; @regions are the regions there. Done when it returns,
 *	but for a mapper with @commit.
 * @rebuild: makes as->table anew from as->regions
 * @commit: tells the device of the maps and unmaps since the last one
 *
 * @open and @close run under v->lock while no address space is in use, the
 * others under as->lock; the device is there.
 */
struct vhost_vdpa_mapper {
	bool one_as;
	bool persists;
	bool pages;
	bool cuts;
	int (*open)(struct vhost_vdpa *v, struct vdpa_device *vdpa);
	void (*close)(struct vhost_vdpa *v, struct vdpa_device *vdpa);
	int (*map)(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		   struct vhost_vdpa_as *as, const struct vhost_vdpa_span *span,
		   u32 nr, u32 *done);
	int (*unmap)(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		     struct vhost_vdpa_as *as, u64 first, u64 last,
		     struct list_head *regions);
	int (*rebuild)(struct vhost_vdpa_as *as);
	int (*commit)(struct vdpa_device *vdpa, struct vhost_vdpa_as *as);
};

/* mapper.c */
const struct vhost_vdpa_mapper *
vhost_vdpa_mapper_of(const struct vdpa_device *vdpa);
int vhost_vdpa_map_regions(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			   struct list_head *regions, u64 *end);
int vhost_vdpa_map_span(struct vhost_vdpa *v, struct vdpa_device *vdpa,
			struct vhost_vdpa_as *as,
			const struct vhost_vdpa_span *span);

#endif /* _VHOST_VDPA_MAPPER_H */
