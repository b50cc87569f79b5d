// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reservation: attaching needs no memory, and failing to reserve changes nothing.
 */
#include <kunit/static_stub.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

static struct ttm_fence_lru_node *no_node(void)
{
	return NULL;
}

static struct ttm_fence_lru_link *no_link(struct ttm_fence_lru_bo *bo,
					  gfp_t gfp)
{
	return NULL;
}

static void a_channel_without_memory_says_so(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);

	kunit_activate_static_stub(test, ttm_fence_lru_node_alloc, no_node);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			ttm_fence_lru_channel_reserve(&channel->base));
	KUNIT_EXPECT_EQ(test, 0, channel->base.nr_spare);
	mock_check(dev);
}

/* The first channel's link is part of the buffer. */
static void a_buffer_without_memory_says_so(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc, no_link);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reserve(&a->base, 1));
	mock_submit(channel, a);

	KUNIT_EXPECT_EQ(test, -ENOMEM, ttm_fence_lru_reserve(&a->base, 1));
	EXPECT_NODES(channel, "A");
	mock_check(dev);
}

static void a_buffer_on_the_channel_needs_no_other_link(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence;

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc, no_link);
	KUNIT_EXPECT_EQ(test, 0,
			ttm_fence_lru_reserve_on(&a->base, &first->base));
	mock_submit(first, a);
	KUNIT_EXPECT_EQ(test, 0,
			ttm_fence_lru_reserve_on(&a->base, &first->base));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			ttm_fence_lru_reserve_on(&a->base, &second->base));

	/* Nor if it leaves the channel between reserving and attaching. */
	mock_signal(mock_first(first));
	mock_reclaim(dev);
	fence = mock_emit(first);
	mock_fences_add(dev, &a->fences, &fence->base);
	ttm_fence_lru_attach(&dev->lru, &a->base, &fence->base);
	EXPECT_NODES(first, "A");
}

static void reserving_again_allocates_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reserve(&a->base, 3));
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_channel_reserve(&channel->base));

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc, no_link);
	kunit_activate_static_stub(test, ttm_fence_lru_node_alloc, no_node);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reserve(&a->base, 3));
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reserve(&a->base, 1));
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_channel_reserve(&channel->base));

	/* The link that is part of the buffer comes first. */
	mock_submit(channel, a);
	KUNIT_EXPECT_NOT_NULL(test, a->base.link.node);
}

/* A node that empties when its buffers move on serves the channel's next fence. */
static void a_channel_in_steady_use_allocates_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	int i;

	mock_submit(channel, a);
	mock_submit(channel, a);
	kunit_activate_static_stub(test, ttm_fence_lru_node_alloc, no_node);
	for (i = 0; i < 20; i++)
		mock_submit(channel, a);
	EXPECT_NODES(channel, "A");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.unlinked);
}

/*
 *   node 1: A   node 2: B   node 3: C    all are used again under fence 4
 *   node 4: A B C                        two of the nodes are kept, one is freed
 */
static void a_channel_keeps_few_nodes(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bos[3];
	struct mock_fence *fence;
	int i;

	for (i = 0; i < 3; i++) {
		bos[i] = mock_bo_create(dev, 'A' + i);
		mock_submit(channel, bos[i]);
	}
	fence = mock_emit(channel);
	for (i = 0; i < 3; i++)
		mock_bo_use(bos[i], fence);
	EXPECT_NODES(channel, "ABC");
	KUNIT_EXPECT_EQ(test, 2, channel->base.nr_spare);
	KUNIT_EXPECT_EQ(test, 2, list_count_nodes(&channel->base.spare));
}

/* A link that became free serves another channel. */
static void
a_buffer_keeps_no_more_links_than_it_needed_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *a = mock_bo_create(dev, 'A');
	int i;

	for (i = 0; i < 5; i++) {
		mock_submit(mock_channel_create(dev), a)->done = true;
		mock_reclaim(dev);
	}
	KUNIT_EXPECT_NULL(test, a->base.link.next);
	EXPECT_STATE(dev, "A", "");
}

/* A driver that forgot to reserve: no link, no order, no harm. */
static void attaching_without_room_is_safe(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	fence = mock_fence_create(dev, channel->base.context, 1);
	mock_bo_use(x, fence);
	EXPECT_STATE(dev, "x", "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.unlinked);

	mock_bo_put(x);
	EXPECT_STATE(dev, "x", "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.leftover);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
}

/* It is on one channel, and nobody reserved a link for the second. */
static void attaching_without_a_link_is_safe(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *sooner = mock_submit(first, x);
	struct mock_fence *later = mock_emit(second);

	mock_fences_add(dev, &x->fences, &later->base);
	ttm_fence_lru_attach(&dev->lru, &x->base, &later->base);
	EXPECT_NODES(first, "x");
	EXPECT_NODES(second, "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.unlinked);

	mock_bo_put(x);
	mock_signal(sooner);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "x", "");
	mock_signal(later);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_channel_without_memory_says_so),
	KUNIT_CASE(a_buffer_without_memory_says_so),
	KUNIT_CASE(a_buffer_on_the_channel_needs_no_other_link),
	KUNIT_CASE(reserving_again_allocates_nothing),
	KUNIT_CASE(a_channel_in_steady_use_allocates_nothing),
	KUNIT_CASE(a_channel_keeps_few_nodes),
	KUNIT_CASE(a_buffer_keeps_no_more_links_than_it_needed_at_once),
	KUNIT_CASE(attaching_without_room_is_safe),
	KUNIT_CASE(attaching_without_a_link_is_safe),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_reserve",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
