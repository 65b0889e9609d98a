// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, and what is made of its readings. In a VM under "-icount shift=0"
 * one tick of the time stamp counter of 1 GHz is one instruction, of the kernel
 * as of the program. That is checked here before anything is measured, and what
 * reading the clock costs is taken off every reading.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define LOOPS	100000
#define TRIES	101

static uint64_t overhead;

uint64_t clock_now(void)
{
	return __rdtsc();
}

uint64_t clock_since(uint64_t start)
{
	uint64_t ticks = __rdtsc() - start;

	return ticks > overhead ? ticks - overhead : 0;
}

/* Two instructions a turn. */
static void spin(uint64_t turns)
{
	asm volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
}

void clock_init(void)
{
	struct figure figure = figure_new(TRIES);
	uint64_t start, ticks;

	for (int i = 0; i < TRIES; i++) {
		start = clock_now();
		figure_add(&figure, clock_now() - start);
	}
	overhead = figure_median(&figure);

	figure.nr = 0;
	for (int i = 0; i < TRIES; i++) {
		start = clock_now();
		spin(LOOPS);
		figure_add(&figure, clock_since(start));
	}
	ticks = figure_median(&figure);
	/* A few are those of the call. */
	if (ticks < 2 * LOOPS || ticks > 2 * LOOPS + LOOPS / 100)
		die("%lu ticks for %d instructions: run it under -icount",
		    ticks, 2 * LOOPS);
	free(figure.sample);
}

struct figure figure_new(unsigned int max)
{
	struct figure figure = { .max = max };

	figure.sample = calloc(max, sizeof(*figure.sample));
	if (!figure.sample)
		die("no memory for %u samples", max);
	return figure;
}

void figure_add(struct figure *figure, uint64_t value)
{
	if (figure->nr == figure->max)
		die("more than %u samples", figure->max);
	figure->sample[figure->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t figure_median(struct figure *figure)
{
	if (!figure->nr)
		die("no sample");
	qsort(figure->sample, figure->nr, sizeof(*figure->sample), compare);
	return figure->sample[figure->nr / 2];
}

/* One line: name, median, least, most, samples. Ends the figure. */
void figure_report(struct figure *figure, const char *name)
{
	uint64_t median = figure_median(figure);

	printf("%s\t%lu\t%lu\t%lu\t%u\n", name, median, figure->sample[0],
	       figure->sample[figure->nr - 1], figure->nr);
	fflush(stdout);
	free(figure->sample);
	*figure = (struct figure){};
}
