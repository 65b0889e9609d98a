// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of all kinds, and where it really is (pagemap, for root).
 */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_PFN	0x007fffffffffffffULL

static void *mem_map(size_t size, int flags, int fd)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (mem == MAP_FAILED)
		return NULL;
	memset(mem, 0x5a, size);
	return mem;
}

void *mem_anon(size_t size)
{
	return mem_map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

void *mem_memfd(size_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	void *mem = NULL;

	if (fd >= 0 && !ftruncate(fd, size))
		mem = mem_map(size, MAP_SHARED, fd);
	close(fd);
	return mem;
}

void *mem_thp(size_t size)
{
	size_t total = size + SZ_2M;
	uintptr_t start, aligned;
	void *mem;

	mem = mmap(NULL, total, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return NULL;
	start = (uintptr_t)mem;
	aligned = (start + SZ_2M - 1) & ~(SZ_2M - 1);
	if (aligned > start)
		munmap(mem, aligned - start);
	if (start + total > aligned + size)
		munmap((void *)(aligned + size),
		       start + total - aligned - size);
	if (madvise((void *)aligned, size, MADV_HUGEPAGE)) {
		munmap((void *)aligned, size);
		return NULL;
	}
	memset((void *)aligned, 0x5a, size);
	return (void *)aligned;
}

void *mem_hugetlb(size_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", size / SZ_2M);
	file_write(text, "/proc/sys/vm/nr_hugepages");
	return mem_map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

/*
 * Every other page of an area twice as large, folded together: what follows
 * here did not follow when it was allocated.
 */
void *mem_scattered(size_t size)
{
	size_t pages = size / SZ_4K, i;
	char *area, *mem;

	area = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mem = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mem == MAP_FAILED)
		return NULL;
	madvise(area, 2 * size, MADV_NOHUGEPAGE);
	memset(area, 0x5a, 2 * size);
	for (i = 0; i < pages; i++) {
		/* The second half backwards, to break runs of any direction. */
		size_t from = i % 2 ? 2 * pages - 1 - i : i;

		if (mremap(area + from * SZ_4K, SZ_4K, SZ_4K,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   mem + i * SZ_4K) == MAP_FAILED)
			return NULL;
	}
	munmap(area, 2 * size);
	return mem;
}

void mem_free(void *mem, size_t size)
{
	munmap(mem, size);
}

uint64_t mem_phys(const void *mem)
{
	uint64_t entry = 0, addr = (uintptr_t)mem;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	n = pread(fd, &entry, sizeof(entry), addr / SZ_4K * sizeof(entry));
	close(fd);
	if (n != sizeof(entry) || !(entry & PAGEMAP_PRESENT))
		return 0;
	return (entry & PAGEMAP_PFN) * SZ_4K + addr % SZ_4K;
}
