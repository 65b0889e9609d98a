// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space of a disk (VIRTIO 1.2, 5.2.4).
 *
 * Filled when the disk is made; afterwards the capacity changes when its owner
 * says so, and `wce` when the driver does. The bytes are vdpa_soft's.
 */
#include "blk.h"

#include <linux/blk_types.h>
#include <linux/log2.h>
#include <linux/vdpa_change.h>

#define WCE_OFFSET	offsetof(struct virtio_blk_config, wce)

static __virtio16 config16(u16 val)
{
	return (__force __virtio16)cpu_to_le16(val);
}

static __virtio32 config32(u32 val)
{
	return (__force __virtio32)cpu_to_le32(val);
}

static __virtio64 config64(u64 val)
{
	return (__force __virtio64)cpu_to_le64(val);
}

/* In blocks, as TOPOLOGY has it. */
static void config_topology(struct virtio_blk_config *config,
			    const struct blk_backing *backing)
{
	u32 size = backing->block_size;

	config->blk_size = config32(size);
	config->physical_block_exp = ilog2(max(backing->io_min, size) / size);
	config->min_io_size = config16(min(max(backing->io_min, size) / size,
					   (u32)U16_MAX));
	config->opt_io_size = config32(backing->io_opt / size);
}

static void config_ranges(struct virtio_blk_config *config,
			  const struct blk_backing *backing)
{
	__virtio32 nr = config32(backing->range_max);

	config->max_discard_sectors = config32(backing->discard_max);
	config->max_discard_seg = nr;
	config->discard_sector_alignment = config32(backing->discard_align);
	config->max_write_zeroes_sectors = config32(backing->zeroes_max);
	config->max_write_zeroes_seg = nr;
	config->write_zeroes_may_unmap = !!backing->discard_max;
	config->max_secure_erase_sectors = config32(backing->erase_max);
	config->max_secure_erase_seg = nr;
	config->secure_erase_sector_alignment = config32(backing->erase_align);
}

void blk_config_init(struct blk_dev *blk)
{
	const struct blk_backing *backing = blk->backing;
	struct virtio_blk_config config = {
		.capacity = config64(backing->capacity),
		.size_max = config32(backing->size_max),
		.seg_max = config32(min(backing->seg_max,
					(u32)blk->soft.vq_max - 2)),
		.num_queues = config16(blk->soft.nvqs),
	};

	config_topology(&config, backing);
	config_ranges(&config, backing);
	blk->writeback = true;
	config.wce = blk->soft.features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE);
	vdpa_soft_config_write(&blk->soft, 0, &config,
			       blk->soft.class->config_size);
}

/* The driver and those who listen to events learn of it. */
void blk_config_capacity(struct blk_dev *blk)
{
	__virtio64 capacity = config64(READ_ONCE(blk->backing->capacity));

	vdpa_soft_config_write(&blk->soft, 0, &capacity, sizeof(capacity));
	vdpa_soft_config_notify(&blk->soft);
	vdpa_device_changed(&blk->soft.vdpa);
}

static void config_set_wce(struct blk_dev *blk, u8 wce)
{
	WRITE_ONCE(blk->writeback, wce);
	vdpa_soft_config_write(&blk->soft, WCE_OFFSET, &wce, sizeof(wce));
}

/* vdpa_soft_class.config_write: `wce` is the one field the driver may write. */
void blk_config_write(struct vdpa_soft *soft, unsigned int offset,
		      const void *buf, unsigned int len)
{
	if (offset > WCE_OFFSET || WCE_OFFSET - offset >= len)
		return;
	if (soft->driver_features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE))
		config_set_wce(soft_to_blk(soft),
			       !!((const u8 *)buf)[WCE_OFFSET - offset]);
}

/* vdpa_soft_class.reset: the next driver finds it as new. */
void blk_config_reset(struct vdpa_soft *soft)
{
	if (soft->features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE))
		config_set_wce(soft_to_blk(soft), 1);
}

/*
 * Must a write be on stable storage before it is answered (5.2.6.2)? So it is
 * for a driver that cannot flush, or has said so.
 */
bool blk_config_writethrough(const struct blk_dev *blk)
{
	return !(blk->soft.driver_features & BIT_ULL(VIRTIO_BLK_F_FLUSH)) ||
	       !READ_ONCE(blk->writeback);
}
