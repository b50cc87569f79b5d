// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nouveau's own source, as it is, on a hardware that nouveau_mock.c stands for.
 * Sparse has complaints about it, which are not ours.
 */
#ifndef __CHECKER__
#include <linux/pm_runtime.h>

#include <drm/ttm/ttm_bo.h>

#include "nouveau_mock.h"
#include "nouveau_weak.h"

/* There is nothing that could be copied; and no LRU. */
#define ttm_bo_move_memcpy nv_copy_by_cpu
#define ttm_bo_move_null nv_take_memory
#define ttm_bo_reserve nv_reserve
#define ttm_resource_manager_evict_all nv_evict_all
#define ttm_device_fini nv_device_fini
#define pm_runtime_get_sync nv_wake

#include "../../nouveau/nouveau_fence.c"
#include "../../nouveau/nouveau_sched.c"
#include "../../nouveau/nouveau_vmm.c"
#include "../../nouveau/nouveau_bo.c"
#include "../../nouveau/nouveau_ttm.c"
#include "../../nouveau/nouveau_gem.c"
#include "../../nouveau/nouveau_chan.c"
#include "../../nouveau/nouveau_abi16.c"

/* What it keeps to itself. */

/* By this TTM's buffers are told from nouveau's. */
nv_destroy_function nv_bo_destroy_function(void)
{
	return nouveau_bo_del_ttm;
}

void nv_bo_move_notify(struct nouveau_bo *nvbo, struct nouveau_mem *mem)
{
	nouveau_bo_move_ntfy(&nvbo->bo, mem ? &mem->base : NULL);
}

int nv_bo_move(struct nouveau_bo *nvbo, struct nouveau_mem *mem, bool no_wait,
	       struct ttm_place *hop)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = no_wait };

	return nouveau_bo_move(&nvbo->bo, true, &ctx, &mem->base, hop);
}

void nv_bo_evict_flags(struct ttm_buffer_object *bo,
		       struct ttm_placement *placement)
{
	nouveau_bo_evict_flags(bo, placement);
}

int nv_new_engine_object(struct nv_channel *channel)
{
	struct nouveau_abi16 abi16 = { .cli = channel->base.cli };
	struct nouveau_abi16_chan chan = { .chan = &channel->base };
	struct {
		struct nvif_ioctl_v0 ioctl;
		struct nvif_ioctl_new_v0 new;
	} args = {};
	int ret;

	INIT_LIST_HEAD(&abi16.channels);
	INIT_LIST_HEAD(&abi16.objects);
	list_add(&chan.head, &abi16.channels);
	args.ioctl.route = 1;
	args.ioctl.token = channel->base.chid;
	ret = nouveau_abi16_ioctl_new(&abi16, &args.ioctl, sizeof(args.new));
	if (!ret)
		nouveau_abi16_obj_del(nouveau_abi16_obj_find(&abi16, 0));
	return ret;
}

/* All that is left of a channel. */
void nv_free_notifiers(struct nv_mock *mock, struct nv_bo *notifiers,
		       struct nouveau_vma *vma)
{
	struct nouveau_abi16 abi16 = { .cli = mock->cli };
	struct nouveau_abi16_chan *chan = kzalloc_obj(*chan);

	KUNIT_ASSERT_NOT_NULL(mock->glue->test, chan);
	INIT_LIST_HEAD(&abi16.channels);
	list_add(&chan->head, &abi16.channels);
	INIT_LIST_HEAD(&chan->notifiers);
	chan->ntfy = &notifiers->base;
	chan->ntfy_vma = vma;
	nouveau_abi16_chan_fini(&abi16, chan);
}

int nv_gem_info(struct nv_bo *bo, struct nouveau_cli *cli, u64 *address)
{
	struct drm_file file = { .driver_priv = cli };
	struct drm_nouveau_gem_info info = {};
	int ret = nouveau_gem_info(&file, &bo->base.bo.base, &info);

	*address = info.offset;
	return ret;
}

void nv_unmap_left(struct nv_mock *mock)
{
	nouveau_ttm_unmap_left(mock->drm);
}
#endif
