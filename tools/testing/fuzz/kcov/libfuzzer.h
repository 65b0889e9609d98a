/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libFuzzer offers and what it looks for; it has no header of its own.
 */
#ifndef FUZZ_LIBFUZZER_H
#define FUZZ_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/* The section of the counters that an input may raise. */
#define EXTRA_COUNTERS	"__libfuzzer_extra_counters"

/* libFuzzer */
int LLVMFuzzerRunDriver(int *argc, char ***argv,
			int (*fn)(const uint8_t *data, size_t size));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* mutate.c */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max, unsigned int seed);

#endif /* FUZZ_LIBFUZZER_H */
