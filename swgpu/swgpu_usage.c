// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-resv.h>
#include <linux/idr.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "swgpu_drv.h"

/**
 * DOC: usage
 *
 * Memory in use is what the manager has given out, less the memory of zombies that
 * are ripe: an allocation gets that without waiting. A query looks at the fences at
 * most once in 10 ms, and waits for nobody.
 *
 * What a client has is told by fdinfo, and is what it has handles for. What it has
 * closed is nobody's, and is part of what the device has in use. fdinfo also tells how
 * long the client's jobs have run, together: each channel is an engine.
 */

/* Without TTM's LRU lock: a task that polls must not slow others down. */
static void read_type(struct swgpu_device *sdev, int type, __u64 *held,
		      __u64 *signaled, __u64 *used)
{
	u64 known;

	ttm_device_zombies(&sdev->ttm, type, &known);
	*held = READ_ONCE(ttm_manager_type(&sdev->ttm, type)->usage);
	*signaled = known;
	*used = *held - min(*held, *signaled);
}

/**
 * swgpu_usage_read - what the device has in use
 * @sdev: the device
 * @out: its members about VRAM and GTT are set
 *
 * The values are read one after the other, while memory comes and goes.
 */
void swgpu_usage_read(struct swgpu_device *sdev, struct drm_swgpu_stats *out)
{
	out->vram_bytes = sdev->vram_bytes;
	read_type(sdev, TTM_PL_VRAM, &out->vram_held_bytes,
		  &out->vram_signaled_bytes, &out->vram_used_bytes);
	read_type(sdev, TTM_PL_TT, &out->gtt_held_bytes,
		  &out->gtt_signaled_bytes, &out->gtt_used_bytes);
}

static const char *const regions[] = {
	[TTM_PL_SYSTEM] = "cpu",
	[TTM_PL_TT] = "gtt",
	[TTM_PL_VRAM] = "vram",
};

static void add_object(struct drm_memory_stats *stats,
		       struct drm_gem_object *obj)
{
	if (drm_gem_object_is_shared_for_memory_stats(obj))
		stats->shared += obj->size;
	else
		stats->private += obj->size;
	stats->resident += obj->size;
	if (!dma_resv_test_signaled(obj->resv, DMA_RESV_USAGE_BOOKKEEP))
		stats->active += obj->size;
}

/**
 * swgpu_show_fdinfo - &drm_driver.show_fdinfo
 * @p: where to
 * @file: the client
 */
void swgpu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct drm_memory_stats stats[ARRAY_SIZE(regions)] = {};
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_gem_object *obj;
	unsigned int i, type;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id) {
		type = READ_ONCE(gem_to_swgpu_bo(obj)->mem_type);
		add_object(&stats[type], obj);
	}
	spin_unlock(&file->table_lock);

	drm_printf(p, "drm-engine-gpu:\t%lld ns\n",
		   atomic64_read(&sfile->busy_ns));
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		drm_print_memory_stats(p, &stats[i],
				       DRM_GEM_OBJECT_RESIDENT |
					       DRM_GEM_OBJECT_ACTIVE,
				       regions[i]);
}
