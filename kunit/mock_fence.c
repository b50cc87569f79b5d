// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Plain objects in place of a driver's channels, fences and reservation objects.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "mock.h"

static uint param_seed;
module_param_named(seed, param_seed, uint, 0444);
MODULE_PARM_DESC(seed, "What random tests start from (default: anything)");

/* What a random test starts from. */
unsigned int mock_seed(struct kunit *test)
{
	unsigned int seed = param_seed ?: get_random_u32();

	kunit_info(test, "seed %u", seed);
	return seed;
}

static struct mock_fence *to_mock_fence(struct dma_fence *fence)
{
	return container_of(fence, struct mock_fence, base);
}

static const char *mock_fence_name(struct dma_fence *fence)
{
	return "mock";
}

/* Hardware that is done raises no interrupt any more. */
static bool mock_fence_enable_signaling(struct dma_fence *fence)
{
	to_mock_fence(fence)->armed++;
	return !READ_ONCE(to_mock_fence(fence)->done);
}

/* What another task does in between: once, as it may come here again. */
void mock_meanwhile(struct mock_device *dev, mock_hook *hook)
{
	mock_hook other = *hook;

	*hook = NULL;
	if (other)
		other(dev->test);
}

static bool mock_fence_signaled(struct dma_fence *base)
{
	struct mock_fence *fence = to_mock_fence(base);

	fence->dev->nr_samples++;
	leave_fence_ops();
	mock_meanwhile(fence->dev, &fence->dev->sampled);
	enter_fence_ops();
	return READ_ONCE(fence->done);
}

static void mock_fence_release(struct dma_fence *base)
{
	struct mock_fence *fence = to_mock_fence(base);

	list_del(&fence->entry);
	fence->dev->nr_fences--;
	dma_fence_free(base);
}

static const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
	.release = mock_fence_release,
};

/* It cannot be asked: it signals by interrupt. */
static const struct dma_fence_ops mock_silent_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_enable_signaling,
	.release = mock_fence_release,
};

static struct mock_fence *create_fence(struct mock_device *dev,
				       const struct dma_fence_ops *ops,
				       u64 context, u64 seqno)
{
	struct mock_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(dev->test, fence);
	fence->dev = dev;
	list_add_tail(&fence->entry, &dev->fences);
	dev->nr_fences++;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, ops, &fence->lock, context, seqno);
	return fence;
}

struct mock_fence *mock_fence_create(struct mock_device *dev, u64 context,
				     u64 seqno)
{
	return create_fence(dev, &mock_fence_ops, context, seqno);
}

struct mock_fence *mock_fence_create_silent(struct mock_device *dev,
					    u64 context, u64 seqno)
{
	return create_fence(dev, &mock_silent_fence_ops, context, seqno);
}

void mock_channel_reserve(struct mock_channel *channel)
{
	KUNIT_EXPECT_EQ(channel->dev->test, 0,
			ttm_fence_lru_channel_reserve(&channel->base));
}

struct mock_fence *mock_emit(struct mock_channel *channel)
{
	mock_channel_reserve(channel);
	return mock_fence_create(channel->dev, channel->context,
				 ++channel->seqno);
}

struct mock_fence *mock_emit_silent(struct mock_channel *channel)
{
	mock_channel_reserve(channel);
	return mock_fence_create_silent(channel->dev, channel->context,
					++channel->seqno);
}

void mock_signal(struct mock_fence *fence)
{
	WRITE_ONCE(fence->done, true);
	if (fence->armed)
		dma_fence_signal(&fence->base);
}

/* The fence of the channel's first node. */
struct mock_fence *mock_first(struct mock_channel *channel)
{
	struct ttm_fence_lru_node *node;

	node = list_first_entry(&channel->base.nodes, struct ttm_fence_lru_node,
				entry);
	return to_mock_fence(rcu_dereference_protected(node->fence, true));
}

struct mock_channel *mock_channel_create(struct mock_device *dev)
{
	struct mock_channel *channel = kzalloc_obj(*channel);

	KUNIT_ASSERT_NOT_NULL(dev->test, channel);
	channel->dev = dev;
	channel->context = dma_fence_context_alloc(1);
	memset(&channel->base, MOCK_GARBAGE, sizeof(channel->base));
	list_add_tail(&channel->entry, &dev->channels);
	mock_channel_register(channel);
	return channel;
}

/* Again, after it was unregistered: the context goes on. */
void mock_channel_register(struct mock_channel *channel)
{
	int ret;

	ret = ttm_fence_lru_channel_register(&channel->dev->lru, &channel->base,
					     channel->context);
	KUNIT_ASSERT_EQ(channel->dev->test, 0, ret);
	channel->registered = true;
}

void mock_channel_unregister(struct mock_channel *channel)
{
	channel->registered = false;
	ttm_fence_lru_channel_unregister(&channel->base);
}

void mock_channel_destroy(struct mock_channel *channel)
{
	if (channel->registered)
		mock_channel_unregister(channel);
	list_del(&channel->entry);
	/* Somebody may still look at its lock. */
	kfree_rcu(channel, rcu);
}

/* Keep no fence that has signaled, or that a later one of its context stands for. */
void mock_fences_add(struct mock_device *dev, struct mock_fences *fences,
		     struct dma_fence *fence)
{
	struct dma_fence *old;
	unsigned int i, kept = 0;

	dma_fence_get(fence);
	for (i = 0; i < fences->count; i++) {
		old = fences->fences[i];
		if (dma_fence_is_signaled(old) ||
		    (old->context == fence->context &&
		     dma_fence_is_later_or_same(fence, old)))
			dma_fence_put(old);
		else
			fences->fences[kept++] = old;
	}
	KUNIT_ASSERT_LT(dev->test, kept, MOCK_MAX_FENCES);
	fences->fences[kept++] = fence;
	fences->count = kept;
}

void mock_fences_put(struct mock_fences *fences)
{
	while (fences->count)
		dma_fence_put(fences->fences[--fences->count]);
}

/*
 * The first that has not signaled, or NULL. Those that nobody has asked to signal are
 * asked now, as nobody else will.
 */
struct dma_fence *mock_fences_blocker(struct mock_fences *fences)
{
	struct dma_fence *fence, *blocker = NULL;
	unsigned int i;

	for (i = 0; i < fences->count; i++) {
		fence = fences->fences[i];
		if (dma_fence_is_signaled(fence))
			continue;
		ttm_fence_lru_arm_fence(fence);
		blocker = blocker ?: fence;
	}
	return blocker;
}
