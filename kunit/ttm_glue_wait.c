// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is waited for when one wait was not enough: all that may still bring room, and
 * nothing else.
 */
#include <linux/jiffies.h>
#include <linux/limits.h>

#include <kunit/static_stub.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define TIMEOUT (2 * HZ)

static int init(struct kunit *test)
{
	glue_set_timeout(test, TIMEOUT);
	return glue_init(test);
}

static void try_vram(struct glue_device *dev, char name, int expect)
{
	struct ttm_operation_ctx ctx = {};
	int err;

	glue_bo_try(dev, name, &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ_MSG(dev->test, err, expect, "buffer %c", name);
}

static unsigned int nr_moves;

static void count(struct glue_device *dev)
{
	nr_moves++;
}

/* Its buffer is idle since, but cannot be moved: it helps nobody. */
static void what_has_signaled_is_not_waited_for_again(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[0], GLUE_FOREIGN));
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 0);
	dev->refuse_moves = UINT_MAX;
	dev->moving = count;
	nr_moves = 0;

	try_vram(dev, 'x', -ENOMEM);
	/* Once or twice a wait, of which there are few, and not as fast as it can. */
	KUNIT_EXPECT_GT(test, nr_moves, 0);
	KUNIT_EXPECT_LT(test, nr_moves, 3 * TIMEOUT / (HZ / 10));
}

static void take_some_time(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(HZ / 4);
}

/* In each wait anew: meanwhile a channel goes on, which brings no room. */
static void what_has_not_signaled_is_waited_for_again(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram), *b;

	/* leftover a, for some time; channel 0: b, which is locked like c d */
	b = glue_bo_shared(dev, 'b');
	glue_bo_shared(dev, 'c');
	glue_bo_shared(dev, 'd');
	glue_use(a, GLUE_FOREIGN)->on_wait = take_some_time;
	glue_put(a);
	glue_complete_on_wait(glue_use(b, 0));

	dma_resv_lock(&dev->vm_resv, NULL);
	try_vram(dev, 'x', 0);
	dma_resv_unlock(&dev->vm_resv);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

/* While it waits, another reclaims all that has signaled: that is room enough. */
static void one_that_has_signaled_is_enough(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *hung;

	/* channel 0: zombie a; channel 1, which hangs: zombie b, then c d */
	glue_fill(dev, bo);
	glue_drain_on_wait(glue_use(bo[0], 0));
	hung = glue_use(bo[1], 1);
	glue_use(bo[2], 1);
	glue_use(bo[3], 1);
	glue_put(bo[0]);
	glue_put(bo[1]);
	try_vram(dev, 'x', 0);

	/* Channel 1 was not waited for in vain: it is not given up. */
	glue_use(list_last_entry(&dev->bos, struct glue_bo, entry), 1);
	glue_complete_later(hung);
	try_vram(dev, 'y', 0);
	glue_expect_zombies(dev, 0, 0);
}

static void take_most_of_the_time(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(TIMEOUT * 3 / 4);
}

/* It did its first job late, so that no time was left for the second one. */
static void a_channel_that_is_slow_is_not_given_up(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo_shared(dev, 'a'), *b;
	struct glue_fence *second;

	/* channel 0: a, then zombie b; a is locked, like c d */
	b = glue_bo(dev, 'b', &glue_vram);
	glue_bo_shared(dev, 'c');
	glue_bo_shared(dev, 'd');
	glue_use(a, 0)->on_wait = take_most_of_the_time;
	second = glue_use(b, 0);
	glue_put(b);

	dma_resv_lock(&dev->vm_resv, NULL);
	try_vram(dev, 'x', -ENOMEM);
	glue_complete_later(second);
	try_vram(dev, 'y', 0);
	dma_resv_unlock(&dev->vm_resv);
	glue_expect_zombies(dev, 0, 0);
}

static unsigned int nr_looks;

static bool look(struct ttm_buffer_object *tbo, const struct ttm_place *place)
{
	nr_looks++;
	return ttm_bo_eviction_valuable(tbo, place);
}

static struct glue_bo *pinned;

static void unpin(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(HZ / 10);
	glue_unpin(pinned);
}

