// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a bad driver can do to the device side of a split ring, on the loopback
 * NIC vdpasim_net: a bad chain is completed, a broken ring asks for a reset,
 * what is not mapped is not touched, and the next good frame flows.
 */
#include "common.h"

#include <linux/if_ether.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "driver.h"
#include "mem.h"
#include "vhost.h"

#define NAME		"ringtest"
#define OUTSIDE		(DRV_IOVA + DRV_MEM)	/* first byte not mapped */
#define FRAME		100			/* bytes of a usual frame */

#define INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT_IDX	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
#define CTRL_MAC	(BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | \
			 BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* A chain that must be completed with 0 bytes, and the next frame flow. */
FIXTURE(bad) {
	struct drv drv;
	int log;
};

FIXTURE_VARIANT(bad) {
	uint64_t features;
};

FIXTURE_VARIANT_ADD(bad, plain) { .features = CTRL_MAC | INDIRECT };

FIXTURE_VARIANT_ADD(bad, event_idx) { .features = CTRL_MAC | INDIRECT | EVENT_IDX };

FIXTURE_SETUP(bad)
{
	const char *reason = drv_device(NAME);

	if (reason)
		SKIP(return, "%s", reason);
	self->log = log_open();
	self->drv.features = variant->features;
	self->drv.size = 16;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(bad)
{
	drv_end(&self->drv, NAME);
	/* A guest could fill the log otherwise. */
	EXPECT_FALSE(log_says(self->log, "vdpa"));
	close(self->log);
}

/* @head of TX is bad: it comes back unused, is counted, harms nothing. */
static void expect_tx_error(struct __test_metadata *_metadata, struct drv *drv,
			    uint16_t head)
{
	int64_t errors = drv_counter(NAME, DRV_TX, "tx errors");

	drv_avail(drv, DRV_TX, head);
	drv_kick(drv, DRV_TX);
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_LE(0, errors);
	EXPECT_EQ(errors + 1, drv_counter(NAME, DRV_TX, "tx errors"));
	EXPECT_EQ(STATUS_RUNNING, get_status(drv->fd));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

static void expect_tx_segs_error(struct __test_metadata *_metadata,
				 struct drv *drv, const struct drv_seg *seg,
				 int nr)
{
	drv_fill(drv_buf(1, drv), FRAME, NULL, 0);
	expect_tx_error(_metadata, drv, drv_chain(drv, DRV_TX, seg, nr));
}

TEST_F(bad, descriptor_loop_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg seg[] = {
		{ drv_buf_iova(1), 8 }, { drv_buf_iova(1), 8 },
	};
	uint16_t head = drv_chain(&self->drv, DRV_TX, seg, 2);

	vq->desc[head + 1].flags = VRING_DESC_F_NEXT;
	vq->desc[head + 1].next = head;
	expect_tx_error(_metadata, &self->drv, head);
}

TEST_F(bad, next_out_of_range_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg seg = { drv_buf_iova(1), DRV_HDR + FRAME };
	static const uint16_t next[] = { 16, 17, 0x8000, 0xffff };

	for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
		uint16_t head = drv_chain(&self->drv, DRV_TX, &seg, 1);

		vq->desc[head].flags = VRING_DESC_F_NEXT;
		vq->desc[head].next = next[i];
		expect_tx_error(_metadata, &self->drv, head);
	}
}

TEST_F(bad, buffer_one_byte_outside_of_the_map_is_not_read)
{
	struct drv_seg seg[] = {
		{ drv_buf_iova(1), DRV_HDR }, { OUTSIDE - FRAME + 1, FRAME },
	};

	expect_tx_segs_error(_metadata, &self->drv, seg, 2);
	/* And the last one that is inside is. */
	seg[1].iova--;
	memset(drv_buf(1, &self->drv), 0, DRV_HDR);
	drv_post(&self->drv, DRV_TX, seg, 2);
	EXPECT_EQ(0, drv_used(&self->drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_TX, "tx errors"));
}

TEST_F(bad, buffer_that_wraps_the_address_space_is_not_read)
{
	struct drv_seg seg[] = {
		{ drv_buf_iova(1), DRV_HDR }, { UINT64_MAX - 10, FRAME },
	};

	expect_tx_segs_error(_metadata, &self->drv, seg, 2);
}

TEST_F(bad, chain_of_wrong_size_is_completed)
{
	static const uint32_t len[] = {
		1, DRV_HDR - 1, DRV_HDR, DRV_HDR + ETH_HLEN - 1,
		DRV_HDR + 1519, 65536, UINT32_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		struct drv_seg seg = { drv_buf_iova(1), len[i] };

		expect_tx_segs_error(_metadata, &self->drv, &seg, 1);
	}
}

TEST_F(bad, writable_buffer_in_tx_is_completed)
{
	struct drv_seg seg[] = {
		{ drv_buf_iova(1), DRV_HDR + FRAME },
		{ drv_buf_iova(2), 64, true },
	};

	expect_tx_segs_error(_metadata, &self->drv, seg, 2);
	seg[0].write = true;
	seg[1].write = false;
	expect_tx_segs_error(_metadata, &self->drv, seg, 2);
}

TEST_F(bad, offload_that_was_not_negotiated_is_completed)
{
	struct virtio_net_hdr_v1 *hdr = drv_buf(1, &self->drv);
	struct drv_seg seg = { drv_buf_iova(1), DRV_HDR + FRAME };
	uint16_t head;

	drv_fill(hdr, FRAME, NULL, 0);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	head = drv_chain(&self->drv, DRV_TX, &seg, 1);
	expect_tx_error(_metadata, &self->drv, head);

	drv_fill(hdr, FRAME, NULL, 0);
	hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	head = drv_chain(&self->drv, DRV_TX, &seg, 1);
	expect_tx_error(_metadata, &self->drv, head);
}

TEST_F(bad, indirect_table_of_bad_length_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg table = { vq->table_iova, 0 };
	static const uint32_t len[] = {
		0, 1, 15, 17, 16 * 1025, 0x80000000, UINT32_MAX,
	};

	vq->table[0] = (struct vring_desc) {
		.addr = drv_buf_iova(1), .len = DRV_HDR + FRAME,
	};
	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		uint16_t head;

		table.len = len[i];
		head = drv_chain(&self->drv, DRV_TX, &table, 1);
		vq->desc[head].flags = VRING_DESC_F_INDIRECT;
		expect_tx_error(_metadata, &self->drv, head);
	}
}

