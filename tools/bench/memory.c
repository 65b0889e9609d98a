// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory to be mapped, and the proof that it lies as the case says: the frame
 * numbers are read from pagemap, which takes root. Each piece is one mapping of
 * the process, for the search of it to cost the same in every case.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE		0x1000UL
#define HUGE_PAGE	0x200000UL
#define HUGE_PAGES	(HUGE_PAGE / PAGE)

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_PFN	0x007fffffffffffffULL

/* A prime, far from any multiple of a small number of pages. */
#define STRIDE		40487UL

static char *reserve(size_t size, int advice)
{
	size_t total = size + HUGE_PAGE;
	char *start, *mem;

	start = mmap(NULL, total, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		die("no room for %zu bytes", total);
	mem = (char *)(((uintptr_t)start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (mem > start)
		munmap(start, mem - start);
	if (start + total > mem + size)
		munmap(mem + size, start + total - (mem + size));
	if (madvise(mem, size, advice))
		die("madvise() is refused");
	return mem;
}

/* Frame number of each page; the caller frees them. */
static uint64_t *frames(const char *mem, size_t size)
{
	size_t bytes = size / PAGE * sizeof(uint64_t), done = 0;
	off_t at = (uintptr_t)mem / PAGE * sizeof(uint64_t);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t *entry = malloc(bytes);

	while (entry && fd >= 0 && done < bytes) {
		ssize_t n = pread(fd, (char *)entry + done, bytes - done,
				  at + done);

		if (n <= 0)
			break;
		done += n;
	}
	if (done < bytes)
		die("pagemap cannot be read");
	close(fd);
	for (size_t i = 0; i < size / PAGE; i++) {
		if (!(entry[i] & PAGEMAP_PRESENT) || !(entry[i] & PAGEMAP_PFN))
			die("page %zu is not there, or not to be told", i);
		entry[i] &= PAGEMAP_PFN;
	}
	return entry;
}

/* How many pages follow the one before in memory. */
static size_t followers(const uint64_t *frame, size_t pages)
{
	size_t found = 0;

	for (size_t i = 1; i < pages; i++)
		found += frame[i] == frame[i - 1] + 1;
	return found;
}

/* Of transparent huge pages only. */
char *memory_huge(size_t size)
{
	char *mem = reserve(size, MADV_HUGEPAGE);
	size_t huge = size / HUGE_PAGE;
	uint64_t *frame;

	memset(mem, 0x5a, size);
	frame = frames(mem, size);
	for (size_t i = 0; i < huge; i++) {
		const uint64_t *first = frame + i * HUGE_PAGES;

		if (*first % HUGE_PAGES ||
		    followers(first, HUGE_PAGES) != HUGE_PAGES - 1)
			die("huge page %zu of %zu is none: more memory", i,
			    huge);
	}
	free(frame);
	return mem;
}

/* Of small pages, none of which follows the one before. */
char *memory_scattered(size_t size)
{
	char *mem = reserve(size, MADV_NOHUGEPAGE);
	size_t pages = size / PAGE, near;
	uint64_t *frame;

	/* They come one after the other, to addresses that do not. */
	for (size_t i = 0; i < pages; i++)
		mem[i * STRIDE % pages * PAGE] = 0x5a;
	frame = frames(mem, size);
	near = followers(frame, pages);
	if (near > pages / 1000)
		die("%zu of %zu pages follow the one before", near, pages);
	free(frame);
	return mem;
}

/* Of small pages, most of which follow the one before. */
char *memory_rows(size_t size)
{
	char *mem = memory_small(size);
	uint64_t *frame = frames(mem, size);
	size_t pages = size / PAGE, near = followers(frame, pages);

	if (near < pages / 4 * 3)
		die("only %zu of %zu pages follow the one before", near, pages);
	free(frame);
	return mem;
}

/* Of small pages, however they lie. */
char *memory_small(size_t size)
{
	char *mem = reserve(size, MADV_NOHUGEPAGE);

	memset(mem, 0x5a, size);
	return mem;
}

void memory_free(char *mem, size_t size)
{
	munmap(mem, size);
}
