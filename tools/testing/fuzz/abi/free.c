// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that run freely on a few files and devices, while these go and come.
 * Nobody knows what a call meets, so only this is checked: each answers within
 * its time and with an errno that it may have, and in the end nothing is left
 * and devices can still be made. What the threads do is in free_ops.c.
 */
#include "free.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "leak.h"
#include "mem.h"
#include "vhost.h"

struct free_world f;

static const char *const knobs[] = {
	"mapping=dma_map", "mapping=set_map", "mapping=va",
};

/* One of them all is enough. */
static _Noreturn void wrong(const struct actor *actor, const char *what,
			    int err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	printf("# thread %u, operation %lu, %s: %s\n", actor->nr,
	       actor->nr_ops, actor->what, what);
	if (err)
		printf("# errno %d (%s)\n", err, err_name(err));
	printf("not ok 1 - random calls from %u threads, seed %lu\n",
	       f.nr_actors, f.opts->seed);
	fflush(stdout);
	_exit(1);
}

void free_answer(const struct actor *actor, long ret, const int *allowed)
{
	int err = ret < 0 ? -ret : 0;

	if (!err)
		return;
	for (; *allowed; allowed++)
		if (*allowed == err)
			return;
	wrong(actor, "this errno it may not have", err);
}

static void *actor_main(void *arg)
{
	struct actor *actor = arg;

	while (!__atomic_load_n(&f.stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&actor->since, now_ms(), __ATOMIC_RELAXED);
		free_step(actor);
		actor->nr_ops++;
	}
	__atomic_store_n(&actor->since, 0, __ATOMIC_RELAXED);
	return NULL;
}

/* Until the time is up, and then until all have come back. */
static void watch(time_t end)
{
	bool busy = true;
	uint32_t i;

	while (busy) {
		usleep(200000);
		busy = time(NULL) < end;
		if (!busy)
			__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
		for (i = 0; i < f.nr_actors; i++) {
			long since = __atomic_load_n(&f.actor[i].since,
						     __ATOMIC_RELAXED);

			busy |= since;
			if (since && now_ms() - since > CALL_LIMIT_S * 1000)
				wrong(&f.actor[i], "has not come back", 0);
		}
	}
}

static void files_open(void)
{
	int i;

	f.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < NR_FILES; i++)
		f.file[i] = fcntl(f.null, F_DUPFD_CLOEXEC, 0);
	for (i = 0; i < NR_FREE_EVENTS; i++)
		f.event[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void files_close(void)
{
	int i;

	for (i = 0; i < NR_FILES; i++)
		close(f.file[i]);
	for (i = 0; i < NR_FREE_EVENTS; i++)
		close(f.event[i]);
	close(f.null);
}

static void knobs_set(const char *mapping)
{
	static const char rest[] =
		" nvqs=3 ngroups=2 nas=2 doorbell=page backend_features=0x40";
	struct mockdev dev;
	char text[256];

	/* One that is made sets the knobs of those that follow. */
	snprintf(text, sizeof(text), "%s%s", mapping, rest);
	if (mock_make(&dev, text) || *mock_del(&dev))
		wrong(&f.actor[0], "vdpa_mock makes no device", 0);
}

/* A device can be made, used and deleted still. */
static void use_again(void)
{
	struct nl *nl = &f.actor[0].nl;
	void *mem = mem_memfd(PAGE);
	int fd;

	if (nl_add(nl, f.mgmtdev, "again"))
		wrong(&f.actor[0], "no device can be made any more", 0);
	fd = vhost_open("again");
	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER) ||
	    iotlb_map(fd, 0, PAGE, PAGE, mem, VHOST_ACCESS_RW))
		wrong(&f.actor[0], "a new device does not work", errno);
	close(fd);
	mem_free(mem, PAGE);
	if (nl_del(nl, "again"))
		wrong(&f.actor[0], "the device cannot be deleted", 0);
}

static void check_end(const struct leak_mark *mark)
{
	char report[1024] = "";
	uint32_t i;

	use_again();
	for (i = 0; i < f.nr_actors; i++)
		nl_close(&f.actor[i].nl);
	leak_check(mark, report, sizeof(report));
	if (*report)
		wrong(&f.actor[0], report, 0);
}

static void devices_delete(void)
{
	uint32_t i;

	f.actor[0].what = "the end";
	for (i = 0; i < NR_DEVICES; i++) {
		if (!vdpa_exists(free_device[i]))
			continue;
		free_check_breaches(&f.actor[0], free_device[i]);
		if (nl_del(&f.actor[0].nl, free_device[i]))
			wrong(&f.actor[0], "a device cannot be deleted", 0);
	}
}

void free_wrong(const struct actor *actor, const char *what)
{
	wrong(actor, what, 0);
}

/* Its part of the time, with its own kind of device. */
static void phase(const struct options *opts, uint64_t seed, time_t end)
{
	struct leak_mark mark;
	uint32_t i;

	if (opts->mock)
		knobs_set(knobs[seed % ARRAY_SIZE(knobs)]);
	leak_mark(&mark);
	files_open();
	f.stop = false;
	for (i = 0; i < f.nr_actors; i++) {
		f.actor[i].nr = i;
		f.actor[i].rng.state = seed * 0x2545f4914f6cdd1dULL + i;
		rng_next(&f.actor[i].rng);
		if (nl_open(&f.actor[i].nl))
			wrong(&f.actor[i], "no netlink family", 0);
	}
	for (i = 0; i < f.nr_actors; i++)
		if (pthread_create(&f.actor[i].thread, NULL, actor_main,
				   &f.actor[i]))
			wrong(&f.actor[i], "no thread", 0);
	watch(end);
	for (i = 0; i < f.nr_actors; i++)
		pthread_join(f.actor[i].thread, NULL);
	files_close();
	devices_delete();
	munmap((void *)FREE_MEM, FREE_PAGES * PAGE);
	check_end(&mark);
}

void free_run(const struct options *opts)
{
	uint32_t phases = opts->mock ? ARRAY_SIZE(knobs) : 1, i;
	time_t start = time(NULL);
	uint64_t nr_ops = 0;

	f.opts = opts;
	f.mgmtdev = opts->mock ? MOCKDEV : "vdpasim_net";
	f.nr_actors = opts->threads;
	f.actor = calloc(f.nr_actors, sizeof(*f.actor));
	if (!f.actor)
		exit(1);
	for (i = 0; i < f.nr_actors; i++)
		f.actor[i].what = "the start";
	free_ops_init();
	for (i = 0; i < phases; i++)
		phase(opts, opts->seed + i,
		      start + (i + 1) * opts->seconds / phases);
	for (i = 0; i < f.nr_actors; i++)
		nr_ops += f.actor[i].nr_ops;
	free_tell();
	printf("# %lu operations of %u threads\n", nr_ops, f.nr_actors);
	printf("ok 1 - random calls from %u threads to %s leave nothing, seed %lu\n",
	       f.nr_actors, f.mgmtdev, opts->seed);
}
