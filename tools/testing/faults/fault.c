// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel makes fail: allocations of slabs and pages, and copies from
 * and to user space, see Documentation/fault-injection of the kernel. Of one
 * task it is told the n-th; only what code of a range of addresses asks for
 * counts, directly or through functions that it calls.
 */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define DEBUGFS		"/sys/kernel/debug"
#define SLAB		"/sys/kernel/slab"
#define NTH		"/proc/thread-self/fail-nth"
#define MODULES_END	0xffffffffff000000ULL

static const char *const kinds[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static const struct {
	const char *file, *value;
} settings[] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/cache-filter", "Y" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
};

/* Those that matter to all kinds. */
static const struct {
	const char *file, *value;
} common[] = {
	{ "probability", "0" }, { "interval", "1" }, { "times", "-1" },
	{ "space", "0" }, { "verbose", "2" }, { "task-filter", "N" },
	{ "stacktrace-depth", "32" },
};

/*
 * What is not ours: kmemleak's own record of each allocation, without which it
 * gives up; and files of /proc/irq, which the kernel does without and warns when
 * it removes them.
 */
static const char *const left_alone[] = {
	"kmemleak_object", "kmemleak_scan_area", "proc_dir_entry",
};

static int nth = -1;

static int set_all(const char *file, const char *value)
{
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds) && !err; i++)
		err = file_write(value, DEBUGFS "/%s/%s", kinds[i], file);
	return err;
}

static bool is_left_alone(const char *cache)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(left_alone); i++)
		if (!strcmp(cache, left_alone[i]))
			return true;
	return false;
}

/* Every cache but those: on a kernel with KASAN none is merged with another. */
static int choose_caches(void)
{
	DIR *slab = opendir(SLAB);
	struct dirent *entry;
	int err = 0;

	if (!slab)
		return -errno;
	while (!err && (entry = readdir(slab)))
		if (*entry->d_name != '.' && !is_left_alone(entry->d_name))
			err = file_write("1", SLAB "/%s/failslab",
					 entry->d_name);
	closedir(slab);
	return err;
}

const char *fault_open(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!file_exists(DEBUGFS "/%s/stacktrace-depth", kinds[i]))
			return "this kernel does not make anything fail";
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (file_write(settings[i].value, DEBUGFS "/%s",
			       settings[i].file))
			return "fault injection cannot be set up";
	for (i = 0; i < ARRAY_SIZE(common); i++)
		if (set_all(common[i].file, common[i].value))
			return "fault injection cannot be set up";
	if (choose_caches())
		return "slab caches cannot be chosen";
	nth = open(NTH, O_RDWR | O_CLOEXEC);
	return nth < 0 ? "there is no " NTH : NULL;
}

static void set_address(const char *file, uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", address);
	set_all(file, text);
}

static void fault_range(uint64_t start, uint64_t end)
{
	set_address("require-start", start);
	set_address("require-end", end);
}

void fault_not_in(const char *function)
{
	FILE *file = function ? fopen("/proc/kallsyms", "re") : NULL;
	uint64_t start = 0, end = 0, address;
	char line[512], symbol[256];

	while (!end && file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %255s", &address, symbol) != 2)
			continue;
		if (start && address > start)
			end = address;
		else if (!strcmp(symbol, function))
			start = address;
	}
	if (file)
		fclose(file);
	set_address("reject-start", start);
	set_address("reject-end", end);
}

void fault_range_modules(void)
{
	uint64_t start = UINT64_MAX, end = 0, address;
	FILE *file = fopen("/proc/modules", "re");
	char line[512], name[64];
	unsigned long size;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lu %*d %*s %*s %lx", name, &size,
			   &address) != 3 || !module_is_ours(name))
			continue;
		if (address < start)
			start = address;
		if (address + size > end)
			end = address + size;
	}
	if (file)
		fclose(file);
	fault_range(start, end);
}

void fault_range_any_module(void)
{
	char line[512], symbol[256];
	FILE *file = fopen("/proc/kallsyms", "re");
	uint64_t address, end = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx %*c %255s", &address, symbol) == 2 &&
		    !strcmp(symbol, "_etext"))
			end = address;
	if (file)
		fclose(file);
	fault_range(end, MODULES_END);
}

static void nth_set(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth, text, len, 0) != len)
		abort();
}

void fault_arm(unsigned int n)
{
	nth_set(n);
}

bool fault_disarm(void)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) < 1)
		abort();
	nth_set(0);
	return !atoi(text);
}

void fault_of_all(unsigned int percent)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", percent);
	set_all("probability", text);
}

void fault_tasks(bool marked)
{
	set_all("task-filter", marked ? "Y" : "N");
}
