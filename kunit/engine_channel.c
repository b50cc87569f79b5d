// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One channel: fences, nodes, and how a channel ends.
 */
#include "mock.h"

static void busy_buffers_are_not_on_the_lru(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_bo_create(dev, 'B');
	EXPECT_STATE(dev, "AB", "");

	mock_submit(channel, a);
	EXPECT_STATE(dev, "B", "");
	EXPECT_NODES(channel, "A");
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_bo_is_busy(&a->base));
}

static void reclaim_stops_at_the_frontier(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *first =
		mock_submit(channel, mock_bo_create(dev, 'A'));
	struct mock_fence *second =
		mock_submit(channel, mock_bo_create(dev, 'B'));

	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "A B");

	mock_signal(first);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "B");

	mock_signal(second);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "AB", "");
	EXPECT_NODES(channel, "");
}

static void nothing_enables_signaling(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence = mock_submit(channel, a);

	mock_bo_put(a);
	mock_reclaim(dev);
	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "A");
	KUNIT_EXPECT_EQ(test, 0, fence->armed);
}

/*
 *   node 1: A B   node 2: C      A is used again under fence 2
 *   node 1: B     node 2: C A
 */
static void fencing_again_moves_to_the_newer_node(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct mock_fence *first = mock_submit(channel, a);
	struct mock_fence *second;

	mock_bo_use(b, first);
	second = mock_submit(channel, mock_bo_create(dev, 'C'));
	EXPECT_NODES(channel, "AB C");

	mock_bo_use(a, second);
	EXPECT_NODES(channel, "B CA");

	/* The first node goes with its last buffer. */
	mock_bo_use(b, second);
	EXPECT_NODES(channel, "CAB");
	KUNIT_EXPECT_EQ(test, 3, channel->base.nr_links);
	KUNIT_EXPECT_EQ(test, 3, dev->lru.stats.busy);
}

static void the_same_fence_again_moves_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence = mock_submit(channel, a);

	mock_bo_use(mock_bo_create(dev, 'B'), fence);
	mock_bo_use(a, fence);
	EXPECT_NODES(channel, "AB");
	mock_check(dev);
}

/*
 *   node 1: alive A, zombies x   node 2: B      A is used again under fence 2
 *   node 1: zombies x            node 2: B A
 */
static void a_node_stays_for_its_zombies(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *first = mock_submit(channel, a);
	struct mock_fence *second;

	mock_bo_use(x, first);
	mock_bo_put(x);
	second = mock_submit(channel, mock_bo_create(dev, 'B'));
	EXPECT_NODES(channel, "A/x B");

	mock_bo_use(a, second);
	EXPECT_NODES(channel, "/x BA");

	mock_signal(first);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "BA");
}

static void an_older_fence_moves_nothing_back(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *first =
		mock_submit(channel, mock_bo_create(dev, 'B'));

	mock_submit(channel, a);
	mock_bo_use(a, first);
	EXPECT_NODES(channel, "B A");
}

/* Its node went with its last buffer. On a later one C would be busy for as long as that. */
static void a_fence_without_node_makes_no_link(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *first = mock_submit(channel, a);

	mock_submit(channel, a);
	mock_submit(channel, mock_bo_create(dev, 'B'));
	EXPECT_NODES(channel, "A B");

	mock_bo_use(mock_bo_create(dev, 'C'), first);
	EXPECT_NODES(channel, "A B");
	EXPECT_STATE(dev, "C", "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.unlinked);
}

/* A is on its way when the channel hangs: its fence says when it may go, and no later one. */
static void a_dead_buffer_waits_for_no_later_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct mock_fence *first = mock_submit(channel, b), *hung;

	hung = mock_submit(channel, b);
	mock_bo_use(a, first);
	mock_bo_put(a);
	EXPECT_STATE(dev, "A", "");
	mock_signal(first);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "A");
	EXPECT_NODES(channel, "B");
	mock_signal(hung);
}

