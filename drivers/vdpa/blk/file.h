/* SPDX-License-Identifier: GPL-2.0-only */
/* Between backing.c and file.c: a backing that is a file or a block device. */
#ifndef _VDPA_BLK_FILE_H
#define _VDPA_BLK_FILE_H

#include "blk.h"

/**
 * struct blk_file - an open file
 * @backing: first
 * @file: immutable
 * @inode: that has the bytes: of the block device, not of its node; immutable
 * @node: in the list of all, see backing.c
 */
struct blk_file {
	struct blk_backing backing;
	struct file *file;
	struct inode *inode;
	struct list_head node;
};

static inline struct blk_file *backing_to_file(struct blk_backing *backing)
{
	return container_of(backing, struct blk_file, backing);
}

/* backing.c */
int blk_file_resize(struct blk_backing *backing);
void blk_file_close(struct blk_backing *backing);

/* file.c */
extern const struct blk_backing_ops blk_file_ops;

#endif /* _VDPA_BLK_FILE_H */
