// SPDX-License-Identifier: GPL-2.0 OR MIT
/* As nouveau_source.c: of the engine of channels. */
#ifndef __CHECKER__
#include "nouveau_weak.h"

#include "../../nouveau/nvkm/core/event.c"
#include "../../nouveau/nvkm/core/ramht.c"
#include "../../nouveau/nvkm/engine/fifo/runl.c"
#include "../../nouveau/nvkm/engine/fifo/chan.c"
#include "../../nouveau/nvkm/engine/fifo/uchan.c"

#include "nouveau_runlist.h"

/* What it keeps to itself. */

u32 nv_ramht_hash(int bits, int chid, u32 handle)
{
	struct nvkm_ramht ramht = { .bits = bits };

	return nvkm_ramht_hash(&ramht, chid, handle);
}

int nv_uchan_stop(struct nvkm_chan *chan)
{
	struct nvkm_uchan uchan = { .chan = chan };

	return nvkm_uchan_stop(&uchan.object);
}

int nv_uchan_suspend(struct nvkm_chan *chan)
{
	struct nvkm_uchan uchan = { .chan = chan };
	const int suspend = 1; /* true, or later one of an enum */

	return nvkm_uchan_fini(&uchan.object, suspend);
}

int nv_uchan_resume(struct nvkm_chan *chan)
{
	struct nvkm_uchan uchan = { .chan = chan };

	return nvkm_uchan_init(&uchan.object);
}

int nv_uchan_event(struct nvkm_chan *chan, struct nvkm_uevent *uevent)
{
	struct nvkm_uchan uchan = { .chan = chan };
	union nvif_chan_event_args args = {
		.v0.type = NVIF_CHAN_EVENT_V0_NON_STALL_INTR,
	};

	return nvkm_uchan_uevent(&uchan.object, &args, sizeof(args.v0), uevent);
}
#endif
