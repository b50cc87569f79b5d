// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For a reader: channels with their nodes, what the dead wait for, counters up to date.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_print.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"

/* What fits on a screen. */
#define DRAWN_CHANNELS 32
#define DRAWN_NODES 8
#define DRAWN_BLOCKERS 4

/* A report is not worth more than one retire in so many milliseconds. */
#define REFRESH_MS 10

/* A list's length, counted as far as the steps of one hold of a lock go. */
struct drawn_length {
	unsigned int count;
	bool more;
};

struct drawn_node {
	u64 seq;
	u64 seqno;
	struct drawn_length alive;
	struct drawn_length dead;
};

struct drawn_channel {
	u64 context;
	unsigned int links;
	unsigned int nr_nodes;
	bool more;
	struct drawn_node nodes[DRAWN_NODES];
};

struct drawn_blocker {
	u64 context;
	u64 seqno;
	struct drawn_length dead;
};

struct drawn_dead {
	u64 ripe;
	u64 locked;
	u64 blocked;
	unsigned int nr_blockers;
	struct drawn_blocker blockers[DRAWN_BLOCKERS];
};

/* Noted under locks, and printed without: a printer may be slow. */
struct drawing {
	unsigned int nr_registered;
	unsigned int nr_busy;
	unsigned int nr_channels;
	struct drawn_channel channels[DRAWN_CHANNELS];
	struct drawn_dead dead[TTM_FENCE_LRU_NUM_TYPES];
};

static struct drawn_length length_of(struct list_head *list,
				     unsigned int *steps)
{
	struct drawn_length length = {};
	struct list_head *entry;

	list_for_each(entry, list) {
		length.more = !*steps;
		if (length.more)
			break;
		--*steps;
		length.count++;
	}
	return length;
}

static void draw_channel(struct ttm_fence_lru_channel *channel,
			 struct drawn_channel *out)
{
	unsigned int steps = TTM_FENCE_LRU_STEPS_PER_HOLD;
	struct ttm_fence_lru_node *node;

	out->context = channel->context;
	spin_lock(&channel->lock);
	out->links = channel->nr_links;
	list_for_each_entry(node, &channel->nodes, entry) {
		out->more = out->nr_nodes == DRAWN_NODES;
		if (out->more)
			break;
		out->nodes[out->nr_nodes++] = (struct drawn_node){
			.seq = node->seq,
			.seqno = ttm_fence_lru_node_fence(channel, node)->seqno,
			.alive = length_of(&node->alive, &steps),
			.dead = length_of(&node->zombies, &steps),
		};
	}
	spin_unlock(&channel->lock);
}

/* Of the node that has waited longest; 0 if there is none. */
static u64 first_seq(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_node *node;
	u64 seq;

	spin_lock(&channel->lock);
	node = ttm_fence_lru_first_node(channel);
	seq = node ? node->seq : 0;
	spin_unlock(&channel->lock);
	return seq;
}

/* Where to draw a channel that begins there; NULL if older ones have all places. */
static struct drawn_channel *find_place(struct drawing *d, u64 seq)
{
	struct drawn_channel *youngest = d->channels;
	unsigned int i;

	if (d->nr_channels < DRAWN_CHANNELS)
		return &d->channels[d->nr_channels++];
	for (i = 1; i < DRAWN_CHANNELS; i++)
		if (d->channels[i].nodes[0].seq > youngest->nodes[0].seq)
			youngest = &d->channels[i];
	if (youngest->nodes[0].seq < seq)
		return NULL;
	*youngest = (struct drawn_channel){};
	return youngest;
}

/* The oldest are those that may hang. */
static void draw_channels(struct ttm_fence_lru *lru, struct drawing *d)
{
	struct ttm_fence_lru_channel *channel;
	struct drawn_channel *place;
	u64 seq;

	mutex_lock(&lru->reclaim_lock);
	ttm_fence_lru_activate(lru);
	d->nr_registered = lru->nr_channels;
	list_for_each_entry(channel, &lru->active, active) {
		seq = first_seq(channel);
		if (!seq)
			continue;
		d->nr_busy++;
		place = find_place(d, seq);
		if (place)
			draw_channel(channel, place);
	}
	mutex_unlock(&lru->reclaim_lock);
}

static void draw_dead(struct ttm_fence_lru *lru, unsigned int type,
		      struct drawn_dead *out)
{
	unsigned int steps = TTM_FENCE_LRU_STEPS_PER_HOLD;
	struct ttm_fence_lru_dead *dead = &lru->dead[type];
	struct ttm_fence_lru_blocker *blocker;

