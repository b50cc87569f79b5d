// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nouveau's fences, jobs and VMAs stand on: channels without hardware, and nvif,
 * which talks to it.
 */
#include <linux/pm_runtime.h>

#include <kunit/test-bug.h>

#include "nouveau_mock.h"

#include "nouveau_bo.h"
#include "nouveau_ttm.h"

/* The device of the case that runs. */
static struct nv_mock *the_mock;

/*
 * nvif, as far as it is called.
 */

int nvif_event_ctor_(struct nvif_object *parent, const char *name, u32 handle,
		     nvif_event_func func, bool wait,
		     struct nvif_event_v0 *args, u32 argc, bool warn,
		     struct nvif_event *event)
{
	event->func = func;
	return 0;
}

void nvif_event_dtor(struct nvif_event *event)
{
	struct nouveau_channel *chan = the_mock->deleting;

	if (chan && event == &chan->kill)
		KUNIT_EXPECT_NOT_NULL(the_mock->glue->test, chan->fence);
}

static struct nv_channel *channel_of(struct nvif_event *event)
{
	struct nouveau_fence_chan *fctx =
		container_of(event, struct nouveau_fence_chan, event);
	struct nouveau_fence *fence;

	fence = list_first_entry(&fctx->pending, struct nouveau_fence, head);
	return container_of(rcu_access_pointer(fence->channel),
			    struct nv_channel, base);
}

int nvif_event_allow(struct nvif_event *event)
{
	channel_of(event)->mock->events++;
	return 0;
}

int nvif_event_block(struct nvif_event *event)
{
	return 0;
}

/* An address space that is gone hands out what nobody can map. */
#define GONE U64_MAX

static void expect_there(struct nvif_vmm *vmm)
{
	if (vmm->start == GONE)
		KUNIT_FAIL(the_mock->glue->test,
			   "an address space is used that is gone");
}

int nvif_vmm_ctor(struct nvif_mmu *mmu, const char *name, s32 oclass,
		  enum nvif_vmm_type type, u64 addr, u64 size, void *argv,
		  u32 argc, struct nvif_vmm *vmm)
{
	return 0;
}

void nvif_vmm_dtor(struct nvif_vmm *vmm)
{
	vmm->start = GONE;
}

/* One address after the other; the limit counts what is taken. */
int nvif_vmm_get(struct nvif_vmm *vmm, enum nvif_vmm_get type, bool sparse,
		 u8 page, u8 align, u64 size, struct nvif_vma *vma)
{
	if (the_mock->mapping)
		the_mock->mapping(the_mock);

	expect_there(vmm);
	vma->addr = vmm->start++;
	vma->size = size;
	vmm->limit++;
	return 0;
}

void nvif_vmm_put(struct nvif_vmm *vmm, struct nvif_vma *vma)
{
	expect_there(vmm);
	if (the_mock->given_back)
		KUNIT_EXPECT_TRUE(the_mock->glue->test,
				  dma_resv_is_locked(the_mock->given_back));
	vmm->limit--;
}

int nvif_vmm_unmap(struct nvif_vmm *vmm, u64 addr)
{
	expect_there(vmm);
	return 0;
}

int nouveau_mem_map(struct nouveau_mem *mem, struct nvif_vmm *vmm,
		    struct nvif_vma *vma)
{
	expect_there(vmm);
	the_mock->maps++;
	return the_mock->map_error ? the_mock->map_error(the_mock) : 0;
}

void nouveau_mem_fini(struct nouveau_mem *mem)
{
	mem->mem.object.client = NULL;
}

void nouveau_uvmm_bo_map_all(struct nouveau_bo *nvbo, struct nouveau_mem *mem)
{
}

void nouveau_uvmm_bo_unmap_all(struct nouveau_bo *nvbo)
{
}

int nvif_object_ctor(struct nvif_object *parent, const char *name, u32 handle,
		     s32 oclass, void *data, u32 size,
		     struct nvif_object *object)
{
	return the_mock->object_error ? the_mock->object_error(the_mock) : 0;
}

void nvif_object_dtor(struct nvif_object *object)
{
}

void nvif_mem_dtor(struct nvif_mem *mem)
{
}

void nvif_mmu_dtor(struct nvif_mmu *mmu)
{
}

void nvif_device_dtor(struct nvif_device *device)
{
}

void nvif_client_dtor(struct nvif_client *client)
{
}

int nv_client_suspend(void)
{
	the_mock->suspends++;
	return 0;
}

int nvif_client_resume(struct nvif_client *client)
{
	return the_mock->resume_error;
}

int nouveau_sgdma_bind(struct ttm_device *bdev, struct ttm_tt *ttm,
		       struct ttm_resource *reg)
{
	return 0;
}

/*
 * TTM.
 */

