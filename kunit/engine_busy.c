// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Visiting the busy buffers, in the order in which they would become idle.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "mock.h"

/**
 * struct visitor - one call of a walk
 * @names: who was visited
 * @more: how many more are wanted
 * @visited: how many were
 * @locks: counts the holds, or NULL
 * @hold: the present one
 * @in_hold: visited in it
 * @max_in_hold: the most that were visited in one
 * @other: a task to wake up at the visit of @waker, or NULL
 * @waker: the name of a buffer
 */
struct visitor {
	char names[MOCK_MAX_NAMES];
	unsigned int more;
	unsigned int visited;
	struct mock_locks *locks;
	unsigned int hold;
	unsigned int in_hold;
	unsigned int max_in_hold;
	struct mock_thread *other;
	char waker;
};

static void count_hold(struct visitor *visitor)
{
	if (!visitor->locks)
		return;
	if (visitor->hold != visitor->locks->lru)
		visitor->in_hold = 0;
	visitor->hold = visitor->locks->lru;
	visitor->max_in_hold = max(visitor->max_in_hold, ++visitor->in_hold);
}

static bool note(struct ttm_fence_lru_bo *bo, void *data)
{
	char name = bo->is_group ? '*' : to_mock_bo(bo)->name;
	struct visitor *visitor = data;

	if (!visitor->more)
		return false;
	visitor->more--;
	visitor->visited++;
	count_hold(visitor);
	mock_append_name(visitor->names, name);
	if (visitor->other && name == visitor->waker)
		mock_thread_start(visitor->other);
	return true;
}

static struct visitor *visitor_create(struct kunit *test)
{
	struct visitor *visitor =
		kunit_kzalloc(test, sizeof(*visitor), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, visitor);
	visitor->more = UINT_MAX;
	return visitor;
}

/* The next @count of a walk. */
static void visit(struct mock_device *dev, struct ttm_fence_lru_cursor *cursor,
		  unsigned int count, const char *expected)
{
	struct visitor *visitor = visitor_create(dev->test);

	visitor->more = count;
	ttm_fence_lru_visit_busy(&dev->lru, HZ, cursor, note, visitor);
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

/* Somebody began to wait for the channel, so many jiffies ago. */
static void wait_since(struct mock_channel *channel, struct mock_fence *fence,
		       unsigned long jiffies_ago)
{
	channel->base.waiting_for = dma_fence_get(&fence->base);
	channel->base.waiting_since = jiffies - jiffies_ago;
}

static void a_late_channel_is_left_out(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *healthy = mock_channel_create(dev);
	struct mock_fence *stuck = mock_submit(hung, mock_bo_create(dev, 'A'));
	struct ttm_fence_lru_cursor cursor = {};

	mock_submit(hung, mock_bo_create(dev, 'B'));
	wait_since(hung, stuck, HZ);
	mock_submit(healthy, mock_bo_create(dev, 'C'));
	visit(dev, &cursor, UINT_MAX, "C");
	KUNIT_EXPECT_TRUE(test, cursor.late);

	/* It goes on. */
	mock_signal(stuck);
	ttm_fence_lru_retire(&dev->lru);
	cursor = (struct ttm_fence_lru_cursor){};
	visit(dev, &cursor, UINT_MAX, "BC");
	KUNIT_EXPECT_FALSE(test, cursor.late);

	/* Not for so long that it is late. */
	wait_since(hung, mock_first(hung), HZ / 2);
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

/* What stands behind them is left out, and the caller is told; it is next if that begins anew. */
static void no_more_than_256_of_a_node_are_visited(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_channel *other = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct ttm_fence_lru_cursor cursor = {};
	char expected[302] = {}, rest[302], again[302];
	int i;

	for (i = 0; i < 300; i++) {
		expected[i] = 'A' + i % 58;
		mock_bo_use(mock_bo_create(dev, expected[i]), fence);
		if (i == 255) {
			visit(dev, &cursor, UINT_MAX, expected);
			KUNIT_EXPECT_FALSE(test, cursor.left_out);
		}
	}
	mock_submit(other, mock_bo_create(dev, '!'));
	visit(dev, &cursor, UINT_MAX, "!");
	KUNIT_EXPECT_TRUE(test, cursor.left_out);
	KUNIT_EXPECT_EQ(test, cursor.rounds, 1);

	snprintf(rest, sizeof(rest), "%s%.212s!", expected + 256, expected);
	snprintf(again, sizeof(again), "%.44s%.212s!", expected + 212, rest);
	expect_busy(dev, rest);
	expect_busy(dev, again);
}

/* The channel that it had come to is gone, and a new one has come. */
static void channels_may_come_and_go_between_two_calls(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct ttm_fence_lru_cursor cursor = {};
	int i;

	for (i = 0; i < 6; i++)
		mock_submit(i & 1 ? second : first,
			    mock_bo_create(dev, 'A' + i));
	visit(dev, &cursor, 3, "ABC");
	mock_channel_destroy(second);
	mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'G'));
	visit(dev, &cursor, UINT_MAX, "EG");
	EXPECT_STATE(dev, "BDF", "");
}

