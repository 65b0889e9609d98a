// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management device vdpasim_blk: a RAM disk, in place of the in-tree simulator
 * of that name and as scripts written for it expect. With shared_backend all of
 * its devices have the same bytes, as to test migration; whoever writes there
 * must know what others do.
 *
 * Reads and writes are done in the worker of the virtqueue.
 */
#include "blk.h"

#include <linux/blk_types.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_ring.h>

#define RAM_SECTORS	0x40000
#define RAM_BYTES	((size_t)RAM_SECTORS << SECTOR_SHIFT)
#define RAM_VQ_MAX	256

const u64 blk_ram_features =
	BIT_ULL(VIRTIO_F_ANY_LAYOUT) |
	BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
	BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
	BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
	BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_FLUSH) |
	BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | BIT_ULL(VIRTIO_BLK_F_MQ) |
	BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);

static bool shared_backend;
module_param(shared_backend, bool, 0444);
MODULE_PARM_DESC(shared_backend,
		 "All disks of vdpasim_blk have the same bytes");

struct blk_ram {
	struct blk_backing backing;	/* first */
	void *bytes;			/* RAM_BYTES */
};

static void *ram_shared;	/* of all disks, with shared_backend */

static struct blk_ram *to_ram(struct blk_backing *backing)
{
	return container_of(backing, struct blk_ram, backing);
}

/* @pos comes from the driver, and has been checked. */
static void *ram_at(struct blk_backing *backing, u64 pos)
{
	return to_ram(backing)->bytes + array_index_nospec(pos, RAM_BYTES);
}

static u8 ram_rw(struct blk_backing *backing, struct blk_req *req)
{
	void *p = ram_at(backing, req->pos);
	size_t done;

	if (req->op->writes)
		done = copy_from_iter(p, req->len, &req->iter);
	else
		done = copy_to_iter(p, req->len, &req->iter);
	return done == req->len ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

/* DISCARD promises nothing about what is read afterwards. */
static int ram_range(struct blk_backing *backing, u32 type,
		     const struct blk_range *range)
{
	if (type == VIRTIO_BLK_T_WRITE_ZEROES)
		memset(ram_at(backing, range->pos), 0, range->len);
	return 0;
}

static void ram_close(struct blk_backing *backing)
{
	struct blk_ram *ram = to_ram(backing);

	if (ram->bytes != ram_shared)
		kvfree(ram->bytes);
	kfree(ram);
}

static const struct blk_backing_ops ram_ops = {
	.rw	= ram_rw,
	.range	= ram_range,
	.close	= ram_close,
};

static const struct blk_backing ram_backing = {
	.ops		= &ram_ops,
	.capacity	= RAM_SECTORS,
	.size_max	= SZ_4K,
	.seg_max	= 32,
	.block_size	= SECTOR_SIZE,
	.io_min		= SECTOR_SIZE,
	.io_opt		= SECTOR_SIZE,
	.range_max	= 1,
	.discard_max	= U16_MAX,
	.discard_align	= 1,
	.zeroes_max	= U16_MAX,
};

static struct blk_backing *ram_open(void)
{
	struct blk_ram *ram = kmalloc(sizeof(*ram), GFP_KERNEL);

	if (!ram)
		return ERR_PTR(-ENOMEM);
	ram->backing = ram_backing;
	ram->bytes = ram_shared ?: kvzalloc(RAM_BYTES, GFP_KERNEL | __GFP_NOWARN);
	if (!ram->bytes) {
		kfree(ram);
		return ERR_PTR(-ENOMEM);
	}
	return &ram->backing;
}

static const struct vdpa_soft_class ram_class = {
	BLK_CLASS,
	/* The fields that the simulator has always had. */
	.config_size	= offsetof(struct virtio_blk_config,
				   max_secure_erase_sectors),
};

static int ram_add(struct vdpa_mgmt_dev *mdev, const char *name,
		   const struct vdpa_dev_set_config *config)
{
	struct blk_dev_cfg cfg = {
		.soft = {
			.name = name,
			.features = blk_ram_features,
			.nvqs = 1,
			.vq_max = RAM_VQ_MAX,
		},
		.config = config,
		.class = &ram_class,
		.serial = "vdpa_blk_sim",
	};

	cfg.backing = ram_open();
	if (IS_ERR(cfg.backing))
		return PTR_ERR(cfg.backing);
	return PTR_ERR_OR_ZERO(blk_dev_create(mdev, &cfg));
}

static void ram_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	vdpa_soft_unregister(vdpa_to_soft(vdpa));
}

const struct vdpa_mgmtdev_ops blk_ram_ops = {
	.dev_add	= ram_add,
	.dev_del	= ram_del,
};

/* Before the management device is there, and after it has gone. */
int blk_ram_init(void)
{
	if (!shared_backend)
		return 0;
	ram_shared = kvzalloc(RAM_BYTES, GFP_KERNEL | __GFP_NOWARN);
	return ram_shared ? 0 : -ENOMEM;
}

void blk_ram_exit(void)
{
	kvfree(ram_shared);
}
