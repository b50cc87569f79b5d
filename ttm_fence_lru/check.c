// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The check function: walks everything and says whether it is as it must be.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "internal.h"

/* What one walk has counted. */
struct recount {
	struct drm_printer *p;
	struct ttm_fence_lru_stats stats;
	bool ok;
};

/* Say what is wrong, unless it is as it must be. */
static __printf(3, 4) void expect(struct recount *count, bool is_so,
				  const char *format, ...)
{
	struct va_format vaf = { .fmt = format };
	va_list args;

	if (is_so)
		return;

	count->ok = false;
	if (!count->p)
		return;

	va_start(args, format);
	vaf.va = &args;
	drm_printf(count->p, "check: %pV\n", &vaf);
	va_end(args);
}

/* Links in use, by the buffer's own list; on one channel, or on any. */
static unsigned int count_links(struct ttm_fence_lru_bo *bo,
				struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_link *link;
	unsigned int count = 0;

	for (link = &bo->link; link; link = link->next)
		count += link->node && (!channel || link->channel == channel);
	return count;
}

/* A buffer with several links is met several times, and counted once. */
static bool is_first_link(struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_link *first = &link->bo->link;

	while (!first->node)
		first = first->next;
	return first == link;
}

static void recount_zombie(struct recount *count, struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_tally *tally =
		&count->stats.dead[bo->state][bo->type];

	tally->count++;
	tally->bytes += bo->bytes;
	count->stats.zombies.count++;
	count->stats.zombies.bytes += bo->bytes;
}

/* No buffer stands twice on one channel, and it knows how many links it has. */
static void check_bo(struct recount *count, struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_channel *channel = link->channel;
	struct ttm_fence_lru_bo *bo = link->bo;

	expect(count, count_links(bo, channel) == 1,
	       "context %llu: %u links of one buffer", channel->context,
	       count_links(bo, channel));
	if (!is_first_link(link))
		return;

	expect(count, bo->nr_links == count_links(bo, NULL),
	       "context %llu: %u links, counted %u", channel->context,
	       bo->nr_links, count_links(bo, NULL));

	count->stats.busy++;
	if (bo->state == TTM_FENCE_LRU_BURIED)
		recount_zombie(count, bo);
}

static unsigned int check_links(struct recount *count,
				struct ttm_fence_lru_channel *channel,
				struct ttm_fence_lru_node *node,
				struct list_head *list,
				enum ttm_fence_lru_state state)
{
	struct ttm_fence_lru_link *link;
	unsigned int links = 0;

	list_for_each_entry(link, list, entry) {
		expect(count, link->node == node,
		       "seq %llu: a link names another node", node->seq);
		expect(count, link->channel == channel,
		       "seq %llu: a link names another channel", node->seq);
		expect(count, link->bo->state == state,
		       "seq %llu: state %u among those of state %u", node->seq,
		       link->bo->state, state);
		check_bo(count, link);
		links++;
	}
	return links;
}

/* Fences of different contexts cannot be compared; that they differ is said anyway. */
static bool in_order(struct ttm_fence_lru_node *previous,
		     struct dma_fence *previous_fence,
		     struct ttm_fence_lru_node *node, struct dma_fence *fence)
{
	return previous->seq < node->seq &&
	       (previous_fence->context != fence->context ||
		dma_fence_is_later(fence, previous_fence));
}

static unsigned int check_node(struct recount *count,
			       struct ttm_fence_lru_channel *channel,
			       struct ttm_fence_lru_node *node,
			       struct ttm_fence_lru_node *previous)
{
	struct dma_fence *fence = ttm_fence_lru_node_fence(channel, node);
	unsigned int links;

	links = check_links(count, channel, node, &node->alive,
			    TTM_FENCE_LRU_ALIVE);
	links += check_links(count, channel, node, &node->zombies,
			     TTM_FENCE_LRU_BURIED);

	expect(count, links, "seq %llu: empty node", node->seq);
	expect(count, fence->context == channel->context,
	       "seq %llu: fence of context %llu on channel %llu", node->seq,
	       fence->context, channel->context);
	if (previous)
		expect(count,
		       in_order(previous,
				ttm_fence_lru_node_fence(channel, previous),
				node, fence),
		       "seq %llu: out of order", node->seq);
	return links;
}

static void check_zombies(struct recount *count,
			  struct ttm_fence_lru_channel *channel)
{
	unsigned int zombies[TTM_FENCE_LRU_NUM_TYPES] = {};
	struct ttm_fence_lru_node *node;
	struct ttm_fence_lru_link *link;
	unsigned int type;

	list_for_each_entry(node, &channel->nodes, entry)
		list_for_each_entry(link, &node->zombies, entry)
			zombies[link->bo->type]++;
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		expect(count, channel->nr_zombies[type] == zombies[type],
		       "context %llu, type %u: nr_zombies %u, counted %u",
		       channel->context, type, channel->nr_zombies[type],
		       zombies[type]);
}

