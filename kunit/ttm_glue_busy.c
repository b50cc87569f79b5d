// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Nothing is idle, and nothing becomes so soon: busy buffers are moved, if the driver can
 * let the next owner of the memory wait for that.
 */
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>

#include <kunit/static_stub.h>

#include <drm/ttm/ttm_bo_group.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define TIMEOUT HZ

/* The copies are jobs of channel 1. */
static int init(struct kunit *test)
{
	struct glue_device *dev;

	glue_set_timeout(test, TIMEOUT);
	glue_init(test);
	dev = test->priv;
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	return 0;
}

/* Fill VRAM with buffers that are used on channel 0 in this order, for ever. */
static void fill_busy(struct glue_device *dev, struct glue_bo **bo,
		      const char *order)
{
	glue_fill(dev, bo);
	for (; *order; order++)
		glue_use(bo[*order - 'a'], 0);
}

static void the_oldest_goes_first(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES], *x;

	fill_busy(dev, bo, "acbda");
	x = glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "c");
	/* Its memory is still written to: x is under the fence of the copy. */
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(x->tbo.base.resv,
							DMA_RESV_USAGE_KERNEL));
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_expect_sound(dev);

	glue_bo(dev, 'y', &glue_vram);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "cbd");
}

static void a_group_goes_in_its_turn(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *c;

	/* channel 0:  c   [a b]   c d */
	glue_member(group, 'a');
	glue_member(group, 'b');
	c = glue_bo(dev, 'c', &glue_vram);
	glue_use(c, 0);
	glue_use_group(group, 0);
	glue_use(c, 0);
	glue_use(glue_bo(dev, 'd', &glue_vram), 0);

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_bo(dev, 'y', &glue_vram);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "abc");
	glue_expect_sound(dev);
	ttm_bo_group_put(group);
}

/*
 *   page:  0  1
 *         [a  b]   busy as one; only b stands in the way
 */
static void a_member_that_is_of_no_use_hides_none_that_is(struct kunit *test)
{
	const struct ttm_place second = { 1, 2, TTM_PL_VRAM, 0 };
	const struct ttm_placement wanted = { 1, &second };
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);

	glue_member(group, 'a');
	glue_member(group, 'b');
	glue_use_group(group, 0);
	glue_bo(dev, 'x', &wanted);
	glue_expect_evicted(dev, "b");
	glue_expect_sound(dev);
	ttm_bo_group_put(group);
}

/* What shares the reservation object of who wants room, which is locked by that. */
static int try_among_its_own(struct glue_device *dev, bool allow)
{
	struct ttm_operation_ctx ctx = {
		.resv = &dev->vm_resv,
		.allow_res_evict = allow,
	};
	int i, err;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_use(glue_bo_shared(dev, 'a' + i), 0);
	dma_resv_lock(&dev->vm_resv, NULL);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, &dev->vm_resv, &err);
	dma_resv_unlock(&dev->vm_resv);
	return err;
}

static void what_the_allocator_has_locked_goes_if_it_says_so(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, try_among_its_own(test->priv, true), 0);
	glue_expect_evicted(test->priv, "a");
}

static void and_stays_if_it_does_not(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, try_among_its_own(test->priv, false), -ENOMEM);
	glue_expect_evicted(test->priv, "");
}

/* They are tried once, and not again and again. */
static void so_do_members_of_its_own_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct ttm_operation_ctx ctx = {};
	int i, err;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_member(group, 'a' + i);
	glue_use_group(group, 0);
	dma_resv_lock(&dev->vm_resv, NULL);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, &dev->vm_resv, &err);
	dma_resv_unlock(&dev->vm_resv);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_evicted(dev, "");
	ttm_bo_group_put(group);
}

/* The copy of a is under way, and its fence is in the reservation that b shares. */
static void a_move_under_way_hides_no_other_member(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_member(group, 'a' + i);
	glue_bo(dev, 'x', &glue_vram);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);
	glue_expect_sound(dev);
	ttm_bo_group_put(group);
}

static void what_is_locked_pinned_or_elsewhere_stays(struct kunit *test)
{
	const struct ttm_place place = { 1, 4, TTM_PL_VRAM, 0 };
	const struct ttm_placement placement = { 1, &place };
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err;

	/* a is in page 0, which is not wanted; b is locked, c pinned. */
	fill_busy(dev, bo, "abcd");
	glue_pin(bo[2]);
	glue_lock(bo[1]);
	glue_bo_try(dev, 'x', &placement, &ctx, NULL, &err);
	glue_unlock(bo[1]);
	KUNIT_EXPECT_EQ(test, err, 0);
	glue_expect_evicted(dev, "d");

	glue_unpin(bo[2]);
}

/* A driver that pipelines need not wait for one that would be idle soon. */
static void nothing_is_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	fill_busy(dev, bo, "abc");
	glue_complete_on_wait(glue_use(bo[3], 1));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);
}

