// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages. Every update has its invalidate, so that each sample starts
 * with the map that the one before it started with.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "vhost.h"

#define PAGE		0x1000UL
#define IOVA		0x100000000UL
#define LARGE_SAMPLES	5
#define PAGE_SAMPLES	501
#define BATCH		1000
#define BATCH_SAMPLES	11

static void map(struct bench *b, uint64_t iova, size_t size, char *mem)
{
	if (iotlb_map(b->fd, 0, iova, size, mem, VHOST_ACCESS_RW))
		die("update of %zu bytes at %#lx: %m", size, iova);
}

static void unmap(struct bench *b, uint64_t iova, size_t size)
{
	if (iotlb_unmap(b->fd, 0, iova, size))
		die("invalidate of %zu bytes at %#lx: %m", size, iova);
}

/* An update and an invalidate of the same, once. */
static void pair(struct bench *b, uint64_t iova, size_t size, char *mem,
		 struct figure *update, struct figure *invalidate)
{
	uint64_t start = clock_now();

	map(b, iova, size, mem);
	figure_add(update, clock_since(start));
	start = clock_now();
	unmap(b, iova, size);
	figure_add(invalidate, clock_since(start));
}

static void large(struct bench *b, char *mem, const char *name)
{
	struct figure update = figure_new(LARGE_SAMPLES);
	struct figure invalidate = figure_new(LARGE_SAMPLES);
	char text[64];

	for (int i = 0; i < LARGE_SAMPLES; i++)
		pair(b, IOVA, b->size, mem, &update, &invalidate);
	snprintf(text, sizeof(text), "%s_update", name);
	figure_report(&update, text);
	snprintf(text, sizeof(text), "%s_invalidate", name);
	figure_report(&invalidate, text);
	memory_free(mem, b->size);
}

void map_huge(struct bench *b)
{
	large(b, memory_huge(b->size), "huge");
}

void map_scattered(struct bench *b)
{
	large(b, memory_scattered(b->size), "scattered");
}

void map_rows(struct bench *b)
{
	large(b, memory_rows(b->size), "rows");
}

void map_page(struct bench *b)
{
	struct figure update = figure_new(PAGE_SAMPLES);
	struct figure invalidate = figure_new(PAGE_SAMPLES);
	char *mem = memory_small(PAGE);

	for (int i = 0; i < PAGE_SAMPLES; i++)
		pair(b, IOVA, PAGE, mem, &update, &invalidate);
	figure_report(&update, "page_update");
	figure_report(&invalidate, "page_invalidate");
	memory_free(mem, PAGE);
}

/* Pairs at places spread over a map of @others ranges that do not touch. */
static void among(struct bench *b, char *mem, unsigned int others)
{
	struct figure update = figure_new(PAGE_SAMPLES);
	struct figure invalidate = figure_new(PAGE_SAMPLES);
	char *own = mem + others * PAGE;
	char text[64];

	for (unsigned int i = 0; i < others; i++)
		map(b, IOVA + 2 * i * PAGE, PAGE, mem + i * PAGE);
	for (unsigned int i = 0; i < PAGE_SAMPLES; i++) {
		uint64_t gap = (uint64_t)i * others / PAGE_SAMPLES * 2 + 1;

		pair(b, IOVA + gap * PAGE, PAGE, own, &update, &invalidate);
	}
	unmap(b, IOVA, 2 * others * PAGE);
	snprintf(text, sizeof(text), "among_%u_update", others);
	figure_report(&update, text);
	snprintf(text, sizeof(text), "among_%u_invalidate", others);
	figure_report(&invalidate, text);
}

void map_among(struct bench *b)
{
	static const unsigned int others[] = { 10, 50000 };
	size_t size = (others[1] + 1) * PAGE;
	char *mem = memory_small(size);

	for (int i = 0; i < 2; i++)
		among(b, mem, others[i]);
	memory_free(mem, size);
}

static void batch(struct bench *b, uint8_t type)
{
	if (iotlb_batch(b->fd, 0, type))
		die("message %d: %m", type);
}

/* Per update, its share of the begin and of the end included. */
void map_batch(struct bench *b)
{
	struct figure update = figure_new(BATCH_SAMPLES);
	struct figure invalidate = figure_new(BATCH_SAMPLES);
	char *mem = memory_small(BATCH * PAGE);

	for (int i = 0; i < BATCH_SAMPLES; i++) {
		uint64_t start = clock_now();

		batch(b, VHOST_IOTLB_BATCH_BEGIN);
		for (unsigned int n = 0; n < BATCH; n++)
			map(b, IOVA + n * PAGE, PAGE, mem + n * PAGE);
		batch(b, VHOST_IOTLB_BATCH_END);
		figure_add(&update, clock_since(start) / BATCH);

		start = clock_now();
		batch(b, VHOST_IOTLB_BATCH_BEGIN);
		for (unsigned int n = 0; n < BATCH; n++)
			unmap(b, IOVA + n * PAGE, PAGE);
		batch(b, VHOST_IOTLB_BATCH_END);
		figure_add(&invalidate, clock_since(start) / BATCH);
	}
	figure_report(&update, "batch_update");
	figure_report(&invalidate, "batch_invalidate");
	memory_free(mem, BATCH * PAGE);
}
