// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio-net driver in user space. It is as simple as can be: descriptors
 * are used round robin and never checked to be free, so a test has fewer than
 * a ring full in flight.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define VQ_ROOM		(DRV_RINGS / DRV_VQS / 0x1000 * 0x1000)
#define TABLE_LEN	16	/* descriptors in an indirect table */

/* Offsets in the room of a virtqueue: no area starts at a page. */
enum {
	OFF_DESC = 0x800,
	OFF_AVAIL = 0x2ff0,
	OFF_USED = 0x4f00,
	OFF_TABLE = 0x6000,
};

const char *drv_device(const char *name)
{
	if (!module_load("vdpa_net") || !module_load("vhost_vdpa"))
		return "vdpa_net or vhost_vdpa cannot be loaded";
	vdpa_del(name);
	return vdpa_add(name, "vdpasim_net") ? "no device" : NULL;
}

void drv_end(struct drv *drv, const char *name)
{
	drv_close(drv);
	vdpa_del(name);
	if (drv->mem)
		mem_free(drv->mem, DRV_MEM);
}

int drv_open(struct drv *drv, const char *name)
{
	uint64_t backend = (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2) |
			   (1ULL << VHOST_BACKEND_F_IOTLB_ASID) |
			   (1ULL << VHOST_BACKEND_F_SUSPEND) |
			   (1ULL << VHOST_BACKEND_F_RESUME) |
			   (1ULL << VHOST_BACKEND_F_IOTLB_PERSIST);
	uint32_t nvqs;
	uint64_t offered;

	drv->fd = vhost_open(name);
	if (drv->fd < 0)
		return -1;
	if (ioctl(drv->fd, VHOST_SET_OWNER) ||
	    ioctl(drv->fd, VHOST_GET_BACKEND_FEATURES, &offered) ||
	    ioctl(drv->fd, VHOST_VDPA_GET_VQS_COUNT, &nvqs))
		return -1;
	drv->nvqs = nvqs < DRV_VQS ? nvqs : DRV_VQS;
	return set_backend(drv->fd, backend & offered);
}

int drv_negotiate(struct drv *drv)
{
	if (set_status(drv->fd, STATUS_ACK) ||
	    set_status(drv->fd, STATUS_ACK | STATUS_DRIVER) ||
	    set_features(drv->fd, drv->features | DRV_NEEDED))
		return -1;
	return set_status(drv->fd, STATUS_ACK | STATUS_DRIVER |
			  STATUS_FEATURES_OK);
}

int drv_map(struct drv *drv)
{
	return iotlb_map(drv->fd, 0, DRV_IOVA, DRV_MEM, drv->mem,
			 VHOST_ACCESS_RW);
}

int drv_map_running(struct drv *drv, uint32_t asid)
{
	int err = iotlb_map(drv->fd, asid, DRV_IOVA + DRV_RINGS,
			    DRV_MEM - DRV_RINGS, drv->mem + DRV_RINGS,
			    VHOST_ACCESS_RW);

	if (err)
		return err;
	return iotlb_map(drv->fd, asid, DRV_IOVA, DRV_RINGS, drv->mem,
			 VHOST_ACCESS_RW);
}

static void vq_layout(struct drv *drv, int idx)
{
	struct drv_vq *vq = &drv->vq[idx];
	uint8_t *room = drv->mem + idx * VQ_ROOM;

	memset(room, 0, VQ_ROOM);
	vq->size = drv->size;
	vq->head = 0;
	vq->avail_idx = drv->base;
	vq->used_idx = drv->base;
	vq->desc = (void *)(room + OFF_DESC);
	vq->avail = (void *)(room + OFF_AVAIL);
	vq->used = (void *)(room + OFF_USED);
	vq->table = (void *)(room + OFF_TABLE);
	vq->desc_iova = drv_iova(drv, vq->desc);
	vq->avail_iova = drv_iova(drv, vq->avail);
	vq->used_iova = drv_iova(drv, vq->used);
	vq->table_iova = drv_iova(drv, vq->table);
	vq->avail->idx = vq->avail_idx;
	vq->used->idx = vq->used_idx;
}

