// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Retiring: signaled nodes leave their channels, in the order of emission over all of
 * them. Only list entries move; no memory is released.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "internal.h"
#include "trace.h"

/* What one sweep looks at. */
#define CHANNELS_PER_SWEEP 4
#define NODES_PER_SWEEP 16

/* After how many steps the oldest few have been retired. */
#define FEW_STEPS 16

/**
 * DOC: retire
 *
 * A retire merges the signaled prefixes of all channels that hold something. A heap
 * holds each channel whose first node was seen signaled, by that node's sequence
 * number::
 *
 *   channel 0:   1   4   6 | 9          | the frontier: the first node
 *   channel 1:   2   3 | 7              | that has not signaled
 *   channel 2: | 5
 *
 *   retired:     1   2   3   4   6
 *
 * The channel with the least number gives up its nodes up to where another one is next,
 * and is put back with its first remaining node, if that has signaled as well. So buffers
 * become idle in the order in which they were last used: those alive go to the LRU, and
 * zombies that left their last channel to the ripe of their memory type.
 *
 * It ends at the frontiers, and serves every task that came before it began. One on behalf of
 * an allocation that will do with little ends earlier, when some of the oldest live buffers have
 * become idle and zombies of its memory type are ripe, or no channel has any: so what it takes
 * does not grow with what has signaled since the last one.
 *
 * Fences are sampled and put without a spinlock; nodes are named by their sequence number
 * in between, as attaching may free the very node that was sampled.
 *
 * Where little may be done, as when a limit is exceeded, a sweep looks at a few channels
 * in turn and lets only zombies go: the order of those alive is that of a retire.
 */

/**
 * struct go - one retire
 * @last_seq: what had been emitted when it began: it does not chase a busy device
 * @arm: request the signaling of fences that hold up a channel, and signal only then
 * @few: the oldest few are enough, and what brings zombies of @type
 * @type: a memory type
 * @last_step: where it ends then
 */
struct go {
	u64 last_seq;
	bool arm;
	bool few;
	unsigned int type;
	u64 last_step;
};

static bool head_less(const void *lhs, const void *rhs, void *args)
{
	const struct ttm_fence_lru_head *a = lhs, *b = rhs;

	return a->seq < b->seq;
}

static void head_swap(void *lhs, void *rhs, void *args)
{
	struct ttm_fence_lru_head *a = lhs, *b = rhs;

	swap(*a, *b);
}

const struct min_heap_callbacks ttm_fence_lru_by_seq = {
	.less = head_less,
	.swp = head_swap,
};

/* Channels that got their first link since the last time are active. */
void ttm_fence_lru_activate(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_channel *channel, *next;
	struct llist_node *joined;

	lockdep_assert_held(&lru->reclaim_lock);

	joined = llist_del_all(&lru->joined);
	llist_for_each_entry_safe(channel, next, joined, joined)
		list_add_tail(&channel->active, &lru->active);
}

/* A channel that holds nothing is not looked at again until it does. */
static void deactivate_if_empty(struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lru->reclaim_lock);

	spin_lock(&channel->lock);
	if (list_empty(&channel->nodes)) {
		channel->listed = false;
		list_del(&channel->active);
	}
	spin_unlock(&channel->lock);
}

/* The node with this number was seen signaled, and so were all before it. */
static void note_signaled(struct ttm_fence_lru_channel *channel, u64 seq)
{
	channel->signaled_seq = max(channel->signaled_seq, seq);
	ttm_fence_lru_goes_on(channel);
}

/* The fence of a node, with a reference; NULL if the node was seen signaled. */
static struct dma_fence *unsettled_fence(struct ttm_fence_lru_channel *channel,
					 struct ttm_fence_lru_node *node)
{
	if (!node || node->seq <= channel->signaled_seq)
		return NULL;
	return dma_fence_get(ttm_fence_lru_node_fence(channel, node));
}

/* Sample the fence of the node with this number, and put it. */
static bool sample(struct ttm_fence_lru_channel *channel,
		   struct dma_fence *fence, u64 seq, bool arm)
{
	bool signaled = ttm_fence_lru_has_signaled(fence);

