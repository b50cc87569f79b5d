// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fence-ordered LRU of a device: set-up, teardown and channels.
 *
 * The design is Luca Barbieri's, proposed for TTM in 2010.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "internal.h"

#define MIN_HEAP_SIZE 16u

/**
 * DOC: overview
 *
 * Nobody needs to know that a fence has signaled until somebody wants the
 * memory. So every channel of a GPU keeps its fences in a list of nodes, in the
 * order of emission, and every node the buffers that were last used under its
 * fence: those alive, and those that nobody references any more::
 *
 *   channel 0:  node(seq 1)          node(seq 4)
 *                 alive: A             alive: B, C
 *                 zombies: x           zombies: -
 *
 *   channel 1:  node(seq 2)          node(seq 3)
 *                 alive: D             alive: B
 *                 zombies: -           zombies: x
 *
 *   LRU:        E, F                 the idle buffers, and only those
 *
 * Attaching a fence to a buffer links the buffer to the fence's node and takes
 * it off the LRU, or off its older node on that channel. When the last
 * reference of a busy buffer goes, its links move to the lists of zombies. Nothing
 * runs in the background.
 *
 * When an allocation does not fit, and before anything is evicted, the nodes whose
 * fences have signaled are *retired*: taken off their channels, in the order of
 * emission over all channels, a heap merge. A buffer that has left its last
 * channel goes to the tail of the LRU, or, if it is dead, to the *ripe* zombies of its
 * memory type. If the fences of seq 1 to 3 have signaled, this becomes::
 *
 *   channel 0:  node(seq 4)
 *                 alive: B, C
 *                 zombies: -
 *
 *   channel 1:  -
 *
 *   LRU:        E, F, A, D
 *   ripe:       x
 *
 * From there the allocation *releases* as many zombies as it needs. The lists are an
 * index, never a promise: before memory is released, the owner checks every fence of the
 * dead buffer once. A zombie that cannot be released at that moment, for a fence that no
 * channel vouches for or a lock that is taken, is a *leftover*.
 *
 * The engine knows fences, and its owner's buffers only through
 * &struct ttm_fence_lru_ops.
 */

static void init_dead(struct ttm_fence_lru_dead *dead)
{
	INIT_LIST_HEAD(&dead->ripe);
	INIT_LIST_HEAD(&dead->locked);
	INIT_LIST_HEAD(&dead->blocked);
}

static void init_channel(struct ttm_fence_lru *lru,
			 struct ttm_fence_lru_channel *channel, u64 context)
{
	memset(channel, 0, sizeof(*channel));
	channel->lru = lru;
	channel->context = context;
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->nodes);
	INIT_LIST_HEAD(&channel->spare);
}

/*
 * Show lockdep the order of the locks, outermost first, before anybody can get it wrong.
 * A fence that is seen signaled is signaled under the mutex, so who is about to signal one
 * must not take it. Beginning to signal says nothing of what was locked before, and
 * waiting does: in place of that of a fence let it see the wait for one that has signaled.
 */
static void teach_lock_order(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *signaled;
	bool cookie;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	channel = kmalloc_obj(*channel);
	if (!channel)
		return;
	init_channel(lru, channel, 0);
	signaled = dma_fence_get_stub();

	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&lru->reclaim_lock);
	dma_fence_wait(signaled, false);
	cookie = dma_fence_begin_signalling();
	spin_lock(&channel->lock);
	spin_lock(lru->lru_lock);
	spin_unlock(lru->lru_lock);
	spin_unlock(&channel->lock);
	dma_fence_end_signalling(cookie);
	mutex_unlock(&lru->reclaim_lock);
	fs_reclaim_release(GFP_KERNEL);

	dma_fence_put(signaled);
	kfree(channel);
}

/**
 * ttm_fence_lru_init - initialise the engine of a device
 * @lru: the engine
 * @lru_lock: the owner's lock of its LRU, innermost of all; not taken from
 *	interrupts
 * @ops: what the owner does for it
 *
 * Context: process context. Takes the LRU lock.
 * Return: 0, or -EINVAL if one of @ops is missing.
 */
