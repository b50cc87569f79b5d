// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Suspend: VRAM is lost, its contents are not. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"

#define NR_BUFFERS	6
#define SIZE		(300 * PAGE)
#define NR_SUSPENDS	60

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* Suspend and resume, through debugfs. Returns 0 or a negative errno. */
int suspend_device(int fd)
{
	struct stat st;
	char path[64];
	int file, ret = 0;

	if (fstat(fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/suspend", minor(st.st_rdev));
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	if (write(file, "1", 1) != 1)
		ret = -errno;
	close(file);
	return ret;
}

struct buffers {
	uint32_t channel;
	uint32_t handles[NR_BUFFERS];
	uint64_t *maps[NR_BUFFERS];
};

static bool make(int fd, struct buffers *b)
{
	int i;

	check_is(gpu_channel(fd, &b->channel), 0);
	for (i = 0; i < NR_BUFFERS; i++) {
		check_is(gpu_create(fd, SIZE, i % 3 ? VRAM : GTT, &b->handles[i]), 0);
		check_is(gpu_use(fd, b->channel, b->handles[i], WRITE, VRAM | GTT, 0), 0);
		b->maps[i] = gpu_map(fd, b->handles[i], SIZE);
		if (!check(b->maps[i]))
			return false;
		b->maps[i][7] = 1000 + i;
		b->maps[i][SIZE / 8 - 7] = 2000 + i;
	}
	return true;
}

/* The CPU finds its words, and jobs their tags. */
static void verify(int fd, struct buffers *b, uint32_t channel)
{
	int i;

	for (i = 0; i < NR_BUFFERS; i++) {
		check_is(b->maps[i][7], 1000 + i);
		check_is(b->maps[i][SIZE / 8 - 7], 2000 + i);
		check_is(gpu_use(fd, channel, b->handles[i], READ, VRAM | GTT, 0), 0);
	}
	for (i = 0; i < NR_BUFFERS; i++)
		check_is(gpu_wait(fd, b->handles[i], 0, 5 * SECOND), 0);
}

static void unmap(struct buffers *b)
{
	int i;

	for (i = 0; i < NR_BUFFERS; i++)
		munmap(b->maps[i], SIZE);
}

/* With jobs in flight, and a buffer that is dead already. */
void test_suspend(int fd)
{
	struct buffers b;
	uint32_t dead;

	if (!make(fd, &b))
		return;
	check_is(gpu_create(fd, SIZE, VRAM, &dead), 0);
	check_is(gpu_use(fd, b.channel, dead, WRITE, VRAM, 100 * MS), 0);
	check_is(gpu_close(fd, dead), 0);
	check_is(gpu_use(fd, b.channel, b.handles[1], WRITE, VRAM, 100 * MS), 0);
	check_is(suspend_device(fd), 0);
	check_is(gpu_stats(fd, 0).vram_held_bytes, 0);
	verify(fd, &b, b.channel);
	check_is(gpu_use(fd, b.channel, b.handles[2], WRITE, VRAM, 0), 0);
	verify(fd, &b, b.channel);
	unmap(&b);
}

static void hang_and_suspend(int fd, uint32_t domain, int which)
{
	uint32_t other, dead;
	struct buffers b;
	uint64_t start;

	if (!make(fd, &b))
		return;
	check_is(gpu_channel(fd, &other), 0);
	check_is(gpu_create(fd, SIZE, domain, &dead), 0);
	check_is(gpu_wait(fd, dead, 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, b.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, b.channel, b.handles[which], WRITE, domain, 0), 0);
	check_is(gpu_use(fd, b.channel, dead, WRITE, domain, 0), 0);
	check_is(gpu_close(fd, dead), 0);
	start = now();
	check_is(suspend_device(fd), -EBUSY);
	check(now() - start < 45 * SECOND);

	/* The hung job still counts on its memory. */
	check_is(gpu_stats(fd, 0).zombies, 1);
	check_is(b.maps[0][7], 1000);
	check_is(gpu_fault(fd, b.channel, SWGPU_FAULT_RESUME), 0);
	verify(fd, &b, other);
	check_is(suspend_device(fd), 0);
	verify(fd, &b, other);
	unmap(&b);
}

void test_suspend_hung(int fd)
{
	hang_and_suspend(fd, VRAM, 1);
}

#define NR_PARTS	8

static uint64_t gtt_bytes(void)
{
	FILE *file = fopen("/sys/module/swgpu/parameters/gtt_mb", "r");
	unsigned int mb = 0;

	if (check(file)) {
		check_is(fscanf(file, "%u", &mb), 1);
		fclose(file);
	}
	return (uint64_t)mb << 20;
}

/* As much of GTT as is free, in buffers that the channel uses. */
static void fill_gtt(int fd, uint32_t channel, uint32_t handles[NR_PARTS])
{
	uint64_t room = gtt_bytes() - gpu_stats(fd, 0).gtt_held_bytes;
	uint64_t size = room / NR_PARTS / PAGE * PAGE;
	int i;

	for (i = 0; i < NR_PARTS; i++) {
		check_is(gpu_create(fd, size, GTT, &handles[i]), 0);
		check_is(gpu_use(fd, channel, handles[i], WRITE, GTT, 0), 0);
	}
}

/* There is no way out of VRAM: GTT is full, and all of it is waited for. */
void test_suspend_all_hung(int fd)
{
	uint32_t other, handles[NR_PARTS];
	struct buffers b;
	int i;

	if (!make(fd, &b))
		return;
	check_is(gpu_channel(fd, &other), 0);
	check_is(gpu_fault(fd, b.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < NR_BUFFERS; i++)
		check_is(gpu_use(fd, b.channel, b.handles[i], WRITE, VRAM | GTT, 0), 0);
	fill_gtt(fd, b.channel, handles);
	check_is(suspend_device(fd), -EBUSY);
	check_is(b.maps[1][7], 1001);

	check_is(gpu_fault(fd, b.channel, SWGPU_FAULT_RESUME), 0);
	verify(fd, &b, other);
	for (i = 0; i < NR_PARTS; i++)
		check_is(gpu_wait(fd, handles[i], 0, 5 * SECOND), 0);
	check_is(suspend_device(fd), 0);
	verify(fd, &b, other);
	unmap(&b);
}

/* Nothing has to leave VRAM, but the hardware would not have stopped. */
void test_suspend_hung_gtt(int fd)
{
	hang_and_suspend(fd, GTT, 0);
}

/* A copy out of VRAM would hang: suspend does not need the engine. */
void test_suspend_hung_engine(int fd)
{
	struct buffers b;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!make(fd, &b))
		return;
	check_is(gpu_wait(fd, b.handles[1], 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(suspend_device(fd), 0);
	verify(fd, &b, b.channel);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	unmap(&b);
}

/* A copy out of VRAM has hung. */
void test_suspend_hung_copy(int fd)
{
	struct buffers b;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!make(fd, &b))
		return;
	check_is(gpu_wait(fd, b.handles[1], 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, b.channel, b.handles[1], READ, GTT, 0), 0);
	check_is(suspend_device(fd), -EBUSY);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	verify(fd, &b, b.channel);
	check_is(suspend_device(fd), 0);
	verify(fd, &b, b.channel);
	unmap(&b);
}

/* Moves, creates and closes, until it is killed. */
static void run_load(void)
{
	uint64_t size = 40 * PAGE;
	uint32_t channel, handle;
	int i, fd = gpu_open();

	if (gpu_channel(fd, &channel))
		_exit(1);
	for (i = 0;; i++) {
		if (gpu_create(fd, size, i % 3 ? VRAM : GTT, &handle))
			continue;
		gpu_use(fd, channel, handle, WRITE, i % 2 ? VRAM : GTT, MS);
		gpu_close(fd, handle);
	}
}

/* It may fail, as somebody asks for VRAM all the time; nobody loses anything. */
void test_suspend_load(int fd)
{
	int i, ret, status, done = 0;
	struct buffers b;
	pid_t pids[2];

	if (!make(fd, &b))
		return;
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			run_load();
	}
	for (i = 0; i < NR_SUSPENDS; i++) {
		ret = suspend_device(fd);
		check(!ret || ret == -EBUSY || ret == -ENOMEM || ret == -ENOSPC);
		done += !ret;
		if (i % 10 == 9)
			verify(fd, &b, b.channel);
	}
	for (i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		check(waitpid(pids[i], &status, 0) == pids[i]);
	}
	check_is(suspend_device(fd), 0);
	verify(fd, &b, b.channel);
	unmap(&b);
	printf("# %d of %d suspends under load succeeded\n", done, NR_SUSPENDS);
}