int nv_reserve(struct ttm_buffer_object *bo, bool interruptible, bool no_wait,
	       struct ww_acquire_ctx *ticket)
{
	the_mock->reservations++;
	return ttm_bo_reserve(bo, interruptible, no_wait, ticket);
}

int nv_copy_by_cpu(struct ttm_buffer_object *bo, struct ttm_operation_ctx *ctx,
		   struct ttm_resource *reg)
{
	the_mock->cpu_copies++;
	bo->resource = reg;
	return 0;
}

void nv_take_memory(struct ttm_buffer_object *bo, struct ttm_resource *reg)
{
	bo->resource = reg;
}

int nv_evict_all(struct ttm_device *bdev, struct ttm_resource_manager *man)
{
	int ret = the_mock->eviction_error;

	if (the_mock->eviction_tries && !--the_mock->eviction_tries)
		the_mock->eviction_error = 0;
	return ret;
}

void nv_device_fini(struct ttm_device *bdev)
{
}

void nv_trim(struct ttm_device *bdev)
{
	the_mock->trims++;
}

void nv_mark_busy(struct device *dev)
{
	the_mock->busy_marks++;
}

int nv_wake(struct device *dev)
{
	the_mock->wakes++;
	if (the_mock->waking)
		KUNIT_EXPECT_FALSE(the_mock->glue->test,
				   dma_resv_is_locked(the_mock->waking));
	return pm_runtime_get_sync(dev);
}

/*
 * The device and its clients.
 */

struct nouveau_cli *nv_client(struct nv_mock *mock)
{
	struct kunit *test = mock->glue->test;
	struct nouveau_cli *cli;

	cli = kunit_kzalloc(test, sizeof(*cli), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cli);
	cli->drm = mock->drm;
	mutex_init(&cli->mutex);
	nouveau_vmm_prep(&cli->vmm);
	nouveau_vmm_prep(&cli->svm);
	cli->vmm.cli = cli;
	cli->vmm.vmm.object.oclass = NVIF_CLASS_VMM_NV50;
	return cli;
}

/* That of the kernel is part of the device. */
static void init_kernel_client(struct nouveau_drm *drm)
{
	struct nouveau_cli *cli = &drm->client;

	cli->drm = drm;
	mutex_init(&cli->mutex);
	nouveau_vmm_prep(&cli->vmm);
	cli->vmm.cli = cli;
	cli->device.info.family = NV_DEVICE_INFO_V0_TESLA;
}

/* In later kernels swapped ones, too. */
struct list_head *nv_pinned(struct nouveau_drm *drm)
{
#ifdef TTM_NUM_MOVE_FENCES
	return &drm->ttm.bdev.unevictable;
#else
	return &drm->ttm.bdev.pinned;
#endif
}

