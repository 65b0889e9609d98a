// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells: a queue's notification page mapped into the driver's process, at
 * offset (queue index * page size). Pages are inserted on fault, inside the
 * gate, and taken away when the device goes; a touch after that is SIGBUS.
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

	idx = array_index_nospec(idx, v->nvqs);
	area = live.ops->get_vq_notification(live.vdpa, idx);
	if (!doorbell_is_page(&area))
		return VM_FAULT_SIGBUS;
	/* Inside the gate: a removal revokes only after we have left. */
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
	return 0;
}

/* The gate is closed: no fault brings a page back. */
void vhost_vdpa_doorbells_revoke(struct vhost_vdpa *v)
{
	lockdep_assert_held(&v->lock);

	if (v->mapping)
		unmap_mapping_range(v->mapping, 0, 0, 1);
}
