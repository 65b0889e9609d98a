// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of surface "ring"; see requests.h. The data area has headers first,
 * then what is sent, then what is received; they overlap if they are long.
 */
#include "requests.h"

#include <linux/vdpa.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "nl.h"

#define SECTOR		512
#define HEADERS		DATA
#define SENT		(DATA + 0x400)
#define RECEIVED	(DATA + 0x2400)
#define STATUS		(DATA + 0x3ff)	/* one for all */
#define NO_STATUS	0xee
#define MAX_PIECES	8
#define TABLE_BYTES	(MAX_PIECES * sizeof(struct vring_desc))
#define NR_TABLES	(QUEUE_TABLES / TABLE_BYTES)
#define NET_HDR		sizeof(struct virtio_net_hdr_v1)

/* A chain that is being made: of pieces of the memory. */
struct chain {
	struct {
		uint32_t at;
		uint32_t len;
		bool write;
	} piece[MAX_PIECES];
	uint32_t nr;
};

static void add(struct chain *c, uint32_t at, uint32_t len, bool write)
{
	if (c->nr == MAX_PIECES)
		return;
	c->piece[c->nr].at = at;
	c->piece[c->nr].len = len;
	c->piece[c->nr].write = write;
	c->nr++;
}

/* In @pieces, the last of which has the rest. */
static void add_cut(struct chain *c, uint32_t at, uint32_t len, bool write,
		    uint32_t pieces)
{
	uint32_t part = len / pieces;

	while (--pieces && part) {
		add(c, at, part, write);
		at += part;
		len -= part;
	}
	add(c, at, len, write);
}

static void put(struct vring_desc *table, uint16_t slot, uint16_t next,
		const struct chain *c, uint32_t i)
{
	desc_put(&table[slot], RW_IOVA + c->piece[i].at, c->piece[i].len,
		 (c->piece[i].write ? VRING_DESC_F_WRITE : 0) |
		 (i + 1 < c->nr ? VRING_DESC_F_NEXT : 0), next);
}

/* Descriptors that follow each other, in a table of its own if @table. */
static void offer(struct queue *q, const struct chain *c, bool table)
{
	uint32_t at = TABLES + (q - queues) * QUEUE_TABLES +
		      q->next % NR_TABLES * TABLE_BYTES, i;
	uint16_t head = q->next % q->size;
	uint64_t room = 0;

	if (queue_is_idle(q))
		q->first = q->next;

	for (i = 0; i < c->nr; i++) {
		if (c->piece[i].write)
			room += c->piece[i].len;
		if (table)
			put((void *)(rw + at), i, i + 1, c, i);
		else
			put(q->desc, (head + i) % q->size,
			    (head + i + 1) % q->size, c, i);
	}
	if (table)
		desc_put(&q->desc[head], RW_IOVA + at, c->nr * 16,
			 VRING_DESC_F_INDIRECT, 0);
	q->next += table ? 1 : c->nr;
	/* One that the device has not read yet is overwritten: it is another. */
	if ((uint16_t)(q->next - q->first) > q->size ||
	    (table && (uint16_t)(q->next - q->first) > NR_TABLES))
		queue_forget_room(q);
	queue_offer(q, head, room);
}

/* Ranges of DISCARD and its like: one, and those that follow. */
static void put_ranges(const struct record *r, uint32_t nr)
{
	struct virtio_blk_discard_write_zeroes *range = (void *)(rw + SENT);
	uint32_t i;

	for (i = 0; i < nr; i++) {
		range[i].sector = r->y + i * (r->x % 16);
		range[i].num_sectors = r->x % 64;
		range[i].flags = r->c >> 6;
	}
}

static const struct disk_op {
	uint32_t type;
	bool out, in, ranges;
} disk_ops[] = {
	{ VIRTIO_BLK_T_IN, .in = true },
	{ VIRTIO_BLK_T_OUT, .out = true },
	{ VIRTIO_BLK_T_FLUSH },
	{ VIRTIO_BLK_T_GET_ID, .in = true },
	{ VIRTIO_BLK_T_DISCARD, .ranges = true },
	{ VIRTIO_BLK_T_WRITE_ZEROES, .ranges = true },
	{ VIRTIO_BLK_T_SECURE_ERASE, .ranges = true },
	{ VIRTIO_BLK_T_OUT, .out = true, .in = true },
	{ 0x12345678, .in = true },
};

