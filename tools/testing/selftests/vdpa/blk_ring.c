// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software disks and their virtqueues: as many, as short and as long as they
 * may be, always full, and chains as long as there can be.
 */
#include "common.h"

#include <stdio.h>

#include "blkconf.h"
#include "blkdev.h"
#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define NAME		"blkring"
#define CHAIN_MAX	1024	/* descriptors, of what the device takes */
#define LEN		0x40000	/* bytes of data in the longest chain */

FIXTURE(blk_ring) {
	struct drv drv;
};

FIXTURE_VARIANT(blk_ring) {
	int size;
	bool indirect;
};

FIXTURE_VARIANT_ADD(blk_ring, shortest) { .size = 4 };
FIXTURE_VARIANT_ADD(blk_ring, shortest_indirect) {
	.size = 4, .indirect = true,
};

FIXTURE_VARIANT_ADD(blk_ring, long) { .size = 512 };
FIXTURE_VARIANT_ADD(blk_ring, long_indirect) { .size = 512, .indirect = true };

FIXTURE_SETUP(blk_ring)
{
	const char *reason = blk_add(NAME, &blk_ram, 64);
	char size[16];

	if (reason)
		SKIP(return, "%s", reason);
	snprintf(size, sizeof(size), "%d", variant->size);
	ASSERT_EQ(0, vdpa_del(NAME));
	ASSERT_EQ(0, conf_set(NAME, "queue_size", size));
	ASSERT_EQ(0, vdpa_add(NAME, "vdpa_blk"));
	self->drv.size = variant->size;
	self->drv.indirect = variant->indirect;
	self->drv.features = BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
			     BIT_ULL(VIRTIO_BLK_F_MQ);
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(blk_ring)
{
	drv_end(&self->drv, NAME);
	blk_del(NAME);
}

TEST_F(blk_ring, is_no_longer_than_the_device_says)
{
	int fd = self->drv.fd;
	uint16_t max;

	ASSERT_ERRNO(0, ioctl(fd, VHOST_VDPA_GET_VRING_NUM, &max));
	EXPECT_EQ(variant->size, max);
	ASSERT_ERRNO(0, set_status(fd, 0));
	EXPECT_ERRNO(EINVAL, vq_state(fd, VHOST_SET_VRING_NUM, 0,
				      variant->size * 2));
}

/* All of 64: the driver has a few at a time. */
TEST_F(blk_ring, each_queue_works)
{
	struct drv *drv = &self->drv;
	uint32_t nvqs;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_GET_VQS_COUNT, &nvqs));
	ASSERT_EQ(64, nvqs);
	for (drv->first = 0; drv->first < nvqs; drv->first += DRV_VQS) {
		ASSERT_ERRNO(0, drv_restart(drv));
		for (int i = 0; i < DRV_VQS; i++) {
			EXPECT_TRUE(blk_writes(drv, i, 100, 8, i))
				TH_LOG("queue %d", drv->first + i);
			EXPECT_TRUE(blk_reads(drv, i, 100, 8, i));
			EXPECT_EQ(1, blk_counter(NAME, drv->first + i,
						 "reads"));
		}
	}
}

/* As soon as one has ended there is another one, on each queue. */
TEST_F(blk_ring, is_always_full)
{
	int room = variant->indirect ? variant->size : variant->size / 3;
	struct drv_seg seg = { blk_data_iova(0), 512, true };
	struct drv *drv = &self->drv;
	int queues = 4, i, n;

	if (room > 8)
		room = 8;
	for (n = 0; n < 64 + room; n++)
		for (i = 0; i < queues; i++) {
			if (n >= room)
				ASSERT_EQ(513, blk_end(drv, i));
			if (n < 64)
				blk_begin(drv, i, n % room, VIRTIO_BLK_T_IN,
					  n, &seg, 1);
		}
	for (i = 0; i < queues; i++) {
		EXPECT_EQ(64, blk_counter(NAME, i, "reads"));
		EXPECT_EQ(0, blk_counter(NAME, i, "errors"));
	}
}

