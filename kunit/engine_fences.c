// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How fences are treated: they are a driver's, and only looked at.
 */
#include <linux/lockdep.h>

#include "mock.h"

/* What the fences below saw of their users. */
static struct {
	struct mock_channel *channel;
	unsigned int samples;
	unsigned int releases;
	bool under_spinlock;
} seen;

/* Nothing is known any more once lockdep has reported something. */
static bool is_held(spinlock_t *lock)
{
	return IS_ENABLED(CONFIG_LOCKDEP) && lockdep_is_held(lock) == 1;
}

static void look(void)
{
	seen.under_spinlock |= is_held(&seen.channel->base.lock) ||
			       is_held(&seen.channel->dev->lru_lock);
}

static const char *name(struct dma_fence *fence)
{
	return "watching";
}

static bool watching_signaled(struct dma_fence *fence)
{
	seen.samples++;
	look();
	return container_of(fence, struct mock_fence, base)->done;
}

static void watching_release(struct dma_fence *fence)
{
	seen.releases++;
	look();
	dma_fence_free(fence);
}

static const struct dma_fence_ops watching_ops = {
	.get_driver_name = name,
	.get_timeline_name = name,
	.signaled = watching_signaled,
	.release = watching_release,
};

static void watch(struct mock_channel *channel)
{
	memset(&seen, 0, sizeof(seen));
	seen.channel = channel;
}

/* A fence whose only references are those of the engine, and of the caller for now. */
static struct mock_fence *emit_watching(struct mock_channel *channel)
{
	struct mock_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(channel->dev->test, fence);
	KUNIT_EXPECT_EQ(channel->dev->test, 0,
			ttm_fence_lru_channel_reserve(&channel->base));
	INIT_LIST_HEAD(&fence->entry);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &watching_ops, &fence->lock,
		       channel->base.context, ++channel->seqno);
	return fence;
}

/* As mock_bo_use(), but the buffer knows nothing of its fence. */
static void attach(struct mock_bo *bo, struct mock_fence *fence)
{
	KUNIT_EXPECT_EQ(bo->dev->test, 0, ttm_fence_lru_reserve(&bo->base, 1));
	mock_bo_attach(bo, fence);
}

static void a_retired_fence_is_put(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	attach(mock_bo_create(dev, 'A'), fence);
	mock_signal(fence);
	dma_fence_put(&fence->base);
	KUNIT_EXPECT_EQ(test, 0, seen.releases);

	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);
	KUNIT_EXPECT_GT(test, seen.samples, 0);
	KUNIT_EXPECT_FALSE(test, seen.under_spinlock);
}

static void a_fence_is_put_when_its_last_buffer_moves_on(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	attach(a, fence);
	dma_fence_put(&fence->base);
	KUNIT_EXPECT_EQ(test, 0, seen.releases);

	mock_submit(channel, a);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);
	KUNIT_EXPECT_FALSE(test, seen.under_spinlock);
}

static void a_fence_is_put_when_its_last_buffer_is_released(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	attach(x, fence);
	mock_signal(fence);
	dma_fence_put(&fence->base);
	seen.samples = 0;

	mock_bo_put(x);
	KUNIT_EXPECT_EQ(test, 1, seen.samples);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);
	KUNIT_EXPECT_FALSE(test, seen.under_spinlock);
}

static void a_fence_is_put_when_its_channel_goes(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	attach(mock_bo_create(dev, 'A'), fence);
	mock_signal(fence);
	dma_fence_put(&fence->base);
	mock_channel_destroy(channel);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);
	KUNIT_EXPECT_FALSE(test, seen.under_spinlock);
}

/* One that was seen signaled, or of a killed channel, is not kept at all. */
static void a_fence_without_link_is_not_kept(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	dma_fence_signal(&fence->base);
	attach(mock_bo_create(dev, 'A'), fence);
	dma_fence_put(&fence->base);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);

	ttm_fence_lru_channel_kill(&channel->base);
	fence = emit_watching(channel);
	attach(mock_bo_create(dev, 'B'), fence);
	dma_fence_put(&fence->base);
	KUNIT_EXPECT_EQ(test, 2, seen.releases);
}

/* Leftovers keep the fence that they wait for, until somebody else releases them. */
static void a_fence_is_put_when_it_blocks_no_leftover(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	watch(channel);
	fence = emit_watching(channel);
	mock_fences_add(dev, &x->fences, &fence->base);
	dma_fence_put(&fence->base);
	mock_bo_put(x);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 1, dev->lru.dead[1].nr_blocked);
	mock_fences_put(&x->fences);
	KUNIT_EXPECT_EQ(test, 0, seen.releases);

	mock_bo_clean(x);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_cleaned(&dev->lru, &x->base));
	KUNIT_EXPECT_EQ(test, 0, dev->lru.dead[1].nr_blocked);
	KUNIT_EXPECT_EQ(test, 1, seen.releases);
	KUNIT_EXPECT_FALSE(test, seen.under_spinlock);
	mock_bo_put(x);
	EXPECT_STATE(dev, "", "x");
}

/* However many buffers there are: their own fences are nothing to look at. */
static void reclaim_samples_a_node_and_not_its_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	watch(channel);
	fence = emit_watching(channel);
	for (i = 0; i < 50; i++)
		attach(mock_bo_create(dev, 'A'), fence);
	seen.samples = 0;
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 1, seen.samples);

	mock_signal(fence);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 2, seen.samples);
	EXPECT_NODES(channel, "");
	dma_fence_put(&fence->base);
}

/* Not even that of a channel which is killed and goes. */
static void no_fence_of_a_driver_is_signaled(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_put(x);
	mock_reclaim(dev);
	ttm_fence_lru_channel_kill(&channel->base);
	mock_reclaim(dev);
	mock_channel_destroy(channel);
	ttm_fence_lru_drain(&dev->lru);
	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
					  &fence->base.flags));
	KUNIT_EXPECT_EQ(test, 0, fence->armed);
	EXPECT_STATE(dev, "x", "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_retired_fence_is_put),
	KUNIT_CASE(a_fence_is_put_when_its_last_buffer_moves_on),
	KUNIT_CASE(a_fence_is_put_when_its_last_buffer_is_released),
	KUNIT_CASE(a_fence_is_put_when_its_channel_goes),
	KUNIT_CASE(a_fence_is_put_when_it_blocks_no_leftover),
	KUNIT_CASE(a_fence_without_link_is_not_kept),
	KUNIT_CASE(reclaim_samples_a_node_and_not_its_buffers),
	KUNIT_CASE(no_fence_of_a_driver_is_signaled),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_fences",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
