/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Races on purpose: two threads that do one step each at the same time, many
 * times. race.h makes a table of such pairs a fixture.
 */
#ifndef VDPA_SELFTESTS_RACING_H
#define VDPA_SELFTESTS_RACING_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "driver.h"
#include "mockdev.h"
#include "nl.h"

#define RACE_ERRNOS	8	/* that a step may answer */
#define RACE_EVENTS	4

struct race;

/* One of the two: its step, 0 or -errno, and which errnos are right. */
struct race_side {
	int (*step)(struct race *r);
	int may[RACE_ERRNOS];
};

/*
 * begin: before all rounds, says why the pair is skipped, or NULL. before and
 * after: of each round, alone, by the thread of a; say what is wrong, or NULL.
 * end: after all rounds, likewise.
 */
struct race_pair {
	struct race_side a, b;
	const char *(*begin)(struct race *r);
	const char *(*before)(struct race *r);
	const char *(*after)(struct race *r);
	const char *(*end)(struct race *r);
	const char *knobs;	/* of vdpa_mock */
	bool again;		/* who is not late repeats its step until the
				 * other one has made its own
				 */
	unsigned int part;	/* of the rounds of a quick run, one of so many;
				 * 0: all
				 */
};

/* What a thread does now, and what it has seen so far. */
struct race_thread {
	const struct race_side *side;
	int err;		/* of the last step */
	long began, ended;	/* ns, of the last step */
	long usual;		/* ns that steps take */
	long lag;		/* ns that a timer takes to wake it */
	unsigned long answers[256];	/* by errno */
	bool done;		/* with the step; atomic */
};

struct race {
	const struct race_pair *pair;
	/* Whatever the steps need. */
	struct mockdev dev;
	char name[32];		/* of the device */
	char path[64];		/* of its node */
	int fd;			/* of its node; atomic where it changes */
	int event[RACE_EVENTS];	/* likewise */
	char *mem;
	void *bell;
	struct drv drv;
	unsigned long round;
	unsigned long count;	/* of what the pair counts */
	/* The runner's. */
	struct race_thread a, b;
	pthread_barrier_t gate;
	unsigned long rounds;
	unsigned long met;
	long start;		/* ns, of this round */
	unsigned int late;	/* which of the two is late in this round */
	const char *wrong;
	bool stop;
};

/* All rounds; what has gone wrong, or "". */
const char *race_run(struct race *r);

/* In a step: below @below; a socket of this thread's. */
unsigned int race_draw(unsigned int below);
struct nl *race_nl(void);
/* What a system call said, as a step answers: 0 or -errno. */
static inline int race_err(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* For begin and end: the owner of a device of vdpa_mock with eventfds. */
const char *race_own(struct race *r);
const char *race_disown(struct race *r);
/* Another eventfd in the place of one that others use. */
int race_event_new(struct race *r, int nr);
int race_event_signal(struct race *r, int nr);

#endif /* VDPA_SELFTESTS_RACING_H */
