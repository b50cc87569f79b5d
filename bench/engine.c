// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The engine on plain objects, beside the floor: moving as many objects, which lie in
 * the same memory and come in the same order, from one list to another; found by an
 * array or by following the list.
 */
#include <linux/printk.h>
#include <linux/sched.h>

#include "plain.h"

/* Few buffers are used again and again, so that a sample has this many. */
#define MIN_OPS 100000

enum {
	LIST_MOVE,
	LIST_WALK,
	ATTACH_FIRST,
	ATTACH_AGAIN,
	ATTACH_OTHER,
	RESERVE_LINK,
	RELEASE_BUSY,
	RELEASE_IDLE,
	RETIRE_ALIVE,
	RETIRE_ZOMBIES,
	NUM_TIMERS,
};

/* clang-format off */
static const char *const names[] = {
	[LIST_MOVE] = "list_move",
	[LIST_WALK] = "list_walk",
	[ATTACH_FIRST] = "attach_first",
	[ATTACH_AGAIN] = "attach_again",
	[ATTACH_OTHER] = "attach_other",
	[RESERVE_LINK] = "reserve_link",
	[RELEASE_BUSY] = "release_busy",
	[RELEASE_IDLE] = "release_idle",
	[RETIRE_ALIVE] = "retire_alive",
	[RETIRE_ZOMBIES] = "retire_zombies",
};

/* clang-format on */

static void move_all(struct plain_device *dev,
		     const struct bench_config *config,
		     struct bench_timer *timer)
{
	LIST_HEAD(other);
	unsigned int i;

	bench_start(timer);
	for (i = 0; i < config->buffers; i++)
		list_move_tail(&plain_bo(dev, i)->entry, &other);
	bench_stop(timer);
	list_splice_init(&other, &dev->idle);
}

/* The same for whoever has to follow the list to find the next one, as reclaim does. */
static void walk_all(struct plain_device *dev, struct bench_timer *timer)
{
	struct plain_bo *bo, *next;
	LIST_HEAD(other);

	bench_start(timer);
	list_for_each_entry_safe(bo, next, &dev->idle, entry)
		list_move_tail(&bo->entry, &other);
	bench_stop(timer);
	list_splice_init(&other, &dev->idle);
}

/* As submissions do it: a fence, then its buffers. */
static int attach_all(struct plain_device *dev,
		      const struct bench_config *config,
		      struct dma_fence *fences, struct bench_timer *timer)
{
	unsigned int nr_fences = bench_nr_fences(config), i, n, bo = 0;
	struct bench_channel *channel;
	int ret = 0;

	bench_start(timer);
	for (i = 0; i < nr_fences && !ret; i++) {
		channel = bench_fence_channel(&fences[i]);
		ret = ttm_fence_lru_channel_reserve(&channel->base);
		for (n = 0; n < config->per_node; n++)
			ttm_fence_lru_attach(&dev->lru,
					     &plain_bo(dev, bo++)->base,
					     &fences[i]);
	}
	bench_stop(timer);
	return ret;
}

static int reserve_all(struct plain_device *dev,
		       const struct bench_config *config,
		       struct bench_timer *timer)
{
	unsigned int i;
	int ret = 0;

	bench_start(timer);
	for (i = 0; i < config->buffers && !ret; i++)
		ret = ttm_fence_lru_reserve(&plain_bo(dev, i)->base, 1);
	bench_stop(timer);
	return ret;
}

static void release_all(struct plain_device *dev,
			const struct bench_config *config,
			struct bench_timer *timer)
{
	unsigned int i;

	bench_start(timer);
	for (i = 0; i < config->buffers; i++)
		plain_put(dev, plain_bo(dev, i));
	bench_stop(timer);
}

/* In steps, as an allocation does it. */
static void retire_all(struct plain_device *dev, struct bench_timer *timer)
{
	struct ttm_fence_lru_pass pass = { .budget = BENCH_RECLAIM_BUDGET };

	bench_start(timer);
	while (!ttm_fence_lru_reclaim(&dev->lru, &pass))
		;
	bench_stop(timer);
}

static int expect(const char *what, u64 is, u64 wanted)
{
	if (is == wanted)
		return 0;

	pr_err("bench: %llu buffers are %s, not %llu\n", is, what, wanted);
	return -EIO;
}

static void new_fences(struct plain_device *dev,
		       const struct bench_config *config)
{
	unsigned int count = bench_nr_fences(config), i;

	/* The last ones on the next channel: a second link. */
	for (i = 0; i < PLAIN_GENERATIONS; i++)
		bench_fences_init(dev->fences[i], count, dev->channels, config,
				  i == PLAIN_GENERATIONS - 1);
}

