// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a client makes the kernel keep is charged to its cgroup, and limited by that. */

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "gpu.h"

#define NR_JOB_BOS	8
#define NR_DEPS		2
/*
 * At least, of a job: what it notes of each of its buffers, its fence, and the node of the
 * xarray that has the fences it waits for.
 */
#define JOB_BYTES	(NR_JOB_BOS * 32 + 64 + 560)
/* What may be charged by the CPUs in advance, and to the process for itself */
#define NOISE		(1UL << 20)
#define LIMIT		(8UL << 20)
#define NR_CHANNELS	16
#define PATIENCE	(20 * SECOND)

/**
 * struct flood - jobs that wait for ever
 * @fd: a file of the client's own
 * @deps: hung channels that all jobs wait for
 * @bos: buffers that the jobs use
 */
struct flood {
	int fd;
	uint32_t deps[NR_DEPS];
	struct drm_swgpu_submit_bo bos[NR_JOB_BOS];
};

static bool flood_begin(struct flood *f)
{
	int i;

	f->fd = gpu_open();
	for (i = 0; i < NR_JOB_BOS; i++) {
		f->bos[i] = (struct drm_swgpu_submit_bo){ .flags = READ, .domains = GTT };
		if (gpu_create(f->fd, PAGE, GTT, &f->bos[i].handle))
			return false;
	}
	for (i = 0; i < NR_DEPS; i++) {
		if (gpu_channel(f->fd, &f->deps[i]) ||
		    gpu_fault(f->fd, f->deps[i], SWGPU_FAULT_HANG_FOREVER) ||
		    gpu_use(f->fd, f->deps[i], f->bos[i].handle, WRITE, GTT, 0))
			return false;
	}
	return true;
}

/* As many as a channel takes. */
static int flood_channel(struct flood *f)
{
	uint32_t channel;
	int i, ret = gpu_channel(f->fd, &channel);

	for (i = 0; !ret && i < SWGPU_MAX_QUEUED_JOBS; i++)
		ret = gpu_submit(f->fd, channel, f->bos, NR_JOB_BOS, 0, NULL);
	return ret;
}

/* A client in a group of its own. It says when it has begun, and when it has queued all. */
static int run_client(int nr_channels, int said, int go_on)
{
	struct flood f;
	char byte;
	int i;

	if (!cgroup_enter("m") || !flood_begin(&f) || write(said, "", 1) != 1 ||
	    read(go_on, &byte, 1) != 1)
		return 1;
	for (i = 0; i < nr_channels; i++) {
		if (flood_channel(&f))
			return 2;
	}
	if (write(said, "", 1) != 1)
		return 1;
	pause();
	return 1;
}

/**
 * struct client - a process that floods channels
 * @pid: of it
 * @said: where it says how far it is
 * @go_on: where it waits
 */
struct client {
	pid_t pid;
	int said, go_on;
};

static bool start(struct client *c, int nr_channels)
{
	int said[2], go_on[2];
	char byte;

	if (!check(!pipe(said)) || !check(!pipe(go_on)))
		return false;
	c->pid = fork();
	if (!c->pid) {
		close(said[0]);
		close(go_on[1]);
		_exit(run_client(nr_channels, said[1], go_on[0]));
	}
	close(said[1]);
	close(go_on[0]);
	c->said = said[0];
	c->go_on = go_on[1];
	return check_is(read(c->said, &byte, 1), 1);
}

static void flood(struct client *c)
{
	check_is(write(c->go_on, "", 1), 1);
}

static void end(struct client *c)
{
	close(c->said);
	close(c->go_on);
	kill(c->pid, SIGKILL);
	check(waitpid(c->pid, NULL, 0) == c->pid);
}

/* What was charged to the group is charged no more; what the CPUs have taken in advance stays. */
static void check_returned(void)
{
	uint64_t waited;

	for (waited = 0; waited < PATIENCE && cgroup_memory("m") > (long)NOISE;
	     waited += 100 * MS)
		sleep_ns(100 * MS);
	check(cgroup_memory("m") <= (long)NOISE);
	check(cgroup_remove("m"));
}

void test_memcg_jobs(int fd)
{
	struct client c;
	long before;
	char byte;

	if (!cgroup_begin_memory() || !check(cgroup_make("m")) || !check(start(&c, 1)))
		return;
	before = cgroup_memory("m");
	flood(&c);
	check_is(read(c.said, &byte, 1), 1);
	check(cgroup_memory("m") - before >= (long)(SWGPU_MAX_QUEUED_JOBS * JOB_BYTES));
	printf("# %d jobs: %ld bytes\n", SWGPU_MAX_QUEUED_JOBS, cgroup_memory("m") - before);
	end(&c);
	check(gpu_drain_to(fd, 0));
	check_returned();
}

/* It fails, or the system kills it; and for nobody else anything is different. */
void test_memcg_limit(int fd)
{
	uint32_t channel, handle;
	struct client c;
	char byte;

	if (!cgroup_begin_memory() || !check(cgroup_make("m")) ||
	    !check(cgroup_limit_memory("m", LIMIT)) || !check(start(&c, NR_CHANNELS)))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, VRAM, &handle), 0);
	flood(&c);
	/* It does not get so far. */
	check_is(read(c.said, &byte, 1), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check(cgroup_memory("m") <= (long)LIMIT);
	end(&c);
	check(gpu_drain_to(fd, 0));
	check_returned();
}
