// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a thread of a race does again and again. Each returns how many steps that was.
 */
#include "race.h"

/* A rebirth waits for a grace period: the others do that much meanwhile. */
#define STEPS_OF_REBIRTH 20

static u32 random_below(struct racer *racer, u32 limit)
{
	return prandom_u32_state(&racer->rnd) % limit;
}

static struct race_timeline *random_channel(struct racer *racer)
{
	return &racer->dev->timelines[random_below(racer,
						   racer->dev->nr_channels)];
}

static struct race_bo *random_slot(struct racer *racer)
{
	return race_slot_get(racer->dev,
			     random_below(racer, racer->dev->nr_slots));
}

static void submit_one(struct race_timeline *timeline, struct race_bo *bo)
{
	struct dma_fence *fence;

	mutex_lock(&timeline->emit);
	fence = race_emit(timeline);
	race_bo_use(bo, timeline, fence, true);
	mutex_unlock(&timeline->emit);
	dma_fence_put(fence);
}

/* A job of a few of the buffers that all use. */
unsigned int act_submit(struct racer *racer)
{
	struct race_timeline *timeline = random_channel(racer);
	struct dma_fence *fence;
	struct race_bo *bo;
	int i;

	mutex_lock(&timeline->emit);
	fence = race_emit(timeline);
	for (i = random_below(racer, 2); i < 2; i++) {
		bo = random_slot(racer);
		race_bo_use(bo, timeline, fence, true);
		race_bo_put(bo);
	}
	mutex_unlock(&timeline->emit);
	dma_fence_put(fence);
	return 1;
}

/* Attach a fence of another's job, at any time: as TTM does when it copies fences. */
unsigned int act_copy_fence(struct racer *racer)
{
	struct race_timeline *timeline = random_channel(racer);
	struct dma_fence *fence = race_recent(timeline);
	struct race_bo *bo;

	if (!fence)
		return 1;
	bo = random_slot(racer);
	race_bo_use(bo, timeline, fence, false);
	race_bo_put(bo);
	dma_fence_put(fence);
	return 1;
}

/* The last put of a buffer that is busy on one channel, and perhaps about to be idle. */
unsigned int act_use_once_and_drop(struct racer *racer)
{
	struct race_timeline *timeline = random_channel(racer);
	struct race_bo *bo = race_bo_create(racer->dev);

	submit_one(timeline, bo);
	if (random_below(racer, 2))
		race_complete(timeline, U32_MAX);
	race_bo_put(bo);
	return 1;
}

/* The same, on several. */
unsigned int act_use_and_drop(struct racer *racer)
{
	struct race_bo *bo = race_bo_create(racer->dev);
	int i;

	for (i = random_below(racer, 3); i < 3; i++)
		submit_one(random_channel(racer), bo);
	if (random_below(racer, 2))
		race_complete(random_channel(racer), 3);
	race_bo_put(bo);
	return 1;
}

/* The same, and a fence that no channel vouches for. */
unsigned int act_use_elsewhere_and_drop(struct racer *racer)
{
	struct race_timeline *foreign = &racer->dev->timelines[RACE_FOREIGN];
	struct race_bo *bo = race_bo_create(racer->dev);

	submit_one(foreign, bo);
	if (random_below(racer, 2))
		submit_one(random_channel(racer), bo);
	race_bo_put(bo);
	race_complete(foreign, random_below(racer, 3));
	return 1;
}

static struct race_group *random_group(struct racer *racer)
{
	return &racer->dev->groups[random_below(racer, RACE_RESVS)];
}

/* A job of all buffers of an address space. */
unsigned int act_submit_group(struct racer *racer)
{
	struct race_timeline *timeline = random_channel(racer);
	struct dma_fence *fence;

	mutex_lock(&timeline->emit);
	fence = race_emit(timeline);
	race_group_use(random_group(racer), timeline, fence);
	mutex_unlock(&timeline->emit);
	dma_fence_put(fence);
	return 1;
}

/* A buffer joins an address space, used already or not, and dies there. */
unsigned int act_join_and_drop(struct racer *racer)
{
	struct race_bo *bo = race_bo_create(racer->dev);

	if (random_below(racer, 2))
		submit_one(random_channel(racer), bo);
	bo->group = container_of(bo->resv, struct race_group, resv);
	race_pause(racer->dev);
	race_bo_put(bo);
	return 1;
}

