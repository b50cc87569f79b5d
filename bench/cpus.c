// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What one CPU says nothing about: buffers of real TTM used, deleted and
 * allocated by one task and by two at a time, each on a CPU and with channels
 * of its own, today's way and ours. Counts what one CPU made another wait for,
 * lock by lock.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "contention.h"
#include "ttm_device.h"

#define MAX_CPUS 2

/* Submissions of all buffers that are timed together. */
#define AGAIN 8

enum {
	CREATE,
	SUBMIT,
	DELETE,
	ALLOCATE,
	NUM_PHASES,
};

static const char *const names[] = {
	[CREATE] = "cpus_create",
	[SUBMIT] = "cpus_submit",
	[DELETE] = "cpus_delete_busy",
	[ALLOCATE] = "cpus_allocate",
};

struct side;

/**
 * struct race - a sample that is being taken
 * @dev: of one flavour
 * @config: how many of what, for all together
 * @emit: one for each channel; its holder emits, as a driver's does
 * @sides: of each CPU
 * @start: when all are ready
 * @times: by phase
 * @contended: by phase
 */
struct race {
	struct bench_device *dev;
	const struct bench_config *config;
	struct mutex *emit; /* of the order of fences */
	struct side *sides;
	struct completion start;
	struct bench_timer times[NUM_PHASES];
	struct bench_contention contended[NUM_PHASES];
};

/**
 * struct side - what one task does
 * @race: with whom
 * @bos: its buffers
 * @fences: its fences: AGAIN for each @config.per_node buffers
 * @nr: of buffers
 * @phase: does it; returns 0 or an error
 * @ready: waits for the start
 * @done: has ended
 * @ret: how
 */
struct side {
	struct race *race;
	struct bench_bo **bos;
	struct dma_fence *fences;
	unsigned int nr;
	int (*phase)(struct side *side);
	struct completion ready;
	struct completion done;
	int ret;
};

static int create(struct side *side)
{
	unsigned int i;

	for (i = 0; i < side->nr; i++) {
		side->bos[i] = bench_bo_create(side->race->dev, false);
		if (!side->bos[i])
			return -ENOMEM;
	}
	return 0;
}

static struct mutex *emit_lock(struct race *race, struct bench_channel *channel)
{
	return &race->emit[channel - race->dev->channels];
}

static unsigned int nr_fences(const struct bench_config *config)
{
	return AGAIN * bench_nr_fences(config);
}

/* In turn those that are its own; if there is but one, all share it. */
static struct bench_channel *channel_of(struct side *side, unsigned int i)
{
	struct race *race = side->race;
	unsigned int nr = race->dev->nr_channels, cpus = race->config->cpus;

	if (nr < cpus)
		return race->dev->channels;
	return &race->dev->channels[(i * cpus + (side - race->sides)) % nr];
}

/* Locked one after the other: no task wants the buffers of another. */
static int submit(struct side *side, unsigned int i, struct dma_fence *fence)
{
	struct bench_channel *channel = channel_of(side, i);
	struct bench_device *dev = side->race->dev;
	unsigned int nr = side->race->config->per_node, n;
	struct bench_bo **bos = &side->bos[i * nr];
	int ret = 0;

	for (n = 0; n < nr; n++) {
		dma_resv_lock(bos[n]->tbo.base.resv, NULL);
		if (!ret)
			ret = dev->flavour->reserve(&bos[n]->tbo,
						    &channel->base);
	}
	mutex_lock(emit_lock(side->race, channel));
	if (!ret && dev->flavour->enable)
		ret = ttm_fence_lru_channel_reserve(&channel->base);
	if (!ret) {
		bench_fence_emit(fence, channel);
		dev->flavour->fence(dev, bos, nr, fence);
	}
	mutex_unlock(emit_lock(side->race, channel));
	for (n = 0; n < nr; n++)
		dma_resv_unlock(bos[n]->tbo.base.resv);
	return ret;
}

static int submit_all(struct side *side)
{
	unsigned int nr = side->nr / side->race->config->per_node, i;
	int ret = 0;

	for (i = 0; i < AGAIN * nr && !ret; i++)
		ret = submit(side, i % nr, &side->fences[i]);
	return ret;
}

static int delete_all(struct side *side)
{
	unsigned int i;

	for (i = 0; i < side->nr; i++)
		ttm_bo_fini(&side->bos[i]->tbo);
	return 0;
}

/* The hardware is past all that was submitted; what is asked for raises its interrupt. */
static void signal_all(struct side *side)
{
	struct race *race = side->race;
	struct bench_device *dev = race->dev;
	unsigned int nr = nr_fences(race->config) / race->config->cpus, i;

	for (i = 0; i < dev->nr_channels; i++)
		WRITE_ONCE(dev->channels[i].done, dev->channels[i].seqno);
	/* A worker that asks from now on sees that; what was asked for before is seen here. */
	smp_mb();
	for (i = 0; i < nr; i++) {
		if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
			     &side->fences[i].flags))
			dma_fence_signal(&side->fences[i]);
	}
}

/* From the moment at which nothing is busy any more: today's has still to release it. */
static int allocate(struct side *side)
{
	signal_all(side);
	return create(side);
}

