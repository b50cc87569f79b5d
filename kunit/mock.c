// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Plain objects in place of a driver's buffers and groups.
 */
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "mock.h"

static struct mock_group *to_mock_group(struct ttm_fence_lru_group *base)
{
	return container_of(base, struct mock_group, base);
}

static void mock_bo_destroy(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);
	struct mock_device *dev = bo->dev;
	struct mock_bo *next = bo->next;

	mock_append_name(dev->destroyed, bo->name);
	dev->nr_bos--;
	ttm_fence_lru_bo_fini(&bo->base);
	mock_fences_put(&bo->fences);
	kfree(bo);
	if (next)
		mock_bo_put(next);
}

/* To the tail of the LRU, or of its group's range. */
static void mock_place(struct mock_bo *bo)
{
	lockdep_assert_held(&bo->dev->lru_lock);
	list_move_tail(&bo->place.entry,
		       bo->group ? &bo->group->range : &bo->dev->idle);
}

/* The fences of the group are those of the buffer from now on. */
int mock_group_leave(struct mock_bo *bo)
{
	struct mock_group *group = bo->group;
	unsigned int i;
	int ret;

	for (i = 0; i < group->fences.count; i++)
		mock_fences_add(bo->dev, &bo->fences, group->fences.fences[i]);
	ret = ttm_fence_lru_group_leave(&bo->dev->lru, &group->base, &bo->base);

	spin_lock(&bo->dev->lru_lock);
	bo->group = NULL;
	if (!ttm_fence_lru_bo_is_busy(&bo->base))
		mock_place(bo);
	spin_unlock(&bo->dev->lru_lock);
	return ret;
}

/* Release the memory. */
void mock_bo_clean(struct mock_bo *bo)
{
	mock_append_name(bo->dev->cleaned, bo->name);
	spin_lock(&bo->dev->lru_lock);
	list_del_init(&bo->place.entry);
	spin_unlock(&bo->dev->lru_lock);
}

/* As TTM does: at once if all is idle, else it is kept. */
static void mock_bo_die(struct mock_bo *bo)
{
	struct ttm_fence_lru *lru = &bo->dev->lru;
	struct dma_fence *fence;

	if (bo->group)
		mock_group_leave(bo);
	if (ttm_fence_lru_is_linked(lru, &bo->base) &&
	    ttm_fence_lru_bury(lru, &bo->base, bo->type, bo->bytes))
		return;
	fence = mock_fences_blocker(&bo->fences);
	if (bo->import || bo->locked || fence) {
		ttm_fence_lru_keep(lru, &bo->base, bo->type, bo->bytes, fence);
		return;
	}
	mock_bo_clean(bo);
	mock_bo_destroy(&bo->kref);
}

static void mock_bo_release(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);

	if (!bo->base.cleaned) {
		mock_bo_die(bo);
	} else if (bo->import) {
		kref_init(&bo->kref);
		ttm_fence_lru_defer_destroy(&bo->dev->lru, &bo->base);
	} else {
		mock_bo_destroy(kref);
	}
}

void mock_bo_put(struct mock_bo *bo)
{
	kref_put(&bo->kref, mock_bo_release);
}

static void mock_busy(struct ttm_fence_lru_bo *base)
{
	struct mock_bo *bo = to_mock_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	KUNIT_EXPECT_FALSE(bo->dev->test, list_empty(&bo->place.entry));
	list_del_init(&bo->place.entry);
}

static void mock_idle(struct ttm_fence_lru_bo *base)
{
	mock_place(to_mock_bo(base));
}

static void mock_group_busy(struct ttm_fence_lru_group *base)
{
	struct mock_group *group = to_mock_group(base);

	lockdep_assert_held(&group->dev->lru_lock);
	KUNIT_EXPECT_FALSE(group->dev->test, list_empty(&group->place.entry));
	list_del_init(&group->place.entry);
}

static void mock_group_idle(struct ttm_fence_lru_group *base)
{
	struct mock_group *group = to_mock_group(base);

	lockdep_assert_held(&group->dev->lru_lock);
	KUNIT_EXPECT_TRUE(group->dev->test, list_empty(&group->place.entry));
	list_add_tail(&group->place.entry, &group->dev->idle);
}

static void mock_resurrect(struct ttm_fence_lru_bo *base)
{
	struct mock_bo *bo = to_mock_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	KUNIT_EXPECT_EQ(bo->dev->test, 0, kref_read(&bo->kref));
	kref_init(&bo->kref);
}

static void mock_put(struct ttm_fence_lru_bo *base,
		     enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	mock_meanwhile(bo->dev, &bo->dev->putting);
	if (site == TTM_FENCE_LRU_AT_DRAIN)
		kref_put(&bo->kref, mock_bo_destroy);
	else
		mock_bo_put(bo);
}

