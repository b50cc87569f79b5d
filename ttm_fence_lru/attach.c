// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attaching a fence: the last use of some buffers on a channel is now this fence.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>

#include "internal.h"
#include "trace.h"

/**
 * DOC: attach
 *
 * A submission uses a set of buffers under one fence, and is attached as one operation:
 * the node of the fence is found once, and the buffers move to it, off the LRU or off
 * their older nodes on that channel::
 *
 *   LRU: A, B                          LRU: -
 *
 *   channel 0:  node(seq 4)            channel 0:  node(seq 7)
 *                 alive: C   fence 7                 alive: A, B, C
 *                             --->
 *
 * The lock of the channel is held for a bounded number of buffers at a time, and the LRU
 * lock with it only if one of them gets a link that it did not have: a buffer that is
 * busy on the channel takes no lock of the device.
 */

/*
 * Links of a buffer: walks look at all of them with spinlocks held. Fences of more channels
 * at a time are left to the check that precedes the release of memory.
 */
#define MAX_LINKS 32

/* The buffer's link on this channel, else a free one, else NULL. */
static struct ttm_fence_lru_link *
pick_link(struct ttm_fence_lru_bo *bo, struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_link *link, *free = NULL;

	for (link = &bo->link; link; link = link->next) {
		if (ttm_fence_lru_link_is_free(link))
			free = free ?: link;
		else if (link->channel == channel)
			return link;
	}
	return free;
}

/**
 * ttm_fence_lru_add_links - make room for fences, if the first link will not do
 * @bo: the buffer
 * @count: how many channels, at the most, it will be linked to anew
 * @channel: the channel that it will be used on, or NULL
 * @gfp: how to allocate
 *
 * What ttm_fence_lru_reserve() and ttm_fence_lru_reserve_on() do where it takes longer. A
 * buffer has 32 links at the most: a fence for which none is left is not attached.
 *
 * Context: the buffer's reservation is held, or nobody else references it.
 * Return: 0, or -ENOMEM without memory. What it got before it failed stays with
 * the buffer for the next attempt.
 */
int ttm_fence_lru_add_links(struct ttm_fence_lru_bo *bo, unsigned int count,
			    struct ttm_fence_lru_channel *channel, gfp_t gfp)
{
	struct ttm_fence_lru_link *link, *last;
	unsigned int nr_links = 0;

	for (link = &bo->link; link; link = link->next) {
		nr_links++;
		if (count && (ttm_fence_lru_link_is_free(link) ||
			      link->channel == channel))
			count--;
		last = link;
	}

	count = min(count, MAX_LINKS - nr_links);
	for (; count; count--, last = link) {
		link = ttm_fence_lru_link_alloc(bo, gfp);
		if (!link)
			return -ENOMEM;
		/* Pairs with the acquire in ttm_fence_lru_link_next(). */
		smp_store_release(&last->next, link);
	}
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_add_links);

/* Out of line: what ttm_fence_lru_bo_fini() does for a buffer that was given links. */
void ttm_fence_lru_free_links(struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link, *next;

	for (link = bo->link.next; link; link = next) {
		next = link->next;
		ttm_fence_lru_link_free(link);
	}
	bo->link.next = NULL;
}
EXPORT_SYMBOL(ttm_fence_lru_free_links);

/* Let the next retire look at a channel that holds something. */
static void join(struct ttm_fence_lru_channel *channel)
{
	if (channel->listed || !channel->nr_links)
		return;

	channel->listed = true;
	llist_add(&channel->joined, &channel->lru->joined);
}

/* Move a link on to a later node. */
static void advance(struct ttm_fence_lru_channel *channel,
		    struct ttm_fence_lru_node *node,
		    struct ttm_fence_lru_link *link,
		    struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_node *old = link->node;

	if (old->seq >= node->seq)
		return;

	list_move_tail(&link->entry, &node->alive);
	/* Pairs with the reads of link->node without this lock. */
	smp_store_release(&link->node, node);
	ttm_fence_lru_node_drop_empty(channel, old, emptied);
}

static void become_busy(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	lru->stats.busy++;
	if (bo->is_group)
		lru->ops->group_busy(ttm_fence_lru_to_group(bo));
	else
		lru->ops->busy(bo);
}

/* Take a free link of an alive buffer into use. */
static void link_enter(struct ttm_fence_lru_channel *channel,
		       struct ttm_fence_lru_node *node,
		       struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;
	unsigned int nr_links = bo->nr_links + 1;

	lockdep_assert_held(&channel->lock);
	lockdep_assert_held(lru->lru_lock);

	list_add_tail(&link->entry, &node->alive);
	channel->nr_links++;
	WRITE_ONCE(link->channel, channel);
	/* Pairs with the acquire of those who look for the channel. */
	smp_store_release(&link->node, node);

	WRITE_ONCE(bo->nr_links, nr_links);
	if (nr_links == 1)
		become_busy(lru, bo);
}

