// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attaching a fence: the buffer's last use on a channel is now this fence.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>

#include "internal.h"

/* Whether a link is free. Only attach takes it, so under the reservation it stays so. */
static bool is_free(struct ttm_fence_lru_link *link)
{
	/* Pairs with the release in ttm_fence_lru_link_leave_locked(). */
	return !smp_load_acquire(&link->node);
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
	struct ttm_fence_lru_link *link, *last;

	for (link = &bo->link; link; link = link->next) {
		if (count && is_free(link))
			count--;
		last = link;
	}

	for (; count; count--, last = last->next) {
		last->next = ttm_fence_lru_link_alloc(bo);
		if (!last->next)
			return -ENOMEM;
	}
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_reserve);

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

/* Take a free link into use. */
static void enter(struct ttm_fence_lru_channel *channel,
		  struct ttm_fence_lru_node *node,
		  struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;

	link->channel = channel;
	WRITE_ONCE(link->node, node);
	list_add_tail(&link->entry, &node->alive);
	channel->nr_links++;

	spin_lock(lru->lru_lock);
	WRITE_ONCE(bo->nr_links, bo->nr_links + 1);
	if (bo->nr_links == 1) {
		lru->stats.busy++;
		lru->ops->busy(bo);
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

static struct dma_fence *link_to_fence(struct ttm_fence_lru_channel *channel,
				       struct ttm_fence_lru_bo *bo,
				       struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node = NULL;
	struct ttm_fence_lru_link *link;
	struct dma_fence *emptied = NULL;

	spin_lock(&channel->lock);
	if (channel->killed)
		goto unlock;

	link = pick_link(channel, bo);
	if (link)
		node = ttm_fence_lru_node_get(channel, fence);

	if (!node) {
		spin_lock(channel->lru->lru_lock);
		channel->lru->stats.unlinked++;
		spin_unlock(channel->lru->lru_lock);
	} else if (is_free(link)) {
		enter(channel, node, link);
	} else {
		emptied = advance(channel, node, link);
	}
unlock:
	spin_unlock(&channel->lock);
	return emptied;
}

/**
 * ttm_fence_lru_attach - the buffer is used under a fence
 * @lru: the device's engine
 * @bo: the buffer, alive
 * @fence: a fence that was just added to the buffer's reservation object
 *
 * Links the buffer to the fence's node if the fence belongs to a live channel
 * and has not signaled. A buffer that was idle leaves the LRU. Any other fence
 * is left to the check that precedes the release of memory.
 *
 * Cannot fail, does not sleep and allocates nothing: the fence is public already.
 * A buffer that is busy on the channel takes no lock of the device.
 *
 * Context: the buffer's reservation is held. Takes the lock of the channel.
 */
void ttm_fence_lru_attach(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_bo *bo, struct dma_fence *fence)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *emptied = NULL;

	if (dma_fence_is_signaled(fence))
		return;

	rcu_read_lock();
	channel = ttm_fence_lru_channel_find(lru, fence->context);
	if (channel)
		emptied = link_to_fence(channel, bo, fence);
	rcu_read_unlock();

	dma_fence_put(emptied);
}
EXPORT_SYMBOL(ttm_fence_lru_attach);
