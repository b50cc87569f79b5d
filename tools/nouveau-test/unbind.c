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

/* What the driver can do when it is there: a channel copies. */
static void use_device(void)
{
	struct nv_channel channel;
	struct nv_bo from, to;
	int fd = nv_open();

	if (!check(fd >= 0) || !check_is(nv_channel_create(fd, &channel), 0) ||
	    !check_is(nv_bo_create(fd, 16 * PAGE, VRAM, &from), 0) ||
	    !check_is(nv_bo_map(fd, &from), 0) ||
	    !check_is(nv_bo_create(fd, 16 * PAGE, GART, &to), 0) ||
	    !check_is(nv_bo_map(fd, &to), 0))
		return;
	nv_bo_fill(&from, 1);
	check_is(nv_copy(&channel, &from, &to, 16 * PAGE), 0);
	check_is(nv_bo_wait(fd, &to), 0);
	check(nv_bo_holds(&to, 1));
	/* Or they are what keeps the device from going. */
	check_is(nv_bo_close(fd, &from), 0);
	check_is(nv_bo_close(fd, &to), 0);
	check_is(nv_channel_destroy(&channel), 0);
	close(fd);
}

/* No file is open: nouveau does not stand that, now as before. */
static bool take_driver_away(const char *name)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid)
		live_and_die();
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	check(write_file(DRIVER "/unbind", name));
	return check(nv_open() < 0);
}

void test_unbind(void)
{
	char name[NAME_MAX + 1];

	if (check(find_device(name, sizeof(name))))
		take_driver_away(name);
}

void test_rebind(void)
{
	char name[NAME_MAX + 1];
	int round;

	if (!check(find_device(name, sizeof(name))))
		return;
	for (round = 0; round < 3; round++) {
		if (!take_driver_away(name) || !check(write_file(DRIVER "/bind", name)))
			return;
		use_device();
	}
}