int drv_setup_vq(struct drv *drv, int idx)
{
	struct drv_vq *vq = &drv->vq[idx];
	int fd = drv->fd, dev = drv->first + idx;

	vq_layout(drv, idx);
	if (vq_state(fd, VHOST_SET_VRING_NUM, dev, vq->size) ||
	    vq_state(fd, VHOST_SET_VRING_BASE, dev, drv->base) ||
	    vq_addr(fd, dev, vq->desc_iova, vq->avail_iova, vq->used_iova))
		return -1;
	if (!vq->kick)
		vq->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!vq->call)
		vq->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vq_file(fd, VHOST_SET_VRING_KICK, dev, vq->kick) ||
	    vq_file(fd, VHOST_SET_VRING_CALL, dev, vq->call))
		return -1;
	return vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, dev, 1);
}

static int drv_go(struct drv *drv)
{
	for (int i = 0; i < drv->nvqs; i++)
		if (drv_setup_vq(drv, i))
			return -1;
	return set_status(drv->fd, STATUS_RUNNING);
}

int drv_start(struct drv *drv, const char *name, void *mem)
{
	drv->mem = mem;
	if (drv_open(drv, name) || drv_negotiate(drv) || drv_map(drv))
		return -1;
	return drv_go(drv);
}

int drv_restart(struct drv *drv)
{
	if (set_status(drv->fd, 0) || drv_negotiate(drv))
		return -1;
	return drv_go(drv);
}

void drv_close(struct drv *drv)
{
	if (drv->fd > 0)
		close(drv->fd);
	for (int i = 0; i < DRV_VQS; i++) {
		if (drv->vq[i].kick)
			close(drv->vq[i].kick);
		if (drv->vq[i].call)
			close(drv->vq[i].call);
	}
}

uint64_t drv_iova(struct drv *drv, const void *p)
{
	return DRV_IOVA + ((const uint8_t *)p - drv->mem);
}

void *drv_buf(int n, struct drv *drv)
{
	return drv->mem + DRV_RINGS + n * DRV_BUF;
}

uint64_t drv_buf_iova(int n)
{
	return DRV_IOVA + DRV_RINGS + n * DRV_BUF;
}

static void put_desc(struct vring_desc *desc, const struct drv_seg *seg,
		     uint16_t next, bool more)
{
	desc->addr = seg->iova;
	desc->len = seg->len;
	desc->flags = (seg->write ? VRING_DESC_F_WRITE : 0) |
		      (more ? VRING_DESC_F_NEXT : 0);
	desc->next = next;
}

uint16_t drv_chain(struct drv *drv, int idx, const struct drv_seg *seg, int nr)
{
	struct drv_vq *vq = &drv->vq[idx];
	uint16_t head = vq->head, i;

	if (drv->indirect) {
		struct vring_desc *table =
			vq->table + head % TABLE_LEN * TABLE_LEN;

		for (i = 0; i < nr; i++)
			put_desc(&table[i], &seg[i], i + 1, i + 1 < nr);
		vq->desc[head].addr = drv_iova(drv, table);
		vq->desc[head].len = nr * sizeof(*table);
		vq->desc[head].flags = VRING_DESC_F_INDIRECT;
		vq->desc[head].next = 0;
		vq->head = (head + 1) % vq->size;
		return head;
	}
	for (i = 0; i < nr; i++) {
		uint16_t next = (vq->head + 1) % vq->size;

		put_desc(&vq->desc[vq->head], &seg[i], next, i + 1 < nr);
		vq->head = next;
	}
	return head;
}

void drv_avail(struct drv *drv, int idx, uint16_t head)
{
	struct drv_vq *vq = &drv->vq[idx];

	vq->avail->ring[vq->avail_idx % vq->size] = head;
	__atomic_store_n(&vq->avail->idx, ++vq->avail_idx, __ATOMIC_SEQ_CST);
}

