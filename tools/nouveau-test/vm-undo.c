// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A request of VM_BIND is done as a whole, or not at all. */
#include <errno.h>

#include "vm.h"

#define SPARSE	DRM_NOUVEAU_VM_BIND_SPARSE

/* Of three parts, so that some can be cut out between large pages. */
#define WHOLE	(3 * SIZE)

/* First something that can be done, and then what cannot: there is no such region. */
static void fail_after(struct vm *vm, struct drm_nouveau_vm_bind_op op)
{
	struct drm_nouveau_vm_bind_op ops[] = { op, vm_op_unbind(AT(9), SIZE, SPARSE) };

	check_is(vm_bind_all(vm, ops, 2), -ENOENT);
}

/* What a job finds there. */
static void check_finds(struct vm *vm, uint64_t address, const struct nv_bo *to, uint32_t seed)
{
	vm_copy(vm, AT(1), address, WHOLE);
	check_is(vm_run(vm), 0);
	check(nv_bo_holds(to, seed));
}

static void undo_buffers(struct vm *vm, const struct nv_bo *bo, const struct nv_bo *other,
			 const struct nv_bo *to)
{
	fail_after(vm, vm_op_unbind(AT(0), WHOLE, 0));
	check_finds(vm, AT(0), to, 11);
	fail_after(vm, vm_op_unbind(AT(0) + SIZE, SIZE, 0));
	check_finds(vm, AT(0), to, 11);
	fail_after(vm, vm_op_bind(other, AT(0)));
	check_finds(vm, AT(0), to, 11);
	fail_after(vm, vm_op_bind(other, AT(0) - SIZE));
	check_finds(vm, AT(0), to, 11);
	/* It can go as a whole. */
	check_is(vm_bind(vm, other, AT(0)), 0);
	check_finds(vm, AT(0), to, 22);
	check_is(vm_bind(vm, bo, AT(0)), 0);
}

static void undo_regions(struct vm *vm)
{
	struct drm_nouveau_vm_bind_op twice[] = {
		vm_op_unbind(AT(3), 4 * SIZE, SPARSE),
		vm_op_unbind(AT(3), 4 * SIZE, SPARSE),
	};

	fail_after(vm, vm_op_bind_sparse(AT(3), 4 * SIZE));
	/* It is not there. */
	check_is(vm_bind_sparse(vm, AT(3), 4 * SIZE), 0);
	fail_after(vm, vm_op_unbind(AT(3), 4 * SIZE, SPARSE));
	/* It is. */
	check_is(vm_bind_sparse(vm, AT(3), 4 * SIZE), -ENOSPC);
	check_is(vm_bind_all(vm, twice, 2), -ENOENT);
	check_is(vm_bind_sparse(vm, AT(3), 4 * SIZE), -ENOSPC);
}

void test_vm_undo(int fd)
{
	struct nv_bo bo, other, in, to;
	struct vm vm;

	(void)fd;
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vm, WHOLE, VRAM | PRIVATE, AT(0), &bo), 0) ||
	    !check_is(vm_bo(&vm, WHOLE, STAGING, AT(1), &to), 0) ||
	    !check_is(vm_bo(&vm, WHOLE, VRAM | PRIVATE, 0, &other), 0) ||
	    !check_is(vm_bo(&vm, WHOLE, VRAM | PRIVATE, 0, &in), 0))
		return;
	nv_bo_fill(&bo, 11);
	nv_bo_fill(&other, 22);
	nv_bo_fill(&in, 33);
	undo_buffers(&vm, &bo, &other, &to);
	undo_regions(&vm);
	/* A buffer in a region stays, and so does the region. */
	check_is(vm_bind(&vm, &in, AT(3) + SIZE), 0);
	fail_after(&vm, vm_op_unbind(AT(3), 4 * SIZE, SPARSE));
	check_finds(&vm, AT(3) + SIZE, &to, 33);
	check_is(vm_unbind(&vm, AT(3), 4 * SIZE, SPARSE), 0);
	check_is(vm_bind_sparse(&vm, AT(3), 4 * SIZE), 0);
}
