// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: what is mapped, and the requests that change it. A request
 * happens as a whole or leaves the map as it was (but for a batch, whose
 * changes wait for a commit that succeeds, and a cut through a span that runs
 * out of memory half way). The device loses a range before it is unpinned.
 *
 * Messages come from the owner's process, several at a time; open, close, reset
 * and the change of owners from under v->lock. All meet under as->lock, which is
 * not held while memory is pinned: that may take as long as its owner likes.
 */
#include "vhost_vdpa.h"

#include <linux/module.h>

#include "as.h"
#include "mapper.h"
#include "pin.h"
#include "region.h"

/* 64 GiB in pieces of one page, with plenty left for what else is mapped. */
unsigned int vhost_vdpa_max_spans = 1 << 25;
module_param_named(max_iotlb_entries, vhost_vdpa_max_spans, uint, 0444);
MODULE_PARM_DESC(max_iotlb_entries,
		 "Maximum number of contiguous pieces mapped in an address space (default: 33554432)");

void vhost_vdpa_as_init(struct vhost_vdpa_as *as, u32 asid)
{
	mutex_init(&as->lock);
	as->regions = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&as->limbo);
	as->asid = asid;
	as->closed = true;
}

void vhost_vdpa_as_destroy(struct vhost_vdpa_as *as)
{
	mutex_destroy(&as->lock);
}

/* Locks @as for a message of owner number @owner, if that is still the owner. */
static int as_lock(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u32 owner)
{
	int err = 0;

	if (mutex_lock_killable(&as->lock))
		return -EINTR;
	if (as->closed)
		err = -ENODEV;
	else if (READ_ONCE(v->owner_nr) != owner)
		err = -EPERM;
	if (err)
		mutex_unlock(&as->lock);
	return err;
}

/* The region that comes after @region; they do not overlap. */
static struct vhost_vdpa_region *as_next(struct vhost_vdpa_region *region)
{
	return rb_entry_safe(rb_next(&region->node.rb),
			     struct vhost_vdpa_region, node.rb);
}

/* Takes @region and those up to @last out of the tree, into @regions. */
static void as_take(struct vhost_vdpa_as *as, struct vhost_vdpa_region *region,
		    u64 last, struct list_head *regions)
{
	struct vhost_vdpa_region *next;

	lockdep_assert_held(&as->lock);

	while (region && region->node.start <= last) {
		next = region->node.last < last ? as_next(region) : NULL;
		interval_tree_remove(&region->node, &as->regions);
		as->spans -= region->spans;
		list_add_tail(&region->link, regions);
		region = next;
		if (region)
			cond_resched();
	}
}

static void as_insert_all(struct vhost_vdpa_as *as, struct list_head *regions)
{
	struct vhost_vdpa_region *region, *next;

	lockdep_assert_held(&as->lock);

	list_for_each_entry_safe(region, next, regions, link) {
		list_del_init(&region->link);
		as_insert(as, region);
		cond_resched();
	}
}

/*
 * Keeps @regions, which are in no tree, pinned: the device may still reach
 * them. A commit ends that, or the end of the session.
 */
static void as_limbo_add(struct vhost_vdpa_as *as, struct list_head *regions)
{
	struct vhost_vdpa_region *region;

	lockdep_assert_held(&as->lock);

	list_for_each_entry(region, regions, link) {
		as->spans += region->spans;
		cond_resched();
	}
	list_splice_tail_init(regions, &as->limbo);
}

static void as_limbo_free(struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_region *region;

	lockdep_assert_held(&as->lock);

	list_for_each_entry(region, &as->limbo, link) {
		as->spans -= region->spans;
		cond_resched();
	}
	vhost_vdpa_regions_free(&as->limbo);
}

/* A table that lost track of the regions is made anew from them. */
static int as_refresh(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	int err;

	lockdep_assert_held(&as->lock);

	if (!as->stale || !v->mapper->rebuild)
		return 0;
	err = v->mapper->rebuild(as);
	if (!err)
		as->stale = false;
	return err;
}

/* Tells a device with a table of its own what has changed in it. */
static int as_commit(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		     struct vhost_vdpa_as *as)
{
	int err;

	lockdep_assert_held(&as->lock);

	if (!v->mapper->commit)
		return 0;
	as->uncommitted = true;
	if (as->in_batch)
		return 0;
	err = as_refresh(v, as);
	if (!err)
		err = v->mapper->commit(vdpa, as);
	if (err)
		return err;
	as->uncommitted = false;
	as_limbo_free(as);
	return 0;
}

/*
 * After a request that failed, with as->regions as it was before: gives the
 * device the table that it had.
 */
static int as_recommit(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		       struct vhost_vdpa_as *as)
{
	lockdep_assert_held(&as->lock);

	if (!v->mapper->commit)
		return 0;
	as->stale = true;
	return as_commit(v, vdpa, as);
}

