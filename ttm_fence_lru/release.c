// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Release: the last reference of a buffer is gone.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>

#include "internal.h"

/**
 * DOC: release
 *
 * Release looks first: it samples the fences of the buffer's own nodes, and a
 * buffer whose fences have all signaled is released at once. Every other link
 * moves to the delayed-destroy list of its node and gets a reference::
 *
 *   node(seq 4)                      node(seq 4)
 *     alive: B, C     last put of B    alive: C
 *     zombies: -          --->         zombies: B (one reference)
 *
 * Meanwhile reclaim may take the buffer off its channels. Both follow one rule:
 * @dead and @nr_links are written under the LRU lock, and whoever brings
 * @nr_links of a dead buffer to zero, holding a reference, releases its memory.
 * The releaser keeps a reference of its own until it has seen every link.
 */

static void become_idle(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	if (bo->type == TTM_FENCE_LRU_GROUP_TYPE)
		lru->ops->group_idle(ttm_fence_lru_to_group(bo));
	else
		lru->ops->idle(bo);
}

/*
 * Take a link off its node; it is free when this returns, so nothing of the
 * buffer may be touched any more without a reference. @seen: it is a zombie's, and
 * was counted as signaled.
 *
 * Return: true if it was the last one of a dead buffer.
 */
bool ttm_fence_lru_link_leave_locked(struct ttm_fence_lru_channel *channel,
				     struct ttm_fence_lru_link *link, bool seen)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;
	bool last;

	lockdep_assert_held(&channel->lock);
	lockdep_assert_held(lru->lru_lock);

	list_del_init(&link->entry);
	channel->nr_links--;

	ttm_fence_lru_count_links_locked(lru, bo, -1, -seen);
	last = !bo->nr_links && bo->dead;
	if (!bo->nr_links) {
		lru->stats.busy--;
		if (!bo->dead)
			become_idle(lru, bo);
	}

	/* Pairs with the acquire of those who look for a free link. */
	smp_store_release(&link->node, NULL);
	return last;
}

/* Move a link to the list of zombies, with a reference of its own. */
static void bury(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;

	list_move_tail(&link->entry, &link->node->zombies);
	channel->nr_zombies[bo->type]++;
	channel->zombie_bytes[bo->type] += bo->bytes;
	lru->ops->get(bo);

	spin_lock(lru->lru_lock);
	ttm_fence_lru_count_zombie_locked(lru, bo);
	if (link->node->seq <= channel->counted)
		ttm_fence_lru_count_links_locked(lru, bo, 0, 1);
	spin_unlock(lru->lru_lock);
}

/*
 * Take a link off its node, and the node off its channel if it was the last one.
 * Returns the fence of that node, for the caller to put without the lock.
 */
struct dma_fence *ttm_fence_lru_link_drop(struct ttm_fence_lru_channel *channel,
					  struct ttm_fence_lru_link *link,
					  bool *last)
{
	struct ttm_fence_lru_node *node = link->node;
	struct ttm_fence_lru *lru = channel->lru;

	lockdep_assert_held(&channel->lock);

	spin_lock(lru->lru_lock);
	*last |= ttm_fence_lru_link_leave_locked(channel, link, false);
	spin_unlock(lru->lru_lock);
	return ttm_fence_lru_node_drop_empty(channel, node);
}

/* Drop a dead buffer's link, or bury it, unless it is free meanwhile. */
static struct dma_fence *part(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_link *link, bool signaled,
			      bool *last)
{
	struct dma_fence *emptied = NULL;

	spin_lock(&channel->lock);
	if (link->node && signaled)
		emptied = ttm_fence_lru_link_drop(channel, link, last);
	else if (link->node)
		bury(channel, link);
	spin_unlock(&channel->lock);
	return emptied;
}

/* The fence of a link, with a reference, or NULL if the link is free. */
static struct dma_fence *link_fence(struct ttm_fence_lru_channel *channel,
				    struct ttm_fence_lru_link *link)
{
	struct dma_fence *fence = NULL;

	spin_lock(&channel->lock);
	if (link->node)
		fence = dma_fence_get(link->node->fence);
	spin_unlock(&channel->lock);
	return fence;
}

/* Look at the fence of a dead buffer's link, and act. */
static void leave_or_bury(struct ttm_fence_lru_link *link, bool *last)
{
	struct dma_fence *fence = NULL, *emptied = NULL;
	struct ttm_fence_lru_channel *channel;
	bool signaled;

	rcu_read_lock();
	channel = ttm_fence_lru_link_channel(link);
	if (channel)
		fence = link_fence(channel, link);
	if (fence) {
		signaled = dma_fence_is_signaled(fence);
		emptied = part(channel, link, signaled, last);
		if (!signaled)
			ttm_fence_lru_arm(channel->lru, fence);
	}
	rcu_read_unlock();

	dma_fence_put(emptied);
	dma_fence_put(fence);
}

/*
 * Release the memory of a dead buffer that is on no channel, or put the buffer on
 * the leftover list with the caller's reference.
 *
 * Return: true if the reference is still the caller's, to drop it.
 */
bool ttm_fence_lru_clean(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			 struct ttm_fence_lru_goal *goal)
{
	u64 bytes = ttm_fence_lru_goal_bytes(goal, bo);

	if (!lru->ops->cleanup(bo, goal->site)) {
		ttm_fence_lru_leftover_add(lru, bo);
		return false;
	}

	ttm_fence_lru_cleaned(lru, bo);
	goal->released += bytes;
	return true;
}

/* From here on whoever takes the buffer off its last channel must release it. */
static bool mark_dead(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	bool idle;

	spin_lock(lru->lru_lock);
	bo->dead = true;
	idle = !bo->nr_links;
	spin_unlock(lru->lru_lock);
	return idle;
}

/**
 * ttm_fence_lru_release - the last reference of a buffer is gone
 * @lru: the device's engine
 * @bo: the buffer; the caller has given it one reference again, which is ours now
 * @type: type of the memory that it holds, below TTM_FENCE_LRU_NUM_TYPES
 * @bytes: how much
 *
 * Releases the buffer at once if its fences have signaled. Otherwise it becomes a
 * zombie, with one reference per channel, or goes to the leftover list. If the zombies
 * hold more than they may, a few of them are tried.
 *
 * Context: process context, but no signaling section of a fence; sleeps, and calls
 * &ttm_fence_lru_ops.cleanup and &ttm_fence_lru_ops.put.
 */
void ttm_fence_lru_release(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo, unsigned int type,
			   u64 bytes)
{
	struct ttm_fence_lru_goal goal =
		ttm_fence_lru_goal(TTM_FENCE_LRU_AT_RELEASE);
	struct ttm_fence_lru_link *link;
	bool last, ours;

	ttm_fence_lru_might_release(lru);
	if (WARN_ON_ONCE(type >= TTM_FENCE_LRU_NUM_TYPES))
		type = 0;
	bo->type = type;
	bo->bytes = bytes;

	ttm_fence_lru_releasing_begin(lru);

	/* Who takes a buffer off its last channel lets go of it under the LRU lock. */
	last = mark_dead(lru, bo);
	for (link = &bo->link; link && !last; link = link->next)
		leave_or_bury(link, &last);

	ours = !last || ttm_fence_lru_clean(lru, bo, &goal);
	ttm_fence_lru_releasing_end(lru);

	if (ours)
		lru->ops->put(bo, goal.site);
	ttm_fence_lru_obey_limits(lru, type);
}
EXPORT_SYMBOL(ttm_fence_lru_release);
