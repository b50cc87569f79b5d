// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nouveau's fences, jobs and VMAs stand on: channels without hardware, and nvif,
 * which talks to it.
 */
#include "nouveau_mock.h"

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

int nvif_vmm_ctor(struct nvif_mmu *mmu, const char *name, s32 oclass,
		  enum nvif_vmm_type type, u64 addr, u64 size, void *argv,
		  u32 argc, struct nvif_vmm *vmm)
{
	return 0;
}

void nvif_vmm_dtor(struct nvif_vmm *vmm)
{
}

/* One address after the other; the limit counts what is taken. */
int nvif_vmm_get(struct nvif_vmm *vmm, enum nvif_vmm_get type, bool sparse,
		 u8 page, u8 align, u64 size, struct nvif_vma *vma)
{
	vma->addr = vmm->start++;
	vma->size = size;
	vmm->limit++;
	return 0;
}

void nvif_vmm_put(struct nvif_vmm *vmm, struct nvif_vma *vma)
{
	vmm->limit--;
}

int nvif_vmm_unmap(struct nvif_vmm *vmm, u64 addr)
{
	return 0;
}

int nouveau_mem_map(struct nouveau_mem *mem, struct nvif_vmm *vmm,
		    struct nvif_vma *vma)
{
	return 0;
}

/* There is always VRAM for page tables. */
bool nouveau_bo_reclaim(struct nouveau_drm *drm, int error)
{
	return false;
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
	cli->vmm.cli = cli;
	return cli;
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
	mock->drm->runl =
		kunit_kzalloc(test, sizeof(*mock->drm->runl), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mock->drm->runl);
	mock->drm->runl->context_base = dma_fence_context_alloc(16);

	mock->cli = nv_client(mock);
	return mock;
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
	return 0;
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
	fctx = kzalloc(sizeof(*fctx), GFP_KERNEL);
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
