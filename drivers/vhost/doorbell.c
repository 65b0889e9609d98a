// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells: a queue's notification page mapped into the driver's process, at
 * offset (queue index * page size). Pages are inserted on fault, inside the
 * gate, and taken away when the device or its owner goes; a touch after that
 * is SIGBUS. A mapping belongs to the epoch it was made in: a fault and a
 * revocation exclude each other by v->doorbell_lock.
 */
#include "vhost_vdpa.h"

#include <linux/mm.h>
#include <linux/nospec.h>

/* Whether @area is one page of its own, which alone may be handed out. */
static bool doorbell_is_page(const struct vdpa_notification_area *area)
{
	return PAGE_ALIGNED(area->addr) && area->size == PAGE_SIZE;
}

static vm_fault_t doorbell_fault(struct vm_fault *vmf)
{
	struct vhost_vdpa *v = vmf->vma->vm_file->private_data;
	unsigned long idx = vmf->vma->vm_pgoff;
	struct vdpa_notification_area area;

	CLASS(vdpa_live, live)(&v->gate);
	if (!live.ops || !live.ops->get_vq_notification || idx >= v->nvqs)
		return VM_FAULT_SIGBUS;

	guard(mutex)(&v->doorbell_lock);
	if ((unsigned long)vmf->vma->vm_private_data != v->doorbell_epoch)
		return VM_FAULT_SIGBUS;

	idx = array_index_nospec(idx, v->nvqs);
	area = live.ops->get_vq_notification(live.vdpa, idx);
	if (!doorbell_is_page(&area))
		return VM_FAULT_SIGBUS;
	/* Whoever revokes comes after us, and finds the page. */
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK,
			      PFN_DOWN(area.addr));
}

static const struct vm_operations_struct doorbell_vm_ops = {
	.fault = doorbell_fault,
};

int vhost_vdpa_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vhost_vdpa *v = file->private_data;
	unsigned long idx = vma->vm_pgoff;
	struct vdpa_notification_area area;

	CLASS(vdpa_live, live)(&v->gate);
	if (!live.ops)
		return -ENODEV;

	/* One page, shared, for writing only. */
	if (vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED) ||
	    (vma->vm_flags & VM_READ) || idx >= v->nvqs)
		return -EINVAL;
	idx = array_index_nospec(idx, v->nvqs);
	if (!live.ops->get_vq_notification)
		return -EOPNOTSUPP;
	area = live.ops->get_vq_notification(live.vdpa, idx);
	if (!PAGE_ALIGNED(area.addr))
		return -EINVAL;
	if (!doorbell_is_page(&area))
		return -EOPNOTSUPP;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY, VM_MAYREAD | VM_MAYEXEC);
	vma->vm_ops = &doorbell_vm_ops;
	guard(mutex)(&v->doorbell_lock);
	vma->vm_private_data = (void *)v->doorbell_epoch;
	return 0;
}

/* No fault brings a page of a mapping back that exists now. */
void vhost_vdpa_doorbells_revoke(struct vhost_vdpa *v)
{
	lockdep_assert_held(&v->lock);

	guard(mutex)(&v->doorbell_lock);
	v->doorbell_epoch++;
	if (v->mapping)
		unmap_mapping_range(v->mapping, 0, 0, 1);
}
