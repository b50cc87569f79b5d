// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attaching a fence: the buffer's last use on a channel is now this fence.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "internal.h"

/* Whether a link is free. Only attach takes it, so under the reservation it stays so. */
static bool is_free(struct ttm_fence_lru_link *link)
{
	/* Pairs with the release in ttm_fence_lru_link_leave_locked(). */
	return !smp_load_acquire(&link->node);
}

/* The buffer's link on this channel, else a free one, else NULL. */
static struct ttm_fence_lru_link *
pick_link(struct ttm_fence_lru_channel *channel, struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link, *free = NULL;

	for (link = &bo->link; link; link = link->next) {
		if (is_free(link))
			free = free ?: link;
		else if (link->channel == channel)
			return link;
	}
	return free;
}

/**
 * ttm_fence_lru_reserve - make sure that fences of new channels can be attached
 * @bo: the buffer
 * @count: how many channels, at the most, it will be linked to anew
 *
 * To be called where fence slots of the buffer's reservation object are
 * reserved. Holds until the reservation is unlocked.
 *
 * Context: the buffer's reservation is held; may sleep and allocate.
 * Return: 0, or -ENOMEM without memory. What it got before it failed stays with
 * the buffer for the next attempt.
 */
int ttm_fence_lru_reserve(struct ttm_fence_lru_bo *bo, unsigned int count)
{
	return ttm_fence_lru_reserve_gfp(bo, count, GFP_KERNEL);
}
EXPORT_SYMBOL(ttm_fence_lru_reserve);

int ttm_fence_lru_reserve_gfp(struct ttm_fence_lru_bo *bo, unsigned int count,
			      gfp_t gfp)
{
	struct ttm_fence_lru_link *link, *last;

	/* Even if there is nothing to make this time. */
	might_alloc(gfp);

	for (link = &bo->link; link; link = link->next) {
		if (count && is_free(link))
			count--;
		last = link;
	}

	for (; count; count--, last = link) {
		link = ttm_fence_lru_link_alloc(bo, gfp);
		if (!link)
			return -ENOMEM;
		/* Members of a group walk its links without its reservation. */
		smp_store_release(&last->next, link);
	}
	return 0;
}

/**
 * ttm_fence_lru_reserve_on - make sure that a fence of this channel can be attached
 * @bo: the buffer
 * @channel: the channel that it will be used on
 *
 * As ttm_fence_lru_reserve(), where the channel is known: a buffer that is on it needs
 * no other link, and most buffers are used on one channel only.
 *
 * Context: the buffer's reservation is held; may sleep and allocate.
 * Return: 0, or -ENOMEM without memory and with nothing changed.
 */
int ttm_fence_lru_reserve_on(struct ttm_fence_lru_bo *bo,
			     struct ttm_fence_lru_channel *channel)
{
	might_alloc(GFP_KERNEL);

	/* If reclaim takes it off the channel meanwhile, the link is free. */
	return pick_link(channel, bo) ? 0 : ttm_fence_lru_reserve(bo, 1);
}
EXPORT_SYMBOL(ttm_fence_lru_reserve_on);

static void become_busy(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	if (bo->type == TTM_FENCE_LRU_GROUP_TYPE)
		lru->ops->group_busy(ttm_fence_lru_to_group(bo));
	else
		lru->ops->busy(bo);
}

/* Take a free link into use. */
static void enter(struct ttm_fence_lru_channel *channel,
		  struct ttm_fence_lru_node *node,
		  struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;

	WRITE_ONCE(link->channel, channel);
	/* Pairs with the acquire in ttm_fence_lru_link_channel(). */
	smp_store_release(&link->node, node);
	list_add_tail(&link->entry, &node->alive);
	channel->nr_links++;

	spin_lock(lru->lru_lock);
	ttm_fence_lru_count_links_locked(lru, bo, 1, 0);
	if (bo->nr_links == 1) {
		lru->stats.busy++;
		become_busy(lru, bo);
	}
	spin_unlock(lru->lru_lock);
}

