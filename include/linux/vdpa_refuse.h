/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words for those who ask a management device for something that it refuses:
 * struct vdpa_mgmtdev_ops can only say an errno.
 */
#ifndef _LINUX_VDPA_REFUSE_H
#define _LINUX_VDPA_REFUSE_H

#include <linux/compiler_attributes.h>

/* drivers/vdpa/core/refuse.c */
__printf(2, 3) int vdpa_refuse(int err, const char *fmt, ...);

#endif /* _LINUX_VDPA_REFUSE_H */
