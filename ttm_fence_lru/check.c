// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The check function: walks everything and says whether it is as it must be.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>

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

/* Of a zombie's links, those on nodes that were counted as signaled. */
static unsigned int count_seen(struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link;
	unsigned int count = 0;

	for (link = &bo->link; link; link = link->next)
		count += link->node &&
			 link->node->seq <= link->channel->counted;
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

/* What the counters must have counted of a zombie. */
static void recount_zombie(struct recount *count, struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_stats *stats = &count->stats;

	if (bo->cleaned)
		return;

	stats->zombies++;
	stats->zombie_bytes[bo->type] += bo->bytes;
	stats->all_zombie_bytes += bo->bytes;
	if (bo->nr_links && bo->nr_seen == bo->nr_links) {
		stats->signaled++;
		stats->signaled_bytes[bo->type] += bo->bytes;
	}
}

/* No buffer stands twice on one channel, and it knows how many links it has. */
static void check_bo(struct recount *count, struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_channel *channel = link->channel;
	struct ttm_fence_lru_bo *bo = link->bo;
	unsigned int seen = bo->dead ? count_seen(bo) : 0;

	expect(count, count_links(bo, channel) == 1,
	       "context %llu: %u links of one buffer", channel->context,
	       count_links(bo, channel));
	if (!is_first_link(link))
		return;

	expect(count, bo->nr_links == count_links(bo, NULL),
	       "context %llu: %u links, counted %u", channel->context,
	       bo->nr_links, count_links(bo, NULL));
	expect(count, bo->nr_seen == seen,
	       "context %llu: %u links seen signaled, counted %u",
	       channel->context, bo->nr_seen, seen);

	count->stats.busy++;
	if (bo->dead)
		recount_zombie(count, bo);
}

static unsigned int check_links(struct recount *count,
				struct ttm_fence_lru_channel *channel,
				struct ttm_fence_lru_node *node,
				struct list_head *list, bool dead)
{
	struct ttm_fence_lru_link *link;
	unsigned int links = 0;

	list_for_each_entry(link, list, entry) {
		expect(count, link->node == node,
		       "seq %llu: a link names another node", node->seq);
		expect(count, link->channel == channel,
		       "seq %llu: a link names another channel", node->seq);
		expect(count, link->bo->dead == dead,
		       "seq %llu: a %s buffer among the %s", node->seq,
		       dead ? "live" : "dead", dead ? "zombies" : "alive");
		check_bo(count, link);
		links++;
	}
	return links;
}

/* Fences of different contexts cannot be compared; that they differ is said anyway. */
static bool in_order(struct ttm_fence_lru_node *previous,
		     struct ttm_fence_lru_node *node)
{
	return previous->seq < node->seq &&
	       (previous->fence->context != node->fence->context ||
		dma_fence_is_later(node->fence, previous->fence));
}

static void check_channel(struct recount *count,
			  struct ttm_fence_lru_channel *channel)
{
	unsigned int all_zombies[TTM_FENCE_LRU_NUM_TYPES] = {};
	u64 all_bytes[TTM_FENCE_LRU_NUM_TYPES] = {};
	unsigned int links, zombies, type, all_links = 0;
	struct ttm_fence_lru_node *node, *previous = NULL;
	struct ttm_fence_lru_link *link;

	list_for_each_entry(node, &channel->nodes, entry) {
		links = check_links(count, channel, node, &node->alive, false);
		zombies =
			check_links(count, channel, node, &node->zombies, true);

		expect(count, links + zombies, "seq %llu: empty node",
		       node->seq);
		expect(count, node->fence->context == channel->context,
		       "seq %llu: fence of context %llu on channel %llu",
		       node->seq, node->fence->context, channel->context);
		expect(count, !previous || in_order(previous, node),
		       "seq %llu: out of order", node->seq);
		list_for_each_entry(link, &node->zombies, entry) {
			all_zombies[link->bo->type]++;
			all_bytes[link->bo->type] += link->bo->bytes;
		}
		all_links += links + zombies;
		previous = node;
	}

	expect(count, channel->nr_links == all_links,
	       "context %llu: nr_links %u, counted %u", channel->context,
	       channel->nr_links, all_links);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++) {
		expect(count, channel->nr_zombies[type] == all_zombies[type],
		       "context %llu, type %u: nr_zombies %u, counted %u",
		       channel->context, type, channel->nr_zombies[type],
		       all_zombies[type]);
		expect(count, channel->zombie_bytes[type] == all_bytes[type],
		       "context %llu, type %u: zombie_bytes %llu, counted %llu",
		       channel->context, type, channel->zombie_bytes[type],
		       all_bytes[type]);
	}
}