/*
 *   A B C D  E F ... T    x is used under the fence of A, y of D, z of C
 *   A B C Dy E F ... T    D's node is the last that is looked at
 */
static void an_old_fence_is_looked_for_among_the_newest(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fences[20];
	int i;

	for (i = 0; i < 20; i++)
		fences[i] = mock_submit(channel, mock_bo_create(dev, 'A' + i));
	mock_bo_use(mock_bo_create(dev, 'x'), fences[0]);
	mock_bo_use(mock_bo_create(dev, 'y'), fences[3]);
	mock_bo_use(mock_bo_create(dev, 'z'), fences[2]);
	EXPECT_NODES(channel, "A B C Dy E F G H I J K L M N O P Q R S T");
	EXPECT_STATE(dev, "xz", "");

	for (i = 0; i < 4; i++)
		mock_signal(fences[i]);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "xzABCDy", "");
}

/*
 *   node 1: A B             LRU: C D     all are used, A twice
 *   node 2: D C A B         LRU: -
 */
static void the_buffers_of_a_submission_are_attached_as_one(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct ttm_fence_lru_bo *bases[5];
	struct mock_fence *fence;
	struct mock_bo *bos[4];
	int i;

	for (i = 0; i < 4; i++)
		bos[i] = mock_bo_create(dev, 'A' + i);
	fence = mock_submit(channel, bos[0]);
	mock_bo_use(bos[1], fence);
	EXPECT_STATE(dev, "CD", "");
	EXPECT_NODES(channel, "AB");

	for (i = 0; i < 5; i++)
		bases[i] = &bos["DCABA"[i] - 'A']->base;
	fence = mock_emit(channel);
	for (i = 0; i < 4; i++)
		mock_fences_add(dev, &bos[i]->fences, &fence->base);
	ttm_fence_lru_attach(&dev->lru, &fence->base, bases, 5);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "DCAB");

	/* None is nothing. */
	ttm_fence_lru_attach(&dev->lru, &mock_emit(channel)->base, bases, 0);
	EXPECT_NODES(channel, "DCAB");
}

/* Others attach old fences, and need not hold it. */
static void
a_new_fence_is_attached_under_the_lock_of_emission(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence;
	struct mutex lock; /* of emission */

	mutex_init(&lock);
	ttm_fence_lru_channel_set_lock(&channel->base, &lock);
	mutex_lock(&lock);
	fence = mock_submit(channel, a);
	mutex_unlock(&lock);

	mock_bo_attach(mock_bo_create(dev, 'B'), fence);
	EXPECT_NODES(channel, "AB");
	mock_bo_put(a);
	mock_reclaim(dev);
	EXPECT_NODES(channel, "B/A");
}

static void a_fence_seen_signaled_makes_no_link(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	mock_signal(fence);
	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "");
}

/* It may be slow to ask, and it is the reclaim's to do. */
static void attaching_runs_no_code_of_the_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_signal(fence);
	mock_fences_add(dev, &a->fences, &fence->base);
	mock_bo_attach(a, fence);
	KUNIT_EXPECT_EQ(test, 0, dev->nr_samples);
	EXPECT_NODES(channel, "A");

	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
}

static void an_unknown_fence_makes_no_link(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence =
		mock_fence_create(dev, dma_fence_context_alloc(1), 1);

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	EXPECT_STATE(dev, "A", "");
	mock_signal(fence);
}

static void a_context_has_one_live_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct ttm_fence_lru_channel *other;

	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, -EEXIST,
			ttm_fence_lru_channel_register(&dev->lru, other,
						       channel->base.context));
	mock_check(dev);

	/* Unregistered, the context may be used anew, and the new channel starts empty. */
	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	ttm_fence_lru_channel_unregister(&channel->base);
	KUNIT_EXPECT_EQ(test, 0,
			ttm_fence_lru_channel_register(&dev->lru,
						       &channel->base,
						       channel->base.context));
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "");
	KUNIT_EXPECT_EQ(test, 0, channel->base.nr_spare);

	mock_submit(channel, mock_bo_create(dev, 'B'));
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "B");
}

