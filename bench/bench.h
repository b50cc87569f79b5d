/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_BENCH_H_
#define _TTM_FENCE_LRU_BENCH_H_

#include <linux/dma-fence.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/ttm_fence_lru.h>

struct bench_contention;

/**
 * struct bench_timer - time spent in all sections between start and stop
 * @cpu_ns: CPU time of the whole kernel, whichever of its threads used it
 * @wall_ns: time that passed; counts what others did on a shared machine
 * @cpu_since: when the section began
 * @wall_since: when the section began
 * @sections: how many there were
 * @steps: what was counted in them, if anything was
 */
struct bench_timer {
	u64 cpu_ns;
	u64 wall_ns;
	u64 cpu_since;
	u64 wall_since;
	u64 sections;
	u64 steps;
};

/**
 * struct bench_config - what is varied
 * @buffers: how many
 * @per_node: buffers per fence; divides @buffers
 * @channels: how many are registered and used in turn; at most as many as fences
 * @quiet: only the first of @channels is used, the others never hold anything
 * @shuffled: buffers are used in random order, else in that of their addresses
 * @told: fences were told that they signaled, else sampling finds it out
 * @pages: buffers of TTM consist of pages, else they lie in VRAM
 * @cpus: how many tasks share the work, each on a CPU of its own
 */
struct bench_config {
	unsigned int buffers;
	unsigned int per_node;
	unsigned int channels;
	bool quiet;
	bool shuffled;
	bool told;
	bool pages;
	unsigned int cpus;
};

/**
 * struct bench_results - lines of key=value
 * @text: the lines
 * @length: of them
 * @size: of the room for them
 * @full: some were lost
 */
struct bench_results {
	char *text;
	size_t length;
	size_t size;
	bool full;
};

/**
 * struct bench_measurement - one entry of the table of measurements
 * @name: what the user calls it
 * @run: measure; returns 0, or an error if that was not possible
 * @configs: one sample for each, in each repetition
 * @nr_configs: length of @configs
 * @repetitions: how often
 */
struct bench_measurement {
	const char *name;
	int (*run)(const struct bench_measurement *measurement,
		   struct bench_results *results);
	const struct bench_config *configs;
	unsigned int nr_configs;
	unsigned int repetitions;
};

/**
 * struct bench_channel - a timeline; the hardware is a number in memory
 * @base: as the engine knows it
 * @lock: of its fences
 * @context: of its fences
 * @seqno: of the last fence
 * @done: the last fence that the hardware is past
 * @armed: the last fence whose signaling was enabled
 */
struct bench_channel {
	struct ttm_fence_lru_channel base;
	spinlock_t lock; /* of its fences */
	u64 context;
	u64 seqno;
	u64 done;
	u64 armed;
};

/* clock.c */
void bench_clock_calibrate(void);
void bench_start(struct bench_timer *timer);
void bench_stop(struct bench_timer *timer);
int bench_clock(const struct bench_measurement *measurement,
		struct bench_results *results);

/* main.c */
void bench_emit(struct bench_results *results, const char *what,
		const char *flavour, const struct bench_config *config,
		const struct bench_timer *timer, u64 ops);
void bench_emit_contended(struct bench_results *results, const char *what,
			  const char *flavour,
			  const struct bench_config *config,
			  const struct bench_timer *timer,
			  struct bench_contention *contention, u64 ops);
void bench_emit_value(struct bench_results *results, const char *name,
		      u64 value);

/* fence.c */
unsigned int bench_nr_fences(const struct bench_config *config);
struct bench_channel *bench_fence_channel(struct dma_fence *fence);
void bench_channels_init(struct bench_channel *channels, unsigned int count);
int bench_channels_register(struct bench_channel *channels, unsigned int count,
			    struct ttm_fence_lru *lru);
void bench_channels_unregister(struct bench_channel *channels,
			       unsigned int count);
void bench_fence_emit(struct dma_fence *fence, struct bench_channel *channel);
void bench_fences_init(struct dma_fence *fences, unsigned int count,
		       struct bench_channel *channels,
		       const struct bench_config *config, unsigned int shift);
void bench_complete(struct dma_fence *fence);
void bench_complete_all(struct dma_fence *fences, unsigned int count,
			bool told);
int bench_fences_check(struct dma_fence *fences, unsigned int count);

/* engine.c */
int bench_engine(const struct bench_measurement *measurement,
		 struct bench_results *results);

/* ttm.c */
int bench_ttm(const struct bench_measurement *measurement,
	      struct bench_results *results);

/* cpus.c */
int bench_cpus(const struct bench_measurement *measurement,
	       struct bench_results *results);

#endif
