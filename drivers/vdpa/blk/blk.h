/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of vdpa_blk.ko.
 *
 * Lock order: that of vdpa_soft.h. conf->lock and the locks of configfs are
 * taken below the management lock of the vDPA core and above soft->config_lock;
 * bvq->lock and the locks of lanes are taken below all, with interrupts
 * disabled, as backings end requests in any context.
 */
#ifndef _VDPA_BLK_H
#define _VDPA_BLK_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/vdpa_soft.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_blk.h>

#define BLK_QUEUES_MAX		64
#define BLK_QUEUE_SIZE_MIN	4
#define BLK_QUEUE_SIZE_MAX	1024
#define BLK_SERIAL_LEN		VIRTIO_BLK_ID_BYTES

#define BLK_BYTES_MAX	SZ_16M	/* of a request */
#define BLK_NBVEC	8	/* pieces of a request that need no allocation */
#define BLK_NRANGES	8	/* of DISCARD and its like */

/* Instead of VIRTIO_BLK_S_*: the request is ended by blk_req_end(). */
#define BLK_PENDING	0xff

/* Counters of a virtqueue: index into vq->stat. */
enum blk_counter {
	BLK_READS,
	BLK_READ_BYTES,
	BLK_WRITES,
	BLK_WRITTEN_BYTES,
	BLK_FLUSHES,
	BLK_DISCARDS,	/* DISCARD, WRITE_ZEROES, SECURE_ERASE */
	BLK_ERRORS,	/* what was not answered with VIRTIO_BLK_S_OK */
};

struct blk_backing;
struct blk_conf;
struct blk_op;
struct blk_vq;

/* Part of a disk; bytes. */
struct blk_range {
	u64 pos;
	u64 len;
	bool unmap;
};

/**
 * struct blk_req - a request that is being done
 * @bvq: virtqueue that it came from; immutable
 * @node: in bvq->free, bvq->done or a lane
 * @op: what is to be done; NULL: it was not to be understood
 * @id: of its chain
 * @status_iova: where VIRTIO_BLK_S_* belongs
 * @in_len: bytes before the status that the device may write
 * @status: VIRTIO_BLK_S_*, once it has ended
 * @stable: what it writes is on stable storage when it has ended
 * @pos: bytes; first one to read or write
 * @len: bytes to read or write
 * @iter: the memory, what is left of it
 * @nr: elements of @bvec or @range
 * @max: room in @bvec
 * @bvec: the memory; @inline_bvec or allocated
 * @inline_bvec: room for a few
 * @range: of DISCARD and its like
 * @iocb: for a backing that is a file
 * @how: for a backing that is a file
 */
struct blk_req {
	struct blk_vq *bvq;
	struct list_head node;
	const struct blk_op *op;
	u16 id;
	u8 status;
	u8 how;
	bool stable;
	u64 status_iova;
	u64 in_len;
	loff_t pos;
	u32 len;
	u32 nr;
	u32 max;
	struct iov_iter iter;
	struct bio_vec *bvec;
	union {
		struct bio_vec inline_bvec[BLK_NBVEC];
		struct blk_range range[BLK_NRANGES];
	};
	struct kiocb iocb;
};

/**
 * struct blk_op - a type of request
 * @type: VIRTIO_BLK_T_*
 * @counter: counts those that went well; one more counts the bytes of those
 *	that have any
 * @counted: it has a @counter
 * @writes: changes the disk
 * @fills: the driver gets data
 * @feature: bit without which there is no such type; 0: none
 * @begin: check it, and do it or have it done. Its header is pulled off the
 *	chain. VIRTIO_BLK_S_* or BLK_PENDING
 */
struct blk_op {
	u32 type;
	u8 counter;
	bool counted;
	bool writes;
	bool fills;
	u64 feature;
	u8 (*begin)(struct blk_req *req, u64 sector);
};

/* Requests that wait for a worker which may sleep. */
struct blk_lane {
	struct work_struct work;
	spinlock_t lock;	/* interrupts disabled; @reqs */
	struct list_head reqs;
};

/* What a disk has for each virtqueue. */
struct blk_vq {
	struct vdpa_soft_vq *vq;	/* immutable */
	struct vdpa_chain chain;	/* vq->lock; the one looked at */
	struct blk_req *reqs;		/* immutable, soft.vq_max of them */
	struct list_head free;		/* vq->lock */
	struct blk_lane lane;

	spinlock_t lock;		/* interrupts disabled */
	u32 in_flight;			/* @lock; neither free nor done */
	struct list_head done;		/* @lock; ended, not completed */
	wait_queue_head_t idle;		/* for @in_flight to be 0 */
};

/**
 * struct blk_backing_ops - where the bytes of a disk are
 * @rw: read or write req->iter at req->pos, which is within the capacity.
 *	Returns VIRTIO_BLK_S_*, or BLK_PENDING if blk_req_end() is or will be
 *	called, from any context. Called with soft->map_lock (read) and vq->lock
 * @rw_slow: the same, for a request that @rw has put into its lane. Sleeps
 * @flush: what was written and has ended is on stable storage. Sleeps. NULL:
 *	it always is
 * @range: do the one request of DISCARD and its like. Sleeps. 0 or -errno
 * @resize: find out the capacity once more. 0 or -errno. NULL: never changes
 * @close: free the backing; nothing is in flight
 */
struct blk_backing_ops {
	u8 (*rw)(struct blk_backing *backing, struct blk_req *req);
	u8 (*rw_slow)(struct blk_backing *backing, struct blk_req *req);
	int (*flush)(struct blk_backing *backing);
	int (*range)(struct blk_backing *backing, u32 type,
		     const struct blk_range *range);
	int (*resize)(struct blk_backing *backing);
	void (*close)(struct blk_backing *backing);
};