/* Another buffer in the place of one that others may be using. */
unsigned int act_replace(struct racer *racer)
{
	unsigned int slot = random_below(racer, racer->dev->nr_slots);
	struct race_bo *bo = race_bo_create(racer->dev);

	race_bo_put(race_slot_swap(racer->dev, slot, bo));
	return 1;
}

/* One channel goes on, or all get done: only then do shared buffers become idle. */
unsigned int act_signal(struct racer *racer)
{
	struct race_device *dev = racer->dev;
	int i;

	if (random_below(racer, 2))
		race_complete(random_channel(racer),
			      1 + random_below(racer, 3));
	else
		for (i = 0; i < dev->nr_channels; i++)
			race_complete(&dev->timelines[i], U32_MAX);
	race_pause(dev);
	return 1;
}

unsigned int act_retire(struct racer *racer)
{
	ttm_fence_lru_retire(&racer->dev->lru);
	return 1;
}

/* After a retire, what had signaled before the call is off the channels. */
unsigned int act_retire_own(struct racer *racer)
{
	struct race_timeline *timeline = random_channel(racer);
	struct race_bo *bo = race_bo_create(racer->dev);

	submit_one(timeline, bo);
	race_complete(timeline, U32_MAX);
	ttm_fence_lru_retire(&racer->dev->lru);
	if (ttm_fence_lru_bo_is_busy(&bo->base))
		race_fault(racer->dev, "a retire has left what had signaled");
	race_bo_put(bo);
	return 1;
}

/* What an allocation lacks, from the beginning. */
static void lack(struct racer *racer)
{
	racer->need = (struct ttm_fence_lru_need){
		.type = 1 + random_below(racer, 2),
	};
}

/* An operation goes on however much the others do meanwhile. */
unsigned int act_reclaim(struct racer *racer)
{
	if (!ttm_fence_lru_reclaim(&racer->dev->lru, &racer->need))
		lack(racer);
	return 1;
}

unsigned int act_shrink_and_refresh(struct racer *racer)
{
	struct ttm_fence_lru *lru = &racer->dev->lru;

	ttm_fence_lru_refresh(lru);
	ttm_fence_lru_shrink(lru, 1 + random_below(racer, 2),
			     random_below(racer, 3) * RACE_BO_BYTES);
	return 1;
}

/* Releases obey the limit from now on, too. */
unsigned int act_limit_and_trim(struct racer *racer)
{
	struct ttm_fence_lru *lru = &racer->dev->lru;

	ttm_fence_lru_set_limit(lru, TTM_FENCE_LRU_ANY_TYPE,
				random_below(racer, 3) * RACE_BO_BYTES);
	ttm_fence_lru_trim(lru);
	return 1;
}

/* Buffers that somebody would evict though they are busy. */
struct victims {
	struct racer *racer;
	struct race_bo *bos[3];
	unsigned int nr;
};

static bool take(struct ttm_fence_lru_bo *base, void *data)
{
	struct race_bo *bo = container_of(base, struct race_bo, base);
	struct victims *victims = data;

	if (base->state != TTM_FENCE_LRU_ALIVE || !base->nr_links)
		race_fault(victims->racer->dev, "visited, and not busy");
	if (victims->nr == ARRAY_SIZE(victims->bos))
		return false;
	if (!base->is_group && kref_get_unless_zero(&bo->kref))
		victims->bos[victims->nr++] = bo;
	return true;
}

/* From no patience at all to more than a race takes. */
static unsigned long random_patience(struct racer *racer)
{
	return random_below(racer, 3) * HZ;
}

unsigned int act_visit_busy(struct racer *racer)
{
	struct victims victims = { .racer = racer };
	struct ttm_fence_lru_cursor cursor = {};

	ttm_fence_lru_visit_busy(&racer->dev->lru, random_patience(racer),
				 &cursor, take, &victims);
	race_pause(racer->dev);
	while (victims.nr)
		race_bo_put(victims.bos[--victims.nr]);
	return 1;
}

/* An allocation, with a reservation of its own, that finds nothing. */
unsigned int act_reclaim_and_settle(struct racer *racer)
{
	struct race_device *dev = racer->dev;
	struct mutex *resv = &random_group(racer)->resv;

	mutex_lock(resv);
	lack(racer);
	while (ttm_fence_lru_reclaim(&dev->lru, &racer->need))
		;
	race_settle(dev);
	ttm_fence_lru_reclaim(&dev->lru, &racer->need);
	mutex_unlock(resv);
	return 1;
}

unsigned int act_drain(struct racer *racer)
{
	ttm_fence_lru_drain(&racer->dev->lru);
	return 1;
}

