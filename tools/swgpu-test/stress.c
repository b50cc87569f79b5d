// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Several processes want more VRAM than there is. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_CHILDREN	4
#define NR_BUFFERS	30
#define NR_STEPS	400
#define MAX_BOS		6
#define NR_HALF_JOBS	60

struct child {
	int fd;
	uint32_t channels[2];
	uint32_t handles[NR_BUFFERS];
	uint64_t max_pages;
	unsigned int *refused; /* shared by all */
};

static uint32_t random_domains(void)
{
	return rand() % 3 ? VRAM : VRAM | GTT;
}

/* Others may hold what we want at the moment; that is no failure. */
static int tolerate(struct child *c, int ret)
{
	if (ret != -ENOMEM && ret != -ENOSPC)
		return ret;
	__atomic_fetch_add(c->refused, 1, __ATOMIC_RELAXED);
	return 0;
}

static int replace(struct child *c, int i)
{
	int ret = 0;

	if (c->handles[i])
		ret = gpu_close(c->fd, c->handles[i]);
	c->handles[i] = 0;
	if (ret)
		return ret;
	ret = gpu_create(c->fd, (1 + rand() % c->max_pages) * PAGE, random_domains(),
			 &c->handles[i]);
	return tolerate(c, ret);
}

static int submit(struct child *c, int first)
{
	struct drm_swgpu_submit_bo bos[MAX_BOS];
	int i, nr = 0;

	for (i = 0; i < 1 + rand() % MAX_BOS; i++) {
		uint32_t handle = c->handles[(first + i) % NR_BUFFERS];

		if (handle)
			bos[nr++] = (struct drm_swgpu_submit_bo) {
				.handle = handle,
				.flags = 1 + rand() % 3,
				.domains = random_domains(),
			};
	}
	return tolerate(c, gpu_submit(c->fd, c->channels[rand() % 2], bos, nr,
				      rand() % (500 * 1000), NULL));
}

static int run_child(int seed, void *refused)
{
	struct child c = { .fd = gpu_open(), .refused = refused };
	int i, ret;

	srand(seed);
	c.max_pages = gpu_stats(c.fd, 0).vram_bytes / PAGE / 24;
	ret = gpu_channel(c.fd, &c.channels[0]);
	if (!ret)
		ret = gpu_channel(c.fd, &c.channels[1]);
	for (i = 0; !ret && i < NR_BUFFERS; i++)
		ret = replace(&c, i);
	for (i = 0; !ret && i < NR_STEPS; i++) {
		if (rand() % 4)
			ret = submit(&c, rand() % NR_BUFFERS);
		else
			ret = replace(&c, rand() % NR_BUFFERS);
	}
	return -ret;
}

/*
 * To wait for a lock might be a deadlock, so the job is refused instead: at once, and again
 * as long as the other holds the lock. So it is asked for until it is done.
 */
static int use_in_the_end(struct child *c)
{
	int ret;

	for (;;) {
		ret = gpu_use(c->fd, c->channels[0], c->handles[0], WRITE, VRAM, 10 * MS);
		if (!ret || tolerate(c, ret))
			return ret;
		usleep(1000);
	}
}

/* More than half of VRAM for each job, of a buffer of its own. */
static int run_half(int seed, void *refused)
{
	struct child c = { .fd = gpu_open(), .refused = refused };
	uint64_t size = gpu_stats(c.fd, 0).vram_bytes / 100 * 54 / PAGE * PAGE;
	int i, ret;

	ret = gpu_channel(c.fd, &c.channels[0]);
	if (!ret)
		ret = gpu_create(c.fd, size, GTT, &c.handles[0]);
	for (i = 0; !ret && i < NR_HALF_JOBS; i++) {
		ret = use_in_the_end(&c);
		if (!ret && i % 8 == seed)
			ret = gpu_wait(c.fd, c.handles[0], 0, 30 * SECOND);
	}
	return -ret;
}

void run_children(int nr, int (*run)(int seed, void *shared), void *shared)
{
	pid_t pids[nr];
	int i, status;

	for (i = 0; i < nr; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(run(i + 1, shared));
	}
	for (i = 0; i < nr; i++) {
		check(waitpid(pids[i], &status, 0) == pids[i]);
		check(WIFEXITED(status));
		check_is(WEXITSTATUS(status), 0);
	}
}

static void stress(int fd, int nr, int (*run)(int seed, void *refused))
{
	unsigned int *refused = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t evictions = gpu_stats(fd, 0).evictions;

	if (!check(refused != MAP_FAILED))
		return;
	run_children(nr, run, refused);
	check(gpu_stats(fd, 0).evictions > evictions);
	printf("# stress: seeds 1 to %d, refused for want of memory: %u\n", nr, *refused);
	munmap(refused, PAGE);
}

void test_stress(int fd)
{
	stress(fd, NR_CHILDREN, run_child);
}

/*
 * A client that wants VRAM finds the buffer to evict locked by somebody who waits for VRAM, too,
 * and waits for it by his ticket.
 */
void test_stress_halves(int fd)
{
	stress(fd, 3, run_half);
}