TEST_F(bad, indirect_table_outside_of_the_map_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg table = { OUTSIDE - 16, 32 };
	uint16_t head = drv_chain(&self->drv, DRV_TX, &table, 1);
	struct vring_desc *last = (void *)(self->drv.mem + DRV_MEM - 16);

	*last = (struct vring_desc) {
		.addr = drv_buf_iova(1), .len = DRV_HDR + FRAME,
		.flags = VRING_DESC_F_NEXT, .next = 1,
	};
	vq->desc[head].flags = VRING_DESC_F_INDIRECT;
	expect_tx_error(_metadata, &self->drv, head);
}

TEST_F(bad, table_in_a_table_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg table = { vq->table_iova, 16 };
	uint16_t head = drv_chain(&self->drv, DRV_TX, &table, 1);

	vq->table[0] = (struct vring_desc) {
		.addr = vq->table_iova, .len = 16,
		.flags = VRING_DESC_F_INDIRECT,
	};
	vq->desc[head].flags = VRING_DESC_F_INDIRECT;
	expect_tx_error(_metadata, &self->drv, head);
}

TEST_F(bad, loop_in_a_table_is_completed)
{
	struct drv_vq *vq = &self->drv.vq[DRV_TX];
	struct drv_seg table = { vq->table_iova, 32 };
	uint16_t head = drv_chain(&self->drv, DRV_TX, &table, 1);

	for (int i = 0; i < 2; i++)
		vq->table[i] = (struct vring_desc) {
			.addr = drv_buf_iova(1), .len = 20,
			.flags = VRING_DESC_F_NEXT, .next = !i,
		};
	vq->desc[head].flags = VRING_DESC_F_INDIRECT;
	expect_tx_error(_metadata, &self->drv, head);
}

/* An RX buffer that cannot be used costs a frame, not the queue. */
static void expect_rx_error(struct __test_metadata *_metadata, struct drv *drv,
			    const struct drv_seg *rx, int nr)
{
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };
	int64_t errors = drv_counter(NAME, DRV_RX, "rx errors");

	drv_fill(drv_buf(1, drv), FRAME, NULL, 0);
	drv_post(drv, DRV_RX, rx, nr);
	drv_post(drv, DRV_TX, &tx, 1);
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_EQ(0, drv_used(drv, DRV_RX, DRV_WAIT_MS));
	EXPECT_LE(0, errors);
	EXPECT_EQ(errors + 1, drv_counter(NAME, DRV_RX, "rx errors"));
	EXPECT_EQ(STATUS_RUNNING, get_status(drv->fd));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(bad, rx_buffer_that_is_not_mapped_costs_one_frame)
{
	struct drv_seg rx = { OUTSIDE, DRV_BUF, true };

	expect_rx_error(_metadata, &self->drv, &rx, 1);
	rx.iova = OUTSIDE - DRV_HDR - FRAME + 1;
	expect_rx_error(_metadata, &self->drv, &rx, 1);
}

