// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Graphics: the classes that programs ask for. What they do is report.c's and inline.c's. */
#include <nvif/class.h>
#include <engine/gr/priv.h>

#include "../../ttm_fence_lru/compat/engine.h"
#include "chip.h"

static int reset(struct nvkm_gr *gr)
{
	nvsw_runl_reset(0);
	return 0;
}

/* GPCs, TPCs and ROPs of a small one; programs size their buffers by it. */
static u64 units(struct nvkm_gr *gr)
{
	return 1 | 2 << 8 | 1ULL << 32;
}

static const struct nvkm_gr_func nvsw_gr = {
	.reset = reset,
	.units = units,
	.sclass = { { -1, -1, FERMI_TWOD_A },
		    { -1, -1, KEPLER_INLINE_TO_MEMORY_B },
		    { -1, -1, TURING_A },
		    { -1, -1, TURING_COMPUTE_A },
		    {} }
};

int nvsw_gr_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_gr **gr)
{
	*gr = kzalloc_obj(**gr);
	if (!*gr)
		return -ENOMEM;
	return nvkm_gr_ctor(&nvsw_gr, device, type, inst, true, *gr);
}
