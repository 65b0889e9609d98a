/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vDPA devices and their char devices, as an administrator sees them.
 */
#ifndef VDPA_SELFTESTS_DEV_H
#define VDPA_SELFTESTS_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "files.h"
#include "slow.h"

#define BUS	"/sys/bus/vdpa"

/* What "at once" means, with an emulated CPU that others use as well. */
#define AT_ONCE_MS	(5000L * slowness())

/* Runs a command, its output thrown away; its exit status, -1 if it died. */
int run_command(const char *fmt, ...)
	__printf(1, 2);
/* What the kernel logs from now on: a file; has it said @text since? */
int log_open(void);
bool log_says(int fd, const char *text);
/* Of a clock that only goes on. */
long now_ms(void);

bool module_load(const char *name);
/* References on a module; -1 if it is not there. */
int module_refs(const char *name);

int vdpa_add(const char *name, const char *mgmtdev);
int vdpa_del(const char *name);
/* Delete it; how long that took, or -1. */
long vdpa_del_ms(const char *name);
bool vdpa_exists(const char *name);

/* Path of the device's /dev/vhost-vdpa-N; false if it has none. */
bool vhost_path(const char *name, char *path, int size);
/* Open it. -1 and errno, as open(); ENXIO if it has none. */
int vhost_open(const char *name);
/* As a driver does, up to FEATURES_OK. 0 or -errno. */
int negotiate(int fd, uint64_t features);

/* Unbind @name from the driver @driver, or bind it. 0 or -errno. */
int driver_unbind(const char *driver, const char *name);
int driver_bind(const char *driver, const char *name);

#define EXPECT_DELETED_AT_ONCE(name) do {				\
	long _ms = vdpa_del_ms(name);					\
									\
	EXPECT_LE(0, _ms);						\
	EXPECT_GT(AT_ONCE_MS, _ms);					\
} while (0)

#endif /* VDPA_SELFTESTS_DEV_H */