	if (!signaled && arm)
		signaled = ttm_fence_lru_arm(channel->lru, fence);
	if (signaled)
		note_signaled(channel, seq);
	dma_fence_put(fence);
	return signaled;
}

/* Look whether the first node of a channel has signaled; @seq is its number, or 0. */
static bool sample_head(struct ttm_fence_lru_channel *channel,
			const struct go *go, u64 *seq)
{
	struct ttm_fence_lru_node *node;
	struct dma_fence *fence;
	u64 seqno;

	spin_lock(&channel->lock);
	node = ttm_fence_lru_first_node(channel);
	*seq = node ? node->seq : 0;
	fence = *seq <= go->last_seq ? unsettled_fence(channel, node) : NULL;
	spin_unlock(&channel->lock);

	if (!fence)
		return *seq && *seq <= go->last_seq;

	seqno = fence->seqno;
	if (sample(channel, fence, *seq, go->arm))
		return true;
	ttm_fence_lru_measure(channel, seqno);
	return false;
}

/* One test may settle many: if the last fence has signaled, so have all. */
static void sample_last(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_node *node = NULL;
	struct dma_fence *fence;
	u64 seq = 0;

	spin_lock(&channel->lock);
	if (!list_empty(&channel->nodes)) {
		node = list_last_entry(&channel->nodes,
				       struct ttm_fence_lru_node, entry);
		seq = node->seq;
	}
	fence = unsettled_fence(channel, node);
	spin_unlock(&channel->lock);

	if (fence)
		sample(channel, fence, seq, false);
}

/* A zombie leaves the channel; it is ripe if that was its last one. */
static void retire_zombie(struct ttm_fence_lru_channel *channel,
			  struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_bo *bo = link->bo;

	channel->nr_zombies[bo->type]--;
	if (ttm_fence_lru_link_leave(channel, link))
		ttm_fence_lru_ripen(channel->lru, bo);
}

/* Take up to @max zombies off a node. Returns how many. */
static unsigned int retire_zombies(struct ttm_fence_lru_channel *channel,
				   struct ttm_fence_lru_node *node,
				   unsigned int max)
{
	struct ttm_fence_lru_link *link, *next;
	unsigned int steps = 0;

	list_for_each_entry_safe(link, next, &node->zombies, entry) {
		if (steps == max)
			break;
		retire_zombie(channel, link);
		steps++;
	}
	return steps;
}

/* Take up to @max buffers off a node, which goes with the last one. Returns the steps. */
static unsigned int retire_node(struct ttm_fence_lru_channel *channel,
				struct ttm_fence_lru_node *node,
				unsigned int max,
				struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_link *link, *next;
	unsigned int steps = 1, dead;

	list_for_each_entry_safe(link, next, &node->alive, entry) {
		if (steps == max)
			break;
		ttm_fence_lru_link_leave(channel, link);
		steps++;
	}
	dead = retire_zombies(channel, node, max - steps);
	trace_ttm_fence_lru_retire(channel, node, steps - 1, dead);
	ttm_fence_lru_node_drop_empty(channel, node, emptied);
	return steps + dead;
}

/* Retire nodes that were seen signaled, up to this number, in one hold of the locks. */
static void retire_prefix(struct ttm_fence_lru_channel *channel, u64 last_seq,
			  const struct go *go)
{
	unsigned int steps = 0,
		     max = go->few ? FEW_STEPS : TTM_FENCE_LRU_STEPS_PER_HOLD;
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_node *node;

	lockdep_assert_held(&lru->reclaim_lock);

	last_seq = min3(last_seq, channel->signaled_seq, go->last_seq);
	spin_lock(&channel->lock);
	spin_lock(lru->lru_lock);
	while (steps < max) {
		node = ttm_fence_lru_first_node(channel);
		if (!node || node->seq > last_seq)
			break;
		steps += retire_node(channel, node, max - steps, &emptied);
	}
	lru->stats.steps += steps;
	spin_unlock(lru->lru_lock);
	spin_unlock(&channel->lock);

	/* While they are in the cache. */
	ttm_fence_lru_emptied_free(&emptied);
}