/* All of an update is mapped: it counts, unless the device goes. */
static int as_map_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	lockdep_assert_held(&as->lock);

	if (!v->mapper->commit)
		return vdpa_gate_is_closed(&v->gate) ? -ENODEV : 0;

	CLASS(vdpa_live, live)(&v->gate);
	return live.ops ? as_commit(v, live.vdpa, as) : -ENODEV;
}

/* Takes back what was mapped of @first to @last by an update that failed. */
static int as_undo(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
		   u64 last, struct list_head *regions)
{
	int err;

	lockdep_assert_held(&as->lock);

	CLASS(vdpa_live, live)(&v->gate);
	if (!live.ops)
		return -ENODEV;
	err = v->mapper->unmap(v, live.vdpa, as, first, last, regions);
	if (!err && !as->in_batch)
		err = as_recommit(v, live.vdpa, as);
	return err;
}

/* Whether the range is free, and how many pieces there may be in it. */
static int as_room(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
		   u64 last, u64 *room)
{
	lockdep_assert_held(&as->lock);

	if (v->mapper->pages) {
		first &= PAGE_MASK;
		last |= ~PAGE_MASK;
	}
	if (as_find(as, first, last))
		return -EEXIST;
	if (as->spans >= as_max_spans(v))
		return -ENOSPC;
	*room = as_max_spans(v) - as->spans;
	return 0;
}

/* What as_update() does once memory was found: all or nothing. */
static int as_add(struct vhost_vdpa *v, struct vhost_vdpa_as *as, u64 first,
		  u64 last, struct list_head *regions)
{
	struct vhost_vdpa_region *region;
	u64 end = first, spans = 0, room;
	int err;

	lockdep_assert_held(&as->lock);

	/* Others may have been here meanwhile. */
	err = as_room(v, as, first, last, &room);
	if (err)
		return err;
	list_for_each_entry(region, regions, link)
		spans += region->spans;
	if (spans > room)
		return -ENOSPC;

	err = as_refresh(v, as);
	if (err)
		return err;
	err = vhost_vdpa_map_regions(v, as, regions, &end);
	if (!err) {
		err = as_map_end(v, as);
		end = last + 1;
	}
	if (!err) {
		as_insert_all(as, regions);
		return 0;
	}
	/*
	 * Nothing was mapped, or it is taken back; else the device, which may
	 * be about to go, has it until the session ends.
	 */
	if (end != first && as_undo(v, as, first, end - 1, regions))
		as_limbo_add(as, regions);
	return err;
}

int vhost_vdpa_as_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 const struct vhost_iotlb_msg *msg, u32 owner)
{
	u64 first = msg->iova, last = msg->iova + msg->size - 1, room;
	LIST_HEAD(regions);
	int err;

	if (v->mapper->pages &&
	    offset_in_page(msg->iova) != offset_in_page(msg->uaddr))
		return -EINVAL;
	/* What is known to fail costs no pinning. */
	err = as_lock(v, as, owner);
	if (err)
		return err;
	err = as_room(v, as, first, last, &room);
	mutex_unlock(&as->lock);
	if (err)
		return err;

	if (v->use_va)
		err = vhost_vdpa_collect(v, msg, room, &regions);
	else
		err = vhost_vdpa_pin(v, msg, room, &regions);
	if (err)
		return err;
	err = as_lock(v, as, owner);
	if (!err) {
		err = as_add(v, as, first, last, &regions);
		mutex_unlock(&as->lock);
	}
	vhost_vdpa_regions_free(&regions);
	return err;
}

/*
 * Takes @region, the first after @first, and those up to @last from the device,
 * into @regions. Inline: most invalidates are of one page.
 */
static __always_inline int
as_remove(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
	  struct vhost_vdpa_region *region, u64 first, u64 last,
	  struct list_head *regions)
{
	int err;

	lockdep_assert_held(&as->lock);

	as_take(as, region, last, regions);
	{
		CLASS(vdpa_live, live)(&v->gate);

		if (!live.ops) {
			as_insert_all(as, regions);
			return -ENODEV;
		}
		err = v->mapper->unmap(v, live.vdpa, as, first, last, regions);
		if (!err)
			err = as_commit(v, live.vdpa, as);
		if (err) {
			as_insert_all(as, regions);
			if (!as->in_batch)
				as_recommit(v, live.vdpa, as);
			return err;
		}
	}
	/* In a batch the device has them until its end. */
	if (as->uncommitted)
		as_limbo_add(as, regions);
	return 0;
}

