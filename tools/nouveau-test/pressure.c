// SPDX-License-Identifier: GPL-2.0 OR MIT
/* More is wanted than there is. */

#include <errno.h>
#include <unistd.h>

#include "nv.h"

/* Of all VRAM. */
#define PART		16

/*
 * With today's delayed delete Linux 7.3 may refuse memory of which the dead are not released
 * yet: who asks again gets it in the end.
 */
static int create_in_the_end(int fd, uint64_t size, struct nv_bo *bo)
{
	int ret, tries = 60000;

	do {
		ret = nv_bo_create(fd, size, VRAM, bo);
	} while (ret == -ENOMEM && !nv_deletes_by_fence() && --tries && !usleep(1000));
	return ret;
}

/* Buffers of a part of VRAM are made, used, and closed, several times over. */
static void churn(struct nv_channel *channel, unsigned int nr)
{
	uint64_t size = nv_vram_size(channel->fd) / PART & ~(PAGE - 1);
	struct nv_bo bo;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!check_is(create_in_the_end(channel->fd, size, &bo), 0))
			return;
		check_is(nv_use_one(channel, &bo), 0);
		check_is(nv_bo_close(channel->fd, &bo), 0);
	}
}

void test_pressure(int fd)
{
	struct nv_channel channel;

	if (check_is(nv_channel_create(fd, &channel), 0))
		churn(&channel, 5 * PART);
}

/* The memory of the blocked one is missing, and no more than that. */
void test_pressure_some(int fd)
{
	struct nv_channel blocked, other;

	if (!check_is(nv_channel_create(fd, &blocked), 0) ||
	    !check_is(nv_channel_create(fd, &other), 0))
		return;
	nv_block(&blocked);
	churn(&blocked, 2);
	churn(&other, 3 * PART);
	nv_unblock(&blocked);
}

/*
 * There is nothing to be had: the request fails, and does not wait for ever; nothing is
 * taken from a blocked channel. All goes on when it is let go.
 */
void test_pressure_all(int fd)
{
	uint64_t size = nv_vram_size(fd) / PART & ~(PAGE - 1);
	struct nv_channel channel;
	struct nv_bo bo;
	int i, ret = 0;

	if (!check_is(nv_channel_create(fd, &channel), 0))
		return;
	nv_block(&channel);
	for (i = 0; i < 2 * PART && !ret; i++) {
		ret = nv_bo_create(fd, size, VRAM, &bo);
		if (!ret) {
			ret = nv_use_one(&channel, &bo);
			check_is(nv_bo_close(fd, &bo), 0);
		}
	}
	check(ret == -ENOMEM || ret == -ENOSPC || ret == -EBUSY);
	nv_unblock(&channel);
	/* A channel that is known to hang is waited for by nobody until it goes on. */
	check_is(nv_bo_wait(fd, &channel.push), 0);
	churn(&channel, 2 * PART);
}

#define NR_BOS	(2 * PART)

/* Twice as much as fits: all have been elsewhere, and come back as they were. */
void test_eviction(int fd)
{
	uint64_t size = nv_vram_size(fd) / PART & ~(PAGE - 1), step = 16 * PAGE / 4, n;
	struct nv_bo bos[NR_BOS];
	struct nv_channel channel;
	uint32_t i, wrong = 0;

	if (!check_is(nv_channel_create(fd, &channel), 0))
		return;
	for (i = 0; i < NR_BOS; i++) {
		if (!check_is(nv_bo_create(fd, size, VRAM, &bos[i]), 0) ||
		    !check_is(nv_bo_map(fd, &bos[i]), 0))
			return;
		for (n = 0; n < size / 4; n += step)
			bos[i].map[n] = i * 1000000 + n;
	}
	for (i = 0; i < NR_BOS; i++)
		check_is(nv_use_one(&channel, &bos[i]), 0);
	for (i = 0; i < NR_BOS; i++) {
		check_is(nv_bo_wait(fd, &bos[i]), 0);
		for (n = 0; n < size / 4; n += step)
			wrong += bos[i].map[n] != i * 1000000 + n;
	}
	check_is(wrong, 0);
	for (i = 0; i < NR_BOS; i++)
		check_is(nv_bo_close(fd, &bos[i]), 0);
}

/* Channels take VRAM without TTM, where the dead are. */
void test_channel_in_full_vram(int fd)
{
	struct nv_channel first, next;
	struct nv_bo bo;
	int i;

	if (!check_is(nv_channel_create(fd, &first), 0))
		return;
	churn(&first, PART - 1);
	/* What is left is taken by pages. */
	for (i = 0; i < 100000 && nv_bo_create(fd, 16 * PAGE, VRAM, &bo) == 0; i++) {
		check_is(nv_use_one(&first, &bo), 0);
		check_is(nv_bo_close(fd, &bo), 0);
		if (case_failed() || i * 16 * PAGE > nv_vram_size(fd) / PART * 2)
			break;
	}
	for (i = 0; i < 4; i++)
		check_is(nv_channel_create(fd, &next), 0);
}
