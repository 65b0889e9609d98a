/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directories of configfs that say what disks of vdpa_blk are, and files that
 * back them.
 */
#ifndef VDPA_SELFTESTS_BLKCONF_H
#define VDPA_SELFTESTS_BLKCONF_H

#include <stdint.h>

#define CONF	"/sys/kernel/config/vdpa_blk"

#define SECTOR	512

/* Loads the modules, mounts configfs: why there is none, or NULL. */
const char *conf_available(void);

/* A directory, with defaults: 0 or -errno. */
int conf_make(const char *name);
/* Its end, and that of its device if there is one. */
void conf_drop(const char *name);
int conf_set(const char *name, const char *attr, const char *value);
/* Without the line feed at the end; "" if it cannot be read. */
const char *conf_get(const char *name, const char *attr);
/* A directory with a path. 0 or -errno. */
int conf_make_on(const char *name, const char *path);

/* Make a file as large as that, or change it: 0 or -errno. */
int disk_file(const char *path, uint64_t bytes);

#endif /* VDPA_SELFTESTS_BLKCONF_H */
