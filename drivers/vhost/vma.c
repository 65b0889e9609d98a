// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings for parents that work on addresses of the process (use_va): each
 * shared file mapping that the range covers becomes a region that holds the
 * file. Runs in the owner's process, without a lock of ours.
 */
#include "pin.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "region.h"
#include "vhost_vdpa.h"

/* Other memory, private memory first, the parent could not map itself. */
static bool vma_usable(const struct vm_area_struct *vma, u32 perm)
{
	vm_flags_t need = VM_SHARED;

	if (perm & VHOST_ACCESS_RO)
		need |= VM_READ;
	if (perm & VHOST_ACCESS_WO)
		need |= VM_WRITE;
	/*
	 * A regular file holds no other file, so we in turn are not held by
	 * what we hold, as an io_uring could do.
	 */
	return vma->vm_file && S_ISREG(file_inode(vma->vm_file)->i_mode) &&
	       (vma->vm_flags & need) == need &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP));
}

static struct vhost_vdpa_region *
vma_region(struct vm_area_struct *vma, const struct vhost_iotlb_msg *msg,
	   u64 uaddr, u64 end)
{
	u64 first = msg->iova + (uaddr - msg->uaddr);
	struct vhost_vdpa_region *region;

	region = vhost_vdpa_region_alloc(first, first + (end - uaddr) - 1,
					 msg->perm, 0);
	if (!region)
		return NULL;
	region->spans = 1;
	region->offset = offset_in_page(uaddr);
	region->uaddr = uaddr;
	region->file.file = get_file(vma->vm_file);
	region->file.offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) +
			      (uaddr - vma->vm_start);
	return region;
}

/**
 * vhost_vdpa_collect() - Make regions of the file mappings in a range.
 * @v: the node; the caller is its owner
 * @msg: an update, checked
 * @max_spans: how many mappings may be found
 * @regions: list to which the regions are added
 *
 * Return: 0; -EFAULT if nothing is mapped somewhere in the range; -EINVAL if a
 * mapping there is not a shared one of a file, or does not allow the access;
 * -ENOSPC; -ENOMEM; -EINTR. Unless 0, @regions is left empty.
 */
int vhost_vdpa_collect(struct vhost_vdpa *v, const struct vhost_iotlb_msg *msg,
		       u64 max_spans, struct list_head *regions)
{
	u64 uaddr = msg->uaddr, end = msg->uaddr + msg->size;
	struct mm_struct *mm = current->mm;
	struct vhost_vdpa_region *region;
	struct vm_area_struct *vma;
	int err = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (uaddr < end) {
		vma = vma_lookup(mm, uaddr);
		if (!vma)
			err = -EFAULT;
		else if (!vma_usable(vma, msg->perm))
			err = -EINVAL;
		else if (!max_spans--)
			err = -ENOSPC;
		if (err)
			break;
		region = vma_region(vma, msg, uaddr,
				    min_t(u64, end, vma->vm_end));
		if (!region) {
			err = -ENOMEM;
			break;
		}
		list_add_tail(&region->link, regions);
		uaddr = vma->vm_end;
	}
	mmap_read_unlock(mm);
	if (err)
		vhost_vdpa_regions_free(regions);
	return err;
}