static void check_leftover(struct recount *count, struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_bo *bo;

	list_for_each_entry(bo, &lru->leftover, link.entry) {
		expect(count, bo->dead, "leftover: an alive buffer");
		expect(count, !bo->nr_links && !count_links(bo, NULL),
		       "leftover: a busy buffer");
		count->stats.leftover++;
		recount_zombie(count, bo);
	}
}

static void check_stats(struct recount *count,
			const struct ttm_fence_lru_stats *stats)
{
	const struct ttm_fence_lru_stats *counted = &count->stats;
	int i;

	expect(count, stats->busy == counted->busy, "busy %llu, counted %llu",
	       stats->busy, counted->busy);
	expect(count, stats->zombies == counted->zombies,
	       "zombies %llu, counted %llu", stats->zombies, counted->zombies);
	expect(count, stats->all_zombie_bytes == counted->all_zombie_bytes,
	       "all_zombie_bytes %llu, counted %llu", stats->all_zombie_bytes,
	       counted->all_zombie_bytes);
	expect(count, stats->signaled == counted->signaled,
	       "signaled %llu, counted %llu", stats->signaled,
	       counted->signaled);
	expect(count, stats->leftover == counted->leftover,
	       "leftover %llu, counted %llu", stats->leftover,
	       counted->leftover);
	for (i = 0; i < TTM_FENCE_LRU_NUM_TYPES; i++) {
		expect(count,
		       stats->zombie_bytes[i] == counted->zombie_bytes[i],
		       "type %d: zombie_bytes %llu, counted %llu", i,
		       stats->zombie_bytes[i], counted->zombie_bytes[i]);
		expect(count,
		       stats->signaled_bytes[i] == counted->signaled_bytes[i],
		       "type %d: signaled_bytes %llu, counted %llu", i,
		       stats->signaled_bytes[i], counted->signaled_bytes[i]);
	}
}

/**
 * ttm_fence_lru_check - check the whole structure
 * @lru: the device's engine
 * @p: where to say what is wrong, or NULL
 *
 * For tests and debug builds. The caller makes sure that nothing is under way.
 *
 * Context: process context; takes all locks of the engine in turn.
 * Return: true if all is as it must be.
 */
bool ttm_fence_lru_check(struct ttm_fence_lru *lru, struct drm_printer *p)
{
	struct recount count = { .p = p, .ok = true };
	struct ttm_fence_lru_channel *channel;
	unsigned int channels = 0;

	mutex_lock(&lru->reclaim_lock);
	list_for_each_entry(channel, &lru->channels, entry) {
		spin_lock(&channel->lock);
		check_channel(&count, channel);
		spin_unlock(&channel->lock);
		channels++;
	}
	expect(&count,
	       channels == lru->nr_channels && channels <= lru->heap_size,
	       "%u channels, counted %u, room for %u", lru->nr_channels,
	       channels, lru->heap_size);

	spin_lock(lru->lru_lock);
	check_leftover(&count, lru);
	check_stats(&count, &lru->stats);
	spin_unlock(lru->lru_lock);
	mutex_unlock(&lru->reclaim_lock);

	return count.ok;
}
EXPORT_SYMBOL(ttm_fence_lru_check);
