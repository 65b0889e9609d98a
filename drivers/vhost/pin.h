/* SPDX-License-Identifier: GPL-2.0-only */
/* The two ways in which memory of a process gets into a region. */
#ifndef _VHOST_VDPA_PIN_H
#define _VHOST_VDPA_PIN_H

#include <linux/types.h>

struct list_head;
struct vhost_iotlb_msg;
struct vhost_vdpa;

/* pin.c: pinned pages, for parents that take physical addresses */
int vhost_vdpa_pin(struct vhost_vdpa *v, const struct vhost_iotlb_msg *msg,
		   u64 max_spans, struct list_head *regions);

/* vma.c: shared file mappings, for parents that take those (use_va) */
int vhost_vdpa_collect(struct vhost_vdpa *v, const struct vhost_iotlb_msg *msg,
		       u64 max_spans, struct list_head *regions);

#endif /* _VHOST_VDPA_PIN_H */
