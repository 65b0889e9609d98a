// SPDX-License-Identifier: GPL-2.0-only
/*
 * Management device vdpa_blk: disks on files and block devices, as configfs has
 * them:
 *
 *	mkdir /sys/kernel/config/vdpa_blk/disk0
 *	echo /srv/disk0.img > /sys/kernel/config/vdpa_blk/disk0/path
 *	vdpa dev add name disk0 mgmtdev vdpa_blk
 *
 * A directory says what the device of the same name shall be. From the moment
 * that it is made until it is deleted, the directory can neither be changed nor
 * removed; only the disk can be grown.
 */
#include "blk.h"

#include <linux/blk_types.h>
#include <linux/configfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vdpa_refuse.h>
#include <uapi/linux/virtio_ring.h>

const u64 blk_conf_features =
	BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
	BIT_ULL(VIRTIO_F_RING_RESET) |
	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
	BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
	BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
	BIT_ULL(VIRTIO_BLK_F_RO) | BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |
	BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) |
	BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE) | BIT_ULL(VIRTIO_BLK_F_MQ) |
	BIT_ULL(VIRTIO_BLK_F_DISCARD) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) |
	BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);

/**
 * struct blk_conf - a directory
 * @item: first
 * @lock: all below
 * @path: of the backing; NULL: not given
 * @serial: what GET_ID answers
 * @queues: virtqueues
 * @queue_size: descriptors of the largest ring
 * @readonly: the disk cannot be written to
 * @busy: its device is being made, or is there: nothing above changes
 * @blk: its device; NULL: not there
 */
struct blk_conf {
	struct config_item item;
	struct mutex lock;
	char *path;
	char serial[BLK_SERIAL_LEN + 1];
	u16 queues;
	u16 queue_size;
	bool readonly;
	bool busy;
	struct blk_dev *blk;
};

static struct blk_conf *item_to_conf(struct config_item *item)
{
	return container_of(item, struct blk_conf, item);
}

static ssize_t conf_path_show(struct config_item *item, char *page)
{
	struct blk_conf *conf = item_to_conf(item);

	guard(mutex)(&conf->lock);
	return sysfs_emit(page, "%s\n", conf->path ?: "");
}

static ssize_t conf_path_store(struct config_item *item, const char *page,
			       size_t len)
{
	struct blk_conf *conf = item_to_conf(item);

	char *path __free(kfree) = kstrndup(page, len, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	strim(path);
	if (path[0] != '/')
		return -EINVAL;

	guard(mutex)(&conf->lock);
	if (conf->busy)
		return -EBUSY;
	swap(conf->path, path);
	return len;
}

static ssize_t conf_serial_show(struct config_item *item, char *page)
{
	struct blk_conf *conf = item_to_conf(item);

	guard(mutex)(&conf->lock);
	return sysfs_emit(page, "%s\n", conf->serial);
}

static ssize_t conf_serial_store(struct config_item *item, const char *page,
				 size_t len)
{
	struct blk_conf *conf = item_to_conf(item);
	size_t chars = len && page[len - 1] == '\n' ? len - 1 : len;

	if (chars > BLK_SERIAL_LEN)
		return -EINVAL;
	for (size_t i = 0; i < chars; i++)
		if (page[i] < ' ' || page[i] > '~')
			return -EINVAL;

	guard(mutex)(&conf->lock);
	if (conf->busy)
		return -EBUSY;
	memset(conf->serial, 0, sizeof(conf->serial));
	memcpy(conf->serial, page, chars);
	return len;
}

static ssize_t conf_set_u16(struct blk_conf *conf, u16 *field, u16 value,
			    size_t len)
{
	guard(mutex)(&conf->lock);
	if (conf->busy)
		return -EBUSY;
	*field = value;
	return len;
}

static ssize_t conf_queues_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", READ_ONCE(item_to_conf(item)->queues));
}

static ssize_t conf_queues_store(struct config_item *item, const char *page,
				 size_t len)
{
	struct blk_conf *conf = item_to_conf(item);
	u16 queues;
	int err;

	err = kstrtou16(page, 0, &queues);
	if (err)
		return err;
	if (!queues || queues > BLK_QUEUES_MAX)
		return -EINVAL;
	return conf_set_u16(conf, &conf->queues, queues, len);
}

