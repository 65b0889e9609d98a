/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software vDPA devices: what all of them share.
 *
 * A device class (net, blk) describes itself with a struct vdpa_soft_class and
 * embeds a struct vdpa_soft as the first member of its own device. Everything
 * a bus driver asks for is answered here; the class is called for the work on
 * a virtqueue and told when the device starts and stops.
 *
 * Lock order:
 *	vdpa->cf_lock -> soft->lock -> soft->map_lock -> vq->lock ->
 *	vq->cb_lock, soft->config_lock
 *
 * A worker holds soft->map_lock for reading and vq->lock over one batch, so
 * whoever takes soft->map_lock for writing knows that no device touches memory
 * of a driver, once class->drain() has waited for what outlives a batch. A
 * worker never takes soft->lock: it is waited for under it.
 */
#ifndef _LINUX_VDPA_SOFT_H
#define _LINUX_VDPA_SOFT_H

#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vdpa.h>
#include <linux/vdpa_ring.h>
#include <linux/workqueue.h>

#define VDPA_SOFT_NSTATS	8	/* counters of a virtqueue, at most */
#define VDPA_SOFT_BUDGET	64	/* chains in a batch, about */

struct vdpa_soft;
struct vdpa_soft_vq;
struct soft_map_node;

/**
 * enum vdpa_soft_next - what a class wants after a batch
 * @VDPA_SOFT_IDLE: nothing to do until the class queues the virtqueue again;
 *	the driver need not kick
 * @VDPA_SOFT_WAIT: call again at the next kick
 * @VDPA_SOFT_AGAIN: the budget is used up, call again soon
 * @VDPA_SOFT_BROKEN: the ring is broken, do not call again until a reset
 */
enum vdpa_soft_next {
	VDPA_SOFT_IDLE,
	VDPA_SOFT_WAIT,
	VDPA_SOFT_AGAIN,
	VDPA_SOFT_BROKEN,
};

/**
 * struct vdpa_soft_class - what makes a software device a NIC or a disk
 * @device_id: virtio device id
 * @config_size: bytes of the configuration space
 * @ngroups: virtqueue groups
 * @nas: address spaces
 * @vq_group: group of each virtqueue; NULL: all in group 0
 * @vq_stats: names of the counters of a virtqueue, a NULL at the end; the place
 *	in the list is the index into vq->stat
 * @work: do up to VDPA_SOFT_BUDGET chains of @vq. Called with soft->map_lock
 *	(read) and vq->lock held; may sleep, and lets others have the CPU
 *	between chains, which take as long as their driver likes. Completes
 *	chains, the caller publishes them
 * @work_end: optional; follows each @work, with no lock held and before the
 *	virtqueue is stopped
 * @drain: optional; wait until nothing that @work began uses memory of the
 *	driver. For a class whose requests outlive @work. No @work of @vq runs
 *	meanwhile: soft->map_lock is held for writing, or the worker is disabled;
 *	may sleep
 * @reap: with @drain; complete what has come to an end, begin nothing. Called
 *	as @work
 * @forget: with @drain; what has come to an end and is not completed never
 *	will be. Called with vq->lock held
 * @config_write: optional; the driver has written @len bytes of configuration
 *	space, within bounds. Any process context, may sleep
 * @reset: optional; the driver is gone, and the device as new but for what the
 *	class keeps. Called with soft->lock held; may sleep
 * @running: optional; the device has started or stopped, see
 *	vdpa_soft_is_running(). Called with soft->lock held; may sleep
 * @free: optional; the device is gone, free what the class allocated. The
 *	device may never have been registered, or only be half initialised
 */
struct vdpa_soft_class {
	u32 device_id;
	u16 config_size;
	u8 ngroups;
	u8 nas;
	const u8 *vq_group;
	const char *const *(*vq_stats)(u16 idx);
	enum vdpa_soft_next (*work)(struct vdpa_soft_vq *vq);
	void (*work_end)(struct vdpa_soft_vq *vq);
	void (*drain)(struct vdpa_soft_vq *vq);
	void (*reap)(struct vdpa_soft_vq *vq);
	void (*forget)(struct vdpa_soft_vq *vq);
	void (*config_write)(struct vdpa_soft *soft, unsigned int offset,
			     const void *buf, unsigned int len);
	void (*reset)(struct vdpa_soft *soft);
	void (*running)(struct vdpa_soft *soft);
	void (*free)(struct vdpa_soft *soft);
};

/**
 * struct vdpa_soft_cfg - what one device has of its own
 * @name: name; copied
 * @features: virtio features that it offers
 * @nvqs: virtqueues
 * @vq_max: largest ring, in descriptors; a power of two
 */
struct vdpa_soft_cfg {
	const char *name;
	u64 features;
	u16 nvqs;
	u16 vq_max;
};

/* One address space. Everything under soft->map_lock. */
struct vdpa_soft_as {
	struct rb_root root;	/* of struct soft_map_node, by iova, disjoint */
	bool identity;		/* IOVA is the physical address, @root empty */
};

/* An area of a ring, where the kernel sees it. */
struct vdpa_soft_area {
	u64 iova;		/* vq->lock */
	u64 bytes;		/* soft->map_lock, as the two below */
	void *addr;
	void *vmap;		/* to be unmapped, NULL if @addr is direct */
};

