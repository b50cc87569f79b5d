// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is busy: the fences that bring memory when they signal, and the buffers, for
 * callers that must take memory which is in use.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "internal.h"

/* Links of one node that a walk looks at; what stands behind them is waited for. */
#define LINKS_PER_NODE 256
/* Nodes and links that a walk passes in one hold of the reclaim mutex. */
#define STEPS_PER_TURN 8192

static bool holds(struct ttm_fence_lru_channel *channel, unsigned int type)
{
	return type == TTM_FENCE_LRU_ANY_TYPE ?
		       READ_ONCE(channel->nr_links) :
		       READ_ONCE(channel->nr_zombies[type]);
}

/*
 * Whether the buffer is on no later node of another channel. Nodes that are freed under
 * our eyes stay nodes for the RCU read section; a buffer that moves on meanwhile may be
 * judged by either place.
 */
static bool is_last_use(struct ttm_fence_lru_link *link)
{
	u64 seq = READ_ONCE(link->node->seq);
	struct ttm_fence_lru_link *other;
	struct ttm_fence_lru_node *node;

	for (other = &link->bo->link; other;
	     other = ttm_fence_lru_link_next(other)) {
		node = READ_ONCE(other->node);
		if (node && READ_ONCE(node->seq) > seq)
			return false;
	}
	return true;
}

/* Bytes that zombies of the type hold, those that a node is the last use of. */
static u64 zombie_bytes(struct ttm_fence_lru_node *node, unsigned int type,
			unsigned int *steps)
{
	struct ttm_fence_lru_link *link;
	u64 bytes = 0;

	list_for_each_entry(link, &node->zombies, entry) {
		if (!*steps)
			break;
		--*steps;
		if (link->bo->type == type && is_last_use(link))
			bytes += link->bo->bytes;
	}
	return bytes;
}

/* What a channel will have come to in time, if it goes on at its pace. */
static u64 bytes_within(struct ttm_fence_lru_channel *channel,
			const struct ttm_fence_lru_due *due)
{
	unsigned int steps = TTM_FENCE_LRU_STEPS_PER_HOLD;
	u64 last, bytes = 0;
	struct ttm_fence_lru_node *node;

	lockdep_assert_held(&channel->lru->reclaim_lock);

	if (!channel->pace)
		return 0;
	last = channel->looked_for - 1 +
	       div64_u64(due->within + ktime_get_ns() - channel->looked_at,
			 channel->pace);

	rcu_read_lock();
	spin_lock(&channel->lock);
	for (node = ttm_fence_lru_first_node(channel); node && steps;
	     node = ttm_fence_lru_next_node(channel, node)) {
		if (ttm_fence_lru_node_fence(channel, node)->seqno > last)
			break;
		steps--;
		bytes += zombie_bytes(node, due->type, &steps);
	}
	spin_unlock(&channel->lock);
	rcu_read_unlock();
	channel->lru->stats.steps += TTM_FENCE_LRU_STEPS_PER_HOLD - steps;
	return bytes;
}

/* The fence to wait for, with a reference, unless there is no use in that. */
static struct dma_fence *frontier(struct ttm_fence_lru_channel *channel,
				  struct ttm_fence_lru_due *due)
{
	struct dma_fence *fence;
	u64 seq, bytes = 0;

	if (!holds(channel, due->type) ||
	    ttm_fence_lru_is_late(channel, due->patience))
		return NULL;

	if (due->within) {
		bytes = bytes_within(channel, due);
		if (!bytes)
			return NULL;
	}

	fence = ttm_fence_lru_first_fence(channel, &seq);
	if (fence && seq <= due->last_seq) {
		due->bytes += bytes;
		return fence;
	}
	dma_fence_put(fence);
	return NULL;
}

/**
 * ttm_fence_lru_frontiers - what to wait for
 * @lru: the device's engine
 * @due: which ones; out: what they would bring
 * @fences: out: the first fence of each such channel, with a reference
 * @max: room in @fences
 *
 * When any of them signals, a retire finds something. Never wait for a single one: it may
 * be that of a hung channel. With &ttm_fence_lru_due.within it depends on the answer whether
 * to wait at all; else all of them are waited for from here on: see
 * ttm_fence_lru_note_wait().
 *
 * Context: process context.
 * Return: how many @fences there are.
 */
