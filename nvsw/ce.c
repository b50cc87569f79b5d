// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Copy engines: copy.c does the work. The first is on the runlist of graphics. */
#include <nvif/class.h>
#include <engine/ce/priv.h>

#include "chip.h"

static int reset(struct nvkm_engine *engine)
{
	nvsw_runl_reset(engine->subdev.inst);
	return 0;
}

static const struct nvkm_engine_func nvsw_ce = {
	.reset = reset,
	.sclass = { { -1, -1, TURING_DMA_COPY_A }, {} }
};

int nvsw_ce_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_engine **engine)
{
	return nvkm_engine_new_(&nvsw_ce, device, type, inst, true, engine);
}
