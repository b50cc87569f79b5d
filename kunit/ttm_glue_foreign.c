// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The module of a foreign fence unloads. Its operations are memory of their own here, which
 * is freed: KASAN reports those that look at them afterwards.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "ttm_glue_helpers.h"

/**
 * struct foreign_module - what goes when the module does
 * @ops: of its fences
 * @lock: of its fences
 * @context: of its fences
 * @seqno: of the last fence
 * @completed: sequence number of the last that has signaled
 * @fences: that exist
 */
struct foreign_module {
	struct dma_fence_ops ops;
	spinlock_t lock; /* of its fences */
	u64 context;
	u64 seqno;
	u64 completed;
	unsigned int fences;
};

static struct foreign_module *to_module(struct dma_fence *fence)
{
	/* They stay, as the module wants to know of the fence's release. */
	return container_of((__force const struct dma_fence_ops *)fence->ops,
			    struct foreign_module, ops);
}

static const char *foreign_name(struct dma_fence *fence)
{
	return "foreign";
}

static bool foreign_signaled(struct dma_fence *fence)
{
	return fence->seqno <= to_module(fence)->completed;
}

static void foreign_release(struct dma_fence *fence)
{
	to_module(fence)->fences--;
	dma_fence_free(fence);
}

static struct foreign_module *load(struct kunit *test)
{
	struct foreign_module *module = kzalloc_obj(*module);

	KUNIT_ASSERT_NOT_NULL(test, module);
	module->ops.get_driver_name = foreign_name;
	module->ops.get_timeline_name = foreign_name;
	module->ops.signaled = foreign_signaled;
	module->ops.release = foreign_release;
	module->context = dma_fence_context_alloc(1);
	spin_lock_init(&module->lock);
	return module;
}

/* A module waits for the last of its fences before it unloads. */
static void unload(struct kunit *test, struct foreign_module *module)
{
	KUNIT_ASSERT_EQ(test, module->fences, 0);
	synchronize_rcu();
	kfree(module);
}

/* Its fence gets into the buffer's reservation object behind TTM's back. */
static void use(struct glue_bo *bo, struct foreign_module *module)
{
	struct kunit *test = bo->dev->test;
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &module->ops, &module->lock, module->context,
		       ++module->seqno);
	module->fences++;
	glue_lock(bo);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(bo->tbo.base.resv, 1), 0);
	dma_resv_add_fence(bo->tbo.base.resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	glue_unlock(bo);
	dma_fence_put(fence);
}

static void print_nothing(struct drm_printer *p, struct va_format *vaf)
{
}

/* All that looks at buffers, dead or alive. */
static void look_everywhere(struct glue_device *dev)
{
	struct drm_printer p = { .printfn = print_nothing };

	ttm_device_trim(&dev->bdev);
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	ttm_device_print_zombies(&dev->bdev, &p);
	ttm_device_drain(&dev->bdev);
	glue_expect_sound(dev);
}

static void a_zombie_once_carried_its_fence(struct kunit *test)
{
	struct foreign_module *module = load(test);
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	use(a, module);
	glue_put(a);
	look_everywhere(dev);
	glue_expect_zombies(dev, 1, 1);
	KUNIT_EXPECT_EQ(test, module->fences, 1);

	module->completed = module->seqno;
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 0, 0);
	unload(test, module);
	look_everywhere(dev);
}

static void a_zombie_of_a_channel_once_carried_its_fence(struct kunit *test)
{
	struct foreign_module *module = load(test);
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	use(a, module);
	glue_put(a);
	glue_complete(fence);
	look_everywhere(dev);
	/* It has left its channel, and waits for the other fence. */
	glue_expect_zombies(dev, 1, 1);

	module->completed = module->seqno;
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 0, 0);
	unload(test, module);
	look_everywhere(dev);
}

static void a_living_buffer_once_carried_its_fence(struct kunit *test)
{
	struct foreign_module *module = load(test);
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence;

	use(a, module);
	module->completed = module->seqno;
	/* The next fence takes the place of one that has signaled. */
	fence = glue_use(a, 0);
	unload(test, module);
	look_everywhere(dev);
	glue_put(a);
	look_everywhere(dev);
	glue_expect_zombies(dev, 1, 0);
	glue_complete(fence);
	look_everywhere(dev);
	glue_expect_zombies(dev, 0, 0);
}

static void a_buffer_died_after_its_fence_had_signaled(struct kunit *test)
{
	struct foreign_module *module = load(test);
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	use(a, module);
	module->completed = module->seqno;
	glue_put(a);
	glue_expect_zombies(dev, 0, 0);
	unload(test, module);
	look_everywhere(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_zombie_once_carried_its_fence),
	KUNIT_CASE(a_zombie_of_a_channel_once_carried_its_fence),
	KUNIT_CASE(a_living_buffer_once_carried_its_fence),
	KUNIT_CASE(a_buffer_died_after_its_fence_had_signaled),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_foreign",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
