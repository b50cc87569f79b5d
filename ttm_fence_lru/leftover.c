// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Leftovers: dead buffers on no channel whose memory could not be released yet,
 * for a fence that no channel vouches for, or a lock that is taken.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "internal.h"

/* The buffer brings the caller's reference along. Its first link is free: no failure. */
void ttm_fence_lru_leftover_add(struct ttm_fence_lru *lru,
				struct ttm_fence_lru_bo *bo)
{
	spin_lock(lru->lru_lock);
	/* Whoever walks the LRU may release it, as any dead buffer. */
	lru->ops->idle(bo);
	ttm_fence_lru_count_zombie_locked(lru, bo);
	list_add_tail(&bo->link.entry, &lru->leftover);
	WRITE_ONCE(lru->stats.leftover, lru->stats.leftover + 1);
	spin_unlock(lru->lru_lock);
}

/**
 * ttm_fence_lru_defer_destroy - keep a dead buffer until it can be destroyed
 * @lru: the device's engine
 * @bo: the buffer, dead and on no channel; the caller has given it one reference
 *	again, which is ours now
 *
 * For &ttm_fence_lru_ops.put, where the last reference goes in a task that must not
 * destroy the buffer. The next drain or poll drops the reference again.
 *
 * Context: takes the LRU lock.
 */
void ttm_fence_lru_defer_destroy(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo)
{
	ttm_fence_lru_leftover_add(lru, bo);
}
EXPORT_SYMBOL(ttm_fence_lru_defer_destroy);

static struct ttm_fence_lru_bo *pop(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_bo *bo;

	spin_lock(lru->lru_lock);
	bo = list_first_entry_or_null(&lru->leftover, struct ttm_fence_lru_bo,
				      link.entry);
	if (bo) {
		list_del_init(&bo->link.entry);
		WRITE_ONCE(lru->stats.leftover, lru->stats.leftover - 1);
	}
	spin_unlock(lru->lru_lock);
	return bo;
}

/*
 * Try up to @budget leftovers, each once, until the goal is reached: those that stay
 * go to the end of the list, so that the next call tries others.
 */
void ttm_fence_lru_leftover_release(struct ttm_fence_lru *lru, u64 budget,
				    struct ttm_fence_lru_goal *goal)
{
	struct ttm_fence_lru_bo *bo;
	bool ours;

	budget = min(budget, READ_ONCE(lru->stats.leftover));
	for (; budget && goal->released < goal->target; budget--) {
		ttm_fence_lru_releasing_begin(lru);
		bo = pop(lru);
		ours = bo && ttm_fence_lru_clean(lru, bo, goal);
		ttm_fence_lru_releasing_end(lru);

		if (!bo)
			break;
		if (ours)
			lru->ops->put(bo, goal->site);
		cond_resched();
	}
}

/**
 * ttm_fence_lru_poll - try leftovers where nothing stands in the way
 * @lru: the device's engine
 * @budget: how many to try
 *
 * For places where a driver knows that the task holds no reservation, such as the
 * entry of a submit: an import can be let go only there. Costs nothing when there
 * are no leftovers.
 *
 * Context: process context without reservations; does not wait for fences.
 * Return: the bytes released.
 */
u64 ttm_fence_lru_poll(struct ttm_fence_lru *lru, u64 budget)
{
	struct ttm_fence_lru_goal goal =
		ttm_fence_lru_goal(TTM_FENCE_LRU_AT_DRAIN);

	ttm_fence_lru_might_drain(lru);

	ttm_fence_lru_leftover_release(lru, budget, &goal);
	return goal.released;
}
EXPORT_SYMBOL(ttm_fence_lru_poll);