#define MANY 10000

static unsigned int visit_many(struct mock_device *dev,
			       struct ttm_fence_lru_cursor *cursor)
{
	struct visitor *visitor = visitor_create(dev->test);

	ttm_fence_lru_visit_busy(&dev->lru, HZ, cursor, note, visitor);
	return visitor->visited;
}

/* Each with its node; and with a cursor that is at the end nothing more is visited. */
static void one_call_visits_all_that_there_are(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct ttm_fence_lru_cursor cursor = {};
	u64 steps;
	int i;

	for (i = 0; i < MANY; i++)
		mock_submit(channel, mock_bo_create(dev, 'A'));
	steps = dev->lru.stats.steps;
	KUNIT_EXPECT_EQ(test, MANY, visit_many(dev, &cursor));
	KUNIT_EXPECT_FALSE(test, cursor.left_out);
	/* Those before the cursor are passed again when others have had the mutex. */
	KUNIT_EXPECT_LE(test, dev->lru.stats.steps - steps, 4 * MANY);
	KUNIT_EXPECT_EQ(test, 0, visit_many(dev, &cursor));
}

/*
 * One at a time, each call finds at once where the last one stopped; one of another task from
 * the beginning in between has to pass those before once more.
 */
static void what_was_passed_is_not_passed_again(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[2];
	struct ttm_fence_lru_cursor cursor = {}, other = {};
	u64 steps;
	int i;

	for (i = 0; i < 2; i++)
		channels[i] = mock_channel_create(dev);
	for (i = 0; i < 1000; i++)
		mock_submit(channels[i & 1], mock_bo_create(dev, 'A'));
	for (i = 0; i < 1000; i++) {
		if (i == 600)
			visit(dev, &other, 1, "A");
		steps = dev->lru.stats.steps;
		visit(dev, &cursor, 1, "A");
		steps = dev->lru.stats.steps - steps;
		if (i == 600)
			KUNIT_EXPECT_LE(test, steps, 1000);
		else
			KUNIT_EXPECT_LE(test, steps, 10);
	}
}

/* A walk may begin behind the first node, and end before the last one. */
static void a_walk_keeps_to_its_range(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct ttm_fence_lru_cursor all = {};
	struct ttm_fence_lru_cursor later = { .seq = 3 };
	struct ttm_fence_lru_cursor earlier = { .end = 3 };
	struct ttm_fence_lru_cursor none = { .end = 1 };
	struct mock_channel *channels[2];
	int i;

	for (i = 0; i < 2; i++)
		channels[i] = mock_channel_create(dev);
	for (i = 0; i < 6; i++)
		mock_submit(channels[i & 1], mock_bo_create(dev, 'A' + i));
	visit(dev, &later, UINT_MAX, "CDEF");
	visit(dev, &earlier, 1, "A");
	visit(dev, &earlier, UINT_MAX, "B");
	visit(dev, &none, UINT_MAX, "");
	visit(dev, &all, UINT_MAX, "ABCDEF");
	/* What comes later is not passed over, though all was passed before. */
	mock_submit(channels[0], mock_bo_create(dev, 'G'));
	mock_submit(channels[1], mock_bo_create(dev, 'H'));
	visit(dev, &later, UINT_MAX, "GH");
	visit(dev, &earlier, UINT_MAX, "");
}

