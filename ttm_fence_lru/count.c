// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Counters: how much memory the dead hold, and how much of it could be had at once.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "internal.h"

/* Fences to sample between two walks along a channel. */
#define FENCES_PER_WALK 16
/* Zombies to count in one go with spinlocks held. */
#define ZOMBIES_PER_HOLD 256

/* Whether every fence that keeps a zombie has been seen signaled. */
static bool is_signaled(struct ttm_fence_lru_bo *bo)
{
	return bo->counted && bo->nr_links && bo->nr_seen == bo->nr_links;
}

/* Change what a zombie's links are, and what the counters make of it. */
void ttm_fence_lru_count_links_locked(struct ttm_fence_lru *lru,
				      struct ttm_fence_lru_bo *bo, int links,
				      int seen)
{
	struct ttm_fence_lru_stats *stats = &lru->stats;
	bool was = is_signaled(bo);

	lockdep_assert_held(lru->lru_lock);

	WRITE_ONCE(bo->nr_links, bo->nr_links + links);
	bo->nr_seen += seen;

	if (is_signaled(bo) == was)
		return;
	if (was) {
		stats->signaled--;
		stats->signaled_bytes[bo->type] -= bo->bytes;
	} else {
		stats->signaled++;
		stats->signaled_bytes[bo->type] += bo->bytes;
	}
}

/* Count a dead buffer as a zombie, once. */
void ttm_fence_lru_count_zombie_locked(struct ttm_fence_lru *lru,
				       struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_stats *stats = &lru->stats;

	lockdep_assert_held(lru->lru_lock);

	if (bo->counted || bo->cleaned)
		return;

	bo->counted = true;
	stats->deferred++;
	stats->zombies++;
	stats->zombie_bytes[bo->type] += bo->bytes;
	stats->all_zombie_bytes += bo->bytes;
	stats->peak_zombie_bytes =
		max(stats->peak_zombie_bytes, stats->all_zombie_bytes);
}

/**
 * ttm_fence_lru_cleaned - a dead buffer holds no memory any more
 * @lru: the device's engine
 * @bo: the buffer, on no channel
 *
 * Takes the buffer out of the zombie counters. The owner calls it when it
 * released the memory of a dead buffer by itself, as when it evicts.
 *
 * Context: takes the LRU lock.
 */
void ttm_fence_lru_cleaned(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo)
{
	spin_lock(lru->lru_lock);
	WRITE_ONCE(bo->cleaned, true);
	if (bo->counted) {
		bo->counted = false;
		lru->stats.zombies--;
		lru->stats.zombie_bytes[bo->type] -= bo->bytes;
		lru->stats.all_zombie_bytes -= bo->bytes;
	}
	spin_unlock(lru->lru_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_cleaned);

/* The first nodes after @seq: their fences, with references, and numbers. */
static unsigned int fences_after(struct ttm_fence_lru_channel *channel, u64 seq,
				 struct dma_fence **fences, u64 *seqs)
{
	struct ttm_fence_lru_node *node;
	unsigned int count = 0;

	spin_lock(&channel->lock);
	list_for_each_entry(node, &channel->nodes, entry) {
		if (node->seq <= seq)
			continue;
		if (count == FENCES_PER_WALK)
			break;
		fences[count] = dma_fence_get(node->fence);
		seqs[count++] = node->seq;
	}
	spin_unlock(&channel->lock);
	return count;
}

/* Find the frontier of a channel. */
static void find_frontier(struct ttm_fence_lru_channel *channel)
{
	struct dma_fence *fences[FENCES_PER_WALK];
	u64 seqs[FENCES_PER_WALK], signaled;
	unsigned int count, i;
	bool ahead = true;

	ttm_fence_lru_sample_last(channel);
	while (ahead) {
		signaled = READ_ONCE(channel->signaled);
		count = fences_after(channel, signaled, fences, seqs);
		for (i = 0; i < count; i++) {
			ahead = ahead && ttm_fence_lru_has_signaled(fences[i]);
			if (ahead)
				signaled = seqs[i];
			dma_fence_put(fences[i]);
		}
		ttm_fence_lru_note_signaled(channel, signaled);
		ahead = ahead && count;
	}
}

/* Count zombies of nodes before the frontier. True if there may be more of them. */
static bool count_signaled(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_node *node;
	struct ttm_fence_lru_link *link;
	unsigned int zombies = 0;

	spin_lock(&channel->lock);
	list_for_each_entry(node, &channel->nodes, entry) {
		if (node->seq <= channel->counted)
			continue;
		if (node->seq > channel->signaled ||
		    zombies >= ZOMBIES_PER_HOLD)
			break;

		spin_lock(lru->lru_lock);
		list_for_each_entry(link, &node->zombies, entry) {
			ttm_fence_lru_count_links_locked(lru, link->bo, 0, 1);
			zombies++;
		}
		channel->counted = node->seq;
		spin_unlock(lru->lru_lock);
	}
	spin_unlock(&channel->lock);
	return zombies >= ZOMBIES_PER_HOLD;
}

/**
 * ttm_fence_lru_look - look how much of the zombies' memory could be had
 * @lru: the device's engine
 *
 * Samples the fences of all channels and brings &ttm_fence_lru_stats.signaled and
 * &ttm_fence_lru_stats.signaled_bytes up to date, for reports on memory in use. Each
 * zombie is visited once in its life, however often this is called. A leftover never
 * counts as signaled.
 *
 * Context: process context; does not wait for fences.
 */
void ttm_fence_lru_look(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_channel *channel;

	mutex_lock(&lru->reclaim_lock);
	list_for_each_entry(channel, &lru->channels, entry) {
		find_frontier(channel);
		while (count_signaled(channel))
			cond_resched();
	}
	mutex_unlock(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_look);
