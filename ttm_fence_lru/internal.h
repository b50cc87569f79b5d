/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_INTERNAL_H_
#define _TTM_FENCE_LRU_INTERNAL_H_

#include <linux/lockdep.h>
#include <linux/min_heap.h>

#include <drm/ttm_fence_lru.h>

/* Zombies that one reclaim step collects before it releases them. */
#define TTM_FENCE_LRU_BATCH 32

/**
 * struct ttm_fence_lru_head - a channel in the merge
 * @seq: of the channel's node that is next in turn
 * @channel: the channel
 */
struct ttm_fence_lru_head {
	u64 seq;
	struct ttm_fence_lru_channel *channel;
};

DEFINE_MIN_HEAP(struct ttm_fence_lru_head, ttm_fence_lru_heap);

/**
 * struct ttm_fence_lru_corpse - a reference of a zombie that left a channel
 * @bo: the zombie
 * @last: it left its last channel: whoever holds this must release its memory
 */
struct ttm_fence_lru_corpse {
	struct ttm_fence_lru_bo *bo;
	bool last;
};

/**
 * struct ttm_fence_lru_goal - what memory is released for
 * @site: where
 * @type: memory type that is wanted, or TTM_FENCE_LRU_ANY_TYPE
 * @target: bytes of @type after which to stop
 * @released: bytes of @type released so far
 * @pass: the pass that its steps belong to, or 0 before the first
 */
struct ttm_fence_lru_goal {
	enum ttm_fence_lru_site site;
	unsigned int type;
	u64 target;
	u64 released;
	u64 pass;
};

/* All that can be had. */
static inline struct ttm_fence_lru_goal
ttm_fence_lru_goal(enum ttm_fence_lru_site site)
{
	return (struct ttm_fence_lru_goal){
		.site = site,
		.type = TTM_FENCE_LRU_ANY_TYPE,
		.target = U64_MAX,
	};
}

/* What a dead buffer counts for the goal, before it is cleaned. */
static inline u64
ttm_fence_lru_goal_bytes(const struct ttm_fence_lru_goal *goal,
			 const struct ttm_fence_lru_bo *bo)
{
	bool wanted = goal->type == TTM_FENCE_LRU_ANY_TYPE ||
		      goal->type == bo->type;

	return wanted && !READ_ONCE(bo->cleaned) ? bo->bytes : 0;
}

/**
 * struct ttm_fence_lru_batch - what reclaim collects under its locks
 * @nodes: emptied nodes, off their channels; their fences are still to be put
 * @corpses: zombies' references, still to be dropped
 * @nr: entries in @corpses
 * @max: room in @corpses
 * @heads: nodes that may still be retired, or looked at in vain
 * @bytes: what they count for the goal
 * @goal: what it is all for
 */
struct ttm_fence_lru_batch {
	struct list_head nodes;
	struct ttm_fence_lru_corpse corpses[TTM_FENCE_LRU_BATCH];
	unsigned int nr;
	unsigned int max;
	unsigned int heads;
	u64 bytes;
	struct ttm_fence_lru_goal *goal;
};

static inline struct ttm_fence_lru_group *
ttm_fence_lru_to_group(struct ttm_fence_lru_bo *bo)
{
	return container_of(bo, struct ttm_fence_lru_group, base);
}

/* The node that has waited longest, or NULL. */
static inline struct ttm_fence_lru_node *
ttm_fence_lru_first_node(struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lock);

	return list_first_entry_or_null(&channel->nodes,
					struct ttm_fence_lru_node, entry);
}

/* Whether a link is on the channel. A group's may be on another one by now. */
static inline bool
ttm_fence_lru_link_is_on(struct ttm_fence_lru_link *link,
			 struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lock);

	/* Pairs with the release of whoever takes the link into use. */
	return smp_load_acquire(&link->node) &&
	       READ_ONCE(link->channel) == channel;
}

/* The next link of a buffer or group, for who does not hold its reservation. */
static inline struct ttm_fence_lru_link *
ttm_fence_lru_next_link(struct ttm_fence_lru_link *link)
{
	/* Pairs with the release of whoever adds a link. */
	return smp_load_acquire(&link->next);
}

/* node.c: fences, nodes and links of one channel */
int ttm_fence_lru_node_caches_create(void);
void ttm_fence_lru_node_caches_destroy(void);
struct ttm_fence_lru_node *ttm_fence_lru_node_alloc(void);
void ttm_fence_lru_node_free(struct ttm_fence_lru_node *node);
struct ttm_fence_lru_link *ttm_fence_lru_link_alloc(struct ttm_fence_lru_bo *bo,
						    gfp_t gfp);
