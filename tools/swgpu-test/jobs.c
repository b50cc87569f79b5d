// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs: channels together, waiting, order, what is counted. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

#define NR_SHARED	40
#define NR_CHANNELS	4
#define NR_JOBS		600

static void random_job(int fd, uint32_t channel, const uint32_t *handles)
{
	struct drm_swgpu_submit_bo bos[8];
	int i, nr = 1 + rand() % 8, first = rand() % NR_SHARED;

	for (i = 0; i < nr; i++)
		bos[i] = (struct drm_swgpu_submit_bo) {
			.handle = handles[(first + i * 5) % NR_SHARED],
			.flags = 1 + rand() % 3,
			.domains = 1 + rand() % 3,
		};
	check_is(gpu_submit(fd, channel, bos, nr, rand() % (200 * 1000), NULL), 0);
}

void test_shared(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0);
	uint64_t size = before.vram_bytes / 60 / PAGE * PAGE;
	uint32_t channels[NR_CHANNELS], handles[NR_SHARED];
	int i;

	srand(1);
	for (i = 0; i < NR_CHANNELS; i++)
		check_is(gpu_channel(fd, &channels[i]), 0);
	for (i = 0; i < NR_SHARED; i++)
		check_is(gpu_create(fd, size, VRAM | GTT, &handles[i]), 0);
	for (i = 0; i < NR_JOBS; i++)
		random_job(fd, channels[rand() % NR_CHANNELS], handles);
	for (i = 0; i < NR_SHARED; i++)
		check_is(gpu_wait(fd, handles[i], 0, 10 * SECOND), 0);
	check_is(gpu_stats(fd, 0).jobs - before.jobs, NR_JOBS);
}

void test_wait(int fd)
{
	uint32_t channel, handle;
	uint64_t start;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	check_is(gpu_wait(fd, handle, 0, 0), 0);

	start = now();
	check_is(gpu_use(fd, channel, handle, READ, GTT, 300 * MS), 0);
	check_is(gpu_wait(fd, handle, 0, 0), -EBUSY);
	check_is(gpu_wait(fd, handle, SWGPU_WAIT_WRITERS, 0), 0);
	check_is(gpu_wait(fd, handle, 0, 30 * MS), -EBUSY);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check(now() - start >= 300 * MS);
	check_is(gpu_wait(fd, handle, 0, 0), 0);

	check_is(gpu_use(fd, channel, handle, WRITE, GTT, 50 * MS), 0);
	check_is(gpu_wait(fd, handle, SWGPU_WAIT_WRITERS, 0), -EBUSY);
	check_is(gpu_wait(fd, handle, SWGPU_WAIT_WRITERS, ~0ULL), 0);
}

/* Readers run side by side, a writer after them all. */
void test_order(int fd)
{
	struct drm_swgpu_submit_bo bos[2] = {
		{ .flags = READ, .domains = VRAM },
		{ .flags = WRITE, .domains = VRAM },
	};
	uint32_t channels[3], handle;
	uint64_t jobs;
	int i;

	check_is(gpu_create(fd, 3 * PAGE, VRAM, &handle), 0);
	check_is(gpu_create(fd, PAGE, VRAM, &bos[1].handle), 0);
	bos[0].handle = handle;
	for (i = 0; i < 3; i++)
		check_is(gpu_channel(fd, &channels[i]), 0);
	jobs = gpu_stats(fd, 0).jobs;
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channels[0], handle, READ, VRAM, 0), 0);
	check_is(gpu_submit(fd, channels[1], bos, 2, 0, NULL), 0);
	check_is(gpu_use(fd, channels[2], handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, bos[1].handle, 0, 60 * SECOND), 0);
	check_is(gpu_wait(fd, handle, SWGPU_WAIT_WRITERS, 100 * MS), -EBUSY);
	check_is(gpu_stats(fd, 0).jobs - jobs, 1);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, handle, 0, 60 * SECOND), 0);
	check_is(gpu_stats(fd, 0).jobs - jobs, 3);
}

