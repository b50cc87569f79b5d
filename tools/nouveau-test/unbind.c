// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver goes, and leaves no buffer behind. */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nv.h"

#define DRIVER	"/sys/bus/pci/drivers/nouveau"

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

/* Leaves buffers that died in every state. */
static void live_and_die(void)
{
	struct nv_channel blocked, other;
	struct nv_bo bo;
	int i, fd = nv_open();

	if (nv_channel_create(fd, &blocked) || nv_channel_create(fd, &other))
		_exit(1);
	nv_block(&blocked);
	for (i = 0; i < 16; i++) {
		if (nv_bo_create(fd, 64 * PAGE, i & 1 ? VRAM : GART, &bo) ||
		    nv_use_one(i & 2 ? &blocked : &other, &bo))
			_exit(1);
		if (i & 4)
			nv_bo_close(fd, &bo);
	}
	/* Bochs does not survive that a channel is stopped while it waits. */
	nv_unblock(&blocked);
	_exit(0);
}

/* No file is open: nouveau does not stand that, now as before. */
void test_unbind(void)
{
	char name[NAME_MAX + 1];
	int status = 1;
	pid_t pid;

	if (!check(find_device(name, sizeof(name))))
		return;
	pid = fork();
	if (!pid)
		live_and_die();
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	check(write_file(DRIVER "/unbind", name));
	check(nv_open() < 0);
}