/**
 * struct blk_backing - a backing, and what its disk is like
 * @ops: immutable
 * @capacity: sectors of 512 bytes; grows and shrinks
 * @readonly: immutable, as all below
 * @size_max: bytes of a buffer
 * @seg_max: buffers of a request
 * @block_size: bytes; what can be written without reading first
 * @io_min: bytes; as above, as seen by the medium
 * @io_opt: bytes; for most throughput, 0 if not known
 * @range_max: ranges of a request, at most BLK_NRANGES
 * @discard_max: sectors of a range; 0: cannot
 * @discard_align: sectors
 * @zeroes_max: sectors of a range
 * @erase_max: sectors of a range; 0: cannot
 * @erase_align: sectors
 */
struct blk_backing {
	const struct blk_backing_ops *ops;
	u64 capacity;
	bool readonly;
	u32 size_max;
	u32 seg_max;
	u32 block_size;
	u32 io_min;
	u32 io_opt;
	u32 range_max;
	u32 discard_max;
	u32 discard_align;
	u32 zeroes_max;
	u32 erase_max;
	u32 erase_align;
};

/* A disk. */
struct blk_dev {
	struct vdpa_soft soft;		/* first */
	struct blk_backing *backing;	/* owned */
	struct blk_conf *conf;		/* immutable; NULL: has none */
	struct blk_lane flushes;
	struct blk_vq *vqs;		/* soft.nvqs of them */
	u8 serial[BLK_SERIAL_LEN];	/* no NUL if it is that long */
	bool writeback;			/* as the driver has it; racy */
};

/**
 * struct blk_dev_cfg - what is asked of a new disk
 * @soft: for vdpa_soft; the features are those that there can be
 * @config: what netlink asks for
 * @class: of vdpa_soft, see BLK_CLASS
 * @backing: handed over, also if the disk cannot be made
 * @conf: its directory in configfs, outlives it; NULL: has none
 * @serial: copied
 * @groups: in sysfs, or NULL
 */
struct blk_dev_cfg {
	struct vdpa_soft_cfg soft;
	const struct vdpa_dev_set_config *config;
	const struct vdpa_soft_class *class;
	struct blk_backing *backing;
	struct blk_conf *conf;
	const char *serial;
	const struct attribute_group **groups;
};

static inline bool blk_has_sectors(const struct blk_backing *backing,
				   u64 sector, u64 nr)
{
	u64 capacity = READ_ONCE(backing->capacity);

	return sector <= capacity && nr <= capacity - sector;
}

static inline struct blk_dev *soft_to_blk(struct vdpa_soft *soft)
{
	return container_of(soft, struct blk_dev, soft);
}

static inline struct blk_vq *vq_to_blk(struct vdpa_soft_vq *vq)
{
	return &soft_to_blk(vq->soft)->vqs[vq->idx];
}

static inline struct blk_dev *req_to_blk(struct blk_req *req)
{
	return soft_to_blk(req->bvq->vq->soft);
}

/* What the classes of all disks have in common. */
#define BLK_CLASS							\
	.device_id	= VIRTIO_ID_BLOCK,				\
	.ngroups	= 1,						\
	.nas		= 1,						\
	.vq_stats	= blk_dev_stats,				\
	.work		= blk_vq_work,					\
	.drain		= blk_vq_drain,					\
	.reap		= blk_vq_reap,					\
	.forget		= blk_vq_forget,				\
	.free		= blk_dev_free

/* main.c */
extern struct workqueue_struct *blk_wq;

/* dev.c */
struct blk_dev *blk_dev_create(struct vdpa_mgmt_dev *mdev,
			       const struct blk_dev_cfg *cfg);
void blk_dev_free(struct vdpa_soft *soft);
const char *const *blk_dev_stats(u16 idx);

/* config.c */
void blk_config_init(struct blk_dev *blk);
void blk_config_write(struct vdpa_soft *soft, unsigned int offset,
		      const void *buf, unsigned int len);
void blk_config_reset(struct vdpa_soft *soft);
void blk_config_capacity(struct blk_dev *blk);
bool blk_config_writethrough(const struct blk_dev *blk);

/* vq.c */
int blk_vq_init(struct blk_vq *bvq, struct vdpa_soft_vq *vq);
void blk_vq_fini(struct blk_vq *bvq);
enum vdpa_soft_next blk_vq_work(struct vdpa_soft_vq *vq);
void blk_vq_drain(struct vdpa_soft_vq *vq);
void blk_vq_reap(struct vdpa_soft_vq *vq);
void blk_vq_forget(struct vdpa_soft_vq *vq);
void blk_req_end(struct blk_req *req, u8 status);

/* req.c */
u8 blk_req_begin(struct blk_req *req);

/* lane.c */
void blk_lane_init(struct blk_lane *lane);
void blk_flushes_init(struct blk_lane *lane);
void blk_lane_queue(struct blk_lane *lane, struct blk_req *req);

/* mem.c */
u8 blk_mem_take(struct blk_req *req, u32 access);
void blk_mem_rewind(struct blk_req *req);
void blk_mem_free(struct blk_req *req);

/* range.c */
u8 blk_range_begin(struct blk_req *req, u64 sector);
u8 blk_range_do(struct blk_req *req);

/* backing.c */
struct blk_backing *blk_file_open(const char *path, bool readonly);

/* ram.c */
extern const struct vdpa_mgmtdev_ops blk_ram_ops;
extern const u64 blk_ram_features;
int blk_ram_init(void);
void blk_ram_exit(void);

/* conf.c */
extern const struct vdpa_mgmtdev_ops blk_conf_ops;
extern const u64 blk_conf_features;
int blk_conf_init(void);
void blk_conf_exit(void);

#endif /* _VDPA_BLK_H */
