/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ioctls are given, and memory to map.
 */
#ifndef FUZZ_ARGUMENTS_H
#define FUZZ_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "surface.h"

#define ARENA		0x200000000UL
#define ARENA_PAGES	32UL

struct argument;

/* A row: the number of an ioctl, how many bytes, what fills them. */
struct request {
	unsigned long cmd;
	size_t len;
	void (*fill)(struct argument *arg, const struct record *r);
};

struct argument {
	const struct request *request;
	int fd;			/* of the device */
	int (*file)(uint16_t x);	/* a file to give */
	size_t len;
	unsigned char bytes[1024];
};

/* 0, or -1 if there is no memory for them. */
int arguments_init(void);

/* What b and c choose, x and y vary; one of the requests. */
const struct request *argument_fill(struct argument *arg,
				    const struct record *r, int fd,
				    int (*file)(uint16_t x));
/*
 * Where the kernel finds it. @kind 0: all of it; 1: nowhere; 2: half of it,
 * then memory ends; 3: it cannot be written.
 */
void *argument_place(const struct argument *arg, uint8_t kind);

/* All of the arena is there, anonymous and zero. */
void arena_make(void);
/* A part of it becomes what @kind says. */
void arena_change(uint64_t addr, size_t size, uint8_t kind);

#endif /* FUZZ_ARGUMENTS_H */
