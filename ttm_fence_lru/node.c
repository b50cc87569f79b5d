// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fences, nodes and links: their memory, and how they stand on a channel.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"
#include "trace.h"

/* How far back the node of an old fence is looked for. */
#define MAX_STEPS_BACK 16

static struct kmem_cache *node_cache;
static struct kmem_cache *link_cache;

int ttm_fence_lru_node_caches_create(void)
{
	/* The sequence number and the fence of a freed node may still be read. */
	struct kmem_cache_args args = {
		.use_freeptr_offset = true,
		.freeptr_offset = offsetof(struct ttm_fence_lru_node, alive),
	};

	node_cache = kmem_cache_create("ttm_fence_lru_node",
				       sizeof(struct ttm_fence_lru_node), &args,
				       SLAB_TYPESAFE_BY_RCU);
	if (!node_cache)
		return -ENOMEM;

	/* Clients decide how many there are. There are no more nodes, which are used again. */
	link_cache = KMEM_CACHE(ttm_fence_lru_link, SLAB_ACCOUNT);
	if (!link_cache)
		goto destroy_node_cache;

	return 0;

destroy_node_cache:
	kmem_cache_destroy(node_cache);
	return -ENOMEM;
}

void ttm_fence_lru_node_caches_destroy(void)
{
	kmem_cache_destroy(link_cache);
	kmem_cache_destroy(node_cache);
}

struct ttm_fence_lru_node *ttm_fence_lru_node_alloc(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_node_alloc);

	return kmem_cache_alloc(node_cache, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_node_alloc);

void ttm_fence_lru_node_free(struct ttm_fence_lru_node *node)
{
	kmem_cache_free(node_cache, node);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_node_free);

/* Free nodes that were emptied, and put their fences: not under a spinlock. */
void ttm_fence_lru_emptied_free_all(struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_node *node, *next;

	while (emptied->nr_fences)
		dma_fence_put(emptied->fences[--emptied->nr_fences]);
	list_for_each_entry_safe(node, next, &emptied->nodes, entry) {
		dma_fence_put(rcu_replace_pointer(node->fence, NULL, true));
		ttm_fence_lru_node_free(node);
	}
}

void ttm_fence_lru_node_add_spare(struct ttm_fence_lru_channel *channel,
				  struct ttm_fence_lru_node *node)
{
	lockdep_assert_held(&channel->lock);

	list_add(&node->entry, &channel->spare);
	WRITE_ONCE(channel->nr_spare, channel->nr_spare + 1);
}

/* Whether a fence is no newer than one that had a node. Numbers may wrap at 32 bits. */
static bool is_old(struct ttm_fence_lru_channel *channel,
		   struct dma_fence *fence)
{
	return channel->last_seqno &&
	       (s32)(lower_32_bits(fence->seqno) -
		     lower_32_bits(channel->last_seqno)) <= 0;
}

/* A new node at the end of the channel, made of a spare one; NULL for want of it. */
static struct ttm_fence_lru_node *append(struct ttm_fence_lru_channel *channel,
					 struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node;

	if (!channel->nr_spare)
		return NULL;

	ttm_fence_lru_assert_emission(channel);
	channel->last_seqno = fence->seqno;

	node = list_first_entry(&channel->spare, struct ttm_fence_lru_node,
				entry);
	WRITE_ONCE(channel->nr_spare, channel->nr_spare - 1);
	list_move_tail(&node->entry, &channel->nodes);
	INIT_LIST_HEAD(&node->alive);
	INIT_LIST_HEAD(&node->zombies);
	WRITE_ONCE(node->seq, atomic64_inc_return(&channel->lru->seq));
	rcu_assign_pointer(node->fence, dma_fence_get(fence));
	channel->unswept = channel->unswept ?: node;
	trace_ttm_fence_lru_node(channel, node);
	return node;
}

/*
 * The node of a fence, a new one if it is newer than all that had one. Usually the fence is
 * the newest, so look from the end. NULL if there is none: an old fence whose node is gone,
 * as its last buffer left, or stands far back, makes no link. A later node would do until
 * its own fence hangs.
 */
struct ttm_fence_lru_node *
ttm_fence_lru_node_get(struct ttm_fence_lru_channel *channel,
		       struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node;
	unsigned int steps = MAX_STEPS_BACK;
	struct dma_fence *other;

	lockdep_assert_held(&channel->lock);

	list_for_each_entry_reverse(node, &channel->nodes, entry) {
		other = ttm_fence_lru_node_fence(channel, node);
		if (other == fence)
			return node;
		if (!steps-- || !dma_fence_is_later(other, fence))
			break;
	}
	return is_old(channel, fence) ? NULL : append(channel, fence);
}

/*
 * Take a node without buffers off its channel, which keeps a few for its next fences. The
 * rest, and what they leave, is for ttm_fence_lru_emptied_free().
 */
void ttm_fence_lru_node_drop(struct ttm_fence_lru_channel *channel,
			     struct ttm_fence_lru_node *node,
			     struct ttm_fence_lru_emptied *emptied)
{
	struct dma_fence *fence;

	lockdep_assert_held(&channel->lock);

	trace_ttm_fence_lru_node_gone(channel, node);
	if (channel->unswept == node)
		channel->unswept = ttm_fence_lru_next_node(channel, node);
	if (channel->resume == node)
		channel->resume = ttm_fence_lru_next_node(channel, node);

