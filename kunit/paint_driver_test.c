// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the second driver of the guide does: the same with its device opted in, and without;
 * only what TTM has to say of dead buffers differs.
 */

#include <kunit/test.h>

#include <linux/prandom.h>

#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>

#include "paint_driver.h"

#define ALL (PAINT_VRAM_PAGES * PAGE_SIZE)

struct paint_param {
	const char *name;
	bool opt_in;
};

static const struct paint_param params[] = {
	{ "opted in", true },
	{ "as before", false },
};

static void param_name(const struct paint_param *param, char *name)
{
	strscpy(name, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(paint, params, param_name);

static bool opted_in(struct kunit *test)
{
	return ((const struct paint_param *)test->param_value)->opt_in;
}

static int paint_init(struct kunit *test)
{
	struct paint_device *dev =
		kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	struct device *parent = drm_kunit_helper_alloc_device(test);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	drm = __drm_kunit_helper_alloc_drm_device(test, parent, sizeof(*drm), 0,
						  DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	KUNIT_ASSERT_EQ(test, 0, paint_device_init(dev, drm, opted_in(test)));
	test->priv = dev;
	return 0;
}

static void paint_exit(struct kunit *test)
{
	struct paint_device *dev = test->priv;

	if (!dev)
		return;
	if (dev->bdev.fence_lru)
		KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(dev->bdev.fence_lru,
							    NULL));
	paint_device_fini(dev);
}

static struct paint_bo *create(struct kunit *test, size_t size)
{
	struct paint_bo *bo = paint_bo_create(test->priv, size);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	return bo;
}

static void fill(struct kunit *test, struct paint_bo *bo, u8 colour)
{
	KUNIT_ASSERT_EQ(test, 0, paint_bo_fill(bo, colour));
}

/* What nobody can have: what is alive, and what the GPU still uses. */
static u64 in_use(struct paint_device *dev)
{
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);

	/* Without the engine a work item releases the dead. */
	flush_workqueue(dev->bdev.wq);
	return ttm_resource_manager_live_usage(man);
}

static void expect_dead(struct kunit *test, u64 dead, u64 ripe)
{
	struct paint_device *dev = test->priv;
	u64 ripe_now;

	/* A report is up to 10 ms old. */
	if (dev->bdev.fence_lru)
		ttm_fence_lru_retire(dev->bdev.fence_lru);
	KUNIT_EXPECT_EQ(test, opted_in(test) ? dead : 0,
			ttm_device_zombies(&dev->bdev, TTM_PL_VRAM, &ripe_now));
	KUNIT_EXPECT_EQ(test, opted_in(test) ? ripe : 0, ripe_now);
}

static void a_job_paints_its_buffer(struct kunit *test)
{
	struct paint_bo *a = create(test, 2 * PAGE_SIZE);
	struct paint_bo *b = create(test, PAGE_SIZE);

	fill(test, a, 'a');
	fill(test, b, 'b');
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(a, 'a'));
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(b, 'b'));
	KUNIT_EXPECT_EQ(test, 0, paint_bo_has(a, 'b'));
	paint_bo_put(a);
	paint_bo_put(b);
}

static void an_idle_buffer_goes_at_once(struct kunit *test)
{
	struct paint_bo *a = create(test, PAGE_SIZE);

	fill(test, a, 'a');
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(a, 'a'));
	paint_bo_put(a);
	expect_dead(test, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, in_use(test->priv));
}

static void a_busy_buffer_is_kept_until_its_job_has_run(struct kunit *test)
{
	struct paint_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct paint_bo *a = create(test, 4 * PAGE_SIZE);

	paint_pause(dev);
	fill(test, a, 'a');
	paint_bo_put(a);
	expect_dead(test, 4 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, 4 * PAGE_SIZE,
			ttm_resource_manager_live_usage(man));

	paint_resume(dev);
	paint_flush(dev);
	expect_dead(test, 4 * PAGE_SIZE, 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, in_use(dev));

	/* It is had by the next buffer that needs it. */
	a = create(test, ALL);
	expect_dead(test, 0, 0);
	KUNIT_EXPECT_EQ(test, ALL, in_use(dev));
	paint_bo_put(a);
}

