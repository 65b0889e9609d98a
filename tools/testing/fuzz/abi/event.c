// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events in both directions, doorbells, and interrupts that are offered for
 * bypass. What the device raises must be in the eventfds that were set, and
 * nothing else; each kick must have come.
 */
#include "random.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rows.h"

#define NR_DOORBELLS	4

static struct {
	uint32_t *at;
	uint32_t idx;
	bool gone;		/* its device is */
	bool revoked;		/* its owner has given the device up */
} doorbell[NR_DOORBELLS];

static void raise_line(const char *line)
{
	note("raise %s", line);
	if (mock_write(&w.dev, "raise", line))
		fail("cannot raise %s", line);
}

/* A vq's callback, or what it was told to signal instead. */
static void raise_vq(void)
{
	uint32_t idx = rng_below(&w.rng, m.shape.nvqs);
	uint32_t times = 1 + rng_below(&w.rng, 3);
	char line[32];

	snprintf(line, sizeof(line), "%s %u %u",
		 rng_percent(&w.rng, 50) ? "vq" : "trigger", idx, times);
	raise_line(line);
	if (m.vq[idx].call >= 0)
		m.calls[m.vq[idx].call] += times;
}

static void raise_config(void)
{
	bool reset = rng_percent(&w.rng, 25);

	raise_line(reset ? "needs_reset" : "config 1");
	if (reset)
		m.status |= STATUS_NEEDS_RESET;
	m.generation++;
	m.config[0]++;
	if (m.config_event >= 0)
		m.configs[m.config_event]++;
}

static void kick_write(void)
{
	uint32_t event = rng_below(&w.rng, NR_EVENTS);
	uint64_t value = 1 + rng_below(&w.rng, 3);
	uint32_t i;

	note("write kick eventfd %u", event);
	if (write(w.kick[event], &value, sizeof(value)) != sizeof(value))
		fail("an eventfd is full");
	m.kicks[event] += value;
	for (i = 0; !m.gone && i < m.shape.nvqs; i++)
		if (m.vq[i].kick == (int)event)
			m.vq[i].kicks++;
}

static void kick_read(void)
{
	uint32_t event = rng_below(&w.rng, NR_EVENTS);
	uint64_t value = 0;
	ssize_t n = read(w.kick[event], &value, sizeof(value));

	note("read kick eventfd %u", event);
	if (value != m.kicks[event])
		fail("kick eventfd %u holds %lu and not %lu (%zd)", event,
		     value, m.kicks[event], n);
	m.kicks[event] = 0;
}

void event_step(void)
{
	switch (rng_below(&w.rng, m.shape.mock && !m.gone ? 5 : 2)) {
	case 0:
		kick_write();
		break;
	case 1:
		kick_read();
		break;
	case 2:
		raise_config();
		break;
	default:
		raise_vq();
		break;
	}
}

static bool is_bypassed(int call)
{
	uint32_t i;

	for (i = 0; i < m.shape.nvqs; i++)
		if (m.vq[i].bypass && m.vq[i].call == call)
			return true;
	return false;
}

/* An eventfd is good for one interrupt: of queues that share it, the first. */
void bypass_offer(uint32_t idx, uint32_t nr)
{
	for (; nr && model_runs(); nr--, idx++) {
		struct vq *vq = &m.vq[idx];

		if (vq->ready && vq->call >= 0 && !is_bypassed(vq->call))
			vq->bypass = true;
	}
}

void bypass_end(void)
{
	uint32_t i;

	for (i = 0; i < MAX_VQS; i++)
		m.vq[i].bypass = false;
}

/* A consumer for each call eventfd, in the place of KVM. */
void bypass_consume(void)
{
	char line[32];
	int i;

	for (i = 0; i < NR_EVENTS; i++) {
		snprintf(line, sizeof(line), "add %d", w.call[i]);
		if (file_write(line, MOCK "/consumers"))
			fail("no consumer for call eventfd %d", i);
	}
}

static sigjmp_buf bus_env;

static void on_bus(int sig)
{
	siglongjmp(bus_env, sig);
}

