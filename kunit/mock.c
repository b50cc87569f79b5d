// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Plain objects in place of a driver's buffers, channels and fences.
 */
#include <kunit/resource.h>

#include <linux/slab.h>

#include <drm/drm_print.h>

#include "mock.h"

static const char *mock_fence_name(struct dma_fence *fence)
{
	return "mock";
}

static bool mock_fence_enable_signaling(struct dma_fence *fence)
{
	container_of(fence, struct mock_fence, base)->armed++;
	return true;
}

static bool mock_fence_signaled(struct dma_fence *fence)
{
	return READ_ONCE(container_of(fence, struct mock_fence, base)->done);
}

static const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
};

static void put_fence(void *fence)
{
	dma_fence_put(fence);
}

struct mock_fence *mock_fence_create(struct mock_device *dev, u64 context,
				     u64 seqno)
{
	struct mock_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, fence);
	list_add_tail(&fence->entry, &dev->fences);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &mock_fence_ops, &fence->lock, context,
		       seqno);
	KUNIT_ASSERT_EQ(dev->test, 0,
			kunit_add_action_or_reset(dev->test, put_fence,
						  &fence->base));
	return fence;
}

struct mock_fence *mock_emit(struct mock_channel *channel)
{
	KUNIT_EXPECT_EQ(channel->dev->test, 0,
			ttm_fence_lru_channel_reserve(&channel->base));

	return mock_fence_create(channel->dev, channel->base.context,
				 ++channel->seqno);
}

void mock_signal(struct mock_fence *fence)
{
	WRITE_ONCE(fence->done, true);
}

/* The fence of the channel's first node. */
struct mock_fence *mock_first(struct mock_channel *channel)
{
	struct ttm_fence_lru_node *node;

	node = list_first_entry(&channel->base.nodes, struct ttm_fence_lru_node,
				entry);
	return container_of(node->fence, struct mock_fence, base);
}

static void unregister_channel(void *channel)
{
	ttm_fence_lru_channel_unregister(channel);
}

/* Ends with the test, if not before. */
struct mock_channel *mock_channel_create(struct mock_device *dev)
{
	struct mock_channel *channel;
	int ret;

	channel = kunit_kzalloc(dev->test, sizeof(*channel), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(dev->test, channel);
	channel->dev = dev;
	ret = ttm_fence_lru_channel_register(&dev->lru, &channel->base,
					     dma_fence_context_alloc(1));
	KUNIT_ASSERT_EQ(dev->test, 0, ret);
	KUNIT_ASSERT_EQ(dev->test, 0,
			kunit_add_action_or_reset(dev->test, unregister_channel,
						  &channel->base));
	return channel;
}

void mock_channel_destroy(struct mock_channel *channel)
{
	kunit_release_action(channel->dev->test, unregister_channel,
			     &channel->base);
}

static struct mock_bo *to_mock_bo(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct mock_bo, base);
}

static void append_name(char *names, char name)
{
	size_t length = strlen(names);

	if (length < MOCK_MAX_NAMES - 1)
		names[length] = name;
}

static void mock_bo_destroy(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);
	struct mock_device *dev = bo->dev;

	append_name(dev->destroyed, bo->name);
	dev->nr_bos--;
	ttm_fence_lru_bo_fini(&bo->base);
	while (bo->nr_fences)
		dma_fence_put(bo->fences[--bo->nr_fences]);
	kfree(bo);
}

static void mock_bo_release(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);

	if (bo->base.dead && !bo->import) {
		mock_bo_destroy(kref);
		return;
	}

	kref_init(&bo->kref);
	if (bo->base.dead)
		ttm_fence_lru_defer_destroy(&bo->dev->lru, &bo->base);
	else
		ttm_fence_lru_release(&bo->dev->lru, &bo->base, 1,
				      MOCK_BO_BYTES);
}

void mock_bo_put(struct mock_bo *bo)
{
	kref_put(&bo->kref, mock_bo_release);
}

static void mock_busy(struct ttm_fence_lru_bo *base)
{
	struct mock_bo *bo = to_mock_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	KUNIT_EXPECT_FALSE(bo->dev->test, list_empty(&bo->entry));
	list_del_init(&bo->entry);
}

static void mock_idle(struct ttm_fence_lru_bo *base)
{
	struct mock_bo *bo = to_mock_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	if (!base->cleaned)
		list_move_tail(&bo->entry, &bo->dev->idle);
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
	append_name(bo->dev->cleaned, bo->name);
	spin_lock(&bo->dev->lru_lock);
	list_del_init(&bo->entry);
	spin_unlock(&bo->dev->lru_lock);
}

static bool mock_cleanup(struct ttm_fence_lru_bo *base,
			 enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);
	unsigned int i;

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	if (bo->locked)
		return false;

	for (i = 0; i < bo->nr_fences; i++)
		if (!dma_fence_is_signaled(bo->fences[i]))
			return false;

	if (bo->base.cleaned)
		return true;

	mock_bo_clean(bo);
	return true;
}

