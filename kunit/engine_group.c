// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups: many buffers, one reservation object, one link.
 */
#include <kunit/static_stub.h>

#include <linux/sched/mm.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

/* A group with the buffers of these names, at the tail of the LRU. */
static struct mock_group *group_of(struct mock_device *dev, const char *names,
				   struct mock_bo **bos)
{
	struct mock_group *group = mock_group_create(dev);
	int i;

	for (i = 0; names[i]; i++) {
		bos[i] = mock_bo_create(dev, names[i]);
		mock_group_join(group, bos[i]);
	}
	return group;
}

static struct mock_fence *submit_group(struct mock_channel *channel,
				       struct mock_group *group)
{
	struct mock_fence *fence = mock_emit(channel);

	mock_group_use(group, fence);
	return fence;
}

/*
 *   LRU: A [BC]   channel: -
 *   LRU: A        channel: node with the group
 *   LRU: A [BC]   channel: -
 */
static void a_group_leaves_and_enters_the_lru_as_one(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bos[2];
	struct mock_group *group;
	struct mock_fence *fence;

	mock_bo_create(dev, 'A');
	group = group_of(dev, "BC", bos);
	EXPECT_STATE(dev, "A[BC]", "");

	fence = submit_group(channel, group);
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "*");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.busy);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_bo_is_busy(&bos[0]->base));

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A[BC]", "");
}

/* However many members there are: one link, whose node changes. */
static void fencing_a_group_touches_no_member(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bos[3];
	struct mock_group *group = group_of(dev, "ABC", bos);
	struct ttm_fence_lru_bo before = bos[1]->base;

	submit_group(channel, group);
	submit_group(channel, group);
	EXPECT_NODES(channel, "*");
	KUNIT_EXPECT_EQ(test, 1, channel->base.nr_links);
	KUNIT_EXPECT_MEMEQ(test, &before, &bos[1]->base, sizeof(before));
}

/* And with buffers of their own, that stand before and behind it. */
static void a_group_is_attached_among_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *c = mock_bo_create(dev, 'C');
	struct mock_bo *d = mock_bo_create(dev, 'D');
	struct ttm_fence_lru_bo *bases[3];
	struct mock_group *group;
	struct mock_fence *fence;
	struct mock_bo *bos[2];

	group = group_of(dev, "AB", bos);
	bases[0] = &d->base;
	bases[1] = &group->base.base;
	bases[2] = &c->base;
	fence = mock_emit(channel);
	ttm_fence_lru_attach(&dev->lru, &fence->base, bases, 3);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "D*C");

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "D[AB]C", "");
}

static void a_group_is_placed_by_its_last_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *bos[1];
	struct mock_group *group = group_of(dev, "A", bos);

	submit_group(first, group)->done = true;
	mock_submit(first, mock_bo_create(dev, 'B'))->done = true;
	submit_group(second, group)->done = true;
	mock_submit(first, mock_bo_create(dev, 'C'))->done = true;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "B[A]C", "");
}

/*
 *   node 1: alive *          node 1: alive *, zombies x
 *   range:  A x              range:  A
 */
static void a_member_that_dies_gets_links_of_its_own(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *sooner, *later;
	struct mock_group *group;
	struct mock_bo *bos[2];

	group = group_of(dev, "Ax", bos);
	sooner = submit_group(first, group);
	later = submit_group(second, group);
	mock_bo_put(bos[1]);
	EXPECT_NODES(first, "*/x");
	EXPECT_NODES(second, "*/x");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);

	/* What the group does from now on is no concern of the dead. */
	submit_group(first, group);
	EXPECT_NODES(first, "/x *");

	mock_signal(sooner);
	mock_signal(later);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(first, "*");
	EXPECT_NODES(second, "");
}

static struct ttm_fence_lru_link *no_link(struct ttm_fence_lru_bo *bo,
					  gfp_t gfp)
{
	KUNIT_EXPECT_FALSE(kunit_get_current_test(),
			   gfpflags_allow_blocking(gfp));
	return NULL;
}

