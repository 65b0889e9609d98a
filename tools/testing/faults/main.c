// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep [SCENARIO...]: whatever can fail in these lives of devices does, once.
 * Prints TAP, a line for each scenario, and how many points were swept in each
 * module. Runs as root in the VM.
 */
#include "faults.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"

#define SKIPPED		4	/* exit status, as with kselftests */
#define NAME		"swept"
#define RING_SIZE	16

#define MOST_PARENTS	"vdpasim_net vdpa_net vdpasim_blk vdpa_blk mock " \
			"mock_set_map vp"

/* No scenario: traffic, in which workers fail. */
static const struct {
	const struct scenario *scenario;
	const char *parents;
} rows[] = {
	{ &life_load, "modules" },
	{ &life_probe, "vp" },
	{ &life_device, MOST_PARENTS " mock_va" },
	{ &life_file, MOST_PARENTS },
	{ &life_memory, "vdpasim_net mock mock_set_map vp" },
	{ &life_shared, "mock_va" },
	{ NULL, "vdpasim_net vdpa_net vdpasim_blk vdpa_blk" },
	{ &life_virtio, "vdpa_net vdpa_blk mock" },
};

static unsigned int nr_tests, nr_failed;
static struct life life;

static void result(bool ok, const char *fmt, const char *scenario,
		   const char *parent)
{
	nr_tests++;
	nr_failed += !ok;
	printf("%sok %u - ", ok ? "" : "not ", nr_tests);
	printf(fmt, scenario, parent);
}

static const struct parent *parent_find(const char *name, size_t len)
{
	for (unsigned int i = 0; i < nr_parents; i++)
		if (strlen(parents[i].name) == len &&
		    !strncmp(parents[i].name, name, len))
			return &parents[i];
	return &nobody;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(name, argv[i], strlen(argv[i])))
			return true;
	return argc < 2;
}

static void life_new(const struct parent *parent)
{
	life.parent = parent;
	snprintf(life.name, sizeof(life.name), NAME);
	life.drv.features = parent->features;
	life.drv.size = RING_SIZE;
}

static void run(const struct scenario *scenario, const char *name)
{
	unsigned int points = 0, bad;
	long start = now_ms();

	if (scenario && scenario->module)
		module_load(scenario->module);
	if (scenario && scenario->range)
		scenario->range();
	else
		fault_range_modules();
	fault_not_in(scenario ? scenario->helpless : NULL);
	bad = scenario ? sweep(scenario, &life, &points) :
			 workers(&life, &points);
	if (scenario && scenario->module)
		run_command("modprobe -r %s", scenario->module);
	/* Where nothing is made to fail, nothing is tested. */
	result(!bad && points, "%s: ", name, NULL);
	printf("%u points (%ld s)\n", points, (now_ms() - start) / 1000);
	fflush(stdout);
}

static void run_with(const struct scenario *scenario,
		     const struct parent *parent, int argc, char **argv)
{
	const char *what = scenario ? scenario->name : "workers";
	char name[64];
	int err;

	snprintf(name, sizeof(name), "%s/%s", what, parent->name);
	if (!wanted(name, argc, argv))
		return;
	printf("# %s\n", name);
	fflush(stdout);
	life_new(parent);
	err = parent->begin ? parent->begin(&life) : 0;
	if (err == -ENODEV) {
		result(true, "%s # SKIP there is no such device\n", name, "");
		return;
	}
	if (err) {
		result(false, "%s cannot begin\n", name, "");
		return;
	}
	run(scenario, name);
	if (parent->end)
		parent->end(&life);
}

static void run_all(int argc, char **argv)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = rows[i].parents;

		while (*name) {
			size_t len = strcspn(name, " ");

			run_with(rows[i].scenario, parent_find(name, len), argc,
				 argv);
			name += len + (name[len] == ' ');
		}
	}
}

static const char *prepare(void)
{
	const char *why = fault_open();

	why = why ?: modules_load();
	if (why)
		return why;
	if (!module_load("virtio_net") || !module_load("virtio_blk"))
		return "there are no virtio drivers";
	if (!point_open())
		return "there is no /dev/kmsg";
	if (nl_open(&life.nl))
		return "there is no netlink family vdpa";
	life.drv.mem = mem_anon(DRV_MEM);
	life.event = eventfd(0, EFD_CLOEXEC);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *why = prepare();

	printf("TAP version 13\n");
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return SKIPPED;
	}
	run_all(argc, argv);
	point_summary();
	printf("1..%u\n", nr_tests);
	return nr_failed > 0;
}
