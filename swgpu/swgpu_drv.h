/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_DRV_H_
#define _SWGPU_DRV_H_

#include <linux/mutex.h>
#include <linux/xarray.h>

#include <drm/drm_buddy.h>
#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/swgpu_drm.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>

#include "swgpu_measure.h"
#include "swgpu_tag.h"
#include "swgpu_ttm_compat.h"

#define SWGPU_MAX_CHANNELS 256
#define SWGPU_MAX_PLACES 2

struct dma_fence;
struct swgpu_channel;

/**
 * struct swgpu_vram - the video memory and its manager
 */
struct swgpu_vram {
	/** @manager: TTM's part */
	struct ttm_resource_manager manager;
	/** @mm: which pages are free; protected by @lock */
	struct drm_buddy mm;
	/** @lock: protects @mm */
	struct mutex lock;
	/** @pages: the memory itself; constant after init */
	struct page **pages;
	/** @nr_pages: length of @pages; constant after init */
	u64 nr_pages;
};

/**
 * struct swgpu_device - the software GPU
 */
struct swgpu_device {
	/** @drm: DRM's part */
	struct drm_device drm;
	/** @ttm: TTM's part */
	struct ttm_device ttm;
	/** @vram: video memory */
	struct swgpu_vram vram;
	/** @measure: counters */
	struct swgpu_measure measure;
	/** @last_bo: the last id given to a buffer */
	atomic64_t last_bo;
	/** @last_job: the last id given to a job */
	atomic64_t last_job;
	/** @vram_bytes: size of VRAM; constant */
	u64 vram_bytes;
	/** @gtt_bytes: size of GTT; constant */
	u64 gtt_bytes;
	/** @broken: fences are not attached, for the tags to catch; constant */
	bool broken;
};

/**
 * struct swgpu_file - an open file
 */
struct swgpu_file {
	/** @sdev: the device */
	struct swgpu_device *sdev;
	/** @channels: &struct swgpu_channel by id; the array has its own lock */
	struct xarray channels;
};

/**
 * struct swgpu_bo - a buffer
 */
struct swgpu_bo {
	/** @tbo: TTM's part, with the GEM object */
	struct ttm_buffer_object tbo;
	/** @tag: what its memory must hold; constant */
	struct swgpu_tag_cell *tag;
	/** @zombie_type: memory type while it is a zombie, else -1; set at death */
	int zombie_type;
};

static inline struct swgpu_device *to_swgpu(struct drm_device *drm)
{
	return container_of(drm, struct swgpu_device, drm);
}

static inline struct swgpu_bo *to_swgpu_bo(struct ttm_buffer_object *tbo)
{
	return container_of(tbo, struct swgpu_bo, tbo);
}

static inline struct swgpu_bo *gem_to_swgpu_bo(struct drm_gem_object *obj)
{
	return to_swgpu_bo(container_of(obj, struct ttm_buffer_object, base));
}

/* swgpu_bo.c */
bool swgpu_bo_is_ours(struct ttm_buffer_object *tbo);
bool swgpu_domains_valid(u32 domains);
unsigned int swgpu_places(u32 domains,
			  struct ttm_place places[SWGPU_MAX_PLACES]);
int swgpu_gem_create_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int swgpu_gem_map_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);
int swgpu_gem_wait_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);

/* swgpu_channel.c */
int swgpu_channel_create_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);
int swgpu_channel_destroy_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file);
int swgpu_fault_ioctl(struct drm_device *drm, void *data,
		      struct drm_file *file);
void swgpu_channels_destroy(struct swgpu_file *sfile);

/* swgpu_move.c */
int swgpu_move(struct ttm_buffer_object *tbo, bool evict,
	       struct ttm_operation_ctx *ctx, struct ttm_resource *new_mem,
	       struct ttm_place *hop);

/* swgpu_submit.c */
int swgpu_submit_ioctl(struct drm_device *drm, void *data,
		       struct drm_file *file);

/* swgpu_ttm.c */
int swgpu_ttm_init(struct swgpu_device *sdev, bool fence_lru);
int swgpu_drain_ioctl(struct drm_device *drm, void *data,
		      struct drm_file *file);

/* swgpu_vram.c */
typedef void (*swgpu_visit_page)(struct page *page, u64 index, void *data);

int swgpu_vram_init(struct swgpu_vram *vram, struct ttm_device *bdev, u64 size);
void swgpu_vram_fini(struct swgpu_vram *vram);
void swgpu_vram_place(struct ttm_resource *res, struct swgpu_tag_place *place);
struct page *swgpu_vram_page(struct ttm_resource *res, u64 index);
void swgpu_vram_visit_pages(struct ttm_resource *res, swgpu_visit_page visit,
			    void *data);

#endif
