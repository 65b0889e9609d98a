// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of all kinds, at a fixed address so that a seed gives the same again,
 * far below where the C library gets its own. A table of its pages tells what
 * may be done with each; steps change that under what is mapped.
 */
#include "random.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "mem.h"

enum kind { GUARD, ANON, SHARED, PRIVATE, BEYOND, THP, HUGE, NR_KINDS };

struct area {
	enum kind kind;
	uint32_t first, nr;	/* pages */
};

/* Holes of PROT_NONE between them, but for the last two. */
static const struct area areas[] = {
	{ ANON, 0x010, 64 },
	{ ANON, 0x060, 64 },	/* scattered */
	{ SHARED, 0x0b0, 64 },
	{ PRIVATE, 0x100, 32 },
	{ BEYOND, 0x130, 8 },
	{ THP, 0x200, 512 },
	{ HUGE, 0x400, 512 },
};

static struct page {
	enum kind kind;
	bool there, rw, ro;
} pages[ARENA_PAGES];

static int shared_fd, beyond_fd, pagemap = -1;
static bool has_huge;

static void *addr_of(uint64_t page)
{
	return (void *)(ARENA + page * PAGE);
}

static void map_fixed(uint32_t first, uint32_t nr, int prot, int flags, int fd,
		      off_t offset)
{
	if (mmap(addr_of(first), nr * PAGE, prot, flags | MAP_FIXED, fd,
		 offset) == MAP_FAILED)
		fail("mmap: %s", err_name(errno));
}

static void pages_are(uint32_t first, uint32_t nr, enum kind kind, bool there,
		      bool ro, bool rw)
{
	uint32_t i;

	for (i = first; i < first + nr; i++)
		pages[i] = (struct page){ kind, there, rw, ro };
}

static bool area_map(const struct area *area)
{
	int prot = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;

	switch (area->kind) {
	case SHARED:
		map_fixed(area->first, area->nr, prot, MAP_SHARED, shared_fd, 0);
		break;
	case PRIVATE:
		map_fixed(area->first, area->nr, prot, MAP_PRIVATE, shared_fd,
			  0);
		break;
	case BEYOND:
		map_fixed(area->first, area->nr, prot, MAP_SHARED, beyond_fd,
			  0);
		break;
	case HUGE:
		return mmap(addr_of(area->first), area->nr * PAGE, prot,
			    anon | MAP_FIXED | MAP_HUGETLB, -1, 0) !=
		       MAP_FAILED;
	default:
		map_fixed(area->first, area->nr, prot, anon, -1, 0);
		break;
	}
	return true;
}

/* What mem_scattered() makes, moved here. */
static void area_scatter(const struct area *area)
{
	void *mem = mem_scattered(area->nr * PAGE);
	uint32_t i;

	if (!mem)
		return;
	for (i = 0; i < area->nr; i++)
		if (mremap(mem + i * PAGE, PAGE, PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED,
			   addr_of(area->first + i)) == MAP_FAILED)
			fail("mremap: %s", err_name(errno));
}

uint64_t arena_user_max(void)
{
	static uint64_t max;
	char text[8192];

	if (!max) {
		if (file_read(text, sizeof(text), "/proc/cpuinfo"))
			fail("there is no /proc/cpuinfo");
		max = (1UL << (strstr(text, " la57") ? 56 : 47)) - PAGE;
	}
	return max;
}

void arena_make(void)
{
	uint32_t i;

	if (pagemap < 0)
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (!has_huge)
		file_write("8", "/proc/sys/vm/nr_hugepages");
	shared_fd = memfd_create("shared", MFD_CLOEXEC);
	beyond_fd = memfd_create("beyond", MFD_CLOEXEC);
	if (shared_fd < 0 || ftruncate(shared_fd, 64 * PAGE) ||
	    beyond_fd < 0 || ftruncate(beyond_fd, PAGE))
		fail("memfd: %s", err_name(errno));
	map_fixed(0, ARENA_PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0);
	pages_are(0, ARENA_PAGES, GUARD, true, false, false);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		const struct area *area = &areas[i];

		if (!area_map(area))
			continue;
		has_huge |= area->kind == HUGE;
		pages_are(area->first, area->nr, area->kind, true, true, true);
	}
	area_scatter(&areas[1]);
	madvise(addr_of(areas[0].first), areas[0].nr * PAGE, MADV_NOHUGEPAGE);
	madvise(addr_of(0x200), 512 * PAGE, MADV_HUGEPAGE);
	/* A child that made them its own could find too few. */
	madvise(addr_of(0x400), 512 * PAGE, MADV_DONTFORK);
}

void arena_free(void)
{
	munmap(addr_of(0), ARENA_PAGES * PAGE);
	close(shared_fd);
	close(beyond_fd);
}

