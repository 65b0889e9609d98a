// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which n is next. A call that allocates the same thing hundreds of times (the
 * pages of a large buffer) is not failed at each: after a row of points with
 * the same backtrace the steps double, and where a step finds another one, or
 * the end, it goes back to half of it. So no change of the backtrace is missed
 * unless it lasts for less than a step in the middle of such a row.
 */
#include "faults.h"

#define ROW	8	/* points that are alike before steps grow */

void stride_start(struct stride *stride)
{
	*stride = (struct stride){ .n = 1, .step = 1 };
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 0x100000001b3ULL;
	return hash;
}

bool stride_next(struct stride *stride, const char *stack)
{
	uint64_t hash = stack ? hash_of(stack) : 0;

	if (stride->step > 1 && (!stack || hash != stride->hash)) {
		stride->skipped -= stride->step - stride->step / 2;
		stride->step /= 2;
		stride->alike = 0;
		stride->n = stride->seen + stride->step;
		return true;
	}
	if (!stack)
		return false;
	stride->alike = hash == stride->hash ? stride->alike + 1 : 1;
	stride->hash = hash;
	stride->seen = stride->n;
	if (stride->alike >= ROW)
		stride->step *= 2;
	stride->n += stride->step;
	stride->skipped += stride->step - 1;
	return true;
}
