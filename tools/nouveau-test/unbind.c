// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver goes, and leaves no buffer behind. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

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
	    !check_is(nv_bo_create(fd, SIZE, VRAM, &from), 0) ||
	    !check_is(nv_bo_map(fd, &from), 0) ||
	    !check_is(nv_bo_create(fd, SIZE, GART, &to), 0) ||
	    !check_is(nv_bo_map(fd, &to), 0))
		return;
	nv_bo_fill(&from, 1);
	check_is(nv_copy(&channel, &from, &to, SIZE), 0);
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

/* What a client has when its device goes: buffers, a job that is done, one that is blocked. */
static bool use_all(struct vm *vm, struct nv_channel *channel, struct nv_bo *bos)
{
	if (!check_is(vm_open(vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(vm, SIZE, VRAM | PRIVATE, AT(0), &bos[0]), 0) ||
	    !check_is(vm_bo(vm, SIZE, GART, AT(1), &bos[1]), 0) ||
	    !check_is(nv_channel_create(nv_open(), channel), 0) ||
	    !check_is(nv_bo_create(channel->fd, SIZE, VRAM, &bos[2]), 0) ||
	    !check_is(nv_use_one(channel, &bos[2]), 0))
		return false;
	vm_fill(vm, AT(0), 1, SIZE);
	check_is(vm_run(vm), 0);
	vm_block(vm);
	vm_fill(vm, AT(0), 2, SIZE);
	check_is(vm_exec(vm, NONE, NONE), 0);
	return !case_failed();
}

static void live_on(int ready, int gone)
{
	struct nv_channel channel;
	struct nv_bo bos[3], bo;
	struct vm vm;
	char byte = 0;

	case_begin();
	if (!use_all(&vm, &channel, bos))
		_exit(1);
	check(write(ready, &byte, 1) == 1);
	check(read(gone, &byte, 1) == 1);
	check_is(vm_bind(&vm, &bos[0], AT(2)), -ENODEV);
	check_is(vm_unbind(&vm, AT(0), SIZE, 0), -ENODEV);
	check_is(vm_exec(&vm, NONE, NONE), -ENODEV);
	check_is(nv_bo_create(vm.fd, PAGE, VRAM, &bo), -ENODEV);
	check_is(nv_use_one(&channel, &bos[2]), -ENODEV);
	check_is(nv_bo_wait(channel.fd, &bos[2]), -ENODEV);
	_exit(case_failed());
}

/* A program has it open meanwhile, with all that it can have. */
void test_unbind_open(void)
{
	int ready[2], gone[2], status = 1;
	char name[NAME_MAX + 1], byte = 0;
	pid_t pid;

	if (!check(find_device(name, sizeof(name))) || !check_is(pipe(ready), 0) ||
	    !check_is(pipe(gone), 0))
		return;
	pid = fork();
	if (!pid)
		live_on(ready[1], gone[0]);
	check(read(ready[0], &byte, 1) == 1);
	check(write_file(DRIVER "/unbind", name));
	check(write(gone[1], &byte, 1) == 1);
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	if (check(write_file(DRIVER "/bind", name)))
		use_device();
}

void test_unbind(void)
{
	char name[NAME_MAX + 1];

	if (check(find_device(name, sizeof(name))))
		take_driver_away(name);
}

/* Has a channel, and no buffers: what is in VRAM when the driver goes it warns of. */
static void live_with_channel(int ready)
{
	struct nv_channel channel;
	struct nv_bo bo;
	int fd = nv_open();

	if (nv_channel_create(fd, &channel) || nv_bo_create(fd, 64 * PAGE, VRAM, &bo) ||
	    nv_use_one(&channel, &bo) || nv_bo_wait(fd, &bo) || nv_bo_close(fd, &bo) ||
	    nv_bo_close(fd, &channel.push) || nv_bo_close(fd, &channel.notifier) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/*
 * A program still has a channel, which goes with the device. The program goes on until the machine
 * is switched off: to close its file is what nouveau does not stand.
 */
void test_unbind_channel(void)
{
	char name[NAME_MAX + 1], byte;
	int ready[2];

	if (!check(find_device(name, sizeof(name))) || !check_is(pipe(ready), 0))
		return;
	if (!fork())
		live_with_channel(ready[1]);
	close(ready[1]);
	if (!check_is(read(ready[0], &byte, 1), 1))
		return;
	check(write_file(DRIVER "/unbind", name));
	check(nv_open() < 0);
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
