// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libFuzzer calls to make a new input of old ones: records are inserted,
 * dropped, moved and changed whole. And numbers to choose from.
 */
#include "surface.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../abi/rng.h"
#include "libfuzzer.h"

#define RECORD	sizeof(struct record)

/* An input that is being made. */
struct draft {
	struct rng rng;
	uint8_t *data;
	size_t nr, max;		/* records */
};

static size_t draft_pick(struct draft *draft)
{
	return rng_below(&draft->rng, draft->nr);
}

/* Room for a record at a place that is drawn; NULL if there is none. */
static uint8_t *draft_room(struct draft *draft)
{
	size_t at = rng_below(&draft->rng, draft->nr + 1);
	uint8_t *record = draft->data + at * RECORD;

	if (draft->nr >= draft->max)
		return NULL;
	memmove(record + RECORD, record, (draft->nr - at) * RECORD);
	draft->nr++;
	return record;
}

static void draft_insert(struct draft *draft)
{
	uint8_t *record = draft_room(draft);
	uint64_t value = rng_next(&draft->rng);

	/* Small numbers mean more. */
	if (rng_percent(&draft->rng, 50))
		value &= 0x0f03030303ffULL;
	if (record)
		memcpy(record, &value, RECORD);
}

static void draft_copy(struct draft *draft)
{
	uint8_t old[RECORD], *record;

	memcpy(old, draft->data + draft_pick(draft) * RECORD, RECORD);
	record = draft_room(draft);
	if (record)
		memcpy(record, old, RECORD);
}

static void draft_drop(struct draft *draft)
{
	size_t at = draft_pick(draft), nr = 1;

	if (rng_percent(&draft->rng, 20))
		nr += rng_below(&draft->rng, draft->nr - at);
	memmove(draft->data + at * RECORD, draft->data + (at + nr) * RECORD,
		(draft->nr - at - nr) * RECORD);
	draft->nr -= nr;
}

static void draft_swap(struct draft *draft)
{
	uint8_t *a = draft->data + draft_pick(draft) * RECORD;
	uint8_t *b = draft->data + draft_pick(draft) * RECORD;
	uint8_t old[RECORD];

	memcpy(old, a, RECORD);
	memcpy(a, b, RECORD);
	memcpy(b, old, RECORD);
}

static void draft_byte(struct draft *draft)
{
	uint8_t *byte = draft->data + draft_pick(draft) * RECORD +
			rng_below(&draft->rng, RECORD);

	*byte = rng_percent(&draft->rng, 50) ? *byte + 1 :
					       rng_below(&draft->rng, 256);
}

static void draft_change(struct draft *draft)
{
	uint8_t *record = draft->data + draft_pick(draft) * RECORD;
	size_t left = LLVMFuzzerMutate(record, RECORD, RECORD);

	memset(record + left, 0, RECORD - left);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	static void (*const steps[])(struct draft *draft) = {
		draft_insert, draft_insert, draft_copy, draft_drop, draft_swap,
		draft_byte, draft_byte, draft_byte, draft_change, draft_change,
	};
	struct draft draft = {
		{ seed }, data, size / RECORD, max / RECORD,
	};
	int left = 1 + rng_below(&draft.rng, 3);

	while (left--) {
		if (!draft.nr)
			draft_insert(&draft);
		else
			steps[rng_below(&draft.rng, ARRAY_SIZE(steps))](&draft);
	}
	return draft.nr * RECORD;
}

/* The beginning of one, then the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max, unsigned int seed)
{
	struct rng rng = { seed };
	size_t head = rng_below(&rng, a_size / RECORD + 1) * RECORD;
	size_t skip = rng_below(&rng, b_size / RECORD + 1) * RECORD;
	size_t tail = b_size / RECORD * RECORD - skip;

	if (head > max)
		head = max;
	if (tail > max - head)
		tail = max - head;
	memcpy(out, a, head);
	memcpy(out + head, b + skip, tail);
	return head + tail;
}

uint64_t value_of(uint8_t kind, uint16_t x)
{
	static const uint64_t base[] = {
		0, 0, 0x1000, 0x10000, 1ULL << 20, 1ULL << 30, 1ULL << 31,
		1ULL << 32, 1ULL << 40, 1ULL << 47, 1ULL << 63, INT32_MAX,
		UINT32_MAX, INT64_MAX, UINT64_MAX, 0x7fffffffe000ULL,
	};
	uint64_t value = base[kind % ARRAY_SIZE(base)];

	switch (kind / ARRAY_SIZE(base) % 4) {
	case 0:
		return value + x;
	case 1:
		return value - x;
	case 2:
		return value + ((uint64_t)x << 12);
	default:
		return value ^ 1ULL << x % 64;
	}
}
