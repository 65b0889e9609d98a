// SPDX-License-Identifier: GPL-2.0-only
/*
 * abi_random: random calls to /dev/vhost-vdpa-N, whole sequences of them.
 *
 * With one thread (round.c) every answer, and what the parent is told, is
 * checked against a model, and the seed gives all of it again. With more
 * (free.c) they run freely, while the device goes and comes, memory changes
 * and the parent fails: then only what must always hold is checked. Runs as
 * root in the VM; "run" boots it. Prints TAP.
 */
#include "random.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dev.h"

#define PCI	"/sys/bus/pci/devices"
#define EDU_ID	"0x11e8"

static const char usage[] =
"usage: abi_random [OPTION...]\n"
"\n"
"  --seed N        draw everything from N; else from a number that is told\n"
"  --time SECONDS  how long (10)\n"
"  --threads N     1: check all against the model (default); else run freely\n"
"  --parent NAME   mock (vdpa_mock, default), iommu (the same, behind the IOMMU\n"
"                  of QEMU's function \"edu\"), net (vdpa_net, as vdpasim_net)\n"
"  --steps N       one round of N steps, however long it takes\n"
"  --help          this\n"
"\n"
"With ABI_RANDOM_TRACE in the environment each step is told as it is made.\n";

enum option_id { OPT_SEED, OPT_TIME, OPT_THREADS, OPT_PARENT, OPT_STEPS,
		 OPT_HELP };

static const struct option long_options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "parent", required_argument, NULL, OPT_PARENT },
	{ "steps", required_argument, NULL, OPT_STEPS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ },
};

static void wrong(void)
{
	fputs(usage, stderr);
	exit(2);
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || !*text || *end || value > max)
		wrong();
	return value;
}

/* A PCI function that an IOMMU translates for. */
static bool find_edu(char *name, size_t len)
{
	struct dirent *entry;
	bool found = false;
	char id[16];
	DIR *dir = opendir(PCI);

	while (dir && !found && (entry = readdir(dir))) {
		found = !file_read(id, sizeof(id), PCI "/%s/device",
				   entry->d_name) &&
			!strncmp(id, EDU_ID, strlen(EDU_ID)) &&
			file_exists(PCI "/%s/iommu_group", entry->d_name);
		snprintf(name, len, "%.20s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void skip(const char *why)
{
	printf("ok 1 - random calls # SKIP %s\n", why);
	exit(4);
}

static void parse_parent(struct options *opts, const char *name)
{
	opts->mock = strcmp(name, "net");
	if (!strcmp(name, "iommu")) {
		if (!find_edu(opts->dma_dev, sizeof(opts->dma_dev)))
			skip("there is no function edu behind an IOMMU");
	} else if (opts->mock && strcmp(name, "mock")) {
		wrong();
	}
}

static void parse(struct options *opts, int argc, char **argv)
{
	int id;

	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (id) {
		case OPT_SEED:
			opts->seed = number(optarg, UINT64_MAX);
			break;
		case OPT_TIME:
			opts->seconds = number(optarg, 1000000);
			break;
		case OPT_THREADS:
			opts->threads = number(optarg, 64);
			break;
		case OPT_STEPS:
			opts->steps = number(optarg, UINT32_MAX);
			break;
		case OPT_PARENT:
			parse_parent(opts, optarg);
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			wrong();
		}
	}
	if (optind != argc || !opts->threads)
		wrong();
}

int main(int argc, char **argv)
{
	struct options opts = { .seconds = 10, .threads = 1, .mock = true };
	uint32_t fresh;

	if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh))
		return 1;
	opts.seed = fresh;
	parse(&opts, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n# seed %lu\n", opts.seed);
	if (!module_load("vhost_vdpa") ||
	    !(opts.mock ? mock_available() : module_load("vdpa_net")))
		skip("the modules are not there");
	if (opts.threads == 1)
		rounds_run(&opts);
	else
		free_run(&opts);
	return 0;
}