enum { VDPA_SOFT_DESC, VDPA_SOFT_DRIVER, VDPA_SOFT_DEVICE, VDPA_SOFT_NAREAS };

/**
 * struct vdpa_soft_vq - a virtqueue
 * @soft: device; immutable
 * @idx: index; immutable
 * @group: virtqueue group; immutable
 * @work: worker; enabled if and only if @running
 * @lock: see the fields
 * @ring: the ring, made by the worker at first use; NULL if not made yet, if
 *	the mapping below it changed, or if not running. Read under
 *	soft->map_lock (read) and @lock, changed under these or under
 *	soft->map_lock (write)
 * @state: where the ring stands while @ring is NULL; as @ring
 * @area: the ring areas
 * @size: ring entries; @lock
 * @ready: the driver has enabled it; soft->lock
 * @running: ready, and the device is DRIVER_OK and not suspended; written
 *	under soft->lock and @lock
 * @broken: needs a reset; @lock
 * @as: address space; soft->map_lock
 * @hit: last translation in @as; as @ring
 * @cb_lock: @cb
 * @cb: interrupt of the driver; @cb_lock, which is held while it is called
 * @stat: counters, written under @lock, read anywhere
 */
struct vdpa_soft_vq {
	struct vdpa_soft *soft;
	u16 idx;
	u8 group;
	struct work_struct work;

	struct mutex lock;
	struct vdpa_ring *ring;
	struct vdpa_ring_state state;
	struct vdpa_soft_area area[VDPA_SOFT_NAREAS];
	u32 size;
	bool ready;
	bool running;
	bool broken;
	struct vdpa_soft_as *as;
	struct soft_map_node *hit;

	spinlock_t cb_lock;	/* BHs disabled */
	struct vdpa_callback cb;

	u64 stat[VDPA_SOFT_NSTATS];
};

/**
 * struct vdpa_soft - a software vDPA device
 * @vdpa: what the bus sees; must be first
 * @class: immutable
 * @features: offered; immutable once registered
 * @nvqs: virtqueues; immutable
 * @vq_max: largest ring, in descriptors; immutable
 * @vqs: @nvqs of them
 * @as: class->nas of them
 * @lock: life of the device
 * @status: virtio status without NEEDS_RESET; @lock, read anywhere
 * @driver_features: negotiated, 0 if none; @lock, changes while no virtqueue
 *	runs only
 * @suspended: @lock
 * @stopped: for ever, the device is being removed; @lock
 * @needs_reset: a virtqueue is broken; cleared under @lock
 * @kcov_handle: whose coverage the workers count for, 0 if nobody's; written
 *	under @lock, read anywhere
 * @map_lock: @as, which address space a virtqueue uses, rings made on them
 * @config_lock: the three below; interrupts disabled
 * @config: configuration space, little endian
 * @generation: of @config
 * @config_cb: config interrupt; called under @config_lock
 */
struct vdpa_soft {
	struct vdpa_device vdpa;
	const struct vdpa_soft_class *class;
	u64 features;
	u16 nvqs;
	u16 vq_max;
	struct vdpa_soft_vq *vqs;
	struct vdpa_soft_as *as;

	struct mutex lock;
	u8 status;
	u64 driver_features;
	bool suspended;
	bool stopped;
	bool needs_reset;
	u64 kcov_handle;

	struct rw_semaphore map_lock;

	spinlock_t config_lock;
	void *config;
	u32 generation;
	struct vdpa_callback config_cb;
};

static inline struct vdpa_soft *vdpa_to_soft(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vdpa_soft, vdpa);
}

/* Count @n at counter @i of @vq, whose lock the caller holds. */
static inline void vdpa_soft_count(struct vdpa_soft_vq *vq, int i, u64 n)
{
	/* A 64-bit store: readers need no lock (the module needs 64BIT). */
	WRITE_ONCE(vq->stat[i], vq->stat[i] + n);
}

/* main.c: life of a device */
struct vdpa_soft *vdpa_soft_alloc(struct device *parent, size_t size,
				  const struct vdpa_soft_class *class,
				  const struct vdpa_soft_cfg *cfg);
int vdpa_soft_choose_features(u64 *features,
			      const struct vdpa_dev_set_config *config);
int vdpa_soft_register(struct vdpa_soft *soft, struct vdpa_mgmt_dev *mdev);
void vdpa_soft_stop(struct vdpa_soft *soft);
void vdpa_soft_unregister(struct vdpa_soft *soft);
bool vdpa_soft_is_running(struct vdpa_soft *soft);

/* config.c: configuration space */
void vdpa_soft_config_read(struct vdpa_soft *soft, unsigned int offset,
			   void *buf, unsigned int len);
void vdpa_soft_config_write(struct vdpa_soft *soft, unsigned int offset,
			    const void *buf, unsigned int len);
void vdpa_soft_config_notify(struct vdpa_soft *soft);

/* vq.c: virtqueues, for the class */
void vdpa_soft_vq_queue(struct vdpa_soft_vq *vq);
bool vdpa_soft_vq_enter(struct vdpa_soft_vq *vq);
void vdpa_soft_vq_leave(struct vdpa_soft_vq *vq, enum vdpa_soft_next next);

#endif /* _LINUX_VDPA_SOFT_H */
