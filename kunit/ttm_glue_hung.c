// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * All who look for buffers, with a fence that never signals: they come to an end, say
 * so, and free nothing that is under it.
 */
#include <linux/jiffies.h>

#include <kunit/static_stub.h>

#include <drm/drm_print.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define TIMEOUT (HZ / 2)
/* What none that comes to an end takes, in a guest on a busy machine. */
#define BOUND (5 * HZ)

static int init(struct kunit *test)
{
	glue_set_timeout(test, TIMEOUT);
	return glue_init(test);
}

static int evict_all(struct glue_device *dev)
{
	return ttm_resource_manager_evict_all(&dev->bdev,
					      glue_vram_manager(dev));
}

/* Try to allocate from full VRAM. Returns how long it took. */
static unsigned long try_vram(struct glue_device *dev, int expect)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	unsigned long start = jiffies;
	int err;

	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(dev->test, err, expect);
	return jiffies - start;
}

static void an_allocation_gives_up_in_time(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	unsigned long took;
	int i;

	/* channel 0: a b; channel 1: zombies c d */
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], i / 2);
	glue_put(bo[2]);
	glue_put(bo[3]);

	took = try_vram(dev, -ENOMEM);
	KUNIT_EXPECT_GE(test, took, TIMEOUT);
	KUNIT_EXPECT_LT(test, took, BOUND);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	glue_expect_zombies(dev, 2, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);

	/* They used a timeout up: nobody waits for them again. */
	KUNIT_EXPECT_LT(test, try_vram(dev, -ENOMEM), TIMEOUT);
}

/* LRU: leftover a, under a fence of others that never signals, then b c d */
static void a_hung_leftover_does_not_hide_idle_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_use(bo[0], GLUE_FOREIGN);
	glue_put(bo[0]);
	KUNIT_EXPECT_LT(test, try_vram(dev, 0), TIMEOUT);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "b");
	glue_expect_zombies(dev, 1, 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);
}

static void nor_does_a_live_buffer_under_such_a_fence(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_use(bo[0], GLUE_FOREIGN);
	KUNIT_EXPECT_LT(test, try_vram(dev, 0), TIMEOUT);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "b");
	glue_expect_sound(dev);
}

static void a_hung_leftover_is_waited_for_beside_others(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	/* leftover a, for ever; leftover b, and channel 0: alive c d */
	glue_fill(dev, bo);
	glue_use(bo[0], GLUE_FOREIGN);
	glue_complete_on_wait(glue_use(bo[1], GLUE_FOREIGN));
	glue_put(bo[0]);
	glue_put(bo[1]);
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 0);

	KUNIT_EXPECT_LT(test, try_vram(dev, 0), TIMEOUT);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "");
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
}

static void an_allocation_under_hung_leftovers_gives_up(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_use(bo[i], GLUE_FOREIGN);
		if (i % 2)
			glue_put(bo[i]);
	}
	KUNIT_EXPECT_LT(test, try_vram(dev, -ENOMEM), BOUND);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	glue_expect_zombies(dev, 2, 2);
}

static void evicting_all_fails_with_a_hung_channel(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	unsigned long start = jiffies;
	struct glue_fence *alive, *dead;
	struct glue_bo *a, *z, *b;

	/* channel 0, hung: a, zombie z; channel 1: b; idle: i */
	a = glue_bo(dev, 'a', &glue_vram);
	z = glue_bo(dev, 'z', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	glue_bo(dev, 'i', &glue_vram);
	alive = glue_use(a, 0);
	dead = glue_use(z, 0);
	glue_put(z);
	glue_complete_on_wait(glue_use(b, 1));

	KUNIT_EXPECT_EQ(test, evict_all(dev), -EBUSY);
	KUNIT_EXPECT_LT(test, jiffies - start, BOUND);
	/* All else went, and what is left is as it was. */
	KUNIT_EXPECT_STREQ(test, dev->evicted, "ib");
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_sound(dev);

	glue_complete(alive);
	glue_complete(dead);
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* The time that there is begins anew with each buffer that is evicted. */
static void evicting_all_goes_on_while_fences_signal(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	unsigned long start = jiffies;
	char name;

	for (name = 'a'; name <= 'c'; name++)
		glue_complete_late(glue_use(glue_bo(dev, name, &glue_vram), 0));

	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_GT(test, jiffies - start, TIMEOUT);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "abc");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void evicting_all_fails_with_a_hung_leftover(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	unsigned long start = jiffies;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_use(a, GLUE_FOREIGN);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, evict_all(dev), -EBUSY);
	KUNIT_EXPECT_LT(test, jiffies - start, 4 * BOUND);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_zombies(dev, 1, 1);
}

static void swapping_out_comes_to_an_end(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	unsigned long start = jiffies;
	struct glue_bo *a, *b, *z;

	/* hung: a, zombie z; idle: b */
	a = glue_bo(dev, 'a', &glue_gtt);
	b = glue_bo(dev, 'b', &glue_gtt);
	z = glue_bo(dev, 'z', &glue_gtt);
	glue_use(a, 0);
	glue_use(z, 0);
	glue_put(z);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			1);
	KUNIT_EXPECT_TRUE(test, b->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
	KUNIT_EXPECT_LT(test, jiffies - start, TIMEOUT);

	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			0);
	KUNIT_EXPECT_LT(test, jiffies - start, BOUND);
	KUNIT_EXPECT_FALSE(test, a->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
	glue_expect_usage(dev, TTM_PL_TT, 2);
	glue_expect_zombies(dev, 1, 0);
}

static void a_signal_ends_swapping_out(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_use(glue_bo(dev, 'a', &glue_gtt), 0);

	glue_begin_interruptible(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			-ERESTARTSYS);
	glue_end_interruptible(fence);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
}

static void a_signal_ends_an_allocation(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence = glue_emit(dev, 0, true);
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], fence);
	glue_put(bo[0]);

	glue_begin_interruptible(fence);
	try_vram(dev, -ERESTARTSYS);
	glue_end_interruptible(fence);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);
}

