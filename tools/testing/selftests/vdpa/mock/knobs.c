// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the next device will be like: a directory "next" of debugfs with a
 * file for each knob, and "default", which a write sets them all back with.
 *
 * One table holds them; a knob is a number or a word. Words are understood
 * when a device is made, by mock_knobs_take(), which takes a copy of all of
 * them under knobs_lock and refuses what makes no sense.
 */
#include "mock.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>

static const struct mock_props mock_default = {
	.nvqs = 3,
	.ngroups = 1,
	.nas = 1,
	.device_id = VIRTIO_ID_NET,
	.config_size = 64,
	.vq_num_max = 256,
	.max_maps = 1 << 20,
	.track = 1,
	.features = BIT_ULL(VIRTIO_F_VERSION_1) |
		    BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
		    BIT_ULL(VIRTIO_F_RING_PACKED) |
		    BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
		    BIT_ULL(VIRTIO_RING_F_EVENT_IDX),
	.iova_last = U64_MAX,
	.mapping_name = "dma_map",
	.doorbell_name = "none",
	.without = "compat_reset",
};

static DEFINE_MUTEX(knobs_lock);
static struct mock_props mock_next;	/* knobs_lock */

enum mock_knob_kind { MOCK_U32, MOCK_U64, MOCK_TEXT };

struct mock_knob {
	const char *name;
	enum mock_knob_kind kind;
	size_t offset;
	size_t size;
};

#define KNOB(_name, _kind, _member) {					\
	.name = _name, .kind = _kind,					\
	.offset = offsetof(struct mock_props, _member),			\
	.size = sizeof_field(struct mock_props, _member),		\
}

static const struct mock_knob mock_knobs[] = {
	KNOB("nvqs", MOCK_U32, nvqs),
	KNOB("ngroups", MOCK_U32, ngroups),
	KNOB("nas", MOCK_U32, nas),
	KNOB("device_id", MOCK_U32, device_id),
	KNOB("config_size", MOCK_U32, config_size),
	KNOB("vq_num_max", MOCK_U32, vq_num_max),
	KNOB("max_maps", MOCK_U32, max_maps),
	KNOB("track", MOCK_U32, track),
	KNOB("vq_reset", MOCK_U32, vq_reset),
	KNOB("change", MOCK_U32, change),
	KNOB("features", MOCK_U64, features),
	KNOB("backend_features", MOCK_U64, backend_features),
	KNOB("iova_first", MOCK_U64, iova_first),
	KNOB("iova_last", MOCK_U64, iova_last),
	KNOB("mapping", MOCK_TEXT, mapping_name),
	KNOB("doorbell", MOCK_TEXT, doorbell_name),
	KNOB("dma_dev", MOCK_TEXT, dma_dev),
	KNOB("without", MOCK_TEXT, without),
};

static const char *const mock_mappings[] = {
	[MOCK_MAP_DMA] = "dma_map",
	[MOCK_MAP_SET] = "set_map",
	[MOCK_MAP_VA] = "va",
	[MOCK_MAP_SET_VA] = "set_map_va",
	[MOCK_MAP_NONE] = "none",
};

static const char *const mock_doorbells[] = {
	[MOCK_DB_NONE] = "none",
	[MOCK_DB_PAGE] = "page",
	[MOCK_DB_SHORT] = "short",
	[MOCK_DB_UNALIGNED] = "unaligned",
};

int mock_knobs_take(struct mock_props *props)
{
	int mapping, doorbell;

	scoped_guard(mutex, &knobs_lock) {
		*props = mock_next;
	}

	mapping = match_string(mock_mappings, ARRAY_SIZE(mock_mappings),
			       props->mapping_name);
	doorbell = match_string(mock_doorbells, ARRAY_SIZE(mock_doorbells),
				props->doorbell_name);
	if (mapping < 0 || doorbell < 0 ||
	    !props->nvqs || props->nvqs > MOCK_MAX_VQS ||
	    !props->nas || props->nas > MOCK_MAX_AS ||
	    !props->ngroups || props->ngroups > MOCK_MAX_VQS ||
	    props->config_size > MOCK_MAX_CONFIG ||
	    !props->max_maps || props->vq_num_max > U16_MAX ||
	    props->change > MAX_ERRNO)
		return -EINVAL;
	if (doorbell != MOCK_DB_NONE && props->nvqs > MOCK_MAX_PAGES)
		return -EINVAL;
	props->mapping = mapping;
	props->doorbell = doorbell;
	return 0;
}

static int mock_knob_show(struct seq_file *s, void *unused)
{
	const struct mock_knob *knob = s->private;
	void *p = (void *)&mock_next + knob->offset;

	guard(mutex)(&knobs_lock);
	switch (knob->kind) {
	case MOCK_U32:
		seq_printf(s, "%u\n", *(u32 *)p);
		break;
	case MOCK_U64:
		seq_printf(s, "%#llx\n", *(u64 *)p);
		break;
	case MOCK_TEXT:
		seq_printf(s, "%s\n", (char *)p);
		break;
	}
	return 0;
}

static int mock_knob_set(const struct mock_knob *knob, const char *text)
{
	void *p = (void *)&mock_next + knob->offset;

	guard(mutex)(&knobs_lock);
	switch (knob->kind) {
	case MOCK_U32:
		return kstrtou32(text, 0, p);
	case MOCK_U64:
		return kstrtou64(text, 0, p);
	case MOCK_TEXT:
		return strscpy(p, text, knob->size) < 0 ? -E2BIG : 0;
	}
	return -EINVAL;
}

static ssize_t mock_knob_write(struct file *file, const char __user *ubuf,
			       size_t len, loff_t *pos)
{
	struct seq_file *s = file->private_data;
	char text[MOCK_LIST_LEN];
	int err;

	if (len >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	err = mock_knob_set(s->private, strim(text));
	return err ?: len;
}

static int mock_knob_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_knob_show, inode->i_private);
}

static const struct file_operations mock_knob_fops = {
	.owner = THIS_MODULE,
	.open = mock_knob_open,
	.read = seq_read,
	.write = mock_knob_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t mock_default_write(struct file *file, const char __user *ubuf,
				  size_t len, loff_t *pos)
{
	guard(mutex)(&knobs_lock);
	mock_next = mock_default;
	return len;
}

static const struct file_operations mock_default_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = mock_default_write,
};

void mock_knobs_create(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("next", root);
	size_t i;

	mock_next = mock_default;
	for (i = 0; i < ARRAY_SIZE(mock_knobs); i++)
		debugfs_create_file(mock_knobs[i].name, 0600, dir,
				    (void *)&mock_knobs[i], &mock_knob_fops);
	debugfs_create_file("default", 0200, dir, NULL, &mock_default_fops);
}
