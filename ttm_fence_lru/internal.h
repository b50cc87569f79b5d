/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_INTERNAL_H_
#define _TTM_FENCE_LRU_INTERNAL_H_

#include <linux/dma-fence.h>
#include <linux/lockdep.h>
#include <linux/min_heap.h>

#include <drm/ttm_fence_lru.h>

/*
 * The files, from the top: each calls only those below it.
 *
 *	print.c			for a reader: channels, the dead, counters up to date
 *	check.c			everything is as it must be
 *	lru.c			set-up and channels
 *	release.c		the last reference of a buffer is gone
 *	limits.c		how much the dead may keep
 *	reclaim.c	busy.c	memory is released; what is busy, and what to wait for
 *	retire.c		signaled nodes leave their channels
 *	progress.c		how a channel goes on
 *	dead.c		group.c	zombies on no channel; buffers that are fenced as one
 *	attach.c		a buffer is used under a fence
 *	node.c			fences, nodes and links
 *	trace.c			the tracepoints
 */

/* Where the owner released the memory of a zombie by itself; else an enum ttm_fence_lru_site. */
#define TTM_FENCE_LRU_BY_OWNER -1

/* Nodes and links that are passed in one hold of a spinlock. */
#define TTM_FENCE_LRU_STEPS_PER_HOLD 256

/**
 * struct ttm_fence_lru_head - a channel in a merge
 * @seq: of the channel's node that is next in turn
 * @channel: the channel
 */
struct ttm_fence_lru_head {
	u64 seq;
	struct ttm_fence_lru_channel *channel;
};

DEFINE_MIN_HEAP(struct ttm_fence_lru_head, ttm_fence_lru_heap);

/* Nodes that a channel keeps for its next fences. */
#define TTM_FENCE_LRU_SPARE_NODES 2

/**
 * struct ttm_fence_lru_emptied - what nodes that were emptied under a spinlock leave
 * @nodes: to be freed, with their fences
 * @fences: of those that the channel keeps, to be put
 * @nr_fences: length of @fences
 */
struct ttm_fence_lru_emptied {
	struct list_head nodes;
	struct dma_fence *fences[TTM_FENCE_LRU_SPARE_NODES];
	unsigned int nr_fences;
};

#define TTM_FENCE_LRU_EMPTIED(name)                  \
	{                                            \
		.nodes = LIST_HEAD_INIT(name.nodes), \
	}

/**
 * struct ttm_fence_lru_blocker - a fence that leftovers of one memory type wait for
 * @entry: in &ttm_fence_lru_dead.blocked
 * @hash: in &ttm_fence_lru.blockers
 * @fence: a reference of our own
 * @bos: the leftovers
 * @type: their memory type
 */
struct ttm_fence_lru_blocker {
	struct list_head entry;
	struct hlist_node hash;
	struct dma_fence *fence;
	struct list_head bos;
	unsigned int type;
};

static inline struct ttm_fence_lru_group *
ttm_fence_lru_to_group(struct ttm_fence_lru_bo *bo)
{
	return container_of(bo, struct ttm_fence_lru_group, base);
}

/* How many zombies of a memory type are in a state; a snapshot. */
static inline u64 ttm_fence_lru_nr_dead(struct ttm_fence_lru *lru,
					enum ttm_fence_lru_state state,
					unsigned int type)
{
	return READ_ONCE(lru->stats.dead[state][type].count);
}

/* The fence of a node that is on a channel. */
static inline struct dma_fence *
ttm_fence_lru_node_fence(struct ttm_fence_lru_channel *channel,
			 struct ttm_fence_lru_node *node)
{
	return rcu_dereference_protected(node->fence,
					 lockdep_is_held(&channel->lock));
}

/* The node that has waited longest, or NULL. */
static inline struct ttm_fence_lru_node *
ttm_fence_lru_first_node(struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lock);

	return list_first_entry_or_null(&channel->nodes,
					struct ttm_fence_lru_node, entry);
}

/* The node after this one, or NULL. */
static inline struct ttm_fence_lru_node *
ttm_fence_lru_next_node(struct ttm_fence_lru_channel *channel,
			struct ttm_fence_lru_node *node)
{
	lockdep_assert_held(&channel->lock);

	return list_is_last(&node->entry, &channel->nodes) ?
		       NULL :
		       list_next_entry(node, entry);
}

/* With lockdep: what belongs to the emission of a fence happens under the driver's lock. */
static inline void
ttm_fence_lru_assert_emission(struct ttm_fence_lru_channel *channel)
{
#ifdef CONFIG_LOCKDEP
	WARN_ON_ONCE(debug_locks && channel->emission_map &&
		     !lock_is_held(channel->emission_map));
#endif
}

/* node.c: fences, nodes and links of one channel */
int ttm_fence_lru_node_caches_create(void);
void ttm_fence_lru_node_caches_destroy(void);
struct ttm_fence_lru_node *ttm_fence_lru_node_alloc(void);
void ttm_fence_lru_node_free(struct ttm_fence_lru_node *node);
void ttm_fence_lru_emptied_free_all(struct ttm_fence_lru_emptied *emptied);
void ttm_fence_lru_node_add_spare(struct ttm_fence_lru_channel *channel,
				  struct ttm_fence_lru_node *node);
