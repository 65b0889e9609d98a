// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says of each failure that it makes: a backtrace in its log,
 * beside which there may be others. The module that a point is counted for is
 * the innermost of ours there. The kernel is silent about an allocation whose
 * caller has asked for that.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_LEN	8192
#define ASKED		"should_fail_ex\n"	/* in what makes it fail */

static const char *const ours[] = {
	"vdpa", "vdpa_ring", "vdpa_soft", "vdpa_net", "vdpa_blk", "vp_vdpa",
	"vhost_vdpa", "virtio_vdpa", "vdpa_mock",
};

static unsigned int counts[ARRAY_SIZE(ours) + 1];	/* the last: not told */
static int kmsg = -1;

bool module_is_ours(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strcmp(name, ours[i]))
			return true;
	return false;
}

bool point_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return kmsg >= 0;
}

void point_forget(void)
{
	lseek(kmsg, 0, SEEK_END);
}

/* The text of the next record; NULL after the last one. */
static char *next_record(void)
{
	static char record[RECORD_LEN];
	ssize_t len;
	char *start;

	/* EPIPE: records were lost, the next call goes on after them. */
	while ((len = read(kmsg, record, sizeof(record) - 1)) < 0)
		if (errno != EPIPE)
			return NULL;
	record[len] = '\0';
	start = strchr(record, ';');
	start = start ? start + 1 : record;
	start[strcspn(start, "\n")] = '\0';
	return start;
}

/* " function+0x12/0x34 [module]": one of a backtrace that is certain. */
static void add_frame(struct point *point, const char *text)
{
	char function[128], module[32] = "";
	int len = strlen(point->stack), n;

	if (!strchr(text, '+'))
		return;
	n = sscanf(text, " %127[^+]+%*x/%*x [%31[^] ]", function, module);
	if (n < 1 || !strcmp(function, "?") || strchr(function, ' '))
		return;
	if (len < STACK_LEN - 200)
		snprintf(point->stack + len, STACK_LEN - len, "%s%s%s%s\n",
			 function, n > 1 ? " [" : "", module,
			 n > 1 ? "]" : "");
	if (!*point->module && module_is_ours(module))
		memcpy(point->module, module, sizeof(point->module));
}

bool point_read(struct point *point)
{
	const char *text;

	memset(point, 0, sizeof(*point));
	while ((text = next_record())) {
		if (strstr(text, "Call Trace:"))
			memset(point, 0, sizeof(*point));
		else if (!strstr(text, "</TASK>"))
			add_frame(point, text);
		else if (strstr(point->stack, ASKED))
			return true;
	}
	memset(point, 0, sizeof(*point));
	return false;
}

void point_count(const struct point *point)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strcmp(point->module, ours[i]))
			break;
	counts[i]++;
}

void point_summary(void)
{
	unsigned int i, all = 0;

	for (i = 0; i <= ARRAY_SIZE(ours); i++) {
		if (counts[i])
			printf("# %s: %u points\n", i < ARRAY_SIZE(ours) ?
			       ours[i] : "asked for in silence", counts[i]);
		all += counts[i];
	}
	printf("# all: %u points\n", all);
}
