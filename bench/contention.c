// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Counts contended locks by the kernel's own tracepoints, which stand where a
 * lock was not to be had at once: what is not contended costs nothing.
 */
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/tracepoint.h>

#include <trace/events/lock.h>

#include "contention.h"
#include "ttm_device.h"

/* What is counted now; changes while nothing runs that is measured. */
static struct bench_contention *counts;
static DEFINE_PER_CPU(u64, spins_since);

static bool is_in(void *address, void *from, size_t size)
{
	return address >= from && address < from + size;
}

static enum bench_lock kind_of(struct bench_device *dev, void *lock,
			       unsigned int flags)
{
	struct ttm_fence_lru *lru = NULL;

	if (!(flags & LCB_F_SPIN) || flags & LCB_F_MUTEX)
		return BENCH_LOCK_SLEEPING;
	if (lock == (void *)&dev->bdev.lru_lock)
		return BENCH_LOCK_LRU;
	if (is_in(lock, dev->channels,
		  dev->nr_channels * sizeof(*dev->channels)))
		return BENCH_LOCK_CHANNEL;
	if (dev->flavour->enable)
		lru = dev->flavour->fence_lru(&dev->bdev);
	if (lru && is_in(lock, lru, sizeof(*lru)))
		return BENCH_LOCK_ENGINE;
	return BENCH_LOCK_OTHER;
}

static void contended(void *unused, void *lock, unsigned int flags)
{
	struct bench_contention *contention = READ_ONCE(counts);
	enum bench_lock kind;

	if (!contention)
		return;
	kind = kind_of(contention->dev, lock, flags);
	atomic64_inc(&contention->waits[kind]);
	if (kind != BENCH_LOCK_SLEEPING)
		this_cpu_write(spins_since, ktime_get_mono_fast_ns());
}

static void acquired(void *unused, void *lock, int ret)
{
	struct bench_contention *contention = READ_ONCE(counts);
	u64 since = this_cpu_xchg(spins_since, 0);

	if (contention && since)
		atomic64_add(ktime_get_mono_fast_ns() - since,
			     &contention->spun_ns);
}

int bench_contention_begin(void)
{
	int ret = register_trace_contention_begin(contended, NULL);

	if (ret)
		return ret;
	ret = register_trace_contention_end(acquired, NULL);
	if (ret)
		unregister_trace_contention_begin(contended, NULL);
	return ret;
}

void bench_contention_end(void)
{
	unregister_trace_contention_end(acquired, NULL);
	unregister_trace_contention_begin(contended, NULL);
	tracepoint_synchronize_unregister();
}

/* From here on waits are added to @contention; NULL: nobody counts them. */
void bench_contention_watch(struct bench_contention *contention)
{
	WRITE_ONCE(counts, contention);
}
