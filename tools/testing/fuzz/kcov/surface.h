/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the engine and a surface. An input is a program: records of eight
 * bytes, each an operation with its arguments. The engine mutates whole
 * records, so what is inserted does not change the meaning of what follows.
 */
#ifndef FUZZ_SURFACE_H
#define FUZZ_SURFACE_H

#include <stdint.h>

#include "files.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct record {
	uint8_t op, a, b, c;
	uint16_t x, y;
};

/*
 * All is called by one thread. @init makes what all inputs use and answers
 * NULL, or why it cannot. @run leaves nothing behind by which the next input
 * could be told from the first.
 */
struct surface {
	const char *(*init)(void);
	void (*run)(const struct record *record, uint32_t nr);
};

extern const struct surface surface;

/* A number that means something to many: @kind chooses, @x varies. */
uint64_t value_of(uint8_t kind, uint16_t x);

/* What must never happen did; the input is kept as a crash. */
_Noreturn void wrong(const char *fmt, ...)
	__printf(1, 2);

#endif /* FUZZ_SURFACE_H */
