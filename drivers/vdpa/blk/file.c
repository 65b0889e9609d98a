// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads, writes, flushes and the like of a backing that is a file or a block
 * device.
 *
 * Data goes between the medium and the memory of the driver without a copy
 * (direct I/O) and asynchronously. The worker of the virtqueue tries it without
 * waiting for anything, if the file can be told so; a request that has to wait
 * goes into the lane of its virtqueue, whose worker may. One that direct I/O
 * cannot do at all, as it is aligned to less than the medium wants, or the file
 * system has none, is done through the page cache there.
 *
 * Ends of requests come in any context, also with interrupts disabled.
 */
#include "file.h"

#include <linux/blkdev.h>
#include <linux/falloc.h>
#include <linux/mm.h>

#define NR_ZERO_PAGES	16	/* of zeroes in one write */

/* In this order, until one has worked. */
enum {
	HOW_NOWAIT,
	HOW_DIRECT,
	HOW_BUFFERED,
};

static bool file_is_regular(const struct blk_file *f)
{
	return S_ISREG(f->inode->i_mode);
}

/* How to do what has not worked this way; it fails if not differently. */
static u8 next_how(const struct blk_req *req, ssize_t ret)
{
	if (req->how == HOW_NOWAIT && (ret == -EAGAIN || ret >= 0))
		return HOW_DIRECT;
	if (ret == -EINVAL || ret >= 0)
		return HOW_BUFFERED;
	return req->how;
}

static u8 file_defer(struct blk_req *req, u8 how)
{
	req->how = how;
	blk_lane_queue(&req->bvq->lane, req);
	return BLK_PENDING;
}

/* Any context. Once it is in its lane, the request is not the caller's. */
static u8 file_result(struct blk_req *req, ssize_t ret)
{
	struct blk_file *f = backing_to_file(req_to_blk(req)->backing);
	u8 how;

	if (req->op->writes && file_is_regular(f))
		kiocb_end_write(&req->iocb);
	if (ret == req->len)
		return VIRTIO_BLK_S_OK;

	how = next_how(req, ret);
	return how == req->how ? VIRTIO_BLK_S_IOERR : file_defer(req, how);
}

static void file_rw_done(struct kiocb *iocb, long ret)
{
	struct blk_req *req = container_of(iocb, typeof(*req), iocb);
	u8 status = file_result(req, ret);

	if (status != BLK_PENDING)
		blk_req_end(req, status);
}

static void file_init_iocb(struct blk_file *f, struct blk_req *req)
{
	struct kiocb *iocb = &req->iocb;

	init_sync_kiocb(iocb, f->file);
	iocb->ki_pos = req->pos;
	if (req->stable)
		iocb->ki_flags |= IOCB_DSYNC;
	if (req->how == HOW_BUFFERED) {
		iocb->ki_flags &= ~IOCB_DIRECT;
		return;
	}
	if (req->how == HOW_NOWAIT)
		iocb->ki_flags |= IOCB_NOWAIT;
	iocb->ki_complete = file_rw_done;
}

/* The file system cannot be frozen until kiocb_end_write(). */
static bool try_start_write(struct blk_req *req)
{
	struct super_block *sb = file_inode(req->iocb.ki_filp)->i_sb;

	if (req->how != HOW_NOWAIT) {
		kiocb_start_write(&req->iocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* Somebody else will end it, for lockdep. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

/* Begin it the way that is its turn. */
static u8 file_submit(struct blk_backing *backing, struct blk_req *req)
{
	struct blk_file *f = backing_to_file(backing);
	ssize_t ret;

	blk_mem_rewind(req);
	file_init_iocb(f, req);
	if (req->op->writes) {
		if (file_is_regular(f) && !try_start_write(req))
			return file_defer(req, HOW_DIRECT);
		ret = vfs_iocb_iter_write(f->file, &req->iocb, &req->iter);
	} else {
		ret = vfs_iocb_iter_read(f->file, &req->iocb, &req->iter);
	}
	return ret == -EIOCBQUEUED ? BLK_PENDING : file_result(req, ret);
}

static u8 file_rw(struct blk_backing *backing, struct blk_req *req)
{
	const struct file *file = backing_to_file(backing)->file;

	if (!(file->f_flags & O_DIRECT))
		return file_defer(req, HOW_BUFFERED);
	if (!(file->f_mode & FMODE_NOWAIT))
		return file_defer(req, HOW_DIRECT);
	req->how = HOW_NOWAIT;
	return file_submit(backing, req);
}

static int file_flush(struct blk_backing *backing)
{
	return vfs_fsync(backing_to_file(backing)->file, 1);
}

static int file_discard(struct blk_file *f, const struct blk_range *range)
{
	if (!file_is_regular(f))
		return blkdev_issue_discard(I_BDEV(f->inode),
					    range->pos >> SECTOR_SHIFT,
					    range->len >> SECTOR_SHIFT,
					    GFP_NOIO);
	return vfs_fallocate(f->file,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     range->pos, range->len);
}

/* Up to @len bytes of them, through the page cache. */
static ssize_t write_some_zeroes(struct blk_file *f, loff_t pos, size_t len)
{
	struct bio_vec bvec[NR_ZERO_PAGES];
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t ret;

	for (int i = 0; i < NR_ZERO_PAGES; i++)
		bvec_set_page(&bvec[i], ZERO_PAGE(0), PAGE_SIZE, 0);
	iov_iter_bvec(&iter, ITER_SOURCE, bvec, NR_ZERO_PAGES,
		      min(len, NR_ZERO_PAGES * PAGE_SIZE));
	init_sync_kiocb(&iocb, f->file);
	iocb.ki_flags &= ~IOCB_DIRECT;
	iocb.ki_pos = pos;
	if (file_is_regular(f))
		kiocb_start_write(&iocb);
	ret = vfs_iocb_iter_write(f->file, &iocb, &iter);
	if (file_is_regular(f))
		kiocb_end_write(&iocb);
	return ret;
}

static int write_zeroes(struct blk_file *f, const struct blk_range *range)
{
	u64 done = 0;

	while (done < range->len) {
		ssize_t ret = write_some_zeroes(f, range->pos + done,
						range->len - done);

		if (ret <= 0)
			return ret ?: -EIO;
		done += ret;
		cond_resched();
	}
	return 0;
}

static int file_zeroes(struct blk_file *f, const struct blk_range *range)
{
	int mode = range->unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	int err = vfs_fallocate(f->file, mode | FALLOC_FL_KEEP_SIZE,
				range->pos, range->len);

	if (err == -EOPNOTSUPP || err == -EINVAL)
		err = write_zeroes(f, range);
	return err;
}

static int file_range(struct blk_backing *backing, u32 type,
		      const struct blk_range *range)
{
	struct blk_file *f = backing_to_file(backing);

	switch (type) {
	case VIRTIO_BLK_T_DISCARD:
		return file_discard(f, range);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return file_zeroes(f, range);
	default:
		return blkdev_issue_secure_erase(I_BDEV(f->inode),
						 range->pos >> SECTOR_SHIFT,
						 range->len >> SECTOR_SHIFT,
						 GFP_NOIO);
	}
}

const struct blk_backing_ops blk_file_ops = {
	.rw		= file_rw,
	.rw_slow	= file_submit,
	.flush		= file_flush,
	.range		= file_range,
	.resize		= blk_file_resize,
	.close		= blk_file_close,
};
