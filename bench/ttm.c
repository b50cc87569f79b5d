// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers of real TTM from their creation until their memory is free, today's way and
 * ours in turn, in one kernel.
 */
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ttm_device.h"

static bool only_today;

MODULE_PARM_DESC(only_today,
		 "Leave out the device that opts in (default: off)");
module_param(only_today, bool, 0444);

/* Few buffers are created again and again, so that a sample has this many. */
#define MIN_OPS 10000

/* Fences of a buffer's life: see long_life(). */
#define GENERATIONS 4

/* There is always room. */
#define MANAGER_PAGES (64 << 10)

enum {
	CREATE,
	RESERVE_FIRST,
	FENCE_FIRST,
	RESERVE_SECOND,
	RESERVE_AGAIN,
	FENCE_AGAIN,
	SUBMIT_FIRST,
	SUBMIT_AGAIN,
	RETIRE_ALIVE,
	DELETE_UNUSED,
	DELETE_IDLE,
	DELETE_SIGNALED,
	DELETE_BUSY,
	DELETE_BUSY_PUT,
	DELETE_BUSY_REST,
	DELETE_STEPWISE,
	NUM_TIMERS,
};

static const char *const names[] = {
	[CREATE] = "create",
	[RESERVE_FIRST] = "ttm_reserve_first",
	[FENCE_FIRST] = "fence_first",
	[RESERVE_SECOND] = "ttm_reserve_second",
	[RESERVE_AGAIN] = "ttm_reserve_again",
	[FENCE_AGAIN] = "fence_again",
	[SUBMIT_FIRST] = "submit_first",
	[SUBMIT_AGAIN] = "submit_again",
	[RETIRE_ALIVE] = "ttm_retire_alive",
	[DELETE_UNUSED] = "delete_unused",
	[DELETE_IDLE] = "delete_idle",
	[DELETE_SIGNALED] = "delete_signaled",
	[DELETE_BUSY] = "delete_busy",
	[DELETE_BUSY_PUT] = "delete_busy_put",
	[DELETE_BUSY_REST] = "delete_busy_rest",
	[DELETE_STEPWISE] = "delete_stepwise",
};

/**
 * struct run - a sample that is being taken
 * @dev: of one flavour
 * @config: how many of what
 * @fences: one for each node
 * @timers: what it took so far
 */
struct run {
	struct bench_device *dev;
	const struct bench_config *config;
	struct dma_fence *fences;
	struct bench_timer timers[NUM_TIMERS];
};

static int create_all(struct run *run)
{
	struct bench_device *dev = run->dev;
	unsigned int i;
	int ret = 0;

	bench_start(&run->timers[CREATE]);
	for (i = 0; i < run->config->buffers && !ret; i++) {
		dev->bos[i] = bench_bo_create(dev, run->config->pages);
		if (!dev->bos[i])
			ret = -ENOMEM;
	}
	bench_stop(&run->timers[CREATE]);
	return ret;
}

static void new_fences(struct run *run)
{
	bench_fences_init(run->fences, bench_nr_fences(run->config),
			  run->dev->channels, run->config, 0);
}

/* Each fence must be made known before it is emitted, in turn with the others. */
static int reserve_node(struct run *run, struct dma_fence *fence)
{
	if (!run->dev->flavour->enable)
		return 0;

	return ttm_fence_lru_channel_reserve(&bench_fence_channel(fence)->base);
}

/* A submission: its buffers are locked, get room for a fence, and the fence. */
static int submit(struct run *run, unsigned int i)
{
	struct bench_bo **bos = &run->dev->bos[i * run->config->per_node];
	const struct bench_flavour *flavour = run->dev->flavour;
	unsigned int nr = run->config->per_node, n;
	struct bench_channel *channel;
	int ret;

	channel = bench_fence_channel(&run->fences[i]);
	ret = reserve_node(run, &run->fences[i]);
	for (n = 0; n < nr; n++) {
		dma_resv_lock(bos[n]->tbo.base.resv, NULL);
		ret = ret ?: flavour->reserve(&bos[n]->tbo, &channel->base);
	}
	if (!ret)
		flavour->fence(run->dev, bos, nr, &run->fences[i]);
	for (n = 0; n < nr; n++)
		dma_resv_unlock(bos[n]->tbo.base.resv);
	return ret;
}

/* Use all buffers, from locking to unlocking them. */
static int submit_all(struct run *run, struct bench_timer *timer)
{
	unsigned int nr = bench_nr_fences(run->config), i;
	int ret = 0;

	new_fences(run);
	bench_start(timer);
	for (i = 0; i < nr && !ret; i++)
		ret = submit(run, i);
	bench_stop(timer);
	return ret;
}

