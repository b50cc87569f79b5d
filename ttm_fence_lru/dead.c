// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The dead that are on no channel: those whose memory can be had, and those that were
 * tried in vain.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"
#include "trace.h"

/**
 * DOC: dead
 *
 * A zombie that has left its last channel is ripe, and stands on the list of its memory
 * type until somebody wants memory of that type. If it cannot be released then, it is a
 * leftover. Leftovers are kept by what they wait for, so that ten thousand of them behind
 * one fence cost one test::
 *
 *   ripe:     A  B  C
 *   blocked:  fence 1: D E F ... (10,000)        fence 2: G
 *   locked:   H
 *
 *   ripe:     A  B  C  G                         once fence 2 has signaled
 *   blocked:  fence 1: D E F ... (10,000)
 *   locked:   H
 *
 * One function counts them, whatever becomes of a zombie.
 */

static struct ttm_fence_lru_dead *dead_of(struct ttm_fence_lru *lru,
					  struct ttm_fence_lru_bo *bo)
{
	return &lru->dead[bo->type];
}

/* Whether the counters know of a buffer in this state. */
static bool is_zombie(enum ttm_fence_lru_state state)
{
	return state >= TTM_FENCE_LRU_BURIED && state <= TTM_FENCE_LRU_TAKEN;
}

static void add(struct ttm_fence_lru_tally *tally, s64 count, s64 bytes)
{
	WRITE_ONCE(tally->count, tally->count + count);
	WRITE_ONCE(tally->bytes, tally->bytes + bytes);
}

/* Buffers go over to another state: so many, which hold so many bytes. */
static void count(struct ttm_fence_lru *lru, unsigned int type,
		  enum ttm_fence_lru_state from, enum ttm_fence_lru_state to,
		  s64 nr, s64 bytes)
{
	struct ttm_fence_lru_stats *stats = &lru->stats;

	lockdep_assert_held(lru->lru_lock);

	if (is_zombie(from))
		add(&stats->dead[from][type], -nr, -bytes);
	else
		add(&stats->zombies, nr, bytes);
	if (is_zombie(to))
		add(&stats->dead[to][type], nr, bytes);
	else
		add(&stats->zombies, -nr, -bytes);
}

static void set_state(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
		      enum ttm_fence_lru_state state)
{
	count(lru, bo->type, bo->state, state, 1, bo->bytes);
	bo->state = state;
}

/* A buffer whose reference count is zero gets one: that of the list it will be on. */
void ttm_fence_lru_become_zombie(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_stats *stats = &lru->stats;

	set_state(lru, bo, TTM_FENCE_LRU_BURIED);
	lru->ops->resurrect(bo);
	stats->deferred++;
	stats->peak_bytes = max(stats->peak_bytes, stats->zombies.bytes);
	trace_ttm_fence_lru_release(bo);
}

void ttm_fence_lru_ripen(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	set_state(lru, bo, TTM_FENCE_LRU_RIPE);
	list_add_tail(&bo->link.entry, &dead_of(lru, bo)->ripe);
	trace_ttm_fence_lru_ripe(bo);
}

static struct ttm_fence_lru_blocker *find_blocker(struct ttm_fence_lru *lru,
						  unsigned int type,
						  struct dma_fence *fence)
{
	struct ttm_fence_lru_blocker *blocker;

	hash_for_each_possible(lru->blockers, blocker, hash,
			       (unsigned long)fence)
		if (blocker->fence == fence && blocker->type == type)
			return blocker;
	return NULL;
}

static void add_blocker(struct ttm_fence_lru *lru, unsigned int type,
			struct dma_fence *fence,
			struct ttm_fence_lru_blocker *blocker)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[type];

	blocker->fence = dma_fence_get(fence);
	blocker->type = type;
	INIT_LIST_HEAD(&blocker->bos);
	hash_add(lru->blockers, &blocker->hash, (unsigned long)fence);
	list_add_tail(&blocker->entry, &dead->blocked);
	WRITE_ONCE(dead->nr_blocked, dead->nr_blocked + 1);
}

/* Forget a blocker that holds up nobody, for free_blocker(). */
static bool drop_blocker(struct ttm_fence_lru *lru,
			 struct ttm_fence_lru_blocker *blocker)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[blocker->type];

	if (!list_empty(&blocker->bos))
		return false;

	hash_del(&blocker->hash);
	list_del(&blocker->entry);
	WRITE_ONCE(dead->nr_blocked, dead->nr_blocked - 1);
	return true;
}

