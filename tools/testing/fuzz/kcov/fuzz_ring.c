// SPDX-License-Identifier: GPL-2.0-only
/*
 * Surface "ring": what a driver puts into rings, indirect tables and buffers of
 * a software device, all of which it owns and may change at any time. It also
 * moves rings, takes memory away, and stops queues and the device.
 *
 * Of the operands of a record, a has the queue in its lowest two bits. An input
 * that does not start a device first has the loopback NIC.
 */
#include "surface.h"

#include <linux/if_packet.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev.h"
#include "devices.h"
#include "requests.h"
#include "rings.h"
#include "vhost.h"

#define MAX_RECORDS	100
#define GOOD_EVERY	16	/* inputs of a device */

/* Kinds of devices, each with its own file. */
static struct parent {
	uint32_t device;
	uint32_t nvqs;
	bool disk;
	uint32_t good;		/* queue that completes what it is given */
	uint64_t features;	/* those on offer */
	uint32_t inputs;
	int fd;
	bool map_changed;
} parents[] = {
	{ DEV_SIM_NET, 3, false, 1 },
	{ DEV_NET, 2, false, 1 },
	{ DEV_SIM_BLK, 1, true, 0 },
	{ DEV_BLK, 1, true, 0 },
};

static struct parent *parent;
static int host_socket;

static uint32_t idx_of(const struct record *r)
{
	return r->a % 4 % parent->nvqs;
}

static struct queue *queue_of(const struct record *r)
{
	return &queues[idx_of(r)];
}

static void queue_setup(uint32_t idx, uint16_t base)
{
	struct queue *q = &queues[idx];
	int fd = parent->fd;

	vq_state(fd, VHOST_SET_VRING_NUM, idx, q->size);
	vq_state(fd, VHOST_SET_VRING_BASE, idx, base);
	vq_addr(fd, idx, q->desc_iova, q->avail_iova, q->used_iova);
	vq_file(fd, VHOST_SET_VRING_KICK, idx, q->kick);
	vq_file(fd, VHOST_SET_VRING_CALL, idx, q->call);
	vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, idx, 1);
}

static void begin(uint64_t features, uint16_t base)
{
	int fd = parent->fd;
	uint32_t i;

	set_status(fd, STATUS_ACK);
	set_status(fd, STATUS_ACK | STATUS_DRIVER);
	set_features(fd, features);
	set_status(fd, STATUS_RUNNING & ~STATUS_DRIVER_OK);
	for (i = 0; i < parent->nvqs; i++)
		queue_setup(i, base);
	set_status(fd, STATUS_RUNNING);
}

static void stop(void)
{
	race_end();
	if (set_status(parent->fd, 0))
		wrong("a device cannot be reset");
}

/* Features that the rings depend on, a bit of @how for each to do without. */
static uint64_t features_less(uint8_t how)
{
	static const uint8_t bits[] = {
		VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_NET_F_MRG_RXBUF, VIRTIO_F_RING_RESET,
		VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_F_CONFIG_WCE,
	};
	uint64_t features = parent->features;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (how & 1U << i)
			features &= ~(1ULL << bits[i]);
	return features;
}

/* Another device, or the same again: size in b, features in c. */
static void do_start(const struct record *r)
{
	stop();
	parent = &parents[r->a % ARRAY_SIZE(parents)];
	rings_clear(1U << r->b % 9, r->x);
	if (r->y)
		rings_move(r->y);
	begin(features_less(r->c), r->x);
}

/* Where in the memory, or next to it; how much follows is for the device. */
static uint64_t iova_of(uint8_t where, uint16_t x)
{
	switch (where % 16) {
	case 8:
		return RO_IOVA + x % 0x1000;
	case 9:
		return WO_IOVA + x % 0x1000;
	case 10:
		return RO_IOVA - x % 64;
	case 11:
		return END_IOVA - x % 64;
	case 12:
		return TOP_IOVA + x % 0x1000;
	case 13:
		return value_of(where, x);
	case 14:
		return RW_IOVA - x % 64;
	case 15:
		return RW_IOVA + TABLES + x % TABLES_BYTES;
	default:
		return RW_IOVA + x;
	}
}

/* Is an address of iova_of() one from where writing reaches used rings? */
static bool may_reach_rings(uint8_t where, uint16_t x)
{
	return where % 16 == 13 || (where % 16 < 8 && x < TABLES);
}

