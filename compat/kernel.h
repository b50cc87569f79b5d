/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _COMPAT_KERNEL_H_
#define _COMPAT_KERNEL_H_

/*
 * The code has the names of Linux 7.3. What an older kernel calls otherwise, for the
 * software GPU, the tests and the benchmark; the compiler includes it first. What has the
 * names of its own kernel, as nouveau's sources, defines COMPAT_NOTHING.
 */
#ifndef COMPAT_NOTHING

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#ifdef TTM_NUM_MOVE_FENCES

#include <linux/cgroup_dmem.h>

/* What is swapped stands apart, as what is pinned. */
static inline bool ttm_bo_is_swapped_apart(struct ttm_buffer_object *bo)
{
	return bo->ttm && ttm_tt_is_swapped(bo->ttm);
}

/* Fences are asked in an RCU read section: what plays another task there leaves it. */
#define leave_fence_ops() rcu_read_unlock()
#define enter_fence_ops() rcu_read_lock()

/* How many pages there are, of those that a pool keeps. */
#define ttm_pool_count(type) list_lru_count(&(type)->pages)

/* On how many contexts evictions from a manager may be under way. */
#define EVICTION_CONTEXTS TTM_NUM_MOVE_FENCES

#else

#include <linux/dma-fence-array.h>
#include <linux/module.h>

/* Later drivers have none, and all keep the mappings of their attachments. */
#define DRIVERS_HAVE_A_DATE
#define EXPORTERS_ASK_FOR_CACHING

static inline bool ttm_bo_is_swapped_apart(struct ttm_buffer_object *bo)
{
	return false;
}

#define leave_fence_ops()
#define enter_fence_ops()

#define ttm_pool_count(type) list_count_nodes(&(type)->pages)

#define EVICTION_CONTEXTS 1

#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, ns)

#define timer_destroy_on_stack destroy_timer_on_stack

#define dma_fence_array_create(count, fences, context, seqno) \
	dma_fence_array_create(count, fences, context, seqno, false)

/* What is active is always reported. */
#define DRM_GEM_OBJECT_ACTIVE 0

#define unevictable pinned
#define ttm_bo_fini ttm_bo_put

static inline int ttm_bo_populate(struct ttm_buffer_object *bo,
				  struct ttm_operation_ctx *ctx)
{
	return bo->ttm ? ttm_tt_populate(bo->bdev, bo->ttm, ctx) : 0;
}

/* The only flag that is used here */
#define TTM_ALLOCATION_POOL_USE_DMA_ALLOC BIT(8)

static inline void compat_ttm_pool_init(struct ttm_pool *pool,
					struct device *dev, int nid,
					unsigned int alloc_flags)
{
	ttm_pool_init(pool, dev, nid,
		      alloc_flags & TTM_ALLOCATION_POOL_USE_DMA_ALLOC, false);
}

#undef ttm_pool_init
#define ttm_pool_init compat_ttm_pool_init

static inline int compat_ttm_device_init(struct ttm_device *bdev,
					 const struct ttm_device_funcs *funcs,
					 struct device *dev,
					 struct address_space *mapping,
					 struct drm_vma_offset_manager *offsets,
					 unsigned int alloc_flags)
{
	return ttm_device_init(bdev, funcs, dev, mapping, offsets,
			       alloc_flags & TTM_ALLOCATION_POOL_USE_DMA_ALLOC,
			       false);
}

#undef ttm_device_init
#define ttm_device_init compat_ttm_device_init

/* There are no cgroups to charge. */
static inline int compat_ttm_resource_alloc(struct ttm_buffer_object *bo,
					    const struct ttm_place *place,
					    struct ttm_resource **res,
					    void *charge_pool)
{
	return ttm_resource_alloc(bo, place, res);
}

#undef ttm_resource_alloc
#define ttm_resource_alloc compat_ttm_resource_alloc

struct drm_device;
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;

struct dmem_cgroup_ops {
	int (*reclaim)(struct dmem_cgroup_pool_state *pool, u64 target_bytes,
		       void *priv);
};

struct dmem_cgroup_init {
	u64 size;
	const struct dmem_cgroup_ops *ops;
	void *reclaim_priv;
};

static inline struct dmem_cgroup_region *
drmm_cgroup_register_region(struct drm_device *drm, const char *name,
			    const struct dmem_cgroup_init *init)
{
	return NULL;
}

static inline int
ttm_resource_manager_dmem_reclaim(struct dmem_cgroup_pool_state *pool,
				  u64 target_bytes, void *priv)
{
	return -ENOSPC;
}

static inline void
ttm_resource_manager_set_dmem_region(struct ttm_resource_manager *man,
				     struct dmem_cgroup_region *region)
{
}

#endif

#endif /* COMPAT_NOTHING */

#endif
