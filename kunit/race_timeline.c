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

struct race_fence {
	struct dma_fence base;
	struct race_device *dev;
	struct race_timeline *timeline;
	spinlock_t lock; /* of @base */
};

static const char *fence_name(struct dma_fence *fence)
{
	return "race";
}

static bool fence_signaled(struct dma_fence *base)
{
	struct race_fence *fence = container_of(base, struct race_fence, base);
	bool signaled;

	delay(fence->dev);
	signaled = atomic64_read(&fence->timeline->completed) >= base->seqno;
	/* The asker acts on an answer that is older than it believes. */
	delay(fence->dev);
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

	fence = kzalloc(sizeof(*fence), GFP_KERNEL | __GFP_NOFAIL);
	fence->dev = timeline->dev;
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

static void register_channel(struct race_timeline *timeline)
{
	struct race_device *dev = timeline->dev;

	timeline->channel =
		kzalloc(sizeof(*timeline->channel), GFP_KERNEL | __GFP_NOFAIL);
	if (ttm_fence_lru_channel_register(&dev->lru, timeline->channel,
					   timeline->context))
		race_fault(dev, "a channel cannot be registered");
}

void race_unregister_channel(struct race_timeline *timeline)
{
	if (!timeline->channel)
		return;
	ttm_fence_lru_channel_unregister(timeline->channel);
	/* Whoever still looks at it is caught by KASAN. */
	kfree(timeline->channel);
	timeline->channel = NULL;
}

/*
 * The end of a channel and the beginning of another, sometimes with the same context.
 * Attaches are in flight until the engine says that there are none.
 */
void race_rebirth(struct race_device *dev, struct race_timeline *timeline)
{
	mutex_lock(&timeline->life);
	WRITE_ONCE(timeline->dying, true);
	ttm_fence_lru_channel_kill(timeline->channel);
	race_complete(timeline, U32_MAX);

	/* No driver reserves nodes, or emits, on a channel that is unregistered. */
	mutex_lock(&timeline->emit);
	race_complete(timeline, U32_MAX);
	race_unregister_channel(timeline);
	if (timeline->emitted % 2)
		timeline->context = dma_fence_context_alloc(1);
	register_channel(timeline);
	WRITE_ONCE(timeline->dying, false);
	mutex_unlock(&timeline->emit);
	mutex_unlock(&timeline->life);
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