TEST_F(bad, rx_buffer_that_is_too_small_costs_one_frame)
{
	static const uint32_t len[] = {
		1, DRV_HDR - 1, DRV_HDR, DRV_HDR + 1, DRV_HDR + FRAME - 1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		struct drv_seg rx = { drv_buf_iova(0), len[i], true };

		expect_rx_error(_metadata, &self->drv, &rx, 1);
	}
}

TEST_F(bad, rx_buffer_that_is_not_writable_costs_one_frame)
{
	struct drv_seg rx = { drv_buf_iova(0), DRV_BUF, false };

	expect_rx_error(_metadata, &self->drv, &rx, 1);
}

TEST_F(bad, frame_without_an_rx_buffer_is_an_overrun)
{
	struct drv *drv = &self->drv;
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	drv_fill(drv_buf(1, drv), FRAME, NULL, 0);
	drv_post(drv, DRV_TX, &tx, 1);
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_RX, "rx overruns"));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(bad, frame_for_somebody_else_does_not_come_back)
{
	static const uint8_t other[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
	struct drv *drv = &self->drv;
	struct drv_seg rx = { drv_buf_iova(0), DRV_BUF, true };
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	drv_fill(drv_buf(1, drv), FRAME, other, 0);
	drv_post(drv, DRV_RX, &rx, 1);
	drv_post(drv, DRV_TX, &tx, 1);
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_EQ(-1, drv_used(drv, DRV_RX, DRV_QUIET_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_TX, "tx drops"));
}

/* A ring that is broken asks for a reset, and works after it. */
static void expect_needs_reset(struct __test_metadata *_metadata,
			       struct drv *drv, void (*breaks)(struct drv *drv))
{
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int error = eventfd(0, EFD_CLOEXEC);
	struct pollfd pfd = { .fd = event, .events = POLLIN };
	struct pollfd err = { .fd = error, .events = POLLIN };

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SET_CONFIG_CALL, &event));
	ASSERT_ERRNO(0, vq_file(drv->fd, VHOST_SET_VRING_ERR, DRV_TX, error));
	EXPECT_EQ(0, poll(&err, 1, 0));
	breaks(drv);
	drv_kick(drv, DRV_TX);
	EXPECT_EQ(1, poll(&pfd, 1, DRV_WAIT_MS));
	EXPECT_EQ(1, poll(&err, 1, DRV_WAIT_MS));
	EXPECT_EQ(STATUS_RUNNING | STATUS_NEEDS_RESET, get_status(drv->fd));
	close(event);
	close(error);

	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_EQ(STATUS_RUNNING, get_status(drv->fd));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

static void head_out_of_range(struct drv *drv)
{
	drv_avail(drv, DRV_TX, 16);
}

static void head_far_out_of_range(struct drv *drv)
{
	drv_avail(drv, DRV_TX, 0xffff);
}

static void index_jumps(struct drv *drv)
{
	drv->vq[DRV_TX].avail->idx += 17;
}

static void index_goes_back(struct drv *drv)
{
	drv->vq[DRV_TX].avail->idx--;
}

TEST_F(bad, ring_index_out_of_range_needs_a_reset)
{
	expect_needs_reset(_metadata, &self->drv, head_out_of_range);
	expect_needs_reset(_metadata, &self->drv, head_far_out_of_range);
}

TEST_F(bad, available_index_out_of_step_needs_a_reset)
{
	expect_needs_reset(_metadata, &self->drv, index_jumps);
	expect_needs_reset(_metadata, &self->drv, index_goes_back);
}

TEST_F(bad, zero_mappings_touch_nothing)
{
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, 0, UINT64_MAX));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	/* Mapped at last, it begins. */
	ASSERT_ERRNO(0, drv_map_running(drv, 0));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

