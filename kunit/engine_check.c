// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The check function finds what is not as it must be, and says what.
 */
#include <linux/sprintf.h>
#include <linux/string.h>

#include <drm/drm_print.h>

#include "mock.h"

#define MAX_TEXT 1024

/* What the check says, all lines one after another. */
static void append_text(struct drm_printer *p, struct va_format *vaf)
{
	char *text = p->arg;
	size_t length = strlen(text);

	scnprintf(text + length, MAX_TEXT - length, "%pV", vaf);
}

static void expect_found(struct mock_device *dev, const char *what)
{
	char *text = kunit_kzalloc(dev->test, MAX_TEXT, GFP_KERNEL);
	struct drm_printer p = { .printfn = append_text, .arg = text };

	KUNIT_ASSERT_NOT_NULL(dev->test, text);
	KUNIT_EXPECT_FALSE(dev->test, ttm_fence_lru_check(&dev->lru, NULL));
	KUNIT_EXPECT_FALSE(dev->test, ttm_fence_lru_check(&dev->lru, &p));
	KUNIT_EXPECT_NOT_NULL_MSG(dev->test, strstr(text, what),
				  "wanted: %s\nfound: %s", what, text);
}

/* Put a wrong value somewhere, expect it to be found, and put it right again. */
#define EXPECT_FOUND(_dev, _where, _wrong, _what)    \
	do {                                         \
		struct mock_device *__dev = (_dev);  \
		typeof(_where) *__where = &(_where); \
		typeof(_where) __right = *__where;   \
		*__where = (_wrong);                 \
		expect_found(__dev, _what);          \
		*__where = __right;                  \
		mock_check(__dev);                   \
	} while (0)

/*
 *   node 1: alive A, zombies x   node 2: alive B     and another channel, empty
 */
struct check_fixture {
	struct mock_device *dev;
	struct mock_channel *channel;
	struct mock_channel *other;
	struct mock_bo *a;
	struct mock_bo *x;
	struct ttm_fence_lru_node *first;
	struct ttm_fence_lru_node *second;
};

static struct check_fixture make_fixture(struct kunit *test)
{
	struct check_fixture f = { .dev = test->priv };
	struct mock_fence *fence;

	f.channel = mock_channel_create(f.dev);
	f.other = mock_channel_create(f.dev);
	f.a = mock_bo_create(f.dev, 'A');
	f.x = mock_bo_create(f.dev, 'x');
	fence = mock_submit(f.channel, f.a);
	mock_bo_use(f.x, fence);
	mock_bo_put(f.x);
	mock_submit(f.channel, mock_bo_create(f.dev, 'B'));
	EXPECT_NODES(f.channel, "A/x B");

	f.first = list_first_entry(&f.channel->base.nodes,
				   struct ttm_fence_lru_node, entry);
	f.second = list_last_entry(&f.channel->base.nodes,
				   struct ttm_fence_lru_node, entry);
	mock_check(f.dev);
	return f;
}

static void a_link_that_is_not_where_it_says_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);

	EXPECT_FOUND(f.dev, f.a->base.link.node, f.second,
		     "check: seq 1: a link names another node\n");
	EXPECT_FOUND(f.dev, f.x->base.link.node, f.second,
		     "check: seq 1: a link names another node\n");
	EXPECT_FOUND(f.dev, f.a->base.link.channel, &f.other->base,
		     "check: seq 1: a link names another channel\n");
}

static void a_dead_buffer_among_the_alive_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);

	EXPECT_FOUND(f.dev, f.a->base.dead, true,
		     "check: seq 1: a dead buffer among the alive\n");
	EXPECT_FOUND(f.dev, f.x->base.dead, false,
		     "check: seq 1: a live buffer among the zombies\n");
}

static void a_buffer_that_miscounts_its_links_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	char text[64];

	snprintf(text, sizeof(text),
		 "check: context %llu: 7 links, counted 1\n",
		 f.channel->base.context);
	EXPECT_FOUND(f.dev, f.a->base.nr_links, 7, text);
}

static void two_links_on_one_channel_are_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru_link *link;
	char text[64];

	KUNIT_ASSERT_EQ(test, 0, ttm_fence_lru_reserve(&f.a->base, 1));
	link = f.a->base.link.next;
	KUNIT_ASSERT_NOT_NULL(test, link);
	snprintf(text, sizeof(text),
		 "check: context %llu: 2 links of one buffer\n",
		 f.channel->base.context);
	link->channel = &f.channel->base;
	EXPECT_FOUND(f.dev, link->node, f.second, text);

	/* On another channel it is one link more, and that is miscounted. */
	snprintf(text, sizeof(text),
		 "check: context %llu: 1 links, counted 2\n",
		 f.channel->base.context);
	link->channel = &f.other->base;
	EXPECT_FOUND(f.dev, link->node, f.second, text);
}

static void an_empty_node_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru_node *node;

	KUNIT_ASSERT_EQ(test, 0,
			ttm_fence_lru_channel_reserve(&f.channel->base));
	node = list_first_entry(&f.channel->base.spare,
				struct ttm_fence_lru_node, entry);
	INIT_LIST_HEAD(&node->alive);
	INIT_LIST_HEAD(&node->zombies);
	node->fence = f.second->fence;
	node->seq = 100;
	list_move_tail(&node->entry, &f.channel->base.nodes);
	expect_found(f.dev, "check: seq 100: empty node\n");
	list_move(&node->entry, &f.channel->base.spare);
	mock_check(f.dev);
}

