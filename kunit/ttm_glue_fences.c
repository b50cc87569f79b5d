// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fences for the tests of the glue on real TTM.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

static struct glue_fence *to_glue_fence(struct dma_fence *fence)
{
	return container_of(fence, struct glue_fence, base);
}

/*
 * Fences: those that can be sampled say what @done says; the others say so only
 * once signaling is enabled, as hardware that cannot be read.
 */

static const char *fence_name(struct dma_fence *fence)
{
	return "glue";
}

static bool fence_enable_signaling(struct dma_fence *base)
{
	struct glue_fence *fence = to_glue_fence(base);

	fence->channel->enables++;
	if (fence->on_wait)
		schedule_work(&fence->work);
	return !fence->done;
}

static bool fence_signaled(struct dma_fence *base)
{
	struct glue_fence *fence = to_glue_fence(base);

	fence->channel->samples++;
	return READ_ONCE(fence->done);
}

static const struct dma_fence_ops samplable_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable_signaling,
	.signaled = fence_signaled,
};

static const struct dma_fence_ops silent_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable_signaling,
};

static void fence_work(struct work_struct *work)
{
	struct glue_fence *fence = container_of(work, struct glue_fence, work);

	fence->on_wait(fence);
	glue_complete(fence);
}

/* A fence of a channel; @samplable: it has a .signaled. */
struct glue_fence *glue_emit(struct glue_device *dev, unsigned int channel,
			     bool samplable)
{
	struct glue_channel *ch = &dev->channels[channel];
	struct glue_fence *fence;

	if (dev->bdev.fence_lru && channel != GLUE_FOREIGN)
		KUNIT_ASSERT_EQ(dev->test,
				ttm_fence_lru_channel_reserve(&ch->base), 0);

	fence = kzalloc_obj(*fence);
	KUNIT_ASSERT_NOT_NULL(dev->test, fence);
	fence->channel = ch;
	INIT_WORK(&fence->work, fence_work);
	dma_fence_init(&fence->base, samplable ? &samplable_ops : &silent_ops,
		       &ch->lock, ch->context, ++ch->seqno);
	list_add_tail(&fence->entry, &dev->fences);
	return fence;
}

/* The hardware is past the fence; it interrupts only if it was told to. */
void glue_complete(struct glue_fence *fence)
{
	unsigned long flags;

	spin_lock_irqsave(&fence->channel->lock, flags);
	WRITE_ONCE(fence->done, true);
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->base.flags))
		dma_fence_signal_locked(&fence->base);
	spin_unlock_irqrestore(&fence->channel->lock, flags);
}

static void do_nothing(struct glue_fence *fence)
{
}

/* Complete it once somebody waits for it, not before. */
void glue_complete_on_wait(struct glue_fence *fence)
{
	fence->on_wait = do_nothing;
	/* Somebody may have asked for it before: a delayed delete does. */
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->base.flags))
		schedule_work(&fence->work);
}

static void drain(struct glue_fence *fence)
{
	glue_complete(fence);
	ttm_device_drain(&fence->channel->dev->bdev);
}

/* While one waits for it, another reclaims all that it held up. */
void glue_drain_on_wait(struct glue_fence *fence)
{
	fence->on_wait = drain;
}

/* To be &glue_fence.on_wait: complete it a moment later. */
void glue_sleep_a_moment(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(2);
}

/* Complete it from another thread, a moment after this one sleeps. */
void glue_complete_later(struct glue_fence *fence)
{
	fence->on_wait = glue_sleep_a_moment;
	schedule_work(&fence->work);
}

/* Send this thread a signal, once it has begun to wait for the fence. */
static struct task_struct *waiting;

static void interrupt(struct glue_fence *fence)
{
	send_sig(SIGUSR1, waiting, 1);
	/* The fence is completed when this returns: not before the signal was seen. */
	while (READ_ONCE(waiting))
		schedule_timeout_uninterruptible(1);
}

void glue_begin_interruptible(struct glue_fence *fence)
{
	allow_signal(SIGUSR1);
	waiting = current;
	fence->on_wait = interrupt;
}

void glue_end_interruptible(struct glue_fence *fence)
{
	WRITE_ONCE(waiting, NULL);
	flush_work(&fence->work);
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

/* Somebody has waited for the channel, for so many jiffies, and it did not go on. */
void glue_make_late(struct glue_channel *channel, unsigned long time)
{
	struct ttm_fence_lru_due due = {
		.type = TTM_FENCE_LRU_ANY_TYPE,
		.last_seq = U64_MAX,
		.patience = MAX_JIFFY_OFFSET,
	};
	struct dma_fence *fences[GLUE_CHANNELS];
	unsigned int count;

	count = ttm_fence_lru_frontiers(channel->dev->bdev.fence_lru, &due,
					fences, ARRAY_SIZE(fences));
	KUNIT_EXPECT_NOT_NULL(channel->dev->test, channel->base.waiting_for);
	while (count)
		dma_fence_put(fences[--count]);
	channel->base.waiting_since -= time;
}

static unsigned long the_timeout;

static unsigned long get_timeout(void)
{
	return the_timeout;
}

/* How long the case is to wait in all, in jiffies. */
void glue_set_timeout(struct kunit *test, unsigned long timeout)
{
	the_timeout = timeout;
	kunit_activate_static_stub(test, ttm_fence_lru_timeout, get_timeout);
}

static unsigned long the_moment;

static unsigned long get_moment(void)
{
	return the_moment;
}

/* How long it is to wait for zombies alone, in jiffies; the last call counts. */
void glue_set_moment(struct kunit *test, unsigned long moment)
{
	the_moment = moment;
	kunit_activate_static_stub(test, ttm_fence_lru_moment, get_moment);
}

/* More than half of glue_set_timeout(): two of these are too much for one. */
void glue_take_half_the_time(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(the_timeout / 2 + 1);
}

/* Complete it when somebody has waited for more than half of glue_set_timeout(). */
void glue_complete_late(struct glue_fence *fence)
{
	fence->on_wait = glue_take_half_the_time;
}

/* A BO that died under a fence of its own. */
struct glue_fence *glue_bury(struct glue_device *dev, char name,
			     const struct ttm_placement *placement)
{
	struct glue_bo *bo = glue_bo(dev, name, placement);
	struct glue_fence *fence = glue_use(bo, 0);

	glue_put(bo);
	return fence;
}
