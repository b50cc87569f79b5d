// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * read-counters reset | read | drain
 *
 * Starts the kernel's counters anew, prints them as JSON, or does so after all
 * that is dead and idle was released.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "device.h"

static int run(int fd, const char *what)
{
	struct drm_swgpu_stats stats;
	int ret;

	if (!strcmp(what, "reset"))
		return device_stats(fd, SWGPU_STATS_RESET, &stats);
	ret = strcmp(what, "drain") ? 0 : device_drain(fd);
	if (!ret)
		ret = device_stats(fd, 0, &stats);
	if (ret)
		return ret;
	counters_print(stdout, &stats);
	putchar('\n');
	return 0;
}

static int known(const char *what)
{
	return !strcmp(what, "reset") || !strcmp(what, "read") || !strcmp(what, "drain");
}

int main(int argc, char **argv)
{
	int fd, ret;

	if (argc != 2 || !known(argv[1])) {
		fputs("usage: read-counters reset | read | drain\n", stderr);
		return 2;
	}
	fd = device_open(NULL);
	if (fd < 0)
		return 1;
	ret = run(fd, argv[1]);
	close(fd);
	if (ret)
		fprintf(stderr, "read-counters: %s: %s\n", argv[1], strerror(-ret));
	return ret ? 1 : 0;
}
