/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_GLUE_HELPERS_H_
#define _TTM_GLUE_HELPERS_H_

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm_fence_lru.h>

#define GLUE_CHANNELS 3
/* A context of fences that nobody registers with the engine. */
#define GLUE_FOREIGN (GLUE_CHANNELS - 1)
#define GLUE_VRAM_PAGES 4
#define GLUE_GTT_PAGES 16

/**
 * struct glue_channel - a timeline of mock fences
 * @base: as the engine knows it, unless it is GLUE_FOREIGN
 * @dev: its device
 * @lock: of its fences
 * @context: of its fences
 * @seqno: of the last fence
 * @enables: how often signaling was enabled: interrupts of a real GPU
 * @samples: how often a fence was asked whether it has signaled
 */
struct glue_channel {
	struct ttm_fence_lru_channel base;
	struct glue_device *dev;
	spinlock_t lock; /* of its fences */
	u64 context;
	u64 seqno;
	unsigned int enables;
	unsigned int samples;
};

/**
 * struct glue_fence - a fence whose hardware is a flag
 * @base: the fence
 * @entry: in &glue_device.fences, with a reference
 * @channel: its timeline
 * @done: the hardware is past it; with .signaled this shows when sampled
 * @on_wait: if set, called by a worker once somebody enabled signaling; returning
 *	from it, the fence is completed
 * @work: calls @on_wait
 */
struct glue_fence {
	struct dma_fence base;
	struct list_head entry;
	struct glue_channel *channel;
	bool done;
	void (*on_wait)(struct glue_fence *fence);
	struct work_struct work;
};

/**
 * struct glue_bo - a buffer with a name
 * @tbo: the buffer
 * @entry: in &glue_device.bos, until glue_put()
 * @dev: its device
 * @name: one letter
 */
struct glue_bo {
	struct ttm_buffer_object tbo;
	struct list_head entry;
	struct glue_device *dev;
	char name;
};

/**
 * struct glue_device - a device of TTM without hardware
 * @test: the case that it serves
 * @drm: the DRM device
 * @funcs: the operations of @bdev, to which a case may add some
 * @bdev: TTM's device, with VRAM and GTT of one page a buffer
 * @channels: all but GLUE_FOREIGN registered
 * @fences: all that were ever made
 * @bos: referenced ones
 * @nr_bos: buffers not yet destroyed, referenced or not
 * @pages: of the next buffers; none is one
 * @vm_resv: a reservation object to share
 * @mover: if set, moves are asynchronous on this channel
 * @pipeline: evictions are, too
 * @moving: if set, called before each move
 * @refuse_moves: so many moves fail
 * @refusal: with what error, if not -EBUSY
 * @releasing: if set, called before the memory of a dead buffer is released
 * @multihop: the way from VRAM to the system leads over GTT
 * @unplugged: idle resources of pages stand on no list any more
 * @evicted: names of the buffers that left the device's own memory by eviction
 * @nr_notified: how often a buffer was told that its memory goes
 */
struct glue_device {
	struct kunit *test;
	struct drm_device *drm;
	struct ttm_device_funcs funcs;
	struct ttm_device bdev;
	struct glue_channel channels[GLUE_CHANNELS];
	struct list_head fences;
	struct list_head bos;
	unsigned int nr_bos;
	unsigned int pages;
	struct dma_resv vm_resv;
	struct glue_channel *mover;
	bool pipeline;
	void (*moving)(struct glue_device *dev);
	unsigned int refuse_moves;
	int refusal;
	void (*releasing)(struct glue_device *dev);
	bool multihop;
	bool unplugged;
	char evicted[16];
	unsigned int nr_notified;
};

extern const struct ttm_placement glue_vram;
extern const struct ttm_placement glue_gtt;
extern const struct ttm_placement glue_system;
extern const struct ttm_placement glue_private;
extern const struct ttm_placement glue_vram_else_gtt;

struct glue_device *to_glue_device(struct ttm_device *bdev);

static inline struct ttm_resource_manager *
glue_vram_manager(struct glue_device *dev)
{
	return ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
}

/* As if evicting took long, and all of it came back. */
static inline void glue_make_moving_dear(struct glue_device *dev)
{
	struct ttm_evict_cost *cost = &glue_vram_manager(dev)->evict_cost;

	cost->page_ns = 10ull * NSEC_PER_SEC;
	cost->back = TTM_EVICT_ALL_RETURN;
}

