/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctls and IOTLB messages of /dev/vhost-vdpa-N in a form that reads well.
 * Each answers as the system call does: -1 and errno.
 */
#ifndef VDPA_SELFTESTS_VHOST_H
#define VDPA_SELFTESTS_VHOST_H

#include <linux/vhost.h>
#include <linux/vhost_vdpa.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define STATUS_ACK		1
#define STATUS_DRIVER		2
#define STATUS_DRIVER_OK	4
#define STATUS_FEATURES_OK	8
#define STATUS_NEEDS_RESET	64
#define STATUS_RUNNING		(STATUS_ACK | STATUS_DRIVER | \
				 STATUS_FEATURES_OK | STATUS_DRIVER_OK)

static inline int vq_state(int fd, unsigned long cmd, uint32_t idx,
			   uint32_t num)
{
	struct vhost_vring_state state = { .index = idx, .num = num };

	return ioctl(fd, cmd, &state);
}

/* The number that a GET answers, or -1 and errno. */
static inline int64_t vq_get(int fd, unsigned long cmd, uint32_t idx)
{
	struct vhost_vring_state state = { .index = idx };

	return ioctl(fd, cmd, &state) ? -1 : (int64_t)state.num;
}

static inline int vq_file(int fd, unsigned long cmd, uint32_t idx, int file)
{
	struct vhost_vring_file arg = { .index = idx, .fd = file };

	return ioctl(fd, cmd, &arg);
}

static inline int vq_addr(int fd, uint32_t idx, uint64_t desc, uint64_t avail,
			  uint64_t used)
{
	struct vhost_vring_addr addr = {
		.index = idx, .desc_user_addr = desc,
		.avail_user_addr = avail, .used_user_addr = used,
	};

	return ioctl(fd, VHOST_SET_VRING_ADDR, &addr);
}

static inline int set_status(int fd, uint8_t status)
{
	return ioctl(fd, VHOST_VDPA_SET_STATUS, &status);
}

static inline int get_status(int fd)
{
	uint8_t status;

	return ioctl(fd, VHOST_VDPA_GET_STATUS, &status) ? -1 : status;
}

static inline int set_features(int fd, uint64_t features)
{
	return ioctl(fd, VHOST_SET_FEATURES, &features);
}

static inline int set_backend(int fd, uint64_t features)
{
	return ioctl(fd, VHOST_SET_BACKEND_FEATURES, &features);
}

/* Through the whole initialisation of VIRTIO, 3.1.1, without features. */
static inline int start(int fd)
{
	int status;

	for (status = STATUS_ACK; status != STATUS_RUNNING;) {
		if (set_status(fd, status))
			return -1;
		if (status == STATUS_ACK)
			status |= STATUS_DRIVER;
		else if (!(status & STATUS_FEATURES_OK))
			status |= STATUS_FEATURES_OK;
		else
			status |= STATUS_DRIVER_OK;
	}
	return set_status(fd, STATUS_RUNNING);
}

static inline int config_io(int fd, unsigned long cmd, uint32_t off,
			    uint32_t len, void *buf)
{
	struct vhost_vdpa_config *config;
	size_t room = len < 65536 ? len : 65536;
	int ret;

	config = calloc(1, sizeof(*config) + room);
	config->off = off;
	config->len = len;
	memcpy(config->buf, buf, room);
	ret = ioctl(fd, cmd, config);
	memcpy(buf, config->buf, room);
	free(config);
	return ret;
}

/* An IOTLB message of either version. */
struct iotlb_req {
	uint32_t version;	/* 1 or 2 */
	uint32_t asid;
	struct vhost_iotlb_msg msg;
};

static inline int iotlb_send(int fd, const struct iotlb_req *req)
{
	struct vhost_msg v1 = {
		.type = VHOST_IOTLB_MSG, .iotlb = req->msg,
	};
	struct vhost_msg_v2 v2 = {
		.type = VHOST_IOTLB_MSG_V2, .asid = req->asid,
		.iotlb = req->msg,
	};
	ssize_t n;

	if (req->version == 1)
		n = write(fd, &v1, sizeof(v1));
	else
		n = write(fd, &v2, sizeof(v2));
	return n < 0 ? -1 : 0;
}

static inline int iotlb_map(int fd, uint32_t asid, uint64_t iova,
			    uint64_t size, const void *mem, uint8_t perm)
{
	struct iotlb_req req = {
		.version = 2, .asid = asid, .msg = {
			.type = VHOST_IOTLB_UPDATE, .iova = iova,
			.size = size, .uaddr = (uintptr_t)mem, .perm = perm,
		},
	};

	return iotlb_send(fd, &req);
}

static inline int iotlb_unmap(int fd, uint32_t asid, uint64_t iova,
			      uint64_t size)
{
	struct iotlb_req req = {
		.version = 2, .asid = asid, .msg = {
			.type = VHOST_IOTLB_INVALIDATE, .iova = iova,
			.size = size,
		},
	};

	return iotlb_send(fd, &req);
}

static inline int iotlb_batch(int fd, uint32_t asid, uint8_t type)
{
	struct iotlb_req req = {
		.version = 2, .asid = asid, .msg.type = type,
	};

	return iotlb_send(fd, &req);
}

/* Map the doorbell of a queue, as mmap() does. */
static inline void *doorbell_map(int fd, uint32_t idx, size_t size, int prot,
				 int flags)
{
	return mmap(NULL, size, prot, flags, fd, (off_t)idx * 4096);
}

#endif /* VDPA_SELFTESTS_VHOST_H */
