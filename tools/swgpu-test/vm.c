// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VMs: buffers that share a reservation object, and jobs that use all of them. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_PRIVATES	8
#define SIZE		(5 * PAGE)
#define MAX_VMS		256

struct vm {
	uint32_t vm;
	uint32_t channels[2];
	uint32_t handles[NR_PRIVATES];
	uint64_t *maps[NR_PRIVATES];
	uint64_t size;
};

/* Every other buffer in GTT unless @domain says where. */
static bool make(int fd, struct vm *vm, uint64_t size, uint32_t domain)
{
	int i;

	vm->size = size;
	check_is(gpu_vm(fd, &vm->vm), 0);
	check_is(gpu_channel(fd, &vm->channels[0]), 0);
	check_is(gpu_channel(fd, &vm->channels[1]), 0);
	for (i = 0; i < NR_PRIVATES; i++) {
		check_is(gpu_create_private(fd, vm->vm, size, domain ? domain : i & 1 ? VRAM : GTT, &vm->handles[i]), 0);
		vm->maps[i] = gpu_map(fd, vm->handles[i], size);
		if (!check(vm->maps[i]))
			return false;
		vm->maps[i][3] = 500 + i;
	}
	return true;
}

static void unmap(struct vm *vm)
{
	int i;

	for (i = 0; i < NR_PRIVATES; i++) {
		check_is(vm->maps[i][3], 500 + i);
		munmap(vm->maps[i], vm->size);
	}
}

static int use(int fd, struct vm *vm, int channel, uint32_t flags, uint64_t duration_ns)
{
	return gpu_submit_vm(fd, vm->channels[channel], vm->vm, flags, NULL, 0, duration_ns);
}

/* One stands for all: they share the reservation object. */
static int wait_all(int fd, struct vm *vm)
{
	return gpu_wait(fd, vm->handles[0], 0, 5 * SECOND);
}

/* The job that wrote the buffer last, by the tags in its first and its last page */
static uint64_t writer(struct vm *vm, int i)
{
	uint64_t first = vm->maps[i][PAGE / 8 - 1];
	uint64_t last = vm->maps[i][vm->size / 8 - 1];

	check_is(first, last);
	return first;
}

static void bad_submit(int fd, struct vm *vm, uint32_t channel)
{
	struct drm_swgpu_submit_bo bo = {
		.handle = vm->handles[0],
		.flags = READ,
		.domains = GTT,
	};

	check_is(gpu_submit_vm(fd, channel, vm->vm, 0, NULL, 0, 0), -EINVAL);
	check_is(gpu_submit_vm(fd, channel, vm->vm, 4 | READ, NULL, 0, 0), -EINVAL);
	check_is(gpu_submit_vm(fd, channel, 0, READ, NULL, 0, 0), -EINVAL);
	check_is(gpu_submit_vm(fd, channel, vm->vm + 1, READ, NULL, 0, 0), -ENOENT);
	check_is(gpu_submit_vm(fd, channel, vm->vm, READ, &bo, 1, 0), -EINVAL);
	check_is(gpu_submit(fd, channel, &bo, 1, 0, NULL), -EINVAL);
}

/* Another file has neither the VM nor a way to its buffers. */
static void bad_file(int fd, struct vm *vm)
{
	int other = gpu_open();
	uint32_t channel, handle;

	check_is(gpu_channel(other, &channel), 0);
	check_is(gpu_submit_vm(other, channel, vm->vm, READ, NULL, 0, 0), -ENOENT);
	check_is(gpu_create_private(other, vm->vm, PAGE, GTT, &handle), -ENOENT);
	check_is(gpu_vm_destroy(other, vm->vm), -ENOENT);
	check_is(gpu_export(fd, vm->handles[0]), -EPERM);
	close(other);
}

