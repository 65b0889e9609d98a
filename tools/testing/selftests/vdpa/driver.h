/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-net driver in user space, on /dev/vhost-vdpa-N: one block of memory
 * holds the split rings and all buffers. Tests put good and bad descriptors
 * into it.
 */
#ifndef VDPA_SELFTESTS_DRIVER_H
#define VDPA_SELFTESTS_DRIVER_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRV_VQS		8	/* at once */
#define DRV_IOVA	0x40000000ULL	/* where the memory is mapped */
#define DRV_MEM		0x100000UL	/* its size; rings, then buffers */
#define DRV_RINGS	0x40000UL	/* what of it belongs to the rings */
#define DRV_BUF		4096UL		/* room of a buffer */
#define DRV_HDR		sizeof(struct virtio_net_hdr_v1)
#define DRV_WAIT_MS	5000		/* for what must happen */
#define DRV_QUIET_MS	200		/* for what must not */

#define DRV_NEEDED	((1ULL << VIRTIO_F_VERSION_1) | \
			 (1ULL << VIRTIO_F_ACCESS_PLATFORM))

enum { DRV_RX, DRV_TX, DRV_CTRL };

struct drv_vq {
	uint16_t size;
	uint16_t avail_idx;	/* of the next chain */
	uint16_t used_idx;	/* of the next completion to be seen */
	uint16_t head;		/* of the next free descriptor */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_desc *table;	/* indirect tables */
	uint64_t table_iova;
	uint64_t desc_iova, avail_iova, used_iova;
	int kick, call;		/* eventfds */
};

struct drv {
	int fd;
	int nvqs;
	int first;		/* virtqueue of the device that is vq[0] */
	uint64_t features;	/* to negotiate, DRV_NEEDED included */
	bool indirect;		/* put good chains into indirect tables */
	uint16_t size;
	uint16_t base;
	uint8_t *mem;
	struct drv_vq vq[DRV_VQS];
};

/* A piece of a chain. */
struct drv_seg {
	uint64_t iova;
	uint32_t len;
	bool write;
};

/* A loopback NIC for a test: why there is none, or NULL. And its end. */
const char *drv_device(const char *name);
void drv_end(struct drv *drv, const char *name);

/* The steps to a running device, each 0 or -1 and errno. */
int drv_open(struct drv *drv, const char *name);
int drv_negotiate(struct drv *drv);
int drv_map(struct drv *drv);
int drv_setup_vq(struct drv *drv, int idx);
/* All of it with @mem, which has DRV_MEM bytes. */
int drv_start(struct drv *drv, const char *name, void *mem);
/* All of it while the device runs: first buffers, then the rings that name them. */
int drv_map_running(struct drv *drv, uint32_t asid);
/* Reset the device, then start it again. */
int drv_restart(struct drv *drv);
void drv_close(struct drv *drv);

/* IOVA of a byte of the memory, and the other way round. */
uint64_t drv_iova(struct drv *drv, const void *p);
void *drv_buf(int n, struct drv *drv);
uint64_t drv_buf_iova(int n);

/* Make a chain; returns its head. Then make it available, then kick. */
uint16_t drv_chain(struct drv *drv, int idx, const struct drv_seg *seg, int nr);
void drv_avail(struct drv *drv, int idx, uint16_t head);
void drv_kick(struct drv *drv, int idx);
/* All three. */
void drv_post(struct drv *drv, int idx, const struct drv_seg *seg, int nr);

/* The length of the next completion, -1 if there is none in @ms. */
int64_t drv_used(struct drv *drv, int idx, int ms);
bool drv_called(struct drv *drv, int idx, int ms);

/* A frame of @len bytes with its header: to the group of all, or to @mac. */
void drv_fill(void *buf, size_t len, const uint8_t *mac, uint32_t seed);
/* Post an RX buffer and send a frame of @len bytes; does it come back? */
bool drv_works(struct drv *drv, size_t len);
/* A frame of buffer 1 is there for TX; is it left alone for a while? */
bool drv_tx_waits(struct drv *drv, size_t len);

/* A counter that "vdpa dev vstats show" tells; -1 if it does not. */
int64_t drv_counter(const char *name, int idx, const char *counter);

#endif /* VDPA_SELFTESTS_DRIVER_H */
