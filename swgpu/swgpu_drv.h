/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_DRV_H_
#define _SWGPU_DRV_H_

#include <linux/mutex.h>
#include <linux/pm.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/swgpu_drm.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>

#include "swgpu_buddy.h"
#include "swgpu_cost.h"
#include "swgpu_measure.h"
#include "swgpu_tag.h"
#include "swgpu_ttm_compat.h"

#define SWGPU_MAX_CHANNELS 256
/* A channel has a thread, which is charged to nobody. */
#define SWGPU_MAX_DEVICE_CHANNELS 1024
#define SWGPU_MAX_VMS 256
#define SWGPU_MAX_PLACES 2

struct dentry;
struct dma_buf;
struct dma_buf_attachment;
struct dma_fence;
struct drm_driver;
struct drm_printer;
struct sg_table;
struct swgpu_channel;
struct swgpu_vm;

/* What is broken on purpose, for the tags to catch */
enum swgpu_broken {
	SWGPU_BROKEN_NOTHING,
	SWGPU_BROKEN_FENCES, /* no fence is attached */
	SWGPU_BROKEN_COPIES, /* copy jobs wait for nothing */
	SWGPU_BROKEN_COUNT,
};

/* The channels of the copy engine */
enum swgpu_copy_channel {
	SWGPU_COPY_OUT, /* of VRAM */
	SWGPU_COPY_IN, /* to VRAM, and clears there */
	SWGPU_COPY_CHANNELS,
};

/**
 * struct swgpu_vram - the video memory and its manager
 */
struct swgpu_vram {
	/** @manager: TTM's part */
	struct ttm_resource_manager manager;
	/** @mm: which pages are free; protected by @lock */
	struct gpu_buddy mm;
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
	/** @cost: what was paid for */
	struct swgpu_cost cost;
	/** @channels_lock: protects @channels and @nr_channels */
	struct mutex channels_lock;
	/** @channels: &swgpu_channel.entry of all, killed or not */
	struct list_head channels;
	/** @nr_channels: length of @channels */
	unsigned int nr_channels;
	/** @vram_bytes: size of VRAM; constant */
	u64 vram_bytes;
	/** @gtt_bytes: size of GTT; constant */
	u64 gtt_bytes;
	/** @shrinker: the system may have the pages of dead buffers; constant */
	bool shrinker;
	/** @broken: constant */
	enum swgpu_broken broken;
	/** @copy: the copy engine's; NULL if the CPU copies; constant after init */
	struct swgpu_channel *copy[SWGPU_COPY_CHANNELS];
	/** @imports_lock: protects @imports */
	spinlock_t imports_lock;
	/** @imports: made, and on their way to a handle */
	struct list_head imports;
	/** @suspend_lock: one suspend at a time by debugfs */
	struct mutex suspend_lock;
	/** @suspending: requests wait; the CPU copies, also if there is a copy engine */
	bool suspending;
	/** @job_timeout: how long a job may hang, in jiffies; constant */
	unsigned long job_timeout;
	/** @copy_page_ns: how long the copy engine takes for a page; constant */
	u64 copy_page_ns;
};

/**
 * struct swgpu_file - an open file
 */
struct swgpu_file {
	/** @sdev: the device */
	struct swgpu_device *sdev;
	/** @channels: &struct swgpu_channel by id; the array has its own lock */
	struct xarray channels;
	/** @vms: &struct swgpu_vm by id; the array has its own lock */
	struct xarray vms;
	/** @busy_ns: how long jobs have run, of all its channels */
	atomic64_t busy_ns;
};

/**
 * struct swgpu_bo - a buffer
 */