/* A primary node of the same device, where buffers have names */
static int open_card(int fd)
{
	struct stat st;
	char path[32];

	if (fstat(fd, &st))
		return -1;
	snprintf(path, sizeof(path), "/dev/dri/card%d", minor(st.st_rdev) - 128);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void bad_name(int fd)
{
	int card = open_card(fd), other = open_card(fd);
	struct drm_gem_flink flink = {};
	struct drm_gem_open named = {};
	uint32_t vm;

	check_is(gpu_vm(card, &vm), 0);
	check_is(gpu_create_private(card, vm, PAGE, GTT, &flink.handle), 0);
	check_is(node_ioctl(card, DRM_IOCTL_GEM_FLINK, &flink), 0);
	named.name = flink.name;
	check_is(node_ioctl(other, DRM_IOCTL_GEM_OPEN, &named), -EPERM);
	check_is(node_ioctl(card, DRM_IOCTL_GEM_OPEN, &named), 0);
	close(other);
	close(card);
}

static void bad_bind(int fd, struct vm *vm)
{
	uint32_t shared;

	check_is(gpu_create(fd, PAGE, GTT, &shared), 0);
	check_is(gpu_vm_bind(fd, shared, 1), -EINVAL);
	check_is(gpu_vm_bind(fd, vm->handles[0], 2), -EINVAL);
	check_is(gpu_vm_bind(fd, 4711, 1), -ENOENT);
	check_is(gpu_vm_bind(fd, vm->handles[0], 1), 0);
	check_is(gpu_vm_bind(fd, vm->handles[0], 0), 0);
	check_is(gpu_vm_bind(fd, vm->handles[0], 0), 0);
}

static void too_many(void)
{
	int i, other = gpu_open();
	uint32_t vm;

	for (i = 0; i < MAX_VMS; i++)
		check_is(gpu_vm(other, &vm), 0);
	check_is(gpu_vm(other, &vm), -ENOSPC);
	close(other);
}

void test_vm_bad(int fd)
{
	struct drm_swgpu_gem_create create = { .size = PAGE, .domains = GTT, .pad = 1 };
	struct drm_swgpu_vm args = { .pad = 1 };
	struct vm vm;

	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_VM_CREATE, &args), -EINVAL);
	check_is(gpu_vm_destroy(fd, 0), -ENOENT);
	check_is(gpu_vm_destroy(fd, 1), -ENOENT);
	check_is(gpu_create_private(fd, 1, PAGE, GTT, &vm.handles[0]), -ENOENT);
	if (!make(fd, &vm, PAGE, 0))
		return;
	args.vm = vm.vm;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_VM_DESTROY, &args), -EINVAL);
	create.vm = vm.vm;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_CREATE, &create), -EINVAL);
	bad_submit(fd, &vm, vm.channels[0]);
	bad_file(fd, &vm);
	bad_name(fd);
	bad_bind(fd, &vm);
	too_many();
	check_is(gpu_vm_destroy(fd, vm.vm), 0);
	check_is(gpu_vm_destroy(fd, vm.vm), -ENOENT);
	check_is(use(fd, &vm, 0, READ, 0), -ENOENT);
	unmap(&vm);
}

static void check_one_writer(struct vm *vm, uint64_t *last)
{
	int i;

	check(writer(vm, 0) > *last);
	*last = writer(vm, 0);
	for (i = 1; i < NR_PRIVATES; i++)
		check_is(writer(vm, i), *last);
}

/* Beside a buffer that is not private, on two channels, which wait for each other. */
void test_vm_jobs(int fd)
{
	struct drm_swgpu_submit_bo bo = { .flags = WRITE, .domains = VRAM };
	uint64_t jobs = gpu_stats(fd, 0).jobs, last = 0;
	struct vm vm;
	int i;

	if (!make(fd, &vm, SIZE, 0))
		return;
	check_is(gpu_create(fd, SIZE, VRAM, &bo.handle), 0);
	for (i = 0; i < 20; i++) {
		check_is(use(fd, &vm, i & 1, i % 3 ? READ : WRITE, i % 4 * MS), 0);
		check_is(gpu_submit_vm(fd, vm.channels[i & 1], vm.vm, WRITE, &bo, 1, 0), 0);
		check_is(wait_all(fd, &vm), 0);
		check_one_writer(&vm, &last);
	}
	check_is(gpu_wait(fd, bo.handle, 0, 0), 0);
	check_is(gpu_stats(fd, 0).jobs - jobs, 40);

	/* A job that reads leaves the tags alone. */
	check_is(use(fd, &vm, 0, READ, 0), 0);
	check_is(wait_all(fd, &vm), 0);
	check_is(writer(&vm, 0), last);
	unmap(&vm);
}

