/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to a disk, frames and control commands, in chains and indirect
 * tables. For surface "ring".
 */
#ifndef FUZZ_REQUESTS_H
#define FUZZ_REQUESTS_H

#include "rings.h"

/* Address of the loopback NIC. */
#define NIC_MAC		{ 0x02, 0x66, 0x75, 0x7a, 0x7a, 0x01 }

/*
 * b: what is asked for; c: in how many pieces, in a table, an odd header;
 * x: length; y: which sector, or of an address.
 */
void request_disk(struct queue *q, const struct record *r);
void request_net(struct queue *q, uint32_t idx, const struct record *r);

/* One that must be done, into rings without any; and was it? */
void request_good(struct queue *q, bool disk);
bool request_was_good(const struct queue *q, bool disk);

/* 0 or -errno. */
int request_set_mac(const struct device *device);

#endif /* FUZZ_REQUESTS_H */