/* Any descriptor of a table: where in b, flags and length in c. */
static void put_any(struct vring_desc *table, uint32_t nr,
		    const struct record *r)
{
	uint16_t next = r->c & 0x40 ? r->y : r->b / 16 + r->c / 8 % 4;
	uint64_t len = r->c & 0x80 ? value_of(r->b, r->y) : r->y % 0x1000;
	uint32_t i;

	if (may_reach_rings(r->b, r->x))
		honest = false;
	for (i = 0; i < NR_QUEUES; i++)
		queue_forget_room(&queues[i]);
	desc_put(&table[r->a / 4 % nr], iova_of(r->b, r->x), len, r->c % 8,
		 next % (r->c & 0x40 ? 0x10000 : nr));
}

static void do_desc(const struct record *r)
{
	struct queue *q = queue_of(r);

	put_any(q->desc, q->size, r);
}

static void do_table(const struct record *r)
{
	put_any((void *)(rw + TABLES + idx_of(r) * QUEUE_TABLES),
		QUEUE_TABLES / sizeof(struct vring_desc), r);
}

/* A head on offer, there or not; y: kick. */
static void do_offer(const struct record *r)
{
	struct queue *q = queue_of(r);

	queue_offer(q, r->c & 1 ? r->x : r->b % q->size, UINT64_MAX);
	if (r->y & 1)
		queue_kick(q);
}

static void do_index(const struct record *r)
{
	struct queue *q = queue_of(r);

	honest = false;
	q->avail->idx = r->b & 1 ? r->x : q->avail->idx + r->x % (q->size + 2);
	queue_kick(q);
}

/* When the driver wants to hear of completions. */
static void do_flags(const struct record *r)
{
	struct queue *q = queue_of(r);

	q->avail->flags = r->b;
	q->avail->ring[q->size] = r->x;
}

static void do_poke(const struct record *r)
{
	honest = false;
	memcpy(rw + r->x % (RW_BYTES - 1), &r->y, 1 + r->b % 2);
}

static void do_kick(const struct record *r)
{
	queue_kick(queue_of(r));
}

static void do_wait(const struct record *r)
{
	uint32_t idx = idx_of(r);

	queue_wait(&queues[idx], WAIT_MS);
	queue_check(&queues[idx], idx);
}

/* A request or frame that may well be good; see requests.h. */
static void do_request(const struct record *r)
{
	struct queue *q = queue_of(r);

	if (parent->disk)
		request_disk(q, r);
	else
		request_net(q, idx_of(r), r);
	if (!(r->a & 0x80))
		queue_kick(q);
}

/* A frame from the host, into buffers that a driver has posted. */
static void do_host_frame(const struct record *r)
{
	static uint8_t frame[0x4000] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(devices[DEV_NET].name),
	};
	size_t len = 14 + r->x % 1500;

	if (parent->device != DEV_NET)
		return;
	if (sendto(host_socket, frame, len, MSG_DONTWAIT, (void *)&addr,
		   sizeof(addr)) < 0)
		return;
}

/*
 * Two bytes that change all the time from now on: of a ring index, of a
 * descriptor, of an indirect table, or anywhere.
 */
static void do_race(const struct record *r)
{
	struct queue *q = queue_of(r);
	const void *const parts[] = {
		&q->avail->idx, &q->avail->ring[r->c % q->size],
		&q->desc[r->c % q->size], rw + TABLES + r->c * 16,
		rw + DATA, rw + (r->x & 0xfff0),
		q->used, &q->avail->ring[q->size],
	};
	const uint8_t *part = parts[r->b % ARRAY_SIZE(parts)];

	race_add(part - rw + r->x % 16, r->y);
}

static void do_race_end(const struct record *r)
{
	do_wait(r);
	race_end();
}

static void do_queue_reset(const struct record *r)
{
	uint32_t idx = idx_of(r);

	honest = false;
	vq_state(parent->fd, VHOST_VDPA_SET_VRING_ENABLE, idx, 0);
	if (r->b & 1)
		queue_setup(idx, r->x);
	else if (r->b & 2)
		vq_state(parent->fd, VHOST_VDPA_SET_VRING_ENABLE, idx, 1);
}

static void do_suspend(const struct record *r)
{
	ioctl(parent->fd, VHOST_VDPA_SUSPEND);
	if (r->b & 1)
		vq_get(parent->fd, VHOST_GET_VRING_BASE, idx_of(r));
	if (r->b & 2) {
		honest = false;
		queue_setup(idx_of(r), r->x);
	}
	if (!(r->b & 4))
		ioctl(parent->fd, VHOST_VDPA_RESUME);
}

