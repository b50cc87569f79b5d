// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What waits while the memory of a large buffer is cleared (init_on_free=1). */

#include <stdio.h>
#include <time.h>

#include "gpu.h"

#define SIZE		(256UL << 20)

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void print_ms(const char *what, uint64_t start)
{
	printf("# %s: %.1f ms\n", what, (double)(now() - start) / MS);
}

static uint64_t create_and_use(int fd, uint32_t channel, uint32_t *handle)
{
	check_is(gpu_create(fd, SIZE, GTT, handle), 0);
	check_is(gpu_use(fd, channel, *handle, WRITE, GTT, 0), 0);
	return now();
}

/* GTT has no room for two of them. */
void test_clear(int fd)
{
	uint32_t channel, handle;
	uint64_t start;

	check_is(gpu_channel(fd, &channel), 0);

	create_and_use(fd, channel, &handle);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	gpu_stats(fd, SWGPU_STATS_RESET);
	start = now();
	check_is(gpu_close(fd, handle), 0);
	print_ms("closing it idle", start);
	check_is(gpu_stats(fd, 0).freed_bytes_at[SWGPU_FREED_AT_RELEASE], 0);

	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	start = create_and_use(fd, channel, &handle);
	check_is(gpu_close(fd, handle), 0);
	print_ms("closing it busy", start);

	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	sleep_ns(SECOND);
	start = now();
	check_is(gpu_create(fd, SIZE, GTT, &handle), 0);
	print_ms("making the next one", start);
	check_is(gpu_close(fd, handle), 0);
	check(gpu_drain_to(fd, 0));
}
