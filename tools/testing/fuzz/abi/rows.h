/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls as the model has them: one row each. What each is given, must
 * answer and changes is written from Documentation/userspace-api/vhost-vdpa.rst.
 * Whether the caller may, the index of a queue, and pointers are checked
 * before, in ioctl.c.
 */
#ifndef ABI_RANDOM_ROWS_H
#define ABI_RANDOM_ROWS_H

#include <linux/vhost.h>
#include <linux/vhost_vdpa.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_DRIVER_OK	4
#define STATUS_FEATURES_OK	8
#define STATUS_NEEDS_RESET	64
#define F_RING_PACKED		34
#define F_RING_RESET		40	/* never on offer */

union arg {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int fd;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct vhost_vring_file file;
	struct vhost_memory mem;
	struct vhost_vdpa_config config;
	struct vhost_vdpa_iova_range range;
	unsigned char bytes[4096];
};

#define ROW_OWNER	0x01	/* only the owner may */
#define ROW_VQ		0x02	/* the argument starts with a queue's index */
#define ROW_BUSY	0x04	/* EBUSY while the device runs */
#define ROW_INVAL	0x08	/* EINVAL while the device runs */
#define ROW_OUT		0x10	/* copies back though its number denies it */
#define ROW_PARENT	0x20	/* the answer is up to the parent */
#define ROW_TAIL_IN	0x40
#define ROW_TAIL_OUT	0x80

/*
 * fill: draws the argument. model: an errno, and what is read is left in @arg;
 * called when all else has been checked. tail: bytes after the fixed part, or
 * -errno. op: an operation of the parent whose errno becomes @op_err, or
 * its own if that is 0.
 */
struct row {
	const char *name;
	unsigned long cmd;
	unsigned int flags;
	void (*fill)(union arg *arg);
	int (*model)(union arg *arg);
	long (*tail)(const union arg *arg);
	const char *op;
	int op_err;
};

struct rows {
	const struct row *row;
	uint32_t nr;
};

/* rows_device.c */
extern const struct rows rows_device;
bool model_runs(void);
bool model_packed(void);
void fill_random(union arg *arg);
int fd_draw(const int *fds);
int fd_event(int fd, const int *fds, int *event);

/* rows_vring.c */
extern const struct rows rows_vring;

#endif /* ABI_RANDOM_ROWS_H */
