// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fence-ordered LRU of a device: set-up, teardown and counters.
 *
 * The design is Luca Barbieri's, proposed for TTM in 2010.
 */
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/**
 * DOC: overview
 *
 * Nobody needs to know that a fence has signaled until somebody wants the
 * memory. So every channel of a GPU keeps its fences in a list of nodes, in the
 * order of emission, and every node the buffers that were last used under its
 * fence: those alive, and those that nobody references any more::
 *
 *   channel 0:  node(seq 1)          node(seq 4)
 *                 alive: A             alive: B, C
 *                 zombies: x           zombies: -
 *
 *   channel 1:  node(seq 2)          node(seq 3)
 *                 alive: D             alive: B
 *                 zombies: -           zombies: x
 *
 *   LRU:        E, F                 the idle buffers, and only those
 *
 * Attaching a fence to a buffer links the buffer to the fence's node and takes
 * it off the LRU, or off its older node on that channel. When the last
 * reference of a busy buffer goes, its links move to the lists of zombies, with
 * one reference each. Nothing runs in the background.
 *
 * When an allocation does not fit, and before anything is evicted, reclaim takes
 * the nodes whose fences have signaled off their channels, in the order of
 * emission over all channels: a heap merge. A buffer that has left its last
 * channel goes to the tail of the LRU, or, if it is dead, its memory is
 * released. If the fences of seq 1 to 3 have signaled, this becomes::
 *
 *   channel 0:  node(seq 4)
 *                 alive: B, C
 *                 zombies: -
 *
 *   channel 1:  -
 *
 *   LRU:        E, F, A, D           and the memory of x is free
 *
 * The lists are an index, never a promise: before memory is released, the owner
 * checks every fence of the dead buffer once. One that cannot be released at
 * that moment, for a fence that no channel vouches for or a lock that is taken,
 * waits on the leftover list.
 *
 * The engine knows fences, and its owner's buffers only through
 * &struct ttm_fence_lru_ops.
 */

/**
 * ttm_fence_lru_bo_init - initialise the engine's part of a buffer
 * @bo: the buffer
 */
void ttm_fence_lru_bo_init(struct ttm_fence_lru_bo *bo)
{
	memset(bo, 0, sizeof(*bo));
	INIT_LIST_HEAD(&bo->link.entry);
	bo->link.bo = bo;
}
EXPORT_SYMBOL(ttm_fence_lru_bo_init);

/**
 * ttm_fence_lru_bo_fini - free what the engine allocated for a buffer
 * @bo: the buffer, on no channel and not on the leftover list
 */
void ttm_fence_lru_bo_fini(struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link, *next;

	WARN_ON_ONCE(bo->nr_links);

	for (link = bo->link.next; link; link = next) {
		next = link->next;
		ttm_fence_lru_link_free(link);
	}
	bo->link.next = NULL;
}
EXPORT_SYMBOL(ttm_fence_lru_bo_fini);

/**
 * ttm_fence_lru_init - initialise the engine of a device
 * @lru: the engine
 * @lru_lock: the owner's lock of its LRU, innermost of all; not taken from
 *	interrupts
 * @ops: what the owner does for it
 *
 * Context: process context. Takes the LRU lock.
 * Return: 0, or -EINVAL if one of @ops is missing.
 */
int ttm_fence_lru_init(struct ttm_fence_lru *lru, spinlock_t *lru_lock,
		       const struct ttm_fence_lru_ops *ops)
{
	if (WARN_ON(!ops->busy || !ops->idle || !ops->get || !ops->put ||
		    !ops->cleanup))
		return -EINVAL;

	memset(lru, 0, sizeof(*lru));
	lru->ops = ops;
	lru->lru_lock = lru_lock;
	atomic64_set(&lru->seq, 0);
	lru->limit = U64_MAX;
	memset64(lru->limits, U64_MAX, ARRAY_SIZE(lru->limits));
	atomic_set(&lru->trimming, 0);
	atomic_set(&lru->releasing, 0);
	atomic_set(&lru->released, 0);
	hash_init(lru->by_context);
	mutex_init(&lru->reclaim_lock);
	INIT_LIST_HEAD(&lru->channels);
	INIT_LIST_HEAD(&lru->leftover);

	ttm_fence_lru_teach_lock_order(lru);
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_init);

/**
 * ttm_fence_lru_fini - tear down the engine of a device
 * @lru: the engine: no channel is registered, ttm_fence_lru_drain() returned 0
 */
void ttm_fence_lru_fini(struct ttm_fence_lru *lru)
{
	WARN_ON(!list_empty(&lru->channels));
	WARN_ON(!list_empty(&lru->leftover));
	WARN_ON(lru->stats.busy || lru->stats.zombies);

	kvfree(lru->heap);
	lru->heap = NULL;
	mutex_destroy(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_fini);

static int __init ttm_fence_lru_module_init(void)
{
	return ttm_fence_lru_node_caches_create();
}

static void __exit ttm_fence_lru_module_exit(void)
{
	ttm_fence_lru_node_caches_destroy();
}

/* Built in, the engine is up before the tests and drivers that use it. */
subsys_initcall(ttm_fence_lru_module_init);
module_exit(ttm_fence_lru_module_exit);

MODULE_DESCRIPTION("Fence-ordered LRU and delayed destroy of GPU buffers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.1");