/* What one page says to being mapped. */
static int page_check(uint64_t uaddr, uint32_t perm, bool va)
{
	uint64_t nr = (uaddr - ARENA) / PAGE;
	const struct page *page = &pages[nr];
	bool allowed;

	if (uaddr < ARENA || nr >= ARENA_PAGES || !page->there)
		return -EFAULT;
	allowed = perm & VHOST_ACCESS_WO ? page->rw : page->ro;
	if (va)
		return allowed && (page->kind == SHARED ||
				   page->kind == BEYOND) ? 0 : -EINVAL;
	/* Its file has one page. */
	if (page->kind == BEYOND && pages[nr - 1].kind == BEYOND)
		return -EFAULT;
	return allowed ? 0 : -EFAULT;
}

int arena_check(uint64_t uaddr, uint64_t size, uint32_t perm, bool va)
{
	uint64_t at, last = uaddr + size - 1;
	int err;

	for (at = uaddr & ~(PAGE - 1); at <= last; at += PAGE) {
		err = page_check(at, perm, va);
		if (err)
			return err;
	}
	return 0;
}

/* An address in it, and how much may follow before the area ends. */
uint64_t arena_draw(struct rng *rng, uint64_t *left)
{
	const struct area *area = &areas[rng_below(rng, ARRAY_SIZE(areas))];
	uint64_t page;

	/* Little else can be given to a parent that takes user addresses. */
	if (takes_va() && rng_percent(rng, 60))
		area = &areas[2];
	page = rng_below(rng, area->nr);
	/* Small numbers more often, to meet again. */
	if (rng_percent(rng, 50))
		page %= 8;
	*left = (area->nr - page) * PAGE;
	return ARENA + (area->first + page) * PAGE;
}

void arena_phys(uint64_t uaddr, uint64_t *phys, uint64_t nr)
{
	ssize_t want = nr * sizeof(*phys);
	uint64_t i;

	if (pread(pagemap, phys, want, uaddr / PAGE * sizeof(*phys)) != want)
		fail("pagemap: %s", err_name(errno));
	for (i = 0; i < nr; i++) {
		if (!(phys[i] >> 63))
			fail("page %#lx is mapped and not there",
			     uaddr + i * PAGE);
		phys[i] = (phys[i] & 0x7fffffffffffffULL) * PAGE;
	}
}

/* Takes memory away, or its permission, or makes new; mapped or not. */
static void pages_change(const struct area *area, uint32_t first, uint32_t nr)
{
	void *mem = addr_of(first);
	uint32_t i;

	switch (rng_below(&w.rng, 6)) {
	case 0:
		note("munmap page %#x, %u pages", first, nr);
		munmap(mem, nr * PAGE);
		pages_are(first, nr, GUARD, false, false, false);
		break;
	case 1:
		note("new pages at %#x, %u pages", first, nr);
		map_fixed(first, nr, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		pages_are(first, nr, ANON, true, true, true);
		break;
	case 2:
		note("shared pages at %#x, %u pages", first, nr);
		map_fixed(first, nr, PROT_READ | PROT_WRITE, MAP_SHARED,
			  shared_fd, (first - area->first) * PAGE);
		pages_are(first, nr, SHARED, true, true, true);
		break;
	case 3:
		note("read-only pages at %#x, %u pages", first, nr);
		for (i = 0; i < nr; i++)
			if (pages[first + i].there &&
			    !mprotect(mem + i * PAGE, PAGE, PROT_READ))
				pages_are(first + i, 1, pages[first + i].kind,
					  true, true, false);
		break;
	case 4:
		note("inaccessible pages at %#x, %u pages", first, nr);
		for (i = 0; i < nr; i++)
			if (pages[first + i].there &&
			    !mprotect(mem + i * PAGE, PAGE, PROT_NONE))
				pages_are(first + i, 1, pages[first + i].kind,
					  true, false, false);
		break;
	default:
		note("MADV_DONTNEED of page %#x, %u pages", first, nr);
		madvise(mem, nr * PAGE, MADV_DONTNEED);
		break;
	}
}

/* A child's copy of everything; what is pinned stays the parent's. */
static void fork_once(void)
{
	int status;
	pid_t pid;

	note("fork");
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("fork: %s", err_name(errno));
}

void arena_step(void)
{
	const struct area *area = &areas[rng_below(&w.rng, 4)];
	uint32_t first = rng_below(&w.rng, area->nr);
	uint32_t nr = 1 + rng_below(&w.rng, 8);

	if (nr > area->nr - first)
		nr = area->nr - first;
	if (rng_percent(&w.rng, 5)) {
		fork_once();
	} else if (rng_percent(&w.rng, 10)) {
		note("punch %u pages out of the file at %#x", nr, first);
		fallocate(shared_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  first * PAGE, nr * PAGE);
	} else if (rng_percent(&w.rng, 10)) {
		/* All of it as it was. */
		note("area %#x as at first", area->first);
		area_map(area);
		pages_are(area->first, area->nr, area->kind, true, true, true);
	} else {
		pages_change(area, area->first + first, nr);
	}
}