/* Nothing may be left. */
static int old_fences(struct plain_device *dev,
		      const struct bench_config *config)
{
	unsigned int count = bench_nr_fences(config), i;
	int ret = 0;

	for (i = 0; i < PLAIN_GENERATIONS && !ret; i++)
		ret = bench_fences_check(dev->fences[i], count);
	cond_resched();
	return ret;
}

static void signal_fences(struct plain_device *dev,
			  const struct bench_config *config,
			  struct dma_fence *fences)
{
	bench_complete_all(fences, bench_nr_fences(config), config->told);
}

/* Used, used again, and idle again. */
static int live(struct plain_device *dev, const struct bench_config *config,
		struct bench_timer *timers)
{
	int ret;

	new_fences(dev, config);
	move_all(dev, config, &timers[LIST_MOVE]);
	walk_all(dev, &timers[LIST_WALK]);
	ret = attach_all(dev, config, dev->fences[0], &timers[ATTACH_FIRST]);
	if (!ret)
		ret = attach_all(dev, config, dev->fences[1],
				 &timers[ATTACH_AGAIN]);
	ret = ret ?: expect("busy", dev->lru.stats.busy, config->buffers);
	signal_fences(dev, config, dev->fences[0]);
	signal_fences(dev, config, dev->fences[1]);
	retire_all(dev, &timers[RETIRE_ALIVE]);
	ret = ret ?: expect("busy", dev->lru.stats.busy, 0);
	return ret ?: old_fences(dev, config);
}

/* Used, dead, reclaimed; and new ones that die unused. */
static int die(struct plain_device *dev, const struct bench_config *config,
	       struct bench_timer *timers)
{
	struct bench_timer unused = {};
	int ret;

	new_fences(dev, config);
	ret = attach_all(dev, config, dev->fences[0], &unused);
	release_all(dev, config, &timers[RELEASE_BUSY]);
	ret = ret ?: expect("zombies", dev->lru.stats.zombies, config->buffers);
	signal_fences(dev, config, dev->fences[0]);
	retire_all(dev, &timers[RETIRE_ZOMBIES]);
	ret = ret ?: expect("gone", dev->gone, config->buffers);
	plain_bos_init(dev, config);

	release_all(dev, config, &timers[RELEASE_IDLE]);
	ret = ret ?: expect("gone", dev->gone, config->buffers);
	plain_bos_init(dev, config);
	return ret ?: old_fences(dev, config);
}

/* Used on two channels. */
static int share(struct plain_device *dev, const struct bench_config *config,
		 struct bench_timer *timers)
{
	struct bench_timer unused = {};
	int ret;

	if (config->channels < 2)
		return 0;

	new_fences(dev, config);
	ret = attach_all(dev, config, dev->fences[0], &unused);
	ret = ret ?: reserve_all(dev, config, &timers[RESERVE_LINK]);
	if (!ret)
		ret = attach_all(dev, config, dev->fences[2],
				 &timers[ATTACH_OTHER]);
	signal_fences(dev, config, dev->fences[0]);
	signal_fences(dev, config, dev->fences[2]);
	retire_all(dev, &unused);
	ret = ret ?: expect("busy", dev->lru.stats.busy, 0);
	/* Their links go with them. */
	release_all(dev, config, &unused);
	plain_bos_init(dev, config);
	return ret ?: old_fences(dev, config);
}

static int sample(struct plain_device *dev, const struct bench_config *config,
		  struct bench_results *results)
{
	unsigned int rounds = DIV_ROUND_UP(MIN_OPS, config->buffers), i;
	struct bench_timer timers[NUM_TIMERS] = {};
	int ret, ret2;

	ret = plain_configure(dev, config);
	if (ret)
		return ret;

	for (i = 0; i < rounds && !ret; i++) {
		ret = live(dev, config, timers);
		ret = ret ?: die(dev, config, timers);
		ret = ret ?: share(dev, config, timers);
	}
	ret2 = plain_unconfigure(dev, config);
	if (ret || ret2 || !results)
		return ret ?: ret2;

	for (i = 0; i < NUM_TIMERS; i++)
		if (timers[i].sections)
			bench_emit(results, names[i],
				   i <= LIST_WALK ? "floor" : "ours", config,
				   &timers[i],
				   timers[i].sections * config->buffers);
	return 0;
}

/* The configurations in turn, again and again; the first time for practice only. */
int bench_engine(const struct bench_measurement *measurement,
		 struct bench_results *results)
{
	struct plain_device *dev = plain_device_create(measurement);
	unsigned int rep, i;
	int ret = 0;

	if (!dev)
		return -ENOMEM;

	for (rep = 0; rep <= measurement->repetitions; rep++)
		for (i = 0; i < measurement->nr_configs && !ret; i++)
			ret = sample(dev, &measurement->configs[i],
				     rep ? results : NULL);

	plain_device_destroy(dev);
	return ret;
}