static int reserve_all(struct run *run, struct bench_timer *timer)
{
	unsigned int per_node = run->config->per_node, i;
	struct bench_device *dev = run->dev;
	struct bench_channel *channel;
	int ret = 0;

	bench_start(timer);
	for (i = 0; i < run->config->buffers && !ret; i++) {
		channel = bench_fence_channel(&run->fences[i / per_node]);
		ret = dev->flavour->reserve(&dev->bos[i]->tbo, &channel->base);
	}
	bench_stop(timer);
	return ret;
}

static int fence_all(struct run *run, struct bench_timer *timer)
{
	unsigned int nr = bench_nr_fences(run->config), i;
	unsigned int per_node = run->config->per_node;
	struct bench_device *dev = run->dev;
	int ret = 0;

	bench_start(timer);
	for (i = 0; i < nr && !ret; i++) {
		ret = reserve_node(run, &run->fences[i]);
		dev->flavour->fence(dev, &dev->bos[i * per_node], per_node,
				    &run->fences[i]);
	}
	bench_stop(timer);
	return ret;
}

/* The two parts of it that differ, each alone: all buffers stay locked meanwhile. */
static int use_all(struct run *run, struct bench_timer *reserve,
		   struct bench_timer *fence)
{
	struct bench_bo **bos = run->dev->bos;
	unsigned int i;
	int ret;

	new_fences(run);
	for (i = 0; i < run->config->buffers; i++)
		dma_resv_lock(bos[i]->tbo.base.resv, NULL);
	ret = reserve_all(run, reserve);
	ret = ret ?: fence_all(run, fence);
	for (i = 0; i < run->config->buffers; i++)
		dma_resv_unlock(bos[i]->tbo.base.resv);
	return ret;
}

static void put_all(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->config->buffers; i++)
		ttm_bo_fini(&run->dev->bos[i]->tbo);
}

static void signal_all(struct run *run)
{
	bench_complete_all(run->fences, bench_nr_fences(run->config), false);
}

/* Nothing may be left, and nobody may hold a fence that is to be made anew. */
static int check_gone(struct run *run)
{
	int left = atomic_read(&run->dev->nr_bos);

	cond_resched();
	if (!left)
		return bench_fences_check(run->fences,
					  bench_nr_fences(run->config));

	pr_err("bench: %s: %d of %u buffers were not deleted\n",
	       run->dev->flavour->name, left, run->config->buffers);
	return -EIO;
}

static int expect_all_left(struct run *run)
{
	int left = atomic_read(&run->dev->nr_bos);

	if (left == run->config->buffers)
		return 0;

	pr_err("bench: %s: only %d of %u buffers were busy when they died\n",
	       run->dev->flavour->name, left, run->config->buffers);
	return -EIO;
}

/* Buffers that are idle, or thought to be. */
static int delete_idle(struct run *run, struct bench_timer *timer)
{
	bench_start(timer);
	put_all(run);
	bench_stop(timer);
	return check_gone(run);
}

/* From the first put until the last is free, whichever task does what it takes. */
static int delete_busy(struct run *run)
{
	const struct bench_flavour *flavour = run->dev->flavour;
	struct bench_timer *put = &run->timers[DELETE_BUSY_PUT];
	struct bench_timer *rest = &run->timers[DELETE_BUSY_REST];
	struct bench_timer *all = &run->timers[DELETE_BUSY];
	int ret;

	bench_start(put);
	put_all(run);
	bench_stop(put);

	ret = expect_all_left(run);

	bench_start(rest);
	flavour->wait_busy(run->dev, &run->fences[0]);
	signal_all(run);
	flavour->finish(run->dev, 0);
	bench_stop(rest);

	all->cpu_ns = put->cpu_ns + rest->cpu_ns;
	all->wall_ns = put->wall_ns + rest->wall_ns;
	all->sections = put->sections;
	return ret ?: check_gone(run);
}

/* The same with fences that signal one by one, and memory that is wanted at once. */
static int delete_stepwise(struct run *run)
{
	const struct bench_flavour *flavour = run->dev->flavour;
	unsigned int nr = bench_nr_fences(run->config), i;
	struct bench_timer *timer = &run->timers[DELETE_STEPWISE];
	int left = run->config->buffers;

	bench_start(timer);
	put_all(run);
	for (i = 0; i < nr; i++) {
		flavour->wait_busy(run->dev, &run->fences[i]);
		bench_complete(&run->fences[i]);
		left -= run->config->per_node;
		flavour->finish(run->dev, left);
	}
	bench_stop(timer);
	return check_gone(run);
}

