// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Two clients whose jobs want more VRAM than there is, at once. */

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nv.h"

/* Of all VRAM: so much is one part. */
#define PART		16
#define NR_MANY		10

static bool make(int fd, unsigned int parts, struct nv_bo *bo)
{
	return check_is(nv_bo_create(fd, parts * (nv_vram_size(fd) / PART & ~(PAGE - 1)), VRAM, bo),
			0);
}

/* In another process, as it waits. */
static pid_t use_there(struct nv_channel *channel, struct nv_bo *bos, unsigned int nr,
		       bool may_be_refused)
{
	struct nv_bo *list[NR_MANY + 1];
	pid_t pid = fork();
	unsigned int i;
	int ret;

	if (pid)
		return pid;
	for (i = 0; i < nr; i++)
		list[i] = &bos[i];
	ret = nv_use(channel, list, nr);
	_exit(!check_is(ret, may_be_refused && ret == -ENOMEM ? ret : 0));
}

static void wait_for(pid_t pid)
{
	int status = -1;

	check_is(waitpid(pid, &status, 0), pid);
	check_is(status, 0);
}

/*
 * The first one has all that is in VRAM reserved, and waits for a job that uses the rest. The
 * second one finds nothing that it can take, and waits for what the first one has, as far as it
 * may; it may be refused, as the younger one, to avoid a deadlock. Lock debugging must not
 * complain of that. The first buffer of each was driven out when the others were made.
 */
void test_two_jobs(int fd)
{
	struct nv_channel blocked, first, second;
	struct nv_bo many[NR_MANY + 1], one, used;
	int other = nv_open();
	pid_t pids[2];
	unsigned int i;

	if (!check_is(nv_channel_create(fd, &blocked), 0) ||
	    !check_is(nv_channel_create(fd, &first), 0) ||
	    !check_is(nv_channel_create(other, &second), 0) ||
	    !make(fd, 2, &many[0]) || !make(other, 2, &one) || !make(fd, 4, &used))
		return;
	nv_block(&blocked);
	check_is(nv_use_one(&blocked, &used), 0);
	for (i = 1; i <= NR_MANY; i++)
		if (!make(fd, 1, &many[i]))
			return;
	pids[0] = use_there(&first, many, NR_MANY + 1, false);
	sleep_ns(300 * MS);
	pids[1] = use_there(&second, &one, 1, true);
	sleep_ns(300 * MS);
	nv_unblock(&blocked);
	wait_for(pids[0]);
	wait_for(pids[1]);
}
