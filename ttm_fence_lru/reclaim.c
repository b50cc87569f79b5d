// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim: the memory of the dead is released to those who want it.
 */
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "internal.h"

/* Zombies that are released before an allocation is tried again. */
#define BATCH 8
/* Blockers that are tested where little may be done. */
#define FEW_BLOCKERS 4

/**
 * DOC: reclaim
 *
 * Memory is released by those who want it, and as much as they want: zombies are taken
 * off the ripe of their memory type, a few at a time, and cleaned with no lock of the
 * engine held. What cannot be cleaned is a leftover. An allocation that does not fit
 *
 * 1. takes from what is ripe, and tries again after every few zombies;
 * 2. retires when nothing is ripe, at least until something is, and goes on with 1;
 * 3. when the frontiers are reached, tests once what blocks leftovers of that type, and
 *    goes on with 1;
 * 4. tries leftovers that were locked, each once.
 *
 * What one task has taken is on no list until it is released. An allocation that found
 * nothing waits for those that had taken something before it came, with
 * ttm_fence_lru_settle(): they stand in a queue by number, so a task that begins later is
 * not waited for, nor is it taken for one that began earlier.
 */

#ifdef CONFIG_LOCKDEP
/* Stands for all that a drain may take: reservations, and locks outside of them. */
static struct lockdep_map drain_map =
	STATIC_LOCKDEP_MAP_INIT("ttm_fence_lru_drain", &drain_map);

/* Held by tasks that clean: what they take must not be held by those that wait for them. */
static struct lockdep_map clean_map =
	STATIC_LOCKDEP_MAP_INIT("ttm_fence_lru_clean", &clean_map);

static void might_wait_for_cleaning(void)
{
	lock_map_sync(&clean_map);
}
#else
static void might_wait_for_cleaning(void)
{
}
#endif

/* Show lockdep that a drain may take reservations. */
void ttm_fence_lru_teach_drain(void)
{
	struct dma_resv resv;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	dma_resv_init(&resv);
	lock_map_acquire(&drain_map);
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
	lock_map_release(&drain_map);
	dma_resv_fini(&resv);
}

/*
 * The caller may destroy buffers: it holds no lock of the engine and no reservation, and
 * is in no fence's signaling section, even if this time there is nothing to do.
 */
void ttm_fence_lru_might_drain(struct ttm_fence_lru *lru)
{
	might_sleep();
	might_lock(&lru->reclaim_lock);
	lock_map_acquire(&drain_map);
	lock_map_release(&drain_map);
}

/**
 * struct release - a task that has taken zombies, and not yet released their memory
 * @entry: in &ttm_fence_lru.releases
 * @number: they end in any order, but begin in this one
 */
struct release {
	struct list_head entry;
	u64 number;
};

static void begin_release(struct ttm_fence_lru *lru, struct release *release)
{
	lockdep_assert_held(lru->lru_lock);

	release->number = ++lru->nr_releases;
	list_add_tail(&release->entry, &lru->releases);
}

/* A release has ended. */
static void wake_waiters(struct ttm_fence_lru *lru)
{
	if (wq_has_sleeper(&lru->settled))
		wake_up_all(&lru->settled);
}

/* Whether all releases up to this number have ended. */
static bool have_ended(struct ttm_fence_lru *lru, u64 number)
{
	struct release *first;
	bool ended;

	spin_lock(lru->lru_lock);
	first = list_first_entry_or_null(&lru->releases, struct release, entry);
	ended = !first || first->number > number;
	spin_unlock(lru->lru_lock);
	return ended;
}

/**
 * ttm_fence_lru_settle - wait for what others have taken
 * @lru: the device's engine
 * @interruptible: let a signal end the wait
 *
 * An allocation that found nothing calls this, and tries once more before it evicts or
 * gives up. Waits until all tasks have released what they had taken before this was
 * called, however many begin meanwhile.
 *
 * Context: process context, reservations may be held, but no lock that
 * &ttm_fence_lru_ops.cleanup takes, nor in the reclaim of memory, nor a signaling
 * section; sleeps.
 * Return: 1 if there was anything to wait for, 0 if not, -ERESTARTSYS if a signal ended
 * the wait.
 */
int ttm_fence_lru_settle(struct ttm_fence_lru *lru, bool interruptible)
{
	u64 number;

	might_sleep();
	/* Those it waits for take locks under which others allocate. */
	might_alloc(GFP_KERNEL);
	might_wait_for_cleaning();

	spin_lock(lru->lru_lock);
	number = lru->nr_releases;
	spin_unlock(lru->lru_lock);
	if (have_ended(lru, number))
		return 0;

	if (interruptible)
		return wait_event_interruptible(lru->settled, have_ended(lru, number)) ?:
			       1;
	wait_event(lru->settled, have_ended(lru, number));
	return 1;
}
EXPORT_SYMBOL(ttm_fence_lru_settle);

