// SPDX-License-Identifier: GPL-2.0 OR MIT
/* EXEC and VM_BIND: what is bound where, and when, is seen by what copies find there. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

static bool holds_only(const struct nv_bo *bo, uint32_t value)
{
	uint64_t i;

	for (i = 0; i < bo->size / 4; i++)
		if (bo->map[i] != value)
			return false;
	return true;
}

/* To VRAM and back, on the engine that graphics has, and on the other one. */
static void copy_on(uint32_t engine)
{
	struct nv_bo from, between, to;
	struct vm vm;

	if (!check_is(vm_open(&vm, engine), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(0), &from), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(1), &between), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(2), &to), 0))
		return;
	nv_bo_fill(&from, 77);
	nv_bo_fill(&to, 0);
	vm_copy(&vm, AT(1), AT(0), SIZE);
	vm_copy(&vm, AT(2), AT(1), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&to, 77));
	vm_fill(&vm, AT(1), 0xfeed, SIZE);
	vm_copy(&vm, AT(2), AT(1), SIZE);
	check_is(vm_run(&vm), 0);
	check(holds_only(&to, 0xfeed));
}

void test_vm_copy(int fd)
{
	(void)fd;
	copy_on(NOUVEAU_FIFO_ENGINE_GR);
	copy_on(NOUVEAU_FIFO_ENGINE_CE);
}

/* An unbind that waits for a job leaves it what it uses. */
void test_vm_unbind_later(int fd)
{
	uint32_t job_done, unbound;
	struct nv_bo from, to;
	struct vm vm;

	(void)fd;
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(0), &from), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(1), &to), 0))
		return;
	nv_bo_fill(&from, 5);
	nv_bo_fill(&to, 6);
	job_done = vm_syncobj(&vm);
	unbound = vm_syncobj(&vm);
	vm_block(&vm);
	vm_copy(&vm, AT(1), AT(0), SIZE);
	check_is(vm_exec(&vm, NONE, job_done), 0);
	check_is(vm_unbind_later(&vm, AT(0), SIZE, job_done, unbound), 0);
	check_is(nv_bo_close(vm.fd, &from), 0);
	check_is(vm_wait(&vm, unbound, 100 * MS), -ETIME);
	check(nv_bo_holds(&to, 6));
	vm_unblock(&vm);
	check_is(vm_wait(&vm, unbound, 30 * SECOND), 0);
	check(nv_bo_holds(&to, 5));
}

/* No job can be using a buffer that is new: whoever makes one waits for none of its address space. */
void test_vm_new(int fd)
{
	struct nv_bo vram, gart, to;
	uint32_t job_done;
	struct vm vm;

	(void)fd;
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(0), &to), 0))
		return;
	job_done = vm_syncobj(&vm);
	vm_block(&vm);
	vm_fill(&vm, AT(0), 7, SIZE);
	check_is(vm_exec(&vm, NONE, job_done), 0);
	if (!check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(1), &vram), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING | PRIVATE, AT(2), &gart), 0))
		return;
	nv_bo_fill(&vram, 8);
	/* It has not been given up, either. */
	check_is(vm_wait(&vm, job_done, 0), -ETIME);
	vm_unblock(&vm);
	check_is(vm_wait(&vm, job_done, 30 * SECOND), 0);
	check(holds_only(&to, 7));
	vm_copy(&vm, AT(2), AT(1), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&gart, 8));
}

/* Where nothing is bound in a sparse region there are zeros, and what is written is lost. */
void test_vm_sparse(int fd)
{
	struct nv_bo some, to;
	struct vm vm;

	(void)fd;
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bind_sparse(&vm, AT(0), 4 * SIZE), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(0) + SIZE, &some), 0) ||
	    !check_is(vm_bo(&vm, 4 * SIZE, STAGING, AT(1), &to), 0))
		return;
	nv_bo_fill(&to, 9);
	vm_fill(&vm, AT(0), 1234, 4 * SIZE);
	vm_copy(&vm, AT(1), AT(0), 4 * SIZE);
	check_is(vm_run(&vm), 0);
	check_is(to.map[0], 0);
	check_is(to.map[SIZE / 4], 1234);
	check_is(to.map[2 * SIZE / 4 - 1], 1234);
	check_is(to.map[2 * SIZE / 4], 0);
	check_is(vm_unbind(&vm, AT(0) + SIZE, SIZE, 0), 0);
	vm_copy(&vm, AT(1), AT(0), 4 * SIZE);
	check_is(vm_run(&vm), 0);
	check(holds_only(&to, 0));
	check_is(vm_unbind(&vm, AT(0), 4 * SIZE, DRM_NOUVEAU_VM_BIND_SPARSE), 0);
}