/* Without the guard of an empty map these would be host addresses. */
TEST_F(bad, ring_at_physical_addresses_touches_nothing)
{
	struct drv *drv = &self->drv;
	struct drv_vq *vq = &drv->vq[DRV_TX];
	struct drv_seg tx = { mem_phys(drv_buf(1, drv)), DRV_HDR + FRAME };

	ASSERT_NE(0, tx.iova);
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, 0, UINT64_MAX));
	ASSERT_ERRNO(0, drv_negotiate(drv));
	ASSERT_ERRNO(0, drv_setup_vq(drv, DRV_TX));
	ASSERT_ERRNO(0, vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_TX,
				 0));
	ASSERT_ERRNO(0, vq_addr(drv->fd, DRV_TX, mem_phys(vq->desc),
				mem_phys(vq->avail), mem_phys(vq->used)));
	ASSERT_ERRNO(0, vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_TX,
				 1));
	ASSERT_ERRNO(0, set_status(drv->fd, STATUS_RUNNING));
	drv_post(drv, DRV_TX, &tx, 1);
	EXPECT_EQ(-1, drv_used(drv, DRV_TX, DRV_QUIET_MS));
}

TEST_F(bad, ring_unmapped_while_running_stalls_until_it_is_mapped)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(drv_works(drv, FRAME));
	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, DRV_IOVA, DRV_MEM));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	ASSERT_ERRNO(0, drv_map_running(drv, 0));
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

/* A stale translation of the ring would go on in the old pages. */
TEST_F(bad, ring_mapped_to_other_pages_goes_on_there)
{
	struct drv *drv = &self->drv;
	uint8_t *old = drv->mem, *copy = mem_anon(DRV_MEM);
	struct drv_vq *vq = &drv->vq[DRV_TX];
	uint16_t used;

	ASSERT_TRUE(drv_works(drv, FRAME));
	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, DRV_IOVA, DRV_MEM));
	memcpy(copy, old, DRV_MEM);
	used = vq->used->idx;
	drv->mem = copy;
	ASSERT_ERRNO(0, drv_map_running(drv, 0));
	for (int i = 0; i < drv->nvqs; i++) {
		drv->vq[i].desc = (void *)drv->vq[i].desc + (copy - old);
		drv->vq[i].avail = (void *)drv->vq[i].avail + (copy - old);
		drv->vq[i].used = (void *)drv->vq[i].used + (copy - old);
	}
	EXPECT_TRUE(drv_works(drv, FRAME));
	EXPECT_EQ(used, ((struct vring_used *)
			 ((uint8_t *)vq->used - (copy - old)))->idx);
	mem_free(old, DRV_MEM);
}

/* When an invalidate has returned, the device has let go. */
TEST_F(bad, unmapped_rx_buffers_are_never_written_again)
{
	struct drv *drv = &self->drv;
	uint64_t iova = drv_buf_iova(8);
	uint8_t *rx = drv_buf(8, drv);

	for (int round = 0; round < 20; round++) {
		struct drv_seg in = { iova, DRV_BUF, true };
		struct drv_seg out = { drv_buf_iova(1), DRV_HDR + 1514 };

		for (int i = 0; i < 7; i++)
			drv_avail(drv, DRV_RX, drv_chain(drv, DRV_RX, &in, 1));
		drv_fill(drv_buf(1, drv), 1514, NULL, round);
		for (int i = 0; i < 7; i++)
			drv_post(drv, DRV_TX, &out, 1);
		ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, iova, DRV_BUF));
		memset(rx, 0xa5, DRV_BUF);
		for (int i = 0; i < 7; i++) {
			ASSERT_LE(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
			ASSERT_LE(0, drv_used(drv, DRV_RX, DRV_WAIT_MS));
		}
		for (size_t i = 0; i < DRV_BUF; i++)
			ASSERT_EQ(0xa5, rx[i]);
		ASSERT_ERRNO(0, iotlb_map(drv->fd, 0, iova, DRV_BUF, rx,
					  VHOST_ACCESS_RW));
	}
}

TEST_F(bad, read_only_memory_is_not_written)
{
	struct drv *drv = &self->drv;
	struct drv_seg rx = { drv_buf_iova(8), DRV_BUF, true };
	uint8_t *buf = drv_buf(8, drv);

	ASSERT_ERRNO(0, iotlb_unmap(drv->fd, 0, rx.iova, DRV_BUF));
	ASSERT_ERRNO(0, iotlb_map(drv->fd, 0, rx.iova, DRV_BUF, buf,
				  VHOST_ACCESS_RO));
	memset(buf, 0xa5, DRV_BUF);
	expect_rx_error(_metadata, drv, &rx, 1);
	for (size_t i = 0; i < DRV_BUF; i++)
		ASSERT_EQ(0xa5, buf[i]);
}

