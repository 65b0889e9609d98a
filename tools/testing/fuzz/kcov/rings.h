/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a device is given, the rings in it, and a thread that changes
 * both while the device reads them. For surface "ring".
 *
 * The memory is one of pages that are mapped for reading and writing, then one
 * for reading, then one for writing, in I/O virtual addresses one after the
 * other. In the process there is a page around each that the device has not.
 */
#ifndef FUZZ_RINGS_H
#define FUZZ_RINGS_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices.h"
#include "surface.h"

#define RW_BYTES	0x10000U
#define RW_IOVA		0x100000ULL
#define RO_IOVA		(RW_IOVA + RW_BYTES)
#define WO_IOVA		(RO_IOVA + 0x1000)
#define END_IOVA	(WO_IOVA + 0x1000)
#define TOP_IOVA	(0 - 0x1000ULL)	/* the last page of the first ones */

#define NR_QUEUES	3U		/* as many as a device here has */
#define QUEUE_BYTES	0x3000U		/* for each of them */
#define QUEUE_SIZE	256U
#define TABLES		(NR_QUEUES * QUEUE_BYTES)	/* indirect ones */
#define TABLES_BYTES	0x2000U
#define QUEUE_TABLES	0x800U		/* of one queue, of these */
#define DATA		(TABLES + TABLES_BYTES)		/* to the end */
#define DATA_BYTES	(RW_BYTES - DATA)

#define WAIT_MS		3		/* for what may never come */
#define SURE_MS		20000		/* for what must */

/* A queue as its driver knows it. */
struct queue {
	uint32_t size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t desc_iova, avail_iova, used_iova;
	uint16_t next;		/* descriptor to use next */
	uint16_t first;		/* @next when the queue was last idle */
	uint16_t seen;		/* used index that was looked at */
	int kick, call;		/* eventfds */

	/* Of each head: how often it is on offer, bytes that may come back. */
	uint32_t offered[QUEUE_SIZE];
	uint64_t room[QUEUE_SIZE];
};

extern uint8_t *rw;
extern struct queue queues[NR_QUEUES];
/* Nobody but the device writes to used rings, and we know what we offer. */
extern bool honest;

const char *rings_init(void);

/* All memory is mapped for @device, and nothing else. */
void rings_map(int fd);
/* Zeroes, and rings at the usual places. */
void rings_clear(uint32_t size, uint16_t base);
/* Lays them out in an odd way. */
void rings_move(uint8_t how);

/* What the device has written where it must not, or completed. */
void rings_check_memory(void);
void queue_check(struct queue *q, uint32_t idx);

/* A descriptor, and a head on offer; @room: bytes to be written at most. */
void desc_put(struct vring_desc *desc, uint64_t addr, uint64_t len,
	      uint16_t flags, uint16_t next);
void queue_offer(struct queue *q, uint16_t head, uint64_t room);
/* Descriptors of heads on offer have changed: anything may come back. */
void queue_forget_room(struct queue *q);
bool queue_is_idle(const struct queue *q);
void queue_kick(struct queue *q);
/* Until the device has completed all that is on offer, but @ms at most. */
void queue_wait(struct queue *q, int ms);

/*
 * Until race_end(), another CPU turns the two bytes at @at of the memory into
 * @value and back; up to RACES_MAX places.
 */
#define RACES_MAX	4
void race_add(uint32_t at, uint16_t value);
void race_end(void);

#endif /* FUZZ_RINGS_H */