/* Unbound while a job that uses it runs, and bound again while one runs that does not. */
void test_vm_unbind(int fd)
{
	uint64_t first = 0;
	struct vm vm;
	int i;

	if (!make(fd, &vm, SIZE, 0))
		return;
	check_is(use(fd, &vm, 0, WRITE, 20 * MS), 0);
	check_is(gpu_vm_bind(fd, vm.handles[0], 0), 0);
	check_is(gpu_vm_bind(fd, vm.handles[1], 0), 0);
	check_is(wait_all(fd, &vm), 0);
	check_one_writer(&vm, &first);

	check_is(use(fd, &vm, 1, WRITE, 20 * MS), 0);
	check_is(gpu_vm_bind(fd, vm.handles[1], 1), 0);
	check_is(wait_all(fd, &vm), 0);
	check_is(writer(&vm, 0), first);
	check_is(writer(&vm, 1), first);
	for (i = 2; i < NR_PRIVATES; i++)
		check(writer(&vm, i) > first);

	check_is(use(fd, &vm, 0, WRITE, 0), 0);
	check_is(wait_all(fd, &vm), 0);
	check_is(writer(&vm, 0), first);
	check_is(writer(&vm, 1), writer(&vm, 2));
	unmap(&vm);
}

/* Somebody else wants all of VRAM, again and again, also while the VM is busy. */
void test_vm_eviction(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0);
	uint64_t size = before.vram_bytes / 16 - PAGE;
	struct vm vm;
	uint32_t all;
	int i;

	if (!make(fd, &vm, size, VRAM))
		return;
	for (i = 0; i < 6; i++) {
		check_is(use(fd, &vm, i & 1, WRITE, 5 * MS), 0);
		check_is(gpu_create(fd, before.vram_bytes, VRAM, &all), 0);
		check_is(gpu_close(fd, all), 0);
	}
	check(gpu_stats(fd, 0).evictions - before.evictions >= 5 * NR_PRIVATES);
	check_is(use(fd, &vm, 0, READ, 0), 0);
	check_is(wait_all(fd, &vm), 0);
	check_is(gpu_stats(fd, 0).vram_zombie_bytes, 0);
	check(gpu_stats(fd, 0).vram_used_bytes - before.vram_used_bytes >= NR_PRIVATES * size);
	unmap(&vm);
}

static bool is_refused(int ret)
{
	return ret == -ENOMEM || ret == -ENOSPC;
}

/* Three halves, the first two of which were evicted when the third came. */
void test_vm_too_much(int fd)
{
	uint64_t half = gpu_stats(fd, 0).vram_bytes / 2;
	uint32_t channel, vm, all, handles[3], more;
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_vm(fd, &vm), 0);
	for (i = 0; i < 2; i++)
		check_is(gpu_create_private(fd, vm, half, VRAM, &handles[i]), 0);
	check_is(gpu_submit_vm(fd, channel, vm, WRITE, NULL, 0, 0), 0);
	check(is_refused(gpu_create_private(fd, vm, half, VRAM, &more)));

	check_is(gpu_create(fd, 2 * half, VRAM, &all), 0);
	check_is(gpu_close(fd, all), 0);
	check_is(gpu_create_private(fd, vm, half, VRAM, &handles[2]), 0);
	check(is_refused(gpu_submit_vm(fd, channel, vm, WRITE, NULL, 0, 0)));
	check_is(gpu_vm_bind(fd, handles[1], 0), 0);
	check_is(gpu_close(fd, handles[2]), 0);
	check_is(gpu_submit_vm(fd, channel, vm, WRITE, NULL, 0, 0), 0);
	check_is(gpu_wait(fd, handles[0], 0, 5 * SECOND), 0);
}

