// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The driver's lock of emission: each case leaves it out where it is needed, as
 * lock_rules.h says.
 */
#include <linux/mutex.h>

#include "lock_rules.h"

static DEFINE_MUTEX(emission);

/* A channel with one buffer under an old fence, for which the rules were kept. */
static struct mock_channel *make_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *old;

	ttm_fence_lru_channel_set_lock(&channel->base, &emission);
	mutex_lock(&emission);
	old = mock_submit(channel, a);
	mock_submit(channel, a);
	mutex_unlock(&emission);

	mock_bo_attach(a, old);
	return channel;
}

static void reserving_without_the_lock_of_emission(struct kunit *test)
{
	struct mock_channel *channel = make_channel(test);

	break_rule(test, WARNING IN("ttm_fence_lru_channel_reserve"), NULL);
	mock_channel_reserve(channel);
}

static void attaching_without_the_lock_of_emission(struct kunit *test)
{
	struct mock_channel *channel = make_channel(test);
	struct mock_bo *b = mock_bo_create(test->priv, 'B');
	struct mock_fence *fence;

	mutex_lock(&emission);
	fence = mock_emit(channel);
	mutex_unlock(&emission);
	break_rule(test, WARNING IN("ttm_fence_lru_attach"), NULL);
	mock_bo_attach(b, fence);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(reserving_without_the_lock_of_emission),
	KUNIT_CASE(attaching_without_the_lock_of_emission),
	{}
};

static struct kunit_suite suite = {
	.name = "broken_lock_emission",
	.init = lock_rules_init,
	.exit = lock_rules_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
