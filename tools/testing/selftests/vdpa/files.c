// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small files of the kernel for the tests; see files.h.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT(buf, fmt) do {						\
	va_list _args;							\
									\
	va_start(_args, fmt);						\
	vsnprintf(buf, sizeof(buf), fmt, _args);			\
	va_end(_args);							\
} while (0)

int file_write(const char *text, const char *fmt, ...)
{
	char path[PATH_MAX];
	int fd, err = 0;

	FORMAT(path, fmt);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int file_read(char *buf, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	size_t have = 0;
	ssize_t got;
	int fd;

	FORMAT(path, fmt);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + have, len - 1 - have);
		have += got > 0 ? got : 0;
	} while (got > 0);
	buf[have] = '\0';
	close(fd);
	return got < 0 ? -errno : 0;
}

bool file_exists(const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT(path, fmt);
	return !access(path, F_OK);
}

const char *link_name(const char *fmt, ...)
{
	static __thread char target[PATH_MAX];
	char path[PATH_MAX];
	ssize_t len;
	char *slash;

	FORMAT(path, fmt);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return "";
	target[len] = '\0';
	slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}
