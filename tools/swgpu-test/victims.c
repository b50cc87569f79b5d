// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which buffers have to make room, what is waited for, and what is not. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define TICK_US		20000
#define NR_MEMBERS	8
#define PAGES_LIMIT	"/sys/module/ttm/parameters/pages_limit"

/* Its exit status, or -1 if it does not end in a minute: then somebody waits for ever. */
static int end_of(pid_t pid)
{
	int i, status;

	for (i = 0; i < 6000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		sleep_ns(10 * MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void tick(int signal)
{
	(void)signal;
}

/* What a program with an interval timer gets that wants an eighth of VRAM. */
static pid_t create_with_ticks(void)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, TICK_US }, { 0, TICK_US } };
	pid_t pid = fork();
	uint32_t handle;
	int fd;

	if (pid)
		return pid;
	fd = gpu_open();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	_exit(-gpu_create(fd, gpu_stats(fd, 0).vram_bytes / 8, VRAM, &handle));
}

/* All of VRAM is busy for ever. Each signal makes the request begin again. */
void test_signals(int fd)
{
	uint64_t evictions = gpu_stats(fd, 0).evictions;
	bool async = gpu_copies_async(fd);
	struct full f;
	int i;

	if (!async && !gpu_stats(fd, 0).fence_lru) {
		skip("today's TTM never ends there");
		return;
	}
	if (!check(full_make(fd, &f)))
		return;
	check_is(gpu_fault(fd, f.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_use(fd, f.channel, f.handles[i], READ, VRAM, 0), 0);

	check_is(end_of(create_with_ticks()), async ? 0 : ENOMEM);
	check_is(gpu_stats(fd, 0).evictions - evictions, async ? 1 : 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(fd, f.handles[i], 0, 0), -EBUSY);

	check_is(gpu_fault(fd, f.channel, SWGPU_FAULT_RESUME), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(fd, f.handles[i], 0, 5 * SECOND), 0);
	full_check(&f);
}

/* A job wants all of VRAM, which another channel uses, and a page more. */
void test_over_committed(int fd)
{
	struct drm_swgpu_submit_bo bos[2] = {
		{ .flags = WRITE, .domains = VRAM },
		{ .flags = WRITE, .domains = VRAM },
	};
	struct drm_swgpu_stats before;
	uint32_t hung, channel;
	int ret;

	check_is(gpu_channel(fd, &hung), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, gpu_stats(fd, 0).vram_bytes, VRAM, &bos[0].handle), 0);
	check_is(gpu_create(fd, PAGE, GTT, &bos[1].handle), 0);
	check_is(gpu_wait(fd, bos[0].handle, 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, hung, bos[0].handle, WRITE, VRAM, 0), 0);

	before = gpu_stats(fd, 0);
	ret = gpu_submit(fd, channel, bos, 2, 0, NULL);
	check(ret == -ENOMEM || ret == -ENOSPC);
	/* A task that waits for a fence enables its signaling. */
	check_is(gpu_stats(fd, 0).signaling_enabled - before.signaling_enabled, 0);
	check_is(gpu_stats(fd, 0).evictions - before.evictions, 0);
	check_is(gpu_wait(fd, bos[0].handle, 0, 0), -EBUSY);
}

/* Have TTM swap out what it likes best. */
static void swap_out(void)
{
	int file = open("/sys/kernel/debug/ttm/tt_shrink", O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (!check(file >= 0))
		return;
	check(read(file, text, sizeof(text) - 1) > 0);
	close(file);
	check_is(strcmp(text, "0\n"), 0);
}

static bool read_limit(char *text, size_t size)
{
	FILE *file = fopen(PAGES_LIMIT, "r");
	bool good = file && fgets(text, size, file);

	if (file)
		fclose(file);
	return good;
}

/* More pages than TTM may have: it swaps out until there is nothing left to swap. */
static void exceed_limit(int fd)
{
	uint32_t handle;
	char limit[32];

	if (!check(read_limit(limit, sizeof(limit))) || !check(write_file(PAGES_LIMIT, "1")))
		return;
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	check(write_file(PAGES_LIMIT, limit));
}

/* An import's pages are not ours to swap out, and it is busy for ever. */
void test_swap_import(int fd)
{
	uint64_t enabled, other_enabled;
	int dma_buf, other = gpu_open_other();
	uint32_t channel, handle, import;

	if (!check(other >= 0))
		return;
	check_is(gpu_channel(other, &channel), 0);
	check_is(gpu_create(fd, 4 * PAGE, GTT, &handle), 0);
	dma_buf = gpu_export(fd, handle);
	if (!check(dma_buf >= 0))
		return;
	check_is(gpu_import(other, dma_buf, &import), 0);
	close(dma_buf);
	check_is(gpu_fault(other, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(other, channel, import, WRITE, GTT, 0), 0);

	enabled = gpu_stats(fd, 0).signaling_enabled;
	other_enabled = gpu_stats(other, 0).signaling_enabled;
	swap_out();
	exceed_limit(fd);
	check_is(gpu_stats(fd, 0).signaling_enabled, enabled);
	check_is(gpu_stats(other, 0).signaling_enabled, other_enabled);
	check_is(gpu_wait(other, import, 0, 0), -EBUSY);
	close(other);
}

/*
 * One of two jobs that want room at a time. First what it keeps, then what moves out of the
 * way as soon as it is idle, then what wants room.
 */
struct side {
	struct drm_swgpu_submit_bo bos[3];
};

static pid_t submit_side(int fd, uint32_t channel, struct side *side)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-gpu_submit(fd, channel, side->bos, 3, 0, NULL));
	return pid;
}