void test_channel_limit(int fd)
{
	uint32_t channel;
	int i;

	for (i = 0; i < 256; i++) {
		if (!check_is(gpu_channel(fd, &channel), 0))
			return;
	}
	check_is(gpu_channel(fd, &channel), -ENOSPC);
	check_is(gpu_channel_destroy(fd, 100), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(channel, 100);
}

#define NR_FILE_CHANNELS	256
#define NR_DEVICE_CHANNELS	1024
#define NR_COPY_CHANNELS	2

/* The channels of four files are all that there are, those of others included. */
void test_device_channel_limit(int fd)
{
	int i, nr = 0, files[NR_DEVICE_CHANNELS / NR_FILE_CHANNELS];
	uint32_t channel;

	for (i = 0; i < (int)ARRAY_SIZE(files); i++) {
		files[i] = gpu_open();
		while (!gpu_channel(files[i], &channel))
			nr++;
	}
	check_is(nr, NR_DEVICE_CHANNELS - (gpu_copies_async(fd) ? NR_COPY_CHANNELS : 0));
	check_is(gpu_channel(fd, &channel), -ENOSPC);
	close(files[0]);
	check_is(gpu_channel(fd, &channel), 0);
	for (i = 1; i < (int)ARRAY_SIZE(files); i++)
		close(files[i]);
}

static int fill_queue(int fd, uint32_t channel)
{
	int i, ret = 0;

	for (i = 0; !ret && i < SWGPU_MAX_QUEUED_JOBS; i++)
		ret = gpu_submit(fd, channel, NULL, 0, 0, NULL);
	return ret;
}

/* Like libdrm, gpu_submit() would try again and again. */
static int submit_nonblocking(int fd, uint32_t channel)
{
	struct drm_swgpu_submit args = { .channel = channel };
	int ret;

	check_is(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ret = ioctl(fd, DRM_IOCTL_SWGPU_SUBMIT, &args) ? -errno : 0;
	check_is(fcntl(fd, F_SETFL, 0), 0);
	return ret;
}

/* A job more than a hung channel takes. */
static pid_t submit_one_more(int fd, uint32_t channel)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-gpu_submit(fd, channel, NULL, 0, 0, NULL));
	sleep_ns(500 * MS);
	check_is(waitpid(pid, NULL, WNOHANG), 0);
	return pid;
}

static void check_exit(pid_t pid, int error)
{
	int status;

	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status));
	check_is(WEXITSTATUS(status), error);
}

/* A client that submits more waits: for a place, for the end of the channel, or for a signal. */
void test_full_queue(int fd)
{
	uint32_t channel;
	pid_t pid;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(fill_queue(fd, channel), 0);
	check_is(submit_nonblocking(fd, channel), -EAGAIN);

	pid = submit_one_more(fd, channel);
	kill(pid, SIGKILL);
	check(waitpid(pid, NULL, 0) == pid);

	pid = submit_one_more(fd, channel);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check_exit(pid, 0);

	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	while (!submit_nonblocking(fd, channel))
		;
	pid = submit_one_more(fd, channel);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_KILL), 0);
	check_exit(pid, ENODEV);
}

void test_stats(int fd)
{
	struct drm_swgpu_stats s = gpu_stats(fd, SWGPU_STATS_RESET);
	uint32_t channel, handles[10];
	uint64_t freed = 0;
	int i;

	check(s.alloc_p50_ns <= s.alloc_p99_ns && s.alloc_p99_ns <= s.alloc_max_ns);
	check(s.buffers_created > 0 && s.allocs >= s.buffers_created);
	check(s.signaling_enabled >= s.signaling_enabled_by_delete);

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 10; i++) {
		check_is(gpu_create(fd, 4 * PAGE, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, channel, handles[i], WRITE, VRAM, 10 * MS), 0);
	}
	s = gpu_stats(fd, 0);
	check_is(s.buffers_created, 10);
	check_is(s.allocs, 10);
	check_is(s.deferred_deletes, 0);
	check_is(s.buffers, 10);
	check_is(s.vram_used_bytes, 40 * PAGE);

	for (i = 0; i < 10; i++)
		check_is(gpu_close(fd, handles[i]), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
	s = gpu_stats(fd, SWGPU_STATS_RESET);
	check_is(s.deferred_deletes, 10);
	check_is(s.peak_zombie_bytes, 40 * PAGE);
	check_is(s.zombie_bytes, 0);
	check_is(s.vram_zombie_bytes, 0);
	check_is(s.jobs, 10);
	for (i = 0; i < SWGPU_FREED_AT_COUNT; i++)
		freed += s.freed_bytes_at[i];
	/* A TTM without our counters says nothing at all. */
	check(freed == 0 || freed == 40 * PAGE);
	if (s.fence_lru)
		check_is(s.signaling_enabled_by_delete, 0);
	else
		check(s.signaling_enabled_by_delete > 0);

	s = gpu_stats(fd, 0);
	check_is(s.jobs + s.buffers_created + s.allocs + s.peak_zombie_bytes, 0);
}