static void init_device(struct kunit *test, struct nouveau_drm *drm)
{
	drm->nvkm = kunit_kzalloc(test, sizeof(*drm->nvkm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, drm->nvkm);
	drm->nvkm->dev = drm->dev->dev;
	mutex_init(&drm->client_mutex);
	mutex_init(&drm->ttm.io_reserve_mutex);
	INIT_LIST_HEAD(&drm->ttm.io_reserve_lru);
	init_rwsem(&drm->ttm.sleep_lock);
	spin_lock_init(&drm->ttm.contexts_lock);
	INIT_LIST_HEAD(&drm->ttm.fence_contexts);
	spin_lock_init(&drm->ttm.bdev.lru_lock);
	INIT_LIST_HEAD(nv_pinned(drm));
	init_kernel_client(drm);
}

/* On the TTM device of the case. */
struct nv_mock *nv_mock(struct kunit *test)
{
	struct nv_mock *mock;

	mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->glue = test->priv;
	mock->fence_priv.uevent = true;

	mock->drm = kunit_kzalloc(test, sizeof(*mock->drm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock->drm);
	mock->drm->dev = mock->glue->drm;
	mock->drm->fence = &mock->fence_priv;
	mock->drm->ttm.bdev.fence_lru = mock->glue->bdev.fence_lru;
	init_device(test, mock->drm);
	mock->drm->runl =
		kunit_kzalloc(test, sizeof(*mock->drm->runl), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock->drm->runl);
	mock->drm->runl->context_base = dma_fence_context_alloc(16);

	mock->cli = nv_client(mock);
	the_mock = mock;
	return mock;
}

/*
 * Buffers that TTM does not know: only their fences, VMAs and moves matter.
 */

struct nv_bo *nv_bo(struct nv_mock *mock)
{
	struct nv_bo *bo;

	bo = kunit_kzalloc(mock->glue->test, sizeof(*bo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->glue->test, bo);
	INIT_LIST_HEAD(&bo->base.vma_list);
	INIT_LIST_HEAD(&bo->base.io_reserve_lru);
	kref_init(&bo->base.bo.kref);
	bo->base.bo.base.dev = mock->drm->dev;
	drm_gem_gpuva_init(&bo->base.bo.base);
	dma_resv_init(&bo->base.bo.base._resv);
	bo->base.bo.base.resv = &bo->base.bo.base._resv;
	bo->base.bo.bdev = &mock->drm->ttm.bdev;
	bo->base.bo.destroy = nv_bo_destroy_function();
	bo->base.bo.resource = &bo->mem.base;
	bo->mem.base.mem_type = TTM_PL_VRAM;
	bo->mem.base.bo = &bo->base.bo;
	return bo;
}

void nv_lock(struct nv_bo *bo)
{
	dma_resv_lock(bo->base.bo.base.resv, NULL);
}

void nv_unlock(struct nv_bo *bo)
{
	dma_resv_unlock(bo->base.bo.base.resv);
}

void nv_expect_vmas(struct kunit *test, struct nouveau_cli *cli,
		    unsigned int nr)
{
	KUNIT_EXPECT_EQ_MSG(test, cli->vmm.vmm.limit, nr, "VMAs");
}

/*
 * Channels, as a generation of cards makes them.
 */

static struct nv_channel *to_mock(struct nouveau_channel *chan)
{
	return container_of(chan, struct nv_channel, base);
}

static int emit(struct nouveau_fence *fence)
{
	struct nv_channel *channel =
		to_mock(rcu_access_pointer(fence->channel));

	channel->emits++;
	if (channel->instant)
		WRITE_ONCE(channel->done, fence->base.seqno);
	return channel->emit_error;
}

static u32 read(struct nouveau_channel *chan)
{
	to_mock(chan)->reads++;
	return READ_ONCE(to_mock(chan)->done);
}

/* Not registered with the fence-ordered LRU yet. */
struct nv_channel *nv_channel(struct nv_mock *mock, int chid)
{
	struct kunit *test = mock->glue->test;
	struct nouveau_fence_chan *fctx;
	struct nv_channel *channel;

	channel = kunit_kzalloc(test, sizeof(*channel), GFP_KERNEL);
	/* The last fence frees it. */
	fctx = kzalloc_obj(*fctx);
	KUNIT_ASSERT_NOT_NULL(test, channel);
	KUNIT_ASSERT_NOT_NULL(test, fctx);

	channel->mock = mock;
	channel->base.cli = mock->cli;
	channel->base.vmm = &mock->cli->vmm;
	channel->base.chid = chid;
	channel->base.fence = fctx;
	nouveau_fence_context_new(&channel->base, fctx);
	fctx->emit = emit;
	fctx->read = read;
	return channel;
}

int nv_channel_register(struct nv_channel *channel)
{
	return nouveau_fence_context_register(&channel->base);
}

void nv_channel_del(struct nv_channel *channel)
{
	struct nouveau_fence_chan *fctx = channel->base.fence;

	channel->base.fence = NULL;
	nouveau_fence_context_del(fctx);
	nouveau_fence_context_free(fctx);
}

void nv_channel_run(struct nv_channel *channel)
{
	struct nouveau_fence_chan *fctx = channel->base.fence;

	WRITE_ONCE(channel->done, fctx->sequence);
}

void nv_channel_interrupt(struct nv_channel *channel)
{
	struct nouveau_fence_chan *fctx = channel->base.fence;

	nv_channel_run(channel);
	fctx->event.func(&fctx->event, NULL, 0);
	flush_work(&fctx->uevent_work);
}

struct nouveau_fence *nv_emit(struct nv_channel *channel)
{
	struct nouveau_fence *fence = NULL;
	int ret = nouveau_fence_new(&fence, &channel->base);

	KUNIT_ASSERT_EQ(channel->mock->glue->test, ret, 0);
	return fence;
}

static int sync_and_fence(struct nv_channel *channel, struct glue_bo *bo,
			  struct nouveau_fence **fence)
{
	struct nouveau_bo *nvbo = nouveau_bo(&bo->tbo);
	int ret;

	ret = dma_resv_reserve_fences(bo->tbo.base.resv, 1);
	if (!ret)
		ret = nouveau_fence_sync(nvbo, &channel->base, true, false);
	if (!ret)
		ret = nouveau_fence_new(fence, &channel->base);
	if (!ret)
		ttm_bo_add_fence(&bo->tbo, &(*fence)->base,
				 DMA_RESV_USAGE_WRITE);
	return ret;
}

/* The channel uses the buffer, as a push does. Returns the fence with a reference. */
struct nouveau_fence *nv_push(struct nv_channel *channel, struct glue_bo *bo)
{
	struct nouveau_fence *fence = NULL;
	int ret;

	glue_lock(bo);
	ret = sync_and_fence(channel, bo, &fence);
	glue_unlock(bo);
	KUNIT_ASSERT_EQ(channel->mock->glue->test, ret, 0);
	return fence;
}