/* Allocate contexts until the next one is in the same bucket. */
static void skip_to_bucket_of(struct mock_channel *channel)
{
	unsigned int bits = HASH_BITS(channel->dev->lru.by_context);
	u64 context;

	do {
		context = dma_fence_context_alloc(1) + 1;
	} while (hash_min(context, bits) != hash_min(channel->context, bits));
}

static void channels_share_a_bucket(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev), *second;

	skip_to_bucket_of(first);
	second = mock_channel_create(dev);
	mock_submit(first, mock_bo_create(dev, 'A'));
	mock_submit(second, mock_bo_create(dev, 'B'));
	EXPECT_NODES(first, "A");
	EXPECT_NODES(second, "B");

	/* And so does a context that is nobody's. */
	skip_to_bucket_of(first);
	mock_bo_use(mock_bo_create(dev, 'C'),
		    mock_fence_create(dev, dma_fence_context_alloc(1), 1));
	EXPECT_STATE(dev, "C", "");
}

static void many_channels_can_be_registered(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	int i;

	for (i = 0; i < 300; i++)
		mock_submit(mock_channel_create(dev),
			    mock_bo_create(dev, 'A' + i % 26))
			->done = true;
	mock_check(dev);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 300, strlen(mock_lru(dev)));
}

/* The driver signals the fences of a killed channel with an error. */
static void
a_killed_channel_takes_no_fence_and_frees_its_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *first =
		mock_submit(channel, mock_bo_create(dev, 'A'));
	struct mock_fence *second = mock_submit(channel, x);

	mock_bo_put(x);
	ttm_fence_lru_channel_kill(&channel->base);
	mock_bo_use(mock_bo_create(dev, 'B'), first);
	EXPECT_STATE(dev, "B", "");

	dma_fence_set_error(&first->base, -ECANCELED);
	dma_fence_signal(&first->base);
	dma_fence_set_error(&second->base, -ECANCELED);
	dma_fence_signal(&second->base);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "BA", "x");
}

/* A driver that unregisters too early does no harm. */
static void
unregistering_leaves_no_node_and_frees_nothing_early(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_bo_put(x);
	EXPECT_NODES(channel, "A/x");

	mock_channel_destroy(channel);
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_RIPE));

	mock_reclaim(dev);
	EXPECT_STATE(dev, "Ax", "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	EXPECT_STATE(dev, "A", "x");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(busy_buffers_are_not_on_the_lru),
	KUNIT_CASE(reclaim_stops_at_the_frontier),
	KUNIT_CASE(nothing_enables_signaling),
	KUNIT_CASE(fencing_again_moves_to_the_newer_node),
	KUNIT_CASE(the_same_fence_again_moves_nothing),
	KUNIT_CASE(a_node_stays_for_its_zombies),
	KUNIT_CASE(an_older_fence_moves_nothing_back),
	KUNIT_CASE(a_fence_without_node_makes_no_link),
	KUNIT_CASE(a_dead_buffer_waits_for_no_later_fence),
	KUNIT_CASE(an_old_fence_is_looked_for_among_the_newest),
	KUNIT_CASE(the_buffers_of_a_submission_are_attached_as_one),
	KUNIT_CASE(a_new_fence_is_attached_under_the_lock_of_emission),
	KUNIT_CASE(a_fence_seen_signaled_makes_no_link),
	KUNIT_CASE(attaching_runs_no_code_of_the_fence),
	KUNIT_CASE(an_unknown_fence_makes_no_link),
	KUNIT_CASE(a_context_has_one_live_channel),
	KUNIT_CASE(channels_share_a_bucket),
	KUNIT_CASE(many_channels_can_be_registered),
	KUNIT_CASE(a_killed_channel_takes_no_fence_and_frees_its_buffers),
	KUNIT_CASE(unregistering_leaves_no_node_and_frees_nothing_early),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_channel",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the fence-ordered LRU on plain objects");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