static const struct ttm_fence_lru_ops mock_ops = {
	.busy = mock_busy,
	.idle = mock_idle,
	.get = mock_get,
	.put = mock_put,
	.cleanup = mock_cleanup,
};

/* A buffer with one reference, at the tail of the LRU. */
struct mock_bo *mock_bo_create(struct mock_device *dev, char name)
{
	struct mock_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, bo);
	ttm_fence_lru_bo_init(&bo->base);
	bo->dev = dev;
	bo->name = name;
	kref_init(&bo->kref);
	dev->nr_bos++;

	spin_lock(&dev->lru_lock);
	INIT_LIST_HEAD(&bo->entry);
	list_add_tail(&bo->entry, &dev->idle);
	spin_unlock(&dev->lru_lock);
	return bo;
}

void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence)
{
	KUNIT_ASSERT_LT(bo->dev->test, bo->nr_fences, MOCK_MAX_FENCES);
	KUNIT_EXPECT_EQ(bo->dev->test, 0, ttm_fence_lru_reserve(&bo->base, 1));

	bo->fences[bo->nr_fences++] = dma_fence_get(&fence->base);
	ttm_fence_lru_attach(&bo->dev->lru, &bo->base, &fence->base);
}

/* A job of one buffer. */
struct mock_fence *mock_submit(struct mock_channel *channel, struct mock_bo *bo)
{
	struct mock_fence *fence = mock_emit(channel);

	mock_bo_use(bo, fence);
	return fence;
}

/* Reclaim all that has signaled. */
void mock_reclaim(struct mock_device *dev)
{
	u64 released;

	while (!ttm_fence_lru_reclaim(&dev->lru, U32_MAX, &released))
		;
}

/* The names on the LRU, oldest first. */
const char *mock_lru(struct mock_device *dev)
{
	char *names = kunit_kzalloc(dev->test, MOCK_MAX_NAMES, GFP_KERNEL);
	struct mock_bo *bo;

	KUNIT_ASSERT_NOT_NULL(dev->test, names);
	spin_lock(&dev->lru_lock);
	list_for_each_entry(bo, &dev->idle, entry)
		append_name(names, bo->name);
	spin_unlock(&dev->lru_lock);
	return names;
}

static void append_names(char *names, struct list_head *links)
{
	struct ttm_fence_lru_link *link;

	list_for_each_entry(link, links, entry)
		append_name(names, to_mock_bo(link->bo)->name);
}

const char *mock_nodes(struct mock_channel *channel)
{
	char *names =
		kunit_kzalloc(channel->dev->test, MOCK_MAX_NAMES, GFP_KERNEL);
	struct ttm_fence_lru_node *node;

	KUNIT_ASSERT_NOT_NULL(channel->dev->test, names);
	spin_lock(&channel->base.lock);
	list_for_each_entry(node, &channel->base.nodes, entry) {
		if (*names)
			append_name(names, ' ');
		append_names(names, &node->alive);
		if (!list_empty(&node->zombies))
			append_name(names, '/');
		append_names(names, &node->zombies);
	}
	spin_unlock(&channel->base.lock);
	return names;
}

/* The engine's own check of everything. */
void mock_check(struct mock_device *dev)
{
	struct drm_printer p = drm_info_printer(NULL);

	KUNIT_EXPECT_TRUE(dev->test, ttm_fence_lru_check(&dev->lru, &p));
}

static void mock_device_fini(void *data)
{
	struct mock_device *dev = data;

	KUNIT_EXPECT_EQ(dev->test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_EQ(dev->test, 0, dev->nr_bos);
	ttm_fence_lru_fini(&dev->lru);
}

int mock_device_init(struct kunit *test)
{
	struct mock_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->test = test;
	spin_lock_init(&dev->lru_lock);
	INIT_LIST_HEAD(&dev->idle);
	INIT_LIST_HEAD(&dev->fences);
	KUNIT_ASSERT_EQ(test, 0,
			ttm_fence_lru_init(&dev->lru, &dev->lru_lock,
					   &mock_ops));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, mock_device_fini, dev));
	test->priv = dev;
	return 0;
}

static struct mock_bo *first_alive(struct mock_device *dev)
{
	struct mock_bo *bo;

	list_for_each_entry(bo, &dev->idle, entry)
		if (!bo->base.dead)
			return bo;
	return NULL;
}

/* Signal all fences and put all buffers, so that nothing may be left. */
void mock_device_exit(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence;
	struct mock_bo *bo;

	list_for_each_entry(fence, &dev->fences, entry)
		mock_signal(fence);
	mock_reclaim(dev);

	while ((bo = first_alive(dev)))
		mock_bo_put(bo);
	mock_check(dev);
}
