// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned pages, module references and eventfds, before and after.
 *
 * The kernel gives each eventfd the lowest free number and shows it in
 * fdinfo: when new ones get the numbers that new ones got before, none has been
 * kept. Some references are dropped after a grace period, hence the
 * patience.
 */
#include "leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"

#define PATIENCE_MS	5000

static long number_in(const char *path, const char *name)
{
	static char text[1 << 16];
	const char *line;

	if (file_read(text, sizeof(text), "%s", path))
		return -1;
	line = strstr(text, name);
	return line ? atol(line + strlen(name)) : -1;
}

long pinned_pages(void)
{
	/* Counters of each CPU are added up when this is written. */
	file_write("1", "/proc/sys/vm/stat_refresh");
	return number_in("/proc/vmstat", "nr_foll_pin_acquired ") -
	       number_in("/proc/vmstat", "nr_foll_pin_released ");
}

long status_kib(const char *name)
{
	char text[16];

	snprintf(text, sizeof(text), "%s:", name);
	return number_in("/proc/self/status", text);
}

/* Several at a time: the lowest numbers may be those of the test's own. */
static void next_eventfd_ids(int id[LEAK_EVENTFDS])
{
	int fd[LEAK_EVENTFDS], i;
	char path[64];

	for (i = 0; i < LEAK_EVENTFDS; i++) {
		fd[i] = eventfd(0, EFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd[i]);
		id[i] = number_in(path, "eventfd-id:");
	}
	for (i = 0; i < LEAK_EVENTFDS; i++)
		close(fd[i]);
}

void leak_mark(struct leak_mark *mark)
{
	memset(mark, 0, sizeof(*mark));
	mark->pinned = pinned_pages();
	mark->vhost_refs = module_refs("vhost_vdpa");
	mark->parent_refs = module_refs("vdpa_mock");
	next_eventfd_ids(mark->eventfd_id);
}

void leak_check(const struct leak_mark *mark, char *report, int size)
{
	struct leak_mark now;
	int ms, len = 0;

	for (ms = 0; ms < PATIENCE_MS; ms += 50) {
		leak_mark(&now);
		if (!memcmp(&now, mark, sizeof(now)) && !status_kib("VmPin"))
			return;
		usleep(50000);
	}
#define TELL(cond, ...) do {						\
	if ((cond) && len < size)					\
		len += snprintf(report + len, size - len, __VA_ARGS__);	\
} while (0)
	TELL(now.pinned != mark->pinned, "%ld pages stay pinned\n",
	     now.pinned - mark->pinned);
	TELL(now.vhost_refs != mark->vhost_refs,
	     "vhost_vdpa has %d references, had %d\n", now.vhost_refs,
	     mark->vhost_refs);
	TELL(now.parent_refs != mark->parent_refs,
	     "vdpa_mock has %d references, had %d\n", now.parent_refs,
	     mark->parent_refs);
	TELL(memcmp(now.eventfd_id, mark->eventfd_id, sizeof(now.eventfd_id)),
	     "an eventfd is kept\n");
	TELL(status_kib("VmPin"), "VmPin is %ld KiB\n", status_kib("VmPin"));
#undef TELL
}
