/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small files of the kernel, sysfs and debugfs, read and written whole.
 * Paths are formats. Each returns 0 or -errno.
 */
#ifndef _SELFTESTS_VDPA_FILES_H
#define _SELFTESTS_VDPA_FILES_H

#include <stdbool.h>
#include <stddef.h>

#ifndef __printf
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#endif

int file_write(const char *text, const char *fmt, ...)
	__printf(2, 3);
int file_read(char *buf, size_t len, const char *fmt, ...)
	__printf(3, 4);
bool file_exists(const char *fmt, ...)
	__printf(1, 2);
/* The last part of what a link points to; "" if there is none. */
const char *link_name(const char *fmt, ...)
	__printf(1, 2);

#endif /* _SELFTESTS_VDPA_FILES_H */