/*
 * Used again and again while busy; how it dies is measured elsewhere. The second use
 * makes room that the later ones find.
 */
static int long_life(struct run *run)
{
	unsigned int nr_fences = bench_nr_fences(run->config);
	struct dma_fence *fences = run->fences;
	struct bench_timer unused = {};
	int ret;

	ret = create_all(run);
	if (!ret)
		ret = use_all(run, &run->timers[RESERVE_FIRST],
			      &run->timers[FENCE_FIRST]);
	run->fences += nr_fences;
	ret = ret ?: use_all(run, &run->timers[RESERVE_SECOND], &unused);
	run->fences += nr_fences;
	if (!ret)
		ret = use_all(run, &run->timers[RESERVE_AGAIN],
			      &run->timers[FENCE_AGAIN]);
	run->fences += nr_fences;
	ret = ret ?: submit_all(run, &run->timers[SUBMIT_AGAIN]);
	if (ret)
		return ret;

	signal_all(run);
	put_all(run);
	run->dev->flavour->finish(run->dev, 0);
	ret = check_gone(run);
	run->fences = fences;
	return ret;
}

static int busy_life(struct run *run)
{
	int ret;

	ret = create_all(run);
	ret = ret ?: submit_all(run, &run->timers[SUBMIT_FIRST]);
	return ret ?: delete_busy(run);
}

static int stepwise_life(struct run *run)
{
	struct bench_timer unused = {};
	int ret;

	ret = create_all(run);
	ret = ret ?: submit_all(run, &unused);
	return ret ?: delete_stepwise(run);
}

/* Used, and idle again when it dies: @retired if somebody reclaimed meanwhile. */
static int idle_life(struct run *run, bool retired)
{
	struct bench_timer unused = {};
	int ret;

	ret = create_all(run);
	ret = ret ?: submit_all(run, &unused);
	if (ret)
		return ret;

	signal_all(run);
	if (!retired)
		return delete_idle(run, &run->timers[DELETE_SIGNALED]);

	if (run->dev->flavour->enable) {
		bench_start(&run->timers[RETIRE_ALIVE]);
		run->dev->flavour->finish(run->dev, 0);
		bench_stop(&run->timers[RETIRE_ALIVE]);
	}
	return delete_idle(run, &run->timers[DELETE_IDLE]);
}

static int unused_life(struct run *run)
{
	int ret;

	ret = create_all(run);
	return ret ?: delete_idle(run, &run->timers[DELETE_UNUSED]);
}

static int sample(struct bench_device *dev, const struct bench_config *config,
		  struct dma_fence *fences, struct bench_results *results)
{
	unsigned int rounds = DIV_ROUND_UP(MIN_OPS, config->buffers), i;
	struct run *run;
	int ret;

	run = kzalloc_obj(*run);
	if (!run)
		return -ENOMEM;
	run->dev = dev;
	run->config = config;
	run->fences = fences;

	ret = bench_device_configure(dev, config);
	if (ret)
		goto free;

	for (i = 0; i < rounds && !ret; i++) {
		ret = long_life(run);
		ret = ret ?: busy_life(run);
		ret = ret ?: stepwise_life(run);
		ret = ret ?: idle_life(run, true);
		ret = ret ?: idle_life(run, false);
		ret = ret ?: unused_life(run);
	}
	bench_device_unconfigure(dev);

	for (i = 0; i < NUM_TIMERS && !ret && results; i++)
		if (run->timers[i].sections)
			bench_emit(results, names[i], dev->flavour->name,
				   config, &run->timers[i],
				   run->timers[i].sections * config->buffers);
free:
	kfree(run);
	return ret;
}

static struct dma_fence *
allocate_fences(const struct bench_measurement *measurement)
{
	unsigned int count = 0, i;

	for (i = 0; i < measurement->nr_configs; i++)
		count = max(count, bench_nr_fences(&measurement->configs[i]));

	return kvcalloc(GENERATIONS * count, sizeof(struct dma_fence),
			GFP_KERNEL);
}

int bench_ttm(const struct bench_measurement *measurement,
	      struct bench_results *results)
{
	struct dma_fence *fences = allocate_fences(measurement);
	struct bench_devices *devs;
	int ret;

	if (!fences)
		return -ENOMEM;
	devs = bench_devices_create(only_today ? 1 : BENCH_NR_FLAVOURS,
				    MANAGER_PAGES);
	ret = PTR_ERR_OR_ZERO(devs);
	if (!ret) {
		ret = bench_devices_sample(devs, sample, measurement, fences,
					   results);
		bench_devices_destroy(devs);
	}
	kvfree(fences);
	return ret;
}