/* Use a buffer as a task would that does not wait for its lock. False if it is locked. */
static inline bool glue_try_attach(struct glue_bo *bo, struct glue_fence *fence)
{
	struct ttm_buffer_object *tbo = &bo->tbo;

	if (!dma_resv_trylock(tbo->base.resv))
		return false;
	if (!ttm_bo_reserve_fences(tbo, 1))
		ttm_bo_add_fence(tbo, &fence->base, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(tbo->base.resv);
	return true;
}

struct glue_device *glue_device_create(struct kunit *test, bool opt_in);
void glue_device_destroy(struct glue_device *dev);
void glue_make_private(struct glue_device *dev, unsigned int pages);

void glue_register(struct glue_channel *channel);

int glue_init(struct kunit *test);
void glue_exit(struct kunit *test);

struct glue_bo *glue_bo_try(struct glue_device *dev, char name,
			    const struct ttm_placement *placement,
			    struct ttm_operation_ctx *ctx,
			    struct dma_resv *resv, int *err);
struct glue_bo *glue_bo(struct glue_device *dev, char name,
			const struct ttm_placement *placement);
struct glue_bo *glue_bo_shared(struct glue_device *dev, char name);
void glue_fill(struct glue_device *dev, struct glue_bo **bo);
void glue_put(struct glue_bo *bo);
char glue_name(struct ttm_buffer_object *tbo);
void glue_lock(struct glue_bo *bo);
void glue_unlock(struct glue_bo *bo);

static inline void glue_pin(struct glue_bo *bo)
{
	glue_lock(bo);
	ttm_bo_pin(&bo->tbo);
	glue_unlock(bo);
}

static inline void glue_unpin(struct glue_bo *bo)
{
	glue_lock(bo);
	ttm_bo_unpin(&bo->tbo);
	glue_unlock(bo);
}

int glue_move(struct glue_bo *bo, const struct ttm_placement *placement);
int glue_move_no_wait(struct glue_bo *bo,
		      const struct ttm_placement *placement);

struct glue_fence *glue_emit(struct glue_device *dev, unsigned int channel,
			     bool samplable);
void glue_attach(struct glue_bo *bo, struct glue_fence *fence);
struct glue_fence *glue_use(struct glue_bo *bo, unsigned int channel);
struct glue_fence *glue_bury(struct glue_device *dev, char name,
			     const struct ttm_placement *placement);
void glue_complete(struct glue_fence *fence);
void glue_complete_on_wait(struct glue_fence *fence);
void glue_sleep_a_moment(struct glue_fence *fence);
void glue_drain_on_wait(struct glue_fence *fence);
void glue_complete_later(struct glue_fence *fence);
void glue_take_half_the_time(struct glue_fence *fence);
void glue_complete_late(struct glue_fence *fence);
void glue_begin_interruptible(struct glue_fence *fence);
void glue_end_interruptible(struct glue_fence *fence);

void glue_make_late(struct glue_channel *channel, unsigned long time);

void glue_set_timeout(struct kunit *test, unsigned long timeout);
void glue_set_moment(struct kunit *test, unsigned long moment);

struct ttm_fence_lru_link *glue_no_link(struct ttm_fence_lru_bo *bo, gfp_t gfp);
struct ttm_bo_group *glue_group(struct glue_device *dev);
struct glue_bo *glue_member(struct ttm_bo_group *group, char name);
void glue_join(struct ttm_bo_group *group, struct glue_bo *bo);
void glue_attach_group(struct ttm_bo_group *group, struct glue_fence *fence);
struct glue_fence *glue_use_group(struct ttm_bo_group *group,
				  unsigned int channel);

void glue_retire(struct glue_device *dev);

void glue_expect_lru(struct glue_device *dev, unsigned int type,
		     const char *names, unsigned int parked);
void glue_expect_pinned(struct glue_device *dev, const char *names);
void glue_expect_evicted(struct glue_device *dev, const char *names);
void glue_expect_usage(struct glue_device *dev, unsigned int type,
		       unsigned int pages);
void glue_expect_freed(struct glue_device *dev, enum ttm_freed_at at,
		       unsigned int pages);
void glue_expect_zombies(struct glue_device *dev, unsigned int zombies,
			 unsigned int leftover);
void glue_expect_report(struct glue_device *dev, unsigned int type,
			unsigned int pages, unsigned int ripe_pages);
void glue_expect_sound(struct glue_device *dev);

#endif
