/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices of vdpa_mock: made to measure, and asked what they have seen.
 *
 *	ASSERT_EQ(0, mock_add(&self->dev, "nvqs=2 mapping=set_map"));
 *	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
 *	EXPECT_STREQ("", mock_del(&self->dev));
 */
#ifndef VDPA_SELFTESTS_MOCKDEV_H
#define VDPA_SELFTESTS_MOCKDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "leak.h"

struct nl;

#define MOCKDEV	"vdpa_mock"
#define MOCK	"/sys/kernel/debug/vdpa_mock"

#define MOCKDEV_TEXT	0x100000

struct mockdev {
	char name[32];
	int fd;			/* of its char device, or -1 */
	struct leak_mark mark;
	char *text;		/* MOCKDEV_TEXT bytes: what was read last */
};

/* Are the modules there? Loads them. */
bool mock_available(void);

/*
 * For tests that make their devices by netlink: a socket, and the next device
 * of vdpa_mock is one by default. Answers why that cannot be, or NULL. At the
 * end the devices whose names begin with @prefix are deleted.
 */
const char *mock_nl_open(struct nl *nl);
void mock_nl_close(struct nl *nl, const char *prefix);

/* The next device is one by default but for these knobs. 0 or -errno. */
int mock_knobs(const char *knobs);
/* A knob of the next device. */
int mock_knob(const char *name, unsigned long long value);

/*
 * Make a device with these knobs ("name=value ...", others at their default)
 * and open it. mock_own() makes this process its owner, mock_make() does not
 * open it, mock_make_on() has another parent. 0 or -errno.
 */
int mock_add(struct mockdev *dev, const char *knobs);
int mock_own(struct mockdev *dev, const char *knobs);
int mock_make(struct mockdev *dev, const char *knobs);
int mock_make_on(struct mockdev *dev, const char *mgmtdev, const char *knobs);

/*
 * Close, delete, and say what is not as it was: breaches of the contract with
 * the parent, pinned pages, module references, eventfds. "" if all is well.
 */
const char *mock_del(struct mockdev *dev);

/* A file of the device's directory in debugfs. */
const char *mock_read(struct mockdev *dev, const char *file);
int mock_write(struct mockdev *dev, const char *file, const char *text);

/* The map, neighbours of one permission merged: "asid first last perm". */
const char *mock_map(struct mockdev *dev);
/* Is each of these bytes mapped to the page that backs it here? */
bool mock_map_is_at(struct mockdev *dev, uint32_t asid, uint64_t iova,
		    const void *mem, uint64_t size);
/* How often an operation was called; -1 if there is none of this name. */
long mock_count(struct mockdev *dev, const char *op);
/* The same of a device that somebody else made. */
long mock_calls(const char *name, const char *op);
/* Was there a call that reads exactly like this? */
bool mock_called(struct mockdev *dev, const char *call);
void mock_forget(struct mockdev *dev);
/* A number of the file "state", or of a row of "vq" ("ready", "num", ...). */
uint64_t mock_state(struct mockdev *dev, const char *name);
uint64_t mock_vq(struct mockdev *dev, unsigned int idx, const char *name);

#endif /* VDPA_SELFTESTS_MOCKDEV_H */
