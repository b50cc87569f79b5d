// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Page tables take VRAM without TTM, where the dead are. */
#include "vm.h"

#define DEAD		(256 * PAGE)
/* How much may be left beside the dead, and is wanted: a page for each table. */
#define LEFT		(2 * DEAD)
#define NR_TABLES	(2 * LEFT / PAGE)
/* What a table is for. */
#define STEP		(2 * MIB)

/* VRAM is full of what died on a channel that has done its work since. */
static bool fill_with_dead(int fd)
{
	struct nv_channel channel;
	struct nv_bo bo;

	if (!check_is(nv_channel_create(fd, &channel), 0))
		return false;
	nv_block(&channel);
	while (nv_vram_size(fd) - nv_vram_used(fd) > LEFT)
		if (!check_is(nv_bo_create(fd, DEAD, VRAM, &bo), 0) ||
		    !check_is(nv_use_one(&channel, &bo), 0) ||
		    !check_is(nv_bo_close(fd, &bo), 0))
			return false;
	nv_unblock(&channel);
	return check_is(nv_bo_wait(fd, &channel.push), 0);
}

/* The same buffer at many addresses, each of which wants a table. */
void test_vm_tables(int fd)
{
	struct nv_bo bo;
	struct vm vm;
	unsigned int i;

	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vm, PAGE, STAGING, 0, &bo), 0) || !fill_with_dead(fd))
		return;
	for (i = 0; i < NR_TABLES && !case_failed(); i++)
		check_is(vm_bind(&vm, &bo, AT(0) + i * STEP), 0);
	/* It is where it was bound last, which is what was not to be had. */
	vm_fill(&vm, AT(0) + (NR_TABLES - 1) * STEP, 7, PAGE);
	check_is(vm_run(&vm), 0);
	check_is(bo.map[0], 7);
}