/*
 * Both channels use all of them, one has hung. What is closed stays until it goes on,
 * whether it was a member to the end or not; what nobody uses need not.
 */
void test_vm_die_busy(int fd)
{
	struct vm vm;
	int i;

	if (!make(fd, &vm, SIZE, 0))
		return;
	unmap(&vm);
	check_is(gpu_wait(fd, vm.handles[0], 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, vm.channels[0], SWGPU_FAULT_HANG), 0);
	check_is(use(fd, &vm, 0, READ, MS), 0);
	check_is(use(fd, &vm, 1, READ, MS), 0);
	check_is(gpu_close(fd, vm.handles[0]), 0);
	check_is(gpu_vm_bind(fd, vm.handles[1], 0), 0);
	check_is(gpu_close(fd, vm.handles[1]), 0);
	check_is(use(fd, &vm, 1, READ, MS), 0);
	check_is(gpu_vm_destroy(fd, vm.vm), 0);
	for (i = 2; i < NR_PRIVATES; i++)
		check_is(gpu_close(fd, vm.handles[i]), 0);
	sleep_ns(20 * MS);
	check_is(gpu_drain(fd), 0);
	check_is(gpu_stats(fd, 0).zombies, NR_PRIVATES);
	check_is(gpu_fault(fd, vm.channels[0], SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
}

/* The mapping keeps the buffer, and that its VM. */
void test_vm_mapped(int fd)
{
	struct vm vm;
	int i;

	if (!make(fd, &vm, SIZE, 0))
		return;
	check_is(use(fd, &vm, 0, WRITE, 30 * MS), 0);
	check_is(gpu_close(fd, vm.handles[0]), 0);
	check_is(use(fd, &vm, 1, WRITE, 0), 0);
	check_is(gpu_vm_destroy(fd, vm.vm), 0);
	for (i = 1; i < NR_PRIVATES; i++)
		check_is(gpu_close(fd, vm.handles[i]), 0);
	unmap(&vm);
}

static void run_client(int socket)
{
	int i, fd = gpu_open();
	struct vm vm;
	char done = 1;

	if (!make(fd, &vm, SIZE, 0) || gpu_fault(fd, vm.channels[1], SWGPU_FAULT_HANG))
		_exit(1);
	for (i = 0; i < 10; i++) {
		if (use(fd, &vm, i & 1, READ, SECOND))
			_exit(2);
	}
	if (gpu_close(fd, vm.handles[0]) || gpu_vm_bind(fd, vm.handles[1], 0) ||
	    write(socket, &done, 1) != 1)
		_exit(3);
	pause();
	_exit(4);
}

/* While it waits for nothing, with jobs queued and hung on its VM. */
void test_vm_killed(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0);
	int status, pipes[2];
	char done = 0;
	pid_t pid;

	if (!check(!pipe(pipes)))
		return;
	pid = fork();
	if (!pid)
		run_client(pipes[1]);
	close(pipes[1]);
	check(read(pipes[0], &done, 1) == 1);
	check(gpu_stats(fd, 0).buffers > before.buffers);
	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status));
	check(gpu_drain_to(fd, 0));
	check_is(gpu_stats(fd, 0).buffers, before.buffers);
	close(pipes[0]);
}

