// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vhost-vdpa bus driver: gives each vDPA device that it is bound to a node
 * /dev/vhost-vdpa-N, and takes it away again without waiting for whoever has
 * it open. probe() and remove() are called by the driver core with the device
 * lock held.
 */
#include "vhost_vdpa.h"

#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "mapper.h"

static dev_t vhost_vdpa_devt;
static DEFINE_IDA(vhost_vdpa_minors);

static void vhost_vdpa_dev_release(struct device *dev)
{
	struct vhost_vdpa *v = container_of(dev, struct vhost_vdpa, dev);

	for (u32 i = 0; v->as && i < v->nas; i++)
		vhost_vdpa_as_destroy(&v->as[i]);
	vdpa_gate_destroy(&v->gate);
	mutex_destroy(&v->doorbell_lock);
	mutex_destroy(&v->lock);
	kvfree(v->as);
	kvfree(v->vqs);
	kfree(v);
}

/* Everything that needs no undo but vhost_vdpa_dev_release(). */
static struct vhost_vdpa *vhost_vdpa_alloc(struct vdpa_device *vdpa)
{
	struct vhost_vdpa *v = kzalloc(sizeof(*v), GFP_KERNEL);
	int err;

	if (!v)
		return ERR_PTR(-ENOMEM);
	err = vdpa_gate_open(&v->gate, vdpa);
	if (err) {
		kfree(v);
		return ERR_PTR(err);
	}

	v->nvqs = vdpa->nvqs;
	v->ngroups = vdpa->ngroups;
	v->nas = vdpa->nas;
	v->use_va = vdpa->use_va;
	mutex_init(&v->lock);
	mutex_init(&v->doorbell_lock);
	init_waitqueue_head(&v->wait);
	INIT_WORK(&v->broken_work, vhost_vdpa_broken_work);
	device_initialize(&v->dev);
	v->dev.release = vhost_vdpa_dev_release;

	v->vqs = kvcalloc(v->nvqs, sizeof(*v->vqs), GFP_KERNEL);
	v->as = kvcalloc(v->nas, sizeof(*v->as), GFP_KERNEL);
	if (!v->vqs || !v->as) {
		put_device(&v->dev);
		return ERR_PTR(-ENOMEM);
	}
	for (u32 i = 0; i < v->nvqs; i++) {
		v->vqs[i].v = v;
		v->vqs[i].idx = i;
	}
	for (u32 i = 0; i < v->nas; i++)
		vhost_vdpa_as_init(&v->as[i], i);
	return v;
}

static int vhost_vdpa_probe(struct vdpa_device *vdpa)
{
	const struct vhost_vdpa_mapper *mapper = vhost_vdpa_mapper_of(vdpa);
	struct vhost_vdpa *v;
	int err;

	/* The platform IOMMU keeps one domain for the whole device. */
	if (mapper->one_as && (vdpa->ngroups > 1 || vdpa->nas > 1))
		return -EOPNOTSUPP;

	v = vhost_vdpa_alloc(vdpa);
	if (IS_ERR(v))
		return PTR_ERR(v);
	v->mapper = mapper;

	v->minor = ida_alloc_max(&vhost_vdpa_minors, MINORMASK, GFP_KERNEL);
	if (v->minor < 0) {
		err = v->minor;
		goto err_put;
	}
	v->dev.parent = &vdpa->dev;
	v->dev.devt = MKDEV(MAJOR(vhost_vdpa_devt), v->minor);
	err = dev_set_name(&v->dev, "vhost-vdpa-%d", v->minor);
	if (err)
		goto err_minor;
	cdev_init(&v->cdev, &vhost_vdpa_fops);
	v->cdev.owner = THIS_MODULE;
	vdpa_set_drvdata(vdpa, v);

	/* Last: from here on the node can be opened. */
	err = cdev_device_add(&v->cdev, &v->dev);
	if (err)
		goto err_minor;
	return 0;

err_minor:
	ida_free(&vhost_vdpa_minors, v->minor);
err_put:
	put_device(&v->dev);
	return err;
}

/*
 * Nothing here depends on the holder of the file: those who are inside the
 * gate are in an operation of the parent and leave by themselves.
 */
static void vhost_vdpa_remove(struct vdpa_device *vdpa)
{
	struct vhost_vdpa *v = vdpa_get_drvdata(vdpa);

	cdev_device_del(&v->cdev, &v->dev);
	vdpa_gate_close(&v->gate);

	mutex_lock(&v->lock);
	vhost_vdpa_doorbells_revoke(v);
	/* Tell the guest, whose next look at the config space fails. */
	vhost_vdpa_event_signal(&v->config);
	vhost_vdpa_session_end(v, vdpa);
	mutex_unlock(&v->lock);
	cancel_work_sync(&v->broken_work);

	wake_up_poll(&v->wait, EPOLLHUP | EPOLLERR);
	ida_free(&vhost_vdpa_minors, v->minor);
	put_device(&v->dev);
}

static struct vdpa_driver vhost_vdpa_driver = {
	.driver = {
		.name = "vhost_vdpa",
	},
	.probe = vhost_vdpa_probe,
	.remove = vhost_vdpa_remove,
};

static int __init vhost_vdpa_init(void)
{
	int err;

	err = alloc_chrdev_region(&vhost_vdpa_devt, 0, MINORMASK + 1,
				  "vhost-vdpa");
	if (err)
		return err;
	err = vdpa_register_driver(&vhost_vdpa_driver);
	if (err)
		unregister_chrdev_region(vhost_vdpa_devt, MINORMASK + 1);
	return err;
}
module_init(vhost_vdpa_init);

static void __exit vhost_vdpa_exit(void)
{
	vdpa_unregister_driver(&vhost_vdpa_driver);
	unregister_chrdev_region(vhost_vdpa_devt, MINORMASK + 1);
	/* Eventfds that were replaced a moment ago. */
	rcu_barrier();
}
module_exit(vhost_vdpa_exit);

MODULE_DESCRIPTION("vDPA devices for user space: /dev/vhost-vdpa-N");
MODULE_LICENSE("GPL");
