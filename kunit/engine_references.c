// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who holds a buffer, when its memory goes, and when the buffer itself.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "mock.h"

static void an_alive_buffer_is_not_held(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_submit(first, a);
	mock_submit(second, a);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&a->kref));
}

static void a_leftover_has_one_reference(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(first, x);
	mock_submit(second, x);
	mock_bo_put(x);
	mock_signal(mock_first(first));
	mock_signal(mock_first(second));
	x->locked = true;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "x", "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));
	x->locked = false;
}

/* There is no worker, and no timer. */
static void nothing_happens_before_somebody_reclaims(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_bo_put(x);
	mock_signal(fence);
	dma_fence_signal(&fence->base);
	msleep(50);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "A/x");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);
}

/* A reference that is dropped may take locks of others; memory must not wait for that. */
static const struct ttm_fence_lru_ops *sound;
static unsigned int put_too_early;

static void late_put(struct ttm_fence_lru_bo *bo, enum ttm_fence_lru_site site)
{
	struct mock_device *dev = container_of(bo, struct mock_bo, base)->dev;

	put_too_early += strlen(dev->cleaned) < 3;
	sound->put(bo, site);
}

static void memory_goes_before_references(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct ttm_fence_lru_ops ops = *dev->lru.ops;
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 3; i++) {
		bo = mock_bo_create(dev, "xyz"[i]);
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);

	sound = dev->lru.ops;
	ops.put = late_put;
	put_too_early = 0;
	dev->lru.ops = &ops;
	mock_reclaim(dev);
	dev->lru.ops = sound;
	KUNIT_EXPECT_EQ(test, 0, put_too_early);
	EXPECT_STATE(dev, "", "xyz");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xyz");
}

/* Those that stay go to the end of the list, so that others are tried next. */
static void trimming_tries_some_leftovers_in_turn(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bos[10];
	int i;

	for (i = 0; i < 10; i++) {
		bos[i] = mock_bo_create(dev, 'a' + i);
		bos[i]->locked = true;
		mock_bo_put(bos[i]);
	}
	EXPECT_STATE(dev, "abcdefghij", "");
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "ijabcdefgh", "");

	for (i = 0; i < 10; i++)
		bos[i]->locked = false;
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "gh", "ijabcdef");
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "ijabcdefgh");
}

/* A task that has taken zombies of a memory type, and is held up. */
static struct release {
	struct ttm_fence_lru *lru;
	struct ttm_fence_lru_need need;
	struct completion begun;
	struct completion go_on;
	struct completion ended;
} earlier, later;

static void hold_up(struct release *release)
{
	complete(&release->begun);
	wait_for_completion(&release->go_on);
}

static void hold_up_earlier(struct kunit *test)
{
	hold_up(&earlier);
}

static void hold_up_later(struct kunit *test)
{
	hold_up(&later);
}

static int release_some(void *data)
{
	struct release *release = data;

	ttm_fence_lru_reclaim(release->lru, &release->need);
	complete(&release->ended);
	return 0;
}

static void begin(struct release *release, struct mock_device *dev,
		  unsigned int type, mock_hook hook)
{
	*release = (struct release){ .lru = &dev->lru, .need.type = type };
	init_completion(&release->begun);
	init_completion(&release->go_on);
	init_completion(&release->ended);
	dev->cleaning = hook;
	KUNIT_ASSERT_FALSE(dev->test, IS_ERR(kthread_run(release_some, release,
							 "release")));
	wait_for_completion(&release->begun);
}

/* A task that waits for those; it ended with this number. */
static int settled;
static DECLARE_COMPLETION(settling_ended);

static int settle(void *data)
{
	settled = ttm_fence_lru_settle(data, false);
	complete(&settling_ended);
	return 0;
}

static void begin_to_settle(struct mock_device *dev)
{
	reinit_completion(&settling_ended);
	KUNIT_ASSERT_FALSE(dev->test,
			   IS_ERR(kthread_run(settle, &dev->lru, "settle")));
	while (!wq_has_sleeper(&dev->lru.settled) &&
	       !completion_done(&settling_ended))
		schedule_timeout_uninterruptible(1);
}

/* However many begin while it waits. */
static void settling_waits_for_what_had_begun_before(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 2; i++) {
		bo = mock_bo_create(dev, 'x' + i);
		bo->type = 1 + i;
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, false));

	begin(&earlier, dev, 1, hold_up_earlier);
	begin_to_settle(dev);
	KUNIT_EXPECT_FALSE(test, completion_done(&settling_ended));
	begin(&later, dev, 2, hold_up_later);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "");

	complete(&earlier.go_on);
	wait_for_completion(&settling_ended);
	KUNIT_EXPECT_EQ(test, 1, settled);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "x");
	wait_for_completion(&earlier.ended);

	complete(&later.go_on);
	wait_for_completion(&later.ended);
	EXPECT_STATE(dev, "", "xy");
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, false));
}

/* What reclaim finds idle is in the order of reclaims, whatever was emitted when. */
static void across_reclaims_the_earlier_reclaim_comes_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *late = mock_submit(first, mock_bo_create(dev, 'A'));

	mock_submit(second, mock_bo_create(dev, 'B'))->done = true;
	mock_reclaim(dev);
	mock_signal(late);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "BA", "");
}

/* A node lives as long as a buffer is on it: so there are no more nodes than links. */
static void there_are_no_more_nodes_than_links(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	int i;

	for (i = 0; i < 20; i++) {
		mock_submit(channel, a);
		mock_submit(channel, b);
		KUNIT_EXPECT_LE(test, list_count_nodes(&channel->base.nodes),
				2);
	}
	EXPECT_NODES(channel, "A B");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_alive_buffer_is_not_held),
	KUNIT_CASE(a_leftover_has_one_reference),
	KUNIT_CASE(nothing_happens_before_somebody_reclaims),
	KUNIT_CASE(memory_goes_before_references),
	KUNIT_CASE(trimming_tries_some_leftovers_in_turn),
	KUNIT_CASE(settling_waits_for_what_had_begun_before),
	KUNIT_CASE(across_reclaims_the_earlier_reclaim_comes_first),
	KUNIT_CASE(there_are_no_more_nodes_than_links),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_references",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
