// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A guest that is full of dead buffers, and somebody who wants its memory. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define MIB		(1UL << 20)
#define BUFFER		(4 * MIB)
#define HOGS		4
/* The dead may keep so much of all memory in GTT, without a shrinker. */
#define LIMIT_SHARE	256

/* Buffers in GTT that die while their channel hangs. Returns the channel. */
static uint32_t bury(int fd, unsigned int mib)
{
	uint32_t channel = 0, handle;
	unsigned int i;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < mib / (BUFFER / MIB); i++) {
		check_is(gpu_create(fd, BUFFER, GTT, &handle), 0);
		check_is(gpu_use(fd, channel, handle, WRITE, GTT, 0), 0);
		check_is(gpu_close(fd, handle), 0);
	}
	check_is(gpu_stats(fd, 0).gtt_zombie_bytes, i * BUFFER);
	return channel;
}

/* The channel goes on, and has done with all of them. */
static void let_go(int fd, uint32_t channel)
{
	uint32_t last;

	check_is(gpu_create(fd, PAGE, GTT, &last), 0);
	check_is(gpu_use(fd, channel, last, READ, GTT, 0), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, last, 0, 60 * SECOND), 0);
	check_is(gpu_close(fd, last), 0);
}

/* A client that goes on to submit obeys the limit, step by step. */
static void submit_until_obeyed(int fd, uint32_t channel, uint64_t limit)
{
	uint32_t handle;
	int i;

	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	for (i = 0; i < 1000 && gpu_stats(fd, 0).gtt_zombie_bytes > limit; i++)
		check_is(gpu_use(fd, channel, handle, READ, GTT, 0), 0);
	check(gpu_stats(fd, 0).gtt_zombie_bytes <= limit);
	printf("# %d submissions until the limit of %lu MiB was obeyed\n", i,
	       (unsigned long)(limit / MIB));
}

static uint64_t total_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return (uint64_t)info.totalram * info.mem_unit;
}

/* Memory that nobody can take away again. */
static int fill(int file, uint64_t start, uint64_t end)
{
	int ret = 0;

	for (; start < end && !ret; start += BUFFER)
		ret = fallocate(file, 0, start, BUFFER);
	return !!ret;
}

/* Several want it at once. Whom the system kills for it has failed. */
static void hog(uint64_t bytes)
{
	int i, status, file = memfd_create("hog", 0);
	uint64_t part = bytes / HOGS;
	pid_t pids[HOGS];

	check(file >= 0);
	for (i = 0; i < HOGS; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(fill(file, i * part, (i + 1) * part));
	}
	for (i = 0; i < HOGS; i++) {
		status = -1;
		check(waitpid(pids[i], &status, 0) == pids[i]);
		check_is(status, 0);
	}
	close(file);
}

/*
 * @mib of GTT are dead. With a shrinker the system takes what it wants; without one,
 * the limit has let go of it before.
 */
void test_hog(int fd, unsigned int mib, bool shrinker)
{
	uint64_t total = total_memory(), limit = total / LIMIT_SHARE;
	uint64_t dead, want = total - total / 4;
	uint32_t channel = bury(fd, mib);

	let_go(fd, channel);
	if (!shrinker)
		submit_until_obeyed(fd, channel, limit);
	dead = gpu_stats(fd, 0).gtt_zombie_bytes;
	/* It could not have it beside all that was dead. */
	check(want + mib * MIB > total);
	hog(want);
	printf("# %lu of %lu MiB wanted, %lu MiB dead before, %lu MiB after\n",
	       (unsigned long)(want / MIB), (unsigned long)(total / MIB),
	       (unsigned long)(dead / MIB),
	       (unsigned long)(gpu_stats(fd, 0).gtt_zombie_bytes / MIB));
	if (shrinker)
		check(gpu_stats(fd, 0).gtt_zombie_bytes < dead);
	check_is(gpu_stats(fd, 0).tag_errors, 0);
}
