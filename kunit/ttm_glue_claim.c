// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory that becomes free goes to the request that waits for it first.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

static const struct ttm_place anywhere = { .mem_type = TTM_PL_VRAM };

/* Long enough for any machine. */
static int init(struct kunit *test)
{
	glue_set_moment(test, 10 * HZ);
	return glue_init(test);
}

/* Somebody else has waited, and waits again, for as much as the buffer holds. */
static void claim(struct ttm_room *room, struct glue_bo *bo,
		  const struct ttm_place *place, struct ttm_operation_ctx *ctx)
{
	ttm_room_init(room, bo->tbo.bdev, TTM_PL_VRAM, ctx, 10 * HZ);
	room->bo = &bo->tbo;
	room->place = place;
	room->robbed = true;
	ttm_room_claim(room);
}

/* Buffers a, b and c are idle, and one page is free. */
static struct glue_bo *leave_a_page(struct glue_device *dev)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_put(bo[3]);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES - 1);
	return bo[0];
}

static struct glue_bo *second;

static void ask_for_one_page(struct glue_fence *fence)
{
	struct glue_device *dev = fence->channel->dev;

	dev->pages = 1;
	second = glue_bo(dev, 'y', &glue_vram_else_gtt);
}

/*
 *   channel 0:  zombies a | b, c, d
 *
 * x wants two pages, and waits for b, c and d when y comes, which needs only one: that of a.
 */
static void the_first_that_waits_has_it(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES], *first;
	struct glue_fence *fence;
	int i;

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[0], 0));
	fence = glue_emit(dev, 0, true);
	fence->on_wait = ask_for_one_page;
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], fence);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_put(bo[i]);

	dev->pages = 2;
	first = glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_EQ(test, first->tbo.resource->mem_type, TTM_PL_VRAM);
	KUNIT_EXPECT_EQ(test, second->tbo.resource->mem_type, TTM_PL_TT);
	KUNIT_EXPECT_TRUE(test, list_empty(&glue_vram_manager(dev)->claims));
	glue_expect_evicted(dev, "");
}

static void a_later_request_takes_what_it_evicts(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};
	struct ttm_room room;

	claim(&room, a, &anywhere, &ctx);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES - 1);
	ttm_room_drop_claim(&room);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "a");
}

/* Nothing can be evicted: all that is left is to wait for others. */
static void one_that_can_evict_nothing_waits_its_turn(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev), *bo;
	struct ttm_operation_ctx ctx = {};
	struct ttm_room room;

	list_for_each_entry(bo, &dev->bos, entry)
		glue_pin(bo);
	glue_set_moment(test, HZ / 4);
	claim(&room, a, &anywhere, &ctx);
	/* It is void when the moment is over, and there until then. */
	bo = glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_TRUE(test, time_after(jiffies, room.progress + HZ / 4));
	ttm_room_drop_claim(&room);
	list_for_each_entry(bo, &dev->bos, entry)
		if (bo->tbo.pin_count)
			glue_unpin(bo);
}

static void a_claim_without_progress_is_void(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};
	struct ttm_room room;

	glue_set_moment(test, 1);
	claim(&room, a, &anywhere, &ctx);
	while (time_before_eq(jiffies, room.progress + 1))
		schedule_timeout_uninterruptible(1);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	ttm_room_drop_claim(&room);
}

