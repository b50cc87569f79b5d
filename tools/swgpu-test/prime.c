// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers that two devices share. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

/* A buffer of @fd that is imported on @other. */
struct shared {
	int fd, other;
	uint32_t handle, import;
	uint32_t channel, other_channel;
};

static bool share(struct shared *s, int fd, uint64_t size, uint32_t domains)
{
	int dma_buf;

	s->fd = fd;
	s->other = gpu_open_other();
	if (!check(s->other >= 0))
		return false;
	check_is(gpu_channel(s->fd, &s->channel), 0);
	check_is(gpu_channel(s->other, &s->other_channel), 0);
	check_is(gpu_create(fd, size, domains, &s->handle), 0);
	dma_buf = gpu_export(fd, s->handle);
	if (!check(dma_buf >= 0))
		return false;
	check_is(gpu_import(s->other, dma_buf, &s->import), 0);
	close(dma_buf);
	return true;
}

static void unshare(struct shared *s)
{
	close(s->other);
}

void test_prime_self(int fd)
{
	uint32_t handle, again;
	int second = gpu_open(), dma_buf;

	check_is(gpu_create(fd, 3 * PAGE, VRAM, &handle), 0);
	/* Cleared, so that it dies idle. */
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	dma_buf = gpu_export(fd, handle);
	if (!check(dma_buf >= 0))
		return;
	check_is(gpu_import(fd, dma_buf, &again), 0);
	check_is(again, handle);

	/* No import is made of what is the device's own. */
	check_is(gpu_import(second, dma_buf, &again), 0);
	check_is(gpu_stats(fd, 0).buffers, 1);
	check_is(gpu_stats(fd, 0).gtt_used_bytes, 0);
	close(dma_buf);
	check_is(gpu_close(fd, handle), 0);
	check_is(gpu_stats(second, 0).buffers, 1);
	check_is(gpu_close(second, again), 0);
	check(gpu_buffers_fall_to(second, 0));
	close(second);
}

/* Each device's jobs find what the other's have written. */
void test_prime_jobs(int fd)
{
	uint64_t *map, jobs = gpu_stats(fd, 0).jobs;
	struct shared s;
	int i;

	if (!share(&s, fd, 5 * PAGE, VRAM))
		return;
	/* In VRAM it could not be reached by the other device. A copy leaves a ghost. */
	check_is(gpu_wait(fd, s.handle, 0, 5 * SECOND), 0);
	for (i = 0; i < 500 && gpu_stats(fd, 0).vram_used_bytes; i++) {
		check_is(gpu_drain(fd), 0);
		sleep_ns(10 * MS);
	}
	check_is(gpu_stats(fd, 0).vram_used_bytes, 0);
	check_is(gpu_stats(fd, 0).gtt_used_bytes, 5 * PAGE);
	check_is(gpu_stats(s.other, 0).gtt_used_bytes, 5 * PAGE);

	map = gpu_map(fd, s.handle, 5 * PAGE);
	if (check(map))
		map[600] = 4711;
	check_is(gpu_fault(fd, s.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 10; i++) {
		check_is(gpu_use(fd, s.channel, s.handle, i % 2 ? READ : WRITE, VRAM, 3 * MS), 0);
		check_is(gpu_use(s.other, s.other_channel, s.import, WRITE, GTT, 3 * MS), 0);
	}
	check_is(gpu_wait(s.other, s.import, 0, 50 * MS), -EBUSY);
	check_is(gpu_fault(fd, s.channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, s.handle, 0, 5 * SECOND), 0);
	check_is(gpu_wait(s.other, s.import, 0, 0), 0);
	check_is(gpu_stats(fd, 0).jobs - jobs, 10);
	if (map) {
		check_is(map[600], 4711);
		munmap(map, 5 * PAGE);
	}
	map = gpu_map(s.other, s.import, 5 * PAGE);
	if (check(map)) {
		check_is(map[600], 4711);
		munmap(map, 5 * PAGE);
	}
	unshare(&s);
}

void test_prime_bad(int fd)
{
	struct shared s;
	uint32_t handle;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	check_is(gpu_import(fd, -1, &handle), -EBADF);
	check_is(gpu_import(fd, null, &handle), -EINVAL);
	check_is(gpu_export(fd, 4711), -ENOENT);
	close(null);

	if (!share(&s, fd, PAGE, GTT))
		return;
	check_is(gpu_use(s.other, s.other_channel, s.import, WRITE, VRAM, 0), -EINVAL);
	check_is(gpu_wait(s.other, s.import, 0, 0), 0);
	check_is(gpu_use(s.other, s.other_channel, s.import, WRITE, VRAM | GTT, 0), 0);
	unshare(&s);
}

static uint64_t module_count(void)
{
	FILE *file = fopen("/sys/module/swgpu/refcnt", "r");
	unsigned long count = 0;

	if (file) {
		if (fscanf(file, "%lu", &count) != 1)
			count = ~0UL;
		fclose(file);
	}
	return count;
}

/* One import after the other on a device that has nothing else to do. */
void test_prime_compositor(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0), s;
	int other = gpu_open_other(), i, dma_buf;
	uint64_t count = module_count();
	/* The ghost of an asynchronous copy stays until somebody wants VRAM. */
	uint32_t handle, import, odd = gpu_copies_async(fd) ? GTT : VRAM;

	if (!check(other >= 0))
		return;
	for (i = 0; i < 1000; i++) {
		if (!check_is(gpu_create(fd, 4 * PAGE, i % 2 ? odd : GTT, &handle), 0))
			break;
		dma_buf = gpu_export(fd, handle);
		check_is(gpu_import(other, dma_buf, &import), 0);
		close(dma_buf);
		check_is(gpu_close(fd, handle), 0);
		check_is(gpu_close(other, import), 0);
		/* Today's workers take their time; the fence-ordered LRU's may be at it. */
		if (before.fence_lru && !check(gpu_buffers_fall_to(fd, before.buffers)))
			break;
	}
	/* Nobody asked for memory, nor for a drain. */
	check(gpu_buffers_fall_to(other, 0));
	check(gpu_buffers_fall_to(fd, before.buffers));
	s = gpu_stats(fd, 0);
	check_is(s.gtt_used_bytes, before.gtt_used_bytes);
	check_is(s.vram_used_bytes, before.vram_used_bytes);
	check_is(gpu_stats(other, 0).gtt_used_bytes, 0);
	check_is(module_count(), count);
	close(other);
}

