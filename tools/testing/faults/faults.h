/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sweep: the n-th allocation or user copy of a call fails, for every n. The
 * pieces: what fails (fault.c), whose it was (point.c), what must be as before
 * (world.c), the sweep itself (sweep.c, stride.c), the lives that are
 * swept (life_*.c) and, of workers, traffic in which things fail (worker.c).
 */
#ifndef VDPA_FAULTS_H
#define VDPA_FAULTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver.h"
#include "files.h"
#include "macros.h"
#include "nl.h"

#define TEXT_LEN	(1024 * 1024)	/* of what a state is told by */
#define STACK_LEN	4096

/* fault.c: what the kernel makes fail. */

/* Why it cannot, or NULL. */
const char *fault_open(void);
/*
 * Only what code in a range of addresses asks for, or what that calls: our
 * modules where they are now.
 */
void fault_range_modules(void);
/* Any module, also one that is being loaded. */
void fault_range_any_module(void);
/* Not what this function of the kernel asks for, or NULL. */
void fault_not_in(const char *function);
/* The n-th of this task from now on; did it come to that? */
void fault_arm(unsigned int n);
bool fault_disarm(void);
/* That many of a hundred, of every task. */
void fault_of_all(unsigned int percent);
/* Of tasks that are marked with make-it-fail only. */
void fault_tasks(bool marked);

/* point.c: which one it was, of what the kernel has said. */

struct point {
	char module[32];	/* "" if it was not told */
	char stack[STACK_LEN];	/* function names, the innermost first */
};

bool module_is_ours(const char *name);
bool point_open(void);
void point_forget(void);
/* The next one that was reported; false if there is none. */
bool point_read(struct point *point);
void point_count(const struct point *point);
void point_summary(void);

/* stride.c: how far it is to the next n. */

struct stride {
	unsigned int n;
	unsigned int step;
	unsigned int alike;	/* that many points in a row were alike */
	unsigned int seen;	/* the last n that was like them */
	unsigned int skipped;
	uint64_t hash;
};

void stride_start(struct stride *stride);
/* The n-th had this stack, or (NULL) there is none; false: that was all. */
bool stride_next(struct stride *stride, const char *stack);

/* A device, and all that a life of it is made of. */
struct life {
	const struct parent *parent;
	char name[32];
	struct nl nl;
	struct drv drv;
	int event;		/* an eventfd of its own */
};

/* Of the whole machine: same text, same state. */
void world_look(char *text, size_t size);
/* The same, added to by what a file or vdpa_mock tells of the device. */
void life_look(struct life *life, char *text, size_t size);
/* Appends to @text, which has @size bytes. */
void text_add(char *text, size_t size, const char *fmt, ...)
	__printf(3, 4);

/* A kind of device. */
struct parent {
	const char *name;
	const char *bus;	/* of its management device */
	const char *mgmtdev;
	const char *module;
	const char *mapping;	/* of vdpa_mock, how it maps */
	uint64_t features;	/* that are negotiated */
	/* Before the first device and after the last one: 0 or -errno. */
	int (*begin)(struct life *life);
	void (*end)(struct life *life);
	/* A frame, or a block, is taken and completed; NULL: it cannot. */
	bool (*works)(struct life *life);
	/* The same, whatever it is completed with. */
	bool (*completes)(struct life *life);
};

extern const struct parent parents[];
extern const unsigned int nr_parents;

/* A step of a life. */
struct call {
	const char *name;
	int (*fn)(struct life *life);	/* 0 or -errno */
	/* What the kernel lets go wrong and says nothing of: mend it. */
	int (*settle)(struct life *life);
	bool many;	/* many calls, or states: a failure may leave some done */
};

struct scenario {
	const char *name;
	const struct call *calls;
	unsigned int nr;
	int (*begin)(struct life *life);	/* 0 or -errno */
	void (*end)(struct life *life);	/* whatever there is of it */
	void (*range)(void);	/* what fault_range_*() is for it */
	const char *module;	/* that only it needs */
	/* A function of the kernel that cannot fail without harm. */
	const char *helpless;
};

extern const struct scenario life_load;	/* life_load.c */
extern const struct scenario life_probe;	/* life_probe.c */
extern const struct scenario life_device;	/* life_device.c */
extern const struct scenario life_file;	/* life_file.c */
extern const struct scenario life_memory, life_shared;	/* life_memory.c */
extern const struct scenario life_virtio;	/* life_virtio.c */

/* life_device.c: how every other life begins and ends. */
int life_add(struct life *life);
int life_settle(struct life *life);
int life_begin(struct life *life);
void life_end(struct life *life);

/* life_file.c */
int life_open(struct life *life);
int life_owner(struct life *life);
/* All of it up to DRIVER_OK. */
int life_start(struct life *life);

/* life_load.c: no device, and modules that are not loaded before. */
extern const struct parent nobody;
/* Why they cannot be, or NULL. */
const char *modules_load(void);

/* sweep.c: what was wrong is told as it is found; how much that was. */
unsigned int sweep(const struct scenario *scenario, struct life *life,
		   unsigned int *points);
void wrong(const char *fmt, ...)
	__printf(1, 2);
/* Does the state of a life, or with NULL of the machine, become @want, soon? */
bool becomes(struct life *life, const char *want, char now[TEXT_LEN]);
extern unsigned int nr_wrong;

/* worker.c: the same of workers, by chance. */
unsigned int workers(struct life *life, unsigned int *points);

#endif /* VDPA_FAULTS_H */