struct swgpu_bo {
	/** @tbo: TTM's part, with the GEM object */
	struct ttm_buffer_object tbo;
	/** @tag: what its memory must hold; constant; NULL if nobody can tell */
	struct swgpu_tag_cell *tag;
	/**
	 * @dma_buf: what an import was made from, or NULL; a reference, as the
	 * dead buffer uses the reservation object of its exporter
	 */
	struct dma_buf *dma_buf;
	/** @domains: where it may live if it is private, SWGPU_DOMAIN_*; constant */
	u32 domains;
	/** @vm: whose private buffer it is, a reference, or NULL; constant */
	struct swgpu_vm *vm;
	/** @vm_entry: in &swgpu_vm.bos while GEM has it; protected by its lock */
	struct list_head vm_entry;
	/** @bound: the jobs of @vm use it; protected by the reservation */
	bool bound;
	/** @mem_type: where it is, TTM_PL_*; for reports, read without a lock */
	u32 mem_type;
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
bool swgpu_bo_is_import(struct ttm_buffer_object *tbo);
struct swgpu_bo *swgpu_bo_alloc(struct swgpu_device *sdev, u64 size,
				struct swgpu_tag_cell *tag);
int swgpu_bo_init_import(struct swgpu_device *sdev, struct swgpu_bo *bo,
			 struct sg_table *sgt);
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
void swgpu_channels_kill(struct swgpu_device *sdev);

/* swgpu_copy.c */
int swgpu_copy_init(struct swgpu_device *sdev);
int swgpu_copy_clear(struct ttm_buffer_object *tbo,
		     struct ttm_resource *new_mem);
int swgpu_copy_move(struct ttm_buffer_object *tbo, bool evict,
		    struct ttm_resource *new_mem);

/* swgpu_drv.c */
extern const struct drm_driver swgpu_driver;
void swgpu_ioctl_begin(struct drm_device *drm);
void swgpu_ioctl_end(struct drm_device *drm);

/* swgpu_fence.c */
void swgpu_fences_disown(void);

/* swgpu_move.c */
int swgpu_move(struct ttm_buffer_object *tbo, bool evict,
	       struct ttm_operation_ctx *ctx, struct ttm_resource *new_mem,
	       struct ttm_place *hop);

/* swgpu_play.c */
int swgpu_play_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

/* swgpu_pm.c */
extern const struct dev_pm_ops swgpu_pm_ops;
int swgpu_wait_resumed(struct swgpu_device *sdev);

void swgpu_pm_debugfs_init(struct swgpu_device *sdev, struct dentry *root);

/* swgpu_prime.c */
struct dma_buf *swgpu_prime_export(struct drm_gem_object *obj, int flags);
int swgpu_prime_pin(struct drm_gem_object *obj);
void swgpu_prime_unpin(struct drm_gem_object *obj);
struct sg_table *swgpu_prime_get_sg_table(struct drm_gem_object *obj);
struct drm_gem_object *swgpu_prime_import(struct drm_device *drm,
					  struct dma_buf *dma_buf);
int swgpu_prime_fd_to_handle(struct drm_device *drm, struct drm_file *file,
			     int fd, u32 *handle);
struct drm_gem_object *
swgpu_prime_import_sg_table(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt);

/* swgpu_submit.c */
int swgpu_submit(struct drm_device *drm, struct drm_swgpu_submit *args,
		 const struct drm_swgpu_submit_bo *entries,
		 struct drm_file *file);
int swgpu_submit_ioctl(struct drm_device *drm, void *data,
		       struct drm_file *file);

/* swgpu_ttm.c */
int swgpu_ttm_init(struct swgpu_device *sdev, bool fence_lru);
int swgpu_drain_ioctl(struct drm_device *drm, void *data,
		      struct drm_file *file);

/* swgpu_usage.c */
void swgpu_usage_read(struct swgpu_device *sdev, struct drm_swgpu_stats *out);
void swgpu_show_fdinfo(struct drm_printer *p, struct drm_file *file);

/* swgpu_vm.c */
int swgpu_vm_create_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int swgpu_vm_destroy_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int swgpu_vm_bind_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);
void swgpu_vms_destroy(struct swgpu_file *sfile);

/* swgpu_vram.c */
typedef void (*swgpu_visit_page)(struct page *page, u64 index, void *data);

int swgpu_vram_init(struct swgpu_vram *vram, struct ttm_device *bdev, u64 size);
int swgpu_vram_charge(struct swgpu_vram *vram, struct drm_device *drm);
void swgpu_vram_fini(struct swgpu_vram *vram);
int swgpu_vram_lose(struct swgpu_vram *vram);
void swgpu_vram_place(struct ttm_resource *res, struct swgpu_tag_place *place);
void swgpu_vram_vacate(struct ttm_resource *res);
struct page *swgpu_vram_page(struct ttm_resource *res, u64 index);
void swgpu_vram_visit_pages(struct ttm_resource *res, swgpu_visit_page visit,
			    void *data);

#endif
