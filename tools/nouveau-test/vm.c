// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VM_BIND and EXEC, one function for each request. */
#include <string.h>
#include <time.h>

#include "vm.h"

/* Beyond what the cases bind. */
#define KERNEL_ADDRESS	0x8000000000
#define KERNEL_SIZE	0x2000000000

#define PUSH_ADDRESS	0x10000
#define PUSH_SIZE	(16 * PAGE)
#define SEMAPHORE	(PUSH_SIZE - 4)

#define SUBCHANNEL	4
#define CLASS_COPY	0xc5b5

static void put(struct vm *vm, uint32_t word)
{
	vm->push.map[vm->pos++] = word;
}

static void method(struct vm *vm, unsigned int first, unsigned int count)
{
	put(vm, 1u << 29 | count << 16 | SUBCHANNEL << 13 | first >> 2);
}

static void put_address(struct vm *vm, uint64_t address)
{
	put(vm, address >> 32);
	put(vm, address);
}

static int init_vm(struct vm *vm, uint32_t engine)
{
	struct drm_nouveau_vm_init init = {
		.kernel_managed_addr = KERNEL_ADDRESS,
		.kernel_managed_size = KERNEL_SIZE,
	};
	struct drm_nouveau_channel_alloc channel = {
		.fb_ctxdma_handle = ~0,
		.tt_ctxdma_handle = engine,
	};
	int ret = node_ioctl(vm->fd, DRM_IOCTL_NOUVEAU_VM_INIT, &init);

	if (!ret)
		ret = node_ioctl(vm->fd, DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &channel);
	vm->channel = channel.channel;
	return ret;
}

int vm_open(struct vm *vm, uint32_t engine)
{
	int ret;

	*vm = (struct vm){ .fd = nv_open() };
	if (vm->fd < 0)
		return vm->fd;
	ret = init_vm(vm, engine);
	if (!ret)
		ret = vm_bo(vm, PUSH_SIZE, GART | NOUVEAU_GEM_DOMAIN_COHERENT, PUSH_ADDRESS,
			    &vm->push);
	if (ret)
		return ret;
	vm->semaphore = vm->push.map + SEMAPHORE / 4;
	*vm->semaphore = 0;
	method(vm, 0, 1);
	put(vm, CLASS_COPY);
	return vm_run(vm);
}

int vm_bo(struct vm *vm, uint64_t size, uint32_t domains, uint64_t address, struct nv_bo *bo)
{
	int ret = nv_bo_create(vm->fd, size, domains, bo);

	if (!ret)
		ret = nv_bo_map(vm->fd, bo);
	if (!ret && address)
		ret = vm_bind(vm, bo, address);
	return ret;
}

static int bind(struct vm *vm, const struct drm_nouveau_vm_bind_op *ops, unsigned int nr,
		struct drm_nouveau_vm_bind *args)
{
	args->op_count = nr;
	args->op_ptr = (uintptr_t)ops;
	return node_ioctl(vm->fd, DRM_IOCTL_NOUVEAU_VM_BIND, args);
}

int vm_bind_all(struct vm *vm, const struct drm_nouveau_vm_bind_op *ops, unsigned int nr)
{
	return bind(vm, ops, nr, &(struct drm_nouveau_vm_bind){});
}

struct drm_nouveau_vm_bind_op vm_op_bind(const struct nv_bo *bo, uint64_t address)
{
	return (struct drm_nouveau_vm_bind_op){
		.op = DRM_NOUVEAU_VM_BIND_OP_MAP,
		.handle = bo->handle,
		.addr = address,
		.range = bo->size,
	};
}

struct drm_nouveau_vm_bind_op vm_op_bind_sparse(uint64_t address, uint64_t size)
{
	return (struct drm_nouveau_vm_bind_op){
		.op = DRM_NOUVEAU_VM_BIND_OP_MAP,
		.flags = DRM_NOUVEAU_VM_BIND_SPARSE,
		.addr = address,
		.range = size,
	};
}

struct drm_nouveau_vm_bind_op vm_op_unbind(uint64_t address, uint64_t size, uint32_t flags)
{
	return (struct drm_nouveau_vm_bind_op){
		.op = DRM_NOUVEAU_VM_BIND_OP_UNMAP,
		.flags = flags,
		.addr = address,
		.range = size,
	};
}

int vm_bind(struct vm *vm, const struct nv_bo *bo, uint64_t address)
{
	struct drm_nouveau_vm_bind_op op = vm_op_bind(bo, address);

	return vm_bind_all(vm, &op, 1);
}