static int run_side(void *data)
{
	struct side *side = data;

	complete(&side->ready);
	wait_for_completion(&side->race->start);
	side->ret = side->phase(side);
	kthread_complete_and_exit(&side->done, 0);
}

static int start_side(struct side *side, unsigned int cpu)
{
	struct task_struct *task;

	init_completion(&side->ready);
	init_completion(&side->done);
	task = kthread_create_on_cpu(run_side, side, cpu, "bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	wait_for_completion(&side->ready);
	return 0;
}

/* All tasks do it at once, from when all are ready until the last has ended. */
static int run_phase(struct race *race, unsigned int phase,
		     int (*function)(struct side *side))
{
	unsigned int started, i;
	int ret = 0;

	init_completion(&race->start);
	for (started = 0; started < race->config->cpus; started++) {
		race->sides[started].phase = function;
		ret = start_side(&race->sides[started], started);
		if (ret)
			break;
	}
	race->contended[phase].dev = race->dev;
	bench_contention_watch(&race->contended[phase]);
	bench_start(&race->times[phase]);
	complete_all(&race->start);
	for (i = 0; i < started; i++)
		wait_for_completion(&race->sides[i].done);
	bench_stop(&race->times[phase]);
	bench_contention_watch(NULL);
	for (i = 0; i < started; i++)
		ret = ret ?: race->sides[i].ret;
	return ret;
}

static int check_gone(struct race *race)
{
	int left;

	race->dev->flavour->finish(race->dev, 0);
	left = atomic_read(&race->dev->nr_bos);
	if (left)
		pr_err("bench: %s: %d buffers were not deleted\n",
		       race->dev->flavour->name, left);
	return left ? -EIO :
		      bench_fences_check(race->sides[0].fences,
					 nr_fences(race->config));
}

static int live(struct race *race)
{
	unsigned int i;
	int ret;

	ret = run_phase(race, CREATE, create);
	ret = ret ?: run_phase(race, SUBMIT, submit_all);
	ret = ret ?: run_phase(race, DELETE, delete_all);
	/* The dead have all the memory that there is. */
	ret = ret ?: run_phase(race, ALLOCATE, allocate);
	for (i = 0; i < race->config->cpus; i++)
		signal_all(&race->sides[i]);
	if (ret)
		return ret;

	for (i = 0; i < race->config->cpus; i++)
		delete_all(&race->sides[i]);
	return check_gone(race);
}

static void divide(struct race *race, struct dma_fence *fences)
{
	unsigned int cpus = race->config->cpus, i;
	unsigned int nr = race->config->buffers / cpus;

	for (i = 0; i < cpus; i++) {
		race->sides[i] = (struct side){
			.race = race,
			.bos = race->dev->bos + i * nr,
			.fences = fences + i * (nr_fences(race->config) / cpus),
			.nr = nr,
		};
	}
}

static void emit_all(struct race *race, struct bench_results *results)
{
	const char *flavour = race->dev->flavour->name;
	u64 ops = race->config->buffers;
	unsigned int i;

	for (i = 0; i < NUM_PHASES; i++)
		bench_emit_contended(results, names[i], flavour, race->config,
				     &race->times[i], &race->contended[i],
				     i == SUBMIT ? AGAIN * ops : ops);
}

static int sample(struct bench_device *dev, const struct bench_config *config,
		  struct dma_fence *fences, struct bench_results *results)
{
	struct side sides[MAX_CPUS];
	struct race *race;
	unsigned int i;
	int ret;

	race = kzalloc_obj(*race);
	if (!race)
		return -ENOMEM;
	*race = (struct race){ .dev = dev, .config = config, .sides = sides };
	race->emit = kcalloc(config->channels, sizeof(*race->emit), GFP_KERNEL);
	ret = race->emit ? bench_device_configure(dev, config) : -ENOMEM;
	if (ret)
		goto free;
	for (i = 0; i < config->channels; i++)
		mutex_init(&race->emit[i]);
	divide(race, fences);
	ret = live(race);
	bench_device_unconfigure(dev);
	if (!ret && results)
		emit_all(race, results);
free:
	kfree(race->emit);
	kfree(race);
	return ret;
}

int bench_cpus(const struct bench_measurement *measurement,
	       struct bench_results *results)
{
	const struct bench_config *config = measurement->configs;
	struct bench_devices *devs;
	struct dma_fence *fences;
	int ret;

	if (num_online_cpus() < MAX_CPUS) {
		pr_info("bench: one CPU: nothing to be said of two\n");
		return 0;
	}
	/* As many buffers in each configuration, and no more memory than for them. */
	devs = bench_devices_create(BENCH_NR_FLAVOURS, config->buffers);
	if (IS_ERR(devs))
		return PTR_ERR(devs);
	fences = kvcalloc(nr_fences(config), sizeof(*fences), GFP_KERNEL);
	ret = fences ? bench_contention_begin() : -ENOMEM;
	if (!ret) {
		ret = bench_devices_sample(devs, sample, measurement, fences,
					   results);
		bench_contention_end();
	}
	kvfree(fences);
	bench_devices_destroy(devs);
	return ret;
}
