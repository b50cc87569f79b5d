// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers that die while they are used. */

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nv.h"

#define NR_DEAD		8
#define SIZE		(256 * PAGE)

static bool make_used(struct nv_channel *channel, struct nv_bo *bo)
{
	return check_is(nv_bo_create(channel->fd, SIZE, VRAM, bo), 0) &&
	       check_is(nv_use_one(channel, bo), 0);
}

/* What a blocked channel uses is in use, though it is closed. */
void test_free_blocked(int fd)
{
	struct nv_channel channel;
	uint64_t before, blocked;
	struct nv_bo bo;
	int i;

	if (!check_is(nv_channel_create(fd, &channel), 0))
		return;
	before = nv_vram_used(fd);
	nv_block(&channel);
	for (i = 0; i < NR_DEAD; i++) {
		if (!make_used(&channel, &bo))
			return;
		check_is(nv_bo_close(fd, &bo), 0);
	}
	sleep_ns(100 * MS);
	blocked = nv_vram_used(fd);
	check(blocked >= before + NR_DEAD * SIZE);
	nv_unblock(&channel);
	check_is(nv_channel_destroy(&channel), 0);
	for (i = 0; i < 100 && nv_vram_used(fd) > before; i++)
		sleep_ns(10 * MS);
	check(nv_vram_used(fd) <= before);
}

/* A buffer of two channels is free when both are done with it. */
void test_two_channels(int fd)
{
	struct nv_channel blocked, other;
	uint64_t before;
	struct nv_bo bo, last;
	int i;

	if (!check_is(nv_channel_create(fd, &blocked), 0) ||
	    !check_is(nv_channel_create(fd, &other), 0) ||
	    !check_is(nv_bo_create(fd, PAGE, VRAM, &last), 0))
		return;
	before = nv_vram_used(fd);
	/* On the other one first: the blocked one is to be waited for. */
	if (!check_is(nv_bo_create(fd, SIZE, VRAM, &bo), 0))
		return;
	check_is(nv_use_one(&other, &bo), 0);
	nv_block(&blocked);
	check_is(nv_use_one(&blocked, &bo), 0);
	check_is(nv_bo_close(fd, &bo), 0);

	check_is(nv_use_one(&other, &last), 0);
	check_is(nv_bo_wait(fd, &last), 0);
	check(nv_vram_used(fd) >= before + SIZE);
	nv_unblock(&blocked);
	for (i = 0; i < 100 && nv_vram_used(fd) > before; i++)
		sleep_ns(10 * MS);
	check(nv_vram_used(fd) <= before);
}

static void live_and_be_killed(void)
{
	struct nv_channel channels[2];
	struct nv_bo bo;
	int fd = nv_open();
	int i;

	for (i = 0; i < 2; i++)
		if (nv_channel_create(fd, &channels[i]))
			_exit(1);
	nv_block(&channels[0]);
	for (i = 0; i < NR_DEAD; i++) {
		if (nv_bo_create(fd, SIZE, VRAM, &bo) ||
		    nv_use_one(&channels[i % 2], &bo))
			_exit(1);
	}
	/* Bochs does not survive that a channel is stopped while it waits. */
	nv_unblock(&channels[0]);
	kill(getpid(), SIGKILL);
}

void test_killed_client(int fd)
{
	uint64_t before = nv_vram_used(fd);
	int status, i;
	pid_t pid = fork();

	if (!pid)
		live_and_be_killed();
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status));
	for (i = 0; i < 100 && nv_vram_used(fd) > before; i++)
		sleep_ns(10 * MS);
	check(nv_vram_used(fd) <= before);
}

/* Memory that nobody uses any more does not count, wherever it still is. */
void test_usage(int fd)
{
	struct nv_channel channel;
	uint64_t before;
	struct nv_bo bo, last;
	int i;

	if (!check_is(nv_channel_create(fd, &channel), 0) ||
	    !check_is(nv_bo_create(fd, PAGE, VRAM, &last), 0))
		return;
	before = nv_vram_used(fd);
	for (i = 0; i < NR_DEAD; i++) {
		if (!make_used(&channel, &bo))
			return;
		check_is(nv_bo_close(fd, &bo), 0);
	}
	check_is(nv_use_one(&channel, &last), 0);
	check_is(nv_bo_wait(fd, &last), 0);
	for (i = 0; i < 100 && nv_vram_used(fd) > before; i++)
		sleep_ns(10 * MS);
	check(nv_vram_used(fd) <= before);
}
