// SPDX-License-Identifier: GPL-2.0-only
/*
 * What software devices ask for in their workers fails by chance, under
 * traffic: no task calls there whose n-th it could be. Every request must be
 * completed, or the device must say that it needs a reset; after that, and
 * without failures, it works.
 */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev.h"
#include "files.h"
#include "mem.h"
#include "vhost.h"

#define ROUNDS		25
#define REQUESTS	4	/* in each */
#define PERCENT		12
#define KTHREADD	2	/* new threads of the kernel have it from there */

/* Threads of the kernel are those that fail, this process is not. */
static void workers_fail(bool fail)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char comm[64];

	while (proc && (entry = readdir(proc))) {
		int pid = atoi(entry->d_name);

		if (!pid || file_read(comm, sizeof(comm), "/proc/%d/comm", pid))
			continue;
		if (pid == KTHREADD || !strncmp(comm, "kworker/", 8))
			file_write(fail ? "1" : "0", "/proc/%d/make-it-fail",
				   pid);
	}
	if (proc)
		closedir(proc);
}

static bool needs_reset(struct life *life)
{
	return get_status(life->drv.fd) & STATUS_NEEDS_RESET;
}

/* Some requests: are all completed, whatever with? */
static bool traffic(struct life *life)
{
	for (int i = 0; i < REQUESTS; i++)
		if (!life->parent->completes(life))
			return needs_reset(life);
	return true;
}

static unsigned int count_points(void)
{
	static struct point point;
	unsigned int points = 0;

	while (point_read(&point)) {
		point_count(&point);
		points++;
	}
	return points;
}

static void try_traffic(struct life *life, unsigned int *points)
{
	unsigned int resets = 0;

	for (int i = 0; i < ROUNDS; i++) {
		point_forget();
		fault_of_all(PERCENT);
		if (!traffic(life))
			wrong("a request is not completed, status %#x",
			      get_status(life->drv.fd));
		fault_of_all(0);
		*points += count_points();
		resets += needs_reset(life);
		/* Rings are made anew. */
		if (drv_restart(&life->drv)) {
			wrong("cannot be started again: %s", strerror(errno));
			return;
		}
	}
	printf("#   %u points, %u times a reset was needed\n", *points, resets);
	if (!life->parent->works(life))
		wrong("does not work when nothing fails");
}

unsigned int workers(struct life *life, unsigned int *points)
{
	unsigned int was_wrong = nr_wrong;
	static char outside[TEXT_LEN], now[TEXT_LEN];
	int err;

	world_look(outside, sizeof(outside));
	err = life_begin(life);
	err = err ?: life_start(life);
	if (err) {
		wrong("cannot be started: %s", strerror(-err));
	} else {
		fault_tasks(true);
		workers_fail(true);
		try_traffic(life, points);
		workers_fail(false);
		fault_tasks(false);
	}
	life_end(life);
	if (!becomes(NULL, outside, now))
		wrong("leaves something: was\n%sis\n%s", outside, now);
	return nr_wrong - was_wrong;
}