unsigned int ttm_fence_lru_frontiers(struct ttm_fence_lru *lru,
				     struct ttm_fence_lru_due *due,
				     struct dma_fence **fences,
				     unsigned int max)
{
	struct ttm_fence_lru_channel *channel;
	unsigned int count = 0;

	due->bytes = 0;

	mutex_lock(&lru->reclaim_lock);
	ttm_fence_lru_activate(lru);
	list_for_each_entry(channel, &lru->active, active) {
		if (count == max)
			break;
		fences[count] = frontier(channel, due);
		cond_resched();
		if (!fences[count])
			continue;
		if (!due->within)
			ttm_fence_lru_begin_to_wait(channel, fences[count]);
		count++;
	}
	mutex_unlock(&lru->reclaim_lock);
	return count;
}
EXPORT_SYMBOL(ttm_fence_lru_frontiers);

/* The fence, with a reference, and the number of the first node that is a match's last use. */
static struct dma_fence *first_zombie(struct ttm_fence_lru_channel *channel,
				      unsigned int type,
				      ttm_fence_lru_match match, void *data,
				      u64 *seq)
{
	unsigned int steps = TTM_FENCE_LRU_STEPS_PER_HOLD;
	struct ttm_fence_lru_node *node;
	struct ttm_fence_lru_link *link;
	struct dma_fence *fence = NULL;

	rcu_read_lock();
	spin_lock(&channel->lock);
	for (node = ttm_fence_lru_first_node(channel); node && steps && !fence;
	     node = ttm_fence_lru_next_node(channel, node)) {
		steps--;
		list_for_each_entry(link, &node->zombies, entry) {
			if (link->bo->type == type && is_last_use(link) &&
			    (!match || match(link->bo, data)))
				fence = ttm_fence_lru_node_fence(channel, node);
			if (fence || !steps)
				break;
			steps--;
		}
		*seq = node->seq;
	}
	dma_fence_get(fence);
	spin_unlock(&channel->lock);
	rcu_read_unlock();
	channel->lru->stats.steps += TTM_FENCE_LRU_STEPS_PER_HOLD - steps;
	return fence;
}

/**
 * ttm_fence_lru_oldest_match - the zombie that was used longest ago, of those that match
 * @lru: the device's engine
 * @type: its memory type, below TTM_FENCE_LRU_NUM_TYPES
 * @patience: leave out channels that have been waited for, for so many jiffies without
 *	going on
 * @match: only if this is true for it; or NULL
 * @data: for @match
 * @seq: only if its place in the order of emission is behind this; out: its place
 *
 * To be called after a retire. Its place is that of its last use: jobs before that one are
 * likely to have ended when it has, and if one has not, that one is the last use then.
 * Zombies behind some hundred others of a channel are left out, and those behind one of the
 * same channel that is not far enough.
 *
 * Context: process context.
 * Return: the fence of its last use, with a reference; NULL if there is none.
 */
struct dma_fence *ttm_fence_lru_oldest_match(struct ttm_fence_lru *lru,
					     unsigned int type,
					     unsigned long patience,
					     ttm_fence_lru_match match,
					     void *data, u64 *seq)
{
	struct dma_fence *oldest = NULL, *fence;
	struct ttm_fence_lru_channel *channel;
	u64 number, after = *seq;

	mutex_lock(&lru->reclaim_lock);
	ttm_fence_lru_activate(lru);
	list_for_each_entry(channel, &lru->active, active) {
		if (!holds(channel, type) ||
		    ttm_fence_lru_is_late(channel, patience))
			continue;
		fence = first_zombie(channel, type, match, data, &number);
		if (fence && number > after && (!oldest || number < *seq)) {
			swap(oldest, fence);
			*seq = number;
		}
		dma_fence_put(fence);
		cond_resched();
	}
	mutex_unlock(&lru->reclaim_lock);
	return oldest;
}
EXPORT_SYMBOL(ttm_fence_lru_oldest_match);

