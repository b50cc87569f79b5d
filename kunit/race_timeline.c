// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Channels of a race, and their fences: how far a channel has come is one number.
 */
#include <linux/preempt.h>
#include <linux/slab.h>

#include "race.h"

/* As race_pause(), where nothing may sleep. */
static void delay(struct race_device *dev)
{
	preempt_disable();
	race_pause(dev);
	preempt_enable();
}

static struct race_fence *to_race_fence(struct dma_fence *fence)
{
	return container_of(fence, struct race_fence, base);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "race";
}

static bool is_completed(struct dma_fence *fence)
{
	return atomic64_read(&to_race_fence(fence)->timeline->completed) >=
	       fence->seqno;
}

static bool fence_signaled(struct dma_fence *fence)
{
	struct race_device *dev = to_race_fence(fence)->timeline->dev;
	bool signaled;

	delay(dev);
	signaled = is_completed(fence);
	/* The asker acts on an answer that is older than it believes. */
	delay(dev);
	return signaled;
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.signaled = fence_signaled,
};

/* A new fence. The emission lock is held until it is attached. */
struct dma_fence *race_emit(struct race_timeline *timeline)
{
	struct dma_fence *last;
	struct race_fence *fence;

	lockdep_assert_held(&timeline->emit);

	fence = kzalloc_obj(*fence, GFP_KERNEL | __GFP_NOFAIL);
	fence->timeline = timeline;
	spin_lock_init(&fence->lock);
	if (timeline->channel &&
	    ttm_fence_lru_channel_reserve(timeline->channel))
		race_fault(timeline->dev, "no memory for a node");

	dma_fence_init(&fence->base, &fence_ops, &fence->lock,
		       timeline->context, timeline->emitted + 1);
	WRITE_ONCE(timeline->emitted, timeline->emitted + 1);

	spin_lock(&timeline->recent_lock);
	last = timeline->recent;
	timeline->recent = dma_fence_get(&fence->base);
	spin_unlock(&timeline->recent_lock);
	dma_fence_put(last);
	return &fence->base;
}

/* A fence that somebody may attach who does not emit, or NULL. */
struct dma_fence *race_recent(struct race_timeline *timeline)
{
	struct dma_fence *fence;

	spin_lock(&timeline->recent_lock);
	fence = timeline->recent ? dma_fence_get(timeline->recent) : NULL;
	spin_unlock(&timeline->recent_lock);
	return fence;
}

/* Up to @count fences more have signaled. */
void race_complete(struct race_timeline *timeline, u64 count)
{
	s64 completed = atomic64_read(&timeline->completed), next;

	do {
		next = min(completed + count, READ_ONCE(timeline->emitted));
	} while (completed < next &&
		 !atomic64_try_cmpxchg(&timeline->completed, &completed, next));
}

/* As a reservation object: the last fence of each timeline. */
void race_fences_add(struct dma_fence **fences, struct dma_fence *fence)
{
	struct race_timeline *timeline = to_race_fence(fence)->timeline;
	unsigned int i = timeline - timeline->dev->timelines;

	if (fences[i] && fences[i]->seqno >= fence->seqno)
		return;
	dma_fence_put(fences[i]);
	fences[i] = dma_fence_get(fence);
}

/* The first that has not signaled, or NULL. */
struct dma_fence *race_fences_blocker(struct dma_fence **fences)
{
	int i;

	for (i = 0; i < RACE_TIMELINES; i++)
		if (fences[i] && !is_completed(fences[i]))
			return fences[i];
	return NULL;
}

void race_fences_put(struct dma_fence **fences)
{
	int i;

	for (i = 0; i < RACE_TIMELINES; i++)
		dma_fence_put(fences[i]);
}

static void register_channel(struct race_timeline *timeline)
{
	struct race_device *dev = timeline->dev;

	timeline->channel =
		kzalloc_obj(*timeline->channel, GFP_KERNEL | __GFP_NOFAIL);
	if (ttm_fence_lru_channel_register(&dev->lru, timeline->channel,
					   timeline->context))
		race_fault(dev, "a channel cannot be registered");
}

/* Unregister the channel, which the caller frees after a grace period. */
static struct ttm_fence_lru_channel *
unregister_channel(struct race_timeline *timeline)
{
	struct ttm_fence_lru_channel *channel = timeline->channel;

	timeline->channel = NULL;
	ttm_fence_lru_channel_unregister(channel);
	return channel;
}

/* Right after the grace period: KASAN catches those that look at it later than that. */
static void free_channel(struct ttm_fence_lru_channel *channel)
{
	synchronize_rcu();
	kfree(channel);
}

void race_unregister_channel(struct race_timeline *timeline)
{
	if (timeline->channel)
		free_channel(unregister_channel(timeline));
}

/*
 * The end of a channel and the beginning of another, sometimes with the same context.
 * Others attach and bury meanwhile.
 */
void race_rebirth(struct race_device *dev, struct race_timeline *timeline)
{
	struct ttm_fence_lru_channel *old;

	mutex_lock(&timeline->life);
	WRITE_ONCE(timeline->dying, true);
	ttm_fence_lru_channel_kill(timeline->channel);
	race_complete(timeline, U32_MAX);

	/* No driver reserves nodes, or emits, on a channel that is unregistered. */
	mutex_lock(&timeline->emit);
	race_complete(timeline, U32_MAX);
	old = unregister_channel(timeline);
	if (timeline->emitted % 2)
		timeline->context = dma_fence_context_alloc(1);
	register_channel(timeline);
	WRITE_ONCE(timeline->dying, false);
	mutex_unlock(&timeline->emit);
	mutex_unlock(&timeline->life);
	free_channel(old);
}

void race_init_timeline(struct race_device *dev, unsigned int i)
{
	struct race_timeline *timeline = &dev->timelines[i];

	timeline->dev = dev;
	timeline->context = dma_fence_context_alloc(1);
	mutex_init(&timeline->emit);
	mutex_init(&timeline->life);
	spin_lock_init(&timeline->recent_lock);
	if (i < dev->nr_channels)
		register_channel(timeline);
}
