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
	RETIRE_IN_TURN,
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
	[RETIRE_IN_TURN] = "retire_in_turn",
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

/* The same for code that follows the list to find the next one, as reclaim does. */
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

/* A submission: its buffers as they come. */
static void attach(struct plain_device *dev, struct dma_fence *fence,
		   unsigned int first, unsigned int count)
{
	struct ttm_fence_lru_bo *bos[TTM_FENCE_LRU_BOS_PER_HOLD];
	unsigned int nr = 0;

	while (count--) {
		bos[nr++] = &plain_bo(dev, first++)->base;
		if (nr == ARRAY_SIZE(bos) || !count) {
			ttm_fence_lru_attach(&dev->lru, fence, bos, nr);
			nr = 0;
		}
	}
}

/* As submissions do it: a fence, then its buffers. */
static int attach_all(struct plain_device *dev,
		      const struct bench_config *config,
		      struct dma_fence *fences, struct bench_timer *timer)
{
	unsigned int nr_fences = bench_nr_fences(config), i;
	struct bench_channel *channel;
	int ret = 0;

	bench_start(timer);
	for (i = 0; i < nr_fences && !ret; i++) {
		channel = bench_fence_channel(&fences[i]);
		ret = ttm_fence_lru_channel_reserve(&channel->base);
		attach(dev, &fences[i], i * config->per_node, config->per_node);
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

static void retire_alive(struct plain_device *dev, struct bench_timer *timer)
{
	bench_start(timer);
	ttm_fence_lru_retire(&dev->lru);
	bench_stop(timer);
}

/* In steps, as an allocation does it; or as two do that take turns. */
static void retire_zombies(struct plain_device *dev, bool in_turn,
			   struct bench_timer *timer)
{
	struct ttm_fence_lru_need one = {}, other = {};

	bench_start(timer);
	while (ttm_fence_lru_reclaim(&dev->lru, &one))
		if (in_turn)
			ttm_fence_lru_reclaim(&dev->lru, &other);
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
	u64 steps;
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
	steps = dev->lru.stats.steps;
	retire_alive(dev, &timers[RETIRE_ALIVE]);
	timers[RETIRE_ALIVE].steps += dev->lru.stats.steps - steps;
	ret = ret ?: expect("busy", dev->lru.stats.busy, 0);
	return ret ?: old_fences(dev, config);
}

/* Used, dead, reclaimed. */
static int die_busy(struct plain_device *dev, const struct bench_config *config,
		    bool in_turn, struct bench_timer *release,
		    struct bench_timer *retire)
{
	struct bench_timer unused = {};
	int ret;

	new_fences(dev, config);
	ret = attach_all(dev, config, dev->fences[0], &unused);
	release_all(dev, config, release);
	ret = ret   ?:
		      expect("zombies", dev->lru.stats.zombies.count,
			     config->buffers);
	signal_fences(dev, config, dev->fences[0]);
	retire_zombies(dev, in_turn, retire);
	ret = ret ?: expect("gone", dev->gone, config->buffers);
	plain_bos_init(dev, config);
	return ret ?: old_fences(dev, config);
}

/* So, and new ones that die unused. */
static int die(struct plain_device *dev, const struct bench_config *config,
	       struct bench_timer *timers)
{
	struct bench_timer unused = {};
	int ret;

	ret = die_busy(dev, config, false, &timers[RELEASE_BUSY],
		       &timers[RETIRE_ZOMBIES]);
	ret = ret   ?:
		      die_busy(dev, config, true, &unused,
			       &timers[RETIRE_IN_TURN]);

	release_all(dev, config, &timers[RELEASE_IDLE]);
	ret = ret ?: expect("gone", dev->gone, config->buffers);
	plain_bos_init(dev, config);
	return ret;
}

/* Used on two channels. */
static int share(struct plain_device *dev, const struct bench_config *config,
		 struct bench_timer *timers)
{
	struct bench_timer unused = {};
	int ret;

	if (config->channels < 2 || config->quiet)
		return 0;

	new_fences(dev, config);
	ret = attach_all(dev, config, dev->fences[0], &unused);
	ret = ret ?: reserve_all(dev, config, &timers[RESERVE_LINK]);
	if (!ret)
		ret = attach_all(dev, config, dev->fences[2],
				 &timers[ATTACH_OTHER]);
	signal_fences(dev, config, dev->fences[0]);
	signal_fences(dev, config, dev->fences[2]);
	retire_alive(dev, &unused);
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
