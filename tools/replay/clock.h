/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_CLOCK_H
#define REPLAY_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* What the calling thread has used of the CPU. */
static inline uint64_t thread_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Until that time of CLOCK_MONOTONIC, or a signal. */
static inline void sleep_until(uint64_t ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* The next whole second: in modelled time the kernel's tick is then where it is in any run. */
static inline uint64_t next_second(void)
{
	return (clock_ns() / 1000000000u + 1) * 1000000000u;
}

/* So long, or until a signal. */
static inline void sleep_for(uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

#endif