/* Not under a spinlock: it may be the last reference of the fence. */
static void free_blocker(struct ttm_fence_lru_blocker *blocker)
{
	if (!blocker)
		return;

	dma_fence_put(blocker->fence);
	kfree(blocker);
}

/* What ttm_fence_lru_leave_over() may need, or NULL. */
struct ttm_fence_lru_blocker *ttm_fence_lru_blocker_alloc(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_blocker_alloc);

	return kmalloc_obj(struct ttm_fence_lru_blocker,
			   GFP_NOWAIT | __GFP_NOWARN);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_blocker_alloc);

/*
 * A zombie that cannot be released now is a leftover: beside others that wait for the
 * same @fence, or among the locked if that is NULL, or there is no @spare to note it. Walks
 * of the owner's LRU may release it, as any dead buffer.
 */
void ttm_fence_lru_leave_over(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_bo *bo,
			      struct dma_fence *fence,
			      struct ttm_fence_lru_blocker **spare)
{
	struct ttm_fence_lru_dead *dead = dead_of(lru, bo);
	struct ttm_fence_lru_blocker *blocker = NULL;

	set_state(lru, bo, TTM_FENCE_LRU_LEFTOVER);
	trace_ttm_fence_lru_leftover(bo, fence);
	if (!bo->cleaned)
		lru->ops->idle(bo);

	if (fence)
		blocker = find_blocker(lru, bo->type, fence);
	if (fence && !blocker && *spare) {
		swap(blocker, *spare);
		add_blocker(lru, bo->type, fence, blocker);
	}
	bo->link.blocker = blocker;
	list_add_tail(&bo->link.entry, blocker ? &blocker->bos : &dead->locked);
	if (!blocker)
		WRITE_ONCE(dead->nr_locked, dead->nr_locked + 1);
}

/* Take a zombie off its list; returns a blocker to free if it was the last one there. */
static struct ttm_fence_lru_blocker *unlist(struct ttm_fence_lru *lru,
					    struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_dead *dead = dead_of(lru, bo);
	struct ttm_fence_lru_blocker *blocker;

	list_del_init(&bo->link.entry);
	if (bo->state != TTM_FENCE_LRU_LEFTOVER)
		return NULL;

	blocker = bo->link.blocker;
	if (!blocker)
		WRITE_ONCE(dead->nr_locked, dead->nr_locked - 1);
	return blocker && drop_blocker(lru, blocker) ? blocker : NULL;
}

/*
 * Take some zombies off the list of the ripe or of the locked, until they hold so many
 * bytes: their references are the caller's.
 */
unsigned int ttm_fence_lru_take(struct ttm_fence_lru *lru,
				struct list_head *list,
				struct ttm_fence_lru_bo **bos, unsigned int max,
				u64 target)
{
	enum ttm_fence_lru_state from = TTM_FENCE_LRU_TAKEN;
	struct ttm_fence_lru_bo *bo, *next;
	unsigned int nr = 0, type = 0;
	u64 bytes = 0;

	lockdep_assert_held(lru->lru_lock);

	list_for_each_entry_safe(bo, next, list, link.entry) {
		if (nr == max || bytes >= target)
			break;
		/* One list has one type, and one state. */
		type = bo->type;
		from = bo->state;
		unlist(lru, bo);
		bo->state = TTM_FENCE_LRU_TAKEN;
		bytes += bo->bytes;
		bos[nr++] = bo;
	}
	count(lru, type, from, TTM_FENCE_LRU_TAKEN, nr, bytes);
	return nr;
}

/*
 * A zombie that was taken, and refused, stands first on the list that it came from. False
 * if it is empty by now.
 */
bool ttm_fence_lru_give_back(struct ttm_fence_lru *lru,
			     struct ttm_fence_lru_bo *bo,
			     struct list_head *list)
{
	struct ttm_fence_lru_dead *dead = dead_of(lru, bo);

	if (bo->state == TTM_FENCE_LRU_EMPTY)
		return false;

	if (list == &dead->ripe) {
		set_state(lru, bo, TTM_FENCE_LRU_RIPE);
	} else {
		set_state(lru, bo, TTM_FENCE_LRU_LEFTOVER);
		WRITE_ONCE(dead->nr_locked, dead->nr_locked + 1);
	}
	list_add(&bo->link.entry, list);
	return true;
}

/* Some of the leftovers behind a fence that has signaled are ripe. True if all are. */
static bool unblock_some(struct ttm_fence_lru *lru, unsigned int type,
			 struct dma_fence *fence)
{
	unsigned int quota = TTM_FENCE_LRU_STEPS_PER_HOLD;
	struct ttm_fence_lru_blocker *blocker;
	struct ttm_fence_lru_bo *bo, *next;
	bool done = true;

