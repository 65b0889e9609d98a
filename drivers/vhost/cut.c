// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts a mapping in two, for an invalidate of a part of it: first in our own
 * records, then, where the device holds whole spans, on the device. as.c is the
 * only caller, with as->lock held.
 */
#include "as.h"

#include "mapper.h"

/*
 * Makes the device's map end a span before @at, where @region goes on. For a
 * moment the span is not mapped; a device that uses it meanwhile sees a fault.
 */
static int as_cut_span(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
		       struct vhost_vdpa_region *left,
		       struct vhost_vdpa_region *right)
{
	struct vhost_vdpa_span_iter iter = vhost_vdpa_spans(right);
	struct vhost_vdpa_span end, start, span;
	LIST_HEAD(both);
	int err;

	lockdep_assert_held(&as->lock);

	if (!vhost_vdpa_span_next(&iter, &end))
		return 0;
	iter = vhost_vdpa_spans(left);
	while (vhost_vdpa_span_next(&iter, &span)) {
		start = span;
		cond_resched();
	}
	/* The cut is where a span starts anyway. */
	if (!end.opaque && start.addr + start.size != end.addr)
		return 0;

	list_add(&left->link, &both);
	list_add_tail(&right->link, &both);
	{
		CLASS(vdpa_live, live)(&v->gate);

		err = live.ops ? v->mapper->unmap(v, live.vdpa, as, start.iova,
						  end.iova + end.size - 1,
						  &both) : -ENODEV;
		if (!err) {
			/* Both, whatever becomes of the first. */
			err = vhost_vdpa_map_span(v, live.vdpa, as, &start);
			err = vhost_vdpa_map_span(v, live.vdpa, as, &end) ?:
			      err;
		}
	}
	list_del_init(&left->link);
	list_del_init(&right->link);
	return err;
}

/* Makes a region end before @at and another one start there. */
static int as_cut(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 at)
{
	struct vhost_vdpa_region *left = as_find(as, at, at), *right;
	int err = 0;

	lockdep_assert_held(&as->lock);

	if (!left || left->node.start == at)
		return 0;
	/* It would make one span two. */
	if (as->spans >= as_max_spans(v) &&
	    !vhost_vdpa_span_starts(left, at))
		return -ENOSPC;

	interval_tree_remove(&left->node, &as->regions);
	as->spans -= left->spans;
	right = vhost_vdpa_region_split(left, at);
	as_insert(as, left);
	if (!right)
		return -ENOMEM;
	as_insert(as, right);
	if (!v->mapper->cuts || v->use_va) {
		err = as_cut_span(v, as, left, right);
		if (err)
			as->stale = true;
	}
	return err;
}

/**
 * vhost_vdpa_as_cut_out() - Make regions begin and end where a range does.
 * @v: the node
 * @as: the address space, locked
 * @start: region that @first is in, or the first after it
 * @end: region that @last is in, perhaps @start; NULL: none is
 * @first: first address of the range
 * @last: last address of the range
 *
 * Return: 0; -EINVAL in the middle of a page; -ENOSPC it would be more pieces
 * than there may be; -ENOMEM; -ENODEV the device went away; what the device
 * said. After an error the same is mapped as before, but for a device that did
 * not take back what it had.
 */
int vhost_vdpa_as_cut_out(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			  struct vhost_vdpa_region *start,
			  struct vhost_vdpa_region *end, u64 first, u64 last)
{
	bool at_start = start->node.start < first;
	bool at_end = end && end->node.last > last;
	int err = 0;

	lockdep_assert_held(&as->lock);

	/* Neither in the middle of a page. */
	if (at_start && !vhost_vdpa_region_can_split(start, first))
		return -EINVAL;
	if (at_end && !vhost_vdpa_region_can_split(end, last + 1))
		return -EINVAL;
	if (at_start)
		err = as_cut(v, as, first);
	if (!err && at_end)
		err = as_cut(v, as, last + 1);
	return err;
}