/* They are passed, but not visited, as they are used again on another channel. */
static void a_walk_comes_to_what_stands_behind_thousands(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_channel *other = mock_channel_create(dev);
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_fence *fence;
	struct mock_bo **bos;
	int i;

	bos = kunit_kcalloc(test, MANY, sizeof(*bos), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bos);
	for (i = 0; i < MANY; i++) {
		bos[i] = mock_bo_create(dev, 'A');
		mock_submit(channel, bos[i]);
	}
	fence = mock_emit(other);
	for (i = 0; i < MANY; i++)
		mock_bo_use(bos[i], fence);
	KUNIT_EXPECT_EQ(test, 256, visit_many(dev, &cursor));
	KUNIT_EXPECT_EQ(test, cursor.seq, MANY + 1);
}

/* Nodes with many links, and with one each. */
static void no_spinlock_is_held_for_many_of_them(struct kunit *test)
{
	struct visitor *visitor = visitor_create(test);
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	struct mock_locks locks;
	int i;

	for (i = 0; i < 4000; i++) {
		if (i < 1000 || !(i % 300))
			fence = mock_emit(channel);
		mock_bo_use(mock_bo_create(dev, 'A'), fence);
	}
	mock_locks_start(&locks, dev);
	visitor->locks = &locks;
	ttm_fence_lru_visit_busy(&dev->lru, HZ, &cursor, note, visitor);
	mock_locks_stop(&locks);
	KUNIT_EXPECT_GE(test, visitor->visited, 3000);
	KUNIT_EXPECT_LE(test, visitor->max_in_hold, 257);
	KUNIT_EXPECT_GE(test, locks.lru, visitor->visited / 257);
}

/* Buffers that are used again while a walk pauses: its next node goes. */
static struct mock_bo *used[300];

static void use_again(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel =
		list_first_entry(&dev->channels, struct mock_channel, entry);
	struct mock_fence *fence = mock_emit(channel);
	int i;

	/* A hold passes 128 nodes with a link each. */
	for (i = 128; i < 200; i++)
		mock_bo_use(used[i], fence);
}

static void a_walk_goes_on_though_its_next_node_has_gone(struct kunit *test)
{
	struct visitor *visitor = visitor_create(test);
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_thread other;
	char expected[301] = {};
	int i;

	if (num_online_cpus() > 1)
		kunit_skip(test, "the other task is to run in the pause only");

	for (i = 0; i < 300; i++) {
		used[i] = mock_bo_create(dev, i < 128 ? 'A' :
					      i < 200 ? 'B' :
							'C');
		mock_submit(channel, used[i]);
	}
	used[100]->name = 'w';
	memset(expected, 'A', 128);
	expected[100] = 'w';
	memset(expected + 128, 'C', 100);

	mock_thread_create(&other, test, use_again);
	/* It runs as soon as the walk pauses. */
	sched_set_fifo(other.task);
	visitor->other = &other;
	visitor->waker = 'w';
	ttm_fence_lru_visit_busy(&dev->lru, HZ, &cursor, note, visitor);
	mock_thread_join(&other);
	KUNIT_EXPECT_STREQ(test, visitor->names, expected);

	/* What was used again meanwhile is for the next one. */
	memset(expected, 'B', 72);
	expected[72] = '\0';
	visit(dev, &cursor, UINT_MAX, expected);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_order_is_that_of_emission),
	KUNIT_CASE(the_last_use_counts),
	KUNIT_CASE(zombies_are_not_visited),
	KUNIT_CASE(a_group_is_visited_as_one),
	KUNIT_CASE(a_late_channel_is_left_out),
	KUNIT_CASE(a_walk_goes_on_where_it_stopped),
	KUNIT_CASE(no_more_than_256_of_a_node_are_visited),
	KUNIT_CASE(channels_may_come_and_go_between_two_calls),
	KUNIT_CASE(one_call_visits_all_that_there_are),
	KUNIT_CASE(what_was_passed_is_not_passed_again),
	KUNIT_CASE(a_walk_keeps_to_its_range),
	KUNIT_CASE(a_walk_comes_to_what_stands_behind_thousands),
	KUNIT_CASE(no_spinlock_is_held_for_many_of_them),
	KUNIT_CASE(a_walk_goes_on_though_its_next_node_has_gone),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_busy",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