/* Move a link on to a later node. Returns the older node's fence if that is empty now. */
static struct dma_fence *advance(struct ttm_fence_lru_channel *channel,
				 struct ttm_fence_lru_node *node,
				 struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_node *old = link->node;

	if (old->seq >= node->seq)
		return NULL;

	list_move_tail(&link->entry, &node->alive);
	WRITE_ONCE(link->node, node);
	return ttm_fence_lru_node_drop_empty(channel, old);
}

static void count_unlinked(struct ttm_fence_lru *lru)
{
	spin_lock(lru->lru_lock);
	lru->stats.unlinked++;
	spin_unlock(lru->lru_lock);
}

/* Without a link or node there is no place for the buffer. Returns as advance(). */
static struct dma_fence *place(struct ttm_fence_lru_channel *channel,
			       struct ttm_fence_lru_node *node,
			       struct ttm_fence_lru_link *link)
{
	if (!node || !link)
		count_unlinked(channel->lru);
	else if (is_free(link))
		enter(channel, node, link);
	else
		return advance(channel, node, link);
	return NULL;
}

/*
 * Link a buffer to a node of the channel, unless it is on a later one. Returns the
 * fence of the node that it was the last to leave, for the caller to put without
 * the lock.
 */
struct dma_fence *
ttm_fence_lru_link_to_node(struct ttm_fence_lru_channel *channel,
			   struct ttm_fence_lru_bo *bo,
			   struct ttm_fence_lru_node *node)
{
	lockdep_assert_held(&channel->lock);

	return place(channel, node, pick_link(channel, bo));
}

static struct dma_fence *link_to_fence(struct ttm_fence_lru_channel *channel,
				       struct ttm_fence_lru_bo *bo,
				       struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node = NULL;
	struct dma_fence *emptied = NULL;
	struct ttm_fence_lru_link *link;

	spin_lock(&channel->lock);
	if (!channel->killed) {
		link = pick_link(channel, bo);
		if (link)
			node = ttm_fence_lru_node_get(channel, fence);
		emptied = place(channel, node, link);
	}
	spin_unlock(&channel->lock);
	return emptied;
}

/*
 * The live channel of a fence context: as a rule one that the buffer is on. A channel
 * whose link was seen in use stays for the RCU read section.
 */
static struct ttm_fence_lru_channel *find_channel(struct ttm_fence_lru *lru,
						  struct ttm_fence_lru_bo *bo,
						  u64 context)
{
	struct ttm_fence_lru_link *link;

	for (link = &bo->link; link; link = link->next)
		if (!is_free(link) && link->channel->context == context)
			return link->channel;
	return ttm_fence_lru_channel_find(lru, context);
}

/**
 * ttm_fence_lru_attach - the buffer is used under a fence
 * @lru: the device's engine
 * @bo: the buffer, alive; or &ttm_fence_lru_group.base
 * @fence: a fence that was just added to the buffer's reservation object
 *
 * Links the buffer to the fence's node if the fence belongs to a live channel
 * and nobody has seen it signaled. A buffer that was idle leaves the LRU. Any other
 * fence is left to the check that precedes the release of memory.
 *
 * Cannot fail, does not sleep and allocates nothing: the fence is public already.
 * A buffer that is busy on the channel takes no lock of the device.
 *
 * Context: the buffer's reservation is held, but not the lock of a fence: interrupts
 * are on. Takes the lock of the channel.
 */
void ttm_fence_lru_attach(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_bo *bo, struct dma_fence *fence)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *emptied = NULL;

	lockdep_assert_irqs_enabled();

	/* Not sampled: that may be slow, and the fence is new as a rule. */
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return;

	rcu_read_lock();
	channel = find_channel(lru, bo, fence->context);
	if (channel)
		emptied = link_to_fence(channel, bo, fence);
	rcu_read_unlock();

	dma_fence_put(emptied);
}
EXPORT_SYMBOL(ttm_fence_lru_attach);
