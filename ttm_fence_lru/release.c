// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Release: the last reference of a buffer is gone.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * DOC: release
 *
 * Release looks first: it samples the fences of the buffer's own nodes. A buffer whose
 * fences have all signaled is idle, and its owner destroys it at once. Every other link
 * moves to the delayed-destroy list of its node, and the buffer gets one reference again,
 * which is that of the lists::
 *
 *   node(seq 4)                      node(seq 4)
 *     alive: B, C     last put of B    alive: C
 *     zombies: -          --->         zombies: B
 *
 * Nobody can attach to a buffer without references, so its links can only become free, as
 * retires take them off their channels; and as long as the task that released the buffer
 * looks at its links, nobody but that task decides what becomes of it.
 */

/* Move a link to the zombies of its node. */
static void bury(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_bo *bo = link->bo;

	list_move_tail(&link->entry, &link->node->zombies);
	channel->nr_zombies[bo->type]++;
}

/* The buffer dies: from here on a retire only takes links away. */
static void die(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
		unsigned int type, u64 bytes)
{
	lockdep_assert_held(lru->lru_lock);

	bo->type = type;
	bo->bytes = bytes;
	bo->state = TTM_FENCE_LRU_DYING;
}

/* It has looked at all links. True if the buffer is a zombie now, and not ours any more. */
static bool decide(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	if (!bo->nr_links)
		return false;

	ttm_fence_lru_become_zombie(lru, bo);
	return true;
}

/*
 * The channel of a link, if it is in use, and whether its fence has signaled. The node is
 * not locked: if it goes meanwhile, so does the link, and a task that locks the channel sees
 * that. So what the flag of the fence says is of use, if the link is there then.
 */
static struct ttm_fence_lru_channel *look(struct ttm_fence_lru_link *link,
					  bool *signaled)
{
	struct ttm_fence_lru_channel *channel;
	struct ttm_fence_lru_node *node;
	struct dma_fence *fence;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "nodes and channels need RCU");

	/* Pairs with the release in link_enter() of attach.c. */
	node = smp_load_acquire(&link->node);
	if (!node)
		return NULL;

	channel = READ_ONCE(link->channel);
	fence = rcu_dereference(node->fence);
	*signaled = !fence ||
		    test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	if (*signaled)
		return channel;

	fence = dma_fence_get_rcu_safe(&node->fence);
	*signaled = !fence || dma_fence_is_signaled(fence);
	if (!*signaled)
		*signaled = ttm_fence_lru_arm(channel->lru, fence);
	dma_fence_put(fence);
	return channel;
}

/* Let a link of a dying buffer go, or bury it. It may be free by now. */
static void part(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_link *link, bool signaled,
		 struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_node *node = link->node;

	lockdep_assert_held(&channel->lock);

	if (node && signaled) {
		ttm_fence_lru_link_leave(channel, link);
		ttm_fence_lru_node_drop_empty(channel, node, emptied);
	} else if (node) {
		bury(channel, link);
	}
}

/**
 * ttm_fence_lru_bury - the last reference of a buffer is gone
 * @lru: the device's engine
 * @bo: the buffer; its reference count is zero
 * @type: type of the memory that it holds, below TTM_FENCE_LRU_NUM_TYPES
 * @bytes: how much
 *
 * Looks at the fences of the buffer's own nodes. If one has not signaled the buffer
 * becomes a zombie, whose reference is the engine's: the caller must not touch it any
 * more. Otherwise it is on no channel: the caller tests all its fences, and destroys
 * it at once, or gives it to ttm_fence_lru_keep(). A buffer with a single link takes
 * each lock once, and one without takes none.
 *
 * Context: process context, but no signaling section of a fence; sleeps, and may call
 * &ttm_fence_lru_ops.cleanup and &ttm_fence_lru_ops.put for other buffers.
 * Return: true if it is a zombie now.
 */
bool ttm_fence_lru_bury(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			unsigned int type, u64 bytes)
{
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);
	struct ttm_fence_lru_link *link = &bo->link, *next;
	bool several = link->next, buried = false, signaled;
	struct ttm_fence_lru_channel *channel;

	might_sleep();
	might_lock(&lru->reclaim_lock);
	if (WARN_ON_ONCE(type >= TTM_FENCE_LRU_NUM_TYPES))
		type = 0;

	for (; link; link = next) {
		/* A buffer that is buried is not ours any more. */
		next = link->next;
		rcu_read_lock();
		channel = look(link, &signaled);
		if (channel) {
			spin_lock(&channel->lock);
			spin_lock(lru->lru_lock);
			if (bo->state == TTM_FENCE_LRU_ALIVE)
				die(lru, bo, type, bytes);
			part(channel, link, signaled, &emptied);
			buried = !several && decide(lru, bo);
			spin_unlock(lru->lru_lock);
			spin_unlock(&channel->lock);
		}
		rcu_read_unlock();
	}
	if (several && bo->state == TTM_FENCE_LRU_DYING) {
		spin_lock(lru->lru_lock);
		buried = decide(lru, bo);
		spin_unlock(lru->lru_lock);
	}

	ttm_fence_lru_emptied_free(&emptied);
	if (buried)
		ttm_fence_lru_obey_limits(lru, type);
	return buried;
}
EXPORT_SYMBOL(ttm_fence_lru_bury);

/**
 * ttm_fence_lru_keep - keep a dead buffer that is on no channel
 * @lru: the device's engine
 * @bo: the buffer; its reference count is zero, and ttm_fence_lru_bury() returned false
 * @type: type of the memory that it holds, below TTM_FENCE_LRU_NUM_TYPES
 * @bytes: how much
 * @blocker: a fence of it that has not signaled; NULL if it is something else that keeps
 *	its memory from being released now, as a lock that is taken
 *
 * It is a leftover from here on, and the caller must not touch it any more.
 *
 * Context: as ttm_fence_lru_bury().
 */
void ttm_fence_lru_keep(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			unsigned int type, u64 bytes, struct dma_fence *blocker)
{
	struct ttm_fence_lru_blocker *spare = NULL;

	if (WARN_ON_ONCE(type >= TTM_FENCE_LRU_NUM_TYPES))
		type = 0;

	if (blocker)
		spare = ttm_fence_lru_blocker_alloc();

	spin_lock(lru->lru_lock);
	die(lru, bo, type, bytes);
	ttm_fence_lru_become_zombie(lru, bo);
	ttm_fence_lru_leave_over(lru, bo, blocker, &spare);
	spin_unlock(lru->lru_lock);
	kfree(spare);
	ttm_fence_lru_obey_limits(lru, type);
}
EXPORT_SYMBOL(ttm_fence_lru_keep);
