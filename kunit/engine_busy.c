// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Visiting the busy buffers, in the order in which they would become idle.
 */
#include "mock.h"

/* Names of those who were visited, and how many more are wanted. */
struct visitor {
	char names[MOCK_MAX_NAMES];
	unsigned int more;
};

static bool note(struct ttm_fence_lru_bo *bo, void *data)
{
	bool group = bo->type == TTM_FENCE_LRU_GROUP_TYPE;
	struct visitor *visitor = data;

	if (!visitor->more)
		return false;
	visitor->more--;
	mock_append_name(visitor->names, group ? '*' : to_mock_bo(bo)->name);
	return true;
}

/* The next @count of a walk. */
static void visit(struct mock_device *dev, struct ttm_fence_lru_cursor *cursor,
		  unsigned int count, const char *expected)
{
	struct visitor *visitor =
		kunit_kzalloc(dev->test, sizeof(*visitor), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, visitor);
	visitor->more = count;
	ttm_fence_lru_visit_busy(&dev->lru, cursor, note, visitor);
	KUNIT_EXPECT_STREQ(dev->test, visitor->names, expected);
	mock_check(dev);
}

static void expect_busy(struct mock_device *dev, const char *expected)
{
	struct ttm_fence_lru_cursor cursor = {};

	visit(dev, &cursor, UINT_MAX, expected);
	/* It has come to the end. */
	visit(dev, &cursor, UINT_MAX, "");
}

/*
 *   channel 0:  A(1)      B(4)      G(7)
 *   channel 1:       C(2)      D(5)
 *   channel 2:            E(3)      F(6)
 */
static void the_order_is_that_of_emission(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[3];
	int i;

	expect_busy(dev, "");
	for (i = 0; i < 3; i++)
		channels[i] = mock_channel_create(dev);
	expect_busy(dev, "");
	for (i = 0; i < 7; i++)
		mock_submit(channels[i % 3], mock_bo_create(dev, "ACEBDFG"[i]));
	expect_busy(dev, "ACEBDFG");
	EXPECT_STATE(dev, "", "");
}

static void the_last_use_counts(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_submit(first, a);
	mock_submit(first, mock_bo_create(dev, 'B'));
	mock_submit(second, a);
	mock_submit(first, mock_bo_create(dev, 'C'));
	expect_busy(dev, "BAC");
}

static void zombies_are_not_visited(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_bo_use(x, fence);
	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_bo_put(x);
	expect_busy(dev, "A");
}

static void a_group_is_visited_as_one(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_group *group = mock_group_create(dev);
	int i;

	for (i = 0; i < 3; i++)
		mock_group_join(group, mock_bo_create(dev, 'A' + i));
	mock_submit(channel, mock_bo_create(dev, 'D'));
	mock_group_use(group, mock_emit(channel));
	mock_submit(channel, mock_bo_create(dev, 'E'));
	expect_busy(dev, "D*E");
}

static void a_stalled_channel_is_left_out(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *healthy = mock_channel_create(dev);
	struct mock_fence *stuck = mock_submit(hung, mock_bo_create(dev, 'A'));

	mock_submit(hung, mock_bo_create(dev, 'B'));
	ttm_fence_lru_stall(&dev->lru, U64_MAX);
	mock_submit(healthy, mock_bo_create(dev, 'C'));
	expect_busy(dev, "C");

	/* It goes on. */
	mock_signal(stuck);
	mock_reclaim(dev);
	expect_busy(dev, "BC");
}

static void a_walk_goes_on_where_it_stopped(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_fence *fence;
	int i;

	mock_submit(second, mock_bo_create(dev, 'A'));
	fence = mock_emit(first);
	for (i = 0; i < 3; i++)
		mock_bo_use(mock_bo_create(dev, 'B' + i), fence);
	mock_submit(second, mock_bo_create(dev, 'E'));

	visit(dev, &cursor, 1, "A");
	visit(dev, &cursor, 2, "BC");
	visit(dev, &cursor, 1, "D");
	visit(dev, &cursor, 1, "E");
	visit(dev, &cursor, 1, "");
}

/* More than are passed in one go with the locks held. */
static void a_node_may_have_any_number_of_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_channel *other = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	char expected[302] = {};
	int i;

	for (i = 0; i < 300; i++) {
		expected[i] = 'A' + i % 58;
		mock_bo_use(mock_bo_create(dev, expected[i]), fence);
	}
	mock_submit(other, mock_bo_create(dev, '!'));
	expected[300] = '!';
	expect_busy(dev, expected);
}

/* What is left of a pass is not lost, nor is a channel that went meanwhile met again. */
static void a_pass_may_go_on_after_a_walk(struct kunit *test)
{
	struct ttm_fence_lru_pass pass = { .budget = 1 };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bos[3];
	int i;

	for (i = 0; i < 3; i++) {
		bos[i] = mock_bo_create(dev, 'x' + i);
		mock_bo_use(bos[i], fence);
		mock_bo_put(bos[i]);
	}
	mock_signal(fence);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	expect_busy(dev, "");
	while (!ttm_fence_lru_reclaim(&dev->lru, &pass))
		;
	EXPECT_STATE(dev, "", "xyz");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_order_is_that_of_emission),
	KUNIT_CASE(the_last_use_counts),
	KUNIT_CASE(zombies_are_not_visited),
	KUNIT_CASE(a_group_is_visited_as_one),
	KUNIT_CASE(a_stalled_channel_is_left_out),
	KUNIT_CASE(a_walk_goes_on_where_it_stopped),
	KUNIT_CASE(a_node_may_have_any_number_of_buffers),
	KUNIT_CASE(a_pass_may_go_on_after_a_walk),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_busy",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
