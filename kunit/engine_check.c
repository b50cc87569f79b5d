// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The check function finds what is not as it must be, and says what.
 */
#include <linux/sprintf.h>
#include <linux/string.h>

#include <drm/drm_print.h>

#include "../ttm_fence_lru/internal.h"
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

static void a_buffer_among_those_of_another_state_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);

	EXPECT_FOUND(f.dev, f.a->base.state, TTM_FENCE_LRU_BURIED,
		     "check: seq 1: state 2 among those of state 0\n");
	EXPECT_FOUND(f.dev, f.a->base.state, TTM_FENCE_LRU_DYING,
		     "check: seq 1: state 1 among those of state 0\n");
	EXPECT_FOUND(f.dev, f.x->base.state, TTM_FENCE_LRU_ALIVE,
		     "check: seq 1: state 0 among those of state 2\n");
	EXPECT_FOUND(f.dev, f.x->base.state, TTM_FENCE_LRU_RIPE,
		     "check: seq 1: state 3 among those of state 2\n");
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
	RCU_INIT_POINTER(node->fence, NULL);
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
	struct dma_fence *fence = &mock_first(f.channel)->base;

	EXPECT_FOUND(f.dev, f.first->seq, 3, "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, f.first->seq, 2, "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, fence->seqno, 3, "check: seq 2: out of order\n");
	EXPECT_FOUND(f.dev, fence->seqno, 2, "check: seq 2: out of order\n");
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
}

/* Nobody would find what it holds. */
static void a_channel_that_is_not_looked_at_is_found(struct kunit *test)
{
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru_channel *channel = &f.channel->base;
	struct ttm_fence_lru_node elsewhere;
	char text[64];

	snprintf(text, sizeof(text),
		 "check: context %llu: no retire would look at it\n",
		 channel->context);
	EXPECT_FOUND(f.dev, channel->listed, false, text);
	snprintf(text, sizeof(text),
		 "check: context %llu: a sweep begins nowhere\n",
		 channel->context);
	EXPECT_FOUND(f.dev, channel->unswept, &elsewhere, text);
}

static void a_zombie_that_is_miscounted_is_found(struct kunit *test)
{
	static const char *const names[] = { "alive", "dying",	  "buried",
					     "ripe",  "leftover", "taken",
					     "empty" };
	struct check_fixture f = make_fixture(test);
	struct ttm_fence_lru_stats *stats = &f.dev->lru.stats;
	unsigned int state;
	char text[64];

	EXPECT_FOUND(f.dev, stats->zombies.count, 2,
		     "check: of all 0: 2 zombies, counted 1\n");
	EXPECT_FOUND(f.dev, stats->zombies.bytes, 1,
		     "check: of all 0: 1 bytes, counted 4096\n");
	EXPECT_FOUND(f.dev, stats->dead[TTM_FENCE_LRU_BURIED][1].count, 0,
		     "check: buried 1: 0 zombies, counted 1\n");
	EXPECT_FOUND(f.dev, stats->dead[TTM_FENCE_LRU_BURIED][1].bytes, 1,
		     "check: buried 1: 1 bytes, counted 4096\n");

	static_assert(ARRAY_SIZE(names) == TTM_FENCE_LRU_NUM_STATES);
	for (state = 0; state < TTM_FENCE_LRU_NUM_STATES; state++) {
		snprintf(text, sizeof(text),
			 "check: %s 15: 1 zombies, counted 0\n", names[state]);
		EXPECT_FOUND(f.dev, stats->dead[state][15].count, 1, text);
		snprintf(text, sizeof(text),
			 "check: %s 0: 1 bytes, counted 0\n", names[state]);
		EXPECT_FOUND(f.dev, stats->dead[state][0].bytes, 1, text);
	}
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
}

/*
 *   ripe: x     locked: y     blocked: z, by a fence of no channel
 */
struct dead_fixture {
	struct mock_device *dev;
	struct ttm_fence_lru_dead *dead;
	struct ttm_fence_lru_bo *ripe;
	struct ttm_fence_lru_bo *locked;
	struct ttm_fence_lru_bo *blocked;
};

static struct dead_fixture make_dead(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bos[3];
	struct dead_fixture f = { .dev = dev, .dead = &dev->lru.dead[1] };
	int i;

	for (i = 0; i < 3; i++)
		bos[i] = mock_bo_create(dev, 'x' + i);
	f.ripe = &bos[0]->base;
	f.locked = &bos[1]->base;
	f.blocked = &bos[2]->base;

	bos[1]->locked = true;
	mock_bo_use(bos[2],
		    mock_fence_create(dev, dma_fence_context_alloc(1), 1));
	mock_bo_put(bos[1]);
	mock_bo_put(bos[2]);
	mock_reclaim(dev);
	bos[1]->locked = false;

	mock_submit(channel, bos[0]);
	mock_bo_put(bos[0]);
	mock_signal(mock_first(channel));
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_ASSERT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_RIPE));
	KUNIT_ASSERT_EQ(test, 1, f.dead->nr_locked);
	KUNIT_ASSERT_EQ(test, 1, f.dead->nr_blocked);
	mock_check(dev);
	return f;
}

