// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of the machine, as a text: what there is in the directories where
 * devices show, the users of our modules, memory that is pinned.
 */
#include "faults.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blkconf.h"
#include "dev.h"
#include "files.h"
#include "leak.h"
#include "mockdev.h"

/* Where a device, or what is made of it, has an entry. */
static const char *const places[] = {
	BUS "/devices", BUS "/drivers/vhost_vdpa", BUS "/drivers/virtio_vdpa",
	"/sys/class/net", "/sys/block", "/sys/bus/pci/drivers/vp-vdpa",
	"/sys/module/vdpa/holders", MOCK, CONF,
};

/* Where names go on and on. */
static const char *const numbered[] = {
	"/sys/bus/virtio/devices", "/sys/dev/char",
};

void text_add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

static int with_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void add_entries(char *text, size_t size, const char *place, bool names)
{
	struct dirent **list;
	int nr = scandir(place, &list, with_name, alphasort);

	text_add(text, size, "%s:", place);
	if (!names)
		text_add(text, size, " %d", nr);
	for (int i = 0; i < nr; i++) {
		if (names)
			text_add(text, size, " %s", list[i]->d_name);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
	text_add(text, size, "\n");
}

static void add_modules(char *text, size_t size)
{
	FILE *file = fopen("/proc/modules", "re");
	char line[512], name[64];
	int refs;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %*d %d", name, &refs) == 2 &&
		    module_is_ours(name))
			text_add(text, size, "%s has %d users\n", name, refs);
	if (file)
		fclose(file);
}

void world_look(char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		add_entries(text, size, places[i], true);
	for (unsigned int i = 0; i < ARRAY_SIZE(numbered); i++)
		add_entries(text, size, numbered[i], false);
	add_modules(text, size);
	text_add(text, size, "pages pinned %ld, by this process %ld KiB\n",
		 pinned_pages(), status_kib("VmPin"));
}