/*
 * A request in an indirect table of @nr descriptors, most of them for data;
 * its status.
 */
static int do_long(struct drv *drv, uint32_t type, uint32_t nr)
{
	struct virtio_blk_outhdr *hdr = blk_data(drv, 0);
	struct vring_desc *table = blk_data(drv, 2);
	uint8_t *status = blk_data(drv, 1);
	uint32_t data = nr - 2, len = LEN / 512 * 512 / data, i;
	bool in = type == VIRTIO_BLK_T_IN;
	struct drv_vq *vq = &drv->vq[0];
	uint32_t off = 0;

	*hdr = (struct virtio_blk_outhdr) { .type = type, .sector = 8 };
	*status = BLK_NO_STATUS;
	for (i = 0; i < data; i++, off += len)
		table[1 + i] = (struct vring_desc) {
			.addr = blk_data_iova(128) + off,
			.len = i + 1 < data ? len : LEN - off,
			.flags = VRING_DESC_F_NEXT |
				 (in ? VRING_DESC_F_WRITE : 0),
			.next = 2 + i,
		};
	table[0] = (struct vring_desc) {
		.addr = drv_iova(drv, hdr), .len = sizeof(*hdr),
		.flags = VRING_DESC_F_NEXT, .next = 1,
	};
	table[nr - 1] = (struct vring_desc) {
		.addr = drv_iova(drv, status), .len = 1,
		.flags = VRING_DESC_F_WRITE,
	};
	vq->desc[vq->head] = (struct vring_desc) {
		.addr = drv_iova(drv, table), .len = nr * sizeof(*table),
		.flags = VRING_DESC_F_INDIRECT,
	};
	drv_avail(drv, 0, vq->head);
	vq->head = (vq->head + 1) % vq->size;
	drv_kick(drv, 0);
	return blk_end(drv, 0) < 0 ? -1 : *status;
}

/* Longer than the ring, and in pieces that are no whole sectors. */
TEST_F(blk_ring, chains_have_up_to_1024_descriptors)
{
	static const uint32_t nr[] = { 3, 10, 11, 300, CHAIN_MAX };
	struct drv *drv = &self->drv;
	uint8_t *data = blk_data(drv, 128);
	uint32_t i, k;

	for (k = 0; k < ARRAY_SIZE(nr); k++) {
		for (i = 0; i < LEN; i++)
			data[i] = i / 253 + i + k;
		ASSERT_EQ(VIRTIO_BLK_S_OK,
			  do_long(drv, VIRTIO_BLK_T_OUT, nr[k]));
		memset(data, 0xee, LEN);
		ASSERT_EQ(VIRTIO_BLK_S_OK,
			  do_long(drv, VIRTIO_BLK_T_IN, nr[k]));
		for (i = 0; i < LEN && data[i] == (uint8_t)(i / 253 + i + k);)
			i++;
		EXPECT_EQ(LEN, i) TH_LOG("%u descriptors", nr[k]);
	}
	/* One more is no chain: it comes back, and that is all. */
	EXPECT_EQ(BLK_NO_STATUS,
		  do_long(drv, VIRTIO_BLK_T_IN, CHAIN_MAX + 1));
	EXPECT_EQ(1, blk_counter(NAME, 0, "errors"));
	EXPECT_TRUE(blk_works(drv));
}

/* Whether it comes then or came before a reset. */
TEST_F(blk_ring, kick_does_not_end_a_suspension)
{
	struct drv *drv = &self->drv;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(blk_works(drv));
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
		drv_kick(drv, 0);
		ASSERT_ERRNO(0, drv_restart(drv));
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
		blk_begin(drv, 0, 0, VIRTIO_BLK_T_IN, 0, NULL, 0);
		EXPECT_EQ(-1, drv_used(drv, 0, DRV_QUIET_MS / 4));
		ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
		EXPECT_EQ(1, blk_end(drv, 0));
	}
}

TEST_HARNESS_MAIN
