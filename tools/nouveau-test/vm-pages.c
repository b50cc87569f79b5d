// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings of which some is let go or replaced, with pages of several sizes. Buffers in VRAM alone
 * may have pages of 64 KiB or 2 MiB, those in the GTT have 4 KiB. A kernel may refuse to cut a
 * page; then all is as before.
 */
#include <errno.h>

#include "vm.h"

#define LARGE	(2 * MIB)
#define WORDS	(PAGE / 4)

/**
 * struct rig - an address space, and what is bound there
 * @vm: the address space
 * @large: a buffer in VRAM, of @size
 * @small: one in the GTT, of @size
 * @to: what is copied to
 */
struct rig {
	struct vm vm;
	struct nv_bo large, small, to;
};

static bool make(struct rig *rig, uint64_t size)
{
	if (!check_is(vm_open(&rig->vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&rig->vm, size, VRAM | PRIVATE, 0, &rig->large), 0) ||
	    !check_is(vm_bo(&rig->vm, size, GART, 0, &rig->small), 0) ||
	    !check_is(vm_bo(&rig->vm, size, STAGING, AT(9), &rig->to), 0))
		return false;
	nv_bo_fill(&rig->large, 11);
	nv_bo_fill(&rig->small, 22);
	return true;
}

/* A job finds that of a buffer at AT(0), from one page to another. */
static void check_finds(struct rig *rig, uint32_t seed, uint32_t begin, uint32_t end)
{
	uint32_t i;

	nv_bo_fill(&rig->to, 999);
	vm_copy(&rig->vm, AT(9), AT(0) + begin * PAGE, (end - begin) * PAGE);
	check_is(vm_run(&rig->vm), 0);
	for (i = begin * WORDS; i < end * WORDS; i++)
		if (!check_is(rig->to.map[i - begin * WORDS], seed + i))
			break;
}

/* Some pages of a buffer, at their place when all of it is at AT(0). */
static int bind_some(struct rig *rig, const struct nv_bo *bo, uint32_t begin, uint32_t end)
{
	struct drm_nouveau_vm_bind_op op = vm_op_bind(bo, AT(0) + begin * PAGE);

	op.bo_offset = begin * PAGE;
	op.range = (end - begin) * PAGE;
	return vm_bind_all(&rig->vm, &op, 1);
}

static int unbind_some(struct rig *rig, uint32_t begin, uint32_t end)
{
	return vm_unbind(&rig->vm, AT(0) + begin * PAGE, (end - begin) * PAGE, 0);
}

/* The address can be used for anything afterwards. */
static void unbind_all(struct rig *rig)
{
	uint32_t end = rig->large.size / PAGE;

	check_is(unbind_some(rig, 0, end), 0);
	check_is(bind_some(rig, &rig->small, 0, end), 0);
	check_finds(rig, 22, 0, end);
	check_is(unbind_some(rig, 0, end), 0);
}

/* Within a large page. */
void test_vm_cut_page(int fd)
{
	struct rig rig;
	int ret;

	(void)fd;
	if (!make(&rig, SIZE) || !check_is(bind_some(&rig, &rig.large, 0, 16), 0))
		return;
	ret = unbind_some(&rig, 4, 5);
	if (!check(!ret || ret == -EINVAL))
		return;
	check_finds(&rig, 11, 0, 4);
	check_finds(&rig, 11, 5, 16);
	if (ret)
		check_finds(&rig, 11, 4, 5);
	unbind_all(&rig);
}

/* Between two; what is left of it might have larger ones, by its place and its size. */
void test_vm_cut(int fd)
{
	uint32_t large = LARGE / PAGE;
	struct rig rig;
	int round;

	(void)fd;
	if (!make(&rig, 2 * LARGE) ||
	    !check_is(bind_some(&rig, &rig.large, large + 16, large + 32), 0))
		return;
	for (round = 0; round < 3 && !case_failed(); round++) {
		check_is(bind_some(&rig, &rig.large, 0, large + 16), 0);
		check_is(unbind_some(&rig, large, large + 16), 0);
		check_finds(&rig, 11, 0, large);
		check_is(unbind_some(&rig, 0, large), 0);
		/* The tables that are left are those of this one. */
		check_finds(&rig, 11, large + 16, large + 32);
	}
	unbind_all(&rig);
}

/* A buffer takes the place of one that has pages of another size. */
static void replace(struct rig *rig, const struct nv_bo *old, uint32_t old_seed,
		    const struct nv_bo *new, uint32_t new_seed)
{
	uint32_t begin, end = old->size / PAGE;
	int ret;

	/* All of it, and its end. */
	for (begin = 0; begin < end && !case_failed(); begin += end / 2) {
		check_is(bind_some(rig, old, 0, end), 0);
		ret = bind_some(rig, new, begin, end);
		if (!check(!ret || ret == -EINVAL))
			return;
		if (begin)
			check_finds(rig, old_seed, 0, begin);
		check_finds(rig, ret ? old_seed : new_seed, begin, end);
		unbind_all(rig);
	}
}

void test_vm_replace(int fd)
{
	struct rig rig;

	(void)fd;
	if (!make(&rig, 2 * SIZE))
		return;
	replace(&rig, &rig.small, 22, &rig.large, 11);
	replace(&rig, &rig.large, 11, &rig.small, 22);
}

/* That is what a sparse region is for, so it is never refused there. */
void test_vm_replace_sparse(int fd)
{
	struct rig rig;

	(void)fd;
	if (!make(&rig, SIZE) || !check_is(vm_bind_sparse(&rig.vm, AT(0), 4 * SIZE), 0))
		return;
	check_is(bind_some(&rig, &rig.large, 0, 16), 0);
	check_finds(&rig, 11, 0, 16);
	check_is(bind_some(&rig, &rig.small, 4, 8), 0);
	check_finds(&rig, 11, 0, 4);
	check_finds(&rig, 22, 4, 8);
	check_finds(&rig, 11, 8, 16);
	check_is(bind_some(&rig, &rig.large, 0, 6), 0);
	check_finds(&rig, 11, 0, 6);
	check_finds(&rig, 22, 6, 8);
	unbind_all(&rig);
	check_is(vm_unbind(&rig.vm, AT(0), 4 * SIZE, DRM_NOUVEAU_VM_BIND_SPARSE), 0);
}