/**
 * struct attempt - zombies that are tried to be released
 * @site: where
 * @target: how many bytes are enough
 * @cleaned: how many hold no memory any more
 * @bytes: what those held
 * @refused: one cannot be let go at this site: of no use to try others of its type
 */
struct attempt {
	enum ttm_fence_lru_site site;
	u64 target;
	u64 cleaned;
	u64 bytes;
	bool refused;
};

/* What is still wanted, in bytes. */
static u64 missing(const struct attempt *try)
{
	return try->target - min(try->target, try->bytes);
}

/* Note that a zombie cannot be released now. False if it is empty, and so still ours. */
static bool leave_over(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
		       struct dma_fence *fence)
{
	struct ttm_fence_lru_blocker *spare = NULL;
	bool left;

	if (fence)
		spare = ttm_fence_lru_blocker_alloc();
	spin_lock(lru->lru_lock);
	/* A walk of the owner's LRU may have cleaned it. */
	left = bo->state != TTM_FENCE_LRU_EMPTY;
	if (left)
		ttm_fence_lru_leave_over(lru, bo, fence, &spare);
	spin_unlock(lru->lru_lock);
	kfree(spare);
	dma_fence_put(fence);
	return left;
}

/*
 * Clean zombies that were taken, until one is refused, which stands for those behind it.
 * Returns how many were tried. Those that are left over are NULL in @bos.
 */
static unsigned int clean_some(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_bo **bos, unsigned int nr,
			       struct attempt *try)
{
	enum ttm_fence_lru_verdict verdict;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		fence = NULL;
		verdict = lru->ops->cleanup(bos[i], try->site, &fence);
		try->refused = verdict == TTM_FENCE_LRU_REFUSED;
		if (try->refused)
			break;
		if (verdict != TTM_FENCE_LRU_CLEANED &&
		    leave_over(lru, bos[i], fence))
			bos[i] = NULL;
	}
	return i;
}

/* Try up to @max zombies from a list, and no more than a few. Returns how many. */
static unsigned int try_some(struct ttm_fence_lru *lru, struct list_head *list,
			     u64 max, struct attempt *try)
{
	struct ttm_fence_lru_bo *bos[BATCH];
	struct release release;
	unsigned int nr, nr_tried, i;

	spin_lock(lru->lru_lock);
	nr = ttm_fence_lru_take(lru, list, bos, min(max, BATCH), missing(try));
	if (nr)
		begin_release(lru, &release);
	spin_unlock(lru->lru_lock);
	if (!nr)
		return 0;

	lock_map_acquire_read(&clean_map);
	nr_tried = clean_some(lru, bos, nr, try);
	lock_map_release(&clean_map);

	spin_lock(lru->lru_lock);
	/* What was refused stands where it stood, unless a walk has cleaned it. */
	for (i = nr; i > nr_tried; i--)
		if (ttm_fence_lru_give_back(lru, bos[i - 1], list))
			bos[i - 1] = NULL;
	try->bytes += ttm_fence_lru_empty_taken(lru, bos, nr, try->site);
	list_del(&release.entry);
	spin_unlock(lru->lru_lock);
	wake_waiters(lru);

	for (i = 0; i < nr; i++) {
		if (!bos[i])
			continue;
		/* This may take locks of others. */
		lru->ops->put(bos[i], try->site);
		try->cleaned++;
	}
	cond_resched();
	return nr;
}

/* Try up to @max zombies from a list, none of them twice, until enough is free. */
static void try_all(struct ttm_fence_lru *lru, struct list_head *list, u64 max,
		    struct attempt *try)
{
	unsigned int nr;

	while (max && missing(try) && !try->refused) {
		nr = try_some(lru, list, max, try);
		/* Others may have taken the rest. */
		max -= nr ?: max;
	}
}

/* How many zombies could be had at once; a snapshot. */
static u64 nr_ripe(struct ttm_fence_lru *lru, unsigned int type)
{
	return ttm_fence_lru_nr_dead(lru, TTM_FENCE_LRU_RIPE, type);
}

/* How many have a channel that had not come to them when it was last looked at; likewise. */
static u64 nr_buried(struct ttm_fence_lru *lru, unsigned int type)
{
	return ttm_fence_lru_nr_dead(lru, TTM_FENCE_LRU_BURIED, type);
}

/*
 * Nothing that is ripe can be had: do what comes next, to retire in any case, as there
 * may be live buffers that are idle. False if that was all.
 */
