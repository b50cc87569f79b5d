// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Limits: how much memory the dead may keep when nobody asks for it.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "internal.h"

/* Tasks that obey the limits at a time; others leave it to them. */
#define MAX_TRIMS 32

/**
 * DOC: retention
 *
 * Memory that nobody asks for stays with the dead, up to a limit: in all, and for each
 * memory type. While they hold more, every zombie that is added and every
 * ttm_fence_lru_trim() sweeps a few channels and releases a few ripe zombies. There is no
 * worker and no timer, and no call waits: what the GPU still uses may exceed the limit.
 */

static bool all_are_over(struct ttm_fence_lru *lru)
{
	return READ_ONCE(lru->stats.zombies.bytes) > READ_ONCE(lru->limit);
}

static bool type_is_over(struct ttm_fence_lru *lru, unsigned int type)
{
	return ttm_fence_lru_dead_bytes(lru, type) >
	       READ_ONCE(lru->limits[type]);
}

/**
 * struct trim - a task that obeys the limits
 * @entry: in &ttm_fence_lru.trims
 * @task: a buffer whose end is that of others does not bring it here again
 */
struct trim {
	struct list_head entry;
	struct task_struct *task;
};

static bool begin_trim(struct ttm_fence_lru *lru, struct trim *trim)
{
	unsigned int nr = 0;
	struct trim *other;
	bool begun = true;

	trim->task = current;
	spin_lock(lru->lru_lock);
	list_for_each_entry(other, &lru->trims, entry)
		begun &= other->task != current && ++nr < MAX_TRIMS;
	if (begun)
		list_add(&trim->entry, &lru->trims);
	spin_unlock(lru->lru_lock);
	return begun;
}

static void end_trim(struct ttm_fence_lru *lru, struct trim *trim)
{
	spin_lock(lru->lru_lock);
	list_del(&trim->entry);
	spin_unlock(lru->lru_lock);
}

/* There is a zombie of this type more. */
void ttm_fence_lru_obey_limits(struct ttm_fence_lru *lru, unsigned int type)
{
	bool over = type_is_over(lru, type);
	struct trim trim;

	if ((!over && !all_are_over(lru)) || !begin_trim(lru, &trim))
		return;

	ttm_fence_lru_sweep(lru);
	/* Where all together hold too much, any of them will do. */
	if (!over)
		for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES - 1; type++)
			if (ttm_fence_lru_ripe_bytes(lru, type))
				break;
	ttm_fence_lru_release_few(lru, type, TTM_FENCE_LRU_AT_RELEASE);
	end_trim(lru, &trim);
}

/* Whether a trim has anything to do about a memory type. */
static bool type_wants_trim(struct ttm_fence_lru *lru, unsigned int type,
			    bool all)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[type];

	return READ_ONCE(dead->nr_blocked) || READ_ONCE(dead->nr_locked) ||
	       type_is_over(lru, type) ||
	       (all && ttm_fence_lru_ripe_bytes(lru, type));
}

/**
 * ttm_fence_lru_wants_trim - whether ttm_fence_lru_trim() would do anything
 * @lru: the device's engine
 *
 * Context: any.
 * Return: true if there are leftovers, or zombies hold more than they may; a snapshot.
 */
bool ttm_fence_lru_wants_trim(struct ttm_fence_lru *lru)
{
	bool wanted = all_are_over(lru);
	unsigned int type;

	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES && !wanted; type++)
		wanted = type_wants_trim(lru, type, false);
	return wanted;
}
EXPORT_SYMBOL(ttm_fence_lru_wants_trim);

/**
 * ttm_fence_lru_trim - do a little about the limits, and about leftovers
 * @lru: the device's engine
 *
 * For places that a driver comes to again and again with no reservation, such as the
 * entry of a submit: an import can be let go only there. Costs little where there are
 * no leftovers, and the zombies hold no more than they may.
 *
 * Context: process context without reservations; waits neither for fences nor for
 * other tasks.
 */
void ttm_fence_lru_trim(struct ttm_fence_lru *lru)
{
	bool all = all_are_over(lru), over = all;
	struct trim trim;
	unsigned int type;

	ttm_fence_lru_might_drain(lru);

	if (!READ_ONCE(lru->stats.zombies.count) ||
	    !ttm_fence_lru_wants_trim(lru) || !begin_trim(lru, &trim))
		return;

	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES && !over; type++)
		over = type_is_over(lru, type);
	if (over)
		ttm_fence_lru_sweep(lru);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		if (type_wants_trim(lru, type, all))
			ttm_fence_lru_release_few(lru, type,
						  TTM_FENCE_LRU_AT_DRAIN);
	end_trim(lru, &trim);
}
EXPORT_SYMBOL(ttm_fence_lru_trim);

/**
 * ttm_fence_lru_set_limit - limit what zombies may keep
 * @lru: the device's engine
 * @type: a memory type, or TTM_FENCE_LRU_ANY_TYPE for all of them together
 * @bytes: how much; U64_MAX, as it is at first: no limit
 *
 * Holds from the next zombie or ttm_fence_lru_trim() on.
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
