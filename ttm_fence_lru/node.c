// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fence nodes and links: their memory, and the way from a fence to its node.
 */
#include <linux/dma-fence.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"

/* Emptied nodes that a channel keeps for its next fences. */
#define MAX_SPARE 2

static struct kmem_cache *node_cache;
static struct kmem_cache *link_cache;

int ttm_fence_lru_node_caches_create(void)
{
	/* A walk of busy buffers looks at nodes without their locks. */
	node_cache = KMEM_CACHE(ttm_fence_lru_node, SLAB_TYPESAFE_BY_RCU);
	if (!node_cache)
		return -ENOMEM;

	link_cache = KMEM_CACHE(ttm_fence_lru_link, 0);
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

struct ttm_fence_lru_link *ttm_fence_lru_link_alloc(struct ttm_fence_lru_bo *bo,
						    gfp_t gfp)
{
	struct ttm_fence_lru_link *link;

	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_link_alloc, bo, gfp);

	link = kmem_cache_zalloc(link_cache, gfp);
	if (link)
		link->bo = bo;
	return link;
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_link_alloc);

void ttm_fence_lru_link_free(struct ttm_fence_lru_link *link)
{
	kmem_cache_free(link_cache, link);
}

/*
 * The channel that a link is on, or NULL if the link is free. To be called in an RCU
 * read section, for which the channel stays. Until the channel is locked the link may
 * leave it: see ttm_fence_lru_link_is_on().
 */
struct ttm_fence_lru_channel *
ttm_fence_lru_link_channel(struct ttm_fence_lru_link *link)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "channels need RCU");

	/* Pairs with the release of whoever takes the link into use. */
	return smp_load_acquire(&link->node) ? READ_ONCE(link->channel) : NULL;
}

void ttm_fence_lru_node_add_spare(struct ttm_fence_lru_channel *channel,
				  struct ttm_fence_lru_node *node)
{
	lockdep_assert_held(&channel->lock);

	list_add(&node->entry, &channel->spare);
	WRITE_ONCE(channel->nr_spare, channel->nr_spare + 1);
}

/* A new node at the end of the channel, made of a spare one. NULL for want of it. */
static struct ttm_fence_lru_node *append(struct ttm_fence_lru_channel *channel,
					 struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node;

	node = list_first_entry_or_null(&channel->spare,
					struct ttm_fence_lru_node, entry);
	if (!node)
		return NULL;

	WRITE_ONCE(channel->nr_spare, channel->nr_spare - 1);
	list_move_tail(&node->entry, &channel->nodes);
	node->fence = dma_fence_get(fence);
	WRITE_ONCE(node->seq, atomic64_inc_return(&channel->lru->seq));
	INIT_LIST_HEAD(&node->alive);
	INIT_LIST_HEAD(&node->zombies);
	return node;
}

/*
 * The node of a fence. If it is gone because its last buffer left, the next later
 * one, which signals no earlier; else a new one. Usually the fence is the newest,
 * so look from the end.
 */
struct ttm_fence_lru_node *
ttm_fence_lru_node_get(struct ttm_fence_lru_channel *channel,
		       struct dma_fence *fence)
{
	struct ttm_fence_lru_node *node, *later = NULL;

	lockdep_assert_held(&channel->lock);

	list_for_each_entry_reverse(node, &channel->nodes, entry) {
		if (node->fence == fence)
			return node;
		if (!dma_fence_is_later(node->fence, fence))
			break;
		later = node;
	}
	return later ?: append(channel, fence);
}

/*
 * Take a node that has no buffers off its channel. Returns its fence, for the
 * caller to put without the lock; NULL if the node has buffers.
 */
struct dma_fence *
ttm_fence_lru_node_drop_empty(struct ttm_fence_lru_channel *channel,
			      struct ttm_fence_lru_node *node)
{
	struct dma_fence *fence = node->fence;

	lockdep_assert_held(&channel->lock);

	if (!list_empty(&node->alive) || !list_empty(&node->zombies))
		return NULL;

	list_del(&node->entry);
	if (channel->nr_spare < MAX_SPARE)
		ttm_fence_lru_node_add_spare(channel, node);
	else
		ttm_fence_lru_node_free(node);
	return fence;
}
