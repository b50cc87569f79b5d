/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NOUVEAU_MOCK_H_
#define _NOUVEAU_MOCK_H_

#include <nvif/class.h>

#include "nouveau_drv.h"
#include "nouveau_bo.h"
#include "nouveau_chan.h"
#include "nouveau_fence.h"
#include "nouveau_mem.h"
#include "nouveau_sched.h"
#include "nouveau_uvmm.h"
#include "nouveau_vmm.h"

#include "ttm_glue_helpers.h"

/**
 * struct nv_mock - a device of nouveau without hardware
 * @glue: TTM's device and buffers
 * @drm: what nouveau's fences, jobs and VMAs ask of their device
 * @fence_priv: of its generation: fences interrupt if they are told to
 * @cli: its client
 * @events: how often interrupts were switched on
 * @mapping: if set, called before an address is given away
 * @maps: how often memory was mapped
 * @object_error: what making an object on a channel returns, if set
 * @map_error: what mapping memory returns, if set
 * @given_back: if set, held whenever an address is given back
 * @deleting: if set, a channel whose error may be reported until it is told not to
 * @eviction_error: what emptying a memory type returns
 * @eviction_tries: after so many it is empty; 0: never
 * @busy_marks: how often the PM core was told that it is used
 * @trims: how often dead buffers were trimmed
 * @cpu_copies: buffers that were copied by the CPU
 * @reservations: how often a buffer was reserved
 * @suspends: how often the hardware's objects were suspended
 * @resume_error: what resuming them returns
 * @waking: if set, not held whenever the device is woken up
 * @wakes: how often it was
 */
struct nv_mock {
	struct glue_device *glue;
	struct nouveau_drm *drm;
	struct nouveau_fence_priv fence_priv;
	struct nouveau_cli *cli;
	unsigned int events;
	void (*mapping)(struct nv_mock *mock);
	unsigned int maps;
	int (*object_error)(struct nv_mock *mock);
	int (*map_error)(struct nv_mock *mock);
	struct dma_resv *given_back;
	struct nouveau_channel *deleting;
	int eviction_error;
	unsigned int eviction_tries;
	unsigned int busy_marks;
	unsigned int trims;
	unsigned int cpu_copies;
	unsigned int reservations;
	unsigned int suspends;
	int resume_error;
	struct dma_resv *waking;
	unsigned int wakes;
};

/**
 * struct nv_bo - a buffer of nouveau's that clients map
 * @base: nouveau's
 * @mem: its memory, somewhere in VRAM
 */
struct nv_bo {
	struct nouveau_bo base;
	struct nouveau_mem mem;
};

/**
 * struct nv_channel - a channel whose hardware is a number
 * @base: nouveau's
 * @mock: its device
 * @done: the hardware is past fences up to this
 * @reads: how often it was asked
 * @instant: it does what is emitted at once
 * @emits: how often a fence was to be emitted
 * @emit_error: what came of it
 */
struct nv_channel {
	struct nouveau_channel base;
	struct nv_mock *mock;
	u32 done;
	unsigned int reads;
	bool instant;
	unsigned int emits;
	int emit_error;
};

struct nv_mock *nv_mock(struct kunit *test);
struct nouveau_cli *nv_client(struct nv_mock *mock);

struct nv_channel *nv_channel(struct nv_mock *mock, int chid);
int nv_channel_register(struct nv_channel *channel);
void nv_channel_del(struct nv_channel *channel);
/* The hardware does all that was emitted. */
void nv_channel_run(struct nv_channel *channel);
/* And says so. */
void nv_channel_interrupt(struct nv_channel *channel);

/* Where pinned buffers stand. */
struct list_head *nv_pinned(struct nouveau_drm *drm);
struct nv_bo *nv_bo(struct nv_mock *mock);
void nv_lock(struct nv_bo *bo);
void nv_unlock(struct nv_bo *bo);
void nv_expect_vmas(struct kunit *test, struct nouveau_cli *cli,
		    unsigned int nr);

/* What nouveau keeps to itself. */
typedef void (*nv_destroy_function)(struct ttm_buffer_object *bo);
nv_destroy_function nv_bo_destroy_function(void);
void nv_bo_move_notify(struct nouveau_bo *nvbo, struct nouveau_mem *mem);
int nv_bo_move(struct nouveau_bo *nvbo, struct nouveau_mem *mem, bool no_wait,
	       struct ttm_place *hop);
void nv_bo_evict_flags(struct ttm_buffer_object *bo,
		       struct ttm_placement *placement);
int nv_new_engine_object(struct nv_channel *channel);
void nv_free_notifiers(struct nv_mock *mock, struct nv_bo *notifiers,
		       struct nouveau_vma *vma);
int nv_gem_info(struct nv_bo *bo, struct nouveau_cli *cli, u64 *address);
void nv_unmap_left(struct nv_mock *mock);
void nv_client_fini(struct nouveau_cli *cli);
int nv_runtime_suspend(struct device *dev);
/* False if nouveau of this kernel does nothing then. */
bool nv_shutdown(struct pci_dev *pdev);
int nv_poweroff(struct device *dev);
int nv_thaw(struct device *dev);

/* What it calls instead of TTM, and of nvif. */
int nv_reserve(struct ttm_buffer_object *bo, bool interruptible, bool no_wait,
	       struct ww_acquire_ctx *ticket);
int nv_copy_by_cpu(struct ttm_buffer_object *bo, struct ttm_operation_ctx *ctx,
		   struct ttm_resource *reg);
void nv_take_memory(struct ttm_buffer_object *bo, struct ttm_resource *reg);
int nv_evict_all(struct ttm_device *bdev, struct ttm_resource_manager *man);
void nv_device_fini(struct ttm_device *bdev);
void nv_trim(struct ttm_device *bdev);
void nv_mark_busy(struct device *dev);
int nv_wake(struct device *dev);
int nv_client_suspend(void);

struct nouveau_fence *nv_emit(struct nv_channel *channel);
struct nouveau_fence *nv_push(struct nv_channel *channel, struct glue_bo *bo);

#endif