static bool next_step(struct ttm_fence_lru *lru,
		      struct ttm_fence_lru_need *need, struct attempt *try)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[need->type];
	unsigned int nr;

	switch (need->step) {
	case TTM_FENCE_LRU_TO_RETIRE:
		if (need->few) {
			need->few = !ttm_fence_lru_retire_few(lru, need->type);
			need->step = need->few && nr_buried(lru, need->type) ?
					     TTM_FENCE_LRU_TO_RETIRE_ALL :
					     TTM_FENCE_LRU_TO_UNBLOCK;
			break;
		}
		fallthrough;
	case TTM_FENCE_LRU_TO_RETIRE_ALL:
		ttm_fence_lru_retire(lru);
		need->few = false;
		need->step = TTM_FENCE_LRU_TO_UNBLOCK;
		break;
	case TTM_FENCE_LRU_TO_UNBLOCK:
		ttm_fence_lru_test_blocked(lru, need->type, U64_MAX);
		need->locked = READ_ONCE(dead->nr_locked);
		need->step = TTM_FENCE_LRU_TO_UNLOCK;
		break;
	case TTM_FENCE_LRU_TO_UNLOCK:
		if (!need->locked || try->refused)
			return false;
		nr = try_some(lru, &dead->locked, need->locked, try);
		/* Others may have taken the rest. */
		need->locked -= nr ?: need->locked;
		break;
	}
	return true;
}

/**
 * ttm_fence_lru_reclaim - release memory that an allocation lacks
 * @lru: the device's engine
 * @need: what it lacks
 *
 * Releases up to 8 zombies of the memory type, so that an allocation which is tried again
 * after each call pays for little more than it needs. Live buffers that have become idle
 * are on the LRU when nothing more is released; with &ttm_fence_lru_need.few the oldest.
 *
 * Context: process context, reservations may be held; does not wait for fences.
 * Return: how many zombies were released; 0 if there is none left to be had.
 */
unsigned int ttm_fence_lru_reclaim(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_need *need)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[need->type];
	struct attempt try = {
		.site = TTM_FENCE_LRU_AT_RECLAIM,
		.target = U64_MAX,
	};

	do {
		while (nr_ripe(lru, need->type) && !try.cleaned && !try.refused)
			try_some(lru, &dead->ripe, BATCH, &try);
	} while (!try.cleaned && next_step(lru, need, &try));
	need->released += try.bytes;
	return try.cleaned;
}
EXPORT_SYMBOL(ttm_fence_lru_reclaim);

/**
 * ttm_fence_lru_shrink - reclaim where nothing may be waited for
 * @lru: the device's engine
 * @type: the memory type that is wanted
 * @target: how many bytes of it are enough
 *
 * For shrinkers, and for direct reclaim of the system's memory: as
 * ttm_fence_lru_reclaim(), but waits for nobody that retires, enables no signaling, and
 * stops when @target is reached. The owner's ops are told that they run there, and decide
 * what can be released.
 *
 * Context: process context; any lock that is taken around allocations may be held,
 * reservations among them.
 * Return: the bytes released.
 */
u64 ttm_fence_lru_shrink(struct ttm_fence_lru *lru, unsigned int type,
			 u64 target)
{
	struct attempt try = {
		.site = TTM_FENCE_LRU_AT_SHRINK,
		.target = target,
	};
	struct ttm_fence_lru_dead *dead = &lru->dead[type];

	try_all(lru, &dead->ripe, nr_ripe(lru, type), &try);
	if (missing(&try) && !try.refused) {
		ttm_fence_lru_retire_trylock(lru);
		ttm_fence_lru_test_blocked(lru, type, FEW_BLOCKERS);
		try_all(lru, &dead->ripe, nr_ripe(lru, type), &try);
		try_all(lru, &dead->locked,
			min(READ_ONCE(dead->nr_locked), BATCH), &try);
	}
	return try.bytes;
}
EXPORT_SYMBOL(ttm_fence_lru_shrink);

/**
 * ttm_fence_lru_drain - release all that can be released
 * @lru: the device's engine
 *
 * Comes to an end also while the device is used: what becomes ripe meanwhile is left.
 *
 * Context: process context without reservations; does not wait for fences.
 * Return: how many dead buffers are left, whose fences have not signaled or whose
 * locks are taken. A snapshot.
 */
u64 ttm_fence_lru_drain(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_dead *dead;
	unsigned int type;

	ttm_fence_lru_might_drain(lru);

	ttm_fence_lru_retire(lru);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++) {
		struct attempt try = {
			.site = TTM_FENCE_LRU_AT_DRAIN,
			.target = U64_MAX,
		};

		dead = &lru->dead[type];
		ttm_fence_lru_test_blocked(lru, type, U64_MAX);
		try_all(lru, &dead->ripe, nr_ripe(lru, type), &try);
		try_all(lru, &dead->locked, READ_ONCE(dead->nr_locked), &try);
	}
	ttm_fence_lru_settle(lru, false);

	/* Some hold no memory, but are still to be destroyed. */
	return READ_ONCE(lru->stats.zombies.count);
}
EXPORT_SYMBOL(ttm_fence_lru_drain);

/* Release a few zombies of a memory type. */
void ttm_fence_lru_release_few(struct ttm_fence_lru *lru, unsigned int type,
			       enum ttm_fence_lru_site site)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[type];
	struct attempt try = { .site = site, .target = U64_MAX };

	ttm_fence_lru_test_blocked(lru, type, FEW_BLOCKERS);
	try_all(lru, &dead->ripe, BATCH, &try);
	try_all(lru, &dead->locked, min(READ_ONCE(dead->nr_locked), BATCH),
		&try);
}
