// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory without channels: the CPU writes, reads and moves all of it. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nv.h"

/* Of all VRAM. */
#define PART		16
#define ROUNDS		2

static uint32_t word(unsigned int bo, uint64_t i)
{
	return bo * 1000003 + i * 7919;
}

/* Two words of each page. */
static void fill(const struct nv_bo *bo, unsigned int nr)
{
	uint64_t i;

	for (i = 0; i < bo->size / 4; i += PAGE / 8)
		bo->map[i] = word(nr, i);
}

static unsigned int count_wrong(const struct nv_bo *bo, unsigned int nr)
{
	unsigned int wrong = 0;
	uint64_t i;

	for (i = 0; i < bo->size / 4; i += PAGE / 8)
		wrong += bo->map[i] != word(nr, i);
	return wrong;
}

/* If that is more than fits, each buffer has to come back to be touched, at another's cost. */
static void fill_and_check(int fd, unsigned int nr, unsigned int seed)
{
	uint64_t size = nv_vram_size(fd) / PART & ~(PAGE - 1);
	struct nv_bo bos[2 * PART];
	unsigned int i, round;

	for (i = 0; i < nr; i++) {
		if (!check_is(nv_bo_create(fd, size, VRAM, &bos[i]), 0) ||
		    !check_is(nv_bo_map(fd, &bos[i]), 0))
			return;
		fill(&bos[i], seed + i);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < nr; i++)
			check_is(count_wrong(&bos[i], seed + i), 0);
	for (i = 0; i < nr; i++)
		check_is(nv_bo_close(fd, &bos[i]), 0);
}

void test_memory(int fd)
{
	fill_and_check(fd, 2 * PART, 0);
	check_is(nv_vram_used(fd) > nv_vram_size(fd) / PART, 0);
}

/* Together they want twice as much as fits. */
void test_memory_of_two(int fd)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		case_begin();
		fill_and_check(nv_open(), PART, 1000);
		_exit(case_failed());
	}
	fill_and_check(fd, PART, 0);
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
}
