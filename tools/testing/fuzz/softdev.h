/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A software device of the modules in user space, in place of vdpa_soft.ko: its
 * rings are in the memory of a hostile driver, and its workers run when the
 * input says so. A target names the class and what is different about it.
 */
#ifndef _FUZZ_SOFTDEV_H
#define _FUZZ_SOFTDEV_H

#include <linux/vdpa_soft.h>

#include "hostile.h"

#define SOFT_VQS	3
#define SOFT_MEM	0x40000ULL	/* where buffers are */
#define SOFT_MEM_BYTES	0x10000

/**
 * struct soft_target - a class of devices
 * @make: calls vdpa_soft_alloc() in the end; @how are bits of the input
 * @op: one of the operations of its own
 * @in_flight: requests that were fetched from @vq and are not completed
 * @end_requests: those of all virtqueues, for nothing to be in flight
 */
struct soft_target {
	void (*make)(u8 how);
	void (*op)(void);
	u32 (*in_flight)(struct vdpa_soft_vq *vq);
	void (*end_requests)(void);
};

extern const struct soft_target soft_target;
extern struct vdpa_soft *soft_dev;

#endif /* _FUZZ_SOFTDEV_H */
