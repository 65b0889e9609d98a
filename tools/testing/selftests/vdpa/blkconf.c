// SPDX-License-Identifier: GPL-2.0-only
/*
 * configfs of vdpa_blk; see blkconf.h. Shared by the tests of software disks.
 */
#include "blkconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"

const char *conf_available(void)
{
	if (!module_load("vdpa_blk") || !module_load("vhost_vdpa"))
		return "vdpa_blk or vhost_vdpa cannot be loaded";
	if (!file_exists(CONF))
		run_command("mount -t configfs none /sys/kernel/config");
	return file_exists(CONF) ? NULL : "configfs cannot be mounted";
}

int conf_make(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), CONF "/%s", name);
	return mkdir(path, 0755) ? -errno : 0;
}

void conf_drop(const char *name)
{
	char path[256];

	if (vdpa_exists(name))
		vdpa_del(name);
	snprintf(path, sizeof(path), CONF "/%s", name);
	rmdir(path);
}

int conf_set(const char *name, const char *attr, const char *value)
{
	return file_write(value, CONF "/%s/%s", name, attr);
}

const char *conf_get(const char *name, const char *attr)
{
	static char text[4096];

	if (file_read(text, sizeof(text), CONF "/%s/%s", name, attr))
		return "";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

int conf_make_on(const char *name, const char *path)
{
	int err = conf_make(name);

	return err ?: conf_set(name, "path", path);
}

int disk_file(const char *path, uint64_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = ftruncate(fd, bytes) ? -errno : 0;
	close(fd);
	return err;
}
