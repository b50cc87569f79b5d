// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Busy buffers, for those who must take memory that is in use.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "internal.h"

/* Links that are passed in one go with spinlocks held. */
#define LINKS_PER_HOLD 256

/* One call of ttm_fence_lru_visit_busy(). */
struct walk {
	struct ttm_fence_lru *lru;
	struct ttm_fence_lru_cursor *cursor;
	ttm_fence_lru_visit visit;
	void *data;
	unsigned int quota;
	bool done;
};

/*
 * Whether the buffer is on no later node of another channel. Nodes that are freed under
 * our eyes stay nodes for the RCU read section; who moves on meanwhile may be judged by
 * either place.
 */
static bool is_last_use(struct ttm_fence_lru_link *link)
{
	u64 seq = READ_ONCE(link->node->seq);
	struct ttm_fence_lru_link *other;
	struct ttm_fence_lru_node *node;

	for (other = &link->bo->link; other;
	     other = ttm_fence_lru_next_link(other)) {
		node = READ_ONCE(other->node);
		if (node && READ_ONCE(node->seq) > seq)
			return false;
	}
	return true;
}

/* Visit the buffers of a node, from the cursor on. False if the walk stops there. */
static bool visit_node(struct walk *walk, struct ttm_fence_lru_node *node)
{
	struct ttm_fence_lru_cursor *cursor = walk->cursor;
	struct ttm_fence_lru_link *link;
	unsigned int passed = 0;

	if (cursor->seq != node->seq)
		*cursor = (struct ttm_fence_lru_cursor){ .seq = node->seq };

	list_for_each_entry(link, &node->alive, entry) {
		if (passed++ < cursor->visited)
			continue;
		if (!walk->quota--)
			return false;
		if (!link->bo->dead && is_last_use(link) &&
		    !walk->visit(link->bo, walk->data)) {
			walk->done = true;
			return false;
		}
		cursor->visited++;
	}
	return true;
}

/*
 * Visit a channel up to where another one is next, and note where to go on: 0 if
 * nowhere. One that hangs is left out.
 */
static void visit_channel(struct walk *walk, struct ttm_fence_lru_head *head,
			  u64 limit)
{
	struct ttm_fence_lru_channel *channel = head->channel;
	struct ttm_fence_lru_node *node;
	u64 from = head->seq;

	head->seq = 0;
	walk->quota = LINKS_PER_HOLD;

	rcu_read_lock();
	spin_lock(&channel->lock);
	spin_lock(walk->lru->lru_lock);
	list_for_each_entry(node, &channel->nodes, entry) {
		if (node->seq == channel->stalled)
			break;
		if (node->seq < from)
			continue;
		if (node->seq > limit || !visit_node(walk, node)) {
			head->seq = node->seq;
			break;
		}
	}
	spin_unlock(walk->lru->lru_lock);
	spin_unlock(&channel->lock);
	rcu_read_unlock();
}

/* Visit the channels in turn, each up to where the next one goes on. */
static void visit_all(struct walk *walk, struct ttm_fence_lru_heap *heap)
{
	struct ttm_fence_lru_head head, *next;

	while (!walk->done && heap->nr) {
		head = *min_heap_peek(heap);
		min_heap_pop(heap, &ttm_fence_lru_by_seq, NULL);
		next = min_heap_peek(heap);

		visit_channel(walk, &head, next ? next->seq : U64_MAX);
		if (head.seq)
			min_heap_push(heap, &head, &ttm_fence_lru_by_seq, NULL);
		cond_resched();
	}
}

/**
 * ttm_fence_lru_visit_busy - visit the buffers that are alive and busy
 * @lru: the device's engine
 * @cursor: where to begin, zeroed for all; out: where it stopped, to go on from there
 * @visit: called for each buffer and group
 * @data: for @visit
 *
 * For who finds nothing idle, and nothing dead that is worth to wait for. The order is
 * that in which they would become idle: that of the last node of each. Channels that were
 * found to be stalled are left out, and so are buffers that are used again meanwhile, or
 * some of them.
 *
 * Context: process context; reservations may be held.
 */
void ttm_fence_lru_visit_busy(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_cursor *cursor,
			      ttm_fence_lru_visit visit, void *data)
{
	struct walk walk = {
		.lru = lru, .cursor = cursor, .visit = visit, .data = data
	};
	struct ttm_fence_lru_head head = { .seq = cursor->seq };
	struct ttm_fence_lru_heap heap;

	mutex_lock(&lru->reclaim_lock);
	ttm_fence_lru_forget_pass(lru);
	min_heap_init(&heap, lru->heap, lru->heap_size);
	list_for_each_entry(head.channel, &lru->channels, entry)
		min_heap_push(&heap, &head, &ttm_fence_lru_by_seq, NULL);
	visit_all(&walk, &heap);
	mutex_unlock(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_visit_busy);
