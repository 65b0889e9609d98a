/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that run freely; see free.c.
 */
#ifndef ABI_RANDOM_FREE_H
#define ABI_RANDOM_FREE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "random.h"

#define NR_FILES	4
#define NR_DEVICES	2
#define NR_FREE_EVENTS	8
#define FREE_MEM	0x300000000UL
#define FREE_PAGES	1024UL

struct actor {
	pthread_t thread;
	struct rng rng;
	struct nl nl;
	uint32_t nr;
	uint64_t nr_ops;
	const char *what;	/* it is doing, for the watchdog */
	long since;		/* ms; 0: not any more; atomic */
};

struct free_world {
	const struct options *opts;
	const char *mgmtdev;
	struct actor *actor;
	uint32_t nr_actors;
	bool stop;		/* atomic */
	/*
	 * Numbers that are always open, to a device or to @null, so that no
	 * thread meets a file that is none of ours.
	 */
	int file[NR_FILES];
	int null;
	int event[NR_FREE_EVENTS];
};

extern struct free_world f;
extern const char *const free_device[NR_DEVICES];

/* free.c */
/* @ret of a system call is 0 and more, or one of @allowed, which ends in 0. */
void free_answer(const struct actor *actor, long ret, const int *allowed);
_Noreturn void free_wrong(const struct actor *actor, const char *what);

/* free_ops.c */
void free_ops_init(void);
void free_step(struct actor *actor);
/* How often each operation worked and how often it did not. */
void free_tell(void);
void free_check_breaches(const struct actor *actor, const char *name);

#endif /* ABI_RANDOM_FREE_H */
