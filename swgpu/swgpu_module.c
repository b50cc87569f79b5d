// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "swgpu_drv.h"

#define MAX_MEMORY_MB SZ_1M
#define MAX_DEVICES 4
#define MAX_TIMEOUT_MS 3600000

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

static unsigned int param_devices = 1;
module_param_named(devices, param_devices, uint, 0444);
MODULE_PARM_DESC(devices, "How many there are (default: 1)");

static bool param_shrinker = true;
module_param_named(shrinker, param_shrinker, bool, 0444);
MODULE_PARM_DESC(shrinker,
		 "Let the system have the pages of dead buffers (default: on)");

static bool param_measure = true;
module_param_named(measure, param_measure, bool, 0444);
MODULE_PARM_DESC(measure,
		 "Count by the kernel's tracepoints too (default: on)");

static char *param_copy = "cpu";
module_param_named(copy, param_copy, charp, 0444);
MODULE_PARM_DESC(copy, "What copies: cpu, or async, an engine (default: cpu)");

static unsigned int param_copy_mib_s = 1024;
module_param_named(copy_mib_s, param_copy_mib_s, uint, 0444);
MODULE_PARM_DESC(copy_mib_s,
		 "Speed of the copy engine in MiB/s (default: 1024)");

static unsigned int param_job_timeout_ms = 10000;
module_param_named(job_timeout_ms, param_job_timeout_ms, uint, 0444);
MODULE_PARM_DESC(job_timeout_ms,
		 "How long a job may hang before a reset (default: 10000)");

static unsigned int param_broken;
module_param_named(broken, param_broken, uint, 0444);
MODULE_PARM_DESC(broken,
		 "For tags to catch: 1 no fences, 2 copies do not wait");

static bool copy_async(void)
{
	return !strcmp(param_copy, "async");
}

static int check_engine_params(void)
{
	if (!copy_async() && strcmp(param_copy, "cpu")) {
		pr_err("swgpu: copy=%s: must be cpu or async\n", param_copy);
		return -EINVAL;
	}
	if (!param_copy_mib_s || param_copy_mib_s > SZ_1M) {
		pr_err("swgpu: copy_mib_s=%u: must be 1 to %u\n",
		       param_copy_mib_s, SZ_1M);
		return -EINVAL;
	}
	if (!param_job_timeout_ms || param_job_timeout_ms > MAX_TIMEOUT_MS) {
		pr_err("swgpu: job_timeout_ms=%u: must be 1 to %u\n",
		       param_job_timeout_ms, MAX_TIMEOUT_MS);
		return -EINVAL;
	}
	if (param_broken >= SWGPU_BROKEN_COUNT) {
		pr_err("swgpu: broken=%u: must be 0 to %u\n", param_broken,
		       SWGPU_BROKEN_COUNT - 1);
		return -EINVAL;
	}
	return 0;
}

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
	if (!param_devices || param_devices > MAX_DEVICES) {
		pr_err("swgpu: devices=%u: must be 1 to %u\n", param_devices,
		       MAX_DEVICES);
		return -EINVAL;
	}
	if (vram_pages * param_devices > totalram_pages() / 4 * 3) {
		pr_err("swgpu: vram_mb=%u: more than three quarters of this machine's memory\n",
		       param_vram_mb);
		return -EINVAL;
	}
	return check_engine_params();
}

static int bring_up(struct swgpu_device *sdev)
{
	int ret;

	sdev->vram_bytes = (u64)param_vram_mb << 20;
	sdev->gtt_bytes = (u64)param_gtt_mb << 20;
	sdev->shrinker = param_shrinker;
	sdev->broken = param_broken;
	sdev->job_timeout = msecs_to_jiffies(param_job_timeout_ms);
	sdev->copy_page_ns =
		NSEC_PER_SEC / (param_copy_mib_s * (SZ_1M / PAGE_SIZE));
	mutex_init(&sdev->channels_lock);
	mutex_init(&sdev->suspend_lock);
	spin_lock_init(&sdev->imports_lock);
	INIT_LIST_HEAD(&sdev->imports);
	INIT_LIST_HEAD(&sdev->channels);

	ret = swgpu_measure_init(sdev, param_measure);
	if (ret)
		return ret;
	ret = swgpu_ttm_init(sdev, param_fence_lru);
	if (ret)
		return ret;
	if (copy_async()) {
		ret = swgpu_copy_init(sdev);
		if (ret)
			return ret;
	}
	drm_debugfs_add_file(&sdev->drm, "stats", swgpu_stats_show, NULL);
	drm_debugfs_add_file(&sdev->drm, "alloc_times", swgpu_latency_show,
			     NULL);
	drm_debugfs_add_file(&sdev->drm, "memory", swgpu_history_show, NULL);
	return drm_dev_register(&sdev->drm, 0);
}

static int probe(struct platform_device *pdev)
{
	struct swgpu_device *sdev;
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	sdev = devm_drm_dev_alloc(&pdev->dev, &swgpu_driver,
				  struct swgpu_device, drm);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	platform_set_drvdata(pdev, sdev);
	ret = bring_up(sdev);
	if (ret)
		return ret;

	drm_info(&sdev->drm, "%u MiB of VRAM, %u MiB of GTT, %s, %s copies\n",
		 param_vram_mb, param_gtt_mb,
		 param_fence_lru ? "fence-ordered LRU" : "delayed delete",
		 param_copy);
	if (param_broken)
		drm_warn(&sdev->drm,
			 "broken on purpose: memory is released too early\n");
	return 0;
}

/* Files and exported buffers may stay; what is left goes with the last of them. */
static void remove(struct platform_device *pdev)
{
	struct swgpu_device *sdev = platform_get_drvdata(pdev);

	drm_dev_unplug(&sdev->drm);
	swgpu_channels_kill(sdev);
	ttm_device_drain(&sdev->ttm);
}

static struct platform_driver platform_driver = {
	.probe = probe,
	.remove = remove,
	.driver = {
		.name = "swgpu",
		.pm = pm_sleep_ptr(&swgpu_pm_ops),
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

static struct platform_device *pdevs[MAX_DEVICES];

static void remove_devices(void)
{
	unsigned int i;

	for (i = 0; i < MAX_DEVICES && pdevs[i]; i++)
		platform_device_unregister(pdevs[i]);
}

static void take_down(void)
{
	remove_devices();
	platform_driver_unregister(&platform_driver);
	swgpu_fences_disown();
}

static int add_device(unsigned int i)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple("swgpu", i, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	pdevs[i] = pdev;
	/* If it is not, the log says why. */
	return device_is_bound(&pdev->dev) ? 0 : -ENODEV;
}

static int __init swgpu_init(void)
{
	unsigned int i;
	int ret;

	ret = check_params();
	if (ret)
		return ret;
	swgpu_cost_init();
	ret = platform_driver_register(&platform_driver);
	for (i = 0; !ret && i < param_devices; i++)
		ret = add_device(i);
	if (ret && i)
		take_down();
	if (ret)
		swgpu_cost_fini();
	return ret;
}

static void __exit swgpu_exit(void)
{
	take_down();
	swgpu_cost_fini();
}

module_init(swgpu_init);
module_exit(swgpu_exit);

MODULE_DESCRIPTION("software GPU on TTM");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
