// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is not memory: kicks, calls, and the life of a file. From kicks and calls
 * is taken off what the same costs where vhost_vdpa has no part in it.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "files.h"
#include "vhost.h"

#define KICKS		1001
#define CALLS		1000
#define CALL_SAMPLES	51
#define ROUNDS		20
#define OPEN_SAMPLES	21

static int eventfd_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		die("no eventfd: %m");
	return fd;
}

static uint64_t signal_cost(int fd)
{
	struct figure figure = figure_new(KICKS);
	uint64_t one = 1, start, median;

	for (int i = 0; i < KICKS; i++) {
		start = clock_now();
		if (write(fd, &one, sizeof(one)) != sizeof(one))
			die("kick: %m");
		figure_add(&figure, clock_since(start));
	}
	median = figure_median(&figure);
	free(figure.sample);
	return median;
}

/* How often the mock's kick_vq() was called. */
static long kicks(struct bench *b)
{
	char text[8192];
	const char *row;

	if (file_read(text, sizeof(text), "%s/count", b->parent))
		die("%s/count cannot be read", b->parent);
	row = strstr(text, "\nkick_vq ");
	return row ? atol(row + strlen("\nkick_vq ")) : -1;
}

/* write() to the eventfd: the wake-up, as far as the operation has returned. */
void path_kick(struct bench *b)
{
	struct figure figure = figure_new(1);
	int alone = eventfd_new(), fd = eventfd_new();
	long before = kicks(b), seen;

	if (vq_file(b->fd, VHOST_SET_VRING_KICK, 0, fd))
		die("VHOST_SET_VRING_KICK: %m");
	figure_add(&figure, signal_cost(fd) - signal_cost(alone));
	seen = kicks(b) - before;
	if (seen != KICKS)
		die("%ld of %d kicks have arrived", seen, KICKS);
	vq_file(b->fd, VHOST_SET_VRING_KICK, 0, -1);
	figure_report(&figure, "kick");
	close(alone);
	close(fd);
}

/* Callbacks of queue 0, many at a time. */
static uint64_t raise_cost(struct bench *b)
{
	struct figure figure = figure_new(CALL_SAMPLES);
	uint64_t start, median;
	char text[32];

	snprintf(text, sizeof(text), "vq 0 %d", CALLS);
	for (int i = 0; i < CALL_SAMPLES; i++) {
		start = clock_now();
		if (file_write(text, "%s/raise", b->parent))
			die("%s/raise cannot be written", b->parent);
		figure_add(&figure, clock_since(start) / CALLS);
	}
	median = figure_median(&figure);
	free(figure.sample);
	return median;
}

/* From the parent's callback to the eventfd that has been signalled. */
void path_call(struct bench *b)
{
	struct figure figure = figure_new(1);
	uint64_t count = 0, alone = raise_cost(b);
	int fd = eventfd_new();

	if (vq_file(b->fd, VHOST_SET_VRING_CALL, 0, fd))
		die("VHOST_SET_VRING_CALL: %m");
	figure_add(&figure, raise_cost(b) - alone);
	if (read(fd, &count, sizeof(count)) != sizeof(count) ||
	    count != (uint64_t)CALLS * CALL_SAMPLES)
		die("%lu of %d calls have arrived", count,
		    CALLS * CALL_SAMPLES);
	vq_file(b->fd, VHOST_SET_VRING_CALL, 0, -1);
	figure_report(&figure, "call");
	close(fd);
}

/* Many in a row, so that what a close leaves for later is paid for as well. */
void path_open(struct bench *b)
{
	struct figure figure = figure_new(OPEN_SAMPLES);

	for (int i = 0; i < OPEN_SAMPLES; i++) {
		uint64_t start = clock_now();

		for (int n = 0; n < ROUNDS; n++) {
			int fd = open(b->path, O_RDWR | O_CLOEXEC);

			if (fd < 0 || ioctl(fd, VHOST_SET_OWNER))
				die("%s: %m", b->path);
			close(fd);
		}
		figure_add(&figure, clock_since(start) / ROUNDS);
	}
	figure_report(&figure, "open_close");
}
