/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that are there for all inputs, one of each kind. An input may change
 * or delete them; whoever does says so, and they are made anew.
 */
#ifndef FUZZ_DEVICES_H
#define FUZZ_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

struct nl;

struct device {
	const char *name;
	const char *mgmtdev;
	const char *knobs;	/* of vdpa_mock, as in mockdev.h; else NULL */
	bool changed;		/* made anew at the end of the input */
	char path[64];		/* of its node; "" if there is none */
};

enum {
	DEV_MOCK, DEV_MOCK_SET, DEV_MOCK_VA, DEV_MOCK_SET_VA, DEV_SIM_NET,
	DEV_SIM_BLK, DEV_NET, DEV_BLK, NR_DEVICES
};

extern struct device devices[NR_DEVICES];

/* Makes them all, and a socket for that. NULL, or why that cannot be. */
const char *devices_init(void);
/* Of the socket: for requests between others. */
struct nl *devices_nl(void);

bool device_is_mock(const struct device *device);
/* 0 or -errno. */
int device_add(struct device *device);
int device_del(struct device *device);
/* As open() does; no device is not there. */
int device_open(const struct device *device);
/* Looks again where its node is. */
void device_find(struct device *device);

/* Deletes all others that there are. */
void devices_sweep(void);

/* Makes anew those that were changed. */
void devices_restore(void);

#endif /* FUZZ_DEVICES_H */
