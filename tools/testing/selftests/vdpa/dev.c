// SPDX-License-Identifier: GPL-2.0-only
/*
 * vDPA devices and their char devices: vdpa(8) makes and deletes them, sysfs
 * tells where they are. A /dev without devtmpfs gets no node, so one is made
 * for the time of opening.
 */
#include "dev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "vhost.h"

#define PATH_LEN	512

int run_command(const char *fmt, ...)
{
	char command[1024], quiet[1100];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(quiet, sizeof(quiet), "{ %s; } >/dev/null 2>&1", command);
	status = system(quiet);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

bool log_says(int fd, const char *text)
{
	char line[2048];
	ssize_t len;

	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		if (strstr(line, text))
			return true;
	}
	return false;
}

long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool module_load(const char *name)
{
	return file_exists("/sys/module/%s", name) ||
	       !run_command("modprobe %s", name);
}

int module_refs(const char *name)
{
	char text[32];

	if (file_read(text, sizeof(text), "/sys/module/%s/refcnt", name))
		return -1;
	return atoi(text);
}

int vdpa_add(const char *name, const char *mgmtdev)
{
	return run_command("vdpa dev add name %s mgmtdev %s", name, mgmtdev);
}

int vdpa_del(const char *name)
{
	return run_command("vdpa dev del %s", name);
}

long vdpa_del_ms(const char *name)
{
	long start = now_ms();

	return vdpa_del(name) ? -1 : now_ms() - start;
}

bool vdpa_exists(const char *name)
{
	return file_exists(BUS "/devices/%s", name);
}

/* The vhost-vdpa-N below a device in sysfs. */
static bool vhost_node(const char *name, char *node, int size)
{
	char path[PATH_LEN];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), BUS "/devices/%s", name);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vhost-vdpa-", 11))
			continue;
		snprintf(node, size, "%.32s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

bool vhost_path(const char *name, char *path, int size)
{
	char node[64];

	if (!vhost_node(name, node, sizeof(node)))
		return false;
	snprintf(path, size, "/dev/%s", node);
	return true;
}

static int vhost_mknod(const char *name, char *path, int size)
{
	char node[64], text[32];
	unsigned int major, minor;

	if (!vhost_node(name, node, sizeof(node)))
		return -1;
	if (file_read(text, sizeof(text), BUS "/devices/%s/%s/dev", name,
		      node) ||
	    sscanf(text, "%u:%u", &major, &minor) != 2)
		return -1;
	snprintf(path, size, "/tmp/%s.%d", node, getpid());
	return mknod(path, S_IFCHR | 0600, makedev(major, minor));
}

int vhost_open(const char *name)
{
	char path[PATH_LEN];
	int fd, err;

	if (!vhost_path(name, path, sizeof(path))) {
		errno = ENXIO;
		return -1;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (vhost_mknod(name, path, sizeof(path)))
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = errno;
	unlink(path);
	errno = err;
	return fd;
}

int negotiate(int fd, uint64_t features)
{
	if (ioctl(fd, VHOST_SET_OWNER) || set_status(fd, STATUS_ACK) ||
	    set_status(fd, STATUS_ACK | STATUS_DRIVER) ||
	    set_features(fd, features) ||
	    set_status(fd, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES_OK))
		return -errno;
	return 0;
}

int driver_unbind(const char *driver, const char *name)
{
	return file_write(name, BUS "/drivers/%s/unbind", driver);
}

int driver_bind(const char *driver, const char *name)
{
	return file_write(name, BUS "/drivers/%s/bind", driver);
}
