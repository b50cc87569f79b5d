// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Retention: how much memory the dead may keep when nobody asks for it.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "internal.h"

/**
 * DOC: retention
 *
 * Memory that nobody asks for stays with the dead, up to a limit: in all, and for each
 * memory type. While they hold more, every release and every ttm_fence_lru_trim()
 * retires a few nodes in the order of emission, whose fences have signaled. There is no
 * worker and no timer, and no call waits: what the GPU still uses may exceed the limit.
 *
 * Each call does little. To look at all channels is paid for by many calls, and what
 * such a look has found is retired bit by bit.
 */

/* What one call does at most. */
#define HEADS_PER_CALL 16
#define ZOMBIES_PER_CALL 8

static bool all_are_over(struct ttm_fence_lru *lru)
{
	return READ_ONCE(lru->stats.all_zombie_bytes) > READ_ONCE(lru->limit);
}

static bool type_is_over(struct ttm_fence_lru *lru, unsigned int type)
{
	return READ_ONCE(lru->stats.zombie_bytes[type]) >
	       READ_ONCE(lru->limits[type]);
}

/* Retire some nodes, unless somebody else reclaims. */
static void retire_some(struct ttm_fence_lru *lru,
			struct ttm_fence_lru_goal *goal)
{
	struct ttm_fence_lru_batch batch;

	if (!mutex_trylock(&lru->reclaim_lock))
		return;

	ttm_fence_lru_batch_begin(lru, &batch, goal, ZOMBIES_PER_CALL);
	batch.heads = HEADS_PER_CALL;
	ttm_fence_lru_retire_some(lru, &batch);
	mutex_unlock(&lru->reclaim_lock);

	ttm_fence_lru_batch_release(lru, &batch);
}

/* One at a time, so that a buffer whose end is that of others does not end up here again. */
static void trim(struct ttm_fence_lru *lru, enum ttm_fence_lru_site site)
{
	struct ttm_fence_lru_goal goal = ttm_fence_lru_goal(site);

	if (atomic_xchg(&lru->trimming, 1))
		return;

	retire_some(lru, &goal);
	ttm_fence_lru_leftover_release(lru, ZOMBIES_PER_CALL, &goal);
	atomic_set_release(&lru->trimming, 0);
}

/* There may be a zombie of this type more. */
void ttm_fence_lru_obey_limits(struct ttm_fence_lru *lru, unsigned int type)
{
	if (all_are_over(lru) || type_is_over(lru, type))
		trim(lru, TTM_FENCE_LRU_AT_RELEASE);
}

/**
 * ttm_fence_lru_trim - do a little about the limits, and about leftovers
 * @lru: the device's engine
 *
 * For places that a driver comes to again and again with no reservation, such as the
 * entry of a submit: an import can be let go only there. Costs nothing where there are
 * no leftovers, and the zombies hold no more than they may.
 *
 * Context: process context without reservations; waits neither for fences nor for
 * other tasks.
 */
void ttm_fence_lru_trim(struct ttm_fence_lru *lru)
{
	bool over = all_are_over(lru);
	unsigned int type;

	ttm_fence_lru_might_drain(lru);

	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES && !over; type++)
		over = type_is_over(lru, type);
	if (over)
		trim(lru, TTM_FENCE_LRU_AT_DRAIN);
	else
		ttm_fence_lru_poll(lru, ZOMBIES_PER_CALL);
}
EXPORT_SYMBOL(ttm_fence_lru_trim);

/**
 * ttm_fence_lru_set_limit - limit what zombies may keep
 * @lru: the device's engine
 * @type: a memory type, or TTM_FENCE_LRU_ANY_TYPE for all of them together
 * @bytes: how much; U64_MAX, as it is at first: no limit
 *
 * Holds from the next release or ttm_fence_lru_trim() on.
 *
 * Context: any.
 */
void ttm_fence_lru_set_limit(struct ttm_fence_lru *lru, unsigned int type,
			     u64 bytes)
{
	if (type == TTM_FENCE_LRU_ANY_TYPE)
		WRITE_ONCE(lru->limit, bytes);
	else if (!WARN_ON_ONCE(type >= TTM_FENCE_LRU_NUM_TYPES))
		WRITE_ONCE(lru->limits[type], bytes);
}
EXPORT_SYMBOL(ttm_fence_lru_set_limit);