/* With a job in flight, a buffer that is dead already, and one that is not bound. */
void test_vm_suspend(int fd)
{
	struct vm vm;

	if (!make(fd, &vm, SIZE, 0))
		return;
	check_is(use(fd, &vm, 0, WRITE, 50 * MS), 0);
	munmap(vm.maps[NR_PRIVATES - 1], SIZE);
	check_is(gpu_close(fd, vm.handles[NR_PRIVATES - 1]), 0);
	check_is(gpu_vm_bind(fd, vm.handles[0], 0), 0);
	check_is(suspend_device(fd), 0);
	check_is(gpu_stats(fd, 0).vram_held_bytes, 0);
	check_is(gpu_vm_bind(fd, vm.handles[0], 1), 0);
	check_is(gpu_create_private(fd, vm.vm, SIZE, VRAM, &vm.handles[NR_PRIVATES - 1]), 0);
	vm.maps[NR_PRIVATES - 1] = gpu_map(fd, vm.handles[NR_PRIVATES - 1], SIZE);
	if (!check(vm.maps[NR_PRIVATES - 1]))
		return;
	vm.maps[NR_PRIVATES - 1][3] = 500 + NR_PRIVATES - 1;
	check_is(use(fd, &vm, 1, WRITE, 0), 0);
	check_is(wait_all(fd, &vm), 0);
	unmap(&vm);
}

#define NR_CHILDREN	4
#define NR_STRESSED	12
#define NR_STEPS	300

struct child {
	int fd;
	uint32_t vm;
	uint32_t channels[2];
	uint32_t shared;
	uint32_t handles[NR_STRESSED];
	uint64_t max_pages;
};

/* Others may hold what we want at the moment; that is no failure. */
static int tolerate(int ret)
{
	return is_refused(ret) ? 0 : ret;
}

static int replace(struct child *c, int i)
{
	int ret = c->handles[i] ? gpu_close(c->fd, c->handles[i]) : 0;

	c->handles[i] = 0;
	if (ret)
		return ret;
	ret = gpu_create_private(c->fd, c->vm, (1 + rand() % c->max_pages) * PAGE,
				 rand() % 3 ? VRAM : VRAM | GTT, &c->handles[i]);
	return tolerate(ret);
}

static int rebind(struct child *c, int i)
{
	return c->handles[i] ? gpu_vm_bind(c->fd, c->handles[i], rand() % 2) : 0;
}

static int submit(struct child *c)
{
	struct drm_swgpu_submit_bo bo = {
		.handle = c->shared,
		.flags = 1 + rand() % 3,
		.domains = rand() % 2 ? VRAM : GTT,
	};
	int ret = gpu_submit_vm(c->fd, c->channels[rand() % 2], c->vm, 1 + rand() % 3, &bo,
				rand() % 2, rand() % (500 * 1000));

	return tolerate(ret);
}

/* The buffers keep the old one. */
static int renew_vm(struct child *c)
{
	int i, ret = gpu_vm_destroy(c->fd, c->vm);

	for (i = 0; !ret && i < NR_STRESSED; i += 2) {
		if (c->handles[i])
			ret = gpu_close(c->fd, c->handles[i]);
		c->handles[i] = 0;
	}
	return ret ? ret : gpu_vm(c->fd, &c->vm);
}

static int step(struct child *c)
{
	int what = rand() % 40;

	if (what < 20)
		return submit(c);
	if (what < 30)
		return replace(c, rand() % NR_STRESSED);
	if (what < 39)
		return rebind(c, rand() % NR_STRESSED);
	return renew_vm(c);
}

static int run_child(int seed, void *shared)
{
	struct child c = { .fd = gpu_open() };
	int i, ret;

	(void)shared;
	srand(seed);
	c.max_pages = gpu_stats(c.fd, 0).vram_bytes / PAGE / 16;
	ret = gpu_vm(c.fd, &c.vm);
	for (i = 0; !ret && i < 2; i++)
		ret = gpu_channel(c.fd, &c.channels[i]);
	if (!ret)
		ret = gpu_create(c.fd, c.max_pages * PAGE, VRAM | GTT, &c.shared);
	for (i = 0; !ret && i < NR_STEPS; i++)
		ret = step(&c);
	return -ret;
}

void test_vm_stress(int fd)
{
	uint64_t evictions = gpu_stats(fd, 0).evictions;

	run_children(NR_CHILDREN, run_child, NULL);
	check(gpu_stats(fd, 0).evictions > evictions);
}
