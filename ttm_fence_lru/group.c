// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups: buffers that share a reservation object and are fenced as one.
 */
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * DOC: groups
 *
 * All buffers of a virtual address space are used by each of its submissions. A
 * group stands for them on the channels: it has links, as a buffer has, and
 * attaching a fence moves one link, however many members there are::
 *
 *   channel 0:  node(seq 7)              range of G:  A, B, C
 *                 alive: G, D
 *                 zombies: -
 *
 * The engine knows the group, the owner its members. They stand side by side, as
 * the group's range, which the owner moves as one: off the LRU when the group gets
 * its first link, and to the tail of the LRU when it loses its last. A member that
 * has links of its own is not part of the range; it returns when it loses them.
 *
 * A member that dies or leaves while the group is busy gets links of its own to the
 * nodes that the group is on::
 *
 *   channel 0:  node(seq 7)              range of G:  A, C
 *                 alive: G, D
 *                 zombies: B
 *
 * If there is no memory for them, a dead one waits among the leftovers.
 */

/**
 * ttm_fence_lru_group_init - initialise a group
 * @group: the group
 *
 * Its &ttm_fence_lru_group.base is given to ttm_fence_lru_reserve() and
 * ttm_fence_lru_attach(), under the reservation that the members share.
 */
void ttm_fence_lru_group_init(struct ttm_fence_lru_group *group)
{
	ttm_fence_lru_bo_init(&group->base);
	group->base.is_group = true;
}
EXPORT_SYMBOL(ttm_fence_lru_group_init);

/* With the lock of the channel: a group's link may be on another one by now. */
static bool is_on(struct ttm_fence_lru_link *link,
		  struct ttm_fence_lru_channel *channel)
{
	lockdep_assert_held(&channel->lock);

	return !ttm_fence_lru_link_is_free(link) &&
	       READ_ONCE(link->channel) == channel;
}

/* Take the group off one channel. */
static void quit(struct ttm_fence_lru_link *link,
		 struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_channel *channel;
	struct ttm_fence_lru_node *node;

	rcu_read_lock();
	channel = ttm_fence_lru_link_channel(link);
	if (channel) {
		spin_lock(&channel->lock);
		if (is_on(link, channel)) {
			node = link->node;
			spin_lock(channel->lru->lru_lock);
			ttm_fence_lru_link_leave(channel, link);
			spin_unlock(channel->lru->lru_lock);
			ttm_fence_lru_node_drop_empty(channel, node, emptied);
		}
		spin_unlock(&channel->lock);
	}
	rcu_read_unlock();
}

/**
 * ttm_fence_lru_group_fini - the end of a group
 * @lru: the device's engine
 * @group: the group; it has no members, and nobody uses it any more
 *
 * Context: process context.
 */
void ttm_fence_lru_group_fini(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group)
{
	struct ttm_fence_lru_link *link;
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);

	for (link = &group->base.link; link; link = link->next)
		quit(link, &emptied);
	ttm_fence_lru_emptied_free(&emptied);
	ttm_fence_lru_bo_fini(&group->base);
}
EXPORT_SYMBOL(ttm_fence_lru_group_fini);

/* Channels that the group is on. */
static unsigned int count_links(struct ttm_fence_lru_group *group)
{
	struct ttm_fence_lru_link *link = &group->base.link;
	unsigned int count = 0;

	for (; link; link = ttm_fence_lru_link_next(link))
		count += !!READ_ONCE(link->node);
	return count;
}

/* Link the buffer to the node that the group is on. */
static void inherit(struct ttm_fence_lru_link *link,
		    struct ttm_fence_lru_bo *bo,
		    struct ttm_fence_lru_emptied *emptied)
{
	struct ttm_fence_lru_channel *channel;

	rcu_read_lock();
	channel = ttm_fence_lru_link_channel(link);
	if (channel) {
		spin_lock(&channel->lock);
		if (is_on(link, channel))
			ttm_fence_lru_attach_locked(channel, link->node, &bo, 1,
						    emptied);
		spin_unlock(&channel->lock);
	}
	rcu_read_unlock();
}

/**
 * ttm_fence_lru_group_leave - a buffer leaves its group
 * @lru: the device's engine
 * @group: the group, which stays until this returns
 * @bo: the member
 *
 * Gives the buffer links of its own, so that it stays busy for as long as what the
 * group has been used for until now. To be called before the owner takes it out of
 * the group, or, as the members' memory is still in use, before
 * ttm_fence_lru_bury().
 *
 * If a link cannot be had, one that dies goes to the leftovers, and one that
 * lives on counts as idle: both are safe, as the fences have the last word.
 *
 * Context: process context. The reservation that the members share is held, or the
 * last reference of @bo is gone. Does not wait for memory.
 * Return: 0, or -ENOMEM without memory for a link; then the buffer has none of those.
 */
int ttm_fence_lru_group_leave(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group,
			      struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_link *link = &group->base.link;
	struct ttm_fence_lru_emptied emptied = TTM_FENCE_LRU_EMPTIED(emptied);
	int ret;

	ret = ttm_fence_lru_add_links(bo, count_links(group), NULL,
				      GFP_NOWAIT | __GFP_NOWARN);
	if (ret)
		return ret;

	for (; link; link = ttm_fence_lru_link_next(link))
		inherit(link, bo, &emptied);
	ttm_fence_lru_emptied_free(&emptied);
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_group_leave);
