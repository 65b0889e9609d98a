// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a device: allocated, registered, unregistered, freed.
 *
 * Called by parents. The set of registered devices changes under
 * vdpa_dev_lock, which a parent's dev_add() and dev_del() are called with.
 *
 * The memory belongs to whoever holds a reference, the parent's state in it to
 * the parent. So ops->free is called as soon as the device is off the bus,
 * while an open file may keep the memory: the parent's module may go next.
 * After it only struct vdpa_core and struct vdpa_device are touched.
 */
#include "core.h"
#include "compat.h"

#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/vdpa_change.h>
#include <linux/vdpa_refuse.h>
#include <linux/vdpa_vq_reset.h>

static DEFINE_IDA(vdpa_index_ida);
static long vdpa_last_seq;	/* vdpa_dev_lock */

#define VDPA_OP(op)	{ #op, offsetof(struct vdpa_config_ops, op) }

/* What bus drivers and this core call without asking whether it is there. */
static const struct {
	const char *name;
	size_t offset;
} vdpa_mandatory_ops[] = {
	VDPA_OP(set_vq_address),
	VDPA_OP(set_vq_num),
	VDPA_OP(kick_vq),
	VDPA_OP(set_vq_cb),
	VDPA_OP(set_vq_ready),
	VDPA_OP(get_vq_ready),
	VDPA_OP(set_vq_state),
	VDPA_OP(get_vq_state),
	VDPA_OP(get_vq_align),
	VDPA_OP(get_device_features),
	VDPA_OP(set_driver_features),
	VDPA_OP(get_driver_features),
	VDPA_OP(set_config_cb),
	VDPA_OP(get_vq_num_max),
	VDPA_OP(get_device_id),
	VDPA_OP(get_vendor_id),
	VDPA_OP(get_status),
	VDPA_OP(set_status),
	VDPA_OP(reset),
	VDPA_OP(get_config_size),
	VDPA_OP(get_config),
	VDPA_OP(set_config),
};

static int vdpa_check_ops(struct vdpa_device *vdpa)
{
	const void *ops = vdpa->config;
	int i;

	for (i = 0; i < ARRAY_SIZE(vdpa_mandatory_ops); i++) {
		if (*(void * const *)(ops + vdpa_mandatory_ops[i].offset))
			continue;
		dev_err(&vdpa->dev, "parent lacks the mandatory operation %s\n",
			vdpa_mandatory_ops[i].name);
		return vdpa_refuse(-EINVAL,
				   "Parent lacks the mandatory operation %s",
				   vdpa_mandatory_ops[i].name);
	}
	return 0;
}

/* Gives the parent's state back, once. */
static void vdpa_free_parent(struct vdpa_core *core)
{
	const struct vdpa_config_ops *ops = core->vdpa.config;

	if (!core->parent_owns)
		return;
	core->parent_owns = false;
	if (ops->free)
		ops->free(&core->vdpa);
}

static void vdpa_release(struct device *dev)
{
	struct vdpa_device *vdpa = dev_to_vdpa(dev);
	struct vdpa_core *core = vdpa_to_core(vdpa);

	vdpa_free_parent(core);
	ida_free(&vdpa_index_ida, vdpa->index);
	vdpa_override_free(vdpa);
	kfree(core);
}

static int vdpa_check_alloc(const struct vdpa_config_ops *config, size_t size,
			    bool use_va)
{
	if (!config || size < sizeof(struct vdpa_device))
		return -EINVAL;
	if (!config->dma_map != !config->dma_unmap)
		return -EINVAL;
	/* User addresses need a parent that translates them itself. */
	if (use_va && !config->dma_map && !config->set_map)
		return -EINVAL;
	return 0;
}

