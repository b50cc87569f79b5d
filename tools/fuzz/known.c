// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Failures that are known, by name: what provokes them is not done. */

#include <stdio.h>
#include <string.h>

#include "known.h"

#define MAX_KNOWN	32

static char names[MAX_KNOWN][64];
static int nr;

bool known_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];

	if (!file)
		return false;
	while (nr < MAX_KNOWN && fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || sscanf(line, "%63[^: \t\n]:", names[nr]) != 1)
			continue;
		nr++;
	}
	fclose(file);
	return true;
}

bool known(const char *name)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}