unsigned int act_hold_a_reservation(struct racer *racer)
{
	struct mutex *resv = &random_group(racer)->resv;

	mutex_lock(resv);
	race_pause(racer->dev);
	mutex_unlock(resv);
	return 1;
}

unsigned int act_evict(struct racer *racer)
{
	race_evict(racer->dev);
	return 1;
}

unsigned int act_rebirth(struct racer *racer)
{
	race_rebirth(racer->dev, random_channel(racer));
	return STEPS_OF_REBIRTH;
}

/* A task that waits: it looks at the frontiers, and loses patience. */
unsigned int act_look_at_frontiers(struct racer *racer)
{
	struct ttm_fence_lru *lru = &racer->dev->lru;
	struct dma_fence *fences[RACE_MAX_CHANNELS];
	struct ttm_fence_lru_due due = {
		.type = random_below(racer, 2) ? 1 : TTM_FENCE_LRU_ANY_TYPE,
		.last_seq = ttm_fence_lru_emitted(lru),
		.patience = random_patience(racer),
	};
	unsigned int count, i;

	count = ttm_fence_lru_frontiers(lru, &due, fences,
					1 + random_below(racer, 3));
	for (i = 0; i < count; i++) {
		dma_fence_is_signaled(fences[i]);
		dma_fence_put(fences[i]);
	}
	return 1;
}

/* It has to do with what is dead only, and is of a fence that had been emitted. */
unsigned int act_look_at_zombies(struct racer *racer)
{
	struct ttm_fence_lru *lru = &racer->dev->lru;
	u64 seq = random_below(racer, 2) * ttm_fence_lru_emitted(lru) / 2;
	u64 after = seq;
	struct dma_fence *fence;

	fence = ttm_fence_lru_oldest_match(lru, 1 + random_below(racer, 2),
					   random_patience(racer), NULL, NULL,
					   &seq);
	if (fence && (seq <= after || seq > ttm_fence_lru_emitted(lru)))
		race_fault(racer->dev, "a zombie of no such age");
	if (fence)
		ttm_fence_lru_note_wait(lru, fence);
	race_pause(racer->dev);
	dma_fence_put(fence);
	return 1;
}

/* What somebody would wait for who compares that with the cost of moving memory. */
unsigned int act_look_what_is_due(struct racer *racer)
{
	struct dma_fence *fences[RACE_MAX_CHANNELS];
	struct ttm_fence_lru_due due = {
		.type = 1 + random_below(racer, 2),
		.last_seq = U64_MAX,
		.patience = random_patience(racer),
		.within = NSEC_PER_SEC >> random_below(racer, 20),
	};
	unsigned int count;

	count = ttm_fence_lru_frontiers(&racer->dev->lru, &due, fences,
					RACE_MAX_CHANNELS);
	if (!count != !due.bytes)
		race_fault(racer->dev, "nothing to wait for is due, or so");
	while (count)
		dma_fence_put(fences[--count]);
	return 1;
}

/* As old as anything that was emitted, at the most: at the tail of the LRU or not. */
unsigned int act_touch(struct racer *racer)
{
	struct race_device *dev = racer->dev;
	struct race_bo *bo = random_slot(racer);

	spin_lock(&dev->lru_lock);
	ttm_fence_lru_touch(&dev->lru, &bo->base);
	if (bo->base.state == TTM_FENCE_LRU_ALIVE &&
	    bo->base.last_seq > ttm_fence_lru_emitted(&dev->lru))
		race_fault(dev, "used in the future");
	spin_unlock(&dev->lru_lock);
	race_bo_put(bo);
	return 1;
}

static bool is_below_zero(const struct ttm_fence_lru_tally *tally)
{
	return (s64)READ_ONCE(tally->count) < 0 ||
	       (s64)READ_ONCE(tally->bytes) < 0;
}

/* Each counter is right at any moment, without a lock. */
unsigned int act_read_stats(struct racer *racer)
{
	struct ttm_fence_lru_stats *stats = &racer->dev->lru.stats;
	struct race_bo *bo = random_slot(racer);
	unsigned int state, type;
	bool fell;

	fell = (s64)READ_ONCE(stats->busy) < 0 ||
	       is_below_zero(&stats->zombies);
	for (state = 0; state < TTM_FENCE_LRU_NUM_STATES; state++)
		for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
			fell |= is_below_zero(&stats->dead[state][type]);
	if (fell)
		race_fault(racer->dev, "a counter fell below zero");
	ttm_fence_lru_bo_is_busy(&bo->base);
	race_bo_put(bo);
	return 1;
}
