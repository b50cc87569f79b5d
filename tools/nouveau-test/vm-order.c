// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which buffers leave VRAM first: those that no job has used for longest. */
#include <stdio.h>

#include "vm.h"

/* Of all VRAM. */
#define PART		16
#define OWN		4

/* How much of what the file has is in VRAM, in bytes; or -1. */
static long resident(int fd)
{
	return node_fdinfo(fd, "drm-resident-vram");
}

/*
 * All that is an address space's own is used by each of its jobs, though it was made first. So
 * what was made later, and never used, goes before it.
 */
void test_vm_order(int fd)
{
	uint64_t size = nv_vram_size(fd) / PART & ~(PAGE - 1);
	struct nv_bo bo, own;
	struct vm vm;
	long before;
	int i;

	if (!nv_deletes_by_fence()) {
		skip("today EXEC moves nothing in the order");
		return;
	}
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0))
		return;
	for (i = 0; i < OWN; i++) {
		if (!check_is(vm_bo(&vm, size, VRAM | PRIVATE, AT(i), &own), 0))
			return;
		own.map[0] = i;
	}
	vm_fill(&vm, AT(0), 1, PAGE);
	check_is(vm_run(&vm), 0);
	before = resident(vm.fd);
	check(before >= (long)(OWN * size));
	for (i = 0; i < PART; i++) {
		/* Half way, when nearly nothing is left. */
		if (i == PART - OWN - 2) {
			vm_fill(&vm, AT(0), 2, PAGE);
			check_is(vm_run(&vm), 0);
		}
		if (!check_is(nv_bo_create(fd, size, VRAM, &bo), 0) ||
		    !check_is(nv_bo_map(fd, &bo), 0))
			return;
		bo.map[0] = i;
	}
	printf("# %ld KiB of the address space were in VRAM, and %ld are\n", before / 1024,
	       resident(vm.fd) / 1024);
	check_is(resident(vm.fd), before);
}
