// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Idle buffers are not evicted while zombies that hold as much are about to go.
 */
#include "ttm_glue_helpers.h"

/* Long enough for any machine. Moving is dear, and the channels go on fast. */
static int init(struct kunit *test)
{
	struct glue_device *dev;
	int i, ret;

	glue_set_moment(test, 10 * HZ);
	ret = glue_init(test);
	if (ret)
		return ret;

	dev = test->priv;
	glue_make_moving_dear(dev);
	for (i = 0; i < 2; i++) {
		dev->channels[i].base.pace = 1;
		dev->channels[i].base.looked_at = ktime_get_ns();
		dev->channels[i].base.looked_for = 1;
	}
	return 0;
}

static struct glue_fence *make_zombie(struct glue_bo *bo, unsigned int channel)
{
	struct glue_fence *fence = glue_use(bo, channel);

	glue_put(bo);
	return fence;
}

static void idle_buffers_are_spared_while_a_zombie_is_due(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(make_zombie(bo[3], 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "abcx", 0);
}

/* The first fence brings nothing yet. */
static void they_are_spared_until_it_is_gone(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[3], 0));
	make_zombie(bo[3], 1)->on_wait = glue_sleep_a_moment;
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

static void not_if_zombies_hold_too_little(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(make_zombie(bo[3], 0));
	dev->pages = 2;
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_zombies(dev, 1, 0);
}

static void nor_if_they_are_in_other_memory(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(make_zombie(glue_bo(dev, 'z', &glue_gtt), 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_zombies(dev, 1, 0);
}

/*
 *   channel 0:  c   zombie d      c hangs: that delays x
 *   channel 0:  zombie d   c      still, though c is used again: neither y nor z waits
 */
static void a_late_one_is_not_waited_for_first_again(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *hung, *dead;

	glue_fill(dev, bo);
	hung = glue_use(bo[2], 0);
	dead = make_zombie(bo[3], 0);
	glue_set_moment(test, 1);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);

	glue_use(bo[2], 0);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);

	/* It goes on, so what is dead there is due. */
	glue_complete(hung);
	glue_set_moment(test, 10 * HZ);
	glue_complete_on_wait(dead);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "ab");
	glue_expect_zombies(dev, 0, 0);
}

static void expect_evicted_in(struct glue_device *dev, unsigned int fpfn,
			      unsigned int lpfn, const char *names)
{
	const struct ttm_place place = {
		.fpfn = fpfn,
		.lpfn = lpfn,
		.mem_type = TTM_PL_VRAM,
	};
	const struct ttm_placement placement = { 1, &place };

	glue_bo(dev, 'x', &placement);
	glue_expect_evicted(dev, names);
}

/* The zombies b and d are in the way of neither x. */
static void nor_if_only_a_part_will_do(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(make_zombie(bo[1], 0));
	glue_complete_on_wait(make_zombie(bo[3], 0));
	expect_evicted_in(dev, 0, 1, "a");
	expect_evicted_in(dev, GLUE_VRAM_PAGES - 2, 0, "ac");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

/* c is late, and d alone is too little. */
static void what_late_ones_hold_does_not_count(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	make_zombie(bo[2], 0);
	glue_make_late(&dev->channels[0], 10 * HZ);
	glue_complete_on_wait(make_zombie(bo[3], 1));
	dev->pages = 2;
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);
}

static void expect_waiting(struct glue_device *dev, bool first, bool second)
{
	struct glue_channel *channels = dev->channels;

	KUNIT_EXPECT_EQ(dev->test, !!channels[0].base.waiting_for, first);
	KUNIT_EXPECT_EQ(dev->test, !!channels[1].base.waiting_for, second);
}

/* Channel 0 goes on, but not fast enough: what follows there may be worth the wait. */
static void who_goes_on_is_not_late(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_use(bo[3], 0)->on_wait = glue_sleep_a_moment;
	make_zombie(bo[3], 1);
	glue_set_moment(test, HZ / 4);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	expect_waiting(dev, false, true);
}

/* It would take too long, as far as one can tell. */
static void nor_if_they_come_late(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	dev->channels[0].base.pace = 60 * (u64)NSEC_PER_SEC;
	glue_complete_on_wait(make_zombie(bo[3], 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void nor_if_nobody_can_tell(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	dev->channels[0].base.pace = 0;
	glue_complete_on_wait(make_zombie(bo[3], 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

/* It costs less to move what is idle. */
static void nor_if_moving_is_cheap(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	ttm_manager_type(&dev->bdev, TTM_PL_VRAM)->evict_cost.page_ns = 0;
	glue_complete_on_wait(make_zombie(bo[3], 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

/* It has to go in any case. */
static void nor_if_nothing_comes_back(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_vram_manager(dev)->evict_cost.back = 0;
	glue_complete_on_wait(make_zombie(bo[3], 0));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

/* c hangs, and so does d, though it is also on a channel that goes on. */
static void that_others_go_on_is_no_excuse(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	make_zombie(bo[2], 0);
	glue_use(bo[3], 0);
	glue_complete_on_wait(make_zombie(bo[3], 1));
	glue_set_moment(test, HZ / 4);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	expect_waiting(dev, true, false);
}

/* They are too little to wait for first, and others are older. */
static void what_is_not_waited_for_is_not_late(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[0], 1));
	glue_complete_on_wait(glue_use(bo[1], 1));
	glue_complete_on_wait(glue_use(bo[2], 1));
	make_zombie(bo[3], 0);
	dev->pages = 2;
	glue_set_moment(test, HZ / 10);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_NULL(test, dev->channels[0].base.waiting_for);
}

/* a is under a fence of no channel, which says nothing of zombies. */
static void a_late_fence_of_others_is_not(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	glue_use(bo[0], GLUE_FOREIGN);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_complete_on_wait(glue_use(bo[i], 0));
	glue_set_moment(test, HZ / 10);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "b");
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	expect_waiting(dev, false, false);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(idle_buffers_are_spared_while_a_zombie_is_due),
	KUNIT_CASE(they_are_spared_until_it_is_gone),
	KUNIT_CASE(not_if_zombies_hold_too_little),
	KUNIT_CASE(nor_if_they_are_in_other_memory),
	KUNIT_CASE(nor_if_only_a_part_will_do),
	KUNIT_CASE(nor_if_they_come_late),
	KUNIT_CASE(nor_if_nobody_can_tell),
	KUNIT_CASE(nor_if_moving_is_cheap),
	KUNIT_CASE(nor_if_nothing_comes_back),
	KUNIT_CASE(a_late_one_is_not_waited_for_first_again),
	KUNIT_CASE(what_late_ones_hold_does_not_count),
	KUNIT_CASE(who_goes_on_is_not_late),
	KUNIT_CASE(that_others_go_on_is_no_excuse),
	KUNIT_CASE(what_is_not_waited_for_is_not_late),
	KUNIT_CASE(a_late_fence_of_others_is_not),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_spare",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
