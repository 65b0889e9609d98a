// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software vDPA devices: their creation and end, and the module.
 *
 * A device class calls vdpa_soft_alloc(), fills in its own part, and
 * vdpa_soft_register(); to end it, vdpa_soft_stop(), its own teardown, and
 * vdpa_soft_unregister(), or first the last if drivers shall have the use of it
 * until they let go. All in process context, with the management lock of
 * the vDPA core held as the mgmtdev ops have it.
 */
#include "soft.h"

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vdpa_refuse.h>
#include <linux/vdpa_soft.h>
#include <linux/vdpa_vq_reset.h>
#include <uapi/linux/vdpa.h>

/* All RAM is in the direct map, and counters are read and written whole. */
static_assert(IS_ENABLED(CONFIG_64BIT));

struct workqueue_struct *soft_wq;

static bool set_map;
module_param(set_map, bool, 0444);
MODULE_PARM_DESC(set_map,
		 "Take whole tables (set_map) instead of changes (dma_map)");

/* vdpa_config_ops.free: after the end, or for a device that never began. */
void soft_free(struct vdpa_device *vdpa)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);

	if (!soft->class)
		return;
	if (soft->class->free)
		soft->class->free(soft);
	if (soft->as)
		for (int i = 0; i < soft->class->nas; i++)
			soft_as_free(&soft->as[i]);
	kfree(soft->as);
	kfree(soft->vqs);
	kfree(soft->config);
	soft->class = NULL;
}

static int soft_init(struct vdpa_soft *soft)
{
	const struct vdpa_soft_class *class = soft->class;
	int i;

	mutex_init(&soft->lock);
	init_rwsem(&soft->map_lock);
	spin_lock_init(&soft->config_lock);

	soft->config = kzalloc(class->config_size, GFP_KERNEL);
	soft->vqs = kcalloc(soft->nvqs, sizeof(*soft->vqs), GFP_KERNEL);
	if (!soft->config || !soft->vqs)
		return -ENOMEM;

	/* With as set, soft_free() expects everything to be set up. */
	soft->as = kcalloc(class->nas, sizeof(*soft->as), GFP_KERNEL);
	if (!soft->as)
		return -ENOMEM;
	for (i = 0; i < class->nas; i++)
		soft_as_init(&soft->as[i]);
	for (i = 0; i < soft->nvqs; i++)
		soft_vq_init(soft, i);
	return 0;
}

/**
 * vdpa_soft_choose_features() - Find out which features a new device offers.
 * @features: those that it can have; set to those that it shall have
 * @config: what user space asks for, which may be features
 *
 * Context: mgmtdev dev_add().
 * Return: 0; -EINVAL if that cannot be, and the reason has been told.
 */
int vdpa_soft_choose_features(u64 *features,
			      const struct vdpa_dev_set_config *config)
{
	u64 missing, wanted = *features;

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES))
		wanted = config->device_features;
	if (wanted & ~*features)
		return vdpa_refuse(-EINVAL, "Device cannot have features 0x%llx",
				   wanted & ~*features);
	missing = SOFT_FEATURES_NEEDED & ~wanted;
	if (missing)
		return vdpa_refuse(-EINVAL, "Device needs features 0x%llx too",
				   missing);
	*features = wanted;
	return 0;
}
EXPORT_SYMBOL_GPL(vdpa_soft_choose_features);

/**
 * vdpa_soft_alloc() - Make a software device.
 * @parent: parent in sysfs
 * @size: of the class's own struct, which has struct vdpa_soft as first member
 * @class: what the device is; outlives it
 * @cfg: what this one is
 *
 * put_device(&soft->vdpa.dev) takes back a device that is not registered yet;
 * it calls class->free().
 *
 * Context: Process context. May sleep.
 * Return: the device, what follows struct vdpa_soft zeroed; or an ERR_PTR.
 */