/* Pages go away, and maybe come back as others. */
static void do_map(const struct record *r)
{
	uint64_t at = RW_IOVA + r->x % 18 * 0x1000;
	uint64_t size = (1 + r->c % 4) * 0x1000;

	parent->map_changed = true;
	honest = false;
	iotlb_unmap(parent->fd, 0, at, size);
	if (r->b & 1)
		iotlb_map(parent->fd, 0, at, size,
			  rw + r->y % 12 * 0x1000, 1 + r->b / 2 % 3);
}

static void do_config(const struct record *r)
{
	uint8_t bytes[4] = { r->c, r->c >> 4, r->x, r->x >> 8 };

	config_io(parent->fd, VHOST_VDPA_SET_CONFIG, r->b % 64, 1 + r->y % 4,
		  bytes);
}

static void (*const ops[])(const struct record *r) = {
	do_start, do_request, do_request, do_desc, do_desc, do_table, do_offer,
	do_kick, do_wait, do_race, do_race_end, do_index, do_flags, do_poke,
	do_host_frame, do_queue_reset, do_suspend, do_map, do_config,
};

/* A NIC takes its address from the driver; the next input has the first. */
static void restore(void)
{
	static const uint8_t mac[6] = NIC_MAC;
	uint8_t now[6];

	if (parent->map_changed)
		rings_map(parent->fd);
	parent->map_changed = false;
	if (parent->device == DEV_SIM_NET &&
	    !config_io(parent->fd, VHOST_VDPA_GET_CONFIG, 0, 6, now) &&
	    memcmp(mac, now, 6) && request_set_mac(&devices[DEV_SIM_NET]))
		wrong("the address of a NIC cannot be set");
}

/* Whatever was done to it: after a reset a device does what it should. */
static void check_works(void)
{
	struct queue *q = &queues[parent->good];

	rings_clear(8, 0);
	begin(parent->features, 0);
	request_good(q, parent->disk);
	queue_kick(q);
	queue_wait(q, SURE_MS);
	if (q->used->idx != 1 || !request_was_good(q, parent->disk))
		wrong("%s does not work after a reset",
		      devices[parent->device].name);
	queue_check(q, parent->good);
	stop();
}

static void run(const struct record *record, uint32_t nr)
{
	const struct record first = { .b = 3 };
	uint32_t i;

	if (!nr || ops[record[0].op % ARRAY_SIZE(ops)] != do_start)
		do_start(&first);
	for (i = 0; i < nr && i < MAX_RECORDS; i++)
		ops[record[i].op % ARRAY_SIZE(ops)](&record[i]);
	/* What nobody waits for is forgotten by the reset. */
	for (i = parent->good; i < parent->nvqs; i++)
		queue_wait(&queues[i], WAIT_MS);
	stop();
	for (i = 0; i < parent->nvqs; i++)
		queue_check(&queues[i], i);
	rings_check_memory();
	for (i = 0; i < ARRAY_SIZE(parents); i++) {
		parent = &parents[i];
		restore();
	}
	parent = &parents[record && nr ? record->a % ARRAY_SIZE(parents) : 0];
	if (parent->inputs++ % GOOD_EVERY == 0)
		check_works();
}

static const char *parent_open(struct parent *p)
{
	uint64_t backend = 0;

	p->fd = device_open(&devices[p->device]);
	if (p->fd < 0 || ioctl(p->fd, VHOST_SET_OWNER) ||
	    ioctl(p->fd, VHOST_GET_BACKEND_FEATURES, &backend) ||
	    set_backend(p->fd, backend) ||
	    ioctl(p->fd, VHOST_GET_FEATURES, &p->features))
		return "a device cannot be opened";
	rings_map(p->fd);
	return NULL;
}

static const char *init(void)
{
	const char *name = devices[DEV_NET].name, *why = devices_init();
	uint32_t i;

	if (!why)
		why = rings_init();
	if (!why && request_set_mac(&devices[DEV_SIM_NET]))
		why = "the address of a NIC cannot be set";
	for (i = 0; i < ARRAY_SIZE(parents) && !why; i++)
		why = parent_open(&parents[i]);
	parent = &parents[0];
	host_socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	file_write("1", "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	run_command("ip link set %s up", name);
	return why;
}

const struct surface surface = { init, run };
