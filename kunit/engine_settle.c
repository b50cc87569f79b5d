// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting for what others have taken, and are about to release.
 */
#include <linux/sched/signal.h>

#include "mock.h"

/**
 * struct slow - a task that releases a zombie and takes its time
 * @thread: the task
 * @cleaning: it has begun
 * @go_on: it may end
 */
struct slow {
	struct mock_thread thread;
	struct completion cleaning;
	struct completion go_on;
};

static struct slow first, second;

static void block_first(struct kunit *test)
{
	complete(&first.cleaning);
	wait_for_completion(&first.go_on);
}

static void block_second(struct kunit *test)
{
	complete(&second.cleaning);
	wait_for_completion(&second.go_on);
}

/* A zombie that can go. */
static void ripen(struct mock_device *dev, char name)
{
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, name);

	mock_submit(channel, bo);
	mock_bo_put(bo);
	mock_signal(mock_first(channel));
	ttm_fence_lru_retire(&dev->lru);
}

static void reclaim_some(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_device *dev = test->priv;

	ttm_fence_lru_reclaim(&dev->lru, &need);
}

static void begin(struct mock_device *dev, struct slow *slow, mock_hook block)
{
	ripen(dev, 's');
	init_completion(&slow->cleaning);
	init_completion(&slow->go_on);
	dev->cleaning = block;
	mock_thread_create(&slow->thread, dev->test, reclaim_some);
	mock_thread_start(&slow->thread);
	wait_for_completion(&slow->cleaning);
}

static void end(struct slow *slow)
{
	complete(&slow->go_on);
	mock_thread_join(&slow->thread);
}

static void settle(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_EQ(test, 1, ttm_fence_lru_settle(&dev->lru, false));
}

static void begin_to_settle(struct mock_device *dev, struct mock_thread *thread)
{
	mock_thread_create(thread, dev->test, settle);
	mock_thread_start(thread);
	while (!wq_has_sleeper(&dev->lru.settled))
		schedule_timeout_uninterruptible(1);
}

static void there_may_be_nothing_to_wait_for(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, false));
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, true));
	ripen(dev, 'x');
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, false));
}

/* However many begin and end meanwhile: it is not their number that counts. */
static void
a_later_release_does_not_stand_for_an_earlier_one(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_thread settler;
	int i;

	begin(dev, &first, block_first);
	begin_to_settle(dev, &settler);
	for (i = 0; i < 3; i++) {
		ripen(dev, 'x');
		reclaim_some(test);
		schedule_timeout_uninterruptible(2);
	}
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "xxx");
	KUNIT_EXPECT_FALSE(test, completion_done(&settler.done));

	end(&first);
	mock_thread_join(&settler);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "xxxs");
}

static void a_later_release_does_not_prolong_the_wait(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_thread settler;

	begin(dev, &first, block_first);
	begin_to_settle(dev, &settler);
	begin(dev, &second, block_second);

	end(&first);
	mock_thread_join(&settler);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "s");
	KUNIT_EXPECT_FALSE(test, completion_done(&second.thread.done));
	end(&second);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "ss");
}

static void all_that_began_before_are_waited_for(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_thread settler;

	begin(dev, &first, block_first);
	begin(dev, &second, block_second);
	begin_to_settle(dev, &settler);

	/* They end in another order than they began. */
	end(&second);
	schedule_timeout_uninterruptible(2);
	KUNIT_EXPECT_FALSE(test, completion_done(&settler.done));
	end(&first);
	mock_thread_join(&settler);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "ss");
}

static void a_signal_ends_the_wait(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	begin(dev, &first, block_first);
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS,
			ttm_fence_lru_settle(&dev->lru, true));
	flush_signals(current);
	disallow_signal(SIGUSR1);
	end(&first);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_settle(&dev->lru, true));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(there_may_be_nothing_to_wait_for),
	KUNIT_CASE(a_later_release_does_not_stand_for_an_earlier_one),
	KUNIT_CASE(a_later_release_does_not_prolong_the_wait),
	KUNIT_CASE(all_that_began_before_are_waited_for),
	KUNIT_CASE(a_signal_ends_the_wait),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_settle",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