	spin_lock(lru->lru_lock);
	blocker = find_blocker(lru, type, fence);
	if (blocker) {
		list_for_each_entry_safe(bo, next, &blocker->bos, link.entry) {
			if (!quota--)
				break;
			list_del(&bo->link.entry);
			ttm_fence_lru_ripen(lru, bo);
		}
		done = drop_blocker(lru, blocker);
	}
	spin_unlock(lru->lru_lock);

	if (done)
		free_blocker(blocker);
	return done;
}

/*
 * Test blockers of a memory type, at most so many and each once; the one that was tested
 * longest ago first. What waits for a fence that has signaled is ripe again.
 */
void ttm_fence_lru_test_blocked(struct ttm_fence_lru *lru, unsigned int type,
				u64 max)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[type];
	struct ttm_fence_lru_blocker *blocker;
	struct dma_fence *fence;

	max = min(max, READ_ONCE(dead->nr_blocked));
	for (; max; max--) {
		spin_lock(lru->lru_lock);
		blocker = list_first_entry_or_null(&dead->blocked,
						   typeof(*blocker), entry);
		fence = blocker ? dma_fence_get(blocker->fence) : NULL;
		if (blocker)
			list_move_tail(&blocker->entry, &dead->blocked);
		spin_unlock(lru->lru_lock);
		if (!fence)
			return;

		if (dma_fence_is_signaled(fence))
			while (!unblock_some(lru, type, fence))
				cond_resched();
		dma_fence_put(fence);
		cond_resched();
	}
}

/* A dead buffer that is on no list holds no memory any more. */
static void empty(struct ttm_fence_lru_bo *bo, int site)
{
	trace_ttm_fence_lru_cleaned(bo, site);
	bo->state = TTM_FENCE_LRU_EMPTY;
	bo->bytes = 0;
	WRITE_ONCE(bo->cleaned, true);
}

/* So do zombies that were taken together. Returns the bytes that they held. */
u64 ttm_fence_lru_empty_taken(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_bo **bos, unsigned int nr,
			      int site)
{
	unsigned int emptied = 0, type = 0, i;
	u64 bytes = 0;

	for (i = 0; i < nr; i++) {
		/* It may be left over, or a walk has emptied it. */
		if (!bos[i] || bos[i]->state != TTM_FENCE_LRU_TAKEN)
			continue;
		type = bos[i]->type;
		bytes += bos[i]->bytes;
		emptied++;
		empty(bos[i], site);
	}
	count(lru, type, TTM_FENCE_LRU_TAKEN, TTM_FENCE_LRU_EMPTY, emptied,
	      bytes);
	return bytes;
}

/**
 * ttm_fence_lru_cleaned - a dead buffer holds no memory any more
 * @lru: the device's engine
 * @bo: the buffer, on no channel
 *
 * Takes the buffer out of the counters, and off the list that it is on. The owner calls
 * it when it released the memory of a dead buffer by itself, as when it evicts, before
 * it unlocks the buffer.
 *
 * Context: takes the LRU lock.
 * Return: true if the buffer was on a list: then its reference is the caller's now.
 */
bool ttm_fence_lru_cleaned(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_blocker *blocker = NULL;
	bool listed;

	spin_lock(lru->lru_lock);
	listed = bo->state == TTM_FENCE_LRU_RIPE ||
		 bo->state == TTM_FENCE_LRU_LEFTOVER;
	if (listed)
		blocker = unlist(lru, bo);
	count(lru, bo->type, bo->state, TTM_FENCE_LRU_EMPTY, 1, bo->bytes);
	empty(bo, TTM_FENCE_LRU_BY_OWNER);
	spin_unlock(lru->lru_lock);

	free_blocker(blocker);
	return listed;
}
EXPORT_SYMBOL(ttm_fence_lru_cleaned);

/**
 * ttm_fence_lru_defer_destroy - keep a dead buffer until it can be destroyed
 * @lru: the device's engine
 * @bo: the buffer, dead and without memory; the caller has given it one reference
 *	again, which is ours now
 *
 * For &ttm_fence_lru_ops.put, where the last reference goes in a task that must not
 * destroy the buffer. The next drain or trim drops the reference again.
 *
 * Context: takes the LRU lock.
 */
void ttm_fence_lru_defer_destroy(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo)
{
	spin_lock(lru->lru_lock);
	ttm_fence_lru_leave_over(lru, bo, NULL, NULL);
	spin_unlock(lru->lru_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_defer_destroy);
