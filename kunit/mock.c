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

	mock_append_name(dev->destroyed, bo->name);
	dev->nr_bos--;
	ttm_fence_lru_bo_fini(&bo->base);
	mock_fences_put(&bo->fences);
	kfree(bo);
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

static void mock_bo_release(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);

	if (bo->base.dead && !bo->import) {
		mock_bo_destroy(kref);
		return;
	}

	kref_init(&bo->kref);
	if (bo->base.dead) {
		ttm_fence_lru_defer_destroy(&bo->dev->lru, &bo->base);
		return;
	}
	if (bo->group)
		mock_group_leave(bo);
	ttm_fence_lru_release(&bo->dev->lru, &bo->base, bo->type, bo->bytes);
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
	if (!base->cleaned)
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

static void mock_get(struct ttm_fence_lru_bo *base)
{
	kref_get(&to_mock_bo(base)->kref);
}

static void mock_put(struct ttm_fence_lru_bo *base,
		     enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	if (site == TTM_FENCE_LRU_AT_DRAIN)
		kref_put(&bo->kref, mock_bo_destroy);
	else
		mock_bo_put(bo);
}

/* Release the memory. */
void mock_bo_clean(struct mock_bo *bo)
{
	mock_append_name(bo->dev->cleaned, bo->name);
	spin_lock(&bo->dev->lru_lock);
	list_del_init(&bo->place.entry);
	spin_unlock(&bo->dev->lru_lock);
}

static bool mock_cleanup(struct ttm_fence_lru_bo *base,
			 enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);
	struct ttm_fence_lru *lru = &bo->dev->lru;
	int under_way;

	might_sleep();
	lockdep_assert_not_held(&lru->reclaim_lock);
	/* Who wants the memory can know that it is coming. */
	under_way = atomic_read(&lru->releasing) - atomic_read(&lru->released);
	KUNIT_EXPECT_GT(bo->dev->test, under_way, 0);
	mock_meanwhile(bo->dev, &bo->dev->cleaning);
	if (bo->locked || !mock_fences_signaled(&bo->fences))
		return false;

	if (!bo->base.cleaned)
		mock_bo_clean(bo);
	return true;
}

static const struct ttm_fence_lru_ops mock_ops = {
	.busy = mock_busy,
	.idle = mock_idle,
	.get = mock_get,
	.put = mock_put,
	.cleanup = mock_cleanup,
	.group_busy = mock_group_busy,
	.group_idle = mock_group_idle,
};

/* A buffer with one reference, at the tail of the LRU. */
struct mock_bo *mock_bo_create(struct mock_device *dev, char name)
{
	struct mock_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

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

void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence)
{
	KUNIT_EXPECT_EQ(bo->dev->test, 0, ttm_fence_lru_reserve(&bo->base, 1));

	/* Attaching asks only whether somebody has seen it signaled. */
	dma_fence_is_signaled(&fence->base);
	mock_fences_add(bo->dev, &bo->fences, &fence->base);
	ttm_fence_lru_attach(&bo->dev->lru, &bo->base, &fence->base);
}

/* An empty group, its range at the tail of the LRU. */
struct mock_group *mock_group_create(struct mock_device *dev)
{
	struct mock_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

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
	struct mock_device *dev = group->dev;

	KUNIT_EXPECT_EQ(dev->test, 0,
			ttm_fence_lru_reserve(&group->base.base, 1));

	dma_fence_is_signaled(&fence->base);
	mock_fences_add(dev, &group->fences, &fence->base);
	ttm_fence_lru_attach(&dev->lru, &group->base.base, &fence->base);
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

/* A pass of one step. */
bool mock_reclaim_step(struct ttm_fence_lru *lru, unsigned int budget,
		       u64 *released)
{
	struct ttm_fence_lru_pass pass = { .budget = budget };
	bool complete = ttm_fence_lru_reclaim(lru, &pass);

	*released = pass.released;
	return complete;
}

/* Reclaim all that has signaled. */
void mock_reclaim(struct mock_device *dev)
{
	struct ttm_fence_lru_pass pass = { .budget = U32_MAX };

	while (!ttm_fence_lru_reclaim(&dev->lru, &pass))
		;
}

/* The engine's own check of everything. */
void mock_check(struct mock_device *dev)
{
	struct drm_printer p = drm_info_printer(NULL);

	KUNIT_EXPECT_TRUE(dev->test, ttm_fence_lru_check(&dev->lru, &p));
}

struct mock_device *mock_device_create(struct kunit *test)
{
	struct mock_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

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
		if (!place->range && !place_to_bo(place)->base.dead)
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
	KUNIT_EXPECT_EQ(dev->test, atomic_read(&dev->lru.releasing),
			atomic_read(&dev->lru.released));
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
