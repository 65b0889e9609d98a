// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the parent has been told, and what is pinned, is what the model says.
 */
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leak.h"

static void compare_pinned(void)
{
	long want = pinned_model() * PAGE / 1024, got = status_kib("VmPin");

	if (want != got)
		fail("%ld KiB are pinned and not %ld", got, want);
}

static void compare_events(const char *what, const int *fds, uint64_t *want)
{
	uint64_t got;
	int i;

	for (i = 0; i < NR_EVENTS; i++) {
		got = 0;
		if (read(fds[i], &got, sizeof(got)) < 0 && errno != EAGAIN)
			fail("eventfd: %s", err_name(errno));
		if (got != want[i])
			fail("%s eventfd %d was signalled %lu times, not %lu",
			     what, i, got, want[i]);
		want[i] = 0;
	}
}

static void compare_number(const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		fail("the device has %s %#lx and not %#lx", what, got, want);
}

static void compare_state(void)
{
	bool open = w.dev.fd >= 0 && !m.gone;
	const char *text = mock_read(&w.dev, "state");
	unsigned long features, group;
	uint32_t status, suspended, generation, config_cb, mm, i;
	int n;

	if (sscanf(text, "status %x features %lx suspended %u generation %u config_cb %u mm %u",
		   &status, &features, &suspended, &generation, &config_cb,
		   &mm) != 6)
		fail("cannot read the state: %s", text);
	compare_number("status", status, m.status);
	compare_number("features", features, m.features);
	compare_number("suspended", suspended, m.suspended);
	compare_number("generation", generation, m.generation);
	compare_number("config callback", config_cb, open);
	compare_number("process", mm, takes_va() && m.owner != NOBODY);
	for (i = 0; i < m.shape.ngroups; i++) {
		char name[16];

		snprintf(name, sizeof(name), "group%u %%lu", i);
		text = strstr(text, "group");
		if (!text || sscanf(text, name, &group) != 1)
			fail("group %u has no address space", i);
		compare_number("group", group, m.group_asid[i]);
		n = strcspn(text, "\n");
		text += n;
	}
}

static void compare_vqs(void)
{
	const char *text = mock_read(&w.dev, "vq");
	uint32_t i, idx, ready, num, state, cb, trigger;
	unsigned long desc, avail, used, kicks;
	int n;

	for (i = 0; i < m.shape.nvqs; i++) {
		const struct vq *vq = &m.vq[i];

		if (sscanf(text, "%u ready %u num %u addr %lx %lx %lx %n",
			   &idx, &ready, &num, &desc, &avail, &used, &n) != 6 ||
		    sscanf(text + n, "state %x cb %u trigger %u kicks %lu",
			   &state, &cb, &trigger, &kicks) != 4)
			fail("cannot read queue %u: %s", i, text);
		text += strcspn(text, "\n") + 1;
		compare_number("ready", ready, vq->ready);
		compare_number("size", num, vq->num);
		compare_number("descriptors at", desc, vq->desc);
		compare_number("avail ring at", avail, vq->avail);
		compare_number("used ring at", used, vq->used);
		compare_number("base", state, vq->state);
		compare_number("callback", cb, vq->call >= 0);
		compare_number("trigger", trigger, vq->call >= 0);
		compare_number("kicks", kicks, vq->kicks);
	}
}

/* What consumers of IRQ bypass have. */
static void compare_bypass(void)
{
	int want[NR_EVENTS] = { -1, -1, -1, -1 }, irq;
	char all[512], *text = all;
	uint32_t i;

	if (file_read(all, sizeof(all), MOCK "/consumers"))
		fail("nobody tells of the consumers");
	for (i = 0; i < m.shape.nvqs; i++)
		if (m.vq[i].bypass)
			want[m.vq[i].call] = MOCK_IRQ;
	for (i = 0; i < NR_EVENTS; i++) {
		if (sscanf(text, "%*u irq %d", &irq) != 1)
			fail("call eventfd %u has no consumer", i);
		if (irq != want[i])
			fail("call eventfd %u has interrupt %d and not %d", i,
			     irq, want[i]);
		text += strcspn(text, "\n") + 1;
	}
}

static void read_map(struct pieces *maps)
{
	const char *text = mock_read(&w.dev, "map");
	struct piece p;
	uint32_t asid;

	for (; *text; text += strcspn(text, "\n") + 1) {
		if (sscanf(text, "%u %lx %lx %lx %u", &asid, &p.first, &p.last,
			   &p.addr, &p.perm) == 5)
			pieces_push(&maps[asid], p);
		else if (w.dev.fd >= 0 && !m.gone)
			fail("the device has a map that nobody made: %.40s",
			     text);
	}
}

/* Byte for byte, address for address. */
static void compare_map(uint32_t asid, struct pieces *got)
{
	struct pieces want = { };
	uint32_t i;

	pieces_copy(&want, &m.as[asid].dev);
	pieces_merge(&want);
	pieces_merge(got);
	for (i = 0; i < want.nr || i < got->nr; i++) {
		const struct piece *a = i < got->nr ? &got->at[i] : NULL;
		const struct piece *b = i < want.nr ? &want.at[i] : NULL;

		if (!a)
			fail("as %u lacks %#lx-%#lx", asid, b->first, b->last);
		if (!b)
			fail("as %u reaches %#lx-%#lx", asid, a->first,
			     a->last);
		if (a->first != b->first || a->last != b->last ||
		    a->addr != b->addr || a->perm != b->perm)
			fail("as %u has %#lx-%#lx at %#lx (%u) and not %#lx-%#lx at %#lx (%u)",
			     asid, a->first, a->last, a->addr, a->perm,
			     b->first, b->last, b->addr, b->perm);
	}
	free(want.at);
	free(got->at);
}

static void compare_doorbells(void)
{
	const char *text = mock_read(&w.dev, "doorbell");
	uint32_t i;

	if (strcmp(m.shape.doorbell, "page"))
		return;
	for (i = 0; i < m.shape.nvqs; i++) {
		compare_number("doorbell", strtoul(text, NULL, 0),
			       m.doorbell[i]);
		text += strcspn(text, "\n") + 1;
	}
}

void compare(void)
{
	struct pieces maps[MAX_AS] = { };
	const char *text;
	uint32_t i;

	compare_pinned();
	if (!m.shape.mock)
		return;
	compare_events("call", w.call, m.calls);
	compare_events("config", w.config, m.configs);
	compare_bypass();
	if (!m.exists)
		return;
	compare_state();
	compare_vqs();
	compare_doorbells();
	/* An IOMMU does not tell. */
	if (m.shape.mapping != MAP_IOMMU) {
		read_map(maps);
		for (i = 0; i < m.shape.nas; i++)
			compare_map(i, &maps[i]);
	}
	text = mock_read(&w.dev, "breaches");
	if (*text)
		fail("the parent was called as it may not be: %s", text);
}
