// SPDX-License-Identifier: GPL-2.0-only
/*
 * What netlink knows about disks: which fields of their configuration space
 * are shown, and which features.
 *
 * Tables only; read by nl_config.c, which holds the locks.
 */
#include "core.h"
#include "nl.h"

#include <uapi/linux/virtio_blk.h>

#define BLK_FIELD(attr, member, feature)				\
	{ VDPA_NL_FIELD(VDPA_ATTR_DEV_BLK_CFG_##attr,			\
			struct virtio_blk_config, member, feature) }

static const struct vdpa_nl_field blk_fields[] = {
	BLK_FIELD(CAPACITY, capacity, 0),
	BLK_FIELD(SIZE_MAX, size_max, BIT_ULL(VIRTIO_BLK_F_SIZE_MAX)),
	BLK_FIELD(BLK_SIZE, blk_size, BIT_ULL(VIRTIO_BLK_F_BLK_SIZE)),
	BLK_FIELD(SEG_MAX, seg_max, BIT_ULL(VIRTIO_BLK_F_SEG_MAX)),
	BLK_FIELD(NUM_QUEUES, num_queues, BIT_ULL(VIRTIO_BLK_F_MQ)),
	BLK_FIELD(PHY_BLK_EXP, physical_block_exp,
		  BIT_ULL(VIRTIO_BLK_F_TOPOLOGY)),
	BLK_FIELD(ALIGN_OFFSET, alignment_offset,
		  BIT_ULL(VIRTIO_BLK_F_TOPOLOGY)),
	BLK_FIELD(MIN_IO_SIZE, min_io_size, BIT_ULL(VIRTIO_BLK_F_TOPOLOGY)),
	BLK_FIELD(OPT_IO_SIZE, opt_io_size, BIT_ULL(VIRTIO_BLK_F_TOPOLOGY)),
	BLK_FIELD(MAX_DISCARD_SEC, max_discard_sectors,
		  BIT_ULL(VIRTIO_BLK_F_DISCARD)),
	BLK_FIELD(MAX_DISCARD_SEG, max_discard_seg,
		  BIT_ULL(VIRTIO_BLK_F_DISCARD)),
	BLK_FIELD(DISCARD_SEC_ALIGN, discard_sector_alignment,
		  BIT_ULL(VIRTIO_BLK_F_DISCARD)),
	BLK_FIELD(MAX_WRITE_ZEROES_SEC, max_write_zeroes_sectors,
		  BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES)),
	BLK_FIELD(MAX_WRITE_ZEROES_SEG, max_write_zeroes_seg,
		  BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES)),
};

static const struct vdpa_nl_flag blk_flags[] = {
	{ BIT_ULL(VIRTIO_BLK_F_RO), VDPA_ATTR_DEV_BLK_READ_ONLY },
	{ BIT_ULL(VIRTIO_BLK_F_FLUSH), VDPA_ATTR_DEV_BLK_FLUSH },
};

static_assert(sizeof(struct virtio_blk_config) <= VDPA_NL_CONFIG_MAX);

const struct vdpa_nl_class vdpa_nl_class_blk = {
	.id = VIRTIO_ID_BLOCK,
	.fields = blk_fields,
	.nr_fields = ARRAY_SIZE(blk_fields),
	.flags = blk_flags,
	.nr_flags = ARRAY_SIZE(blk_flags),
};
