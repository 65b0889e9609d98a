/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Ioctls of /dev/vhost-vdpa-N that <linux/vhost.h> does not have (yet).
 *
 * They only add: a program that knows none of them misses nothing, and a
 * kernel that has none of them answers ENOTTY. Numbers are taken from 0xf0 up,
 * out of the way of <linux/vhost.h>, which has come to 0x85; one that turns up
 * there is going to be known here by that number as well.
 */
#ifndef _UAPI_LINUX_VHOST_VDPA_H
#define _UAPI_LINUX_VHOST_VDPA_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vhost.h>

/*
 * Get the generation of the configuration space: a number, in the byte order
 * of the host, that changes whenever the device changes a byte of it. What was
 * read by VHOST_VDPA_GET_CONFIG between two calls that answer the same number
 * belongs together. Numbers are compared for equality only, and only those
 * that one open file has given.
 *
 * EFAULT: bad pointer. EOPNOTSUPP: the device keeps no such number. ENODEV: it
 * is gone. Anybody who has the file may ask, in any state of the device.
 */
#define VHOST_VDPA_GET_CONFIG_GENERATION _IOR(VHOST_VIRTIO, 0xf0, __u32)

#endif /* _UAPI_LINUX_VHOST_VDPA_H */
