// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Devices and buffers of real TTM: VRAM that nobody can reach, and pages.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_device.h"

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM,
	.name = "ttm-fence-lru-bench",
	.desc = "benchmark of the fence-ordered LRU",
#ifdef DRIVERS_HAVE_A_DATE
	.date = "20260101",
#endif
	.major = 1,
};

static struct ttm_tt *create_tt(struct ttm_buffer_object *tbo, u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, tbo, page_flags, ttm_cached, 0)) {
		kfree(tt);
		return NULL;
	}
	return tt;
}

static void destroy_tt(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

/* Nothing is ever evicted here. */
static void evict_flags(struct ttm_buffer_object *tbo,
			struct ttm_placement *placement)
{
	placement->num_placement = 0;
}

static int move_buffer(struct ttm_buffer_object *tbo, bool evict,
		       struct ttm_operation_ctx *ctx,
		       struct ttm_resource *new_mem, struct ttm_place *hop)
{
	ttm_bo_move_null(tbo, new_mem);
	return 0;
}

static const struct ttm_device_funcs device_funcs = {
	.ttm_tt_create = create_tt,
	.ttm_tt_destroy = destroy_tt,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
	.move = move_buffer,
};

static void destroy_bo(struct ttm_buffer_object *tbo)
{
	struct bench_bo *bo = container_of(tbo, struct bench_bo, tbo);
	struct bench_device *dev = bo->dev;

	drm_gem_object_release(&tbo->base);
	kfree(bo);
	if (atomic_dec_return(&dev->nr_bos) == READ_ONCE(dev->wake_at))
		wake_up_var(&dev->nr_bos);
}

/* NULL if it could not be had. */
struct bench_bo *bench_bo_create(struct bench_device *dev, bool pages)
{
	const struct ttm_place place = {
		.mem_type = pages ? TTM_PL_TT : TTM_PL_VRAM,
	};
	struct ttm_placement placement = {
		.num_placement = 1,
		.placement = &place,
	};
	struct ttm_operation_ctx ctx = {};
	struct bench_bo *bo;

	bo = kzalloc_obj(*bo);
	if (!bo)
		return NULL;
	bo->dev = dev;
	atomic_inc(&dev->nr_bos);
	drm_gem_private_object_init(dev->drm, &bo->tbo.base, PAGE_SIZE);

	/* Destroys it if it fails. */
	if (ttm_bo_init_reserved(&dev->bdev, &bo->tbo, ttm_bo_type_device,
				 &placement, 1, &ctx, NULL, NULL, destroy_bo))
		return NULL;
	ttm_bo_unreserve(&bo->tbo);
	return bo;
}

static int init_managers(struct ttm_device *bdev, unsigned int pages)
{
	int ret;

	ret = ttm_range_man_init(bdev, TTM_PL_VRAM, false, pages);
	if (ret)
		return ret;

	ret = ttm_range_man_init(bdev, TTM_PL_TT, true, pages);
	if (ret)
		ttm_range_man_fini(bdev, TTM_PL_VRAM);
	return ret;
}

static int device_init(struct bench_device *dev, struct drm_device *drm,
		       const struct bench_flavour *flavour, unsigned int pages)
{
	int ret;

	dev->drm = drm;
	dev->flavour = flavour;
	dev->wake_at = -1;
	ret = ttm_device_init(&dev->bdev, &device_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (ret)
		return ret;

	if (flavour->enable)
		ret = flavour->enable(&dev->bdev);
	if (!ret)
		ret = init_managers(&dev->bdev, pages);
	if (ret)
		ttm_device_fini(&dev->bdev);
	return ret;
}

static void device_fini(struct bench_device *dev)
{
	ttm_range_man_fini(&dev->bdev, TTM_PL_TT);
	ttm_range_man_fini(&dev->bdev, TTM_PL_VRAM);
	ttm_device_fini(&dev->bdev);
}

int bench_device_configure(struct bench_device *dev,
			   const struct bench_config *config)
{
	const struct bench_flavour *flavour = dev->flavour;
	int ret = -ENOMEM;

	dev->bos = kvcalloc(config->buffers, sizeof(*dev->bos), GFP_KERNEL);
	dev->channels =
		kvcalloc(config->channels, sizeof(*dev->channels), GFP_KERNEL);
	if (!dev->bos || !dev->channels)
		goto free;

	bench_channels_init(dev->channels, config->channels);
	if (flavour->enable) {
		ret = bench_channels_register(dev->channels, config->channels,
					      flavour->fence_lru(&dev->bdev));
		if (ret)
			goto free;
	}
	dev->nr_channels = config->channels;
	return 0;

free:
	kvfree(dev->channels);
	kvfree(dev->bos);
	return ret;
}

void bench_device_unconfigure(struct bench_device *dev)
{
	if (dev->flavour->enable)
		bench_channels_unregister(dev->channels, dev->nr_channels);
	kvfree(dev->channels);
	kvfree(dev->bos);
}

static struct drm_device *drm_create(void)
{
	struct platform_device *pdev;
	struct drm_device *drm;

	pdev = platform_device_register_simple(driver.name, PLATFORM_DEVID_NONE,
					       NULL, 0);
	if (IS_ERR(pdev))
		return ERR_CAST(pdev);

	drm = drm_dev_alloc(&driver, &pdev->dev);
	if (IS_ERR(drm))
		platform_device_unregister(pdev);
	return drm;
}

static void drm_destroy(struct drm_device *drm)
{
	struct platform_device *pdev = to_platform_device(drm->dev);

	drm_dev_put(drm);
	platform_device_unregister(pdev);
}

/* @pages: how large VRAM is, and what pages may lie in. Returns an error pointer if it fails. */
struct bench_devices *bench_devices_create(unsigned int nr, unsigned int pages)
{
	struct bench_devices *devs = kzalloc_obj(*devs);
	int ret = 0;

	if (!devs)
		return ERR_PTR(-ENOMEM);
	devs->drm = drm_create();
	if (IS_ERR(devs->drm)) {
		ret = PTR_ERR(devs->drm);
		kfree(devs);
		return ERR_PTR(ret);
	}

	while (devs->nr < nr && !ret) {
		ret = device_init(&devs->devs[devs->nr], devs->drm,
				  bench_flavours[devs->nr], pages);
		devs->nr += !ret;
	}
	if (!ret)
		return devs;
	bench_devices_destroy(devs);
	return ERR_PTR(ret);
}

void bench_devices_destroy(struct bench_devices *devs)
{
	while (devs->nr)
		device_fini(&devs->devs[--devs->nr]);
	drm_destroy(devs->drm);
	kfree(devs);
}

/* The flavours in turn, again and again; the first time for practice only. */
int bench_devices_sample(struct bench_devices *devs, bench_sample sample,
			 const struct bench_measurement *measurement,
			 struct dma_fence *fences,
			 struct bench_results *results)
{
	unsigned int rep, i, n;
	int ret = 0;

	for (rep = 0; rep <= measurement->repetitions; rep++)
		for (i = 0; i < measurement->nr_configs; i++)
			for (n = 0; n < devs->nr && !ret; n++)
				ret = sample(&devs->devs[n],
					     &measurement->configs[i], fences,
					     rep ? results : NULL);
	return ret;
}
