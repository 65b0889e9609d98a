// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/vdpa_mock: what tests read and write.
 *
 * "next" holds the knobs of the next device (knobs.c), "consumers" those of
 * IRQ bypass (consumer.c), "alone" makes a device that is not managed
 * (alone.c), "class" is that of the first kind of device that can be made.
 *
 * Each device has a directory of its name, with one row of mock_files for each
 * file in it. It is removed before the device is, and debugfs waits for
 * readers and writers, so no file outlives what it shows.
 */
#include "mock.h"

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define MOCK_LINE	128	/* longest line that is taken, with its NUL */

static struct dentry *mock_root;

/* show: print; write: take one line; clear: any write empties it. */
struct mock_file {
	const char *name;
	int (*show)(struct mock *m, struct seq_file *s);
	int (*write)(struct mock *m, char *line);
	void (*clear)(struct mock *m);
};

/* The calls in order, oldest first; a copy, since printing can sleep. */
static int mock_show_calls(struct mock *m, struct seq_file *s)
{
	struct mock_call *calls __free(kvfree) = NULL;
	u64 i, n;
	u32 a;

	calls = kvcalloc(MOCK_CALLS, sizeof(*calls), GFP_KERNEL);
	if (!calls)
		return -ENOMEM;
	scoped_guard(spinlock_irqsave, &m->lock) {
		n = m->ncalls;
		memcpy(calls, m->calls, MOCK_CALLS * sizeof(*calls));
	}
	for (i = n > MOCK_CALLS ? n - MOCK_CALLS : 0; i < n; i++) {
		const struct mock_call *call = &calls[i % MOCK_CALLS];

		seq_puts(s, mock_op_name[call->op]);
		for (a = 0; a < call->nargs; a++)
			seq_printf(s, " %#llx", call->arg[a]);
		if (call->err)
			seq_printf(s, " = %d", call->err);
		seq_putc(s, '\n');
	}
	return 0;
}

static void mock_clear_calls(struct mock *m)
{
	scoped_guard(spinlock_irqsave, &m->lock)
		m->ncalls = 0;
}

static int mock_show_count(struct mock *m, struct seq_file *s)
{
	u32 op;

	for (op = 0; op < MOCK_NR_OPS; op++)
		seq_printf(s, "%s %lld\n", mock_op_name[op],
			   atomic64_read(&m->count[op]));
	seq_printf(s, "mapped_bytes %lld\n", atomic64_read(&m->mapped));
	seq_printf(s, "unmapped_bytes %lld\n", atomic64_read(&m->unmapped));
	return 0;
}

static void mock_clear_count(struct mock *m)
{
	u32 op;

	for (op = 0; op < MOCK_NR_OPS; op++)
		atomic64_set(&m->count[op], 0);
	atomic64_set(&m->mapped, 0);
	atomic64_set(&m->unmapped, 0);
}