static enum ttm_fence_lru_verdict mock_cleanup(struct ttm_fence_lru_bo *base,
					       enum ttm_fence_lru_site site,
					       struct dma_fence **blocker)
{
	struct mock_bo *bo = to_mock_bo(base);
	struct ttm_fence_lru *lru = &bo->dev->lru;
	struct dma_fence *fence;

	might_sleep();
	lockdep_assert_not_held(&lru->reclaim_lock);
	/* Somebody who wants the memory can know that it is coming. */
	KUNIT_EXPECT_FALSE(bo->dev->test, list_empty(&lru->releases));
	mock_meanwhile(bo->dev, &bo->dev->cleaning);
	if (bo->locked)
		return TTM_FENCE_LRU_LOCKED;
	if (bo->refused && site != TTM_FENCE_LRU_AT_DRAIN)
		return TTM_FENCE_LRU_REFUSED;

	fence = mock_fences_blocker(&bo->fences);
	if (fence) {
		*blocker = dma_fence_get(fence);
		return TTM_FENCE_LRU_BLOCKED;
	}
	if (!bo->base.cleaned)
		mock_bo_clean(bo);
	return TTM_FENCE_LRU_CLEANED;
}

static const struct ttm_fence_lru_ops mock_ops = {
	.busy = mock_busy,
	.idle = mock_idle,
	.resurrect = mock_resurrect,
	.put = mock_put,
	.cleanup = mock_cleanup,
	.group_busy = mock_group_busy,
	.group_idle = mock_group_idle,
};

/* A buffer with one reference, at the tail of the LRU. */
struct mock_bo *mock_bo_create(struct mock_device *dev, char name)
{
	struct mock_bo *bo = kzalloc_obj(*bo);

	KUNIT_ASSERT_NOT_NULL(dev->test, bo);
	/* As where one buffer is copied to make another. */
	memset(&bo->base, MOCK_GARBAGE, sizeof(bo->base));
	ttm_fence_lru_bo_init(&bo->base);
	bo->dev = dev;
	bo->name = name;
	bo->type = 1;
	bo->bytes = MOCK_BO_BYTES;
	kref_init(&bo->kref);
	INIT_LIST_HEAD(&bo->place.entry);
	dev->nr_bos++;

	spin_lock(&dev->lru_lock);
	mock_place(bo);
	spin_unlock(&dev->lru_lock);
	return bo;
}

/* There is room for it, or not; and the buffer knows of it, or not. */
void mock_bo_attach(struct mock_bo *bo, struct mock_fence *fence)
{
	struct ttm_fence_lru_bo *base = &bo->base;

	ttm_fence_lru_attach(&bo->dev->lru, &fence->base, &base, 1);
}

void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence)
{
	KUNIT_EXPECT_EQ(bo->dev->test, 0, ttm_fence_lru_reserve(&bo->base, 1));

	/* Attaching asks only whether somebody has seen it signaled. */
	dma_fence_is_signaled(&fence->base);
	mock_fences_add(bo->dev, &bo->fences, &fence->base);
	mock_bo_attach(bo, fence);
}

/* An empty group, its range at the tail of the LRU. */
struct mock_group *mock_group_create(struct mock_device *dev)
{
	struct mock_group *group = kzalloc_obj(*group);

	KUNIT_ASSERT_NOT_NULL(dev->test, group);
	memset(&group->base, MOCK_GARBAGE, sizeof(group->base));
	ttm_fence_lru_group_init(&group->base);
	group->dev = dev;
	group->place.range = true;
	INIT_LIST_HEAD(&group->range);

	spin_lock(&dev->lru_lock);
	list_add_tail(&group->place.entry, &dev->idle);
	spin_unlock(&dev->lru_lock);
	return group;
}

/* It has no members any more. */
void mock_group_destroy(struct mock_group *group)
{
	struct mock_device *dev = group->dev;

	ttm_fence_lru_group_fini(&dev->lru, &group->base);
	spin_lock(&dev->lru_lock);
	list_del(&group->place.entry);
	spin_unlock(&dev->lru_lock);
	mock_fences_put(&group->fences);
	kfree(group);
}

void mock_group_use(struct mock_group *group, struct mock_fence *fence)
{
	struct ttm_fence_lru_bo *base = &group->base.base;
	struct mock_device *dev = group->dev;

	KUNIT_EXPECT_EQ(dev->test, 0, ttm_fence_lru_reserve(base, 1));

	dma_fence_is_signaled(&fence->base);
	mock_fences_add(dev, &group->fences, &fence->base);
	ttm_fence_lru_attach(&dev->lru, &fence->base, &base, 1);
}

