/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What files of the modules that are nearly pure need of the kernel, for user
 * space: one thread, so a lock is a note of who holds it, and a worker is a
 * function that the target calls. Included before all else; the headers that
 * those files include are empty ones then, which the Makefile makes.
 */
#ifndef _COMPAT_KERNEL_H
#define _COMPAT_KERNEL_H

#include <compat.h>
#include <linux/if_ether.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <sys/types.h>

typedef int32_t s32;
typedef int64_t s64;

#define BIT(nr)			(1UL << (nr))
#define SZ_4K			0x1000
#define SZ_16M			0x1000000
#define SECTOR_SHIFT		9
#define SECTOR_SIZE		512
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define max(a, b)		((a) > (b) ? (a) : (b))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define swap(a, b)							\
	do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)
#define container_of(p, type, member)					\
	((type *)((char *)(p) - offsetof(type, member)))
#define data_race(x)		(x)
#define cond_resched()		do { } while (0)
#define barrier_nospec()	do { } while (0)
#define __must_hold(l)
#define __rcu
#define __uninitialized
#define __printf(a, b)
#define __counted_by(n)
#define EXPORT_SYMBOL(sym)

#define GFP_KERNEL_ACCOUNT	0
#define GFP_NOIO		0
#define kmalloc(size, gfp)	malloc(size)
#define kvmalloc(size, gfp)	malloc(size)
#define kcalloc(n, size, gfp)	calloc(n, size)
#define kvcalloc(n, size, gfp)	calloc(n, size)
#define ERR_CAST(p)		((void *)(p))
#define memalloc_noio_save()	0
#define memalloc_noio_restore(flags)	((void)(flags))

/* Coverage of a kernel is not that of this program. */
#define kcov_remote_start_common(handle)	((void)(handle))
#define kcov_remote_stop()			do { } while (0)

/* Lists */
struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_link(struct list_head *new, struct list_head *prev,
			     struct list_head *next)
{
	new->prev = prev;
	new->next = next;
	prev->next = new;
	next->prev = new;
}

static inline void list_add(struct list_head *new, struct list_head *list)
{
	list_link(new, list, list->next);
}

static inline void list_add_tail(struct list_head *new, struct list_head *list)
{
	list_link(new, list->prev, list);
}

/* Who uses it afterwards gets a NULL pointer. */
static inline void list_del(struct list_head *node)
{
	node->next->prev = node->prev;
	node->prev->next = node->next;
	node->next = NULL;
	node->prev = NULL;
}

