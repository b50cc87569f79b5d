// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers as memory: mapping, eviction, running out. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "gpu.h"

/* One word in each page; the GPU's tags are elsewhere. */
static void fill(uint64_t *map, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size / PAGE; i++)
		map[i * PAGE / 8 + i % 500] = seed + i;
}

static bool holds(uint64_t *map, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size / PAGE; i++) {
		if (map[i * PAGE / 8 + i % 500] != seed + i)
			return false;
	}
	return true;
}

static bool is_zero(const unsigned char *map, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size - SWGPU_TAG_BYTES; i++) {
		bool tag = i >= PAGE - SWGPU_TAG_BYTES && i < PAGE;

		if (!tag && map[i])
			return false;
	}
	return true;
}

static void map_in(int fd, uint32_t domains)
{
	uint64_t size = 5 * PAGE;
	uint32_t handle;
	void *map;

	if (!check_is(gpu_create(fd, size - 100, domains, &handle), 0))
		return;
	map = gpu_map(fd, handle, size);
	if (check(map)) {
		check(is_zero(map, size));
		fill(map, size, 42);
		check(holds(map, size, 42));
		munmap(map, size);
	}
	map = gpu_map(fd, handle, size);
	if (check(map)) {
		check(holds(map, size, 42));
		munmap(map, size);
	}
	check_is(gpu_close(fd, handle), 0);
}

void test_map(int fd)
{
	int round;

	for (round = 0; round < 3; round++) {
		map_in(fd, VRAM);
		map_in(fd, GTT);
		map_in(fd, VRAM | GTT);
	}
}

void test_map_outlives_handle(int fd)
{
	uint32_t handle, channel;
	uint64_t *map;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 2 * PAGE, VRAM, &handle), 0);
	map = gpu_map(fd, handle, 2 * PAGE);
	if (!check(map))
		return;
	fill(map, 2 * PAGE, 7);
	check_is(gpu_use(fd, channel, handle, WRITE, VRAM, 20 * MS), 0);
	check_is(gpu_close(fd, handle), 0);
	check(holds(map, 2 * PAGE, 7));
	munmap(map, 2 * PAGE);
}

struct buffer {
	uint32_t handle;
	uint64_t *map;
};

static bool make_filled(int fd, struct buffer *b, int nr, uint64_t size)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!check_is(gpu_create(fd, size, VRAM, &b[i].handle), 0))
			return false;
		b[i].map = gpu_map(fd, b[i].handle, size);
		if (!check(b[i].map))
			return false;
		fill(b[i].map, size, (uint64_t)i << 32);
	}
	return true;
}

/* Three times as much as fits, each brought back by a job, twice around. */
void test_eviction(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0), after;
	uint64_t size = before.vram_bytes / 8 - PAGE;
	struct buffer b[24];
	uint32_t channel;
	int i;

	check_is(gpu_channel(fd, &channel), 0);
	if (!make_filled(fd, b, 24, size))
		return;
	for (i = 0; i < 48; i++) {
		struct buffer *this = &b[i % 24];

		check_is(gpu_use(fd, channel, this->handle, i % 3 ? WRITE : READ, VRAM, MS), 0);
		check(holds(this->map, size, (uint64_t)(i % 24) << 32));
	}
	after = gpu_stats(fd, 0);
	check(after.evictions - before.evictions >= 48);
	check((after.evicted_bytes - before.evicted_bytes) % size == 0);
	for (i = 0; i < 24; i++) {
		check_is(gpu_wait(fd, b[i].handle, 0, 5 * SECOND), 0);
		check(holds(b[i].map, size, (uint64_t)i << 32));
		munmap(b[i].map, size);
		check_is(gpu_close(fd, b[i].handle), 0);
	}
}

/* Two halves and a bit, all of them in VRAM at once; then without the bit */
void test_too_much(int fd)
{
	uint64_t half = gpu_stats(fd, 0).vram_bytes / 2;
	uint64_t sizes[3] = { half, half, PAGE };
	struct drm_swgpu_submit_bo bos[3];
	uint32_t channel;
	int i, ret;

	check_is(gpu_channel(fd, &channel), 0);
	for (i = 0; i < 3; i++) {
		bos[i] = (struct drm_swgpu_submit_bo) { .flags = WRITE, .domains = VRAM };
		check_is(gpu_create(fd, sizes[i], VRAM | GTT, &bos[i].handle), 0);
	}
	ret = gpu_submit(fd, channel, bos, 3, MS, NULL);
	check(ret == -ENOMEM || ret == -ENOSPC);
	for (i = 0; i < 3; i++)
		check_is(gpu_wait(fd, bos[i].handle, 0, gpu_copies_async(fd) ? 5 * SECOND : 0), 0);
	check_is(gpu_submit(fd, channel, bos, 2, MS, NULL), 0);
	bos[2].domains = GTT;
	check_is(gpu_submit(fd, channel, bos, 3, MS, NULL), 0);
}

/* Nobody drains: an allocation that needs the memory must find it. */
void test_pressure(int fd)
{
	uint64_t size = gpu_stats(fd, 0).vram_bytes / 16;
	uint32_t channels[2], handle;
	int i;

	check_is(gpu_channel(fd, &channels[0]), 0);
	check_is(gpu_channel(fd, &channels[1]), 0);
	for (i = 0; i < 200; i++) {
		if (!check_is(gpu_create(fd, size, VRAM, &handle), 0))
			break;
		check_is(gpu_use(fd, channels[i % 2], handle, WRITE, VRAM, MS), 0);
		if (i % 5 == 0)
			check_is(gpu_use(fd, channels[(i + 1) % 2], handle, READ, VRAM, MS), 0);
		check_is(gpu_close(fd, handle), 0);
	}
}