static void check_channel(struct recount *count,
			  struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_node *node, *previous = NULL;
	bool unswept = !channel->unswept;
	unsigned int links = 0;

	list_for_each_entry(node, &channel->nodes, entry) {
		links += check_node(count, channel, node, previous);
		unswept |= channel->unswept == node;
		previous = node;
	}

	expect(count, channel->nr_links == links,
	       "context %llu: nr_links %u, counted %u", channel->context,
	       channel->nr_links, links);
	expect(count, channel->listed || !links,
	       "context %llu: no retire would look at it", channel->context);
	expect(count, unswept, "context %llu: a sweep begins nowhere",
	       channel->context);
	check_zombies(count, channel);
}

/* The zombies of one list. Returns how many there are. */
static u64 check_list(struct recount *count, struct list_head *list,
		      unsigned int type, enum ttm_fence_lru_state state,
		      struct ttm_fence_lru_blocker *blocker)
{
	struct ttm_fence_lru_bo *bo;
	u64 nr = 0;

	list_for_each_entry(bo, list, link.entry) {
		expect(count, bo->state == state && bo->type == type,
		       "type %u: state %u of type %u among those of state %u",
		       type, bo->state, bo->type, state);
		expect(count, !bo->nr_links && !count_links(bo, NULL),
		       "type %u: a busy buffer off the channels", type);
		expect(count,
		       state != TTM_FENCE_LRU_LEFTOVER ||
			       bo->link.blocker == blocker,
		       "type %u: a leftover names another blocker", type);
		recount_zombie(count, bo);
		nr++;
	}
	return nr;
}

static void check_dead(struct recount *count, struct ttm_fence_lru *lru,
		       unsigned int type)
{
	struct ttm_fence_lru_dead *dead = &lru->dead[type];
	struct ttm_fence_lru_blocker *blocker;
	u64 blocked = 0, locked;

	check_list(count, &dead->ripe, type, TTM_FENCE_LRU_RIPE, NULL);
	locked = check_list(count, &dead->locked, type, TTM_FENCE_LRU_LEFTOVER,
			    NULL);
	list_for_each_entry(blocker, &dead->blocked, entry) {
		expect(count,
		       check_list(count, &blocker->bos, type,
				  TTM_FENCE_LRU_LEFTOVER, blocker),
		       "type %u: a blocker of nobody", type);
		expect(count, blocker->type == type,
		       "type %u: a blocker of type %u", type, blocker->type);
		blocked++;
	}
	expect(count, dead->nr_locked == locked,
	       "type %u: nr_locked %llu, counted %llu", type, dead->nr_locked,
	       locked);
	expect(count, dead->nr_blocked == blocked,
	       "type %u: nr_blocked %llu, counted %llu", type, dead->nr_blocked,
	       blocked);
}

static void check_tally(struct recount *count, const char *what,
			unsigned int type,
			const struct ttm_fence_lru_tally *tally,
			const struct ttm_fence_lru_tally *counted)
{
	expect(count, tally->count == counted->count,
	       "%s %u: %llu zombies, counted %llu", what, type, tally->count,
	       counted->count);
	expect(count, tally->bytes == counted->bytes,
	       "%s %u: %llu bytes, counted %llu", what, type, tally->bytes,
	       counted->bytes);
}

static void check_stats(struct recount *count,
			const struct ttm_fence_lru_stats *stats)
{
	static const char *const names[TTM_FENCE_LRU_NUM_STATES] = {
		"alive",    "dying", "buried", "ripe",
		"leftover", "taken", "empty",
	};
	const struct ttm_fence_lru_stats *counted = &count->stats;
	unsigned int state, type;

	expect(count, stats->busy == counted->busy, "busy %llu, counted %llu",
	       stats->busy, counted->busy);
	check_tally(count, "of all", 0, &stats->zombies, &counted->zombies);
	for (state = 0; state < TTM_FENCE_LRU_NUM_STATES; state++)
		for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
			check_tally(count, names[state], type,
				    &stats->dead[state][type],
				    &counted->dead[state][type]);
}

/**
 * ttm_fence_lru_check - check the whole structure
 * @lru: the device's engine
 * @p: where to say what is wrong, or NULL
 *
 * For tests and debug builds. The caller makes sure that nothing is under way.
 *
 * Context: process context; takes all locks of the engine in turn.
 * Return: true if all is as it must be; false also without memory to count.
 */
bool ttm_fence_lru_check(struct ttm_fence_lru *lru, struct drm_printer *p)
{
	struct recount *count = kzalloc_obj(*count);
	struct ttm_fence_lru_channel *channel;
	unsigned int channels = 0, type;
	bool ok;

	if (!count)
		return false;
	count->p = p;
	count->ok = true;

	mutex_lock(&lru->reclaim_lock);
	list_for_each_entry(channel, &lru->channels, entry) {
		spin_lock(&channel->lock);
		check_channel(count, channel);
		spin_unlock(&channel->lock);
		channels++;
	}
	expect(count,
	       channels == lru->nr_channels && channels <= lru->heap_size,
	       "%u channels, counted %u, room for %u", lru->nr_channels,
	       channels, lru->heap_size);

	spin_lock(lru->lru_lock);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		check_dead(count, lru, type);
	check_stats(count, &lru->stats);
	spin_unlock(lru->lru_lock);
	mutex_unlock(&lru->reclaim_lock);

	ok = count->ok;
	kfree(count);
	return ok;
}
EXPORT_SYMBOL(ttm_fence_lru_check);