static void one_that_must_not_wait_takes_what_is_free(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {}, no_wait = { .no_wait_gpu = true };
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_room room;
	int err;

	claim(&room, a, &anywhere, &ctx);
	glue_bo_try(dev, 'x', &glue_vram, &no_wait, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	glue_expect_evicted(dev, "");
	ttm_room_drop_claim(&room);
}

/* Also what is needed to evict, and may not wait for those that want it. */
static void so_does_an_eviction(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {}, evicting = { .evicting = true };
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_room room;
	int err;

	claim(&room, a, &anywhere, &ctx);
	glue_bo_try(dev, 'x', &glue_vram, &evicting, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	glue_expect_evicted(dev, "");
	ttm_room_drop_claim(&room);

	claim(&room, a, &anywhere, &evicting);
	KUNIT_EXPECT_TRUE(test, list_empty(&room.claim));
}

static void they_come_in_turn(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};
	struct ttm_room first, next;

	claim(&first, a, &anywhere, &ctx);
	claim(&next, a, &anywhere, &ctx);
	KUNIT_EXPECT_FALSE(test, ttm_room_is_held_back(&first));
	KUNIT_EXPECT_TRUE(test, ttm_room_is_held_back(&next));
	/* One that comes again comes last. */
	ttm_room_drop_claim(&first);
	ttm_room_claim(&first);
	KUNIT_EXPECT_TRUE(test, ttm_room_is_held_back(&first));
	KUNIT_EXPECT_FALSE(test, ttm_room_is_held_back(&next));
	ttm_room_drop_claim(&first);
	ttm_room_drop_claim(&next);
}

/* Most requests have room after that. */
static void the_first_wait_claims_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};
	struct ttm_room room;

	claim(&room, a, &anywhere, &ctx);
	ttm_room_drop_claim(&room);
	room.robbed = false;
	ttm_room_claim(&room);
	KUNIT_EXPECT_TRUE(test, list_empty(&room.claim));
	KUNIT_EXPECT_FALSE(test, ttm_manager_is_claimed(glue_vram_manager(dev),
							&a->tbo, &ctx));
}

static struct ttm_room others;

static void drop_the_others(struct work_struct *work)
{
	ttm_room_drop_claim(&others);
}

static DECLARE_DELAYED_WORK(others_end, drop_the_others);

/* Moving is dear: so nothing is moved. */
static void one_that_would_evict_waits_its_turn(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};

	glue_make_moving_dear(dev);
	claim(&others, a, &anywhere, &ctx);
	schedule_delayed_work(&others_end, HZ / 50);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	cancel_delayed_work_sync(&others_end);
	KUNIT_EXPECT_TRUE(test, list_empty(&others.claim));
}

/* x has waited for a, and waits for b, c and d with a claim. */
static void nothing_is_left_of_the_claim_of_a_killed_task(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i, err;

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[0], 0));
	fence = glue_emit(dev, 0, true);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], fence);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_put(bo[i]);

	dev->pages = 2;
	glue_begin_interruptible(fence);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, list_empty(&glue_vram_manager(dev)->claims));
	/* It has waited before, with success. */
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES - 1);
	glue_end_interruptible(fence);
}

static void a_signal_ends_its_turn(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .interruptible = true }, others = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_room room;
	int err;

	glue_make_moving_dear(dev);
	claim(&room, a, &anywhere, &others);
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	flush_signals(current);
	disallow_signal(SIGUSR1);
	KUNIT_EXPECT_EQ(test, err, -ERESTARTSYS);
	glue_expect_evicted(dev, "");
	KUNIT_EXPECT_TRUE(test,
			  list_is_singular(&glue_vram_manager(dev)->claims));
	ttm_room_drop_claim(&room);
}

static void a_part_of_the_memory_is_not_claimed(struct kunit *test)
{
	static const struct ttm_place parts[] = {
		{ .fpfn = 1, .mem_type = TTM_PL_VRAM },
		{ .lpfn = 1, .mem_type = TTM_PL_VRAM },
		{ .flags = TTM_PL_FLAG_CONTIGUOUS, .mem_type = TTM_PL_VRAM },
	};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = leave_a_page(dev);
	struct ttm_operation_ctx ctx = {};
	struct ttm_room room;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		claim(&room, a, &parts[i], &ctx);
		KUNIT_EXPECT_TRUE(test, list_empty(&room.claim));
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_first_that_waits_has_it),
	KUNIT_CASE(a_later_request_takes_what_it_evicts),
	KUNIT_CASE(one_that_can_evict_nothing_waits_its_turn),
	KUNIT_CASE(a_claim_without_progress_is_void),
	KUNIT_CASE(one_that_must_not_wait_takes_what_is_free),
	KUNIT_CASE(so_does_an_eviction),
	KUNIT_CASE(they_come_in_turn),
	KUNIT_CASE(the_first_wait_claims_nothing),
	KUNIT_CASE(one_that_would_evict_waits_its_turn),
	KUNIT_CASE(nothing_is_left_of_the_claim_of_a_killed_task),
	KUNIT_CASE(a_signal_ends_its_turn),
	KUNIT_CASE(a_part_of_the_memory_is_not_claimed),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_claim",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
