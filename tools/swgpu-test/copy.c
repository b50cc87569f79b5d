// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The copy engine: what is evicted leaves its memory before it was copied. */

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "gpu.h"

static bool fill_vram(int fd, struct full *f)
{
	return full_make(fd, f) && gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER) == 0;
}

/* The new owner's job must wait for the copy, but nobody else does. */
void test_pipelined(int fd)
{
	struct drm_swgpu_stats s, before = gpu_stats(fd, 0);
	uint32_t handle;
	struct full f;
	int i, busy = 0;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!check(fill_vram(fd, &f)))
		return;
	check_is(gpu_create(fd, f.size, VRAM, &handle), 0);
	s = gpu_stats(fd, 0);
	check_is(s.evictions - before.evictions, 1);
	for (i = 0; i < NR_QUARTERS; i++)
		busy += gpu_wait(fd, f.handles[i], 0, 0) == -EBUSY;
	check_is(busy, 1);
	check_is(gpu_use(fd, f.channel, handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, handle, 0, 100 * MS), -EBUSY);
	check_is(gpu_stats(fd, 0).jobs, s.jobs);

	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_use(fd, f.channel, f.handles[i], READ, VRAM | GTT, 0), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(fd, f.handles[i], 0, 5 * SECOND), 0);
	full_check(&f);
	check(gpu_stats(fd, 0).copies > before.copies);
}

/* All of VRAM changes hands while nothing is copied; then all goes. */
void test_pipelined_death(int fd)
{
	uint32_t handles[NR_QUARTERS];
	struct full f;
	int i;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!check(fill_vram(fd, &f)))
		return;
	full_unmap(&f);
	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(gpu_create(fd, f.size, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, f.channel, handles[i], WRITE, VRAM, 0), 0);
	}
	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(gpu_close(fd, f.handles[i]), 0);
		check_is(gpu_close(fd, handles[i]), 0);
	}
	check_is(gpu_drain(fd), 0);
	check_is(gpu_stats(fd, 0).zombies, 2 * NR_QUARTERS);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
}

/* Nobody uses its memory once it is copied, though somebody keeps the place that it left. */
void test_moving_death(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0), s;
	uint64_t size = before.vram_bytes / NR_QUARTERS;
	uint32_t channel, handles[2];
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, size, GTT, &handles[i]), 0);
		check_is(gpu_use(fd, channel, handles[i], WRITE, VRAM, 0), 0);
	}
	check_is(gpu_close(fd, handles[0]), 0);
	check_is(gpu_wait(fd, handles[1], 0, 5 * SECOND), 0);
	if (!before.fence_lru)
		check(gpu_buffers_fall_to(fd, before.buffers + 1));
	s = gpu_stats(fd, 0);
	check_is(s.vram_used_bytes, before.vram_used_bytes + size);
}

/* When the file that hung the engine last is closed, it goes on. */
void test_copy_hung_twice(int fd)
{
	uint32_t channel, handle;
	int i, files[2];

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, VRAM, &handle), 0);
	for (i = 0; i < 2; i++) {
		files[i] = gpu_open();
		check_is(gpu_fault(files[i], 0, SWGPU_FAULT_HANG), 0);
	}
	check_is(gpu_use(fd, channel, handle, READ, GTT, 0), 0);
	close(files[0]);
	check_is(gpu_wait(fd, handle, 0, 50 * MS), -EBUSY);
	close(files[1]);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
}

struct racer {
	int fd;
	pthread_barrier_t start;
};

static void *hang(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(&r->start);
	gpu_fault(r->fd, 0, SWGPU_FAULT_HANG);
	return NULL;
}

/* One thread hangs the engine while another lets it go on, with the same file. */
static bool race_hang(void)
{
	struct racer r = { .fd = gpu_open() };
	pthread_t thread;

	pthread_barrier_init(&r.start, NULL, 2);
	if (!check(!pthread_create(&thread, NULL, hang, &r)))
		return false;
	pthread_barrier_wait(&r.start);
	gpu_fault(r.fd, 0, SWGPU_FAULT_RESUME);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&r.start);
	close(r.fd);
	return true;
}

/* Whichever comes last, nothing hangs when the file is closed. */
void test_copy_hang_race(int fd)
{
	uint32_t channel, handle;
	int i;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	for (i = 0; i < 300 && !case_failed() && race_hang(); i++) {
		check_is(gpu_use(fd, channel, handle, READ, VRAM, 0), 0);
		check_is(gpu_use(fd, channel, handle, READ, GTT, 0), 0);
		check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	}
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
}

/* The driver was loaded with broken=2. */
void test_broken_copies(int fd)
{
	uint32_t handle;
	struct full f;
	int i;

	if (!check(fill_vram(fd, &f)))
		return;
	check_is(gpu_stats(fd, 0).tag_errors, 0);
	check_is(gpu_create(fd, f.size, VRAM, &handle), 0);
	/* The memory is cleared for its new owner, and then copied. */
	sleep_ns(SECOND);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	for (i = 0; i < 500 && !gpu_stats(fd, 0).tag_errors; i++)
		sleep_ns(10 * MS);
	check(gpu_stats(fd, 0).tag_errors > 0);
}