/* Every channel whose first node has signaled goes into the heap. */
static void look_at_heads(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_heap *heap, const struct go *go)
{
	struct ttm_fence_lru_channel *next;
	struct ttm_fence_lru_head head;

	ttm_fence_lru_activate(lru);
	list_for_each_entry_safe(head.channel, next, &lru->active, active) {
		lru->stats.steps++;
		if (sample_head(head.channel, go, &head.seq)) {
			sample_last(head.channel);
			min_heap_push(heap, &head, &ttm_fence_lru_by_seq, NULL);
		} else if (!head.seq) {
			deactivate_if_empty(head.channel);
		}
		cond_resched();
	}
}

/* The number at which another channel than the first is next in turn. */
static u64 next_seq(const struct ttm_fence_lru_heap *heap)
{
	u64 seq = U64_MAX;

	if (heap->nr > 1)
		seq = heap->data[1].seq;
	if (heap->nr > 2)
		seq = min(seq, heap->data[2].seq);
	return seq;
}

/* Whether it may end before the frontiers. */
static bool is_enough(struct ttm_fence_lru *lru, const struct go *go)
{
	return go->few && lru->stats.steps >= go->last_step &&
	       (ttm_fence_lru_nr_dead(lru, TTM_FENCE_LRU_RIPE, go->type) ||
		!ttm_fence_lru_nr_dead(lru, TTM_FENCE_LRU_BURIED, go->type));
}

/* Retire in order until the heap is empty, or what was retired is enough. */
static void merge(struct ttm_fence_lru *lru, struct ttm_fence_lru_heap *heap,
		  const struct go *go)
{
	struct ttm_fence_lru_head *first, head;
	u64 last_seq;

	while ((first = min_heap_peek(heap)) && !is_enough(lru, go)) {
		head.channel = first->channel;
		last_seq = next_seq(heap);
		retire_prefix(head.channel, last_seq, go);
		if (!sample_head(head.channel, go, &head.seq))
			min_heap_pop(heap, &ttm_fence_lru_by_seq, NULL);
		else if (head.seq < last_seq)
			first->seq = head.seq;
		else
			min_heap_pop_push(heap, &head, &ttm_fence_lru_by_seq,
					  NULL);
		cond_resched();
	}
}

/* Unlocks the reclaim mutex. Returns whether the frontiers were reached. */
static bool retire_unlock(struct ttm_fence_lru *lru, struct go go)
{
	struct ttm_fence_lru_heap heap;
	u64 number = lru->retires + 1;
	bool complete;

	lockdep_assert_held(&lru->reclaim_lock);

	/* Pairs with the barrier in retire(): all that follows looks anew. */
	smp_store_mb(lru->retires, number);
	go.last_seq = ttm_fence_lru_emitted(lru);
	min_heap_init(&heap, lru->heap, lru->heap_size);
	look_at_heads(lru, &heap, &go);
	go.last_step = lru->stats.steps + FEW_STEPS;
	merge(lru, &heap, &go);
	complete = !heap.nr;
	/* One that requested no signaling cannot stand for one that does. */
	if (go.arm && complete)
		lru->retired = number;
	mutex_unlock(&lru->reclaim_lock);
	return complete;
}

/* Retire, unless others have since this was called. Returns whether the frontiers were reached. */
static bool retire(struct ttm_fence_lru *lru, struct go go)
{
	u64 number;

	/*
	 * Pairs with the barrier in retire_unlock(): what was emitted and has signaled
	 * before this is seen by a retire that begins after it.
	 */
	smp_mb();
	number = READ_ONCE(lru->retires) + 1;

	mutex_lock(&lru->reclaim_lock);
	if (lru->retired < number)
		return retire_unlock(lru, go);
	mutex_unlock(&lru->reclaim_lock);
	return true;
}

/**
 * ttm_fence_lru_retire - take all that has signaled off the channels
 * @lru: the device's engine
 *
 * Alive buffers go to the LRU, zombies become ripe, in the order of emission. Nothing is
 * released, and nothing waited for but other tasks that retire: one that began after this
 * was called serves as well. When it returns, the first fence of every channel was
 * unsignaled when looked at, or emitted meanwhile, or the channel was empty.
 *
 * Context: process context, reservations may be held.
 */
