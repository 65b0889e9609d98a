// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was done last, told when something is wrong, with what makes it happen
 * again. Also from the watchdog's signal: the program ends there anyway.
 */
#include "random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES		24
#define NOTE_LEN	200

static char notes[NOTES][NOTE_LEN];
static unsigned int nr_notes;
static const struct options *options;
static uint64_t round_seed;

void log_begin(const struct options *opts, uint64_t seed)
{
	options = opts;
	round_seed = seed;
	nr_notes = 0;
}

void note(const char *fmt, ...)
{
	char *line = notes[nr_notes++ % NOTES];
	va_list args;
	int len;

	len = snprintf(line, NOTE_LEN, "[%u] ", w.step);
	va_start(args, fmt);
	vsnprintf(line + len, NOTE_LEN - len, fmt, args);
	va_end(args);
	if (getenv("ABI_RANDOM_TRACE"))
		fprintf(stderr, "# %s\n", line);
}

void fail(const char *fmt, ...)
{
	unsigned int i = nr_notes > NOTES ? nr_notes - NOTES : 0;
	va_list args;

	for (; i < nr_notes; i++)
		printf("# %s\n", notes[i % NOTES]);
	printf("# shape: %s; memlock %lu pages\n", m.shape.knobs,
	       m.shape.memlock);
	printf("# WRONG: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n# again: --parent %s --seed %lu --steps %u\n",
	       !options->mock ? "net" : *options->dma_dev ? "iommu" : "mock",
	       round_seed, w.step);
	printf("not ok 1 - random calls, seed %lu, step %u\n", round_seed,
	       w.step);
	fflush(stdout);
	_exit(1);
}

const char *err_name(int err)
{
	return err ? strerrorname_np(err < 0 ? -err : err) ?: "?" : "0";
}

void expect(int want, int got, const char *fmt, ...)
{
	char text[NOTE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note("%s = %s", text, err_name(got));
	if (want != got)
		fail("%s answers %s and not %s", text, err_name(got),
		     err_name(want));
}