/* 0, or the signal that a store ends in. */
static int store(uint32_t *at, uint32_t value)
{
	struct sigaction action = { .sa_handler = on_bus };
	int sig;

	sigaction(SIGBUS, &action, NULL);
	sig = sigsetjmp(bus_env, 1);
	if (!sig)
		__atomic_store_n(at, value, __ATOMIC_RELAXED);
	action.sa_handler = SIG_DFL;
	sigaction(SIGBUS, &action, NULL);
	return sig;
}

bool doorbells_mapped(void)
{
	int i;

	for (i = 0; i < NR_DOORBELLS; i++)
		if (doorbell[i].at && !doorbell[i].gone)
			return true;
	return false;
}

void doorbells_drop(void)
{
	int i;

	for (i = 0; i < NR_DOORBELLS; i++)
		if (doorbell[i].at)
			munmap(doorbell[i].at, PAGE);
	memset(doorbell, 0, sizeof(doorbell));
}

/* The device has gone: no store reaches it any more. */
void doorbells_check_gone(void)
{
	int i;

	for (i = 0; i < NR_DOORBELLS; i++) {
		if (!doorbell[i].at)
			continue;
		doorbell[i].gone = true;
		if (store(doorbell[i].at, 1) != SIGBUS)
			fail("a doorbell of a device that is gone takes a store");
	}
}

/* Nor does one reach it that a former owner could make. */
void doorbells_check_revoked(void)
{
	int i;

	for (i = 0; i < NR_DOORBELLS; i++) {
		if (!doorbell[i].at)
			continue;
		doorbell[i].revoked = true;
		if (store(doorbell[i].at, 1) != SIGBUS)
			fail("a doorbell of a former owner takes a store");
	}
}

static int map_check(uint64_t offset, size_t len, int prot, int flags)
{
	uint64_t idx = offset / PAGE;

	if (m.gone)
		return -ENODEV;
	if (len != PAGE || flags != MAP_SHARED || (prot & PROT_READ) ||
	    idx >= m.shape.nvqs)
		return -EINVAL;
	if (!strcmp(m.shape.doorbell, "unaligned"))
		return -EINVAL;
	return strcmp(m.shape.doorbell, "page") ? -EOPNOTSUPP : 0;
}

static void doorbell_map(int slot)
{
	struct rng *rng = &w.rng;
	int flags = rng_percent(rng, 90) ? MAP_SHARED : MAP_PRIVATE;
	int prot = rng_percent(rng, 85) ? PROT_WRITE :
		   rng_pick(rng, PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE);
	uint64_t idx = rng_percent(rng, 90) ? rng_below(rng, m.shape.nvqs) :
		       rng_pick(rng, (uint64_t)m.shape.nvqs, 65536UL, 1UL << 31,
				1UL << 32, (1UL << 51) - 1, 1UL << 50);
	size_t len = rng_percent(rng, 90) ? PAGE : rng_pick(rng, 2 * PAGE,
							    16 * PAGE);
	void *at = mmap(NULL, len, prot, flags, w.dev.fd, idx * PAGE);
	int got = at == MAP_FAILED ? -errno : 0;

	expect(map_check(idx * PAGE, len, prot, flags), got,
	       "mmap queue %#lx len %#zx prot %d flags %d", idx, len, prot,
	       flags);
	if (got)
		return;
	if (prot != PROT_WRITE) {
		munmap(at, len);
		return;
	}
	doorbell[slot].at = at;
	doorbell[slot].idx = idx;
	doorbell[slot].gone = false;
	doorbell[slot].revoked = false;
}

void doorbell_step(void)
{
	int slot = rng_below(&w.rng, NR_DOORBELLS);
	uint32_t value = rng_next(&w.rng);
	int want, got;

	if (!doorbell[slot].at) {
		doorbell_map(slot);
	} else if (rng_percent(&w.rng, 20)) {
		note("munmap doorbell %d", slot);
		munmap(doorbell[slot].at, PAGE);
		doorbell[slot].at = NULL;
	} else {
		want = doorbell[slot].gone || doorbell[slot].revoked ?
		       SIGBUS : 0;
		got = store(doorbell[slot].at, value);
		note("store to doorbell %d, of queue %u", slot,
		     doorbell[slot].idx);
		if (want != got)
			fail("a store to a doorbell ends in signal %d", got);
		if (!got)
			m.doorbell[doorbell[slot].idx] = value;
	}
}