/* a is under a fence of others that hangs; b becomes idle without any fence. */
static void what_needs_no_fence_is_found(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *worker = glue_emit(dev, GLUE_FOREIGN, true);
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_set_moment(test, 1);
	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	glue_use(bo[0], GLUE_FOREIGN);
	dev->funcs.eviction_valuable = look;
	nr_looks = 0;
	pinned = bo[1];
	worker->on_wait = unpin;
	schedule_work(&worker->work);

	try_vram(dev, 'x', 0);
	glue_expect_evicted(dev, "b");
	/* Thrice would be before, between and after two waits. */
	KUNIT_EXPECT_GT(test, nr_looks, 4);
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

/* a is on a channel known to hang, b under a fence of others that comes late. */
static void a_fence_of_others_is_waited_for_alone(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	glue_use(bo[0], 0);
	glue_make_late(&dev->channels[0], TIMEOUT);
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	glue_use(bo[1], GLUE_FOREIGN)->on_wait = take_some_time;
	glue_set_moment(test, 1);

	try_vram(dev, 'x', 0);
	glue_expect_evicted(dev, "b");
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

/* Its jobs use the same buffers: none of them is seen signaled while buffers are on it. */
static void
a_channel_of_which_nothing_is_left_behind_goes_on(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *first = glue_emit(dev, 0, true), *next;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	/* Somebody waits for it, and before it has gone on there is a new job. */
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], first);
	glue_make_late(&dev->channels[0], TIMEOUT);
	next = glue_emit(dev, 0, true);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], next);
	try_vram(dev, 'x', -ENOMEM);

	glue_complete(first);
	glue_complete_on_wait(next);
	try_vram(dev, 'y', 0);
	glue_expect_evicted(dev, "a");
}

static struct glue_fence *alive;

static void complete_the_other(struct glue_fence *fence)
{
	glue_complete(alive);
}

static void make_two_busy_ones(struct glue_fence *fence)
{
	struct glue_device *dev = fence->channel->dev;
	struct glue_bo *z = glue_bo(dev, 'z', &glue_vram);

	glue_use(z, 1)->on_wait = complete_the_other;
	glue_put(z);
	alive = glue_use(glue_bo(dev, 'b', &glue_vram), 0);
}

/*
 *               channel 0   channel 1
 *   before:     a           -
 *   a is idle:  b           zombie z
 *   z is gone:  -           -           and b is idle: nobody had to wait for it
 */
static void evicting_all_begins_with_the_dead_each_time(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);

	glue_use(glue_bo(dev, 'a', &glue_vram), 0)->on_wait =
		make_two_busy_ones;
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 1);
	glue_expect_evicted(dev, "ab");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/*
 *   channel 0:  a
 *   channel 1:    a b
 *   LRU:              c d
 *
 * and a is dead.
 */
static void bury_on_both(struct glue_device *dev, struct glue_fence *fences[2])
{
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	fences[0] = glue_use(a, 0);
	fences[1] = glue_use(a, 1);
	glue_put(a);
	glue_use(glue_bo(dev, 'b', &glue_vram), 1);
	glue_bo(dev, 'c', &glue_vram);
	glue_bo(dev, 'd', &glue_vram);
}

static void expect_waits(struct glue_device *dev, unsigned int on_first,
			 unsigned int on_second)
{
	try_vram(dev, 'x', 0);
	KUNIT_EXPECT_EQ(dev->test, dev->channels[0].enables, on_first);
	KUNIT_EXPECT_EQ(dev->test, dev->channels[1].enables, on_second);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

static struct glue_fence *earlier;

static void complete_with_the_earlier(struct glue_fence *fence)
{
	glue_complete(earlier);
	glue_complete(fence);
}

/* The second job began after the first one had ended: as after a copy engine's. */
static void of_a_dead_buffer_the_last_use_is_waited_for(struct kunit *test)
{
	struct glue_fence *fences[2];

	bury_on_both(test->priv, fences);
	earlier = fences[0];
	fences[1]->on_wait = complete_with_the_earlier;
	expect_waits(test->priv, 0, 1);
}

static void then_its_others_are_waited_for(struct kunit *test)
{
	struct glue_fence *fences[2];

	bury_on_both(test->priv, fences);
	glue_complete_on_wait(fences[0]);
	glue_complete_on_wait(fences[1]);
	expect_waits(test->priv, 1, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(what_has_signaled_is_not_waited_for_again),
	KUNIT_CASE(what_has_not_signaled_is_waited_for_again),
	KUNIT_CASE(one_that_has_signaled_is_enough),
	KUNIT_CASE_SLOW(a_channel_that_is_slow_is_not_given_up),
	KUNIT_CASE(a_channel_of_which_nothing_is_left_behind_goes_on),
	KUNIT_CASE(evicting_all_begins_with_the_dead_each_time),
	KUNIT_CASE(of_a_dead_buffer_the_last_use_is_waited_for),
	KUNIT_CASE(then_its_others_are_waited_for),
	KUNIT_CASE(what_needs_no_fence_is_found),
	KUNIT_CASE(a_fence_of_others_is_waited_for_alone),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_wait",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
