// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-vdpa bus driver: makes a virtio device of each vDPA device that it
 * is bound to, and takes it away again. probe() and remove() are called by the
 * driver core with the lock of the vDPA device held.
 *
 * Taking it away unbinds its virtio driver, which waits for what it has under
 * way. The parent still works then and ends that. The queues of one that needs
 * a reset are declared broken: here, if it has said so before; in event.c, if
 * it says so meanwhile. For drivers that look at nothing but completions that
 * is no help; no transport can complete what the device has not.
 */
#include "virtio_vdpa.h"

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

static void virtio_vdpa_release(struct device *dev)
{
	struct virtio_device *vdev = dev_to_virtio(dev);

	/* For a late callback of the parent: see event.c. */
	kfree_rcu(to_virtio_vdpa(vdev), rcu);
}

static int virtio_vdpa_probe(struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	struct virtio_vdpa *v;
	int err;

	v = kzalloc(struct_size(v, vqs, vdpa->nvqs), GFP_KERNEL);
	if (!v)
		return -ENOMEM;

	v->vdpa = vdpa;
	INIT_WORK(&v->broken_work, virtio_vdpa_broken_work);
	v->vdev.dev.parent = vdpa_get_dma_dev(vdpa);
	v->vdev.dev.release = virtio_vdpa_release;
	v->vdev.config = &virtio_vdpa_config_ops;
	v->vdev.id.device = ops->get_device_id(vdpa);
	v->vdev.id.vendor = ops->get_vendor_id(vdpa);
	if (!v->vdev.id.device) {
		kfree(v);
		return -EINVAL;
	}
	vdpa_set_drvdata(vdpa, v);

	/* Last: it is given to a virtio driver before this returns. */
	err = register_virtio_device(&v->vdev);
	if (err) {
		/* The virtio core has left FAILED. */
		(void)vdpa_reset(vdpa, 0);
		put_device(&v->vdev.dev);
	}
	return err;
}

static void virtio_vdpa_remove(struct vdpa_device *vdpa)
{
	struct virtio_vdpa *v = vdpa_get_drvdata(vdpa);

	/* Not every parent has raised the callback. */
	virtio_vdpa_break_if_broken(v);
	unregister_virtio_device(&v->vdev);
	/* The virtio core has acknowledged it once more. */
	(void)vdpa_reset(vdpa, 0);
}

static struct vdpa_driver virtio_vdpa_driver = {
	.driver = {
		.name = "virtio_vdpa",
	},
	.probe = virtio_vdpa_probe,
	.remove = virtio_vdpa_remove,
};
module_vdpa_driver(virtio_vdpa_driver);

MODULE_DESCRIPTION("vDPA devices as virtio devices of the host");
MODULE_LICENSE("GPL");