void ttm_fence_lru_link_free(struct ttm_fence_lru_link *link);
struct ttm_fence_lru_channel *
ttm_fence_lru_link_channel(struct ttm_fence_lru_link *link);
void ttm_fence_lru_node_add_spare(struct ttm_fence_lru_channel *channel,
				  struct ttm_fence_lru_node *node);
struct ttm_fence_lru_node *
ttm_fence_lru_node_get(struct ttm_fence_lru_channel *channel,
		       struct dma_fence *fence);
struct dma_fence *
ttm_fence_lru_node_drop_empty(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_node *node);

/* locks.c: what lockdep is told */
void ttm_fence_lru_teach_lock_order(struct ttm_fence_lru *lru);
void ttm_fence_lru_might_release(struct ttm_fence_lru *lru);
void ttm_fence_lru_might_drain(struct ttm_fence_lru *lru);

/* channel.c */
void ttm_fence_lru_channel_init(struct ttm_fence_lru *lru,
				struct ttm_fence_lru_channel *channel,
				u64 context);
struct ttm_fence_lru_head *ttm_fence_lru_heap_alloc(unsigned int size);
struct ttm_fence_lru_channel *
ttm_fence_lru_channel_find(struct ttm_fence_lru *lru, u64 context);

/* attach.c: one link more */
int ttm_fence_lru_reserve_gfp(struct ttm_fence_lru_bo *bo, unsigned int count,
			      gfp_t gfp);
struct dma_fence *
ttm_fence_lru_link_to_node(struct ttm_fence_lru_channel *channel,
			   struct ttm_fence_lru_bo *bo,
			   struct ttm_fence_lru_node *node);

/* release.c: one link less, one buffer less */
bool ttm_fence_lru_link_leave_locked(struct ttm_fence_lru_channel *channel,
				     struct ttm_fence_lru_link *link,
				     bool seen);
struct dma_fence *ttm_fence_lru_link_drop(struct ttm_fence_lru_channel *channel,
					  struct ttm_fence_lru_link *link,
					  bool *last);
bool ttm_fence_lru_clean(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			 struct ttm_fence_lru_goal *goal);

/* merge.c: retiring nodes in order */
extern const struct min_heap_callbacks ttm_fence_lru_by_seq;
void ttm_fence_lru_forget_pass(struct ttm_fence_lru *lru);
bool ttm_fence_lru_retire(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_batch *batch);
void ttm_fence_lru_retire_some(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_batch *batch);

/* reclaim.c: what is retired is collected, and released */
void ttm_fence_lru_releasing_begin(struct ttm_fence_lru *lru);
void ttm_fence_lru_releasing_end(struct ttm_fence_lru *lru);
void ttm_fence_lru_batch_begin(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_batch *batch,
			       struct ttm_fence_lru_goal *goal,
			       unsigned int max);
bool ttm_fence_lru_batch_is_full(struct ttm_fence_lru_batch *batch);
void ttm_fence_lru_retire_locked(struct ttm_fence_lru_channel *channel,
				 struct ttm_fence_lru_node *node,
				 struct ttm_fence_lru_batch *batch);
void ttm_fence_lru_batch_release(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_batch *batch);

/* frontier.c */
struct dma_fence *
ttm_fence_lru_first_fence(struct ttm_fence_lru_channel *channel, u64 *seq);
bool ttm_fence_lru_has_signaled(struct dma_fence *fence);
void ttm_fence_lru_note_signaled(struct ttm_fence_lru_channel *channel,
				 u64 seq);
void ttm_fence_lru_sample_last(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_arm(struct ttm_fence_lru *lru, struct dma_fence *fence);

/* retain.c: how much the dead may keep */
void ttm_fence_lru_obey_limits(struct ttm_fence_lru *lru, unsigned int type);

/* leftover.c */
void ttm_fence_lru_leftover_add(struct ttm_fence_lru *lru,
				struct ttm_fence_lru_bo *bo);
void ttm_fence_lru_leftover_release(struct ttm_fence_lru *lru, u64 budget,
				    struct ttm_fence_lru_goal *goal);

/* count.c: counters */
void ttm_fence_lru_count_links_locked(struct ttm_fence_lru *lru,
				      struct ttm_fence_lru_bo *bo, int links,
				      int seen);
void ttm_fence_lru_count_zombie_locked(struct ttm_fence_lru *lru,
				       struct ttm_fence_lru_bo *bo);

#endif