static void a_fence_of_another_channel_is_found(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	u64 context = channel->base.context;
	struct mock_fence *fence;
	char text[64];

	fence = mock_submit(channel, mock_bo_create(dev, 'A'));
	snprintf(text, sizeof(text),
		 "check: seq 1: fence of context %llu on channel %llu\n",
		 context + 1, context);
	EXPECT_FOUND(dev, fence->base.context, context + 1, text);

	/* Nor does the check compare it with its neighbours, which would warn. */
	mock_submit(channel, mock_bo_create(dev, 'B'));
	EXPECT_FOUND(dev, fence->base.context, context + 1, text);
}

static void nodes_out_of_order_are_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);

	EXPECT_FOUND(f.dev, f.first->seq, 3, "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, f.first->seq, 2, "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, f.first->fence->seqno, 3,
		     "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, f.first->fence->seqno, 2,
		     "check: seq 2: out of order\n");
}

static void a_channel_that_miscounts_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	u64 context = f.channel->base.context;
	char text[80];

	snprintf(text, sizeof(text),
		 "check: context %llu: nr_links 4, counted 3\n", context);
	EXPECT_FOUND(f.dev, f.channel->base.nr_links, 4, text);
	snprintf(text, sizeof(text),
		 "check: context %llu, type 1: nr_zombies 2, counted 1\n",
		 context);
	EXPECT_FOUND(f.dev, f.channel->base.nr_zombies[1], 2, text);
	snprintf(text, sizeof(text),
		 "check: context %llu, type 15: nr_zombies 1, counted 0\n",
		 context);
	EXPECT_FOUND(f.dev, f.channel->base.nr_zombies[15], 1, text);
	snprintf(text, sizeof(text),
		 "check: context %llu, type 1: zombie_bytes 1, counted 4096\n",
		 context);
	EXPECT_FOUND(f.dev, f.channel->base.zombie_bytes[1], 1, text);
}

static void a_zombie_that_is_miscounted_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru_stats *stats = &f.dev->lru.stats;
	char text[80];

	snprintf(text, sizeof(text),
		 "check: context %llu: 1 links seen signaled, counted 0\n",
		 f.channel->base.context);
	EXPECT_FOUND(f.dev, f.x->base.nr_seen, 1, text);

	mock_signal(mock_first(f.channel));
	ttm_fence_lru_look(&f.dev->lru);
	mock_check(f.dev);
	EXPECT_FOUND(f.dev, stats->zombies, 2, "check: zombies 2, counted 1\n");
	EXPECT_FOUND(f.dev, stats->signaled, 0,
		     "check: signaled 0, counted 1\n");
	EXPECT_FOUND(f.dev, stats->zombie_bytes[1], 1,
		     "check: type 1: zombie_bytes 1, counted 4096\n");
	EXPECT_FOUND(f.dev, stats->all_zombie_bytes, 1,
		     "check: all_zombie_bytes 1, counted 4096\n");
	EXPECT_FOUND(f.dev, stats->signaled_bytes[1], 1,
		     "check: type 1: signaled_bytes 1, counted 4096\n");
	EXPECT_FOUND(f.dev, stats->signaled_bytes[15], 1,
		     "check: type 15: signaled_bytes 1, counted 0\n");
}

static void a_zombie_with_two_links_counts_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(first, x)->done = true;
	mock_submit(second, x);
	mock_submit(first, x);
	mock_bo_put(x);
	mock_check(dev);

	/* Its first link is free, and the second counts. */
	mock_signal(mock_first(first));
	mock_reclaim(dev);
	EXPECT_NODES(second, "/x");
	mock_check(dev);
}

static void a_device_that_miscounts_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru *lru = &f.dev->lru;

	EXPECT_FOUND(f.dev, lru->nr_channels, 3,
		     "check: 3 channels, counted 2, room for 16\n");
	EXPECT_FOUND(f.dev, lru->heap_size, 1,
		     "check: 2 channels, counted 2, room for 1\n");
	EXPECT_FOUND(f.dev, lru->stats.busy, 4, "check: busy 4, counted 3\n");
	EXPECT_FOUND(f.dev, lru->stats.leftover, 1,
		     "check: leftover 1, counted 0\n");
}

static void a_leftover_that_is_none_is_found(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct ttm_fence_lru_node node;

	x->locked = true;
	mock_bo_put(x);
	mock_check(dev);
	EXPECT_FOUND(dev, x->base.dead, false,
		     "check: leftover: an alive buffer\n");
	EXPECT_FOUND(dev, x->base.nr_links, 1,
		     "check: leftover: a busy buffer\n");
	EXPECT_FOUND(dev, x->base.link.node, &node,
		     "check: leftover: a busy buffer\n");
	EXPECT_FOUND(dev, dev->lru.stats.busy, 1, "check: busy 1, counted 0\n");

	x->locked = false;
	ttm_fence_lru_drain(&dev->lru);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_link_that_is_not_where_it_says_is_found),
	KUNIT_CASE(a_dead_buffer_among_the_alive_is_found),
	KUNIT_CASE(a_buffer_that_miscounts_its_links_is_found),
	KUNIT_CASE(two_links_on_one_channel_are_found),
	KUNIT_CASE(an_empty_node_is_found),
	KUNIT_CASE(a_fence_of_another_channel_is_found),
	KUNIT_CASE(nodes_out_of_order_are_found),
	KUNIT_CASE(a_channel_that_miscounts_is_found),
	KUNIT_CASE(a_zombie_that_is_miscounted_is_found),
	KUNIT_CASE(a_zombie_with_two_links_counts_once),
	KUNIT_CASE(a_device_that_miscounts_is_found),
	KUNIT_CASE(a_leftover_that_is_none_is_found),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_check",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
