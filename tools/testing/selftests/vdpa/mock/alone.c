// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mock device without a management device, as a parent may register one that
 * user space cannot manage: the file "alone" of debugfs. A name makes the
 * device, as the knobs say; nothing removes it. There is one at most.
 */
#include "mock.h"

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/mutex.h>

static DEFINE_MUTEX(alone_lock);
static struct mock *alone;	/* alone_lock */
static struct dentry *alone_file;

static void alone_del(void)
{
	lockdep_assert_held(&alone_lock);

	if (!alone)
		return;
	debugfs_remove(alone->dir);
	vdpa_unregister_device(&alone->vdpa);
	alone = NULL;
}

static int alone_add(const char *name)
{
	const struct vdpa_dev_set_config config = {};
	struct mock *m;
	int err;

	lockdep_assert_held(&alone_lock);

	m = mock_create(&mock_root_mgmtdev, name, &config);
	if (IS_ERR(m))
		return PTR_ERR(m);
	m->vdpa.mdev = NULL;
	mock_debugfs_create(m);
	err = vdpa_register_device(&m->vdpa, m->props.nvqs);
	if (err)
		mock_destroy(m);
	else
		alone = m;
	return err;
}

static ssize_t alone_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	char text[MOCK_NAME_LEN], *name;
	int err = 0;

	if (len >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	name = strim(text);

	guard(mutex)(&alone_lock);
	alone_del();
	if (*name)
		err = alone_add(name);
	return err ?: len;
}

static const struct file_operations alone_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = alone_write,
};

void mock_alone_init(struct dentry *root)
{
	alone_file = debugfs_create_file("alone", 0200, root, NULL,
					 &alone_fops);
}

void mock_alone_exit(void)
{
	debugfs_remove(alone_file);
	guard(mutex)(&alone_lock);
	alone_del();
}