void ttm_fence_lru_retire(struct ttm_fence_lru *lru)
{
	retire(lru, (struct go){ .arm = true });
}
EXPORT_SYMBOL(ttm_fence_lru_retire);

/* Only the oldest few, and as much as brings zombies of a memory type. Returns as retire(). */
bool ttm_fence_lru_retire_few(struct ttm_fence_lru *lru, unsigned int type)
{
	struct go go = { .arm = true, .few = true, .type = type };

	return retire(lru, go);
}

/* So, but wait for nobody and request no signaling. */
void ttm_fence_lru_retire_trylock(struct ttm_fence_lru *lru)
{
	if (mutex_trylock(&lru->reclaim_lock))
		retire_unlock(lru, (struct go){});
}

/* Take every node off a channel that is to go, whatever its fence says. */
void ttm_fence_lru_retire_channel(struct ttm_fence_lru_channel *channel)
{
	struct go go = { .last_seq = U64_MAX };

	lockdep_assert_held(&channel->lru->reclaim_lock);

	ttm_fence_lru_activate(channel->lru);
	note_signaled(channel, U64_MAX);
	while (channel->listed) {
		retire_prefix(channel, U64_MAX, &go);
		deactivate_if_empty(channel);
		cond_resched();
	}
}

/* The first node that no sweep has come to: its number, and its fence if unsettled. */
static struct dma_fence *unswept_fence(struct ttm_fence_lru_channel *channel,
				       u64 *seq)
{
	struct dma_fence *fence;

	spin_lock(&channel->lock);
	*seq = channel->unswept ? channel->unswept->seq : 0;
	fence = unsettled_fence(channel, channel->unswept);
	spin_unlock(&channel->lock);
	return fence;
}

/* Let zombies of the node with this number go. */
static void sweep_node(struct ttm_fence_lru_channel *channel, u64 seq,
		       struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_node *node;
	unsigned int dead;

	spin_lock(&channel->lock);
	node = channel->unswept;
	if (node && node->seq == seq) {
		spin_lock(lru->lru_lock);
		dead = retire_zombies(channel, node,
				      TTM_FENCE_LRU_STEPS_PER_HOLD);
		spin_unlock(lru->lru_lock);
		trace_ttm_fence_lru_retire(channel, node, 0, dead);
		if (list_empty(&node->zombies))
			channel->unswept =
				ttm_fence_lru_next_node(channel, node);
		ttm_fence_lru_node_drop_empty(channel, node, emptied);
	}
	spin_unlock(&channel->lock);
}

static void sweep_channel(struct ttm_fence_lru_channel *channel,
			  struct ttm_fence_lru_emptied *emptied)
{
	unsigned int nodes = NODES_PER_SWEEP;
	struct dma_fence *fence;
	u64 seq;

	while (nodes--) {
		fence = unswept_fence(channel, &seq);
		if (!seq || (fence && !sample(channel, fence, seq, false)))
			return;
		sweep_node(channel, seq, emptied);
	}
}

/*
 * Let zombies go that a few channels hold under fences that have signaled, unless others
 * retire. It costs the same however many channels and nodes there are.
 */
void ttm_fence_lru_sweep(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_channel *channel, *first = NULL;
	unsigned int channels = CHANNELS_PER_SWEEP;
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);

	if (!mutex_trylock(&lru->reclaim_lock))
		return;

	ttm_fence_lru_activate(lru);
	while (channels-- && !list_empty(&lru->active)) {
		channel = list_first_entry(&lru->active, typeof(*channel),
					   active);
		if (channel == first)
			break;
		list_move_tail(&channel->active, &lru->active);
		sweep_channel(channel, &emptied);
		deactivate_if_empty(channel);
		/* That one is met again when all have had their turn. */
		if (!first && READ_ONCE(channel->listed))
			first = channel;
	}
	mutex_unlock(&lru->reclaim_lock);

	ttm_fence_lru_emptied_free(&emptied);
}
