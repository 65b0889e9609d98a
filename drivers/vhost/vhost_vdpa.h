/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost_vdpa.ko, private: one struct vhost_vdpa for each vDPA device that is
 * bound to this driver. User space may hold its file, a doorbell mapping or an
 * eventfd when the device is long gone, so what comes from there passes v->gate
 * before it touches the device. Kicks alone do not: a wake-up of the eventfd
 * runs under that one's wait-queue lock, and what ends a session takes our
 * entry out of the queue, under the same lock, before it resets the device.
 *
 * Lock order:
 *
 *	v->lock
 *	  as->lock			messages take it without v->lock
 *	    vdpa->cf_lock		taken by vdpa.ko
 *	  v->doorbell_lock		taken in faults, below mm->mmap_lock
 *	  vq->kick_wqh->lock		of the eventfd; interrupts are off, and
 *					the parent's kick_vq() runs under it
 *
 * The gate may be passed with any of the mutexes held, and they may be taken
 * inside; whoever closes it holds none. Nobody waits for user space inside the
 * gate, or with a lock held: not for a page that is to be pinned, either.
 */
#ifndef _VHOST_VDPA_H
#define _VHOST_VDPA_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/irqbypass.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/vdpa.h>
#include <linux/vdpa_live.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct eventfd_ctx;
struct iommu_domain;
struct iov_iter;
struct vhost_vdpa;
struct vhost_vdpa_mapper;
struct vhost_vdpa_region;

/* An eventfd that outlives its replacement for those who still signal it. */
struct vhost_vdpa_event {
	struct eventfd_ctx *ctx;
	struct rcu_head rcu;
};

struct vhost_vdpa_vq {
	struct vhost_vdpa *v;			/* immutable */
	u16 idx;				/* immutable */
	u32 busyloop_us;			/* v->lock; kept, no effect */
	struct file *kick_file;			/* v->lock */
	wait_queue_head_t *kick_wqh;		/* v->lock */
	/* v->lock; kicks read it, which come only while @kick_wait is queued */
	struct vdpa_device *kick_vdpa;
	wait_queue_entry_t kick_wait;		/* queue: @kick_wqh->lock */
	struct vhost_vdpa_event __rcu *call;	/* written under v->lock */
	struct vhost_vdpa_event __rcu *err;	/* written under v->lock */
	struct irq_bypass_producer producer;	/* v->lock; token: registered */
};

struct vhost_vdpa_as {
	struct mutex lock;
	struct rb_root_cached regions;	/* @lock */
	struct list_head limbo;		/* @lock; not in the map, but perhaps
					 * in the device's
					 */
	struct vhost_iotlb *table;	/* @lock; what set_map() is given */
	u64 spans;			/* @lock; contiguous pieces, limbo too */
	u32 asid;			/* immutable */
	bool in_batch;			/* @lock */
	bool uncommitted;		/* @lock; device has an older @table */
	bool stale;			/* @lock; @table is to be made anew */
	bool closed;			/* @lock; maps nothing any more */
};

struct vhost_vdpa {
	struct vdpa_gate gate;
	struct device dev;
	struct cdev cdev;
	int minor;				/* immutable */

	/* Of the device, immutable while bound */
	u32 nvqs;
	u32 ngroups;
	u32 nas;
	bool use_va;
	const struct vhost_vdpa_mapper *mapper;