void drv_kick(struct drv *drv, int idx)
{
	uint64_t one = 1;

	if (write(drv->vq[idx].kick, &one, sizeof(one)) < 0)
		abort();
}

void drv_post(struct drv *drv, int idx, const struct drv_seg *seg, int nr)
{
	drv_avail(drv, idx, drv_chain(drv, idx, seg, nr));
	drv_kick(drv, idx);
}

int64_t drv_used(struct drv *drv, int idx, int ms)
{
	struct drv_vq *vq = &drv->vq[idx];
	long end = now_ms() + ms;

	while (__atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE) ==
	       vq->used_idx) {
		if (now_ms() >= end)
			return -1;
		usleep(200);
	}
	return vq->used->ring[vq->used_idx++ % vq->size].len;
}

bool drv_called(struct drv *drv, int idx, int ms)
{
	struct pollfd pfd = { .fd = drv->vq[idx].call, .events = POLLIN };
	uint64_t count;

	return poll(&pfd, 1, ms) == 1 &&
	       read(pfd.fd, &count, sizeof(count)) == sizeof(count);
}

void drv_fill(void *buf, size_t len, const uint8_t *mac, uint32_t seed)
{
	struct ethhdr *eth = buf + DRV_HDR;
	uint8_t *data = buf + DRV_HDR + ETH_HLEN;
	size_t i;

	memset(buf, 0, DRV_HDR);
	memset(eth->h_dest, 0xff, ETH_ALEN);
	if (mac)
		memcpy(eth->h_dest, mac, ETH_ALEN);
	memcpy(eth->h_source, "\x02\0\0\0\0\x01", ETH_ALEN);
	eth->h_proto = 0xb588;	/* ETH_P_802_EX1: for experiments */
	for (i = 0; i < len - ETH_HLEN; i++)
		data[i] = seed + i * 7;
}

bool drv_works(struct drv *drv, size_t len)
{
	static uint32_t seed;
	struct virtio_net_hdr_v1 *hdr = drv_buf(0, drv);
	uint8_t *sent = drv_buf(1, drv);
	struct drv_seg rx[] = { { drv_buf_iova(0), DRV_BUF, true } };
	struct drv_seg tx[] = {
		{ drv_buf_iova(1), DRV_HDR, false },
		{ drv_buf_iova(1) + DRV_HDR, 10, false },
		{ drv_buf_iova(1) + DRV_HDR + 10, len - 10, false },
	};

	memset(hdr, 0xee, DRV_BUF);
	drv_fill(sent, len, NULL, ++seed);
	drv_post(drv, DRV_RX, rx, 1);
	drv_post(drv, DRV_TX, tx, 3);
	return drv_used(drv, DRV_TX, DRV_WAIT_MS) == 0 &&
	       drv_used(drv, DRV_RX, DRV_WAIT_MS) == DRV_HDR + len &&
	       hdr->num_buffers == 1 && !hdr->flags && !hdr->gso_type &&
	       !memcmp(hdr + 1, sent + DRV_HDR, len);
}

int64_t drv_counter(const char *name, int idx, const char *counter)
{
	char command[128], text[1024] = "", *p;
	FILE *file;

	snprintf(command, sizeof(command), "vdpa dev vstats show %.32s qidx %d",
		 name, idx);
	file = popen(command, "re");
	if (!file)
		return -1;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	pclose(file);
	p = strstr(text, counter);
	return p ? atoll(p + strlen(counter)) : -1;
}

bool drv_tx_waits(struct drv *drv, size_t len)
{
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + len };

	drv_fill(drv_buf(1, drv), len, NULL, 0);
	drv_post(drv, DRV_TX, &tx, 1);
	return drv_used(drv, DRV_TX, DRV_QUIET_MS) < 0;
}