static void make_disk(struct queue *q, const struct disk_op *op,
		      const struct record *r)
{
	struct virtio_blk_outhdr *hdr = (void *)(rw + HEADERS) +
					q->next % 32 * sizeof(*hdr);
	uint32_t pieces = 1 + r->c % 4, len = r->x % 32 * SECTOR;
	struct chain c = {};

	hdr->type = op->type;
	hdr->ioprio = 0;
	hdr->sector = r->c & 8 ? value_of(r->b, r->y) : r->y % 160;
	/* Not of whole sectors, or what GET_ID wants. */
	if (r->x & 0x8000)
		len = r->x % 256;
	if (op->ranges) {
		len = (1 + r->x / 64 % 10) * 16;
		put_ranges(r, len / 16);
	}
	add(&c, (uint8_t *)hdr - rw, sizeof(*hdr), false);
	if (op->out || op->ranges)
		add_cut(&c, SENT, len, false, pieces);
	if (op->in)
		add_cut(&c, RECEIVED, len, true, pieces);
	if (!(r->c & 0x20))
		add(&c, STATUS, 1, true);
	rw[STATUS] = NO_STATUS;
	offer(q, &c, r->c & 0x10);
}

void request_disk(struct queue *q, const struct record *r)
{
	make_disk(q, &disk_ops[r->b % ARRAY_SIZE(disk_ops)], r);
}

static void make_frame(struct queue *q, const struct record *r)
{
	static const uint8_t to[4][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, NIC_MAC,
		{ 0x01, 0, 0x5e, 0, 0, 1 }, { 0x02, 9, 9, 9, 9, 9 },
	};
	struct virtio_net_hdr_v1 *hdr = (void *)(rw + SENT);
	uint32_t len = NET_HDR + 14 + r->x % 0x2000;
	struct chain c = {};

	memset(hdr, 0, sizeof(*hdr));
	if (r->c & 0x20) {
		hdr->flags = r->y;
		hdr->gso_type = r->y >> 8;
	}
	memcpy(hdr + 1, to[r->b % 4], 6);
	if (r->c & 8)
		add(&c, SENT, NET_HDR, false);
	add_cut(&c, SENT + (r->c & 8 ? NET_HDR : 0), len, false, 1 + r->c % 4);
	offer(q, &c, r->c & 0x10);
}

static void make_buffer(struct queue *q, const struct record *r)
{
	uint32_t len = r->c & 8 ? r->x % 0x1000 : 1 + r->x % 128;
	struct chain c = {};

	add_cut(&c, RECEIVED + r->y % 0x800, len, true, 1 + r->c % 4);
	offer(q, &c, r->c & 0x10);
}

static void make_command(struct queue *q, const struct record *r)
{
	const uint8_t mac[6] = { 2, r->x, r->x >> 8, r->y, r->y >> 8, 1 };
	struct virtio_net_ctrl_hdr *hdr = (void *)(rw + HEADERS);
	struct chain c = {};

	hdr->class = r->b & 1 ? r->b : VIRTIO_NET_CTRL_MAC;
	hdr->cmd = r->b & 2 ? r->b / 16 : VIRTIO_NET_CTRL_MAC_ADDR_SET;
	memcpy(hdr + 1, mac, sizeof(mac));
	add_cut(&c, HEADERS, sizeof(*hdr) + (r->b & 4 ? r->x % 64 : 6), false,
		1 + r->c % 4);
	if (!(r->c & 0x20))
		add(&c, STATUS, 1, true);
	offer(q, &c, r->c & 0x10);
}

void request_net(struct queue *q, uint32_t idx, const struct record *r)
{
	static void (*const makes[])(struct queue *q, const struct record *r) = {
		make_buffer, make_frame, make_command,
	};

	makes[idx](q, r);
}

void request_good(struct queue *q, bool disk)
{
	const struct record r = { .x = 1, .y = 1 };

	if (disk)
		make_disk(q, &disk_ops[0], &r);
	else
		make_frame(q, &r);
}

bool request_was_good(const struct queue *q, bool disk)
{
	if (!disk)
		return !q->used->ring[0].len;
	return rw[STATUS] == VIRTIO_BLK_S_OK &&
	       q->used->ring[0].len == SECTOR + 1;
}

int request_set_mac(const struct device *device)
{
	static const uint8_t mac[6] = NIC_MAC;
	struct nl *nl = devices_nl();

	nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, device->name);
	nl_put(nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, mac, sizeof(mac));
	return nl_do(nl);
}
