// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Frontiers: the first fences of the channels, for those who must wait.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "internal.h"

/* The fence of a node, with a reference, and its sequence number; NULL without a node. */
static struct dma_fence *get_fence(struct ttm_fence_lru_node *node, u64 *seq)
{
	if (!node)
		return NULL;

	*seq = node->seq;
	return dma_fence_get(node->fence);
}

struct dma_fence *
ttm_fence_lru_first_fence(struct ttm_fence_lru_channel *channel, u64 *seq)
{
	struct dma_fence *fence;

	spin_lock(&channel->lock);
	fence = get_fence(ttm_fence_lru_first_node(channel), seq);
	spin_unlock(&channel->lock);
	return fence;
}

static struct dma_fence *last_fence(struct ttm_fence_lru_channel *channel,
				    u64 *seq)
{
	struct ttm_fence_lru_node *node = NULL;
	struct dma_fence *fence;

	spin_lock(&channel->lock);
	if (!list_empty(&channel->nodes))
		node = list_last_entry(&channel->nodes,
				       struct ttm_fence_lru_node, entry);
	fence = get_fence(node, seq);
	spin_unlock(&channel->lock);
	return fence;
}

/* For who holds the reclaim mutex: the code of the fence's driver must not sleep. */
bool ttm_fence_lru_has_signaled(struct dma_fence *fence)
{
	bool signaled;

	non_block_start();
	signaled = dma_fence_is_signaled(fence);
	non_block_end();
	return signaled;
}

/* The node with this number was seen signaled, and so were all before it. */
void ttm_fence_lru_note_signaled(struct ttm_fence_lru_channel *channel, u64 seq)
{
	spin_lock(&channel->lock);
	WRITE_ONCE(channel->signaled, max(channel->signaled, seq));
	spin_unlock(&channel->lock);
}

/* One test may settle many: if the last fence has signaled, so have all. */
void ttm_fence_lru_sample_last(struct ttm_fence_lru_channel *channel)
{
	struct dma_fence *fence;
	u64 seq;

	fence = last_fence(channel, &seq);
	if (fence && ttm_fence_lru_has_signaled(fence))
		ttm_fence_lru_note_signaled(channel, seq);
	dma_fence_put(fence);
}

/*
 * A fence that cannot be asked signals only once its signaling was enabled. Not to
 * be called with a spinlock held: it is the fence's driver that does it.
 */
void ttm_fence_lru_arm(struct ttm_fence_lru *lru, struct dma_fence *fence)
{
	if (fence->ops->signaled ||
	    test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags))
		return;

	spin_lock(lru->lru_lock);
	lru->stats.armed++;
	spin_unlock(lru->lru_lock);
	dma_fence_enable_sw_signaling(fence);
}

static bool holds(struct ttm_fence_lru_channel *channel, unsigned int type)
{
	if (type == TTM_FENCE_LRU_ANY_TYPE)
		return READ_ONCE(channel->nr_links);
	return READ_ONCE(channel->nr_zombies[type]);
}

/**
 * ttm_fence_lru_frontiers - what to wait for
 * @lru: the device's engine
 * @due: which ones; out: what they would bring
 * @fences: out: the first fence of each such channel, with a reference
 * @max: room in @fences
 *
 * When any of them signals, reclaim finds something. Never wait for a single
 * one: it may be that of a hung channel. Those that were found to be stalled are
 * left out.
 *
 * Context: process context.
 * Return: how many fences there are in @fences.
 */
unsigned int ttm_fence_lru_frontiers(struct ttm_fence_lru *lru,
				     struct ttm_fence_lru_due *due,
				     struct dma_fence **fences,
				     unsigned int max)
{
	struct ttm_fence_lru_channel *channel;
	unsigned int count = 0;
	struct dma_fence *fence;
	u64 seq;

	due->first_seq = 0;
	due->bytes = 0;

	mutex_lock(&lru->reclaim_lock);
	list_for_each_entry(channel, &lru->channels, entry) {
		if (count == max)
			break;
		if (!holds(channel, due->type))
			continue;
		fence = ttm_fence_lru_first_fence(channel, &seq);
		if (!fence || seq <= due->after_seq || seq > due->last_seq ||
		    seq == channel->stalled) {
			dma_fence_put(fence);
			continue;
		}
		fences[count++] = fence;
		due->first_seq = min_not_zero(due->first_seq, seq);
		if (due->type != TTM_FENCE_LRU_ANY_TYPE)
			due->bytes +=
				READ_ONCE(channel->zombie_bytes[due->type]);
	}
	mutex_unlock(&lru->reclaim_lock);
	return count;
}
EXPORT_SYMBOL(ttm_fence_lru_frontiers);

/**
 * ttm_fence_lru_stall - nothing signaled for a long time
 * @lru: the device's engine
 * @last_seq: as it was given to ttm_fence_lru_frontiers()
 *
 * One long wait for a hung channel is enough: nobody is told of these nodes by
 * ttm_fence_lru_frontiers() again. Once they signal they are reclaimed like all
 * others.
 *
 * Context: process context.
 */
void ttm_fence_lru_stall(struct ttm_fence_lru *lru, u64 last_seq)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *fence;
	u64 seq;

	mutex_lock(&lru->reclaim_lock);
	list_for_each_entry(channel, &lru->channels, entry) {
		fence = ttm_fence_lru_first_fence(channel, &seq);
		if (fence && seq <= last_seq)
			channel->stalled = seq;
		dma_fence_put(fence);
	}
	mutex_unlock(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_stall);
