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
	u64 links;
	u64 leftover;
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

/* Links in use, by the buffer's own list. */
static unsigned int count_links(struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link;
	unsigned int count = 0;

	for (link = &bo->link; link; link = link->next)
		count += !!READ_ONCE(link->node);
	return count;
}

/* No link stands twice on one channel, and the buffer knows how many it has. */
static void check_bo(struct recount *count,
		     struct ttm_fence_lru_channel *channel,
		     struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link;
	unsigned int here = 0;

	for (link = &bo->link; link; link = link->next)
		here += READ_ONCE(link->node) && link->channel == channel;

	expect(count, here == 1, "context %llu: %u links of one buffer",
	       channel->context, here);
	expect(count, bo->nr_links == count_links(bo),
	       "context %llu: %u links, counted %u", channel->context,
	       bo->nr_links, count_links(bo));
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
		check_bo(count, channel, link->bo);
		links++;
	}
	return links;
}

static void check_channel(struct recount *count,
			  struct ttm_fence_lru_channel *channel)
{
	unsigned int all_links = 0, all_zombies = 0, counted = 0;
	unsigned int links, zombies, type;
	struct ttm_fence_lru_node *node, *previous = NULL;

	list_for_each_entry(node, &channel->nodes, entry) {
		links = check_links(count, channel, node, &node->alive, false);
		zombies =
			check_links(count, channel, node, &node->zombies, true);

		expect(count, links + zombies, "seq %llu: empty node",
		       node->seq);
		expect(count, node->fence->context == channel->context,
		       "seq %llu: fence of context %llu on channel %llu",
		       node->seq, node->fence->context, channel->context);
		expect(count,
		       !previous || (previous->seq < node->seq &&
				     dma_fence_is_later(node->fence,
							previous->fence)),
		       "seq %llu: out of order", node->seq);
		all_links += links + zombies;
		all_zombies += zombies;
		previous = node;
	}

	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		counted += channel->nr_zombies[type];
	expect(count, channel->nr_links == all_links,
	       "context %llu: nr_links %u, counted %u", channel->context,
	       channel->nr_links, all_links);
	expect(count, counted == all_zombies,
	       "context %llu: nr_zombies %u, counted %u", channel->context,
	       counted, all_zombies);
	count->links += all_links;
}

static void check_leftover(struct recount *count, struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_bo *bo;

	list_for_each_entry(bo, &lru->leftover, link.entry) {
		expect(count, bo->dead, "leftover: an alive buffer");
		expect(count, !bo->nr_links && !count_links(bo),
		       "leftover: a busy buffer");
		count->leftover++;
	}
	expect(count, lru->stats.leftover == count->leftover,
	       "leftover %llu, counted %llu", lru->stats.leftover,
	       count->leftover);
	expect(count,
	       lru->stats.busy <= count->links &&
		       !lru->stats.busy == !count->links,
	       "%llu busy buffers, but %llu links", lru->stats.busy,
	       count->links);
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
	spin_unlock(lru->lru_lock);
	mutex_unlock(&lru->reclaim_lock);

	return count.ok;
}
EXPORT_SYMBOL(ttm_fence_lru_check);
