/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NOUVEAU_MOCK_H_
#define _NOUVEAU_MOCK_H_

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
 */
struct nv_mock {
	struct glue_device *glue;
	struct nouveau_drm *drm;
	struct nouveau_fence_priv fence_priv;
	struct nouveau_cli *cli;
	unsigned int events;
};

/**
 * struct nv_channel - a channel whose hardware is a number
 * @base: nouveau's
 * @mock: its device
 * @done: the hardware is past fences up to this
 * @reads: how often it was asked
 */
struct nv_channel {
	struct nouveau_channel base;
	struct nv_mock *mock;
	u32 done;
	unsigned int reads;
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

struct nouveau_fence *nv_emit(struct nv_channel *channel);
struct nouveau_fence *nv_push(struct nv_channel *channel, struct glue_bo *bo);

#endif
