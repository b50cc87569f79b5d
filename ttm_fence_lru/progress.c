// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How a channel goes on: how fast it is, and whether somebody waited for it in vain.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "internal.h"

/* The channel was seen to go on: nobody has waited for it since. */
void ttm_fence_lru_goes_on(struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lru->reclaim_lock);

	dma_fence_put(channel->waiting_for);
	channel->waiting_for = NULL;
}

/*
 * Note how fast a channel goes on: it was, and is, busy with fences of its own numbers. If it
 * had nothing to do in between it seems slow, until it has been looked at some more times.
 */
void ttm_fence_lru_measure(struct ttm_fence_lru_channel *channel, u64 seqno)
{
	u64 now, pace;

	lockdep_assert_held(&channel->lru->reclaim_lock);

	if (seqno == channel->looked_for)
		return;
	now = ktime_get_ns();
	if (channel->looked_for && seqno > channel->looked_for) {
		pace = div64_u64(now - channel->looked_at,
				 seqno - channel->looked_for);
		channel->pace = channel->pace ? (3 * channel->pace + pace) / 4 :
						pace;
	}
	channel->looked_at = now;
	channel->looked_for = seqno;
}

/*
 * Somebody waited for the channel, for so many jiffies, and it did not go on. Retiring
 * may not have seen that it did, if all buffers were used again before.
 */
bool ttm_fence_lru_is_late(struct ttm_fence_lru_channel *channel,
			   unsigned long patience)
{
	if (!channel->waiting_for ||
	    time_before(jiffies, channel->waiting_since + patience))
		return false;
	if (!ttm_fence_lru_has_signaled(channel->waiting_for))
		return true;

	ttm_fence_lru_goes_on(channel);
	return false;
}

/* Remember since when. */
void ttm_fence_lru_begin_to_wait(struct ttm_fence_lru_channel *channel,
				 struct dma_fence *fence)
{
	if (channel->waiting_for)
		return;

	channel->waiting_since = jiffies;
	channel->waiting_for = dma_fence_get(fence);
}

/* The first fence of a channel, with a reference, and the number of its node; or NULL. */
struct dma_fence *
ttm_fence_lru_first_fence(struct ttm_fence_lru_channel *channel, u64 *seq)
{
	struct ttm_fence_lru_node *node;
	struct dma_fence *fence = NULL;

	spin_lock(&channel->lock);
	node = ttm_fence_lru_first_node(channel);
	if (node) {
		*seq = node->seq;
		fence = dma_fence_get(ttm_fence_lru_node_fence(channel, node));
	}
	spin_unlock(&channel->lock);
	return fence;
}

/**
 * ttm_fence_lru_note_wait - somebody is about to wait for a fence
 * @lru: the device's engine
 * @fence: the fence, of any channel or none
 *
 * How long its channel is waited for without going on, by any task, is remembered with the
 * channel, until something of it has signaled; a new fence behind one that hangs is no news.
 *
 * Context: process context.
 */
void ttm_fence_lru_note_wait(struct ttm_fence_lru *lru, struct dma_fence *fence)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *first = NULL;
	u64 seq;

	mutex_lock(&lru->reclaim_lock);
	channel = ttm_fence_lru_channel_find(lru, fence->context);
	if (channel)
		first = ttm_fence_lru_first_fence(channel, &seq);
	if (first)
		ttm_fence_lru_begin_to_wait(channel, first);
	dma_fence_put(first);
	mutex_unlock(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_note_wait);