static ssize_t conf_queue_size_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n",
			  READ_ONCE(item_to_conf(item)->queue_size));
}

static ssize_t conf_queue_size_store(struct config_item *item, const char *page,
				     size_t len)
{
	struct blk_conf *conf = item_to_conf(item);
	u16 size;
	int err;

	err = kstrtou16(page, 0, &size);
	if (err)
		return err;
	if (!is_power_of_2(size) || size < BLK_QUEUE_SIZE_MIN ||
	    size > BLK_QUEUE_SIZE_MAX)
		return -EINVAL;
	return conf_set_u16(conf, &conf->queue_size, size, len);
}

static ssize_t conf_readonly_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(item_to_conf(item)->readonly));
}

static ssize_t conf_readonly_store(struct config_item *item, const char *page,
				   size_t len)
{
	struct blk_conf *conf = item_to_conf(item);
	bool readonly;
	int err;

	err = kstrtobool(page, &readonly);
	if (err)
		return err;

	guard(mutex)(&conf->lock);
	if (conf->busy)
		return -EBUSY;
	conf->readonly = readonly;
	return len;
}

/* Whatever is written: the backing has another size now. */
static ssize_t conf_resize_store(struct config_item *item, const char *page,
				 size_t len)
{
	struct blk_conf *conf = item_to_conf(item);
	struct blk_backing *backing;
	int err;

	guard(mutex)(&conf->lock);
	if (!conf->blk)
		return -ENODEV;
	backing = conf->blk->backing;
	err = backing->ops->resize(backing);
	if (err)
		return err;
	blk_config_capacity(conf->blk);
	return len;
}

CONFIGFS_ATTR(conf_, path);
CONFIGFS_ATTR(conf_, serial);
CONFIGFS_ATTR(conf_, queues);
CONFIGFS_ATTR(conf_, queue_size);
CONFIGFS_ATTR(conf_, readonly);
CONFIGFS_ATTR_WO(conf_, resize);

static struct configfs_attribute *conf_attrs[] = {
	&conf_attr_path,
	&conf_attr_serial,
	&conf_attr_queues,
	&conf_attr_queue_size,
	&conf_attr_readonly,
	&conf_attr_resize,
	NULL
};

static void conf_release(struct config_item *item)
{
	struct blk_conf *conf = item_to_conf(item);

	kfree(conf->path);
	kfree(conf);
}

static struct configfs_item_operations conf_item_ops = {
	.release	= conf_release,
};

static const struct config_item_type conf_type = {
	.ct_item_ops	= &conf_item_ops,
	.ct_attrs	= conf_attrs,
	.ct_owner	= THIS_MODULE,
};

static struct config_item *conf_make_item(struct config_group *group,
					  const char *name)
{
	struct blk_conf *conf = kzalloc(sizeof(*conf), GFP_KERNEL);

	if (!conf)
		return ERR_PTR(-ENOMEM);
	mutex_init(&conf->lock);
	conf->queues = 1;
	conf->queue_size = 256;
	config_item_init_type_name(&conf->item, name, &conf_type);
	return &conf->item;
}

static struct configfs_group_operations conf_group_ops = {
	.make_item	= conf_make_item,
};

static const struct config_item_type conf_subsys_type = {
	.ct_group_ops	= &conf_group_ops,
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem conf_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "vdpa_blk",
			.ci_type = &conf_subsys_type,
		},
	},
};

static struct blk_conf *dev_to_conf(struct device *dev)
{
	return soft_to_blk(vdpa_to_soft(dev_to_vdpa(dev)))->conf;
}

/* The directory does not change while the device is there. */
static ssize_t backing_show(struct device *dev, struct device_attribute *attr,
			    char *page)
{
	return sysfs_emit(page, "%s\n", dev_to_conf(dev)->path);
}
static DEVICE_ATTR_RO(backing);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr,
			   char *page)
{
	return sysfs_emit(page, "%s\n", dev_to_conf(dev)->serial);
}
static DEVICE_ATTR_RO(serial);

