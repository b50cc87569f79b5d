// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Channels that copy, one after the other. */

#include <sys/wait.h>

#include "nv.h"

static bool make(int fd, uint64_t size, uint32_t domains, struct nv_bo *bo)
{
	return check_is(nv_bo_create(fd, size, domains, bo), 0) &&
	       check_is(nv_bo_map(fd, bo), 0);
}

/* From GART to VRAM, within it, and back, on three channels of two clients. */
void test_copy(int fd)
{
	static const uint32_t domains[] = { GART, VRAM, VRAM, GART };
	struct nv_channel channels[3];
	struct nv_bo bos[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(channels); i++)
		if (!check_is(nv_channel_create(fd, &channels[i]), 0))
			return;
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		if (!make(fd, 64 * PAGE, domains[i], &bos[i]))
			return;
	nv_bo_fill(&bos[0], 1000);
	/* Each waits for the one before. */
	for (i = 0; i < ARRAY_SIZE(channels); i++)
		check_is(nv_copy(&channels[i], &bos[i], &bos[i + 1], 64 * PAGE), 0);
	check_is(nv_bo_wait(fd, &bos[3]), 0);
	check(nv_bo_holds(&bos[3], 1000));
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		check_is(nv_bo_close(fd, &bos[i]), 0);
	for (i = 0; i < ARRAY_SIZE(channels); i++)
		check_is(nv_channel_destroy(&channels[i]), 0);
}

#define MANY	30

/* More than 16, where cards before NV50 hang without a fix. */
void test_many_channels(int fd)
{
	struct nv_channel channels[MANY];
	uint32_t i;

	for (i = 0; i < MANY; i++)
		if (!check_is(nv_channel_create(fd, &channels[i]), 0))
			return;
	for (i = 0; i < MANY; i++)
		check_is(nv_release(&channels[i], 100 + i), 0);
	for (i = 0; i < MANY; i++) {
		check_is(nv_bo_wait(fd, &channels[i].push), 0);
		check_is(*channels[i].semaphore, 100 + i);
		check_is(nv_channel_destroy(&channels[i]), 0);
	}
}

/* Jobs that share a buffer wait for each other, also when the first is blocked. */
void test_order(int fd)
{
	struct nv_channel first, second;
	struct nv_bo from, shared, to;
	pid_t helper;

	if (!check_is(nv_channel_create(fd, &first), 0) ||
	    !check_is(nv_channel_create(fd, &second), 0) ||
	    !make(fd, 8 * PAGE, GART, &from) || !make(fd, 8 * PAGE, VRAM, &shared) ||
	    !make(fd, 8 * PAGE, GART, &to))
		return;
	nv_bo_fill(&from, 5);
	nv_bo_fill(&shared, 6);
	nv_bo_fill(&to, 7);
	nv_block(&first);
	check_is(nv_copy(&first, &from, &shared, 8 * PAGE), 0);
	check(nv_bo_busy(fd, &shared) != 0);
	check(nv_bo_holds(&shared, 6));
	/* nouveau may wait for it in the request, or let the channels do that. */
	helper = nv_unblock_later(&first, 200 * MS);
	check_is(nv_copy(&second, &shared, &to, 8 * PAGE), 0);
	check_is(nv_bo_wait(fd, &to), 0);
	check(nv_bo_holds(&to, 5));
	waitpid(helper, NULL, 0);
}