int ttm_fence_lru_init(struct ttm_fence_lru *lru, spinlock_t *lru_lock,
		       const struct ttm_fence_lru_ops *ops)
{
	unsigned int type;

	if (WARN_ON(!ops->busy || !ops->idle || !ops->resurrect || !ops->put ||
		    !ops->cleanup))
		return -EINVAL;

	memset(lru, 0, sizeof(*lru));
	lru->ops = ops;
	lru->lru_lock = lru_lock;
	atomic64_set(&lru->seq, 0);
	hash_init(lru->by_context);
	init_llist_head(&lru->joined);
	mutex_init(&lru->reclaim_lock);
	INIT_LIST_HEAD(&lru->channels);
	INIT_LIST_HEAD(&lru->active);
	lru->refreshed = jiffies - HZ;
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		init_dead(&lru->dead[type]);
	hash_init(lru->blockers);
	INIT_LIST_HEAD(&lru->releases);
	INIT_LIST_HEAD(&lru->trims);
	init_waitqueue_head(&lru->settled);
	lru->limit = U64_MAX;
	memset64(lru->limits, U64_MAX, ARRAY_SIZE(lru->limits));

	teach_lock_order(lru);
	ttm_fence_lru_teach_drain();
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_init);

/**
 * ttm_fence_lru_fini - tear down the engine of a device
 * @lru: the engine: no channel is registered, ttm_fence_lru_drain() returned 0
 */
void ttm_fence_lru_fini(struct ttm_fence_lru *lru)
{
	WARN_ON(!list_empty(&lru->channels));
	WARN_ON(!list_empty(&lru->releases));
	WARN_ON(lru->stats.busy || lru->stats.zombies.count);

	kvfree(lru->heap);
	lru->heap = NULL;
	mutex_destroy(&lru->reclaim_lock);
}
EXPORT_SYMBOL(ttm_fence_lru_fini);

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
		}
		kvfree(heap);
	}
	return 0;
}

/**
 * ttm_fence_lru_channel_register - register a timeline
 * @lru: the device's engine
 * @channel: the channel, embedded in the driver's own; must stay for an RCU grace
 *	period after ttm_fence_lru_channel_unregister()
 * @context: fence context whose fences signal in the order of their emission
 *
 * From here on fences of @context that are attached to a buffer link it to this
 * channel. A context may be used again once its old channel is unregistered.
 *
 * Context: process context, may sleep and allocate.
 * Return: 0, -ENOMEM without memory, -EEXIST if a live channel has this context. On error
 * it is not registered; what @channel held is lost in any case.
 */
int ttm_fence_lru_channel_register(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_channel *channel,
				   u64 context)
{
	int ret;

	init_channel(lru, channel, context);

	ret = lock_with_room(lru);
	if (ret)
		return ret;

	if (ttm_fence_lru_channel_find(lru, context)) {
		ret = -EEXIST;
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

	ttm_fence_lru_assert_emission(channel);

	/* Only a new fence takes it, and that is the caller's. */
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

/**
 * ttm_fence_lru_channel_unregister - the end of a channel
 * @channel: the channel: its hardware is stopped, and its fences have signaled
 *
 * Hands every alive buffer over to the LRU, and every zombie to the ripe. One whose
 * fence has not signaled after all keeps its memory, as a leftover. When it returns,
 * attaching does nothing to the channel any more and nothing of the engine points to it;
 * but somebody may still look at its lock. So the memory of the channel must stay for an
 * RCU grace period: free it with kfree_rcu(), or wait once for all that go together.
 *
 * Context: process context without reservations; sleeps.
 */
void ttm_fence_lru_channel_unregister(struct ttm_fence_lru_channel *channel)
{
	struct ttm_fence_lru *lru = channel->lru;
	struct ttm_fence_lru_node *node, *next;

	ttm_fence_lru_might_drain(lru);
	ttm_fence_lru_channel_kill(channel);

	mutex_lock(&lru->reclaim_lock);
	ttm_fence_lru_retire_channel(channel);
	hash_del_rcu(&channel->hash);
	list_del(&channel->entry);
	lru->nr_channels--;
	mutex_unlock(&lru->reclaim_lock);

	list_for_each_entry_safe(node, next, &channel->spare, entry)
		ttm_fence_lru_node_free(node);
}
EXPORT_SYMBOL(ttm_fence_lru_channel_unregister);

static int __init ttm_fence_lru_module_init(void)
{
	return ttm_fence_lru_node_caches_create();
}

static void __exit ttm_fence_lru_module_exit(void)
{
	ttm_fence_lru_node_caches_destroy();
}

/* Built in, the engine is up before the tests and drivers that use it. */
subsys_initcall(ttm_fence_lru_module_init);
module_exit(ttm_fence_lru_module_exit);

MODULE_DESCRIPTION("Fence-ordered LRU and delayed destroy of GPU buffers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.1");