int vm_bind_sparse(struct vm *vm, uint64_t address, uint64_t size)
{
	struct drm_nouveau_vm_bind_op op = vm_op_bind_sparse(address, size);

	return vm_bind_all(vm, &op, 1);
}

int vm_unbind(struct vm *vm, uint64_t address, uint64_t size, uint32_t flags)
{
	struct drm_nouveau_vm_bind_op op = vm_op_unbind(address, size, flags);

	return vm_bind_all(vm, &op, 1);
}

int vm_unbind_later(struct vm *vm, uint64_t address, uint64_t size, uint32_t wait,
		    uint32_t signal)
{
	struct drm_nouveau_sync waits = { .handle = wait }, signals = { .handle = signal };
	struct drm_nouveau_vm_bind_op op = vm_op_unbind(address, size, 0);

	return bind(vm, &op, 1, &(struct drm_nouveau_vm_bind){
		.flags = DRM_NOUVEAU_VM_BIND_RUN_ASYNC,
		.wait_count = wait != NONE,
		.wait_ptr = (uintptr_t)&waits,
		.sig_count = signal != NONE,
		.sig_ptr = (uintptr_t)&signals,
	});
}

void vm_block(struct vm *vm)
{
	method(vm, 0x10, 4);
	put_address(vm, PUSH_ADDRESS + SEMAPHORE);
	put(vm, ++vm->blocks);
	put(vm, 0x1001);
}

void vm_unblock(struct vm *vm)
{
	*vm->semaphore = vm->blocks;
}

pid_t vm_unblock_later(struct vm *vm, uint64_t ns)
{
	return nv_write_later(vm->semaphore, vm->blocks, ns);
}

void vm_copy(struct vm *vm, uint64_t to, uint64_t from, uint64_t size)
{
	method(vm, 0x400, 8);
	put_address(vm, from);
	put_address(vm, to);
	put(vm, PAGE);
	put(vm, PAGE);
	put(vm, PAGE);
	put(vm, size / PAGE);
	method(vm, 0x300, 1);
	put(vm, 0x386);
}

void vm_fill(struct vm *vm, uint64_t to, uint32_t value, uint64_t size)
{
	method(vm, 0x408, 2);
	put_address(vm, to);
	method(vm, 0x414, 3);
	put(vm, PAGE);
	put(vm, PAGE / 4);
	put(vm, size / PAGE);
	/* A constant, of one component of four bytes. */
	method(vm, 0x700, 3);
	put(vm, value);
	put(vm, 0);
	put(vm, 3 << 16 | 4);
	method(vm, 0x300, 1);
	put(vm, 0x786);
}

int vm_exec(struct vm *vm, uint32_t wait, uint32_t signal)
{
	struct drm_nouveau_sync waits = { .handle = wait }, signals = { .handle = signal };
	struct drm_nouveau_exec_push push = {
		.va = PUSH_ADDRESS + vm->start * 4,
		.va_len = (vm->pos - vm->start) * 4,
	};
	struct drm_nouveau_exec args = {
		.channel = vm->channel,
		.push_count = 1,
		.push_ptr = (uintptr_t)&push,
		.wait_count = wait != NONE,
		.wait_ptr = (uintptr_t)&waits,
		.sig_count = signal != NONE,
		.sig_ptr = (uintptr_t)&signals,
	};

	vm->start = vm->pos;
	return node_ioctl(vm->fd, DRM_IOCTL_NOUVEAU_EXEC, &args);
}

/* The push buffer can be written anew then. */
int vm_run(struct vm *vm)
{
	uint32_t done = vm_syncobj(vm);
	struct drm_syncobj_destroy args = { .handle = done };
	int ret = vm_exec(vm, NONE, done);

	if (!ret)
		ret = vm_wait(vm, done, 30 * SECOND);
	node_ioctl(vm->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
	if (!ret)
		vm->pos = vm->start = 0;
	return ret;
}

uint32_t vm_syncobj(struct vm *vm)
{
	struct drm_syncobj_create args = {};

	check_is(node_ioctl(vm->fd, DRM_IOCTL_SYNCOBJ_CREATE, &args), 0);
	return args.handle;
}

int vm_wait(struct vm *vm, uint32_t syncobj, uint64_t ns)
{
	struct drm_syncobj_wait args = {
		.handles = (uintptr_t)&syncobj,
		.count_handles = 1,
	};
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	args.timeout_nsec = now.tv_sec * SECOND + now.tv_nsec + ns;
	return node_ioctl(vm->fd, DRM_IOCTL_SYNCOBJ_WAIT, &args);
}
