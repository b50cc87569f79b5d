/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_BENCH_CONTENTION_H_
#define _TTM_FENCE_LRU_BENCH_CONTENTION_H_

#include <linux/types.h>

struct bench_device;

/**
 * enum bench_lock - whose lock it was that a CPU waited for
 * @BENCH_LOCK_LRU: TTM's LRU lock
 * @BENCH_LOCK_CHANNEL: that of a channel
 * @BENCH_LOCK_ENGINE: the engine's other ones
 * @BENCH_LOCK_OTHER: everything else: the allocator's, the scheduler's, those
 * of managers
 * @BENCH_LOCK_SLEEPING: mutexes and the like, whosever
 * @NUM_BENCH_LOCKS: how many there are
 */
enum bench_lock {
	BENCH_LOCK_LRU,
	BENCH_LOCK_CHANNEL,
	BENCH_LOCK_ENGINE,
	BENCH_LOCK_OTHER,
	BENCH_LOCK_SLEEPING,
	NUM_BENCH_LOCKS,
};

/**
 * struct bench_contention - how often a lock was held by somebody else
 * @dev: whose locks are known
 * @waits: of each kind
 * @spun_ns: how long CPUs spun, together
 */
struct bench_contention {
	struct bench_device *dev;
	atomic64_t waits[NUM_BENCH_LOCKS];
	atomic64_t spun_ns;
};

int bench_contention_begin(void);
void bench_contention_end(void);
void bench_contention_watch(struct bench_contention *contention);

#endif
