// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The clocks.
 *
 * A User-Mode Linux kernel is one thread of the host, with all of its tasks, workers
 * and interrupts. So the host's clock of the CPU time of this process counts all of
 * them, and nothing that others do on a shared machine. It costs a system call of the
 * host: sections must be long, and its cost is taken off.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "bench.h"

#define CALIBRATION 1000

static u64 cpu_overhead = U64_MAX;
static u64 wall_overhead = U64_MAX;

#if defined(CONFIG_UML) && defined(CONFIG_64BIT)
#define HOST_CLOCK_GETTIME 228
#define HOST_CLOCK_PROCESS_CPUTIME_ID 2

/* A system call in kernel mode is one of the host. */
static u64 cpu_clock_ns(void)
{
	struct {
		s64 sec;
		s64 nsec;
	} now = {};
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(HOST_CLOCK_GETTIME),
		       "D"(HOST_CLOCK_PROCESS_CPUTIME_ID), "S"(&now)
		     : "rcx", "r11", "memory");
	return now.sec * NSEC_PER_SEC + now.nsec;
}
#else
/* Of no use beside others; but right on a machine with one CPU of our own. */
static u64 cpu_clock_ns(void)
{
	return ktime_get_ns();
}
#endif

void bench_start(struct bench_timer *timer)
{
	timer->wall_since = ktime_get_ns();
	timer->cpu_since = cpu_clock_ns();
}

void bench_stop(struct bench_timer *timer)
{
	u64 cpu = cpu_clock_ns() - timer->cpu_since;
	u64 wall = ktime_get_ns() - timer->wall_since;

	timer->cpu_ns += cpu - min(cpu, cpu_overhead);
	timer->wall_ns += wall - min(wall, wall_overhead);
	timer->sections++;
}

/* What an empty section takes: the least of many, as interrupts only add. */
void bench_clock_calibrate(void)
{
	u64 cpu = U64_MAX, wall = U64_MAX;
	int i;

	cpu_overhead = 0;
	wall_overhead = 0;
	for (i = 0; i < CALIBRATION; i++) {
		struct bench_timer timer = {};

		bench_start(&timer);
		bench_stop(&timer);
		cpu = min(cpu, timer.cpu_ns);
		wall = min(wall, timer.wall_ns);
	}
	cpu_overhead = cpu;
	wall_overhead = wall;
}

/* What the kernel's own clock costs: signaling a fence reads it. */
int bench_clock(const struct bench_measurement *measurement,
		struct bench_results *results)
{
	const unsigned int reads = 100 * CALIBRATION;
	unsigned int rep, i;

	for (rep = 0; rep < measurement->repetitions; rep++) {
		struct bench_timer timer = {};

		bench_start(&timer);
		for (i = 0; i < reads; i++)
			ktime_get();
		bench_stop(&timer);
		bench_emit(results, "ktime_get", "floor", NULL, &timer, reads);
	}
	bench_emit_value(results, "empty_section_cpu_ns", cpu_overhead);
	bench_emit_value(results, "bytes_per_buffer",
			 sizeof(struct ttm_fence_lru_bo));
	bench_emit_value(results, "bytes_per_node",
			 sizeof(struct ttm_fence_lru_node));
	bench_emit_value(results, "bytes_per_further_link",
			 sizeof(struct ttm_fence_lru_link));
	bench_emit_value(results, "bytes_per_channel",
			 sizeof(struct ttm_fence_lru_channel));
	return 0;
}