/**
 * __vdpa_alloc_device() - Allocate a device.
 * @parent: parent device
 * @config: the parent's operations
 * @ngroups: number of virtqueue groups
 * @nas: number of address spaces
 * @size: size of the parent's structure, which begins with struct vdpa_device
 * @name: name of the device, or NULL for "vdpa" and a number
 * @use_va: the parent takes user addresses instead of physical ones
 *
 * Parents use vdpa_alloc_device(). What is returned is zeroed behind struct
 * vdpa_device, and is given back by put_device() if it is not registered, by
 * vdpa_unregister_device() otherwise; both call @config->free, once.
 *
 * Context: Process context. May sleep.
 * Return: the device; ERR_PTR(-EINVAL) if @config is incomplete or does not
 *	fit @use_va; ERR_PTR(-ENOMEM) or ERR_PTR(-ENOSPC).
 */
struct vdpa_device *__vdpa_alloc_device(struct device *parent,
					const struct vdpa_config_ops *config,
					unsigned int ngroups, unsigned int nas,
					size_t size, const char *name,
					bool use_va)
{
	struct vdpa_device *vdpa;
	struct vdpa_core *core;
	int err;

	err = vdpa_check_alloc(config, size, use_va);
	if (err)
		return ERR_PTR(err);

	core = kzalloc(size_add(offsetof(struct vdpa_core, vdpa), size),
		       GFP_KERNEL);
	if (!core)
		return ERR_PTR(-ENOMEM);
	vdpa = &core->vdpa;

	err = ida_alloc(&vdpa_index_ida, GFP_KERNEL);
	if (err < 0)
		goto err_undo_alloc;

	vdpa->index = err;
	vdpa->config = config;
	vdpa->ngroups = ngroups;
	vdpa->nas = nas;
	vdpa->use_va = use_va;
	init_rwsem(&vdpa->cf_lock);
	vdpa->dev.bus = &vdpa_bus;
	vdpa->dev.parent = parent;
	vdpa->dev.release = vdpa_release;
	device_initialize(&vdpa->dev);

	if (name)
		err = dev_set_name(&vdpa->dev, "%s", name);
	else
		err = dev_set_name(&vdpa->dev, "vdpa%u", vdpa->index);
	if (err)
		goto err_undo_init;

	core->parent_owns = true;
	return vdpa;

err_undo_init:
	put_device(&vdpa->dev);
	return ERR_PTR(err);
err_undo_alloc:
	kfree(core);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(__vdpa_alloc_device);

/**
 * vdpa_declare_vq_reset() - Declare that a device can reset one virtqueue.
 * @vdpa: the device, allocated and not yet registered
 *
 * What the parent promises with it stands in <linux/vdpa_vq_reset.h>.
 *
 * Context: Any.
 */
void vdpa_declare_vq_reset(struct vdpa_device *vdpa)
{
	vdpa_to_core(vdpa)->vq_reset = true;
}
EXPORT_SYMBOL_GPL(vdpa_declare_vq_reset);

/**
 * vdpa_can_vq_reset() - Has a device been declared to reset one virtqueue?
 * @vdpa: the device
 *
 * A bus driver that serves VIRTIO_F_RING_RESET takes the feature of such
 * devices only.
 *
 * Context: Any.
 * Return: true if vdpa_declare_vq_reset() was called for @vdpa.
 */
bool vdpa_can_vq_reset(const struct vdpa_device *vdpa)
{
	return vdpa_to_core(vdpa)->vq_reset;
}
EXPORT_SYMBOL_GPL(vdpa_can_vq_reset);

/**
 * vdpa_set_change_ops() - Say how a device can be changed.
 * @vdpa: the device, not registered yet
 * @ops: how; kept. Without it the management device's dev_set_attr() is asked
 *
 * Context: Any.
 */
void vdpa_set_change_ops(struct vdpa_device *vdpa,
			 const struct vdpa_change_ops *ops)
{
	vdpa_to_core(vdpa)->change_ops = ops;
}
EXPORT_SYMBOL_GPL(vdpa_set_change_ops);

/*
 * Whether the bus has a device of this name, or the parent's directory an
 * entry. The driver core would say so too, but with a stack trace.
 */
static bool vdpa_name_is_taken(const struct vdpa_device *vdpa)
{
	const struct device *parent = vdpa->dev.parent;
	struct vdpa_device *other;
	struct kernfs_node *entry;

	other = vdpa_find_device(dev_name(&vdpa->dev));
	if (other) {
		put_device(&other->dev);
		return true;
	}
	entry = parent ? sysfs_get_dirent(parent->kobj.sd,
					  dev_name(&vdpa->dev)) : NULL;
	sysfs_put(entry);
	return entry;
}

static int vdpa_add_device(struct vdpa_device *vdpa, u32 nvqs)
{
	int err;

	lockdep_assert_held_write(&vdpa_dev_lock);

	/* Queues are numbered with 16 bits. A device may have none. */
	if (nvqs > U16_MAX + 1)
		return vdpa_refuse(-EINVAL, "Device has too many virtqueues");
	err = vdpa_check_ops(vdpa);
	if (err)
		return err;
	if (vdpa_name_is_taken(vdpa))
		return vdpa_refuse(-EEXIST,
				   "The parent's directory has that name");

	vdpa->nvqs = nvqs;
	vdpa_to_core(vdpa)->seq = ++vdpa_last_seq;
	err = device_add(&vdpa->dev);
	if (err)
		return err;
	vdpa_request_driver(vdpa);
	return 0;
}

/**
 * _vdpa_register_device() - Register a device from dev_add().
 * @vdpa: the device, ready for use, with @vdpa->mdev set
 * @nvqs: how many virtqueues it has
 *
 * A bus driver may be probed, and use the device, before this returns. After a
 * failure the caller gives @vdpa back with put_device().
 *
 * Context: Process context, vdpa_dev_lock held for writing, as in a parent's
 *	dev_add(). May sleep.
 * Return: 0; -EINVAL if the operations lack a mandatory one, @nvqs is too large
 *	or @vdpa->mdev is not set; -EEXIST if the name is taken; other negative
 *	errno of the driver core.
 */
int _vdpa_register_device(struct vdpa_device *vdpa, u32 nvqs)
{
	if (!vdpa->mdev)
		return -EINVAL;
	return vdpa_add_device(vdpa, nvqs);
}
EXPORT_SYMBOL_GPL(_vdpa_register_device);

/**
 * vdpa_register_device() - Register a device that user space does not manage.
 * @vdpa: the device, ready for use
 * @nvqs: how many virtqueues it has
 *
 * As _vdpa_register_device() but for the lock, and @vdpa->mdev may be NULL.
 *
 * Context: Process context. Takes vdpa_dev_lock. May sleep.
 * Return: as _vdpa_register_device().
 */
int vdpa_register_device(struct vdpa_device *vdpa, u32 nvqs)
{
	int err;

	down_write(&vdpa_dev_lock);
	err = vdpa_add_device(vdpa, nvqs);
	up_write(&vdpa_dev_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_register_device);

static void vdpa_del_device(struct vdpa_device *vdpa)
{
	lockdep_assert_held_write(&vdpa_dev_lock);

	device_del(&vdpa->dev);
	vdpa_free_parent(vdpa_to_core(vdpa));
	put_device(&vdpa->dev);
}

/**
 * _vdpa_unregister_device() - Unregister a device from dev_del().
 * @vdpa: the device
 *
 * Its bus driver is removed, then ops->free is called, then the caller's
 * reference is put. No operation is called from then on.
 *
 * Context: Process context, vdpa_dev_lock held for writing, as in a parent's
 *	dev_del(). May sleep.
 */
void _vdpa_unregister_device(struct vdpa_device *vdpa)
{
	vdpa_del_device(vdpa);
}
EXPORT_SYMBOL_GPL(_vdpa_unregister_device);

/**
 * vdpa_unregister_device() - Unregister a device that is not managed.
 * @vdpa: the device
 *
 * As _vdpa_unregister_device() but for the lock.
 *
 * Context: Process context. Takes vdpa_dev_lock. May sleep.
 */
void vdpa_unregister_device(struct vdpa_device *vdpa)
{
	down_write(&vdpa_dev_lock);
	vdpa_del_device(vdpa);
	up_write(&vdpa_dev_lock);
}
EXPORT_SYMBOL_GPL(vdpa_unregister_device);

/**
 * vdpa_device_exit() - Give back what registration keeps between devices.
 */
void vdpa_device_exit(void)
{
	ida_destroy(&vdpa_index_ida);
}
