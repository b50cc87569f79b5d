// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "swgpu_drv.h"

/**
 * DOC: overview
 *
 * swgpu is a GPU without hardware: VRAM is ordinary memory, GTT is real, and
 * threads play the channels' engines. To TTM it is a driver like any other, so
 * whatever TTM does for a GPU under load can be run, measured and checked
 * anywhere. One module has both of TTM's ways to delete a busy buffer:
 * delayed delete by work items and the fence-ordered LRU.
 */

#define MAX_MEMORY_MB SZ_1M

static bool param_fence_lru = true;
module_param_named(fence_lru, param_fence_lru, bool, 0444);
MODULE_PARM_DESC(fence_lru,
		 "Fence-ordered LRU instead of delayed delete (default: on)");

static unsigned int param_vram_mb = 256;
module_param_named(vram_mb, param_vram_mb, uint, 0444);
MODULE_PARM_DESC(vram_mb, "Size of VRAM in MiB (default: 256)");

static unsigned int param_gtt_mb = 1024;
module_param_named(gtt_mb, param_gtt_mb, uint, 0444);
MODULE_PARM_DESC(gtt_mb, "Size of GTT in MiB (default: 1024)");

static bool param_measure = true;
module_param_named(measure, param_measure, bool, 0444);
MODULE_PARM_DESC(measure,
		 "Count by the kernel's tracepoints too (default: on)");

static bool param_broken;
module_param_named(broken, param_broken, bool, 0444);
MODULE_PARM_DESC(broken, "Attach no fences; tags must catch it (default: off)");

static struct swgpu_device *swgpu;

static int open(struct drm_device *drm, struct drm_file *file)
{
	struct swgpu_file *sfile = kzalloc(sizeof(*sfile), GFP_KERNEL);

	if (!sfile)
		return -ENOMEM;
	sfile->sdev = to_swgpu(drm);
	xa_init_flags(&sfile->channels, XA_FLAGS_ALLOC1);
	file->driver_priv = sfile;
	return 0;
}

/* The file's buffers are gone already, perhaps while its jobs still run. */
static void postclose(struct drm_device *drm, struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;

	swgpu_channels_destroy(sfile);
	kfree(sfile);
}

static void debugfs_init(struct drm_minor *minor)
{
	struct swgpu_device *sdev = to_swgpu(minor->dev);

	ttm_resource_manager_create_debugfs(ttm_manager_type(&sdev->ttm,
							     TTM_PL_VRAM),
					    minor->debugfs_root, "vram_mm");
	ttm_resource_manager_create_debugfs(ttm_manager_type(&sdev->ttm,
							     TTM_PL_TT),
					    minor->debugfs_root, "gtt_mm");
}

static const struct drm_ioctl_desc ioctls[] = {
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_CREATE, swgpu_gem_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_MAP, swgpu_gem_map_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_WAIT, swgpu_gem_wait_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_CHANNEL_CREATE, swgpu_channel_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_CHANNEL_DESTROY, swgpu_channel_destroy_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_SUBMIT, swgpu_submit_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_FAULT, swgpu_fault_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_STATS, swgpu_stats_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_DRAIN, swgpu_drain_ioctl, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(fops);

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.name = "swgpu",
	.desc = "software GPU on TTM",
	.date = "20260101",
	.major = 1,
	.minor = 0,
	.fops = &fops,
	.open = open,
	.postclose = postclose,
	.debugfs_init = debugfs_init,
	.ioctls = ioctls,
	.num_ioctls = ARRAY_SIZE(ioctls),
};

static int check_params(void)
{
	u64 vram_pages = ((u64)param_vram_mb << 20) >> PAGE_SHIFT;

	if (!param_vram_mb || param_vram_mb > MAX_MEMORY_MB) {
		pr_err("swgpu: vram_mb=%u: must be 1 to %u\n", param_vram_mb,
		       MAX_MEMORY_MB);
		return -EINVAL;
	}
	if (!param_gtt_mb || param_gtt_mb > MAX_MEMORY_MB) {
		pr_err("swgpu: gtt_mb=%u: must be 1 to %u\n", param_gtt_mb,
		       MAX_MEMORY_MB);
		return -EINVAL;
	}
	if (vram_pages > totalram_pages() / 4 * 3) {
		pr_err("swgpu: vram_mb=%u: more than three quarters of this machine's memory\n",
		       param_vram_mb);
		return -EINVAL;
	}
	return 0;
}

static int bring_up(struct platform_device *pdev)
{
	struct swgpu_device *sdev;
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	sdev = devm_drm_dev_alloc(&pdev->dev, &driver, struct swgpu_device,
				  drm);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	sdev->vram_bytes = (u64)param_vram_mb << 20;
	sdev->gtt_bytes = (u64)param_gtt_mb << 20;
	sdev->broken = param_broken;

	ret = swgpu_measure_init(sdev, param_measure);
	if (ret)
		return ret;
	ret = swgpu_ttm_init(sdev, param_fence_lru);
	if (ret)
		return ret;
	drm_debugfs_add_file(&sdev->drm, "stats", swgpu_stats_show, NULL);
	ret = drm_dev_register(&sdev->drm, 0);
	if (ret)
		return ret;

	drm_info(&sdev->drm, "%u MiB of VRAM, %u MiB of GTT, %s\n",
		 param_vram_mb, param_gtt_mb,
		 param_fence_lru ? "fence-ordered LRU" : "delayed delete");
	if (param_broken)
		drm_warn(&sdev->drm,
			 "broken on purpose: memory is released too early\n");
	swgpu = sdev;
	return 0;
}

static int __init swgpu_init(void)
{
	struct platform_device *pdev;
	int ret;

	ret = check_params();
	if (ret)
		return ret;
	pdev = platform_device_register_simple("swgpu", PLATFORM_DEVID_NONE,
					       NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	if (!devres_open_group(&pdev->dev, NULL, GFP_KERNEL)) {
		ret = -ENOMEM;
		goto unregister;
	}
	ret = bring_up(pdev);
	if (ret)
		goto release;
	return 0;

release:
	devres_release_group(&pdev->dev, NULL);
unregister:
	platform_device_unregister(pdev);
	return ret;
}

static void __exit swgpu_exit(void)
{
	struct platform_device *pdev = to_platform_device(swgpu->drm.dev);

	drm_dev_unregister(&swgpu->drm);
	devres_release_group(&pdev->dev, NULL);
	platform_device_unregister(pdev);
}

module_init(swgpu_init);
module_exit(swgpu_exit);

MODULE_DESCRIPTION("software GPU on TTM");
MODULE_LICENSE("Dual MIT/GPL");
