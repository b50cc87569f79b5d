// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The merge: nodes are retired in the order of emission over all channels.
 */
#include <linux/dma-fence.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "internal.h"

/* Channels that one call of many pays for, where only some may be looked at. */
#define LOOKS_PER_CALL 16

/**
 * DOC: reclaim
 *
 * Reclaim merges the signaled prefixes of all channels. A heap holds each channel
 * whose first node was seen signaled, by that node's sequence number::
 *
 *   channel 0:   1   4   6 | 9          | the frontier: the first node
 *   channel 1:   2   3 | 7              | that has not signaled
 *   channel 2: | 5
 *
 *   retired:     1   2   3   4   6
 *
 * The channel with the least number gives up its node and is put back with the
 * next one, if that has signaled as well. So buffers become idle in the order in
 * which they were last used.
 *
 * An allocation releases a few zombies, tries again, and goes on if it must: the
 * steps of one pass. They share the heap, so that not every step has to look at every
 * channel; a pass is complete when one step has looked at all and emptied the heap.
 *
 * Fences are sampled, put and waited for without a spinlock; nodes are named by
 * their sequence number in between, as attaching may free the very node that was
 * sampled. Zombies are collected under the locks and released without them.
 */

static bool head_less(const void *lhs, const void *rhs, void *args)
{
	const struct ttm_fence_lru_head *a = lhs, *b = rhs;

	return a->seq < b->seq;
}

static void head_swap(void *lhs, void *rhs, void *args)
{
	struct ttm_fence_lru_head *a = lhs, *b = rhs;

	swap(*a, *b);
}

const struct min_heap_callbacks ttm_fence_lru_by_seq = {
	.less = head_less,
	.swp = head_swap,
};

/*
 * The heads that the heap holds belong to a pass. It is over when a channel goes that
 * may be among them, or the heap is used for something else.
 */
void ttm_fence_lru_forget_pass(struct ttm_fence_lru *lru)
{
	lockdep_assert_held(&lru->reclaim_lock);

	lru->pass = 0;
	lru->heap_nr = 0;
}

/* Look whether the first node of a channel has signaled. */
static bool sample_head(struct ttm_fence_lru_channel *channel,
			enum ttm_fence_lru_site site, u64 *seq)
{
	struct dma_fence *fence = ttm_fence_lru_first_fence(channel, seq);
	bool signaled;

	signaled = fence && (*seq <= READ_ONCE(channel->signaled) ||
			     ttm_fence_lru_has_signaled(fence));
	if (fence && !signaled && site != TTM_FENCE_LRU_AT_SHRINK)
		ttm_fence_lru_arm(channel->lru, fence);
	dma_fence_put(fence);
	return signaled;
}

/* Retire the node that was sampled, if it still comes first. */
static void retire_head(struct ttm_fence_lru_head *head,
			struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_channel *channel = head->channel;
	struct ttm_fence_lru_node *node;

	spin_lock(&channel->lock);
	node = ttm_fence_lru_first_node(channel);
	if (node && node->seq == head->seq)
		ttm_fence_lru_retire_locked(channel, node, batch);
	spin_unlock(&channel->lock);
	batch->heads--;
}

/* Begin a pass: the heap gets every channel whose first node has signaled. */
static void begin_pass(struct ttm_fence_lru *lru,
		       struct ttm_fence_lru_goal *goal)
{
	struct ttm_fence_lru_channel *channel;
	struct ttm_fence_lru_head head;
	struct ttm_fence_lru_heap heap;

	min_heap_init(&heap, lru->heap, lru->heap_size);
	list_for_each_entry(channel, &lru->channels, entry) {
		head.channel = channel;
		if (!sample_head(channel, goal->site, &head.seq))
			continue;
		ttm_fence_lru_sample_last(channel);
		min_heap_push(&heap, &head, &ttm_fence_lru_by_seq, NULL);
	}
	lru->heap_nr = heap.nr;
	lru->pass = ++lru->passes;
	lru->pause = lru->nr_channels / LOOKS_PER_CALL;
	goal->pass = lru->pass;
}

/* Retire until the batch is full, or the heap is empty. */
static bool empty_heap(struct ttm_fence_lru_heap *heap,
		       struct ttm_fence_lru_batch *batch)
{
	enum ttm_fence_lru_site site = batch->goal->site;
	struct ttm_fence_lru_head *first, head;

	while ((first = min_heap_peek(heap))) {
		retire_head(first, batch);
		if (ttm_fence_lru_batch_is_full(batch))
			return false;

		head.channel = first->channel;
		if (sample_head(head.channel, site, &head.seq))
			min_heap_pop_push(heap, &head, &ttm_fence_lru_by_seq,
					  NULL);
		else
			min_heap_pop(heap, &ttm_fence_lru_by_seq, NULL);
		cond_resched();
	}
	return true;
}

/* Go on with what the present pass has left. True if that is all done. */
static bool merge(struct ttm_fence_lru *lru, struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_heap heap;
	bool complete;

	min_heap_init(&heap, lru->heap, lru->heap_size);
	heap.nr = lru->heap_nr;
	complete = empty_heap(&heap, batch);
	lru->heap_nr = heap.nr;
	return complete;
}

/*
 * Go on where the pass stopped, if nobody else has reclaimed since: looking at all
 * channels in every step would cost more than the step. It is complete only if all
 * were looked at in this step.
 */
bool ttm_fence_lru_retire(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_goal *goal = batch->goal;

	lockdep_assert_held(&lru->reclaim_lock);

	if (goal->pass && goal->pass == lru->pass && !merge(lru, batch))
		return false;

	begin_pass(lru, goal);
	return merge(lru, batch);
}

/*
 * Go on with whatever pass there is. A look at all channels is paid for by many calls,
 * so that each costs little, however many channels there are.
 */
void ttm_fence_lru_retire_some(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_batch *batch)
{
	lockdep_assert_held(&lru->reclaim_lock);

	if (!lru->heap_nr && lru->pause) {
		lru->pause--;
		return;
	}
	if (!lru->heap_nr)
		begin_pass(lru, batch->goal);
	merge(lru, batch);
}
