// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver goes while buffers are dead and alive, busy and idle. */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nv.h"

#define DRIVER	"/sys/bus/pci/drivers/nouveau"

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return good;
}

/* The first device of the driver. */
static bool find_device(char *name, size_t size)
{
	DIR *dir = opendir(DRIVER);
	struct dirent *entry;

	if (!dir)
		return false;
	do {
		entry = readdir(dir);
	} while (entry && !strchr(entry->d_name, ':'));
	if (entry)
		snprintf(name, size, "%s", entry->d_name);
	closedir(dir);
	return entry;
}

void test_unbind(void)
{
	struct nv_channel blocked, other;
	struct nv_bo bo;
	char name[NAME_MAX + 1];
	int i, fd = nv_open();

	if (!check(fd >= 0) || !check(find_device(name, sizeof(name))) ||
	    !check_is(nv_channel_create(fd, &blocked), 0) ||
	    !check_is(nv_channel_create(fd, &other), 0))
		return;
	nv_block(&blocked);
	for (i = 0; i < 16; i++) {
		if (!check_is(nv_bo_create(fd, 64 * PAGE, i & 1 ? VRAM : GART, &bo), 0))
			return;
		check_is(nv_use_one(i & 2 ? &blocked : &other, &bo), 0);
		if (i & 4)
			check_is(nv_bo_close(fd, &bo), 0);
	}
	close(fd);
	check(put(DRIVER "/unbind", name));
	check(nv_open() < 0);
}
