// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a job reads stays where it is, and mapped, until the job is done. */

#include <sys/wait.h>

#include "nv.h"

#define SIZE		(64 * PAGE)

static bool make(int fd, uint32_t domains, struct nv_bo *bo)
{
	return check_is(nv_bo_create(fd, SIZE, domains, bo), 0) &&
	       check_is(nv_bo_map(fd, bo), 0);
}

/* A job of another channel wants it elsewhere, and has it moved. */
void test_move_read(int fd)
{
	struct nv_channel reader, mover;
	struct nv_bo bo, to;
	pid_t helper;

	if (!check_is(nv_channel_create(fd, &reader), 0) ||
	    !check_is(nv_channel_create(fd, &mover), 0) ||
	    !make(fd, VRAM | GART, &bo) || !make(fd, GART, &to))
		return;
	bo.domains = VRAM;
	check_is(nv_use_one(&mover, &bo), 0);
	nv_bo_fill(&bo, 5);
	nv_bo_fill(&to, 6);
	nv_block(&reader);
	check_is(nv_copy(&reader, &bo, &to, SIZE), 0);
	helper = nv_unblock_later(&reader, 300 * MS);
	bo.domains = GART;
	check_is(nv_use_one(&mover, &bo), 0);
	check_is(nv_bo_wait(fd, &to), 0);
	check(nv_bo_holds(&to, 5));
	check(nv_bo_holds(&bo, 5));
	waitpid(helper, NULL, 0);
}

/* The handle is closed, and the channel that read it last is done, but not the other one. */
void test_close_read_twice(int fd)
{
	struct nv_channel blocked, other;
	struct nv_bo bo, to[2];

	if (!check_is(nv_channel_create(fd, &blocked), 0) ||
	    !check_is(nv_channel_create(fd, &other), 0) ||
	    !make(fd, VRAM, &bo) || !make(fd, GART, &to[0]) || !make(fd, GART, &to[1]))
		return;
	nv_bo_fill(&bo, 5);
	nv_bo_fill(&to[0], 6);
	nv_block(&blocked);
	check_is(nv_copy(&blocked, &bo, &to[0], SIZE), 0);
	check_is(nv_copy(&other, &bo, &to[1], SIZE), 0);
	check_is(nv_bo_wait(fd, &to[1]), 0);
	check(nv_bo_holds(&to[1], 5));
	check_is(nv_bo_close(fd, &bo), 0);
	check(nv_bo_holds(&to[0], 6));
	nv_unblock(&blocked);
	check_is(nv_bo_wait(fd, &to[0]), 0);
	check(nv_bo_holds(&to[0], 5));
}
