// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Each of the allocations that EXEC and VM_BIND make fails once. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "vm.h"

#define MAX_ALLOCATIONS	1000

/* Of two address spaces each has more than half of VRAM: one evicts the other's. */
#define PART		6

/* What is bound and unbound: some of it is, too, between large pages. */
#define WHOLE		(3 * SIZE)

/**
 * struct nomem - what the requests are about
 * @vms: that compete for VRAM
 * @parts: what they have there
 * @own: a buffer that is the first one's alone
 * @shared: one that others might have, too
 * @to: what is copied to
 * @made: by the request
 * @plain: a channel of a client that has no such address space
 * @value: what the next job of it writes
 * @waits: a syncobj that has signaled
 * @signals: one that the request signals
 */
struct nomem {
	struct vm vms[2];
	struct nv_bo parts[2][PART];
	struct nv_bo own, shared, to, made;
	uint32_t waits, signals;
	struct nv_channel plain;
	uint32_t value;
};

/**
 * struct request - a system call that allocates
 * @name: for the reader of the results
 * @prepare: what has to be so each time
 * @run: the call
 * @undo: what it did, if it did it
 */
struct request {
	const char *name;
	void (*prepare)(struct nomem *t);
	int (*run)(struct nomem *t);
	void (*undo)(struct nomem *t);
};

static int bind_own(struct nomem *t)
{
	return vm_bind(&t->vms[0], &t->own, AT(100));
}

static int bind_shared(struct nomem *t)
{
	return vm_bind(&t->vms[0], &t->shared, AT(100));
}

/* Whatever is bound there, or not. */
static int unbind(struct nomem *t)
{
	return vm_unbind(&t->vms[0], AT(100), WHOLE, 0);
}

static void undo_bind(struct nomem *t)
{
	check_is(unbind(t), 0);
}

static void prepare_unbind(struct nomem *t)
{
	check_is(bind_own(t), 0);
}

/* In the middle: two mappings are left. */
static int unbind_some(struct nomem *t)
{
	return vm_unbind(&t->vms[0], AT(100) + SIZE, SIZE, 0);
}

static int unbind_later(struct nomem *t)
{
	return vm_unbind_later(&t->vms[0], AT(100), WHOLE, t->waits, t->signals);
}

static void wait_for_it(struct nomem *t)
{
	check_is(vm_wait(&t->vms[0], t->signals, 30 * SECOND), 0);
}

static int bind_sparse(struct nomem *t)
{
	return vm_bind_sparse(&t->vms[0], AT(101), 4 * SIZE);
}

static int unbind_sparse(struct nomem *t)
{
	return vm_unbind(&t->vms[0], AT(101), 4 * SIZE, DRM_NOUVEAU_VM_BIND_SPARSE);
}

static void undo_bind_sparse(struct nomem *t)
{
	check_is(unbind_sparse(t), 0);
}

/* Only if the last try did not leave it there. */
static void prepare_unbind_sparse(struct nomem *t)
{
	int ret = bind_sparse(t);

	check(!ret || ret == -ENOSPC);
}

/* With something in it. */
static void prepare_unbind_more(struct nomem *t)
{
	prepare_unbind_sparse(t);
	check_is(vm_bind(&t->vms[0], &t->own, AT(101) + SIZE), 0);
}

static int create_own(struct nomem *t)
{
	return nv_bo_create(t->vms[0].fd, t->parts[0][0].size, VRAM | PRIVATE, &t->made);
}

static void undo_create(struct nomem *t)
{
	check_is(nv_bo_close(t->vms[0].fd, &t->made), 0);
}

/* A job of the other address space: it has all of its buffers in VRAM. */
static void evict(struct nomem *t)
{
	vm_fill(&t->vms[1], AT(PART), 1, PAGE);
	check_is(vm_run(&t->vms[1]), 0);
}

static int exec(struct nomem *t)
{
	struct vm *vm = &t->vms[0];

	vm->pos = vm->start = 0;
	vm_fill(vm, AT(PART), 0xcafe, SIZE);
	return vm_exec(vm, t->waits, t->signals);
}

static void undo_exec(struct nomem *t)
{
	wait_for_it(t);
	check_is(t->to.map[0], 0xcafe);
	t->to.map[0] = 0;
}

/* Or the fault of its first page would be what fails. */
static void prepare_push(struct nomem *t)
{
	t->plain.push.map[t->plain.pos] = 0;
}

/* If it is refused it does not run: nobody would wait for what it uses. */
static int push(struct nomem *t)
{
	int ret = nv_release(&t->plain, ++t->value);

	if (!ret)
		return 0;
	sleep_ns(5 * MS);
	check(*t->plain.semaphore != t->value);
	return ret;
}