static struct attribute *dev_attrs[] = {
	&dev_attr_backing.attr,
	&dev_attr_serial.attr,
	NULL
};
ATTRIBUTE_GROUPS(dev);

static const struct vdpa_soft_class conf_class = {
	BLK_CLASS,
	.config_size	= offsetof(struct virtio_blk_config, zoned),
	.config_write	= blk_config_write,
	.reset		= blk_config_reset,
};

/* The directory @name, which cannot be removed until conf_put(). */
static struct blk_conf *conf_get(const char *name)
{
	struct config_item *item;

	mutex_lock(&conf_subsys.su_mutex);
	item = config_group_find_item(&conf_subsys.su_group, name);
	mutex_unlock(&conf_subsys.su_mutex);
	if (!item || configfs_depend_item(&conf_subsys, item)) {
		config_item_put(item);
		return ERR_PTR(vdpa_refuse(-ENOENT,
					   "configfs has no vdpa_blk/%s",
					   name));
	}
	return item_to_conf(item);
}

static void conf_put(struct blk_conf *conf)
{
	configfs_undepend_item(&conf->item);
	config_item_put(&conf->item);
}

/* Nothing changes any more. The core has made sure that the name is free. */
static int conf_take(struct blk_conf *conf)
{
	guard(mutex)(&conf->lock);
	if (!conf->path)
		return vdpa_refuse(-EINVAL,
				   "configfs has no path for the device");
	conf->busy = true;
	return 0;
}

/* Or everything does, once there is no device. */
static void conf_set_dev(struct blk_conf *conf, struct blk_dev *blk)
{
	guard(mutex)(&conf->lock);
	conf->blk = blk;
	conf->busy = blk;
}

static struct blk_dev *conf_create(struct blk_conf *conf,
				   struct vdpa_mgmt_dev *mdev, const char *name,
				   const struct vdpa_dev_set_config *config)
{
	struct blk_dev_cfg cfg = {
		.soft = {
			.name = name,
			.features = blk_conf_features,
			.nvqs = conf->queues,
			.vq_max = conf->queue_size,
		},
		.config = config,
		.class = &conf_class,
		.conf = conf,
		.serial = conf->serial,
		.groups = dev_groups,
	};

	cfg.backing = blk_file_open(conf->path, conf->readonly);
	if (IS_ERR(cfg.backing))
		return ERR_CAST(cfg.backing);
	return blk_dev_create(mdev, &cfg);
}

static int conf_add(struct vdpa_mgmt_dev *mdev, const char *name,
		    const struct vdpa_dev_set_config *config)
{
	struct blk_conf *conf = conf_get(name);
	struct blk_dev *blk;
	int err;

	if (IS_ERR(conf))
		return PTR_ERR(conf);
	err = conf_take(conf);
	if (err)
		goto err_put;
	blk = conf_create(conf, mdev, name, config);
	if (IS_ERR(blk)) {
		err = PTR_ERR(blk);
		goto err_undo_take;
	}
	conf_set_dev(conf, blk);
	return 0;

err_undo_take:
	conf_set_dev(conf, NULL);
err_put:
	conf_put(conf);
	return err;
}

static void conf_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	struct blk_dev *blk = soft_to_blk(vdpa_to_soft(vdpa));
	struct blk_conf *conf = blk->conf;

	/* Nobody resizes it any more; it is still shown. */
	scoped_guard(mutex, &conf->lock)
		conf->blk = NULL;
	vdpa_soft_unregister(&blk->soft);
	conf_set_dev(conf, NULL);
	conf_put(conf);
}

const struct vdpa_mgmtdev_ops blk_conf_ops = {
	.dev_add	= conf_add,
	.dev_del	= conf_del,
};

int blk_conf_init(void)
{
	config_group_init(&conf_subsys.su_group);
	mutex_init(&conf_subsys.su_mutex);
	return configfs_register_subsystem(&conf_subsys);
}

void blk_conf_exit(void)
{
	configfs_unregister_subsystem(&conf_subsys);
	mutex_destroy(&conf_subsys.su_mutex);
}