void mock_group_join(struct mock_group *group, struct mock_bo *bo)
{
	spin_lock(&bo->dev->lru_lock);
	bo->group = group;
	if (!ttm_fence_lru_bo_is_busy(&bo->base))
		mock_place(bo);
	spin_unlock(&bo->dev->lru_lock);
}

/* A job of one buffer. */
struct mock_fence *mock_submit(struct mock_channel *channel, struct mock_bo *bo)
{
	struct mock_fence *fence = mock_emit(channel);

	mock_bo_use(bo, fence);
	return fence;
}

static unsigned int reclaim_from(struct mock_device *dev, unsigned int type,
				 enum ttm_fence_lru_step step)
{
	struct ttm_fence_lru_need need = { .type = type, .step = step };
	unsigned int some, all = 0;

	while ((some = ttm_fence_lru_reclaim(&dev->lru, &need)))
		all += some;
	return all;
}

/* An allocation that nothing satisfies. Returns how many zombies were released. */
unsigned int mock_reclaim_type(struct mock_device *dev, unsigned int type)
{
	return reclaim_from(dev, type, TTM_FENCE_LRU_TO_RETIRE);
}

/* Release all that has signaled, of all types. */
void mock_reclaim(struct mock_device *dev)
{
	unsigned int type;

	ttm_fence_lru_retire(&dev->lru);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		reclaim_from(dev, type, TTM_FENCE_LRU_TO_UNBLOCK);
}

/* The engine's own check of everything. */
void mock_check(struct mock_device *dev)
{
	struct drm_printer p = drm_info_printer(NULL);

	KUNIT_EXPECT_TRUE(dev->test, ttm_fence_lru_check(&dev->lru, &p));
}

struct mock_device *mock_device_create(struct kunit *test)
{
	struct mock_device *dev = kzalloc_obj(*dev);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->test = test;
	spin_lock_init(&dev->lru_lock);
	INIT_LIST_HEAD(&dev->idle);
	INIT_LIST_HEAD(&dev->fences);
	INIT_LIST_HEAD(&dev->channels);
	memset(&dev->lru, MOCK_GARBAGE, sizeof(dev->lru));
	KUNIT_ASSERT_EQ(test, 0,
			ttm_fence_lru_init(&dev->lru, &dev->lru_lock,
					   &mock_ops));
	return dev;
}

static struct mock_bo *first_alive(struct list_head *places)
{
	struct mock_place *place;

	list_for_each_entry(place, places, entry)
		if (!place->range && !place_to_bo(place)->base.state)
			return place_to_bo(place);
	return NULL;
}

static struct mock_group *first_group(struct mock_device *dev)
{
	struct mock_place *place;

	list_for_each_entry(place, &dev->idle, entry)
		if (place->range)
			return container_of(place, struct mock_group, place);
	return NULL;
}

/* Signal all fences and put all buffers and groups, so that nothing may be left. */
void mock_device_end(struct mock_device *dev)
{
	struct mock_fence *fence;
	struct mock_group *group;
	struct mock_bo *bo;

	list_for_each_entry(fence, &dev->fences, entry) {
		mock_signal(fence);
		dma_fence_signal(&fence->base);
	}
	mock_reclaim(dev);

	while ((group = first_group(dev))) {
		while ((bo = first_alive(&group->range)))
			mock_bo_put(bo);
		mock_group_destroy(group);
	}
	while ((bo = first_alive(&dev->idle)))
		mock_bo_put(bo);
	mock_check(dev);
}

void mock_device_destroy(struct mock_device *dev)
{
	struct mock_channel *channel, *next_channel;
	struct mock_fence *fence, *next_fence;

	list_for_each_entry_safe(channel, next_channel, &dev->channels, entry)
		mock_channel_destroy(channel);

	KUNIT_EXPECT_EQ(dev->test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_EQ(dev->test, 0, dev->nr_bos);
	KUNIT_EXPECT_TRUE(dev->test, list_empty(&dev->lru.releases));
	ttm_fence_lru_fini(&dev->lru);

	list_for_each_entry_safe(fence, next_fence, &dev->fences, entry)
		dma_fence_put(&fence->base);
	KUNIT_EXPECT_EQ(dev->test, 0, dev->nr_fences);
	kfree(dev);
}

int mock_device_init(struct kunit *test)
{
	test->priv = mock_device_create(test);
	return 0;
}

void mock_device_exit(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	/* Making it may have failed. */
	if (!dev)
		return;
	mock_device_end(dev);
	mock_device_destroy(dev);
}
