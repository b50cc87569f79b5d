// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reservation: attaching needs no memory, and failing to reserve changes nothing.
 */
#include <kunit/static_stub.h>

#include <linux/sort.h>

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
	mock_bo_attach(a, fence);
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

/* Room for one more channel was made; the fence is public, and memory is short. */
static void attaching_allocates_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence;

	mock_submit(first, a);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reserve(&a->base, 1));
	fence = mock_emit(second);
	mock_fences_add(dev, &a->fences, &fence->base);

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc, no_link);
	kunit_activate_static_stub(test, ttm_fence_lru_node_alloc, no_node);
	mock_bo_attach(a, fence);
	EXPECT_NODES(first, "A");
	EXPECT_NODES(second, "A");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.unlinked);
}

/*
 *   node 1: A   node 2: B   node 3: C    all are used again under fence 4
 *   node 4: A B C                        the others are freed
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

static int compare_addresses(const void *lhs, const void *rhs)
{
	unsigned long a = *(unsigned long *)lhs, b = *(unsigned long *)rhs;

	return a < b ? -1 : a > b;
}

/* What the slab needs to free a node stands inside of it: one cache line is enough. */
static void nodes_are_64_bytes_apart(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	unsigned long *nodes, apart = ULONG_MAX;
	struct ttm_fence_lru_node *node;
	struct mock_channel *channel;
	int i, nr = 0;

	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_SLUB_DEBUG_ON))
		kunit_skip(test,
			   "there is more between objects when debugging");

	nodes = kunit_kcalloc(test, 256, sizeof(*nodes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nodes);
	for (i = 0; i < 256; i++) {
		channel = mock_channel_create(dev);
		mock_channel_reserve(channel);
		list_for_each_entry(node, &channel->base.spare, entry)
			nodes[nr++] = (unsigned long)node;
	}
	KUNIT_ASSERT_EQ(test, 256, nr);

	sort(nodes, nr, sizeof(*nodes), compare_addresses, NULL);
	for (i = 1; i < nr; i++)
		apart = min(apart, nodes[i] - nodes[i - 1]);
	KUNIT_EXPECT_EQ(test, 64, apart);
}

/* An old fence whose node is gone takes none that was made for another one. */
static void an_old_fence_takes_no_node(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *old, *fence;

	old = mock_submit(channel, a);
	mock_submit(channel, a)->done = true;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");

	/* While one is emitted, others copy the fences of A. */
	fence = mock_emit(channel);
	mock_bo_attach(mock_bo_create(dev, 'B'), old);
	EXPECT_STATE(dev, "AB", "");
	EXPECT_NODES(channel, "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.unlinked);

	mock_bo_use(a, fence);
	EXPECT_STATE(dev, "B", "");
	EXPECT_NODES(channel, "A");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.unlinked);
}

/* A buffer on more channels than it has links is busy on those, and safe in any case. */
static void a_buffer_has_few_links(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fences[40], *last;
	int i;

	for (i = 0; i < 40; i++)
		fences[i] = mock_submit(mock_channel_create(dev), a);
	KUNIT_EXPECT_EQ(test, 32, a->base.nr_links);
	KUNIT_EXPECT_EQ(test, 8, dev->lru.stats.unlinked);

	/* Those that are free again serve for others. */
	mock_signal(fences[0]);
	mock_reclaim(dev);
	last = mock_submit(mock_channel_create(dev), a);
	KUNIT_EXPECT_EQ(test, 32, a->base.nr_links);

	mock_bo_put(a);
	EXPECT_STATE(dev, "", "");
	for (i = 1; i < 39; i++)
		mock_signal(fences[i]);
	mock_signal(last);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
	mock_signal(fences[39]);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "A");
}

/* Whether a fence is old is told by its number, of which only 32 bits may count. */
static void numbers_of_fences_wrap(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *old;

	channel->seqno = U32_MAX - 1;
	old = mock_submit(channel, a);
	mock_submit(channel, a)->done = true;
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 2, channel->base.nr_spare);
	mock_bo_attach(a, old);
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "");

	mock_submit(channel, a);
	mock_submit(channel, mock_bo_create(dev, 'B'));
	EXPECT_NODES(channel, "A B");
}

static struct mock_bo *asserted[2];
static unsigned int nr_asserted;

static void note_asserted(struct ttm_fence_lru_bo *base)
{
	if (nr_asserted < ARRAY_SIZE(asserted))
		asserted[nr_asserted] = to_mock_bo(base);
	nr_asserted++;
}

/* The owner can tell where a reservation is that lockdep must see held. */
static void every_buffer_of_an_attach_must_be_reserved(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	const struct ttm_fence_lru_ops *sound = dev->lru.ops;
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct ttm_fence_lru_bo *bos[] = { &a->base, &b->base };
	struct ttm_fence_lru_ops ops = *sound;
	struct mock_fence *fence = mock_emit(channel);

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		kunit_skip(test, "needs lockdep");

	ops.assert_reserved = note_asserted;
	nr_asserted = 0;
	dev->lru.ops = &ops;
	ttm_fence_lru_attach(&dev->lru, &fence->base, bos, 2);
	dev->lru.ops = sound;
	KUNIT_EXPECT_EQ(test, 2, nr_asserted);
	KUNIT_EXPECT_PTR_EQ(test, a, asserted[0]);
	KUNIT_EXPECT_PTR_EQ(test, b, asserted[1]);
	EXPECT_NODES(channel, "AB");
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
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));

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
	mock_bo_attach(x, later);
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
	KUNIT_CASE(attaching_allocates_nothing),
	KUNIT_CASE(a_channel_keeps_few_nodes),
	KUNIT_CASE(nodes_are_64_bytes_apart),
	KUNIT_CASE(an_old_fence_takes_no_node),
	KUNIT_CASE(a_buffer_has_few_links),
	KUNIT_CASE(numbers_of_fences_wrap),
	KUNIT_CASE(every_buffer_of_an_attach_must_be_reserved),
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
