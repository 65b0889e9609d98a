// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options, and the table of cases. Prints one line for each figure: its name,
 * the median, the least and the most of its samples, in instructions, and how
 * many samples there were.
 */
#include "bench.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vhost.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define MIB			0x100000UL

static const struct bench_case cases[] = {
	{ "huge", "1 GiB of transparent huge pages", map_huge },
	{ "rows", "1 GiB of 4 KiB pages that follow each other", map_rows },
	{ "scattered", "1 GiB of scattered 4 KiB pages", map_scattered },
	{ "page", "one 4 KiB page, in an empty map", map_page },
	{ "among", "one page among 10 and among 50,000 others", map_among },
	{ "batch", "1,000 pages in a batch, each", map_batch },
	{ "kick", "eventfd to kick_vq()", path_kick, .parent = true },
	{ "call", "callback to eventfd", path_call, .parent = true },
	{ "open", "open, SET_OWNER, close", path_open, .opens = true },
};

struct options {
	struct bench bench;
	bool wanted[ARRAY_SIZE(cases)];
	bool any;
};

void die(const char *fmt, ...)
{
	va_list args;
	int err = errno;

	fputs("bench: ", stderr);
	va_start(args, fmt);
	errno = err;	/* for %m */
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void run(const struct bench_case *c, struct bench *b)
{
	if (c->opens) {
		b->fd = -1;
		c->run(b);
		return;
	}
	b->fd = open(b->path, O_RDWR | O_CLOEXEC);
	if (b->fd < 0 || ioctl(b->fd, VHOST_SET_OWNER))
		die("%s: %m", b->path);
	if (set_backend(b->fd, 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			       1ULL << VHOST_BACKEND_F_IOTLB_BATCH))
		die("%s: VHOST_SET_BACKEND_FEATURES: %m", b->path);
	c->run(b);
	close(b->fd);
}

static void list_cases(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		printf("%-10s %s\n", cases[i].name, cases[i].what);
	exit(0);
}

static bool want(struct options *o, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!strcmp(cases[i].name, name)) {
			o->wanted[i] = true;
			o->any = true;
			return true;
		}
	}
	return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	unsigned long mib;
	char *end;

	switch (key) {
	case 'c':
		if (!want(o, arg))
			argp_error(state, "no case %s", arg);
		return 0;
	case 'l':
		list_cases();
		return 0;
	case 'p':
		o->bench.parent = arg;
		return 0;
	case 's':
		mib = strtoul(arg, &end, 0);
		if (*end || !mib || mib % 2 || mib > 65536)
			argp_error(state, "no size: %s", arg);
		o->bench.size = mib * MIB;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_usage(state);
		o->bench.path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "case", 'c', "NAME", 0, "only this case (may be repeated)" },
		{ "list", 'l', NULL, 0, "name the cases" },
		{ "parent", 'p', "DIR", 0,
		  "debugfs directory of the vdpa_mock device, for kick and call" },
		{ "size", 's', "MIB", 0, "memory of the large cases (1024)" },
		{ }
	};
	static const struct argp argp = {
		options, parse, "/dev/vhost-vdpa-N",
		"Cost of calls in instructions, for a VM under -icount."
	};
	struct options o = { .bench.size = 1024 * MIB };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	clock_init();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (o.any ? !o.wanted[i] : cases[i].parent && !o.bench.parent)
			continue;
		if (cases[i].parent && !o.bench.parent)
			die("case %s needs --parent", cases[i].name);
		run(&cases[i], &o.bench);
	}
	return 0;
}
