// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of a software device: which IOVA is which physical memory.
 *
 * Owns the tables. The bus driver changes them through vdpa_config_ops (any
 * process context, a running device included) with soft->map_lock held for
 * writing; workers translate with it held for reading over a whole batch, and
 * requests that outlive one are waited for. So when dma_unmap() returns, the
 * device has let go of the range for ever, and the caller may unpin the pages.
 * Kernel addresses are those of the direct map, hence nothing but RAM is let
 * in.
 *
 * A running virtqueue whose ring areas are touched by a change loses its ring
 * and makes a new one from the new table before its next access. If that does
 * not cover the areas, it stalls (touches nothing) until a later change does.
 *
 * An address space is the identity (IOVA = physical address, for drivers in
 * the kernel) from the start, and again after reset_map(), until the first
 * change. A reset with VDPA_RESET_F_CLEAN_MAP leaves it empty, not the
 * identity: its caller speaks for user space.
 */
#include "soft.h"

#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vdpa_soft.h>
#include <linux/vhost_iotlb.h>

struct soft_map_node {
	struct rb_node rb;
	u64 iova;
	u64 last;
	u64 pa;
	u32 perm;	/* VHOST_MAP_*, the same bits as VDPA_RING_* */
};

static_assert(VDPA_RING_READ == VHOST_MAP_RO);
static_assert(VDPA_RING_WRITE == VHOST_MAP_WO);

#define rb_to_node(p)	rb_entry_safe(p, struct soft_map_node, rb)

/* The mapping at @iova, or else the next one behind it. */
static struct soft_map_node *as_lower_bound(const struct vdpa_soft_as *as,
					    u64 iova)
{
	struct rb_node *p = as->root.rb_node;
	struct soft_map_node *best = NULL;

	while (p) {
		struct soft_map_node *node = rb_to_node(p);

		if (node->last < iova) {
			p = p->rb_right;
		} else {
			best = node;
			p = p->rb_left;
		}
	}
	return best;
}

/* The caller knows that nothing in @root overlaps @new. */
static void as_insert(struct rb_root *root, struct soft_map_node *new)
{
	struct rb_node **p = &root->rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (new->iova < rb_to_node(parent)->iova)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&new->rb, parent, p);
	rb_insert_color(&new->rb, root);
}

static void root_free(struct rb_root *root)
{
	struct soft_map_node *node, *next;

	rbtree_postorder_for_each_entry_safe(node, next, root, rb) {
		kfree(node);
		cond_resched();
	}
	*root = RB_ROOT;
}

static bool is_ram(u64 pa, u64 size)
{
	return region_intersects(pa, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_INTERSECTS;
}

static struct soft_map_node *node_create(u64 iova, u64 size, u64 pa, u32 perm)
{
	struct soft_map_node *node;
	u64 last, pa_last;

	if (!size || check_add_overflow(iova, size - 1, &last) ||
	    check_add_overflow(pa, size - 1, &pa_last))
		return ERR_PTR(-EINVAL);
	if (!perm || perm & ~VHOST_MAP_RW)
		return ERR_PTR(-EINVAL);
	if (!is_ram(pa, size))
		return ERR_PTR(-EFAULT);

	node = kmalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	if (!node)
		return ERR_PTR(-ENOMEM);
	*node = (struct soft_map_node) {
		.iova = iova, .last = last, .pa = pa, .perm = perm,
	};
	return node;
}

/* Page by page: this is for drivers in the kernel, and needs no table. */
static void *identity_translate(u64 iova, u32 *len)
{
	u32 rest = PAGE_SIZE - offset_in_page(iova);

	if (!is_ram(iova & PAGE_MASK, PAGE_SIZE))
		return NULL;
	*len = min(*len, rest);
	/* Only for drivers in the kernel, and only if that is known for sure. */
	barrier_nospec();
	return phys_to_virt(iova);
}

/* translate() of a ring's struct vdpa_ring_mem; @priv is the virtqueue. */
void *soft_translate(void *priv, u64 iova, u32 *len, u32 access)
{
	struct vdpa_soft_vq *vq = priv;
	struct soft_map_node *node = vq->hit;
	u64 off, rest;

	lockdep_assert_held(&vq->soft->map_lock);
	lockdep_assert_held(&vq->lock);

	if (vq->as->identity)
		return identity_translate(iova, len);

	if (!node || iova < node->iova || iova > node->last) {
		node = as_lower_bound(vq->as, iova);
		if (!node || iova < node->iova)
			return NULL;
		vq->hit = node;
	}
	if (access & ~node->perm)
		return NULL;
	/* The driver may be guessing at what lies behind the mapping. */
	off = array_index_nospec(iova - node->iova,
				 node->last - node->iova + 1);
	rest = node->last - node->iova + 1 - off;
	*len = min_t(u64, *len, rest);
	return phys_to_virt(node->pa + off);
}

/* Before [@iova, @last] goes from @as: nothing of it may stay in use. */
static void as_revoke(struct vdpa_soft *soft, const struct vdpa_soft_as *as,
		      u64 iova, u64 last)
{
	lockdep_assert_held_write(&soft->map_lock);

	for (int i = 0; i < soft->nvqs; i++) {
		struct vdpa_soft_vq *vq = &soft->vqs[i];

		if (vq->as != as)
			continue;
		soft_vq_settle(vq);
		vq->hit = NULL;
		if (as->identity || soft_area_overlaps(vq, iova, last))
			soft_vq_drop_ring(vq);
	}
}

/* After a change: whoever has no ring may find its areas now. */
static void map_unlock(struct vdpa_soft *soft)
{
	up_write(&soft->map_lock);
	for (int i = 0; i < soft->nvqs; i++) {
		struct vdpa_soft_vq *vq = &soft->vqs[i];

		/* A worker that is about to look holds no lock: racy, but it
		 * has seen the change if it does not see this.
		 */
		if (data_race(vq->running && !vq->ring))
			vdpa_soft_vq_queue(vq);
	}
}

void soft_as_init(struct vdpa_soft_as *as)
{
	as->root = RB_ROOT;
	as->identity = true;
}

/* Of a device whose class is gone: there is nobody to let go of anything. */
void soft_as_free(struct vdpa_soft_as *as)
{
	root_free(&as->root);
}

/* Empty @as, and make it the identity if asked. */
void soft_as_clear(struct vdpa_soft *soft, struct vdpa_soft_as *as,
		   bool identity)
{
	struct rb_root old;

	down_write(&soft->map_lock);
	as_revoke(soft, as, 0, U64_MAX);
	old = as->root;
	as->root = RB_ROOT;
	as->identity = identity;
	map_unlock(soft);

	root_free(&old);
}

/* The end of what may be dropped, which a size cannot express. */
static u64 range_last(u64 iova, u64 size)
{
	u64 last;

	/* {0, U64_MAX} means everything, the last byte included. */
	if (!iova && size == U64_MAX)
		return U64_MAX;
	if (check_add_overflow(iova, size - 1, &last))
		return U64_MAX;
	return last;
}

int soft_dma_map(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		 u64 size, u64 pa, u32 perm, void *opaque)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	struct soft_map_node *new, *old;
	struct vdpa_soft_as *as;
	int err = 0;

	if (asid >= soft->class->nas)
		return -EINVAL;
	new = node_create(iova, size, pa, perm);
	if (IS_ERR(new))
		return PTR_ERR(new);
	as = &soft->as[asid];

	down_write(&soft->map_lock);
	old = as_lower_bound(as, iova);
	if (old && old->iova <= new->last) {
		err = -EEXIST;
	} else {
		/* Nothing was mapped there, unless everything was. */
		if (as->identity)
			as_revoke(soft, as, 0, U64_MAX);
		as->identity = false;
		as_insert(&as->root, new);
	}
	map_unlock(soft);

	if (err)
		kfree(new);
	return err;
}

