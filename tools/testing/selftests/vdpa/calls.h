/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every ioctl of /dev/vhost-vdpa-N, for tests of what holds for all of them.
 */
#ifndef VDPA_SELFTESTS_CALLS_H
#define VDPA_SELFTESTS_CALLS_H

#include <linux/vhost.h>
#include <linux/vhost_vdpa.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_OWNER	0x1	/* only the owner may */
#define CALL_VQ		0x2	/* the argument starts with a queue's index */
#define CALL_NO_ARG	0x4
#define CALL_READS	0x8	/* the argument is only written to */

struct call {
	const char *name;
	unsigned long cmd;
	unsigned int flags;
};

extern const struct call calls[];
extern const size_t nr_calls;

/* An argument that suits every row: zeroes, with a valid file of -1. */
union call_arg {
	uint8_t bytes[256];
	struct vhost_vring_file file;
	struct vhost_vdpa_config config;
	int fd;
};

union call_arg call_harmless(unsigned long cmd);

#endif /* VDPA_SELFTESTS_CALLS_H */
