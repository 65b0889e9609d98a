// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of all kinds, and where it really is (pagemap, for root).
 */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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

void *mem_repeated(size_t size, size_t file)
{
	int fd = memfd_create("repeated", MFD_CLOEXEC);
	char *mem;
	size_t at;

	mem = mmap(NULL, size, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fd < 0 || ftruncate(fd, file) || mem == MAP_FAILED)
		return NULL;
	for (at = 0; at < size; at += file)
		if (mmap(mem + at, file, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return NULL;
	close(fd);
	return mem;
}

void *mem_stuck(size_t size, size_t good, int *fault)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range.len = size - good,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	/* One that blocks cannot be polled. */
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || mem == MAP_FAILED)
		return NULL;
	madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 0x5a, good);
	reg.range.start = (uintptr_t)mem + good;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return NULL;
	*fault = fd;
	return mem;
}

bool mem_is_stuck(int fault)
{
	struct pollfd wait = { .fd = fault, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&wait, 1, 10000) == 1 &&
	       read(fault, &msg, sizeof(msg)) == sizeof(msg);
}

static sigjmp_buf store_env;

static void store_failed(int sig)
{
	siglongjmp(store_env, sig);
}

int mem_store(uint32_t *at, uint32_t value)
{
	struct sigaction action = { .sa_handler = store_failed }, bus, segv;
	int sig;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	sig = sigsetjmp(store_env, 1);
	if (!sig)
		__atomic_store_n(at, value, __ATOMIC_RELAXED);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
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