static void undo_push(struct nomem *t)
{
	check_is(nv_bo_wait(t->plain.fd, &t->plain.push), 0);
	check_is(*t->plain.semaphore, t->value);
}

static const struct request requests[] = {
	{ "run a job without VM_BIND", prepare_push, push, undo_push },
	{ "bind a buffer of its own", NULL, bind_own, undo_bind },
	{ "bind one that is shared", NULL, bind_shared, undo_bind },
	{ "bind one after another", prepare_unbind, bind_shared, undo_bind },
	{ "unbind", prepare_unbind, unbind, NULL },
	{ "unbind some of it", prepare_unbind, unbind_some, undo_bind },
	{ "unbind later", prepare_unbind, unbind_later, wait_for_it },
	{ "bind a sparse region", NULL, bind_sparse, undo_bind_sparse },
	{ "unbind a sparse region", prepare_unbind_sparse, unbind_sparse, NULL },
	{ "unbind one with a buffer", prepare_unbind_more, unbind_sparse, NULL },
	{ "create, evicting", evict, create_own, undo_create },
	{ "run a job", NULL, exec, undo_exec },
	{ "run a job, moving in", evict, exec, undo_exec },
};

/* An inode that could not be allocated is no space, for shmem. */
static bool is_want_of_memory(int error)
{
	return error == -ENOMEM || error == -ENOSPC;
}

static void fail_each(struct nomem *t, const struct request *request, int fail)
{
	bool failed = true;
	int n, ret, refused = 0;

	for (n = 1; failed && n < MAX_ALLOCATIONS && !case_failed(); n++) {
		if (request->prepare)
			request->prepare(t);
		fail_nth(fail, n);
		ret = request->run(t);
		failed = fail_none(fail);
		if (!check(!ret || (failed && is_want_of_memory(ret))))
			printf("# %s: allocation %d of it: %d\n", request->name, n, ret);
		refused += ret != 0;
		if (!ret && request->undo)
			request->undo(t);
	}
	check(!failed);
	printf("# %s: %d allocations failed, refused %d times\n", request->name, n - 2,
	       refused);
}

static bool make(struct nomem *t, uint64_t size)
{
	struct vm *vm;
	int n, i;

	for (n = 0; n < 2; n++) {
		vm = &t->vms[n];
		if (!check_is(vm_open(vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
		    !check_is(vm_bo(vm, SIZE, STAGING, AT(PART), &t->to), 0))
			return false;
		for (i = 0; i < PART; i++) {
			if (!check_is(vm_bo(vm, size, VRAM | PRIVATE, AT(i), &t->parts[n][i]), 0))
				return false;
			/* To its end: its size is one in large pages. */
			vm_fill(vm, AT(i), 100 * n + i, t->parts[n][i].size);
			if (!check_is(vm_run(vm), 0))
				return false;
		}
	}
	if (!check_is(nv_channel_create(nv_open(), &t->plain), 0))
		return false;
	vm = &t->vms[0];
	t->signals = vm_syncobj(vm);
	t->waits = vm_syncobj(vm);
	vm_fill(vm, AT(PART), 0, PAGE);
	return check_is(vm_bo(vm, WHOLE, VRAM | PRIVATE, 0, &t->own), 0) &&
	       check_is(vm_bo(vm, WHOLE, VRAM, 0, &t->shared), 0) &&
	       check_is(vm_bo(vm, SIZE, STAGING, AT(PART), &t->to), 0) &&
	       check_is(vm_exec(vm, NONE, t->waits), 0) &&
	       check_is(vm_wait(vm, t->waits, 30 * SECOND), 0);
}

/* All that was in VRAM is still what it was. */
static void check_all(struct nomem *t)
{
	int n, i;

	for (n = 0; n < 2; n++)
		for (i = 0; i < PART; i++)
			check_is(t->parts[n][i].map[t->parts[n][i].size / 4 - 1], 100 * n + i);
}

/* A client, which goes in the end. */
static void ask_for_each(uint64_t size, int fail)
{
	struct nomem t = {};
	unsigned int i;

	if (!make(&t, size))
		return;
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		fail_each(&t, &requests[i], fail);
	check_all(&t);
}

void test_vm_no_memory(int fd)
{
	uint64_t size = nv_vram_size(fd) * 3 / 4 / PART & ~(PAGE - 1);
	uint64_t before = nv_vram_used(fd);
	int status = 1;
	pid_t pid;

	if (!let_allocations_fail()) {
		skip("this kernel lets no allocation fail");
		return;
	}
	pid = fork();
	if (!pid) {
		ask_for_each(size, fail_open());
		_exit(case_failed());
	}
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	check(nv_vram_returns(fd, before));
}