static int as_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 u64 first, u64 last, struct list_head *regions)
{
	struct vhost_vdpa_region *region, *end;
	int err;

	lockdep_assert_held(&as->lock);

	region = as_find(as, first, last);
	if (!region)
		return 0;
	end = region->node.last < last ? as_find(as, last, last) : region;
	if (region->node.start < first || (end && end->node.last > last)) {
		err = vhost_vdpa_as_cut_out(v, as, region, end,
					    first, last);
		if (err)
			return err;
		region = as_find(as, first, last);
	}
	return as_remove(v, as, region, first, last, regions);
}

int vhost_vdpa_as_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     const struct vhost_iotlb_msg *msg, u32 owner)
{
	u64 first = msg->iova, last = first + msg->size - 1;
	LIST_HEAD(regions);
	int err;

	/* A size cannot say 2^64: clients mean everything by this. */
	if (!first && msg->size == U64_MAX)
		last = U64_MAX;

	err = as_lock(v, as, owner);
	if (err)
		return err;
	err = as_invalidate(v, as, first, last, &regions);
	mutex_unlock(&as->lock);
	vhost_vdpa_regions_free(&regions);
	return err;
}

int vhost_vdpa_as_batch_begin(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			      const struct vhost_iotlb_msg *msg, u32 owner)
{
	int err = as_lock(v, as, owner);

	if (err)
		return err;
	as->in_batch = true;
	mutex_unlock(&as->lock);
	return 0;
}

static int as_batch_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as)
{
	lockdep_assert_held(&as->lock);

	CLASS(vdpa_live, live)(&v->gate);
	if (!live.ops)
		return -ENODEV;
	as->in_batch = false;
	return as->uncommitted ? as_commit(v, live.vdpa, as) : 0;
}

/* After an error the changes wait for the next commit, of any request. */
int vhost_vdpa_as_batch_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			    const struct vhost_iotlb_msg *msg, u32 owner)
{
	int err = as_lock(v, as, owner);

	if (err)
		return err;
	err = as_batch_end(v, as);
	mutex_unlock(&as->lock);
	return err;
}

/* A reset ends open batches, as their end would; the mappings stay. */
int vhost_vdpa_as_reset(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err = 0;

	lockdep_assert_held(&v->lock);

	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];

		guard(mutex)(&as->lock);
		as->in_batch = false;
		if (as->uncommitted)
			err = as_commit(v, vdpa, as) ?: err;
	}
	return err;
}

/* Takes everything from the device, that which it did not give back as well. */
static int as_empty(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		    struct vhost_vdpa_as *as)
{
	struct vhost_vdpa_region *region;
	LIST_HEAD(regions);
	int err = 0;

	lockdep_assert_held(&as->lock);

	as->in_batch = false;
	region = as_find(as, 0, U64_MAX);
	if (!region && list_empty(&as->limbo) && !as->uncommitted)
		return 0;
	if (!list_empty(&as->limbo))
		err = v->mapper->unmap(v, vdpa, as, 0, U64_MAX, &as->limbo);
	if (!err)
		err = as_remove(v, as, region, 0, U64_MAX, &regions);
	if (!err)
		as_limbo_free(as);
	vhost_vdpa_regions_free(&regions);
	return err;
}

/*
 * The owner has gone, and the session stays. A batch that is open ends without
 * a commit of its own: what it has changed goes too.
 */
int vhost_vdpa_as_empty(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err = 0;

	lockdep_assert_held(&v->lock);

	for (u32 i = 0; i < v->nas; i++) {
		guard(mutex)(&v->as[i].lock);
		err = as_empty(v, vdpa, &v->as[i]) ?: err;
	}
	return err;
}

/* Parents go back to the map that they start with. */
static void as_reset_maps(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	for (u32 i = 0; vdpa->config->reset_map && i < v->nas; i++)
		vdpa->config->reset_map(vdpa, i);
}

/* A session starts: empty address spaces, on the device as here. */
int vhost_vdpa_as_open(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err;

	lockdep_assert_held(&v->lock);

	err = v->mapper->open(v, vdpa);
	if (err) {
		as_reset_maps(v, vdpa);
		return err;
	}
	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];

		guard(mutex)(&as->lock);
		as->closed = false;
	}
	return 0;
}

/*
 * A session ends. A message that is pinning memory finds its address space
 * closed when it comes to map it, and gives the memory back by itself.
 */
void vhost_vdpa_as_close(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	lockdep_assert_held(&v->lock);

	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];

		guard(mutex)(&as->lock);
		as->closed = true;
		as->in_batch = false;
		as->uncommitted = false;
		as->stale = false;
	}
	v->mapper->close(v, vdpa);
	as_reset_maps(v, vdpa);
	for (u32 i = 0; i < v->nas; i++) {
		struct vhost_vdpa_as *as = &v->as[i];
		LIST_HEAD(regions);

		guard(mutex)(&as->lock);
		as_take(as, as_find(as, 0, U64_MAX), U64_MAX, &regions);
		vhost_vdpa_regions_free(&regions);
		as_limbo_free(as);
	}
}
