// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim: zombies are collected under the locks, and released without them.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/wait_bit.h>

#include "internal.h"

/* Links that are retired in one go with spinlocks held. */
#define LINKS_PER_HOLD 256

/* How long to wait for what others are about to release. */
#define RELEASING_TIMEOUT (HZ / 10)

/*
 * Memory that is on its way: collected, and neither released nor on the leftover
 * list yet. Who finds nothing to reclaim can wait a moment for it.
 */
void ttm_fence_lru_releasing_begin(struct ttm_fence_lru *lru)
{
	atomic_inc(&lru->releasing);
}

void ttm_fence_lru_releasing_end(struct ttm_fence_lru *lru)
{
	/* A value is returned for the barrier that waking needs. */
	atomic_inc_return(&lru->released);
	wake_up_var(&lru->released);
}

/**
 * ttm_fence_lru_settle - wait for what others have collected
 * @lru: the device's engine
 *
 * What a reclaim has collected is on no list until it is released. An allocation that
 * found nothing calls this and reclaims once more before it gives up. Waits until as
 * many have ended as had begun, whoever begins meanwhile; and for a tenth of a second
 * at the most, as they may be held up by locks of the waiting task that are not ours
 * to know: a deadlock would be worse than to find nothing.
 *
 * Context: process context, reservations may be held, but not the reclaim of memory
 * nor a signaling section; sleeps.
 * Return: true if there was anything to wait for.
 */
bool ttm_fence_lru_settle(struct ttm_fence_lru *lru)
{
	int begun = atomic_read(&lru->releasing);

	/* Those it waits for take locks under which others allocate. */
	might_alloc(GFP_KERNEL);

	if (atomic_read(&lru->released) - begun >= 0)
		return false;

	wait_var_event_timeout(&lru->released,
			       atomic_read(&lru->released) - begun >= 0,
			       RELEASING_TIMEOUT);
	return true;
}
EXPORT_SYMBOL(ttm_fence_lru_settle);

/* To be followed by ttm_fence_lru_batch_release(). */
void ttm_fence_lru_batch_begin(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_batch *batch,
			       struct ttm_fence_lru_goal *goal,
			       unsigned int max)
{
	INIT_LIST_HEAD(&batch->nodes);
	batch->nr = 0;
	batch->max = min(max, TTM_FENCE_LRU_BATCH);
	batch->heads = UINT_MAX;
	batch->bytes = 0;
	batch->goal = goal;
	ttm_fence_lru_releasing_begin(lru);
}

static void collect(struct ttm_fence_lru_batch *batch,
		    struct ttm_fence_lru_bo *bo, bool last)
{
	batch->corpses[batch->nr++] = (struct ttm_fence_lru_corpse){ bo, last };
	if (last)
		batch->bytes += ttm_fence_lru_goal_bytes(batch->goal, bo);
}

/* No more room, or nothing more is wanted. */
bool ttm_fence_lru_batch_is_full(struct ttm_fence_lru_batch *batch)
{
	return batch->nr == batch->max || !batch->heads ||
	       batch->bytes >= batch->goal->target - batch->goal->released;
}

/* Collect one zombie of the node, with the reference of its link. */
static void retire_zombie(struct ttm_fence_lru_channel *channel,
			  struct ttm_fence_lru_link *link,
			  struct ttm_fence_lru_batch *batch)
{
	bool seen = link->node->seq <= channel->counted;
	struct ttm_fence_lru_bo *bo = link->bo;

	channel->nr_zombies[bo->type]--;
	channel->zombie_bytes[bo->type] -= bo->bytes;
	collect(batch, bo,
		ttm_fence_lru_link_leave_locked(channel, link, seen));
}

/* Hand one alive buffer over. It may be dying: then its link has no reference yet. */
static void retire_alive(struct ttm_fence_lru_channel *channel,
			 struct ttm_fence_lru_link *link,
			 struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_bo *bo = link->bo;

	if (!bo->dead) {
		ttm_fence_lru_link_leave_locked(channel, link, false);
		return;
	}
	channel->lru->ops->get(bo);
	collect(batch, bo,
		ttm_fence_lru_link_leave_locked(channel, link, false));
}

/*
 * Take buffers off a node, as many as the batch has room for and a spinlock may be
 * held for; the node goes with the last one.
 */
void ttm_fence_lru_retire_locked(struct ttm_fence_lru_channel *channel,
				 struct ttm_fence_lru_node *node,
				 struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_link *link, *next;
	unsigned int quota = LINKS_PER_HOLD;

	lockdep_assert_held(&channel->lru->reclaim_lock);
	lockdep_assert_held(&channel->lock);

	spin_lock(channel->lru->lru_lock);
	list_for_each_entry_safe(link, next, &node->alive, entry) {
		if (ttm_fence_lru_batch_is_full(batch) || !quota--)
			break;
		retire_alive(channel, link, batch);
	}
	list_for_each_entry_safe(link, next, &node->zombies, entry) {
		if (ttm_fence_lru_batch_is_full(batch))
			break;
		retire_zombie(channel, link, batch);
	}
	spin_unlock(channel->lru->lru_lock);

	if (list_empty(&node->alive) && list_empty(&node->zombies))
		list_move_tail(&node->entry, &batch->nodes);
}

