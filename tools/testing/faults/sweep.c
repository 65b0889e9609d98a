// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sweep: a life is lived call by call. Each call is made to fail at its
 * first point, then its second, and so on, until it has no more. One that
 * fails must say so with an errno that fits, and leave everything as it was: so
 * the next try begins from there, and the last one, in which nothing fails,
 * must succeed. One that succeeds although something failed must have done all
 * that it should; then the life ends, which must leave nothing, and another one
 * is lived up to there, for the next point. So it does after a call of which a
 * part may be done when it fails.
 */
#include "faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS	3000	/* for what is given back later */

unsigned int nr_wrong;

static char before[TEXT_LEN], now[TEXT_LEN], absorbed[TEXT_LEN];
static char outside[TEXT_LEN];	/* of a life */

void wrong(const char *fmt, ...)
{
	va_list args;

	nr_wrong++;
	printf("# WRONG: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* The first lines that differ. */
static void tell_difference(const char *want, const char *have)
{
	while (*want && *have) {
		int w = strcspn(want, "\n"), h = strcspn(have, "\n");

		if (w != h || strncmp(want, have, w))
			break;
		want += w + !!want[w];
		have += h + !!have[h];
	}
	printf("#   was: %.*s\n#   is:  %.*s\n", (int)strcspn(want, "\n"), want,
	       (int)strcspn(have, "\n"), have);
}

static void tell_point(const struct point *point)
{
	const char *line = point->stack;

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		printf("#     %.*s\n", (int)strcspn(line, "\n"), line);
}

bool becomes(struct life *life, const char *want, char now[TEXT_LEN])
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 50) {
		if (life)
			life_look(life, now, TEXT_LEN);
		else
			world_look(now, TEXT_LEN);
		if (!strcmp(now, want))
			return true;
		usleep(50000);
	}
	return false;
}

/* What functions of the kernel make of it, on its way to our modules. */
static const struct {
	int err;
	const char *function;
} translated[] = {
	{ -EINVAL, "netdev_register_kobject" },
	{ -EINVAL, "module_add_driver" },
	{ -EINVAL, "vp_modern_map_capability" },
	{ -EBUSY, "__pci_request_region" },
	{ -EIO, "vp_modern_map_vq_notify" },
	{ -ENOBUFS, "inetdev_event" },
	{ -ENOBUFS, "addrconf_notify" },
};

/* What the kernel goes on without, and nobody may depend on. */
static const char *const dispensable[] = {
	"debugfs_create", "driver_create_file", "driver_add_groups",
};

static bool is_dispensable(const struct point *point)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(dispensable); i++)
		if (strstr(point->stack, dispensable[i]))
			return true;
	return false;
}

static bool fits(int err, const struct point *point)
{
	if (err == -ENOMEM || err == -EFAULT)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(translated); i++)
		if (err == translated[i].err &&
		    strstr(point->stack, translated[i].function))
			return true;
	return false;
}

/* From nothing to before the call @until. */
static bool live(const struct scenario *scenario, struct life *life,
		 unsigned int until)
{
	int err = scenario->begin(life);

	if (err) {
		wrong("%s: cannot begin: %s", scenario->name, strerror(-err));
		return false;
	}
	for (unsigned int i = 0; i < until; i++) {
		err = scenario->calls[i].fn(life);
		if (!err && scenario->calls[i].settle)
			err = scenario->calls[i].settle(life);
		if (err) {
			wrong("%s: %s without a failure: %s", scenario->name,
			      scenario->calls[i].name, strerror(-err));
			return false;
		}
	}
	return true;
}

static void end(const struct scenario *scenario, struct life *life,
		const char *after)
{
	scenario->end(life);
	if (becomes(NULL, outside, now))
		return;
	wrong("%s: a life that ends after %s leaves something", scenario->name,
	      after);
	tell_difference(outside, now);
	/* Not told again and again. */
	memcpy(outside, now, sizeof(outside));
}

/* A try that failed: @ret is what it said. */
static void check_failed(const struct call *call, struct life *life,
			 unsigned int n, int ret, const struct point *point)
{
	if (!fits(ret, point)) {
		wrong("%s: point %u: %s", call->name, n, strerror(-ret));
		tell_point(point);
	}
	if (call->many || becomes(life, before, now))
		return;
	wrong("%s: point %u: fails, and the state is another", call->name, n);
	tell_difference(before, now);
	tell_point(point);
	memcpy(before, now, sizeof(before));
}

/* A try that succeeded; @point failed, unless that is NULL. */
static void check_succeeded(const struct call *call, struct life *life,
			    unsigned int n, const struct point *point)
{
	int err = call->settle ? call->settle(life) : 0;

	if (err) {
		wrong("%s: point %u: is not whole: %s", call->name, n,
		      strerror(-err));
		if (point)
			tell_point(point);
	}
	if (point && is_dispensable(point))
		return;
	/* The first one is what all others are compared with. */
	if (!*absorbed) {
		life_look(life, absorbed, sizeof(absorbed));
		return;
	}
	if (becomes(life, absorbed, now))
		return;
	wrong("%s: point %u: succeeds, and the state is another", call->name,
	      n);
	tell_difference(absorbed, now);
	if (point)
		tell_point(point);
}

struct tries {
	unsigned int points, kept, alike;
};

/* All points of call @idx; false: there is no going on. */
static bool sweep_call(const struct scenario *scenario, struct life *life,
		       unsigned int idx, struct tries *tries)
{
	const struct call *call = &scenario->calls[idx];
	static struct point point;
	struct stride stride;
	bool hit;
	int ret;

	absorbed[0] = '\0';
	life_look(life, before, sizeof(before));
	stride_start(&stride);
	for (;;) {
		tries->alike = stride.skipped;
		point_forget();
		fault_arm(stride.n);
		ret = call->fn(life);
		hit = fault_disarm();
		if (!hit && ret) {
			wrong("%s: fails without a failure: %s", call->name,
			      strerror(-ret));
			return false;
		}
		if (hit) {
			point_read(&point);
			point_count(&point);
			tries->points++;
		}
		if (!hit) {
			check_succeeded(call, life, stride.n, NULL);
			if (!stride_next(&stride, NULL))
				return true;
		} else if (ret) {
			check_failed(call, life, stride.n, ret, &point);
			stride_next(&stride, point.stack);
			if (!call->many)
				continue;
		} else {
			check_succeeded(call, life, stride.n, &point);
			tries->kept++;
			stride_next(&stride, point.stack);
		}
		end(scenario, life, call->name);
		if (!live(scenario, life, idx))
			return false;
		life_look(life, before, sizeof(before));
	}
}

unsigned int sweep(const struct scenario *scenario, struct life *life,
		   unsigned int *points)
{
	unsigned int was_wrong = nr_wrong;
	struct tries tries;

	world_look(outside, sizeof(outside));
	if (!live(scenario, life, 0))
		goto out;
	for (unsigned int i = 0; i < scenario->nr; i++) {
		tries = (struct tries){};
		if (!sweep_call(scenario, life, i, &tries))
			break;
		*points += tries.points;
		if (tries.points)
			printf("#   %s: %u points, %u do no harm, %u left out\n",
			       scenario->calls[i].name, tries.points,
			       tries.kept, tries.alike);
		fflush(stdout);
	}
out:
	end(scenario, life, "all of it");
	return nr_wrong - was_wrong;
}