/**
 * struct walk - one call of ttm_fence_lru_visit_busy()
 * @lru: the device's engine
 * @cursor: how far it has come
 * @visit: what is called
 * @data: for @visit
 * @last_seq: what had been emitted when it began: it does not chase a busy device
 * @steps: nodes and links that it may still look at, in this turn
 * @quota: and pass, in this hold of the spinlocks
 * @stopped: by @visit
 */
struct walk {
	struct ttm_fence_lru *lru;
	struct ttm_fence_lru_cursor *cursor;
	ttm_fence_lru_visit visit;
	void *data;
	u64 last_seq;
	unsigned int steps;
	unsigned int quota;
	bool stopped;
};

/* One node or link that was looked at before. False if there is to be a pause. */
static bool pass(struct walk *walk)
{
	if (!walk->quota)
		return false;
	walk->quota--;
	return true;
}

/* Likewise, one more. */
static bool step(struct walk *walk)
{
	if (!walk->steps || !pass(walk))
		return false;
	walk->steps--;
	return true;
}

/* A node has more links than are looked at. These are first when a walk begins anew. */
static void put_first(struct ttm_fence_lru_node *node,
		      struct ttm_fence_lru_link *link)
{
	LIST_HEAD(visited);

	list_cut_before(&visited, &node->alive, &link->entry);
	list_splice_tail(&visited, &node->alive);
}

/* Visit the buffers of a node, from the cursor on. False if the walk pauses there. */
static bool visit_node(struct walk *walk, struct ttm_fence_lru_channel *channel,
		       struct ttm_fence_lru_node *node)
{
	struct ttm_fence_lru_cursor *cursor = walk->cursor;
	struct ttm_fence_lru_link *link;
	unsigned int passed = 0;

	if (cursor->seq != node->seq) {
		cursor->seq = node->seq;
		cursor->visited = 0;
		cursor->turned = false;
	}

	list_for_each_entry(link, &node->alive, entry) {
		if (passed == LINKS_PER_NODE) {
			cursor->left_out = true;
			cursor->rounds =
				max(cursor->rounds,
				    channel->nr_links / LINKS_PER_NODE);
			if (!cursor->turned)
				put_first(node, link);
			cursor->turned = true;
			break;
		}
		if (passed++ < cursor->visited) {
			if (!pass(walk))
				return false;
			continue;
		}
		if (!step(walk))
			return false;
		if (link->bo->state == TTM_FENCE_LRU_ALIVE &&
		    is_last_use(link) && !walk->visit(link->bo, walk->data)) {
			walk->stopped = true;
			return false;
		}
		cursor->visited++;
	}
	return true;
}

/*
 * Visit a channel in one hold of its lock, from where it stopped, up to where another one
 * is next. Returns the number of the node to go on with, 0 at the end.
 */
static u64 visit_some(struct walk *walk, struct ttm_fence_lru_channel *channel,
		      u64 last_seq)
{
	struct ttm_fence_lru_node *node;
	bool ahead;

	last_seq = min(last_seq, walk->last_seq);
	for (node = channel->resume; node && node->seq <= last_seq;
	     node = ttm_fence_lru_next_node(channel, node)) {
		channel->resume = node;
		ahead = node->seq >= walk->cursor->seq;
		if (!(ahead ? step(walk) : pass(walk)))
			break;
		if (ahead && !visit_node(walk, channel, node))
			break;
	}
	channel->resume = node;
	return node && node->seq <= walk->last_seq ? node->seq : 0;
}

static u64 visit_channel(struct walk *walk,
			 struct ttm_fence_lru_channel *channel, u64 last_seq)
{
	/* More than of any node are looked at, so that one is always passed. */
	const unsigned int quota = LINKS_PER_NODE + 1;
	u64 seq;

	walk->quota = quota;
	rcu_read_lock();
	spin_lock(&channel->lock);
	spin_lock(walk->lru->lru_lock);
	seq = visit_some(walk, channel, last_seq);
	walk->lru->stats.steps += quota - walk->quota;
	spin_unlock(walk->lru->lru_lock);
	spin_unlock(&channel->lock);
	rcu_read_unlock();
	return seq;
}

