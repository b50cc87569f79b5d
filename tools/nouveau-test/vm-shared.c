// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers that an address space has not for itself: of another client, or of another device. */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

/* The same buffer for another client. */
static int share(int fd, const struct nv_bo *bo, int other, struct nv_bo *same)
{
	int dma_buf = nv_bo_export(fd, bo);
	int ret = dma_buf < 0 ? dma_buf : nv_bo_import(other, dma_buf, same);

	if (dma_buf >= 0)
		close(dma_buf);
	return ret;
}

/* Two address spaces have it. Each goes on with it when the other does not any more. */
void test_vm_shared(int fd)
{
	struct nv_bo bo, same, own, to;
	struct vm vms[2];

	(void)fd;
	if (!check_is(vm_open(&vms[0], NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_open(&vms[1], NOUVEAU_FIFO_ENGINE_CE), 0) ||
	    !check_is(vm_bo(&vms[0], SIZE, VRAM, AT(0), &bo), 0) ||
	    !check_is(vm_bo(&vms[0], SIZE, VRAM | PRIVATE, 0, &own), 0) ||
	    !check_is(vm_bo(&vms[1], SIZE, STAGING, AT(1), &to), 0) ||
	    !check_is(share(vms[0].fd, &bo, vms[1].fd, &same), 0) ||
	    !check_is(vm_bind(&vms[1], &same, AT(0)), 0))
		return;
	/* One that is an address space's own is not for others. */
	check_is(nv_bo_export(vms[0].fd, &own), -EPERM);
	vm_fill(&vms[0], AT(0), 1, SIZE);
	check_is(vm_run(&vms[0]), 0);
	vm_copy(&vms[1], AT(1), AT(0), SIZE);
	check_is(vm_run(&vms[1]), 0);
	check_is(to.map[SIZE / 4 - 1], 1);

	check_is(vm_unbind(&vms[0], AT(0), SIZE, 0), 0);
	check_is(nv_bo_close(vms[0].fd, &bo), 0);
	check_is(close(vms[0].fd), 0);
	vm_fill(&vms[1], AT(0), 2, SIZE);
	vm_copy(&vms[1], AT(1), AT(0), SIZE);
	check_is(vm_run(&vms[1]), 0);
	check_is(to.map[0], 2);
}

/* More than one of all of VRAM, so that nothing stays that can leave. */
static void press(int fd)
{
	uint64_t size = nv_vram_size(fd) / 8 & ~(PAGE - 1);
	struct nv_bo bo;
	int i;

	for (i = 0; i < 10; i++)
		if (!check_is(nv_bo_create(fd, size, VRAM, &bo), 0) ||
		    !check_is(nv_bo_map(fd, &bo), 0))
			return;
		else
			bo.map[0] = i;
}

/*
 * Memory is wanted while a job that is blocked uses some. With the fence-ordered LRU what is
 * idle leaves VRAM, and the job goes on waiting. Today's eviction takes what was used least
 * recently, and waits for it: so somebody lets the job go on, before it times out.
 */
static void press_on_blocked(int fd, struct vm *blocked, uint32_t done)
{
	pid_t pid;

	if (nv_deletes_by_fence()) {
		press(fd);
		check_is(vm_wait(blocked, done, 0), -ETIME);
		vm_unblock(blocked);
		return;
	}
	pid = vm_unblock_later(blocked, SECOND);
	press(fd);
	check(waitpid(pid, NULL, 0) == pid);
}

/* While one client's job uses it the other one lets it go: it stays until the job is done. */
void test_vm_shared_busy(int fd)
{
	struct nv_bo bo, same, to;
	struct vm vms[2];
	uint32_t done;

	if (!check_is(vm_open(&vms[0], NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_open(&vms[1], NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vms[0], SIZE, VRAM, AT(0), &bo), 0) ||
	    !check_is(vm_bo(&vms[1], SIZE, STAGING, AT(1), &to), 0) ||
	    !check_is(share(vms[0].fd, &bo, vms[1].fd, &same), 0) ||
	    !check_is(vm_bind(&vms[1], &same, AT(0)), 0))
		return;
	nv_bo_fill(&bo, 3);
	nv_bo_fill(&to, 0);
	done = vm_syncobj(&vms[1]);
	vm_block(&vms[1]);
	vm_copy(&vms[1], AT(1), AT(0), SIZE);
	check_is(vm_exec(&vms[1], NONE, done), 0);
	check_is(vm_unbind(&vms[0], AT(0), SIZE, 0), 0);
	check_is(nv_bo_close(vms[0].fd, &bo), 0);
	check_is(nv_bo_close(vms[1].fd, &same), 0);
	check(nv_bo_holds(&to, 0));
	press_on_blocked(fd, &vms[1], done);
	check_is(vm_wait(&vms[1], done, 30 * SECOND), 0);
	check(nv_bo_holds(&to, 3));
}

int make_udmabuf(uint32_t **map)
{
	int memory = memfd_create("nouveau-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), dma_buf;
	struct udmabuf_create args = { .memfd = memory, .size = SIZE };

	if (ftruncate(memory, SIZE) || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	*map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	dma_buf = ioctl(device, UDMABUF_CREATE, &args);
	if (dma_buf < 0)
		dma_buf = -errno;
	close(device);
	close(memory);
	return *map == MAP_FAILED ? -ENOMEM : dma_buf;
}

/* Bound, copied from and to; it goes while a job uses it. */
void test_vm_imported(int fd)
{
	struct nv_bo imported, own;
	uint32_t *map = NULL, done, i;
	struct vm vm;
	int dma_buf;

	(void)fd;
	if (access("/dev/udmabuf", R_OK | W_OK)) {
		skip("this kernel has no udmabuf");
		return;
	}
	dma_buf = make_udmabuf(&map);
	if (!check(dma_buf >= 0) || !check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(nv_bo_import(vm.fd, dma_buf, &imported), 0) ||
	    !check_is(vm_bind(&vm, &imported, AT(0)), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(1), &own), 0))
		return;
	close(dma_buf);
	for (i = 0; i < SIZE / 4; i++)
		map[i] = i;
	vm_copy(&vm, AT(1), AT(0), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&own, 0));
	nv_bo_fill(&own, 7);
	done = vm_syncobj(&vm);
	vm_block(&vm);
	vm_copy(&vm, AT(0), AT(1), SIZE);
	check_is(vm_exec(&vm, NONE, done), 0);
	check_is(vm_unbind_later(&vm, AT(0), SIZE, done, NONE), 0);
	check_is(nv_bo_close(vm.fd, &imported), 0);
	check_is(map[0], 0);
	vm_unblock(&vm);
	check_is(vm_wait(&vm, done, 30 * SECOND), 0);
	check_is(map[0], 7);
	check_is(map[SIZE / 4 - 1], 7 + SIZE / 4 - 1);
}