/*
 * Imports that die busy: nothing of the exporter goes before the jobs have ended,
 * and all of it with the next requests, of whatever kind.
 */
static void die_busy(int fd, bool hang)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0);
	struct shared s[8];
	int i, nr = ARRAY_SIZE(s);

	for (i = 0; i < nr; i++) {
		if (!share(&s[i], fd, 4 * PAGE, GTT))
			return;
		check_is(gpu_fault(s[i].other, s[i].other_channel, SWGPU_FAULT_HANG_FOREVER), 0);
		check_is(gpu_use(s[i].other, s[i].other_channel, s[i].import, WRITE, GTT, 20 * MS), 0);
		check_is(gpu_close(s[i].other, s[i].import), 0);
		check_is(gpu_close(fd, s[i].handle), 0);
	}
	check_is(gpu_stats(fd, 0).buffers, before.buffers + nr);
	check_is(gpu_stats(fd, 0).gtt_used_bytes, before.gtt_used_bytes + nr * 4 * PAGE);
	if (hang)
		sleep_ns(300 * MS);
	check_is(gpu_stats(s[0].other, 0).buffers, nr);
	for (i = 0; i < nr; i++)
		check_is(gpu_fault(s[i].other, s[i].other_channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_buffers_fall_to(s[0].other, 0));
	check(gpu_buffers_fall_to(fd, before.buffers));
	check_is(gpu_stats(fd, 0).gtt_used_bytes, before.gtt_used_bytes);
	for (i = 0; i < nr; i++)
		unshare(&s[i]);
}

void test_prime_die_busy(int fd)
{
	die_busy(fd, false);
}

void test_prime_die_hung(int fd)
{
	die_busy(fd, true);
}

/* The import dies when its own jobs have ended, and the exporter hangs. */
void test_prime_exporter_busy(int fd)
{
	struct shared s;

	if (!share(&s, fd, 4 * PAGE, GTT))
		return;
	check_is(gpu_use(s.other, s.other_channel, s.import, READ, GTT, 10 * MS), 0);
	check_is(gpu_fault(fd, s.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, s.channel, s.handle, WRITE, GTT, MS), 0);
	check_is(gpu_close(s.other, s.import), 0);
	check_is(gpu_close(fd, s.handle), 0);
	check_is(gpu_stats(fd, 0).buffers, 1);
	check_is(gpu_fault(fd, s.channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_buffers_fall_to(s.other, 0));
	check(gpu_drain_to(fd, 0));
	check(gpu_buffers_fall_to(fd, 0));
	unshare(&s);
}

/* Files and the last reference go at any time, with work on both sides. */
void test_prime_exit(int fd)
{
	struct shared s[4];
	int i;

	for (i = 0; i < 4; i++) {
		if (!share(&s[i], i & 1 ? gpu_open() : fd, 16 * PAGE, VRAM))
			return;
		check_is(gpu_use(s[i].fd, s[i].channel, s[i].handle, WRITE, GTT, 50 * MS), 0);
		check_is(gpu_use(s[i].other, s[i].other_channel, s[i].import, WRITE, GTT, 50 * MS), 0);
		check_is(gpu_use(s[i].fd, s[i].channel, s[i].handle, WRITE, GTT, 50 * MS), 0);
	}
	for (i = 0; i < 4; i++) {
		if (i & 2)
			close(s[i].other);
		if (i & 1)
			close(s[i].fd);
		if (!(i & 2))
			close(s[i].other);
	}
}
