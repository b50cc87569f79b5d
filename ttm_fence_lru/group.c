// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups: buffers that share a reservation object and are fenced as one.
 */
#include <linux/dma-fence.h>
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
 * If there is no memory for them, a dead one waits on the leftover list.
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
	group->base.type = TTM_FENCE_LRU_GROUP_TYPE;
}
EXPORT_SYMBOL(ttm_fence_lru_group_init);

/* Take the group off one channel. Returns the fence of an emptied node. */
static struct dma_fence *quit(struct ttm_fence_lru_link *link)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *emptied = NULL;
	bool last = false;

	rcu_read_lock();
	channel = ttm_fence_lru_link_channel(link);
	if (channel) {
		spin_lock(&channel->lock);
		if (ttm_fence_lru_link_is_on(link, channel))
			emptied = ttm_fence_lru_link_drop(channel, link, &last);
		spin_unlock(&channel->lock);
	}
	rcu_read_unlock();
	return emptied;
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

	for (link = &group->base.link; link; link = link->next)
		dma_fence_put(quit(link));
	ttm_fence_lru_bo_fini(&group->base);
}
EXPORT_SYMBOL(ttm_fence_lru_group_fini);

/* Channels that the group is on. */
static unsigned int count_links(struct ttm_fence_lru_group *group)
{
	struct ttm_fence_lru_link *link = &group->base.link;
	unsigned int count = 0;

	for (; link; link = ttm_fence_lru_next_link(link))
		count += !!READ_ONCE(link->node);
	return count;
}

/* Link the buffer to the node that the group is on. Returns the fence of an emptied one. */
static struct dma_fence *inherit(struct ttm_fence_lru_link *link,
				 struct ttm_fence_lru_bo *bo)
{
	struct ttm_fence_lru_channel *channel;
	struct dma_fence *emptied = NULL;

	rcu_read_lock();
	channel = ttm_fence_lru_link_channel(link);
	if (channel) {
		spin_lock(&channel->lock);
		if (ttm_fence_lru_link_is_on(link, channel))
			emptied = ttm_fence_lru_link_to_node(channel, bo,
							     link->node);
		spin_unlock(&channel->lock);
	}
	rcu_read_unlock();
	return emptied;
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
 * ttm_fence_lru_release().
 *
 * If a link cannot be had, one that dies goes to the leftover list, and one that
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
	int ret;

	ret = ttm_fence_lru_reserve_gfp(bo, count_links(group),
					GFP_NOWAIT | __GFP_NOWARN);
	if (ret)
		return ret;

	for (; link; link = ttm_fence_lru_next_link(link))
		dma_fence_put(inherit(link, bo));
	return 0;
}
EXPORT_SYMBOL(ttm_fence_lru_group_leave);