	spin_lock(lru->lru_lock);
	out->ripe = lru->stats.dead[TTM_FENCE_LRU_RIPE][type].count;
	out->locked = dead->nr_locked;
	out->blocked = dead->nr_blocked;
	list_for_each_entry(blocker, &dead->blocked, entry) {
		if (out->nr_blockers == DRAWN_BLOCKERS)
			break;
		out->blockers[out->nr_blockers++] = (struct drawn_blocker){
			.context = blocker->fence->context,
			.seqno = blocker->fence->seqno,
			.dead = length_of(&blocker->bos, &steps),
		};
	}
	spin_unlock(lru->lru_lock);
}

/* By the oldest node; a channel that has lost its own meanwhile comes first. */
static int by_age(const void *a, const void *b)
{
	const struct drawn_channel *first = a, *second = b;

	return first->nodes[0].seq < second->nodes[0].seq ? -1 : 1;
}

static const char *plus(struct drawn_length length)
{
	return length.more ? "+" : "";
}

static void print_channel(struct drm_printer *p,
			  const struct drawn_channel *channel)
{
	unsigned int i;

	drm_printf(p, "channel=%llu links=%u:", channel->context,
		   channel->links);
	for (i = 0; i < channel->nr_nodes; i++) {
		const struct drawn_node *node = &channel->nodes[i];

		drm_printf(p, " [seq=%llu seqno=%llu alive=%u%s dead=%u%s]",
			   node->seq, node->seqno, node->alive.count,
			   plus(node->alive), node->dead.count,
			   plus(node->dead));
	}
	drm_puts(p, channel->more ? " ...\n" : "\n");
}

static void print_dead(struct drm_printer *p, unsigned int type,
		       const struct drawn_dead *dead)
{
	unsigned int i;

	if (!dead->ripe && !dead->locked && !dead->blocked)
		return;

	drm_printf(p, "type=%u ripe=%llu locked=%llu fences=%llu:", type,
		   dead->ripe, dead->locked, dead->blocked);
	for (i = 0; i < dead->nr_blockers; i++) {
		const struct drawn_blocker *blocker = &dead->blockers[i];

		drm_printf(p, " [context=%llu seqno=%llu dead=%u%s]",
			   blocker->context, blocker->seqno,
			   blocker->dead.count, plus(blocker->dead));
	}
	drm_puts(p, dead->blocked > dead->nr_blockers ? " ...\n" : "\n");
}

void *ttm_fence_lru_drawing_alloc(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_drawing_alloc);

	return kvzalloc(sizeof(struct drawing), GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_drawing_alloc);

/**
 * ttm_fence_lru_print - draw the channels with their nodes, and what the dead wait for
 * @lru: the device's engine
 * @p: where to
 *
 * Channels and nodes come oldest first, and as many as one can read: the oldest ones. Each
 * line is of one moment, not all of them together.
 *
 * Context: process context, may sleep and allocate; takes all locks of the engine in turn,
 * each spinlock for at most some hundred steps, and prints without one.
 * Return: 0, or -ENOMEM, with nothing printed.
 */
int ttm_fence_lru_print(struct ttm_fence_lru *lru, struct drm_printer *p)
{
	struct drawing *d = ttm_fence_lru_drawing_alloc();
	unsigned int i;

	if (!d)
		return -ENOMEM;

	draw_channels(lru, d);
	for (i = 0; i < TTM_FENCE_LRU_NUM_TYPES; i++)
		draw_dead(lru, i, &d->dead[i]);
	sort(d->channels, d->nr_channels, sizeof(*d->channels), by_age, NULL);

	drm_printf(p, "channels=%u busy=%u\n", d->nr_registered, d->nr_busy);
	for (i = 0; i < d->nr_channels; i++)
		print_channel(p, &d->channels[i]);
	for (i = 0; i < TTM_FENCE_LRU_NUM_TYPES; i++)
		print_dead(p, i, &d->dead[i]);
	kvfree(d);
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_print);

/**
 * ttm_fence_lru_refresh - bring the counters up to date, for a report
 * @lru: the device's engine
 *
 * What is ripe is what could be had at once. Reports may be polled: this retires at most
 * once in 10 ms, and not while others retire.
 *
 * Context: process context; waits for nobody.
 */
void ttm_fence_lru_refresh(struct ttm_fence_lru *lru)
{
	unsigned long next;

	next = READ_ONCE(lru->refreshed) + msecs_to_jiffies(REFRESH_MS);
	if (time_before(jiffies, next))
		return;

	WRITE_ONCE(lru->refreshed, jiffies);
	ttm_fence_lru_retire_trylock(lru);
}
EXPORT_SYMBOL(ttm_fence_lru_refresh);