/* A job that touches nothing that is bound kills its channel, and no other one. */
void test_vm_fault(int fd)
{
	struct vm faulty, other;
	struct nv_bo to;
	uint32_t done;

	(void)fd;
	if (!check_is(vm_open(&faulty, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_open(&other, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&other, SIZE, STAGING, AT(1), &to), 0))
		return;
	done = vm_syncobj(&faulty);
	vm_copy(&faulty, AT(1), AT(0), SIZE);
	check_is(vm_exec(&faulty, NONE, done), 0);
	check_is(vm_wait(&faulty, done, 30 * SECOND), 0);
	vm_fill(&other, AT(1), 3, SIZE);
	check_is(vm_run(&other), 0);
	check(holds_only(&to, 3));
	vm_copy(&faulty, AT(1), AT(0), SIZE);
	check_is(vm_exec(&faulty, NONE, NONE), -ENODEV);
}

#define HANG	"/sys/kernel/debug/nvsw/hang"

/* A job of a channel that hangs times out. Another channel goes on, meanwhile and after it. */
static void hang(const char *how, uint32_t engine)
{
	struct vm hung, other;
	char text[32];
	struct nv_bo to;
	uint32_t done;

	if (access(HANG, W_OK)) {
		skip("no channel hangs on request");
		return;
	}
	if (!check_is(vm_open(&hung, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_open(&other, engine), 0) ||
	    !check_is(vm_bo(&other, SIZE, STAGING, AT(1), &to), 0))
		return;
	snprintf(text, sizeof(text), "%d %s", hung.channel, how);
	check(write_file(HANG, text));
	done = vm_syncobj(&hung);
	vm_block(&hung);
	check_is(vm_exec(&hung, NONE, done), 0);
	vm_fill(&other, AT(1), 4, SIZE);
	check_is(vm_run(&other), 0);
	check(holds_only(&to, 4));
	check_is(vm_wait(&hung, done, 100 * SECOND), 0);
	check_is(vm_exec(&hung, NONE, NONE), -ENODEV);
	vm_fill(&other, AT(1), 5, SIZE);
	check_is(vm_run(&other), 0);
	check(holds_only(&to, 5));
}

void test_vm_hang(int fd)
{
	(void)fd;
	hang("preemptible", NOUVEAU_FIFO_ENGINE_GR);
}

/*
 * So does one that keeps the engine to itself, until that is reset. Jobs of others that wait
 * for the engine time out with it: the other channel is on another one.
 */
void test_vm_hang_for_good(int fd)
{
	(void)fd;
	hang("for-good", NOUVEAU_FIFO_ENGINE_CE);
	copy_on(NOUVEAU_FIFO_ENGINE_GR);
}

#define PART	16

/* More is bound than fits. A job brings back all that the address space has: so half of it. */
void test_vm_eviction(int fd)
{
	uint64_t size = nv_vram_size(fd) / PART / 2 & ~(PAGE - 1);
	struct nv_bo bos[2][PART], to;
	struct vm vms[2];
	int round, i, n;

	for (n = 0; n < 2; n++) {
		if (!check_is(vm_open(&vms[n], NOUVEAU_FIFO_ENGINE_GR), 0))
			return;
		for (i = 0; i < PART; i++) {
			if (!check_is(vm_bo(&vms[n], size, VRAM | PRIVATE, AT(i), &bos[n][i]), 0))
				return;
			vm_fill(&vms[n], AT(i), 100 * n + i, size);
			if (!check_is(vm_run(&vms[n]), 0))
				return;
		}
	}
	for (round = 0; round < 4; round++) {
		n = round % 2;
		if (!check_is(vm_bo(&vms[n], PAGE * PART, STAGING, AT(PART + round), &to), 0))
			return;
		for (i = 0; i < PART; i++)
			vm_copy(&vms[n], AT(PART + round) + i * PAGE, AT(i) + size - PAGE, PAGE);
		check_is(vm_run(&vms[n]), 0);
		for (i = 0; i < PART; i++)
			check_is(to.map[(i + 1) * PAGE / 4 - 1], 100 * n + i);
	}
}

#define MANY	500

/* Bound, used and unbound, many times, at the same address: stale translations would show. */
void test_vm_many(int fd)
{
	struct nv_bo bos[4], to;
	struct vm vm;
	int i;

	(void)fd;
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_CE), 0) ||
	    !check_is(vm_bo(&vm, PAGE, STAGING, AT(1), &to), 0))
		return;
	for (i = 0; i < 4; i++) {
		if (!check_is(vm_bo(&vm, PAGE, i & 1 ? STAGING : VRAM | PRIVATE, 0, &bos[i]), 0))
			return;
		nv_bo_fill(&bos[i], 1000 * i);
	}
	for (i = 0; i < MANY && !case_failed(); i++) {
		check_is(vm_bind(&vm, &bos[i % 4], AT(0)), 0);
		vm_copy(&vm, AT(1), AT(0), PAGE);
		check_is(vm_run(&vm), 0);
		check(nv_bo_holds(&to, 1000 * (i % 4)));
		check_is(vm_unbind(&vm, AT(0), PAGE, 0), 0);
	}
}

static void live_and_be_killed(void)
{
	struct nv_bo bo;
	struct vm vm;

	if (vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR) ||
	    vm_bo(&vm, 256 * PAGE, VRAM | PRIVATE, AT(0), &bo))
		_exit(1);
	vm_block(&vm);
	vm_fill(&vm, AT(0), 1, 256 * PAGE);
	if (vm_exec(&vm, NONE, NONE))
		_exit(1);
	kill(getpid(), SIGKILL);
}

/* Its channel never goes on. What it had is free, in the end. */
void test_vm_killed(int fd)
{
	uint64_t before = nv_vram_used(fd);
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		live_and_be_killed();
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status));
	check(nv_vram_returns(fd, before));
}
