// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and block devices as backings: opening them, and what their disks are
 * like.
 *
 * Called by conf.c: to open with the management lock of the vDPA core held, to
 * resize with conf->lock. Whatever is wrong with a file is told in words.
 */
#include "file.h"

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/vdpa_refuse.h>

/* So that a request stays below BLK_BYTES_MAX. */
#define FILE_SIZE_MAX	SZ_64K
#define FILE_SEG_MAX	254

static_assert(FILE_SIZE_MAX * FILE_SEG_MAX <= BLK_BYTES_MAX);

/* How much one request may have a worker do. */
#define FILE_DISCARD_MAX	(SZ_1G >> SECTOR_SHIFT)
#define FILE_ZEROES_MAX		(SZ_64M >> SECTOR_SHIFT)

static DEFINE_MUTEX(open_lock);
static LIST_HEAD(open_files);	/* of struct blk_file, @open_lock */

/* Opening a pipe could wait, and a terminal could do anything. */
static int check_type(const char *path)
{
	umode_t mode;
	struct path p;
	int err;

	err = kern_path(path, LOOKUP_FOLLOW, &p);
	if (err)
		return vdpa_refuse(err, "There is no %s: error %d", path, err);
	mode = d_inode(p.dentry)->i_mode;
	path_put(&p);
	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return vdpa_refuse(-EINVAL,
				   "%s is neither a file nor a block device",
				   path);
	return 0;
}

/* A block device is claimed: nobody else may mount it. */
static struct file *open_file(const char *path, bool readonly)
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_LARGEFILE | O_EXCL;
	struct file *file = filp_open(path, flags | O_DIRECT, 0);

	/* Not every file system has direct I/O. */
	if (file == ERR_PTR(-EINVAL))
		file = filp_open(path, flags, 0);
	return file;
}

static bool is_in_use(const struct inode *inode, bool readonly)
{
	struct blk_file *f;

	lockdep_assert_held(&open_lock);

	list_for_each_entry(f, &open_files, node)
		if (f->inode == inode && !(f->backing.readonly && readonly))
			return true;
	return false;
}

static void set_bdev_limits(struct blk_backing *backing,
			    struct block_device *bdev)
{
	backing->block_size = bdev_logical_block_size(bdev);
	backing->io_min = bdev_io_min(bdev);
	backing->io_opt = bdev_io_opt(bdev);
	backing->discard_max = min_t(u32, bdev_max_discard_sectors(bdev),
				     FILE_DISCARD_MAX);
	backing->discard_align = max_t(u32, 1,
				       bdev_discard_granularity(bdev) >>
				       SECTOR_SHIFT);
	backing->erase_max = min_t(u32, bdev_max_secure_erase_sectors(bdev),
				   FILE_DISCARD_MAX);
	backing->erase_align = backing->discard_align;
}

static void set_file_limits(struct blk_backing *backing, struct file *file)
{
	struct kstat stat = {};

	backing->block_size = SECTOR_SIZE;
	backing->io_min = i_blocksize(file_inode(file));
	if (!vfs_getattr(&file->f_path, &stat, STATX_DIOALIGN, 0) &&
	    is_power_of_2(stat.dio_offset_align))
		backing->block_size = clamp_t(u32, stat.dio_offset_align,
					      SECTOR_SIZE, PAGE_SIZE);
	if (file->f_op->fallocate) {
		backing->discard_max = FILE_DISCARD_MAX;
		backing->discard_align = max_t(u32, 1, backing->io_min >>
					       SECTOR_SHIFT);
	}
}

/* -EINVAL if there is not one whole block. */
int blk_file_resize(struct blk_backing *backing)
{
	u64 size = i_size_read(backing_to_file(backing)->inode);

	size = round_down(size, backing->block_size);
	if (!size)
		return -EINVAL;
	WRITE_ONCE(backing->capacity, size >> SECTOR_SHIFT);
	return 0;
}

static int init_backing(struct blk_file *f, const char *path)
{
	struct blk_backing *backing = &f->backing;

	backing->ops = &blk_file_ops;
	backing->size_max = FILE_SIZE_MAX;
	backing->seg_max = FILE_SEG_MAX;
	backing->range_max = BLK_NRANGES;
	backing->zeroes_max = FILE_ZEROES_MAX;
	if (S_ISBLK(f->inode->i_mode))
		set_bdev_limits(backing, I_BDEV(f->inode));
	else
		set_file_limits(backing, f->file);
	if (blk_file_resize(backing))
		return vdpa_refuse(-EINVAL,
				   "%s has less than one block of %u bytes",
				   path, backing->block_size);

	guard(mutex)(&open_lock);
	if (is_in_use(f->inode, backing->readonly))
		return vdpa_refuse(-EBUSY,
				   "%s is in use by another vdpa_blk device",
				   path);
	list_add(&f->node, &open_files);
	return 0;
}

/**
 * blk_file_open() - Open a file or block device as backing.
 * @path: as the caller sees it
 * @readonly: do not write to it
 *
 * Context: mgmtdev dev_add(). May sleep.
 * Return: the backing, or an ERR_PTR; then the reason has been told.
 */
struct blk_backing *blk_file_open(const char *path, bool readonly)
{
	struct blk_file *f;
	int err;

	err = check_type(path);
	if (err)
		return ERR_PTR(err);
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->backing.readonly = readonly;
	f->file = open_file(path, readonly);
	if (IS_ERR(f->file)) {
		err = PTR_ERR(f->file);
		vdpa_refuse(err, "%s cannot be opened: error %d", path, err);
		goto err_free;
	}
	f->inode = f->file->f_mapping->host;
	err = init_backing(f, path);
	if (err)
		goto err_close;
	return &f->backing;

err_close:
	fput(f->file);
err_free:
	kfree(f);
	return ERR_PTR(err);
}

void blk_file_close(struct blk_backing *backing)
{
	struct blk_file *f = backing_to_file(backing);

	scoped_guard(mutex, &open_lock)
		list_del(&f->node);
	fput(f->file);
	kfree(f);
}
