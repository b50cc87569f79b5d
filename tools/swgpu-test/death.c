// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers, channels and processes that go while there is work in flight. */

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_MANY		12000

void test_free_busy(int fd)
{
	struct drm_swgpu_stats s, before = gpu_stats(fd, 0);
	uint32_t channel, handle;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 8 * PAGE, VRAM, &handle), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, VRAM, 300 * MS), 0);
	check_is(gpu_close(fd, handle), 0);

	s = gpu_stats(fd, 0);
	check_is(s.zombies, 1);
	check_is(s.zombie_bytes, 8 * PAGE);
	check_is(s.vram_zombie_bytes, 8 * PAGE);
	check_is(s.vram_used_bytes - before.vram_used_bytes, 8 * PAGE);
	check(gpu_drain_to(fd, 0));
	check_is(gpu_stats(fd, 0).vram_used_bytes, before.vram_used_bytes);
}

void test_hang(int fd)
{
	uint32_t channel, handles[2];
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, 2 * PAGE, i ? VRAM : GTT, &handles[i]), 0);
		check_is(gpu_use(fd, channel, handles[i], WRITE, i ? VRAM : GTT, MS), 0);
	}
	check_is(gpu_wait(fd, handles[0], 0, 50 * MS), -EBUSY);
	check_is(gpu_close(fd, handles[0]), 0);
	check_is(gpu_drain(fd), 0);
	check_is(gpu_stats(fd, 0).zombies, 1);

	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, handles[1], 0, 5 * SECOND), 0);
	check(gpu_drain_to(fd, 0));
}

/*
 * More than a workqueue runs at once. Today's mode is stuck then, which is not
 * this driver's fault: what is asked of it is that resuming gets it going.
 */
void test_many_stuck(int fd)
{
	uint32_t channels[2], handle;
	int i;

	check_is(gpu_channel(fd, &channels[0]), 0);
	check_is(gpu_channel(fd, &channels[1]), 0);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 40; i++) {
		check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
		check_is(gpu_use(fd, channels[i >= 20], handle, WRITE, GTT, MS), 0);
		check_is(gpu_close(fd, handle), 0);
	}
	sleep_ns(100 * MS);
	check_is(gpu_drain(fd), 0);
	if (gpu_stats(fd, 0).fence_lru)
		check_is(gpu_stats(fd, 0).zombies, 20);
	else
		check(gpu_stats(fd, 0).zombies >= 20);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
}

/* A job with some buffers that are closed at once. */
static int use_and_close(int fd, uint32_t channel, int nr)
{
	struct drm_swgpu_submit_bo bos[nr];
	int i, ret = 0;

	for (i = 0; !ret && i < nr; i++) {
		bos[i] = (struct drm_swgpu_submit_bo){ .flags = WRITE, .domains = GTT };
		ret = gpu_create(fd, PAGE, GTT, &bos[i].handle);
	}
	ret = ret ?: gpu_submit(fd, channel, bos, nr, 0, NULL);
	for (i = 0; !ret && i < nr; i++)
		ret = gpu_close(fd, bos[i].handle);
	return ret;
}

/* As many as a browser has thumbnails. A channel has places for a third as many jobs. */
void test_many_die_hung(int fd)
{
	uint32_t channel;
	int i, ret = 0;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; !ret && i < NR_MANY; i += 8)
		ret = use_and_close(fd, channel, 8);
	check_is(ret, 0);
	check_is(gpu_stats(fd, 0).zombies, NR_MANY);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
}

void test_kill(int fd)
{
	uint64_t used = gpu_stats(fd, 0).vram_used_bytes;
	uint32_t channel, handles[5];
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	for (i = 0; i < 5; i++) {
		check_is(gpu_create(fd, 3 * PAGE, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, channel, handles[i], WRITE, VRAM, 10 * SECOND), 0);
	}
	check_is(gpu_close(fd, handles[0]), 0);
	check_is(gpu_wait(fd, handles[4], 0, 20 * MS), -EBUSY);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_KILL), 0);
	for (i = 1; i < 5; i++) {
		check_is(gpu_wait(fd, handles[i], 0, 0), 0);
		check_is(gpu_use(fd, channel, handles[i], READ, VRAM, 0), -ENODEV);
		check_is(gpu_close(fd, handles[i]), 0);
	}
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_KILL), -ENODEV);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), -ENODEV);
	check(gpu_drain_to(fd, 0));
	check_is(gpu_stats(fd, 0).vram_used_bytes, used);
	check_is(gpu_channel_destroy(fd, channel), 0);
}

/* The second job finds what was there before the first, which never ran. */
void test_kill_dependency(int fd)
{
	uint32_t channels[2], handle;

	check_is(gpu_channel(fd, &channels[0]), 0);
	check_is(gpu_channel(fd, &channels[1]), 0);
	check_is(gpu_create(fd, 3 * PAGE, VRAM, &handle), 0);
	check_is(gpu_use(fd, channels[1], handle, WRITE, VRAM, MS), 0);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channels[0], handle, WRITE, VRAM, MS), 0);
	check_is(gpu_use(fd, channels[1], handle, WRITE, VRAM, MS), 0);
	check_is(gpu_wait(fd, handle, 0, 50 * MS), -EBUSY);
	check_is(gpu_channel_destroy(fd, channels[0]), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check_is(gpu_use(fd, channels[1], handle, READ, VRAM, MS), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
}

static int busy_child(void)
{
	uint32_t channels[2], handle;
	int i, fd = gpu_open();

	if (fd < 0 || gpu_channel(fd, &channels[0]) || gpu_channel(fd, &channels[1]))
		return 1;
	if (gpu_fault(fd, channels[1], SWGPU_FAULT_HANG_FOREVER))
		return 2;
	for (i = 0; i < 20; i++) {
		if (gpu_create(fd, 16 * PAGE, i & 2 ? VRAM : GTT, &handle) ||
		    gpu_use(fd, channels[i & 1], handle, WRITE, VRAM | GTT, SECOND))
			return 3;
	}
	return 0;
}

void test_exit(int fd)
{
	uint64_t buffers = gpu_stats(fd, 0).buffers;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(busy_child());
	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status));
	check_is(WEXITSTATUS(status), 0);
	check(gpu_drain_to(fd, 0));
	check_is(gpu_stats(fd, 0).buffers, buffers);
}

void test_broken(int fd)
{
	uint32_t channel, handle;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 3 * PAGE, VRAM, &handle), 0);
	check_is(gpu_use(fd, channel, handle, READ, VRAM, 50 * MS), 0);
	check_is(gpu_close(fd, handle), 0);
	check_is(gpu_stats(fd, 0).tag_errors, 0);
	sleep_ns(200 * MS);
	check_is(gpu_stats(fd, 0).tag_errors, 1);
	check_is(gpu_stats(fd, 0).jobs, 1);
}
