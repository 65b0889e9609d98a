// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner of racing.h.
 *
 * Where two threads really run at the same time, they begin together, one of
 * them late by a part of what the other's step usually takes. Where they do
 * not, because there is one CPU or an emulator that runs one at a time, that
 * finds nothing: so in two rounds of three both are on one CPU, and one of them
 * is a real-time thread that a timer wakes somewhere in the middle of the
 * other's step. It preempts that, in the kernel too, where that may be: "run"
 * boots it with preempt=full.
 *
 * VDPA_RACE_ROUNDS: how many rounds each pair has.
 */
#include "racing.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "macros.h"
#include "mem.h"
#include "vhost.h"

#define ROUNDS		120	/* of a quick run */
#define ENOUGH		1000	/* rounds, to meet at least once */
#define AGAIN		6	/* times that a step is made at most */
#define ROUND_LIMIT	120	/* s that a round may take */
#define HEAD_START	200000	/* ns from the gate to the start */
/* In turn: on two CPUs; on one, where the late one preempts the other. */
#define PLACES		3
#define APART		0

static struct race *now_running;
static __thread unsigned int seed;
static __thread struct nl socket_of_thread;

unsigned int race_draw(unsigned int below)
{
	return rand_r(&seed) % below;
}

struct nl *race_nl(void)
{
	struct nl *nl = &socket_of_thread;

	if (!nl->family && nl_open(nl))
		abort();
	return nl;
}

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void spin_until(long ns)
{
	while (now_ns() < ns)
		__builtin_ia32_pause();
}

static void sleep_until(long ns)
{
	struct timespec at = { ns / 1000000000L, ns % 1000000000L };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
		;
}

/* Where and with which priority a thread goes through the next rounds. */
static void take_place(unsigned int place, bool second)
{
	bool urgent = place != APART && second == (place == 1);
	struct sched_param param = { .sched_priority = urgent };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(place == APART && second, &set);
	/* If there is one CPU only, they meet there. */
	sched_setaffinity(0, sizeof(set), &set);
	sched_setscheduler(0, urgent ? SCHED_FIFO : SCHED_OTHER, &param);
}

static unsigned int place_of(const struct race *r, unsigned long round)
{
	return round * PLACES / r->rounds;
}

static long follow(long usual, long now)
{
	return usual + (now - usual) / 8;
}

/* At a random moment of the other's step or steps, if all goes as usual. */
static void be_late(const struct race *r, struct race_thread *t,
		    const struct race_thread *other)
{
	long span = other->usual * (r->pair->again ? AGAIN / 2 : 1);
	long at = r->start + race_draw(span * 5 / 4 + 2000);
	bool apart = place_of(r, r->round) == APART;
	long lag = apart || t->lag > HEAD_START ? 0 : t->lag;

	if (apart)
		spin_until(at);
	else
		sleep_until(at - lag);
	if (!apart)
		t->lag = follow(t->lag, now_ns() - (at - lag));
}

static void take_step(struct race *r, struct race_thread *t,
		      const struct race_thread *other)
{
	bool late = t == (r->late ? &r->b : &r->a);
	int times = 0, err;

	if (late)
		be_late(r, t, other);
	else
		spin_until(r->start);
	t->began = now_ns();
	t->err = 0;
	do {
		err = t->side->step(r);
		t->err = t->err ?: err;
		/* An emulator runs another CPU meanwhile. */
		__builtin_ia32_pause();
	} while (++times < AGAIN && r->pair->again && !late &&
		 !__atomic_load_n(&other->done, __ATOMIC_RELAXED));
	t->ended = now_ns();
	__atomic_store_n(&t->done, true, __ATOMIC_RELAXED);
	t->usual = follow(t->usual, (t->ended - t->began) / times);
}

static void *second_thread(void *arg)
{
	struct race *r = arg;
	unsigned int place = PLACES;

	seed = 2;
	prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		pthread_barrier_wait(&r->gate);
		if (r->stop)
			break;
		if (place != place_of(r, r->round)) {
			place = place_of(r, r->round);
			take_place(place, true);
		}
		take_step(r, &r->b, &r->a);
		pthread_barrier_wait(&r->gate);
	}
	if (socket_of_thread.family)
		nl_close(&socket_of_thread);
	return NULL;
}

static const char *judge(struct race *r, struct race_thread *t)
{
	static char text[128];
	const int *may = t->side->may;

	if (t->err <= 0 && (size_t)-t->err < ARRAY_SIZE(t->answers))
		t->answers[-t->err]++;
	while (*may && *may != -t->err)
		may++;
	if (!t->err || *may)
		return NULL;
	snprintf(text, sizeof(text), "%c answered %s in round %lu",
		 t == &r->a ? 'a' : 'b', strerror(-t->err), r->round);
	return text;
}