static inline void list_splice(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *to)
{
	list_splice(from, to);
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first_entry_or_null(list, type, member)			\
	(list_empty(list) ? NULL : list_entry((list)->next, type, member))
#define list_for_each_entry(p, list, member)				\
	for ((p) = list_entry((list)->next, typeof(*(p)), member);	\
	     &(p)->member != (list);					\
	     (p) = list_entry((p)->member.next, typeof(*(p)), member))
#define list_for_each_entry_safe(p, n, list, member)			\
	for ((p) = list_entry((list)->next, typeof(*(p)), member),	\
	     (n) = list_entry((p)->member.next, typeof(*(p)), member);	\
	     &(p)->member != (list);					\
	     (p) = (n),							\
	     (n) = list_entry((n)->member.next, typeof(*(n)), member))

/* Trees, which need not be balanced here. */
struct rb_node {
	struct rb_node *rb_up, *rb_left, *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

#define RB_ROOT		((struct rb_root){})
#define rb_insert_color(node, root)	do { } while (0)
#define rb_entry_safe(p, type, member)					\
({									\
	typeof(p) __p = (p);						\
	__p ? container_of(__p, type, member) : NULL;			\
})

static inline void rb_link_node(struct rb_node *node, struct rb_node *up,
				struct rb_node **at)
{
	*node = (struct rb_node) { .rb_up = up };
	*at = node;
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *p = node->rb_right;

	if (p) {
		while (p->rb_left)
			p = p->rb_left;
		return p;
	}
	while (node->rb_up && node == node->rb_up->rb_right)
		node = node->rb_up;
	return node->rb_up;
}

/* What points to @old points to @new. */
static inline void rb_relink(struct rb_node *old, struct rb_node *new,
			     struct rb_root *root)
{
	if (!old->rb_up)
		root->rb_node = new;
	else if (old->rb_up->rb_left == old)
		old->rb_up->rb_left = new;
	else
		old->rb_up->rb_right = new;
	if (new)
		new->rb_up = old->rb_up;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next;

	if (!node->rb_left || !node->rb_right) {
		rb_relink(node, node->rb_left ?: node->rb_right, root);
		return;
	}
	next = rb_next(node);
	rb_erase(next, root);
	rb_relink(node, next, root);
	next->rb_left = node->rb_left;
	next->rb_right = node->rb_right;
	if (next->rb_left)
		next->rb_left->rb_up = next;
	if (next->rb_right)
		next->rb_right->rb_up = next;
}

/* A leaf first, so that @p may be freed; @n is not needed. */
static inline struct rb_node *rb_take_leaf(struct rb_root *root)
{
	struct rb_node *p = root->rb_node;

	while (p && (p->rb_left || p->rb_right))
		p = p->rb_left ?: p->rb_right;
	if (p)
		rb_relink(p, NULL, root);
	return p;
}

#define rbtree_postorder_for_each_entry_safe(p, n, root, member)	\
	for ((void)(n);							\
	     ((p) = rb_entry_safe(rb_take_leaf(root), typeof(*(p)),	\
				  member)); )

/* Locks */
struct mutex {
	int held;
};

typedef struct mutex spinlock_t;

struct rw_semaphore {
	int held;
};

#define mutex_init(l)			((l)->held = 0)
#define spin_lock_init(l)		((l)->held = 0)
#define init_rwsem(l)			((l)->held = 0)
#define lock_take(l)			(assert(!(l)->held), (l)->held = 1)
#define lock_drop(l)			(assert((l)->held), (l)->held = 0)
#define mutex_lock(l)			lock_take(l)
#define mutex_unlock(l)			lock_drop(l)
#define down_read(l)			lock_take(l)
#define up_read(l)			lock_drop(l)
#define down_write(l)			lock_take(l)
#define up_write(l)			lock_drop(l)
#define spin_lock_irq(l)		lock_take(l)
#define spin_unlock_irq(l)		lock_drop(l)
#define spin_lock_irqsave(l, flags)	((flags) = lock_take(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), lock_drop(l))
#define scoped_guard(kind, l)		if (1)
#define lockdep_assert_held(l)		assert((l)->held)
#define lockdep_assert_held_read(l)	assert((l)->held)
#define lockdep_assert_held_write(l)	assert((l)->held)

/* Workers: whoever wants one to run looks for @pending. */
struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
};

typedef void (*work_func_t)(struct work_struct *work);
struct workqueue_struct;

#define INIT_WORK(work, fn)						\
	(*(work) = (struct work_struct) { .func = (fn) })
#define queue_work(wq, work)		((void)(wq), (work)->pending = true)
#define cancel_work_sync(work)		((work)->pending = false)

static inline bool work_run(struct work_struct *work)
{
	if (!work->pending)
		return false;
	work->pending = false;
	work->func(work);
	return true;
}

/* Nobody else could make it true. */
typedef struct { int dummy; } wait_queue_head_t, wait_queue_entry_t;

#define init_waitqueue_head(q)		((void)(q))
#define wake_up(q)			((void)(q))
#define wait_event_lock_irq(q, cond, lock)	assert(cond)

/* Memory for I/O */
struct bio_vec {
	void *virt;
	unsigned int bv_len;
};

struct iov_iter {
	int dir;
	unsigned int nr;
	const struct bio_vec *bvec;
	size_t count;
	const void *from;
};

struct kiocb {
	struct file *ki_filp;
};

struct file {
	void *private_data;
};

enum { ITER_SOURCE, ITER_DEST };

static inline void bvec_set_virt(struct bio_vec *bvec, void *p,
				 unsigned int len)
{
	*bvec = (struct bio_vec) { .virt = p, .bv_len = len };
}

static inline void iov_iter_bvec(struct iov_iter *iter, int dir,
				 const struct bio_vec *bvec, unsigned int nr,
				 size_t count)
{
	*iter = (struct iov_iter) {
		.dir = dir, .nr = nr, .bvec = bvec, .count = count,
	};
}

static inline size_t iov_iter_count(const struct iov_iter *iter)
{
	return iter->count;
}

static inline bool copy_from_iter_full(void *to, size_t len,
				       struct iov_iter *iter)
{
	memcpy(to, iter->from, len);
	return true;
}

/* Who writes, and which memory it may have; a target that needs it says so. */
struct task {
	struct mm_struct *mm;
};

extern struct task task_self;

#define current		(&task_self)
#define u64_to_user_ptr(addr)	((const void *)(uintptr_t)(addr))

bool access_ok(const void *p, u64 size);

/* Memory of the machine, at addresses that a target makes up. */
#define IORESOURCE_SYSTEM_RAM	0
#define IORES_DESC_NONE		0
#define REGION_INTERSECTS	1
#define phys_to_virt(pa)	((void *)(uintptr_t)(pa))

int region_intersects(u64 pa, u64 size, unsigned long flags,
		      unsigned long desc);

/* Tables of mappings */
#define VHOST_MAP_RO	0x1
#define VHOST_MAP_WO	0x2
#define VHOST_MAP_RW	0x3

struct vhost_iotlb {
	struct list_head list;
};

struct vhost_iotlb_map {
	struct list_head link;
	u64 start, last, addr;
	u32 perm;
};

/* Ethernet */
#define VLAN_HLEN	4

static inline bool is_multicast_ether_addr(const u8 *addr)
{
	return addr[0] & 1;
}

static inline bool is_valid_ether_addr(const u8 *addr)
{
	static const u8 zero[ETH_ALEN];

	return !is_multicast_ether_addr(addr) && memcmp(addr, zero, ETH_ALEN);
}

static inline void ether_addr_copy(u8 *to, const u8 *from)
{
	memcpy(to, from, ETH_ALEN);
}

static inline bool ether_addr_equal_unaligned(const u8 *a, const u8 *b)
{
	return !memcmp(a, b, ETH_ALEN);
}

/* As random as it must be for the same input to do the same. */
static inline void eth_random_addr(u8 *addr)
{
	memset(addr, 0x22, ETH_ALEN);
}

struct net_device;
struct sk_buff_head { struct list_head list; };

/* vDPA devices and their nodes */
struct cdev { int dummy; };
struct irq_bypass_producer { int dummy; };
struct vm_area_struct;
struct rcu_head { int dummy; };
struct srcu_struct { int dummy; };

#define DEFINE_CLASS(...)

struct vdpa_iova_range {
	u64 first, last;
};

struct device {
	const struct attribute_group **groups;
};

struct vdpa_config_ops;

struct vdpa_callback {
	void (*callback)(void *private);
	void *private;
};

struct vdpa_device {
	struct device dev;
	const struct vdpa_config_ops *config;
};

struct vdpa_dev_set_config {
	u64 device_features;
	struct {
		u8 mac[ETH_ALEN];
		u16 mtu;
		u16 max_vq_pairs;
	} net;
	u64 mask;
};

struct vdpa_mgmt_dev {
	struct device *device;
};

struct vdpa_mgmtdev_ops {
	int (*dev_add)(struct vdpa_mgmt_dev *mdev, const char *name,
		       const struct vdpa_dev_set_config *config);
	void (*dev_del)(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa);
};

#define put_device(dev)		((void)(dev))

#endif /* _COMPAT_KERNEL_H */
