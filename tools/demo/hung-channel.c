// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * hung-channel: what becomes of dead buffers while one channel hangs.
 *
 * Buffers are freed while a channel that hangs still uses them, then many more
 * while healthy channels use those. The healthy channels finish. Does the
 * memory of their buffers come back by itself, and does an allocation that
 * needs it get it? Prints JSON; every figure is a counter of the kernel or a
 * time around one ioctl.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "counters.h"
#include "device.h"

#define STUCK		20
#define HEALTHY		1000
#define CHANNELS	4
#define BYTES		(64u << 10)
#define JOB_NS		100000u

/* How long the background gets, and an allocation. */
#define GRACE_NS	2000000000u
#define PATIENCE_S	5

struct test {
	int fd;
	uint32_t hung;
	uint32_t healthy[CHANNELS];
	uint32_t mark[CHANNELS];
	struct drm_swgpu_stats freed;	/* all were freed, none is idle */
	struct drm_swgpu_stats waited;	/* the healthy ones were idle for a while */
	struct drm_swgpu_stats alloc;	/* and memory was asked for */
	struct drm_swgpu_stats end;	/* the hung channel went on; drained */
	uint64_t alloc_bytes;
	uint64_t alloc_ns;
	int alloc_error;
};

static int failed(const char *what, int error)
{
	fprintf(stderr, "hung-channel: %s: %s\n", what, strerror(-error));
	return error;
}

#define TRY(call) do {					\
	int error_ = (call);				\
	if (error_)					\
		return failed(#call, error_);		\
} while (0)

/* One buffer, used by one job; freed before that has run. */
static int free_busy(int fd, uint32_t channel)
{
	struct drm_swgpu_submit_bo bo = {
		.flags = SWGPU_BO_READ | SWGPU_BO_WRITE,
		.domains = SWGPU_DOMAIN_VRAM,
	};

	TRY(device_create(fd, BYTES, SWGPU_DOMAIN_VRAM, &bo.handle));
	TRY(device_submit(fd, channel, &bo, 1, JOB_NS));
	TRY(device_close(fd, bo.handle));
	return 0;
}

/* A buffer that lives on and is used last: it tells when a channel is done. */
static int use_mark(int fd, uint32_t channel, uint32_t *mark)
{
	struct drm_swgpu_submit_bo bo = {
		.flags = SWGPU_BO_WRITE,
		.domains = SWGPU_DOMAIN_GTT,
	};

	TRY(device_create(fd, 1, SWGPU_DOMAIN_GTT, mark));
	bo.handle = *mark;
	TRY(device_submit(fd, channel, &bo, 1, JOB_NS));
	return 0;
}

/* All channels stop first, so that not one buffer is idle when it is freed. */
static int free_all(struct test *t)
{
	TRY(device_channel_create(t->fd, &t->hung));
	TRY(device_fault(t->fd, t->hung, SWGPU_FAULT_HANG_FOREVER));
	for (int i = 0; i < STUCK; i++)
		if (free_busy(t->fd, t->hung))
			return -1;
	for (int c = 0; c < CHANNELS; c++) {
		TRY(device_channel_create(t->fd, &t->healthy[c]));
		TRY(device_fault(t->fd, t->healthy[c], SWGPU_FAULT_HANG_FOREVER));
	}
	for (int i = 0; i < HEALTHY; i++)
		if (free_busy(t->fd, t->healthy[i % CHANNELS]))
			return -1;
	for (int c = 0; c < CHANNELS; c++)
		if (use_mark(t->fd, t->healthy[c], &t->mark[c]))
			return -1;
	TRY(device_stats(t->fd, 0, &t->freed));
	return 0;
}

static int finish_healthy(struct test *t)
{
	for (int c = 0; c < CHANNELS; c++)
		TRY(device_fault(t->fd, t->healthy[c], SWGPU_FAULT_RESUME));
	for (int c = 0; c < CHANNELS; c++)
		TRY(device_wait(t->fd, t->mark[c], 0, 60000000000u));
	sleep_until(clock_ns() + GRACE_NS);
	TRY(device_stats(t->fd, 0, &t->waited));
	return 0;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Gives up after a while, unlike device_create(). */
static int create_patiently(int fd, struct drm_swgpu_gem_create *create)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int ret;

	sigaction(SIGALRM, &action, NULL);
	alarm(PATIENCE_S);
	ret = ioctl(fd, DRM_IOCTL_SWGPU_GEM_CREATE, create) ? -errno : 0;
	alarm(0);
	return ret;
}

/* As much as is free, and all that the healthy channels have left behind. */
static int allocate(struct test *t)
{
	struct drm_swgpu_gem_create create = { .domains = SWGPU_DOMAIN_VRAM };
	uint64_t start;

	create.size = t->freed.vram_bytes - t->freed.vram_held_bytes +
		      (uint64_t)HEALTHY * BYTES;
	t->alloc_bytes = create.size;
	start = clock_ns();
	t->alloc_error = create_patiently(t->fd, &create);
	t->alloc_ns = clock_ns() - start;
	TRY(device_stats(t->fd, 0, &t->alloc));
	if (!t->alloc_error)
		TRY(device_close(t->fd, create.handle));
	return 0;
}

static int finish_hung(struct test *t)
{
	uint64_t limit;

	TRY(device_fault(t->fd, t->hung, SWGPU_FAULT_RESUME));
	limit = clock_ns() + 30000000000u;
	do {
		TRY(device_drain(t->fd));
		TRY(device_stats(t->fd, 0, &t->end));
	} while (t->end.zombies && clock_ns() < limit);
	return 0;
}

static void print_stats(const char *name, const struct drm_swgpu_stats *stats)
{
	printf("  \"%s\": ", name);
	counters_print(stdout, stats);
	puts(",");
}

static void print(const struct test *t)
{
	printf("{\n  \"stuck_buffers\": %d,\n  \"healthy_buffers\": %d,\n", STUCK, HEALTHY);
	printf("  \"buffer_bytes\": %u,\n  \"grace_ns\": %u,\n", BYTES, GRACE_NS);
	print_stats("after_free", &t->freed);
	print_stats("after_grace", &t->waited);
	print_stats("after_alloc", &t->alloc);
	print_stats("at_end", &t->end);
	printf("  \"alloc_bytes\": %llu,\n", (unsigned long long)t->alloc_bytes);
	printf("  \"alloc_ok\": %s,\n", t->alloc_error ? "false" : "true");
	printf("  \"alloc_error\": \"%s\",\n", t->alloc_error ? strerror(-t->alloc_error) : "");
	printf("  \"alloc_ns\": %llu\n}\n", (unsigned long long)t->alloc_ns);
}

int main(void)
{
	struct drm_swgpu_stats ignored;
	struct test t = { .fd = device_open(NULL) };
	int ret;

	if (t.fd < 0)
		return 1;
	sleep_until(next_second());
	ret = device_stats(t.fd, SWGPU_STATS_RESET, &ignored);
	if (!ret)
		ret = free_all(&t);
	if (!ret)
		ret = finish_healthy(&t);
	if (!ret)
		ret = allocate(&t);
	if (!ret)
		ret = finish_hung(&t);
	close(t.fd);
	if (ret)
		return 1;
	print(&t);
	return 0;
}