	if (channel->nr_spare < TTM_FENCE_LRU_SPARE_NODES &&
	    emptied->nr_fences < ARRAY_SIZE(emptied->fences)) {
		fence = ttm_fence_lru_node_fence(channel, node);
		emptied->fences[emptied->nr_fences++] = fence;
		RCU_INIT_POINTER(node->fence, NULL);
		list_del(&node->entry);
		ttm_fence_lru_node_add_spare(channel, node);
	} else {
		list_move_tail(&node->entry, &emptied->nodes);
	}
}

struct ttm_fence_lru_link *ttm_fence_lru_link_alloc(struct ttm_fence_lru_bo *bo,
						    gfp_t gfp)
{
	struct ttm_fence_lru_link *link;

	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_link_alloc, bo, gfp);

	link = kmem_cache_zalloc(link_cache, gfp);
	if (link) {
		INIT_LIST_HEAD(&link->entry);
		link->bo = bo;
	}
	return link;
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_link_alloc);

void ttm_fence_lru_link_free(struct ttm_fence_lru_link *link)
{
	kmem_cache_free(link_cache, link);
}

/* The next link of a buffer or group, for callers that do not hold its reservation. */
struct ttm_fence_lru_link *
ttm_fence_lru_link_next(struct ttm_fence_lru_link *link)
{
	/* Pairs with the release in ttm_fence_lru_add_links(). */
	return smp_load_acquire(&link->next);
}

/*
 * The channel that a link is on, or NULL if the link is free. To be called in an RCU
 * read section, for which the channel stays. Until the channel is locked the link may
 * leave it, and a group's may be on another one.
 */
struct ttm_fence_lru_channel *
ttm_fence_lru_link_channel(struct ttm_fence_lru_link *link)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "channels need RCU");

	/* Pairs with the release in link_enter() of attach.c. */
	return smp_load_acquire(&link->node) ? READ_ONCE(link->channel) : NULL;
}

static void become_idle(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo)
{
	if (bo->is_group)
		lru->ops->group_idle(ttm_fence_lru_to_group(bo));
	else
		lru->ops->idle(bo);
}

/*
 * Take a link off its node, which may be empty then. After this nothing of a buffer that
 * is not a zombie may be touched: its last put may find it idle, and free it.
 *
 * Return: true if it was the last link of a zombie, which is the caller's now.
 */
bool ttm_fence_lru_link_leave(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_bo *bo = link->bo;
	unsigned int nr_links = bo->nr_links - 1;
	enum ttm_fence_lru_state state = bo->state;
	u64 last_seq;

	lockdep_assert_held(&channel->lock);
	lockdep_assert_held(lru->lru_lock);

	list_del_init(&link->entry);
	channel->nr_links--;
	lru->stats.busy -= !nr_links;

	WRITE_ONCE(bo->nr_links, nr_links);
	if (state == TTM_FENCE_LRU_ALIVE) {
		/* A link to a later node may have left before. */
		last_seq = max(bo->last_seq, link->node->seq);
		if (!nr_links)
			become_idle(lru, bo);
		/* After the owner moved it to the tail, as if it had been used just now. */
		bo->last_seq = last_seq;
	}

	/* Pairs with the acquire of those who look for a free link. */
	smp_store_release(&link->node, NULL);
	return !nr_links && state == TTM_FENCE_LRU_BURIED;
}

/*
 * Sample a fence, with no spinlock held. Under the reclaim mutex the code of the fence's
 * driver must not sleep.
 */
bool ttm_fence_lru_has_signaled(struct dma_fence *fence)
{
	bool signaled;

	/* There, a spinlock of the fence may sleep. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		non_block_start();
	signaled = dma_fence_is_signaled(fence);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		non_block_end();
	return signaled;
}

/* Whether a fence cannot be asked: it signals only once its signaling was enabled. */
static bool is_silent(struct dma_fence *fence)
{
	const struct dma_fence_ops *ops;
	bool silent;

	/* A fence that has signaled may have lost its operations, and their module. */
	rcu_read_lock();
	ops = rcu_dereference_raw(fence->ops);
	silent = ops && !ops->signaled;
	rcu_read_unlock();
	return silent;
}

/*
 * Not to be called with a spinlock held: it is the fence's driver that enables it. Returns
 * whether the fence has signaled thereby.
 */
bool ttm_fence_lru_arm(struct ttm_fence_lru *lru, struct dma_fence *fence)
{
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags) ||
	    !is_silent(fence))
		return false;

	spin_lock(lru->lru_lock);
	lru->stats.armed++;
	spin_unlock(lru->lru_lock);
	dma_fence_enable_signaling(fence);
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * ttm_fence_lru_arm_fence - let a fence signal that nobody waits for
 * @fence: a fence that a dead buffer waits for
 *
 * Enables the signaling of a fence that cannot be asked, and so would never signal. What
 * an owner does for each fence that has not signaled when it looks at those of a dead
 * buffer: in &ttm_fence_lru_ops.cleanup, and before ttm_fence_lru_keep().
 *
 * Context: no spinlock is held: it is the fence's driver that does it.
 */
void ttm_fence_lru_arm_fence(struct dma_fence *fence)
{
	if (is_silent(fence))
		dma_fence_enable_signaling(fence);
}
EXPORT_SYMBOL(ttm_fence_lru_arm_fence);