struct ttm_fence_lru_node *
ttm_fence_lru_node_get(struct ttm_fence_lru_channel *channel,
		       struct dma_fence *fence);
void ttm_fence_lru_node_drop(struct ttm_fence_lru_channel *channel,
			     struct ttm_fence_lru_node *node,
			     struct ttm_fence_lru_emptied *emptied);
struct ttm_fence_lru_link *ttm_fence_lru_link_alloc(struct ttm_fence_lru_bo *bo,
						    gfp_t gfp);
void ttm_fence_lru_link_free(struct ttm_fence_lru_link *link);
struct ttm_fence_lru_link *
ttm_fence_lru_link_next(struct ttm_fence_lru_link *link);
struct ttm_fence_lru_channel *
ttm_fence_lru_link_channel(struct ttm_fence_lru_link *link);
bool ttm_fence_lru_link_leave(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_link *link);
bool ttm_fence_lru_has_signaled(struct dma_fence *fence);
bool ttm_fence_lru_arm(struct ttm_fence_lru *lru, struct dma_fence *fence);

static inline bool ttm_fence_lru_link_is_free(struct ttm_fence_lru_link *link)
{
	/* Pairs with the release in ttm_fence_lru_link_leave(). */
	return !smp_load_acquire(&link->node);
}

/* Not under a spinlock. */
static inline void
ttm_fence_lru_emptied_free(struct ttm_fence_lru_emptied *emptied)
{
	if (emptied->nr_fences || !list_empty(&emptied->nodes))
		ttm_fence_lru_emptied_free_all(emptied);
}

/* A node without buffers leaves its channel. */
static inline void
ttm_fence_lru_node_drop_empty(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_node *node,
			      struct ttm_fence_lru_emptied *emptied)
{
	if (list_empty(&node->alive) && list_empty(&node->zombies))
		ttm_fence_lru_node_drop(channel, node, emptied);
}

/* attach.c: a buffer is used under a fence */
struct ttm_fence_lru_channel *
ttm_fence_lru_channel_find(struct ttm_fence_lru *lru, u64 context);
void ttm_fence_lru_attach_locked(struct ttm_fence_lru_channel *channel,
				 struct ttm_fence_lru_node *node,
				 struct ttm_fence_lru_bo **bos,
				 unsigned int count,
				 struct ttm_fence_lru_emptied *emptied);

/* dead.c: zombies on no channel */
void ttm_fence_lru_become_zombie(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo);
void ttm_fence_lru_ripen(struct ttm_fence_lru *lru,
			 struct ttm_fence_lru_bo *bo);
u64 ttm_fence_lru_empty_taken(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_bo **bos, unsigned int nr,
			      int site);
struct ttm_fence_lru_blocker *ttm_fence_lru_blocker_alloc(void);
void ttm_fence_lru_leave_over(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_bo *bo,
			      struct dma_fence *fence,
			      struct ttm_fence_lru_blocker **spare);
unsigned int ttm_fence_lru_take(struct ttm_fence_lru *lru,
				struct list_head *list,
				struct ttm_fence_lru_bo **bos, unsigned int max,
				u64 target);
bool ttm_fence_lru_give_back(struct ttm_fence_lru *lru,
			     struct ttm_fence_lru_bo *bo,
			     struct list_head *list);
void ttm_fence_lru_test_blocked(struct ttm_fence_lru *lru, unsigned int type,
				u64 max);

/* retire.c: signaled nodes leave their channels */
extern const struct min_heap_callbacks ttm_fence_lru_by_seq;
void ttm_fence_lru_activate(struct ttm_fence_lru *lru);
bool ttm_fence_lru_retire_few(struct ttm_fence_lru *lru, unsigned int type);
void ttm_fence_lru_retire_trylock(struct ttm_fence_lru *lru);
void ttm_fence_lru_retire_channel(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_sweep(struct ttm_fence_lru *lru);

/* progress.c: how a channel goes on */
void ttm_fence_lru_goes_on(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_measure(struct ttm_fence_lru_channel *channel, u64 seqno);
bool ttm_fence_lru_is_late(struct ttm_fence_lru_channel *channel,
			   unsigned long patience);
void ttm_fence_lru_begin_to_wait(struct ttm_fence_lru_channel *channel,
				 struct dma_fence *fence);
struct dma_fence *
ttm_fence_lru_first_fence(struct ttm_fence_lru_channel *channel, u64 *seq);

/* lru.c */
struct ttm_fence_lru_head *ttm_fence_lru_heap_alloc(unsigned int size);

/* print.c */
void *ttm_fence_lru_drawing_alloc(void);

/* reclaim.c: memory is released */
void ttm_fence_lru_might_drain(struct ttm_fence_lru *lru);
void ttm_fence_lru_teach_drain(void);
void ttm_fence_lru_release_few(struct ttm_fence_lru *lru, unsigned int type,
			       enum ttm_fence_lru_site site);

/* limits.c: how much the dead may keep */
void ttm_fence_lru_obey_limits(struct ttm_fence_lru *lru, unsigned int type);

#endif
