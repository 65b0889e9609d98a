/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhost-bench: what calls on /dev/vhost-vdpa-N cost, in instructions.
 *
 * A case measures one or more figures. Each is the median of its samples, one
 * of which is many calls where a single one is short. What a case cannot do as
 * it says it fails loudly: a figure of something else is worse than none.
 */
#ifndef VHOST_BENCH_H
#define VHOST_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __printf
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#endif

struct bench {
	const char *path;	/* of the device */
	const char *parent;	/* debugfs directory of the mock; NULL: none */
	size_t size;		/* bytes of the large cases, whole 2 MiB */
	int fd;			/* has an owner; -1 where a case opens it */
};

struct bench_case {
	const char *name;
	const char *what;
	void (*run)(struct bench *b);
	bool opens;		/* the device itself */
	bool parent;		/* needs the mock's debugfs directory */
};

/* Samples of one figure. */
struct figure {
	uint64_t *sample;
	unsigned int nr;
	unsigned int max;
};

/* main.c: print "bench: ..." and exit */
void die(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

/* clock.c */
void clock_init(void);
uint64_t clock_now(void);
uint64_t clock_since(uint64_t start);
struct figure figure_new(unsigned int max);
void figure_add(struct figure *figure, uint64_t value);
uint64_t figure_median(struct figure *figure);
void figure_report(struct figure *figure, const char *name);

/* memory.c: present, and known to lie as they say */
char *memory_huge(size_t size);
char *memory_scattered(size_t size);
char *memory_rows(size_t size);
char *memory_small(size_t size);
void memory_free(char *mem, size_t size);

/* cases_map.c */
void map_huge(struct bench *b);
void map_scattered(struct bench *b);
void map_rows(struct bench *b);
void map_page(struct bench *b);
void map_among(struct bench *b);
void map_batch(struct bench *b);

/* cases_path.c */
void path_kick(struct bench *b);
void path_call(struct bench *b);
void path_open(struct bench *b);

#endif /* VHOST_BENCH_H */