static int mock_show_breaches(struct mock *m, struct seq_file *s)
{
	char (*copy)[MOCK_NAME_LEN] __free(kvfree) = NULL;
	u32 i, n;

	copy = kvcalloc(MOCK_BREACHES, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	scoped_guard(spinlock_irqsave, &m->lock) {
		n = m->nbreaches;
		memcpy(copy, m->breach, MOCK_BREACHES * sizeof(*copy));
	}
	for (i = 0; i < min_t(u32, n, MOCK_BREACHES); i++)
		seq_printf(s, "%s\n", copy[i]);
	if (n > MOCK_BREACHES)
		seq_printf(s, "and %u more\n", n - MOCK_BREACHES);
	return 0;
}

static void mock_clear_breaches(struct mock *m)
{
	scoped_guard(spinlock_irqsave, &m->lock)
		m->nbreaches = 0;
}

/* asid first last addr perm, in order of IOVA. */
static int mock_show_map(struct mock *m, struct seq_file *s)
{
	struct vhost_iotlb_map *map;
	u32 i;

	guard(mutex)(&m->map_lock);
	for (i = 0; i < m->props.nas; i++) {
		if (m->as[i].identity)
			seq_printf(s, "%u identity\n", i);
		for (map = vhost_iotlb_itree_first(m->as[i].map, 0, U64_MAX);
		     map; map = vhost_iotlb_itree_next(map, 0, U64_MAX))
			seq_printf(s, "%u %#llx %#llx %#llx %u\n", i,
				   map->start, map->last, map->addr,
				   map->perm);
	}
	return 0;
}

static int mock_show_vq(struct mock *m, struct seq_file *s)
{
	struct mock_vq vq;
	u32 i;

	for (i = 0; i < m->props.nvqs; i++) {
		scoped_guard(spinlock_irqsave, &m->cb_lock)
			vq.cb = m->vqs[i].cb;
		scoped_guard(spinlock_irqsave, &m->lock) {
			struct vdpa_callback cb = vq.cb;

			vq = m->vqs[i];
			vq.cb = cb;
		}
		seq_printf(s, "%u ready %u num %u addr %#llx %#llx %#llx ",
			   i, vq.ready, vq.num, vq.desc, vq.driver, vq.device);
		seq_printf(s, "state %#x cb %u trigger %u kicks %llu\n",
			   *(u32 *)&vq.state, !!vq.cb.callback,
			   !!vq.cb.trigger, vq.kicks);
	}
	return 0;
}

static int mock_show_state(struct mock *m, struct seq_file *s)
{
	bool config_cb;
	u32 i;

	scoped_guard(spinlock_irqsave, &m->cb_lock)
		config_cb = m->config_cb.callback;
	scoped_guard(spinlock_irqsave, &m->lock) {
		seq_printf(s, "status %#x\nfeatures %#llx\n", m->status,
			   m->driver_features);
		seq_printf(s, "suspended %u\ngeneration %u\nconfig_cb %u\nmm %u\n",
			   m->suspended, m->generation, config_cb, m->mm_bound);
		for (i = 0; i < m->props.ngroups; i++)
			seq_printf(s, "group%u %u\n", i, m->group_asid[i]);
	}
	return 0;
}

/* The first word of each vq's page. */
static int mock_show_doorbell(struct mock *m, struct seq_file *s)
{
	u32 i;

	for (i = 0; i < m->props.nvqs && m->vqs[i].doorbell; i++)
		seq_printf(s, "%#x\n", READ_ONCE(*(u32 *)
			   page_address(m->vqs[i].doorbell)));
	return 0;
}

static const struct mock_file mock_files[] = {
	{ "calls", mock_show_calls, NULL, mock_clear_calls },
	{ "count", mock_show_count, NULL, mock_clear_count },
	{ "breaches", mock_show_breaches, NULL, mock_clear_breaches },
	{ "map", mock_show_map },
	{ "vq", mock_show_vq },
	{ "state", mock_show_state },
	{ "doorbell", mock_show_doorbell },
	{ "inject", NULL, mock_inject_set },
	{ "raise", NULL, mock_raise },
};

/* The directory knows the device, the file its row. */
static struct mock *mock_of(const struct file *file)
{
	return d_inode(file->f_path.dentry->d_parent)->i_private;
}

static const struct mock_file *mock_row_of(const struct file *file)
{
	return file_inode(file)->i_private;
}

static int mock_show(struct seq_file *s, void *unused)
{
	const struct mock_file *row = mock_row_of(s->file);

	return row->show ? row->show(mock_of(s->file), s) : -EINVAL;
}

static int mock_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_show, NULL);
}

/* What was written, in @line; NULL is not what one writes. */
static char *mock_line(char line[MOCK_LINE], const char __user *ubuf,
		       size_t len)
{
	if (len >= MOCK_LINE || copy_from_user(line, ubuf, len))
		return NULL;
	line[len] = '\0';
	return strim(line);
}

static ssize_t mock_write(struct file *file, const char __user *ubuf,
			  size_t len, loff_t *pos)
{
	const struct mock_file *row = mock_row_of(file);
	struct mock *m = mock_of(file);
	char buf[MOCK_LINE], *line;

	if (row->clear) {
		row->clear(m);
		return len;
	}
	line = row->write ? mock_line(buf, ubuf, len) : NULL;
	if (!line)
		return -EINVAL;
	return row->write(m, line) ?: len;
}

static const struct file_operations mock_fops = {
	.owner = THIS_MODULE,
	.open = mock_open,
	.read = seq_read,
	.write = mock_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int mock_consumers_seq(struct seq_file *s, void *unused)
{
	return mock_consumers_show(s);
}

static int mock_consumers_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_consumers_seq, NULL);
}

static ssize_t mock_consumers_write(struct file *file, const char __user *ubuf,
				    size_t len, loff_t *pos)
{
	char buf[MOCK_LINE], *line = mock_line(buf, ubuf, len);

	if (!line)
		return -EINVAL;
	return mock_consumers_set(line) ?: len;
}

static const struct file_operations mock_consumers_fops = {
	.owner = THIS_MODULE,
	.open = mock_consumers_open,
	.read = seq_read,
	.write = mock_consumers_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void mock_debugfs_create(struct mock *m)
{
	size_t i;

	m->dir = debugfs_create_dir(dev_name(&m->vdpa.dev), mock_root);
	if (IS_ERR(m->dir))
		return;
	d_inode(m->dir)->i_private = m;
	for (i = 0; i < ARRAY_SIZE(mock_files); i++)
		debugfs_create_file(mock_files[i].name, 0600, m->dir,
				    (void *)&mock_files[i], &mock_fops);
}

int mock_debugfs_init(void)
{
	mock_root = debugfs_create_dir("vdpa_mock", NULL);
	if (IS_ERR(mock_root))
		return PTR_ERR(mock_root);
	mock_knobs_create(mock_root);
	debugfs_create_file("consumers", 0600, mock_root, NULL,
			    &mock_consumers_fops);
	debugfs_create_u32("class", 0600, mock_root, mock_first_class);
	mock_alone_init(mock_root);
	return 0;
}

void mock_debugfs_exit(void)
{
	mock_alone_exit();
	debugfs_remove(mock_root);
	mock_consumers_clear();
}