/* It need not be waited for. */
static void a_signal_hides_no_idle_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;

	glue_fill(dev, bo);
	fence = glue_use(bo[3], 0);
	glue_put(bo[3]);

	glue_begin_interruptible(fence);
	try_vram(dev, 0);
	glue_end_interruptible(fence);
	glue_expect_evicted(dev, "a");
}

/* What is busy is of no use to one that is larger than VRAM: it does not wait. */
static void submit_again(struct glue_fence *fence)
{
	struct glue_device *dev = fence->channel->dev;
	struct glue_bo *bo = list_first_entry(&dev->bos, struct glue_bo, entry);
	struct glue_fence *next = glue_emit(dev, 0, true);

	next->on_wait = submit_again;
	glue_attach(bo, next);
}

static void what_never_fits_is_refused_at_once(struct kunit *test)
{
	const struct ttm_place place = {
		.fpfn = GLUE_VRAM_PAGES,
		.lpfn = GLUE_VRAM_PAGES + 1,
		.mem_type = TTM_PL_VRAM,
	};
	const struct ttm_placement placement = { 1, &place };
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	int err;

	fence = glue_use(glue_bo(dev, 'a', &glue_vram), 0);
	fence->on_wait = submit_again;
	glue_bo_try(dev, 'x', &placement, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_sound(dev);
}

/* Also what the device never got done with: it is gone, and does not access it. */
static void an_unplugged_device_has_no_page_mapped(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[2];
	struct glue_bo *a, *z;

	a = glue_bo(dev, 'a', &glue_gtt);
	z = glue_bo(dev, 'z', &glue_gtt);
	fence[0] = glue_use(a, 0);
	fence[1] = glue_use(z, 1);
	glue_put(z);

	dev->unplugged = true;
	ttm_device_clear_dma_mappings(&dev->bdev);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(a->tbo.ttm));
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(z->tbo.ttm));

	/* Everything is where it was: reclaim goes on with it. */
	glue_expect_lru(dev, TTM_PL_TT, "", 2);
	glue_complete(fence[0]);
	glue_complete(fence[1]);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	glue_expect_usage(dev, TTM_PL_TT, 1);
}

/* Its memory is lost: the worse evil would be to give it to another. */
static void a_device_leaks_what_never_signals(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, true);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_system);
	struct glue_fence *fence = glue_use(a, GLUE_FOREIGN);
	unsigned long start = jiffies;
	int i;

	glue_put(a);
	for (i = 0; i < GLUE_FOREIGN; i++)
		ttm_fence_lru_channel_unregister(&dev->channels[i].base);
	KUNIT_EXPECT_EQ(test, ttm_range_man_fini(&dev->bdev, TTM_PL_VRAM), 0);
	KUNIT_EXPECT_EQ(test, ttm_range_man_fini(&dev->bdev, TTM_PL_TT), 0);
	ttm_device_fini(&dev->bdev);
	KUNIT_EXPECT_LT(test, jiffies - start, BOUND);
	KUNIT_EXPECT_NOT_NULL(test, dev->bdev.fence_lru);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 0);
	glue_complete(fence);
}

static void what_is_on_no_lru_is_printed(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct drm_print_iterator iter = { .data = text, .remain = PAGE_SIZE };
	struct drm_printer p = drm_coredump_printer(&iter);
	struct glue_bo *z = glue_bo(dev, 'z', &glue_vram);

	KUNIT_ASSERT_NOT_NULL(test, text);
	glue_use(glue_bo(dev, 'a', &glue_vram), 0);
	glue_use(z, 1);
	glue_put(z);
	ttm_resource_manager_debug(glue_vram_manager(dev), &p);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "parked: 2\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "zombies: 4096 bytes, 0 of"));
}

static struct kunit_case hung_cases[] = {
	KUNIT_CASE(an_allocation_gives_up_in_time),
	KUNIT_CASE(a_hung_leftover_does_not_hide_idle_buffers),
	KUNIT_CASE(nor_does_a_live_buffer_under_such_a_fence),
	KUNIT_CASE(a_hung_leftover_is_waited_for_beside_others),
	KUNIT_CASE(an_allocation_under_hung_leftovers_gives_up),
	KUNIT_CASE(evicting_all_fails_with_a_hung_channel),
	KUNIT_CASE_SLOW(evicting_all_goes_on_while_fences_signal),
	KUNIT_CASE_SLOW(evicting_all_fails_with_a_hung_leftover),
	KUNIT_CASE(swapping_out_comes_to_an_end),
	KUNIT_CASE(a_signal_ends_swapping_out),
	KUNIT_CASE(a_signal_ends_an_allocation),
	KUNIT_CASE(a_signal_hides_no_idle_buffer),
	KUNIT_CASE(what_never_fits_is_refused_at_once),
	KUNIT_CASE(an_unplugged_device_has_no_page_mapped),
	KUNIT_CASE(a_device_leaks_what_never_signals),
	KUNIT_CASE(what_is_on_no_lru_is_printed),
	{}
};

static struct kunit_suite hung_suite = {
	.name = "ttm_fence_lru_glue_hung",
	.init = init,
	.exit = glue_exit,
	.test_cases = hung_cases,
};

kunit_test_suite(hung_suite);