/* Link a buffer to the node, with the LRU lock. True if it was not on the channel. */
static bool attach_one(struct ttm_fence_lru_channel *channel,
		       struct ttm_fence_lru_node *node,
		       struct ttm_fence_lru_bo *bo,
		       struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_link *link = pick_link(bo, channel);

	if (link && !ttm_fence_lru_link_is_free(link)) {
		advance(channel, node, link, emptied);
		return false;
	}
	if (link)
		link_enter(channel, node, link);
	else
		channel->lru->stats.unlinked++;
	return true;
}

/*
 * Link buffers to a node of the channel, unless they are on a later one, and no more than
 * TTM_FENCE_LRU_BOS_PER_HOLD. What nodes leave that they were the last to be on is for the
 * caller to free without the lock.
 */
void ttm_fence_lru_attach_locked(struct ttm_fence_lru_channel *channel,
				 struct ttm_fence_lru_node *node,
				 struct ttm_fence_lru_bo **bos,
				 unsigned int count,
				 struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_link *link;
	unsigned int i, joined = 0;

	lockdep_assert_held(&channel->lock);

	for (i = 0; i < count; i++) {
		link = pick_link(bos[i], channel);
		if (!link || ttm_fence_lru_link_is_free(link))
			break;
		advance(channel, node, link, emptied);
	}
	if (i < count) {
		spin_lock(lru->lru_lock);
		for (; i < count; i++)
			joined += attach_one(channel, node, bos[i], emptied);
		spin_unlock(lru->lru_lock);
	}

	trace_ttm_fence_lru_attach(channel, node, count, joined);
	/* None of the buffers may have had a link to spare. */
	ttm_fence_lru_node_drop_empty(channel, node, emptied);
	join(channel);
}

/*
 * The live channel of a fence context, or NULL. It stays valid for the RCU read
 * section, but may be killed at any time before its lock is taken.
 */
struct ttm_fence_lru_channel *
ttm_fence_lru_channel_find(struct ttm_fence_lru *lru, u64 context)
{
	struct ttm_fence_lru_channel *channel;

	hash_for_each_possible_rcu(lru->by_context, channel, hash, context,
				   lockdep_is_held(&lru->reclaim_lock))
		if (channel->context == context)
			return channel;
	return NULL;
}

/* There is no node for the fence. */
static void leave_unlinked(struct ttm_fence_lru *lru, unsigned int count)
{
	spin_lock(lru->lru_lock);
	lru->stats.unlinked += count;
	spin_unlock(lru->lru_lock);
}

/* One hold of the channel's lock. */
static void attach_some(struct ttm_fence_lru_channel *channel,
			struct dma_fence *fence, struct ttm_fence_lru_bo **bos,
			unsigned int count,
			struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_node *node;

	spin_lock(&channel->lock);
	if (!channel->killed) {
		node = ttm_fence_lru_node_get(channel, fence);
		if (node)
			ttm_fence_lru_attach_locked(channel, node, bos, count,
						    emptied);
		else
			leave_unlinked(channel->lru, count);
	}
	spin_unlock(&channel->lock);
}

static void assert_reserved(struct ttm_fence_lru *lru,
			    struct ttm_fence_lru_bo **bos, unsigned int count)
{
	unsigned int i;

	if (!IS_ENABLED(CONFIG_LOCKDEP) || !lru->ops->assert_reserved)
		return;
	for (i = 0; i < count; i++)
		lru->ops->assert_reserved(bos[i]);
}

/**
 * ttm_fence_lru_attach - buffers are used under a fence
 * @lru: the device's engine
 * @fence: a fence that was just added to the buffers' reservation objects
 * @bos: the buffers, alive; or &ttm_fence_lru_group.base
 * @count: how many
 *
 * Links the buffers to the fence's node if the fence belongs to a live channel
 * and nobody has seen it signaled. A buffer that was idle leaves the LRU. Any other
 * fence is left to the check that precedes the release of memory; so is an old one whose
 * node is gone or far back.
 *
 * Cannot fail, does not sleep and allocates nothing: the fence is public already.
 *
 * Context: the buffers' reservations are held, but not the lock of a fence: interrupts
 * are on. Takes the lock of the channel.
 */
void ttm_fence_lru_attach(struct ttm_fence_lru *lru, struct dma_fence *fence,
			  struct ttm_fence_lru_bo **bos, unsigned int count)
{
	struct ttm_fence_lru_channel *channel;
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);
	unsigned int some;

	lockdep_assert_irqs_enabled();
	assert_reserved(lru, bos, count);

	/* Not sampled: that may be slow, and the fence is new as a rule. */
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return;

	rcu_read_lock();
	channel = ttm_fence_lru_channel_find(lru, fence->context);
	for (; channel && count; bos += some, count -= some) {
		some = min(count, TTM_FENCE_LRU_BOS_PER_HOLD);
		attach_some(channel, fence, bos, some, &emptied);
	}
	rcu_read_unlock();

	ttm_fence_lru_emptied_free(&emptied);
}
EXPORT_SYMBOL(ttm_fence_lru_attach);