/* Idle is not cold: c and d have been used since, by a client that waits for its jobs. */
static void a_busy_one_is_older_than_what_is_idle(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	fill_busy(dev, bo, "ab");
	glue_complete(glue_use(bo[2], 1));
	glue_complete(glue_use(bo[3], 1));
	glue_bo(dev, 'x', &glue_vram);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "abc");
}

/* So it is, if its memory has to be waited for. */
static void a_dead_one_is_older_than_what_is_idle(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_complete_on_wait(glue_use(bo[0], 0));
	glue_put(bo[0]);
	glue_complete(glue_use(bo[1], 1));
	glue_complete(glue_use(bo[2], 1));
	glue_complete(glue_use(bo[3], 1));
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

static void the_dead_come_in_their_turn(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	/* channel 0: a b c; channel 1: zombie d, for ever */
	fill_busy(dev, bo, "abc");
	glue_use(bo[3], 1);
	glue_put(bo[3]);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);
}

static void a_channel_known_to_hang_is_left_alone(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err;

	/* Without a driver that pipelines somebody waits in vain for channel 0. */
	dev->mover = NULL;
	fill_busy(dev, bo, "abcd");
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	dev->evicted[0] = '\0';

	/* The copy's fence makes x busy on channel 1, as c was. */
	dev->mover = &dev->channels[1];
	glue_use(bo[2], 1);
	glue_bo(dev, 'x', &glue_vram);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "cx");
}

/* The driver is asked, for it could order the next owner after the move. */
static void who_must_not_wait_is_offered_the_busy(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err;

	fill_busy(dev, bo, "abcd");
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	glue_expect_evicted(dev, "a");
}

static unsigned int nr_asked;

static void count(struct glue_device *dev)
{
	nr_asked++;
}

/* It says that it would have to wait; so it would for all others. */
static void a_driver_that_has_to_wait_is_asked_once(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err;

	dev->mover = NULL;
	dev->moving = count;
	nr_asked = 0;
	fill_busy(dev, bo, "abcd");
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, nr_asked, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);
	glue_expect_usage(dev, TTM_PL_TT, 0);
}

/* A signal, say: nobody waits any more, nor tries others. */
static void an_error_of_the_driver_ends_the_allocation(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err;

	fill_busy(dev, bo, "abcd");
	dev->refuse_moves = 1;
	dev->refusal = -ERESTARTSYS;
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ERESTARTSYS);
	glue_expect_evicted(dev, "");
	glue_expect_usage(dev, TTM_PL_TT, 0);
}

static unsigned int count_complaints(struct kmsg_dump_iter *iter)
{
	unsigned int complaints = 0;
	char line[128];
	size_t len;

	while (kmsg_dump_get_line(iter, false, line, sizeof(line), &len))
		if (strnstr(line, "Buffer eviction failed", len))
			complaints++;
	return complaints;
}

/* Evict an idle buffer; the driver would have to wait for the first one it is asked. */
static void expect_complaints(struct kunit *test, bool no_wait,
			      unsigned int complaints)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = no_wait };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct kmsg_dump_iter iter;
	int err;

	glue_fill(dev, bo);
	dev->refuse_moves = 1;
	kmsg_dump_rewind(&iter);
	iter.cur_seq = iter.next_seq;
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, count_complaints(&iter), complaints);
	glue_expect_evicted(dev, "b");
}

static void who_only_tries_does_not_complain(struct kunit *test)
{
	expect_complaints(test, true, 0);
}

static void who_would_have_waited_does(struct kunit *test)
{
	expect_complaints(test, false, 1);
}

static struct kunit_case busy_cases[] = {
	KUNIT_CASE(the_oldest_goes_first),
	KUNIT_CASE(a_group_goes_in_its_turn),
	KUNIT_CASE(a_member_that_is_of_no_use_hides_none_that_is),
	KUNIT_CASE(what_the_allocator_has_locked_goes_if_it_says_so),
	KUNIT_CASE(and_stays_if_it_does_not),
	KUNIT_CASE(so_do_members_of_its_own_group),
	KUNIT_CASE(a_move_under_way_hides_no_other_member),
	KUNIT_CASE(what_is_locked_pinned_or_elsewhere_stays),
	KUNIT_CASE(nothing_is_waited_for),
	KUNIT_CASE(a_busy_one_is_older_than_what_is_idle),
	KUNIT_CASE(a_dead_one_is_older_than_what_is_idle),
	KUNIT_CASE(the_dead_come_in_their_turn),
	KUNIT_CASE(a_channel_known_to_hang_is_left_alone),
	KUNIT_CASE(who_must_not_wait_is_offered_the_busy),
	KUNIT_CASE(a_driver_that_has_to_wait_is_asked_once),
	KUNIT_CASE(an_error_of_the_driver_ends_the_allocation),
	KUNIT_CASE(who_only_tries_does_not_complain),
	KUNIT_CASE(who_would_have_waited_does),
	{}
};

static struct kunit_suite busy_suite = {
	.name = "ttm_fence_lru_glue_busy",
	.init = init,
	.exit = glue_exit,
	.test_cases = busy_cases,
};

kunit_test_suite(busy_suite);
