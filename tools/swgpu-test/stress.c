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

static int run_child(int seed, unsigned int *refused)
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

void test_stress(int fd)
{
	unsigned int *refused = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t evictions = gpu_stats(fd, 0).evictions;
	pid_t pids[NR_CHILDREN];
	int i, status;

	if (!check(refused != MAP_FAILED))
		return;
	for (i = 0; i < NR_CHILDREN; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(run_child(i + 1, refused));
	}
	for (i = 0; i < NR_CHILDREN; i++) {
		check(waitpid(pids[i], &status, 0) == pids[i]);
		check(WIFEXITED(status));
		check_is(WEXITSTATUS(status), 0);
	}
	check(gpu_stats(fd, 0).evictions > evictions);
	printf("# stress: seeds 1 to %d, refused for want of memory: %u of about %d\n",
	       NR_CHILDREN, *refused, NR_CHILDREN * (NR_STEPS + NR_BUFFERS));
	munmap(refused, PAGE);
}