static void a_member_without_memory_for_links_is_not_lost(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *sooner, *later;
	struct mock_group *group;
	struct mock_bo *bos[2];

	group = group_of(dev, "Ax", bos);
	sooner = submit_group(first, group);
	later = submit_group(second, group);

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc, no_link);
	mock_bo_put(bos[1]);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	EXPECT_STATE(dev, "x", "");
	EXPECT_NODES(first, "*");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));

	mock_signal(sooner);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "x", "");

	mock_signal(later);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "[A]", "x");
}

/* Its last reference may go where somebody waits for memory. */
static void a_member_may_die_in_direct_reclaim(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_group *group;
	struct mock_fence *fence;
	struct mock_bo *bos[1];

	group = group_of(dev, "x", bos);
	fence = submit_group(channel, group);
	fs_reclaim_acquire(GFP_KERNEL);
	mock_bo_put(bos[0]);
	fs_reclaim_release(GFP_KERNEL);
	EXPECT_NODES(channel, "*/x");

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "[]", "x");
}

static void a_member_of_an_idle_group_is_released_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_group *group;
	struct mock_bo *bos[2];

	group = group_of(dev, "xy", bos);
	mock_bo_put(bos[0]);
	EXPECT_STATE(dev, "[y]", "x");

	/* Nobody has reclaimed since: release looks itself. */
	submit_group(channel, group)->done = true;
	mock_bo_put(bos[1]);
	EXPECT_STATE(dev, "", "xy");
	EXPECT_NODES(channel, "*");
}

static void joining_a_busy_group_is_leaving_the_lru(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_group *group = mock_group_create(dev);
	struct mock_fence *fence = submit_group(channel, group);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	EXPECT_STATE(dev, "A", "");
	mock_group_join(group, a);
	EXPECT_STATE(dev, "", "");

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "[A]", "");
}

/* It has links from before it joined: it returns to the range when they are gone. */
static void
a_member_with_links_of_its_own_joins_the_range_later(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *own = mock_submit(channel, a);
	struct mock_fence *shared;
	struct mock_group *group;
	struct mock_bo *bos[1];

	group = group_of(dev, "B", bos);
	mock_group_join(group, a);
	shared = submit_group(channel, group);
	EXPECT_NODES(channel, "A *");

	mock_signal(own);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "");

	mock_signal(shared);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "[BA]", "");
}

static void a_member_that_leaves_stays_busy(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	struct mock_group *group;
	struct mock_bo *bos[2];

	group = group_of(dev, "AB", bos);
	fence = submit_group(channel, group);
	KUNIT_EXPECT_EQ(test, 0, mock_group_leave(bos[0]));
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "*A");

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "[B]A", "");
}

static void a_group_may_end_while_it_is_busy(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_group *group = mock_group_create(dev);

	mock_submit(second, mock_bo_create(dev, 'A'));
	mock_group_use(group, mock_emit(first));
	mock_group_use(group, mock_emit(second));
	EXPECT_NODES(second, "A *");

	mock_group_destroy(group);
	EXPECT_NODES(first, "");
	EXPECT_NODES(second, "A");
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_group_leaves_and_enters_the_lru_as_one),
	KUNIT_CASE(fencing_a_group_touches_no_member),
	KUNIT_CASE(a_group_is_attached_among_buffers),
	KUNIT_CASE(a_group_is_placed_by_its_last_channel),
	KUNIT_CASE(a_member_that_dies_gets_links_of_its_own),
	KUNIT_CASE(a_member_without_memory_for_links_is_not_lost),
	KUNIT_CASE(a_member_may_die_in_direct_reclaim),
	KUNIT_CASE(a_member_of_an_idle_group_is_released_at_once),
	KUNIT_CASE(joining_a_busy_group_is_leaving_the_lru),
	KUNIT_CASE(a_member_with_links_of_its_own_joins_the_range_later),
	KUNIT_CASE(a_member_that_leaves_stays_busy),
	KUNIT_CASE(a_group_may_end_while_it_is_busy),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_group",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
