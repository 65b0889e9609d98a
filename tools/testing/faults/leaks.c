// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that nobody knows of any more, as kmemleak sees it. It wants objects
 * to be some seconds old and to be looked for twice.
 */
#include "faults.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define OLD_ENOUGH_S	6

bool leaks_forget(void)
{
	return !file_write("scan", KMEMLEAK) &&
	       !file_write("clear", KMEMLEAK);
}

/*
 * Tells of @record, if there is one: 1 for a leak of ours. What another module
 * has asked for, on a call of ours, is not.
 */
static unsigned int leak_tell(const char *record)
{
	const char *trace = strstr(record, "backtrace");
	const char *module = trace ? strstr(trace, " [") : NULL;
	char name[64];

	if (!*record || (module && sscanf(module, " [%63[^]]", name) == 1 &&
			 !module_is_ours(name)))
		return 0;
	printf("# leak: %s", record);
	return 1;
}

unsigned int leaks_look(void)
{
	char line[512], record[8192] = "";
	unsigned int found = 0;
	FILE *file;

	for (int i = 0; i < 2; i++) {
		sleep(OLD_ENOUGH_S);
		if (file_write("scan", KMEMLEAK)) {
			wrong("kmemleak has given up");
			return 1;
		}
	}
	file = fopen(KMEMLEAK, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "unreferenced object", 19)) {
			found += leak_tell(record);
			record[0] = '\0';
		}
		text_add(record, sizeof(record), "%s", line);
	}
	found += leak_tell(record);
	if (file)
		fclose(file);
	return found;
}
