// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rounds: a device of a drawn shape, random steps, each checked against the
 * model, one thread. The seed of a round and the number of steps give all of
 * it again: the n-th round of a run has the n-th seed from the one given.
 */
#include "random.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"

#define STEPS_A_ROUND	1000

struct model m;
struct world w;

/* By weight. */
static const struct {
	void (*step)(void);
	unsigned int weight;
} steps[] = {
	{ msg_step, 500 },
	{ ioctl_step, 330 },
	{ event_step, 60 },
	{ arena_step, 50 },
	{ doorbell_step, 30 },
	{ dead_step, 10 },
	{ show_step, 8 },
	{ life_step, 8 },
};

static void on_alarm(int sig)
{
	fail("a call has not come back for %d s", CALL_LIMIT_S);
}

static void step(void)
{
	uint32_t dice, total = 0, i;

	/* Not gone for long, and soon with an owner. */
	if (m.gone && rng_percent(&w.rng, 10)) {
		life_step();
		return;
	}
	if (m.owner == NOBODY && !m.gone && rng_percent(&w.rng, 25)) {
		ioctl_step();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		total += steps[i].weight;
	dice = rng_below(&w.rng, total);
	for (i = 0; dice >= steps[i].weight; i++)
		dice -= steps[i].weight;
	steps[i].step();
}

/* Over the limit is refused to one without the capability only. */
static void limit_set(uint64_t pages)
{
	struct rlimit limit = { pages * PAGE, pages * PAGE };
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (!pages)
		limit = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	if (syscall(SYS_capget, &header, data))
		fail("capget: %s", err_name(errno));
	data[0].effective = data[0].permitted;
	if (pages)
		data[0].effective &= ~(1U << CAP_IPC_LOCK);
	if (syscall(SYS_capset, &header, data) || setrlimit(RLIMIT_MEMLOCK, &limit))
		fail("limits: %s", err_name(errno));
}

static void round_run(const struct options *opts, uint64_t seed, time_t end)
{
	unsigned int nr = opts->steps ?: STEPS_A_ROUND;

	model_forget();
	memset(&w, 0, sizeof(w));
	w.rng.state = seed * 0x2545f4914f6cdd1dULL;
	rng_next(&w.rng);
	log_begin(opts, seed);
	shape_draw(&w.rng, &m.shape, opts);
	arena_make();
	life_begin();
	limit_set(m.shape.memlock);
	compare();
	while (w.step < nr && (opts->steps || time(NULL) < end)) {
		w.step++;
		alarm(CALL_LIMIT_S);
		step();
		if (rng_percent(&w.rng, 25))
			compare();
	}
	compare();
	life_end();
	limit_set(0);
	arena_free();
	alarm(0);
}

void rounds_run(const struct options *opts)
{
	time_t end = time(NULL) + opts->seconds;
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int round = 0, nr_steps = 0;
	uint64_t seed = opts->seed;

	sigaction(SIGALRM, &action, NULL);
	actors_init();
	do {
		round_run(opts, seed++, end);
		round++;
		nr_steps += w.step;
	} while (!opts->steps && time(NULL) < end);
	printf("# %u steps in %u rounds\n", nr_steps, round);
	printf("ok 1 - random calls to %s answer as the model says, seed %lu\n",
	       opts->mock ? "vdpa_mock" : "vdpa_net", opts->seed);
}
