// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Channels: timelines that a driver registers while they live.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"

/* Channels a buffer may be on at once: the width of its link counter. */
#define MAX_CHANNELS U16_MAX
#define MIN_HEAP_SIZE 16u

void ttm_fence_lru_channel_init(struct ttm_fence_lru *lru,
				struct ttm_fence_lru_channel *channel,
				u64 context)
{
	memset(channel, 0, sizeof(*channel));
	channel->lru = lru;
	channel->context = context;
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->entry);
	INIT_LIST_HEAD(&channel->nodes);
	INIT_LIST_HEAD(&channel->spare);
}

/*
 * The live channel of a fence context, or NULL. It stays valid for the RCU read
 * section, but may be killed at any time before its lock is taken.
 */
struct ttm_fence_lru_channel *
ttm_fence_lru_channel_find(struct ttm_fence_lru *lru, u64 context)
{
	struct ttm_fence_lru_channel *channel;

	hash_for_each_possible_rcu(lru->by_context, channel, hash, context,
				   lockdep_is_held(&lru->reclaim_lock))
		if (channel->context == context)
			return channel;
	return NULL;
}

struct ttm_fence_lru_head *ttm_fence_lru_heap_alloc(unsigned int size)
{
	KUNIT_STATIC_STUB_REDIRECT(ttm_fence_lru_heap_alloc, size);

	return kvmalloc_array(size, sizeof(struct ttm_fence_lru_head),
			      GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_fence_lru_heap_alloc);

/*
 * Make room in the heap for one channel more, and return with the reclaim lock
 * held: the heap is allocated without it.
 */
static int lock_with_room(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_head *heap;
	unsigned int size;

	might_alloc(GFP_KERNEL);

	mutex_lock(&lru->reclaim_lock);
	while (lru->nr_channels == lru->heap_size) {
		size = max(lru->heap_size * 2, MIN_HEAP_SIZE);
		mutex_unlock(&lru->reclaim_lock);

		heap = ttm_fence_lru_heap_alloc(size);
		if (!heap)
			return -ENOMEM;

		mutex_lock(&lru->reclaim_lock);
		if (size > lru->heap_size) {
			swap(lru->heap, heap);
			lru->heap_size = size;
			ttm_fence_lru_forget_pass(lru);
		}
		kvfree(heap);
	}
	return 0;
}

/**
 * ttm_fence_lru_channel_register - register a timeline
 * @lru: the device's engine
 * @channel: the channel, embedded in the driver's own; must stay until
 *	ttm_fence_lru_channel_unregister() has returned
 * @context: fence context whose fences signal in the order of their emission
 *
 * From here on fences of @context that are attached to a buffer link it to this
 * channel. A context may be used again once its old channel is unregistered.
 *
 * Context: process context, may sleep and allocate.
 * Return: 0, -ENOMEM without memory, -EEXIST if a live channel has this context,
 * -ENOSPC beyond 65,535 channels. On error it is not registered; what @channel held
 * is lost in any case.
 */
int ttm_fence_lru_channel_register(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_channel *channel,
				   u64 context)
{
	int ret;

	ttm_fence_lru_channel_init(lru, channel, context);

	ret = lock_with_room(lru);
	if (ret)
		return ret;

	if (ttm_fence_lru_channel_find(lru, context)) {
		ret = -EEXIST;
	} else if (lru->nr_channels == MAX_CHANNELS) {
		ret = -ENOSPC;
	} else {
		list_add_tail(&channel->entry, &lru->channels);
		lru->nr_channels++;
		hash_add_rcu(lru->by_context, &channel->hash, context);
	}
	mutex_unlock(&lru->reclaim_lock);
	return ret;
}
EXPORT_SYMBOL(ttm_fence_lru_channel_register);

/**
 * ttm_fence_lru_channel_reserve - make sure that one fence can be attached
 * @channel: the channel
 *
 * To be called before a fence is made on @channel, with the driver's emission
 * lock of the channel held until the fence is attached to its buffers. A fence
 * attached without it may get no link; that is safe, and costs the buffer its
 * place in the order.
 *
 * Context: process context, may sleep and allocate.
 * Return: 0, or -ENOMEM without memory and with nothing changed.
 */
int ttm_fence_lru_channel_reserve(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_node *node;

	/* Even if there is nothing to make this time. */
	might_alloc(GFP_KERNEL);

	if (READ_ONCE(channel->nr_spare))
		return 0;

	node = ttm_fence_lru_node_alloc();
	if (!node)
		return -ENOMEM;

	spin_lock(&channel->lock);
	ttm_fence_lru_node_add_spare(channel, node);
	spin_unlock(&channel->lock);
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_channel_reserve);

/**
 * ttm_fence_lru_channel_kill - a channel takes no fence any more
 * @channel: the channel
 *
 * The driver has stopped the hardware's access, and signals the channel's fences
 * with an error, in order. The buffers come free with the next reclaim.
 *
 * Context: any but interrupts and fence callbacks: interrupts are on.
 */
void ttm_fence_lru_channel_kill(struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_irqs_enabled();

	spin_lock(&channel->lock);
	channel->killed = true;
	spin_unlock(&channel->lock);
}
EXPORT_SYMBOL(ttm_fence_lru_channel_kill);

/* Take every node off the channel, whatever its fence says. */
static void retire_all(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru_goal goal =
		ttm_fence_lru_goal(TTM_FENCE_LRU_AT_DRAIN);
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_batch batch;
	struct ttm_fence_lru_node *node;

	do {
		mutex_lock(&lru->reclaim_lock);
		ttm_fence_lru_batch_begin(lru, &batch, &goal,
					  TTM_FENCE_LRU_BATCH);
		spin_lock(&channel->lock);
		node = ttm_fence_lru_first_node(channel);
		if (node)
			ttm_fence_lru_retire_locked(channel, node, &batch);
		spin_unlock(&channel->lock);
		mutex_unlock(&lru->reclaim_lock);

		ttm_fence_lru_batch_release(lru, &batch);
		cond_resched();
	} while (node);
}

/**
 * ttm_fence_lru_channel_unregister - the end of a channel
 * @channel: the channel: its hardware is stopped, and its fences have signaled
 *
 * Hands every alive buffer over to the LRU and releases the zombies. One whose
 * fence has not signaled after all keeps its memory, on the leftover list.
 * When it returns no attach to the channel is in flight, and nothing of the
 * engine points to it.
 *
 * Context: process context without reservations; sleeps.
 */
void ttm_fence_lru_channel_unregister(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_node *node, *next;

	ttm_fence_lru_might_drain(lru);
	ttm_fence_lru_channel_kill(channel);
	retire_all(channel);

	mutex_lock(&lru->reclaim_lock);
	hash_del_rcu(&channel->hash);
	list_del(&channel->entry);
	lru->nr_channels--;
	/* The heap may hold it. */
	ttm_fence_lru_forget_pass(lru);
	mutex_unlock(&lru->reclaim_lock);

	synchronize_rcu();

	list_for_each_entry_safe(node, next, &channel->spare, entry)
		ttm_fence_lru_node_free(node);
}
EXPORT_SYMBOL(ttm_fence_lru_channel_unregister);
