// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A buffer is read on one CPU while it moves on another. */

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_MOVES	200
#define VALUE		0x600d600d600d600dULL
#define OTHER		0xbad0bad0bad0bad0ULL

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check_is(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* Reads, and enters the kernel only where the mapping went. The exit status: what it saw. */
static void read_on(const volatile uint64_t *map, atomic_bool *stop)
{
	run_on(1);
	while (!*stop) {
		if (*map != VALUE)
			_exit(1);
	}
	_exit(0);
}

/* Moves the buffer, and gives what it left to another. */
static bool move_on(int fd, uint32_t channel, uint32_t handle, uint32_t to)
{
	uint32_t other;
	uint64_t *map;
	bool moved;

	moved = check_is(gpu_use(fd, channel, handle, READ, to, 0), 0) &&
		check_is(gpu_wait(fd, handle, 0, 30 * SECOND), 0) &&
		check_is(gpu_create(fd, PAGE, VRAM + GTT - to, &other), 0);
	if (!moved)
		return false;
	map = gpu_map(fd, other, PAGE);
	if (check(map)) {
		*map = OTHER;
		munmap(map, PAGE);
	}
	return check_is(gpu_close(fd, other), 0);
}

static void read_while_moving(int fd)
{
	atomic_bool *stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	uint32_t channel, handle;
	uint64_t *map;
	int i, status;
	pid_t reader;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, VRAM, &handle), 0);
	map = gpu_map(fd, handle, PAGE);
	if (!check(map) || !check(stop != MAP_FAILED))
		return;
	*map = VALUE;
	reader = fork();
	if (!reader)
		read_on(map, stop);
	run_on(0);
	for (i = 0; i < NR_MOVES && move_on(fd, channel, handle, i & 1 ? VRAM : GTT); i++)
		;
	*stop = true;
	check(waitpid(reader, &status, 0) == reader);
	check_is(status, 0);
	check_is(gpu_close(fd, handle), 0);
	munmap(map, PAGE);
	munmap(stop, PAGE);
}

void test_other_cpu(int fd)
{
	cpu_set_t all;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skip("one CPU");
		return;
	}
	check_is(sched_getaffinity(0, sizeof(all), &all), 0);
	read_while_moving(fd);
	/* The other cases, too, are to have all of them. */
	check_is(sched_setaffinity(0, sizeof(all), &all), 0);
}
