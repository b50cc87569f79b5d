// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver goes, with no file open or with some; and comes back. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define DRIVER		"/sys/bus/pci/drivers/nouveau"
#define FIRST_NODE	"/dev/dri/renderD128"

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

/* No file is open. */
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

/**
 * struct belongings - what a client has when its device goes
 * @vm: an address space, with a job that is blocked
 * @channel: a channel of a client without one, that was used
 * @bos: VRAM and GTT of the address space, VRAM of the channel; all mapped
 * @imported: memory of another driver, in the address space
 * @exported: @bos[2] as a dma-buf
 * @page: of that one, mapped
 */
struct belongings {
	struct vm vm;
	struct nv_channel channel;
	struct nv_bo bos[3];
	struct nv_bo imported;
	int exported;
	uint32_t *page;
};

static bool take_others(struct belongings *b)
{
	uint32_t *map;
	int dma_buf = make_udmabuf(&map);

	if (!check(dma_buf >= 0) ||
	    !check_is(nv_bo_import(b->vm.fd, dma_buf, &b->imported), 0) ||
	    !check_is(vm_bind(&b->vm, &b->imported, AT(3)), 0))
		return false;
	close(dma_buf);
	b->exported = nv_bo_export(b->channel.fd, &b->bos[2]);
	if (!check(b->exported >= 0))
		return false;
	b->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, b->exported, 0);
	return check(b->page != MAP_FAILED);
}

static bool take_all(struct belongings *b)
{
	struct vm *vm = &b->vm;

	if (!check_is(vm_open(vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(vm, SIZE, VRAM | PRIVATE, AT(0), &b->bos[0]), 0) ||
	    !check_is(vm_bo(vm, SIZE, GART, AT(1), &b->bos[1]), 0) ||
	    !check_is(nv_channel_create(nv_open(), &b->channel), 0) ||
	    !check_is(nv_bo_create(b->channel.fd, SIZE, VRAM, &b->bos[2]), 0) ||
	    !check_is(nv_bo_map(b->channel.fd, &b->bos[2]), 0) ||
	    !check_is(nv_use_one(&b->channel, &b->bos[2]), 0) || !take_others(b))
		return false;
	nv_bo_fill(&b->bos[1], 5);
	nv_bo_fill(&b->bos[2], 6);
	check_is(b->page[0], 6);
	vm_fill(vm, AT(0), 1, SIZE);
	check_is(vm_run(vm), 0);
	check_is(b->bos[0].map[0], 1);
	vm_block(vm);
	vm_fill(vm, AT(0), 2, SIZE);
	vm_copy(vm, AT(3), AT(0), SIZE);
	check_is(vm_exec(vm, NONE, NONE), 0);
	return !case_failed();
}

/* No request is served. */
static void check_refused(struct belongings *b)
{
	struct nv_bo bo;
	char nvif[32] = {};

	check_is(vm_bind(&b->vm, &b->bos[0], AT(2)), -ENODEV);
	check_is(vm_unbind(&b->vm, AT(0), SIZE, 0), -ENODEV);
	check_is(vm_exec(&b->vm, NONE, NONE), -ENODEV);
	check_is(nv_bo_create(b->vm.fd, PAGE, VRAM, &bo), -ENODEV);
	check_is(nv_use_one(&b->channel, &b->bos[2]), -ENODEV);
	check_is(nv_bo_wait(b->channel.fd, &b->bos[2]), -ENODEV);
	check_is(node_ioctl(b->vm.fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_NOUVEAU_NVIF, nvif), nvif),
		 -ENODEV);
}

/* What is mapped is zeros, and can be written. */
static void check_zeros(volatile uint32_t *map)
{
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint32_t word;

	/* Before there is a page: a debugger is refused. */
	check(pread(memory, &word, sizeof(word), (uintptr_t)map) < 0);
	close(memory);
	check_is(map[0], 0);
	map[0] = 7;
	check_is(map[0], 7);
}

static void live_on(int ready, int gone)
{
	struct belongings b = {};
	char byte = 0;
	int i;

	case_begin();
	if (!take_all(&b))
		_exit(1);
	check(write(ready, &byte, 1) == 1);
	check(read(gone, &byte, 1) == 1);
	check_refused(&b);
	for (i = 0; i < 3; i++)
		check_zeros(b.bos[i].map);
	check_zeros(b.page);
	/* The driver has come back meanwhile. The dma-buf is the last that there is of the old. */
	check(write(ready, &byte, 1) == 1);
	check(read(gone, &byte, 1) == 1);
	close(b.vm.fd);
	close(b.channel.fd);
	for (i = 0; i < 3; i++)
		munmap(b.bos[i].map, b.bos[i].size);
	close(b.exported);
	check_is(b.page[0], 7);
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
	close(ready[1]);
	if (!check(read(ready[0], &byte, 1) == 1))
		return;
	check(write_file(DRIVER "/unbind", name));
	check(nv_open() < 0);
	check(write(gone[1], &byte, 1) == 1);
	check(read(ready[0], &byte, 1) == 1);
	if (check(write_file(DRIVER "/bind", name)))
		use_device();
	check(write(gone[1], &byte, 1) == 1);
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	use_device();
	/* The first one is freed: its number is, too. */
	check(write_file(DRIVER "/unbind", name) && write_file(DRIVER "/bind", name));
	check(!access(FIRST_NODE, F_OK));
}

/* Whatever is refused: the device may be gone. */
static void come_and_go(void)
{
	struct nv_channel channel;
	struct nv_bo bos[2];
	struct vm vm;
	int fd;

	/* What the checks of requests have to say is of no interest. */
	freopen("/dev/null", "w", stdout);
	fd = nv_open();
	if (fd >= 0 && !nv_bo_create(fd, SIZE, VRAM, &bos[0]) && !nv_bo_map(fd, &bos[0])) {
		bos[0].map[0] = 1;
		if (!nv_channel_create(fd, &channel))
			nv_use_one(&channel, &bos[0]);
		munmap(bos[0].map, SIZE);
	}
	close(fd);
	if (!vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR) &&
	    !vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(0), &bos[1])) {
		vm_fill(&vm, AT(0), 1, SIZE);
		vm_exec(&vm, NONE, NONE);
		bos[1].map[0] = 1;
	}
}

/* Programs that do not wait for each other, nor for the device; each opens it again and again. */
void test_unbind_busy(void)
{
	char name[NAME_MAX + 1];
	pid_t programs[3];
	int i, round;

	if (!check(find_device(name, sizeof(name))))
		return;
	for (i = 0; i < 3; i++) {
		programs[i] = fork();
		while (!programs[i]) {
			pid_t once = fork();

			if (!once) {
				come_and_go();
				_exit(0);
			}
			waitpid(once, NULL, 0);
		}
	}
	for (round = 0; round < 20; round++) {
		sleep_ns((10 + round * 7) * MS);
		if (!check(write_file(DRIVER "/unbind", name)) ||
		    !check(write_file(DRIVER "/bind", name)))
			break;
	}
	for (i = 0; i < 3; i++)
		kill(programs[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	use_device();
}

void test_unbind(void)
{
	char name[NAME_MAX + 1];

	if (check(find_device(name, sizeof(name))))
		take_driver_away(name);
}

/* Has a channel, and no buffers. */
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
 * is switched off.
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