struct vdpa_soft *vdpa_soft_alloc(struct device *parent, size_t size,
				  const struct vdpa_soft_class *class,
				  const struct vdpa_soft_cfg *cfg)
{
	struct vdpa_device *vdpa;
	struct vdpa_soft *soft;
	int err;

	vdpa = __vdpa_alloc_device(parent, set_map ? &soft_ops_set_map :
				   &soft_ops_dma_map, class->ngroups,
				   class->nas, size, cfg->name, false);
	if (IS_ERR(vdpa))
		return ERR_CAST(vdpa);

	soft = vdpa_to_soft(vdpa);
	soft->class = class;
	soft->features = cfg->features;
	soft->nvqs = cfg->nvqs;
	soft->vq_max = cfg->vq_max;
	vdpa->dma_dev = &vdpa->dev;
	vdpa_declare_vq_reset(vdpa);
	err = dma_coerce_mask_and_coherent(&vdpa->dev, DMA_BIT_MASK(64));
	if (!err)
		err = soft_init(soft);
	if (err) {
		put_device(&vdpa->dev);
		return ERR_PTR(err);
	}
	return soft;
}
EXPORT_SYMBOL_GPL(vdpa_soft_alloc);

/**
 * vdpa_soft_register() - Show a device to the bus drivers.
 * @soft: device
 * @mdev: the management device that it belongs to
 *
 * Context: mgmtdev dev_add(). May sleep.
 * Return: 0 or a negative errno; then the caller still owns @soft.
 */
int vdpa_soft_register(struct vdpa_soft *soft, struct vdpa_mgmt_dev *mdev)
{
	soft->vdpa.mdev = mdev;
	return _vdpa_register_device(&soft->vdpa, soft->nvqs);
}
EXPORT_SYMBOL_GPL(vdpa_soft_register);

/**
 * vdpa_soft_stop() - Stop a device for ever.
 * @soft: device
 *
 * When it returns, no worker runs nor will, whatever the driver does.
 *
 * Context: Process context. Takes soft->lock. May sleep.
 */
void vdpa_soft_stop(struct vdpa_soft *soft)
{
	guard(mutex)(&soft->lock);
	soft->stopped = true;
	for (int i = 0; i < soft->nvqs; i++)
		soft_vq_update(&soft->vqs[i]);
	if (soft->class->running)
		soft->class->running(soft);
}
EXPORT_SYMBOL_GPL(vdpa_soft_stop);

/**
 * vdpa_soft_unregister() - Take a device away from the bus drivers; ends it.
 * @soft: device; gone when this returns
 *
 * After vdpa_soft_stop(), or else class->free() calls that: then the device
 * works until its drivers have let go of it.
 *
 * Context: mgmtdev dev_del(). May sleep.
 */
void vdpa_soft_unregister(struct vdpa_soft *soft)
{
	_vdpa_unregister_device(&soft->vdpa);
}
EXPORT_SYMBOL_GPL(vdpa_soft_unregister);

/**
 * vdpa_soft_is_running() - Do all virtqueues run?
 * @soft: device
 *
 * Context: Under soft->lock, that is, in class->running().
 * Return: true if the driver has started the device, enabled all virtqueues
 *	and not suspended it.
 */
bool vdpa_soft_is_running(struct vdpa_soft *soft)
{
	lockdep_assert_held(&soft->lock);

	for (int i = 0; i < soft->nvqs; i++)
		if (!soft->vqs[i].running)
			return false;
	return true;
}
EXPORT_SYMBOL_GPL(vdpa_soft_is_running);

static int __init vdpa_soft_init(void)
{
	/* Memory may be reclaimed by writing to a disk of ours. */
	soft_wq = alloc_workqueue("vdpa_soft", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return soft_wq ? 0 : -ENOMEM;
}

static void __exit vdpa_soft_exit(void)
{
	destroy_workqueue(soft_wq);
}

module_init(vdpa_soft_init);
module_exit(vdpa_soft_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vDPA: what software devices share");
