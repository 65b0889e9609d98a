// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a disk, whatever its backing.
 *
 * Called by the management devices (conf.c, ram.c) with the management lock of
 * the vDPA core held.
 */
#include "blk.h"

#include <linux/err.h>
#include <linux/slab.h>

/* In the order of enum blk_counter. */
const char *const *blk_dev_stats(u16 idx)
{
	static const char *const stats[] = {
		"reads", "read bytes", "writes", "written bytes", "flushes",
		"discards", "errors", NULL
	};

	return stats;
}

/*
 * vdpa_soft_class.free: of a disk that may never have been whole. A driver that
 * loses it may still write what it has, so it works until all have let go.
 */
void blk_dev_free(struct vdpa_soft *soft)
{
	struct blk_dev *blk = soft_to_blk(soft);

	if (blk->vqs) {
		vdpa_soft_stop(soft);
		cancel_work_sync(&blk->flushes.work);
		for (int i = 0; i < soft->nvqs; i++)
			blk_vq_fini(&blk->vqs[i]);
	}
	kfree(blk->vqs);
	if (blk->backing)
		blk->backing->ops->close(blk->backing);
}

static int dev_init(struct blk_dev *blk, const struct blk_dev_cfg *cfg)
{
	int err = 0;

	blk->backing = cfg->backing;
	blk->conf = cfg->conf;
	memcpy(blk->serial, cfg->serial,
	       strnlen(cfg->serial, BLK_SERIAL_LEN));
	blk_flushes_init(&blk->flushes);
	blk->vqs = kcalloc(blk->soft.nvqs, sizeof(*blk->vqs), GFP_KERNEL);
	if (!blk->vqs)
		return -ENOMEM;
	for (int i = 0; i < blk->soft.nvqs && !err; i++)
		err = blk_vq_init(&blk->vqs[i], &blk->soft.vqs[i]);
	if (!err)
		blk_config_init(blk);
	return err;	/* blk_dev_free() takes back what there is */
}

/* Bits that mean nothing with this backing. */
static u64 impossible_features(const struct blk_backing *backing)
{
	u64 features = 0;

	if (!backing->readonly)
		features |= BIT_ULL(VIRTIO_BLK_F_RO);
	if (!backing->discard_max)
		features |= BIT_ULL(VIRTIO_BLK_F_DISCARD);
	if (!backing->zeroes_max)
		features |= BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	if (!backing->erase_max)
		features |= BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);
	return features;
}

struct blk_dev *blk_dev_create(struct vdpa_mgmt_dev *mdev,
			       const struct blk_dev_cfg *cfg)
{
	struct vdpa_soft_cfg soft_cfg = cfg->soft;
	struct vdpa_soft *soft;
	int err;

	soft_cfg.features &= ~impossible_features(cfg->backing);
	err = vdpa_soft_choose_features(&soft_cfg.features, cfg->config);
	if (err)
		goto err_close;
	soft = vdpa_soft_alloc(mdev->device, sizeof(struct blk_dev),
			       cfg->class, &soft_cfg);
	if (IS_ERR(soft)) {
		err = PTR_ERR(soft);
		goto err_close;
	}
	soft->vdpa.dev.groups = cfg->groups;

	err = dev_init(soft_to_blk(soft), cfg);
	if (!err)
		err = vdpa_soft_register(soft, mdev);
	if (err) {
		put_device(&soft->vdpa.dev);
		return ERR_PTR(err);
	}
	return soft_to_blk(soft);

err_close:
	cfg->backing->ops->close(cfg->backing);
	return ERR_PTR(err);
}