/* Whether a walk from this number on may begin where the last walk of the channel stopped. */
static bool may_resume(struct ttm_fence_lru_channel *channel, u64 from)
{
	struct list_head *next = channel->resume ? &channel->resume->entry :
						   &channel->nodes;

	lockdep_assert_held(&channel->lock);

	return next->prev == &channel->nodes ||
	       list_entry(next->prev, struct ttm_fence_lru_node, entry)->seq <
		       from;
}

/* The number of the node where a walk begins; 0 if there is none. */
static u64 begin_walk(struct ttm_fence_lru_channel *channel, u64 from)
{
	u64 seq;

	channel->lru->stats.steps++;
	spin_lock(&channel->lock);
	if (!may_resume(channel, from))
		channel->resume = ttm_fence_lru_first_node(channel);
	seq = channel->resume ? channel->resume->seq : 0;
	spin_unlock(&channel->lock);
	return seq;
}

/* Every channel that goes on is in the heap, by its first node. */
static void look_at_channels(struct walk *walk, struct ttm_fence_lru_heap *heap,
			     unsigned long patience)
{
	struct ttm_fence_lru *lru = walk->lru;
	struct ttm_fence_lru_head head;

	ttm_fence_lru_activate(lru);
	list_for_each_entry(head.channel, &lru->active, active) {
		if (ttm_fence_lru_is_late(head.channel, patience)) {
			walk->cursor->late = true;
			continue;
		}
		head.seq = begin_walk(head.channel, walk->cursor->seq);
		if (head.seq)
			min_heap_push(heap, &head, &ttm_fence_lru_by_seq, NULL);
		cond_resched();
	}
}

/* Visit the channels in turn, each up to where the next one goes on. */
static void visit_all(struct walk *walk, struct ttm_fence_lru_heap *heap)
{
	struct ttm_fence_lru_head head, *next;

	while (!walk->stopped && walk->steps && heap->nr) {
		head = *min_heap_peek(heap);
		min_heap_pop(heap, &ttm_fence_lru_by_seq, NULL);
		next = min_heap_peek(heap);

		head.seq = visit_channel(walk, head.channel,
					 next ? next->seq : U64_MAX);
		if (head.seq)
			min_heap_push(heap, &head, &ttm_fence_lru_by_seq, NULL);
		cond_resched();
	}
}

/**
 * ttm_fence_lru_visit_busy - visit the buffers that are alive and busy
 * @lru: the device's engine
 * @patience: leave out channels that have been waited for, for so many jiffies without
 *	going on
 * @cursor: where to begin, zeroed for all; out: where it stopped, to go on from there
 * @visit: called for each buffer and group
 * @data: for @visit
 *
 * For callers that find nothing idle, and nothing dead that is worth to wait for. The
 * order is that in which they would become idle: that of the last node of each. Left out
 * are buffers that are used again meanwhile, or some of them, and those of a node beyond
 * its first 256, which &ttm_fence_lru_cursor.left_out tells: these are its first ones then.
 *
 * Context: process context; reservations may be held.
 */
void ttm_fence_lru_visit_busy(struct ttm_fence_lru *lru, unsigned long patience,
			      struct ttm_fence_lru_cursor *cursor,
			      ttm_fence_lru_visit visit, void *data)
{
	struct walk walk = {
		.lru = lru,
		.cursor = cursor,
		.visit = visit,
		.data = data,
		.last_seq = cursor->end ? cursor->end - 1 :
					  ttm_fence_lru_emitted(lru),
	};
	struct ttm_fence_lru_heap heap;

	/* Others have their turn with the mutex in between. */
	do {
		walk.steps = STEPS_PER_TURN;
		mutex_lock(&lru->reclaim_lock);
		min_heap_init(&heap, lru->heap, lru->heap_size);
		look_at_channels(&walk, &heap, patience);
		visit_all(&walk, &heap);
		mutex_unlock(&lru->reclaim_lock);
	} while (!walk.stopped && !walk.steps);
}
EXPORT_SYMBOL(ttm_fence_lru_visit_busy);