	struct mutex lock;
	unsigned long opened;			/* bit 0, atomic */
	struct mm_struct *mm;			/* @lock; grabbed; read by write() */
	u32 owner_nr;				/* @lock; read by write(); another
						 * one for each owner
						 */
	u64 backend_features;			/* @lock; read by write() */
	u32 config_size;			/* bytes; set by open */
	u16 vq_num_max;				/* @lock; read again by a reset */
	u8 fork_from_owner;			/* @lock; kept, no effect */
	bool session;				/* @lock; open, device there */
	bool suspended;				/* @lock */
	struct vdpa_iova_range range;		/* set by open */
	struct iommu_domain *domain;		/* set by open; platform IOMMU */
	struct address_space *mapping;		/* @lock; of the open file */
	struct mutex doorbell_lock;
	unsigned long doorbell_epoch;		/* @doorbell_lock; of mappings
						 * that may be used
						 */
	struct vhost_vdpa_event __rcu *config;	/* written under @lock */
	struct work_struct broken_work;		/* device may need a reset */
	wait_queue_head_t wait;			/* pollers */
	struct vhost_vdpa_vq *vqs;		/* [nvqs] */
	struct vhost_vdpa_as *as;		/* [nas] */
};

/* chardev.c */
extern const struct file_operations vhost_vdpa_fops;
bool vhost_vdpa_running(const struct vhost_vdpa *v, struct vdpa_device *vdpa);
void vhost_vdpa_session_end(struct vhost_vdpa *v, struct vdpa_device *vdpa);
int vhost_vdpa_session_renew(struct vhost_vdpa *v, struct vdpa_device *vdpa);
int vhost_vdpa_reset(struct vhost_vdpa *v, struct vdpa_device *vdpa);

/* ioctl.c */
long vhost_vdpa_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* kick.c */
int vhost_vdpa_kick_set(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa,
			int fd);
void vhost_vdpa_kick_stop(struct vhost_vdpa_vq *vq);

/* call.c */
struct vhost_vdpa_event *vhost_vdpa_event_get(int fd);
void vhost_vdpa_event_signal(struct vhost_vdpa_event __rcu **slot);
void vhost_vdpa_call_set(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa,
			 struct vhost_vdpa_event *event);
void vhost_vdpa_config_set(struct vhost_vdpa *v,
			   struct vhost_vdpa_event *event);
void vhost_vdpa_err_set(struct vhost_vdpa_vq *vq,
			struct vhost_vdpa_event *event);
void vhost_vdpa_cbs_install(struct vhost_vdpa *v, struct vdpa_device *vdpa);
void vhost_vdpa_irq_bypass(struct vhost_vdpa_vq *vq, struct vdpa_device *vdpa);
void vhost_vdpa_irq_unbypass(struct vhost_vdpa_vq *vq);
void vhost_vdpa_irqs_bypass(struct vhost_vdpa *v, struct vdpa_device *vdpa);
void vhost_vdpa_irqs_unbypass(struct vhost_vdpa *v);
void vhost_vdpa_events_drop(struct vhost_vdpa *v, struct vdpa_device *vdpa);
void vhost_vdpa_broken_work(struct work_struct *work);

/* doorbell.c */
int vhost_vdpa_mmap(struct file *file, struct vm_area_struct *vma);
void vhost_vdpa_doorbells_revoke(struct vhost_vdpa *v);

/* iotlb_msg.c */
ssize_t vhost_vdpa_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* as.c */
void vhost_vdpa_as_init(struct vhost_vdpa_as *as, u32 asid);
void vhost_vdpa_as_destroy(struct vhost_vdpa_as *as);
int vhost_vdpa_as_open(struct vhost_vdpa *v, struct vdpa_device *vdpa);
void vhost_vdpa_as_close(struct vhost_vdpa *v, struct vdpa_device *vdpa);
int vhost_vdpa_as_empty(struct vhost_vdpa *v, struct vdpa_device *vdpa);
int vhost_vdpa_as_reset(struct vhost_vdpa *v, struct vdpa_device *vdpa);
int vhost_vdpa_as_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 const struct vhost_iotlb_msg *msg, u32 owner);
int vhost_vdpa_as_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     const struct vhost_iotlb_msg *msg, u32 owner);
int vhost_vdpa_as_batch_begin(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			      const struct vhost_iotlb_msg *msg, u32 owner);
int vhost_vdpa_as_batch_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			    const struct vhost_iotlb_msg *msg, u32 owner);

#endif /* _VHOST_VDPA_H */