static const char *one_round(struct race *r)
{
	const struct race_pair *pair = r->pair;
	unsigned int place = place_of(r, r->round);
	const char *wrong = pair->before ? pair->before(r) : NULL;

	if (wrong)
		return wrong;
	r->a.done = false;
	r->b.done = false;
	r->late = place == APART ? race_draw(2) : place == 1;
	r->start = now_ns() + HEAD_START;
	pthread_barrier_wait(&r->gate);
	if (!r->round || place != place_of(r, r->round - 1))
		take_place(place, false);
	take_step(r, &r->a, &r->b);
	pthread_barrier_wait(&r->gate);
	r->met += r->a.began < r->b.ended && r->b.began < r->a.ended;
	wrong = judge(r, &r->a) ?: judge(r, &r->b);
	if (!wrong && pair->after)
		wrong = pair->after(r);
	return wrong;
}

static void all_rounds(struct race *r)
{
	struct sched_param normal = {};
	pthread_t thread;

	pthread_barrier_init(&r->gate, NULL, 2);
	if (pthread_create(&thread, NULL, second_thread, r)) {
		r->wrong = "no second thread";
		return;
	}
	for (r->round = 0; r->round < r->rounds && !r->wrong; r->round++) {
		alarm(ROUND_LIMIT);
		r->wrong = one_round(r);
	}
	r->stop = true;
	pthread_barrier_wait(&r->gate);
	pthread_join(thread, NULL);
	sched_setscheduler(0, SCHED_OTHER, &normal);
	alarm(ROUND_LIMIT);
}

static void on_alarm(int sig)
{
	struct race *r = now_running;

	fprintf(stderr, "# round %lu does not end: a is %s, b is %s\n",
		r->round, r->a.done ? "back" : "in its step",
		r->b.done ? "back" : "in its step");
	_exit(1);
}

static void tell_answers(const char *who, const struct race_thread *t)
{
	printf("; %s", who);
	for (size_t i = 0; i < ARRAY_SIZE(t->answers); i++)
		if (t->answers[i])
			printf(" %lu %s", t->answers[i],
			       i ? strerrorname_np(i) : "ok");
}

/* Of a quick run, which is not quick on a kernel that looks for bugs. */
static unsigned long rounds_of(const struct race_pair *pair)
{
	const char *text = getenv("VDPA_RACE_ROUNDS");
	unsigned long rounds = ROUNDS / (pair->part ?: 1);

	if (text && atol(text) > 0)
		return atol(text);
	if (slowness() > 1)
		rounds /= 4;
	return rounds ?: 1;
}

static void tell(const struct race *r, long ns)
{
	printf("#  %lu rounds, %.1f s, met in %lu", r->round, ns / 1e9, r->met);
	tell_answers("a", &r->a);
	tell_answers("b", &r->b);
	if (r->count)
		printf("; counted %lu", r->count);
	printf("\n");
	fflush(stdout);
}

const char *race_run(struct race *r)
{
	long start = now_ns();

	seed = 1;
	r->rounds = rounds_of(r->pair);
	r->a.side = &r->pair->a;
	r->b.side = &r->pair->b;
	now_running = r;
	signal(SIGALRM, on_alarm);
	prctl(PR_SET_TIMERSLACK, 1);

	all_rounds(r);
	if (!r->wrong && !r->met && r->rounds >= ENOUGH)
		r->wrong = "they have never met";
	tell(r, now_ns() - start);
	return r->wrong ?: "";
}

int race_event_new(struct race *r, int nr)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return __atomic_exchange_n(&r->event[nr], event, __ATOMIC_RELAXED);
}

int race_event_signal(struct race *r, int nr)
{
	uint64_t one = 1;

	return race_err(write(__atomic_load_n(&r->event[nr],
					      __ATOMIC_RELAXED),
			      &one, sizeof(one)));
}

const char *race_own(struct race *r)
{
	if (!mock_available())
		return "vdpa_mock is not built";
	if (mock_own(&r->dev, r->pair->knobs ?: ""))
		return "there is no device";
	r->fd = r->dev.fd;
	snprintf(r->name, sizeof(r->name), "%s", r->dev.name);
	vhost_path(r->name, r->path, sizeof(r->path));
	for (int i = 0; i < RACE_EVENTS; i++)
		r->event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->mem = mem_anon(16 * SZ_4K);
	return NULL;
}

const char *race_disown(struct race *r)
{
	for (int i = 0; i < RACE_EVENTS; i++)
		close(r->event[i]);
	r->dev.fd = r->fd;
	return mock_del(&r->dev);
}
