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

unsigned int leaks_look(void)
{
	unsigned int found = 0;
	char line[512];
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
		found += !strncmp(line, "unreferenced object", 19);
		printf("# leak: %s", line);
	}
	if (file)
		fclose(file);
	return found;
}