static bool make_sides(int fd, struct side *sides, uint32_t channel, uint64_t size)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct drm_swgpu_submit_bo *bos = sides[i].bos;

		bos[0] = (struct drm_swgpu_submit_bo){ .flags = WRITE, .domains = VRAM };
		bos[1] = (struct drm_swgpu_submit_bo){ .flags = WRITE, .domains = GTT };
		bos[2] = (struct drm_swgpu_submit_bo){ .flags = WRITE, .domains = VRAM };
		check_is(gpu_create(fd, size, VRAM, &bos[0].handle), 0);
		check_is(gpu_create(fd, PAGE, VRAM, &bos[1].handle), 0);
		check_is(gpu_create(fd, size, GTT, &bos[2].handle), 0);
		check_is(gpu_use(fd, channel, bos[0].handle, WRITE, VRAM, 0), 0);
		check_is(gpu_wait(fd, bos[0].handle, 0, 5 * SECOND), 0);
	}
	return !case_failed();
}

/*
 * The younger of the two has to let go of its locks; and where the kernel tests its locks,
 * the older one, at times.
 */
static void check_side(int error)
{
	if (error)
		check_is(error, ENOMEM);
}

/*
 * Two jobs: each keeps, with its lock, what is to make room for the other. The rest of VRAM is
 * in use for long.
 */
void test_each_other(int fd)
{
	uint64_t vram = gpu_stats(fd, 0).vram_bytes;
	uint32_t channels[3], busy;
	struct side sides[2];
	pid_t pids[2];
	int i;

	if (gpu_copies_async(fd) || !gpu_stats(fd, 0).fence_lru) {
		skip("not with the copy engine, and today's TTM waits for the long job");
		return;
	}
	for (i = 0; i < 3; i++)
		check_is(gpu_channel(fd, &channels[i]), 0);
	if (!make_sides(fd, sides, channels[0], vram / 8 * 3))
		return;
	check_is(gpu_create(fd, vram / 4 - 2 * PAGE, VRAM, &busy), 0);
	check_is(gpu_use(fd, channels[2], busy, WRITE, VRAM, 10 * SECOND), 0);
	for (i = 0; i < 2; i++)
		check_is(gpu_use(fd, channels[0], sides[i].bos[1].handle, WRITE, VRAM,
				 300 * MS), 0);
	for (i = 0; i < 2; i++)
		pids[i] = submit_side(fd, channels[i], &sides[i]);
	for (i = 0; i < 2; i++)
		check_side(end_of(pids[i]));
	check_is(gpu_wait(fd, busy, 0, 0), -EBUSY);
}

static void make_members(int fd, uint64_t size, uint32_t *handles)
{
	uint32_t vm, channel;
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_vm(fd, &vm), 0);
	for (i = 0; i < NR_MEMBERS; i++)
		check_is(gpu_create_private(fd, vm, size, VRAM, &handles[i]), 0);
	check_is(gpu_submit_vm(fd, channel, vm, WRITE, NULL, 0, 0), 0);
	check_is(gpu_wait(fd, handles[0], 0, 5 * SECOND), 0);
}

/* All members of a VM have one reservation object, in which the fences of the copies are. */
void test_evict_members(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0), s;
	uint64_t size = before.vram_bytes / NR_MEMBERS;
	uint32_t handles[NR_MEMBERS], more;
	int other = gpu_open();

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	make_members(fd, size, handles);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	before = gpu_stats(fd, 0);
	check_is(gpu_create(other, size, VRAM, &more), 0);
	check_is(gpu_create(other, 2 * size, VRAM, &more), 0);
	check_is(gpu_create(other, 3 * size, VRAM, &more), 0);

	s = gpu_stats(fd, 0);
	check_is(s.evictions - before.evictions, 6);
	check_is(s.copies - before.copies, 0);
	check_is(s.signaling_enabled - before.signaling_enabled, 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, handles[0], 0, 5 * SECOND), 0);
	close(other);
}
