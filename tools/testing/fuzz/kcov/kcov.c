// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCOV for libFuzzer; see kcov.h. Called by engine.c, before and after each
 * input.
 *
 * Blocks are numbered in the order in which they are seen first: no two share
 * a counter, and their number is known. libFuzzer looks for the counters in a
 * section of this name, and clears them itself.
 */
#include "kcov.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libfuzzer.h"

#define __section(name)	__attribute__((section(name)))

#define KCOV		"/sys/kernel/debug/kcov"
#define NR_BLOCKS	16384U	/* more than the modules have */
#define NR_SLOTS	(4 * NR_BLOCKS)
#define NR_PCS		65536UL	/* that a call or its workers may run */
#define NR_MODULES	16

static uint8_t counters[NR_BLOCKS] __section(EXTRA_COUNTERS);

/* One area of the kernel: how many addresses, then these. */
struct trace {
	int fd;
	uint64_t *pcs;
};

static struct trace self, workers;

/* Hash table of the blocks; nr is 0 in a slot that is free. */
static struct {
	uint64_t pc;
	uint32_t nr;
} slots[NR_SLOTS];

static uint32_t nr_blocks;

static const char *trace_open(struct trace *trace)
{
	void *pcs;

	trace->fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (trace->fd < 0)
		return "the kernel has no " KCOV;
	if (ioctl(trace->fd, KCOV_INIT_TRACE, NR_PCS))
		return "KCOV_INIT_TRACE fails";
	pcs = mmap(NULL, NR_PCS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		   MAP_SHARED, trace->fd, 0);
	if (pcs == MAP_FAILED)
		return "the area of KCOV cannot be mapped";
	trace->pcs = pcs;
	return NULL;
}

const char *kcov_follow_workers(void)
{
	struct kcov_remote_arg arg = {
		.trace_mode = KCOV_TRACE_PC,
		.area_size = NR_PCS,
		/* Each program has its own: to merge takes two of them. */
		.common_handle = kcov_remote_handle(KCOV_SUBSYSTEM_COMMON,
						    getpid()),
	};
	const char *why = trace_open(&workers);

	if (why)
		return why;
	return ioctl(workers.fd, KCOV_REMOTE_ENABLE, &arg) ?
		"KCOV_REMOTE_ENABLE fails" : NULL;
}

const char *kcov_follow_self(void)
{
	const char *why = trace_open(&self);

	if (why)
		return why;
	return ioctl(self.fd, KCOV_ENABLE, KCOV_TRACE_PC) ?
		"KCOV_ENABLE fails" : NULL;
}

static void trace_forget(struct trace *trace)
{
	if (trace->pcs)
		__atomic_store_n(trace->pcs, 0, __ATOMIC_RELAXED);
}

void kcov_forget(void)
{
	trace_forget(&self);
	trace_forget(&workers);
}

/* Its number, counted from 0. The last one is for all that find no room. */
static uint32_t block_nr(uint64_t pc)
{
	uint32_t slot = pc * 0x9e3779b97f4a7c15ULL >> 32;

	for (;; slot++) {
		slot %= NR_SLOTS;
		if (slots[slot].nr && slots[slot].pc == pc)
			return slots[slot].nr - 1;
		if (slots[slot].nr)
			continue;
		if (nr_blocks < NR_BLOCKS - 1) {
			slots[slot].pc = pc;
			slots[slot].nr = ++nr_blocks;
		}
		return slots[slot].nr ? nr_blocks - 1 : NR_BLOCKS - 1;
	}
}

static void trace_count(const struct trace *trace)
{
	uint64_t i, nr;

	if (!trace->pcs)
		return;
	nr = __atomic_load_n(trace->pcs, __ATOMIC_RELAXED);
	for (i = 1; i <= nr && i < NR_PCS; i++) {
		uint8_t *counter = &counters[block_nr(trace->pcs[i])];

		if (*counter < UINT8_MAX)
			++*counter;
	}
}

void kcov_count(void)
{
	trace_count(&self);
	trace_count(&workers);
	/* libFuzzer gives up if its first inputs reach nothing. */
	counters[NR_BLOCKS - 1] |= 1;
}

static uint32_t blocks_between(uint64_t first, uint64_t end)
{
	uint32_t i, nr = 0;

	for (i = 0; i < NR_SLOTS; i++)
		nr += slots[i].nr && slots[i].pc >= first && slots[i].pc < end;
	return nr;
}

void kcov_tell(void)
{
	char line[512], name[64];
	uint64_t base, size;
	uint32_t nr;
	FILE *file = fopen("/proc/modules", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lu %*u %*s %*s %lx", name, &size,
			   &base) != 3)
			continue;
		nr = blocks_between(base, base + size);
		if (nr)
			printf("blocks seen: %u %s\n", nr, name);
	}
	if (file)
		fclose(file);
	printf("blocks seen: %u in all\n", nr_blocks);
}