TEST_F(bad, enabling_twice_does_not_reset_the_ring)
{
	struct drv *drv = &self->drv;

	ASSERT_TRUE(drv_works(drv, FRAME));
	vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_TX, 1);
	vq_state(drv->fd, VHOST_VDPA_SET_VRING_ENABLE, DRV_RX, 1);
	EXPECT_TRUE(drv_works(drv, FRAME));
}

TEST_F(bad, kick_does_not_survive_a_reset)
{
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	EXPECT_TRUE(drv_tx_waits(drv, FRAME));
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	drv_kick(drv, DRV_TX);
	EXPECT_EQ(-1, drv_used(drv, DRV_TX, DRV_QUIET_MS));
	ASSERT_ERRNO(0, drv_restart(drv));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	EXPECT_TRUE(drv_works(drv, FRAME));
}

/* A control command is answered, whatever it is like. */
static int ctrl(struct drv *drv, const void *cmd, uint32_t len, int status)
{
	uint8_t *buf = drv_buf(2, drv), *ack = drv_buf(3, drv);
	struct drv_seg seg[] = {
		{ drv_buf_iova(2), len }, { drv_buf_iova(3), status, true },
	};

	memcpy(buf, cmd, len);
	*ack = 0x77;
	/* Without a command, or without a place for the answer. */
	if (!len)
		drv_post(drv, DRV_CTRL, seg + 1, 1);
	else
		drv_post(drv, DRV_CTRL, seg, status ? 2 : 1);
	if (drv_used(drv, DRV_CTRL, DRV_WAIT_MS) != !!status)
		return -1;
	return *ack;
}

TEST_F(bad, control_command_is_always_answered)
{
	static const uint8_t set_mac[] = "\x01\x01\x52\x54\0\0\0\x77";
	static const struct {
		const char *cmd;
		uint32_t len;
	} bad[] = {
		{ "", 0 }, { "\x01", 1 }, { "\x01\x01", 2 },
		{ "\x01\x01\x52\x54\0\0\0", 7 },
		{ "\x01\x01\x52\x54\0\0\0\x66\x66", 9 },
		{ "\x01\x01\xff\xff\xff\xff\xff\xff", 8 },
		{ "\xff\x01\x52\x54\0\0\0\x66", 8 },
		{ "\x01\xff\x52\x54\0\0\0\x66", 8 },
	};
	struct drv *drv = &self->drv;
	uint8_t mac[ETH_ALEN];

	EXPECT_EQ(VIRTIO_NET_OK, ctrl(drv, set_mac, 8, 1));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(VIRTIO_NET_ERR,
			  ctrl(drv, bad[i].cmd, bad[i].len, 1))
			TH_LOG("command %zu", i);
	}
	EXPECT_EQ(0x77, ctrl(drv, "\xff\xff", 2, 0));
	ASSERT_ERRNO(0, config_io(drv->fd, VHOST_VDPA_GET_CONFIG, 0,
				  sizeof(mac), mac));
	EXPECT_EQ(0, memcmp(mac, set_mac + 2, ETH_ALEN));
	EXPECT_EQ(VIRTIO_NET_OK, ctrl(drv, set_mac, 8, 1));
	EXPECT_EQ(2, drv_counter(NAME, DRV_CTRL, "cvq successes"));
	EXPECT_EQ(9, drv_counter(NAME, DRV_CTRL, "cvq errors"));
}

TEST_F(bad, control_queue_in_its_own_address_space)
{
	static const uint8_t set_mac[] = "\x01\x01\x52\x54\0\0\0\x78";
	struct vhost_vring_state group = { .index = 1, .num = 1 };
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	ASSERT_ERRNO(0, drv_negotiate(drv));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SET_GROUP_ASID, &group));
	for (int i = 0; i < drv->nvqs; i++)
		ASSERT_ERRNO(0, drv_setup_vq(drv, i));
	ASSERT_ERRNO(0, set_status(drv->fd, STATUS_RUNNING));
	ASSERT_TRUE(drv_works(drv, FRAME));
	EXPECT_EQ(-1, ctrl(drv, set_mac, 8, 1));
	ASSERT_ERRNO(0, drv_map_running(drv, 1));
	EXPECT_EQ(1, drv_used(drv, DRV_CTRL, DRV_WAIT_MS));
	EXPECT_EQ(VIRTIO_NET_OK, ctrl(drv, set_mac, 8, 1));
}

TEST_HARNESS_MAIN
