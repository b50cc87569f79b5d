// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces: their buffers are fenced as one, and die one by one.
 */
#include "race.h"

void race_group_init(struct race_device *dev, unsigned int i)
{
	struct race_group *group = &dev->groups[i];

	group->dev = dev;
	mutex_init(&group->resv);
	spin_lock_init(&group->lock);
	ttm_fence_lru_group_init(&group->base);
}

/* Members stay where they are: what is tested is what happens when they die. */
void race_group_moves(struct ttm_fence_lru_group *base)
{
	struct race_group *group = container_of(base, struct race_group, base);

	lockdep_assert_held(&group->dev->lru_lock);
	race_pause(group->dev);
}

/* By who emits the fence; see race_bo_use(). */
void race_group_use(struct race_group *group, struct race_timeline *timeline,
		    struct dma_fence *fence)
{
	unsigned int i = timeline - group->dev->timelines;
	struct ttm_fence_lru_bo *base = &group->base.base;
	struct race_device *dev = group->dev;
	u64 unlinked;

	mutex_lock(&group->resv);
	if (ttm_fence_lru_reserve(base, 1))
		race_fault(dev, "no memory for a group's link");
	spin_lock(&group->lock);
	race_fences_add(group->fences, fence);
	spin_unlock(&group->lock);

	unlinked = READ_ONCE(dev->lru.stats.unlinked);
	ttm_fence_lru_attach(&dev->lru, fence, &base, 1);
	spin_lock(&group->lock);
	if (!READ_ONCE(timeline->dying) &&
	    unlinked == READ_ONCE(dev->lru.stats.unlinked))
		group->linked[i] = fence->seqno;
	spin_unlock(&group->lock);
	mutex_unlock(&group->resv);
}

/* A member dies: the group's fences are its own from now on. */
void race_group_leave(struct race_bo *bo)
{
	struct race_group *group = bo->group;
	u64 unlinked = READ_ONCE(bo->dev->lru.stats.unlinked);
	u64 linked[RACE_TIMELINES];
	int i;

	spin_lock(&group->lock);
	memcpy(linked, group->linked, sizeof(linked));
	for (i = 0; i < RACE_TIMELINES; i++)
		if (group->fences[i])
			race_fences_add(bo->fences, group->fences[i]);
	spin_unlock(&group->lock);

	if (ttm_fence_lru_group_leave(&bo->dev->lru, &group->base, &bo->base) ||
	    unlinked != READ_ONCE(bo->dev->lru.stats.unlinked))
		return;
	/* Under the LRU lock, as it is looked at there. */
	spin_lock(&bo->dev->lru_lock);
	for (i = 0; i < RACE_TIMELINES; i++)
		bo->linked[i] = max(bo->linked[i], linked[i]);
	spin_unlock(&bo->dev->lru_lock);
}