static void a_zombie_on_a_list_of_others_is_found(struct kunit *test)
{
	struct dead_fixture f = make_dead(test);

	EXPECT_FOUND(f.dev, f.ripe->state, TTM_FENCE_LRU_LEFTOVER,
		     "state 4 of type 1 among those of state 3\n");
	EXPECT_FOUND(f.dev, f.ripe->type, 2,
		     "state 3 of type 2 among those of state 3\n");
	EXPECT_FOUND(f.dev, f.locked->state, TTM_FENCE_LRU_ALIVE,
		     "state 0 of type 1 among those of state 4\n");
	EXPECT_FOUND(f.dev, f.locked->type, 2,
		     "state 4 of type 2 among those of state 4\n");
	EXPECT_FOUND(f.dev, f.blocked->state, TTM_FENCE_LRU_RIPE,
		     "state 3 of type 1 among those of state 4\n");
	EXPECT_FOUND(f.dev, f.blocked->type, 2,
		     "state 4 of type 2 among those of state 4\n");
}

static void a_busy_zombie_off_the_channels_is_found(struct kunit *test)
{
	static const char text[] =
		"check: type 1: a busy buffer off the channels\n";
	struct dead_fixture f = make_dead(test);
	struct ttm_fence_lru_node node;

	EXPECT_FOUND(f.dev, f.ripe->nr_links, 1, text);
	EXPECT_FOUND(f.dev, f.ripe->link.node, &node, text);
	EXPECT_FOUND(f.dev, f.locked->nr_links, 1, text);
	EXPECT_FOUND(f.dev, f.locked->link.node, &node, text);
	EXPECT_FOUND(f.dev, f.blocked->nr_links, 1, text);
	EXPECT_FOUND(f.dev, f.blocked->link.node, &node, text);
	EXPECT_FOUND(f.dev, f.dev->lru.stats.busy, 1,
		     "check: busy 1, counted 0\n");
}

static void
a_leftover_that_waits_for_something_else_is_found(struct kunit *test)
{
	static const char text[] =
		"check: type 1: a leftover names another blocker\n";
	struct dead_fixture f = make_dead(test);
	struct ttm_fence_lru_blocker *blocker = f.blocked->link.blocker;

	EXPECT_FOUND(f.dev, f.locked->link.blocker, blocker, text);
	EXPECT_FOUND(f.dev, f.blocked->link.blocker, NULL, text);
	EXPECT_FOUND(f.dev, blocker->type, 2,
		     "check: type 1: a blocker of type 2\n");
}

/* Take one off its list, expect that to be found, and put it back. */
static void expect_missed(struct dead_fixture *f, struct ttm_fence_lru_bo *bo,
			  struct list_head *list, const char *what)
{
	list_del_init(&bo->link.entry);
	expect_found(f->dev, what);
	list_add(&bo->link.entry, list);
	mock_check(f->dev);
}

static void a_zombie_that_is_lost_is_found(struct kunit *test)
{
	struct dead_fixture f = make_dead(test);
	struct list_head *blocked = &f.blocked->link.blocker->bos;

	expect_missed(&f, f.ripe, &f.dead->ripe,
		      "check: ripe 1: 1 zombies, counted 0\n");
	expect_missed(&f, f.locked, &f.dead->locked,
		      "check: leftover 1: 2 zombies, counted 1\n");
	expect_missed(&f, f.locked, &f.dead->locked,
		      "check: type 1: nr_locked 1, counted 0\n");
	expect_missed(&f, f.blocked, blocked,
		      "check: leftover 1: 2 zombies, counted 1\n");
	expect_missed(&f, f.blocked, blocked,
		      "check: type 1: a blocker of nobody\n");
	EXPECT_FOUND(f.dev, f.dead->nr_locked, 0,
		     "check: type 1: nr_locked 0, counted 1\n");
	EXPECT_FOUND(f.dev, f.dead->nr_blocked, 2,
		     "check: type 1: nr_blocked 2, counted 1\n");
	EXPECT_FOUND(f.dev, f.dead[1].nr_blocked, 1,
		     "check: type 2: nr_blocked 1, counted 0\n");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_link_that_is_not_where_it_says_is_found),
	KUNIT_CASE(a_buffer_among_those_of_another_state_is_found),
	KUNIT_CASE(a_buffer_that_miscounts_its_links_is_found),
	KUNIT_CASE(two_links_on_one_channel_are_found),
	KUNIT_CASE(an_empty_node_is_found),
	KUNIT_CASE(a_fence_of_another_channel_is_found),
	KUNIT_CASE(nodes_out_of_order_are_found),
	KUNIT_CASE(a_channel_that_miscounts_is_found),
	KUNIT_CASE(a_channel_that_is_not_looked_at_is_found),
	KUNIT_CASE(a_zombie_that_is_miscounted_is_found),
	KUNIT_CASE(a_zombie_with_two_links_counts_once),
	KUNIT_CASE(a_device_that_miscounts_is_found),
	KUNIT_CASE(a_zombie_on_a_list_of_others_is_found),
	KUNIT_CASE(a_busy_zombie_off_the_channels_is_found),
	KUNIT_CASE(a_leftover_that_waits_for_something_else_is_found),
	KUNIT_CASE(a_zombie_that_is_lost_is_found),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_check",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
