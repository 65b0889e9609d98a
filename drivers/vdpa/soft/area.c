// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring areas of a virtqueue, where the kernel can reach them as one piece.
 *
 * vq.c maps the areas when it makes a ring and unmaps them when it drops it;
 * soft->map_lock is held (for reading together with vq->lock, or for writing).
 * An area that is contiguous in physical memory is used where the direct map
 * has it, any other is put together with vmap().
 */
#include "soft.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vdpa_soft.h>
#include <linux/vmalloc.h>

static const u32 area_access[VDPA_SOFT_NAREAS] = {
	[VDPA_SOFT_DESC]	= VDPA_RING_READ,
	[VDPA_SOFT_DRIVER]	= VDPA_RING_READ,
	[VDPA_SOFT_DEVICE]	= VDPA_RING_WRITE,
};

/*
 * The pages below @bytes at @iova. Each must begin and end where the area
 * crosses from one page of IOVA to the next, or they cannot be put together:
 * -EFAULT, as for what is not mapped.
 */
static int area_pages(struct vdpa_soft_vq *vq, u64 iova, u64 bytes,
		      u32 access, struct page **pages)
{
	u32 off = offset_in_page(iova);

	while (bytes) {
		u32 want = min_t(u64, PAGE_SIZE - off, bytes), len = want;
		void *p = soft_translate(vq, iova, &len, access);

		if (!p || len < want || offset_in_page(p) != off)
			return -EFAULT;
		*pages++ = virt_to_page(p);
		iova += want;
		bytes -= want;
		off = 0;
	}
	return 0;
}

static int area_vmap(struct vdpa_soft_vq *vq, struct vdpa_soft_area *area,
		     u64 bytes, u32 access)
{
	u32 off = offset_in_page(area->iova);
	u32 nr = DIV_ROUND_UP(off + bytes, PAGE_SIZE);
	struct page **pages;
	int err;

	pages = kmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	err = area_pages(vq, area->iova, bytes, access, pages);
	if (!err) {
		area->vmap = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
		if (!area->vmap)
			err = -ENOMEM;
	}
	kfree(pages);
	if (err)
		return err;

	area->addr = area->vmap + off;
	area->bytes = bytes;
	return 0;
}

/* 0; -EFAULT: not mapped for what it is; -ENOMEM. */
int soft_area_map(struct vdpa_soft_vq *vq, int which, u64 bytes)
{
	struct vdpa_soft_area *area = &vq->area[which];
	u32 access = area_access[which], len = bytes;
	u64 last;
	void *p;

	lockdep_assert_held(&vq->soft->map_lock);
	lockdep_assert_held(&vq->lock);

	if (check_add_overflow(area->iova, bytes - 1, &last))
		return -EFAULT;
	p = soft_translate(vq, area->iova, &len, access);
	if (!p)
		return -EFAULT;
	if (len < bytes)
		return area_vmap(vq, area, bytes, access);

	area->addr = p;
	area->bytes = bytes;
	return 0;
}

void soft_area_unmap(struct vdpa_soft_vq *vq, int which)
{
	struct vdpa_soft_area *area = &vq->area[which];

	lockdep_assert_held(&vq->soft->map_lock);

	vunmap(area->vmap);
	area->vmap = NULL;
	area->addr = NULL;
	area->bytes = 0;
}

/* Does the ring, if there is one, lie in [@iova, @last]? */
bool soft_area_overlaps(const struct vdpa_soft_vq *vq, u64 iova, u64 last)
{
	for (int i = 0; i < VDPA_SOFT_NAREAS; i++) {
		const struct vdpa_soft_area *area = &vq->area[i];

		if (area->bytes && area->iova <= last &&
		    area->iova + (area->bytes - 1) >= iova)
			return true;
	}
	return false;
}