/* The job of the dead buffer comes late: it must not paint the one that got its memory. */
static void a_late_job_paints_nobody_elses_buffer(struct kunit *test)
{
	struct paint_device *dev = test->priv;
	struct paint_bo *a = create(test, ALL);
	struct paint_bo *b;

	paint_pause(dev);
	fill(test, a, 'a');
	paint_bo_put(a);
	paint_resume(dev);

	/* It may have to wait for the job. */
	b = create(test, ALL);
	memset(dev->vram, 'b', ALL);
	paint_flush(dev);
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(b, 'b'));
	paint_bo_put(b);
}

static void an_evicted_buffer_keeps_what_is_in_it(struct kunit *test)
{
	struct paint_device *dev = test->priv;
	struct paint_bo *a = create(test, 4 * PAGE_SIZE);
	struct paint_bo *b;

	fill(test, a, 'a');
	b = create(test, ALL);
	fill(test, b, 'b');
	KUNIT_EXPECT_EQ(test, TTM_PL_SYSTEM, a->tbo.resource->mem_type);
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(a, 'a'));
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(b, 'b'));
	paint_bo_put(a);
	paint_bo_put(b);
	KUNIT_EXPECT_EQ(test, 0, in_use(dev));
}

static void a_channel_that_hangs_keeps_no_memory(struct kunit *test)
{
	struct paint_device *dev = test->priv;
	struct paint_bo *a = create(test, ALL);

	paint_pause(dev);
	fill(test, a, 'a');
	paint_bo_put(a);
	paint_kill(dev);
	expect_dead(test, ALL, ALL);
	KUNIT_EXPECT_EQ(test, 0, in_use(dev));

	a = create(test, ALL);
	KUNIT_EXPECT_EQ(test, -ENODEV, paint_bo_fill(a, 'a'));
	paint_bo_put(a);
}

#define SLOTS 8
#define STEPS 400

struct slot {
	struct paint_bo *bo;
	u8 colour;
};

static void die(struct kunit *test, struct slot *slot, bool busy)
{
	KUNIT_EXPECT_EQ(test, 1, paint_bo_has(slot->bo, slot->colour));
	if (busy) {
		paint_pause(test->priv);
		fill(test, slot->bo, 0);
	}
	paint_bo_put(slot->bo);
	slot->bo = NULL;
	paint_resume(test->priv);
}

/* More than fits lives at a time; what lives has its own colour whatever dies. */
static void buffers_come_and_go(struct kunit *test)
{
	struct paint_device *dev = test->priv;
	struct slot *slot, slots[SLOTS] = {};
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	unsigned int i;
	size_t size;

	kunit_info(test, "seed %u\n", seed);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < STEPS; i++) {
		slot = &slots[prandom_u32_state(&rnd) % SLOTS];
		if (slot->bo) {
			die(test, slot, prandom_u32_state(&rnd) % 8);
			continue;
		}
		slot->colour = 1 + i % 255;
		size = PAGE_SIZE << prandom_u32_state(&rnd) % 4;
		slot->bo = create(test, size);
		fill(test, slot->bo, slot->colour);
	}
	for (slot = slots; slot < slots + SLOTS; slot++)
		if (slot->bo)
			die(test, slot, true);

	paint_flush(dev);
	if (opted_in(test))
		ttm_fence_lru_retire(dev->bdev.fence_lru);
	KUNIT_EXPECT_EQ(test, 0, in_use(dev));
}

static struct kunit_case paint_cases[] = {
	KUNIT_CASE_PARAM(a_job_paints_its_buffer, paint_gen_params),
	KUNIT_CASE_PARAM(an_idle_buffer_goes_at_once, paint_gen_params),
	KUNIT_CASE_PARAM(a_busy_buffer_is_kept_until_its_job_has_run,
			 paint_gen_params),
	KUNIT_CASE_PARAM(a_late_job_paints_nobody_elses_buffer,
			 paint_gen_params),
	KUNIT_CASE_PARAM(an_evicted_buffer_keeps_what_is_in_it,
			 paint_gen_params),
	KUNIT_CASE_PARAM(a_channel_that_hangs_keeps_no_memory,
			 paint_gen_params),
	KUNIT_CASE_PARAM(buffers_come_and_go, paint_gen_params),
	{}
};

static struct kunit_suite paint_suite = {
	.name = "ttm_fence_lru_paint_driver",
	.init = paint_init,
	.exit = paint_exit,
	.test_cases = paint_cases,
};

kunit_test_suite(paint_suite);