/*
 * Release the memory of the zombies; then, in a second step that may take locks of
 * others, drop their references. Put the fences of the emptied nodes.
 */
void ttm_fence_lru_batch_release(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_batch *batch)
{
	struct ttm_fence_lru_goal *goal = batch->goal;
	struct ttm_fence_lru_node *node, *next;
	struct ttm_fence_lru_corpse *corpse;
	unsigned int i;

	lockdep_assert_not_held(&lru->reclaim_lock);

	for (i = 0; i < batch->nr; i++) {
		corpse = &batch->corpses[i];
		if (corpse->last && !ttm_fence_lru_clean(lru, corpse->bo, goal))
			corpse->bo = NULL;
	}
	ttm_fence_lru_releasing_end(lru);

	for (i = 0; i < batch->nr; i++)
		if (batch->corpses[i].bo)
			lru->ops->put(batch->corpses[i].bo, goal->site);

	list_for_each_entry_safe(node, next, &batch->nodes, entry) {
		dma_fence_put(node->fence);
		ttm_fence_lru_node_free(node);
	}
}

/* One step: collect up to @budget zombies, then release them. Unlocks reclaim. */
static bool reclaim_unlock(struct ttm_fence_lru *lru, unsigned int budget,
			   struct ttm_fence_lru_goal *goal)
{
	struct ttm_fence_lru_batch batch;
	bool complete;

	ttm_fence_lru_batch_begin(lru, &batch, goal, budget);
	complete = ttm_fence_lru_retire(lru, &batch);
	mutex_unlock(&lru->reclaim_lock);

	ttm_fence_lru_batch_release(lru, &batch);
	return complete;
}

/**
 * ttm_fence_lru_reclaim - one step of reclaim
 * @lru: the device's engine
 * @pass: what the caller's steps have in common
 *
 * Retires nodes in the order of emission: alive buffers go to the LRU, zombies
 * are released. Stops when the pass's budget is used up, so that an allocation
 * retries after each step and pays for little more than it needs. The last step
 * tries as many leftovers.
 *
 * Context: process context, reservations may be held; does not wait for fences.
 * Return: true if the pass is complete: in this step, the first fence of every
 * channel was unsignaled when looked at, or the channel was empty. False if the step
 * stopped at its budget.
 */
bool ttm_fence_lru_reclaim(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_pass *pass)
{
	struct ttm_fence_lru_goal goal =
		ttm_fence_lru_goal(TTM_FENCE_LRU_AT_RECLAIM);
	bool complete;

	goal.pass = pass->id;
	mutex_lock(&lru->reclaim_lock);
	complete = reclaim_unlock(lru, pass->budget, &goal);
	if (complete)
		ttm_fence_lru_leftover_release(lru, pass->budget, &goal);

	pass->id = goal.pass;
	pass->released = goal.released;
	return complete;
}
EXPORT_SYMBOL(ttm_fence_lru_reclaim);

/**
 * ttm_fence_lru_shrink - reclaim where nothing may be waited for
 * @lru: the device's engine
 * @type: the memory type that is wanted, or TTM_FENCE_LRU_ANY_TYPE
 * @target: how many bytes of it are enough
 *
 * For shrinkers, and for direct reclaim of the system's memory: as
 * ttm_fence_lru_reclaim(), but does nothing if anybody else reclaims, enables no
 * signaling, and stops when @target is reached. The owner's ops are told that they
 * run there, and decide what can be released.
 *
 * Context: process context; any lock that is taken around allocations may be held,
 * reservations among them.
 * Return: the bytes of @type released.
 */
u64 ttm_fence_lru_shrink(struct ttm_fence_lru *lru, unsigned int type,
			 u64 target)
{
	struct ttm_fence_lru_goal goal = {
		.site = TTM_FENCE_LRU_AT_SHRINK,
		.type = type,
		.target = target,
	};
	bool complete = false;

	while (!complete && goal.released < target) {
		if (!mutex_trylock(&lru->reclaim_lock))
			return goal.released;
		complete = reclaim_unlock(lru, TTM_FENCE_LRU_BATCH, &goal);
	}
	ttm_fence_lru_leftover_release(lru, TTM_FENCE_LRU_BATCH, &goal);
	return goal.released;
}
EXPORT_SYMBOL(ttm_fence_lru_shrink);

/**
 * ttm_fence_lru_drain - release all that can be released
 * @lru: the device's engine
 *
 * Context: process context without reservations; does not wait for fences.
 * Return: how many dead buffers are left, whose fences have not signaled or whose
 * locks are taken. A snapshot.
 */
u64 ttm_fence_lru_drain(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_goal goal =
		ttm_fence_lru_goal(TTM_FENCE_LRU_AT_DRAIN);
	bool complete;

	ttm_fence_lru_might_drain(lru);

	do {
		mutex_lock(&lru->reclaim_lock);
		complete = reclaim_unlock(lru, TTM_FENCE_LRU_BATCH, &goal);
		cond_resched();
	} while (!complete);

	ttm_fence_lru_settle(lru);
	ttm_fence_lru_leftover_release(lru, U64_MAX, &goal);

	/* Some leftovers hold no memory, but are still to be destroyed. */
	return max(READ_ONCE(lru->stats.zombies),
		   READ_ONCE(lru->stats.leftover));
}
EXPORT_SYMBOL(ttm_fence_lru_drain);