/*
 * Drop [@iova, @last] from @as. @rest is a spare node for what lies behind a
 * range that is cut out of the middle of a mapping; what is left of it, if
 * anything, is freed by the caller.
 */
static void as_cut(struct vdpa_soft_as *as, u64 iova, u64 last,
		   struct soft_map_node **rest)
{
	struct soft_map_node *node = as_lower_bound(as, iova);

	while (node && node->iova <= last) {
		struct soft_map_node *next = rb_to_node(rb_next(&node->rb));
		u64 cut = last - node->iova + 1;

		if (node->iova < iova && node->last > last) {
			**rest = *node;
			(*rest)->pa += cut;
			(*rest)->iova += cut;
			node->last = iova - 1;
			as_insert(&as->root, *rest);
			*rest = NULL;
		} else if (node->iova < iova) {
			node->last = iova - 1;
		} else if (node->last > last) {
			node->pa += cut;
			node->iova += cut;
		} else {
			rb_erase(&node->rb, &as->root);
			kfree(node);
		}
		node = next;
		cond_resched();
	}
}

int soft_dma_unmap(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		   u64 size)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	struct soft_map_node *node, *rest = NULL;
	u64 last = range_last(iova, size);
	struct vdpa_soft_as *as;
	int err = 0;

	if (asid >= soft->class->nas || !size)
		return -EINVAL;
	as = &soft->as[asid];

	down_write(&soft->map_lock);
	node = as_lower_bound(as, iova);
	if (node && node->iova < iova && node->last > last) {
		rest = kmalloc(sizeof(*rest), GFP_KERNEL_ACCOUNT);
		if (!rest)
			err = -ENOMEM;
	}
	if (!err) {
		as_revoke(soft, as, iova, last);
		as->identity = false;
		as_cut(as, iova, last, &rest);
	}
	map_unlock(soft);

	kfree(rest);
	return err;
}

int soft_set_map(struct vdpa_device *vdpa, unsigned int asid,
		 struct vhost_iotlb *iotlb)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	struct rb_root root = RB_ROOT;
	struct vhost_iotlb_map *map;
	struct soft_map_node *node;
	struct vdpa_soft_as *as;

	if (asid >= soft->class->nas)
		return -EINVAL;
	as = &soft->as[asid];

	list_for_each_entry(map, &iotlb->list, link) {
		node = node_create(map->start, map->last - map->start + 1,
				   map->addr, map->perm);
		if (IS_ERR(node)) {
			root_free(&root);
			return PTR_ERR(node);
		}
		as_insert(&root, node);
		cond_resched();
	}

	down_write(&soft->map_lock);
	as_revoke(soft, as, 0, U64_MAX);
	swap(as->root, root);
	as->identity = false;
	map_unlock(soft);

	root_free(&root);
	return 0;
}

int soft_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (asid >= soft->class->nas)
		return -EINVAL;
	soft_as_clear(soft, &soft->as[asid], true);
	return 0;
}

int soft_set_group_asid(struct vdpa_device *vdpa, unsigned int group,
			unsigned int asid)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (group >= soft->class->ngroups || asid >= soft->class->nas)
		return -EINVAL;

	down_write(&soft->map_lock);
	for (int i = 0; i < soft->nvqs; i++) {
		struct vdpa_soft_vq *vq = &soft->vqs[i];

		if (vq->group != group || vq->as == &soft->as[asid])
			continue;
		soft_vq_settle(vq);
		soft_vq_drop_ring(vq);
		vq->hit = NULL;
		vq->as = &soft->as[asid];
	}
	map_unlock(soft);
	return 0;
}
