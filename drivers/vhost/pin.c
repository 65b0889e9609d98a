// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins memory of the owner for a device and charges it to RLIMIT_MEMLOCK. Runs
 * in the owner's process and holds no lock: a fault may take as long as user
 * space likes, and nobody waits for it.
 */
#include "pin.h"

#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "region.h"
#include "vhost_vdpa.h"

/* Pages that are pinned at a time: a few on the stack, else as many as fit. */
#define PIN_FEW		16
#define PIN_MANY	8192

struct pin_list {
	struct page **pages;
	u32 max;
	struct page *few[PIN_FEW];
};

/**
 * vhost_vdpa_charge() - Count pages against RLIMIT_MEMLOCK.
 * @mm: of the owner
 * @npages: pages that are going to be pinned
 *
 * One counter serves all threads and all devices of a process, so it is moved
 * atomically. CAP_IPC_LOCK is exempt from the limit, not from the count.
 *
 * Return: 0; -ENOMEM over the limit.
 */
int vhost_vdpa_charge(struct mm_struct *mm, u64 npages)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 old = atomic64_read(&mm->pinned_vm);

	do {
		if (old + npages > limit && !capable(CAP_IPC_LOCK))
			return -ENOMEM;
	} while (!atomic64_try_cmpxchg(&mm->pinned_vm, &old, old + npages));
	return 0;
}

/* Why a pin that is under way should be given up. */
static int pin_interrupted(struct vhost_vdpa *v)
{
	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	if (vdpa_gate_is_closed(&v->gate))
		return -ENODEV;
	if (READ_ONCE(v->mm) != current->mm)
		return -EPERM;
	return 0;
}

/* Room for the addresses of pages; it may be for fewer than all. */
static int pin_list_init(struct pin_list *list, u64 npages)
{
	u32 want = min_t(u64, npages, PIN_MANY);

	list->pages = list->few;
	list->max = PIN_FEW;
	if (npages <= PIN_FEW)
		return 0;
	/* Large ones are worth something, but not waiting for. */
	list->max = want;
	list->pages = kmalloc_array(want, sizeof(*list->pages),
				    GFP_KERNEL_ACCOUNT | __GFP_NORETRY |
				    __GFP_NOWARN);
	if (list->pages)
		return 0;
	list->max = min_t(u32, want, PAGE_SIZE / sizeof(*list->pages));
	list->pages = kmalloc_array(list->max, sizeof(*list->pages),
				    GFP_KERNEL_ACCOUNT);
	return list->pages ? 0 : -ENOMEM;
}

static void pin_list_free(struct pin_list *list)
{
	if (list->pages != list->few)
		kfree(list->pages);
}

/* Pins all of @region at @uaddr, a list of pages at a time. */
static int pin_pages(struct vhost_vdpa *v, struct vhost_vdpa_region *region,
		     unsigned long uaddr, u64 npages, u64 max_spans,
		     struct pin_list *list)
{
	unsigned int flags = FOLL_LONGTERM;

	if (region->perm & VHOST_ACCESS_WO)
		flags |= FOLL_WRITE;

	while (region->npages < npages) {
		u64 left = npages - region->npages;
		int got, kept, err;

		got = pin_user_pages_fast(uaddr + region->npages * PAGE_SIZE,
					  min_t(u64, left, list->max), flags,
					  list->pages);
		if (got <= 0)
			return got ?: -EFAULT;
		kept = vhost_vdpa_region_add_pages(region, list->pages, got,
						   left);
		if (kept < got) {
			unpin_user_pages(list->pages + kept, got - kept);
			return -ENOMEM;
		}
		if (region->spans > max_spans)
			return -ENOSPC;
		if (region->npages == npages)
			break;
		err = pin_interrupted(v);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vhost_vdpa_pin() - Make a region of pinned memory.
 * @v: the node; the caller is its owner
 * @msg: an update, checked
 * @max_spans: how many contiguous pieces may be found
 * @regions: list to which the region is added
 *
 * Return: 0; -ENOMEM over RLIMIT_MEMLOCK, short of memory, or a page is pinned
 * half a million times already; -EFAULT where nothing, or nothing that allows
 * the access, is mapped; -ENOSPC more than @max_spans; -EINTR killed; -ENODEV
 * the device went away meanwhile. Unless 0, nothing stays pinned or charged.
 */
int vhost_vdpa_pin(struct vhost_vdpa *v, const struct vhost_iotlb_msg *msg,
		   u64 max_spans, struct list_head *regions)
{
	struct vhost_vdpa_region *region;
	struct pin_list list __uninitialized;
	u32 offset;
	u64 npages;
	int err;

	offset = offset_in_page(msg->uaddr);
	npages = ((msg->size - 1 + offset) >> PAGE_SHIFT) + 1;
	region = vhost_vdpa_region_alloc(msg->iova, msg->iova + msg->size - 1,
					 msg->perm, npages);
	if (!region)
		return -ENOMEM;
	region->offset = offset;

	err = vhost_vdpa_charge(current->mm, npages);
	if (err)
		goto out_free;
	err = pin_list_init(&list, npages);
	if (!err) {
		err = pin_pages(v, region, msg->uaddr & PAGE_MASK, npages,
				max_spans, &list);
		pin_list_free(&list);
	}
	if (err) {
		vhost_vdpa_uncharge(current->mm, npages);
		goto out_free;
	}
	/* Not v->mm, which ends with the session. */
	region->mm = current->mm;
	list_add_tail(&region->link, regions);
	return 0;

out_free:
	vhost_vdpa_region_free(region);
	return err;
}
