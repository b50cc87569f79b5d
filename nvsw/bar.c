// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The aperture is VRAM itself, from its beginning to its end. Real chips of this age translate
 * it with page tables; a page of the machine's memory cannot be elsewhere.
 */
#include <subdev/bar/priv.h>
#include <subdev/mmu/priv.h>

#include "../../ttm_fence_lru/compat/engine.h"
#include "chip.h"

/*
 * nvkm keeps page tables that are free for the next one who wants some. They are let go with
 * the address space of an aperture, which there is none of.
 */
static void *dtor(struct nvkm_bar *bar)
{
	nvkm_mmu_ptc_dump(bar->subdev.device->mmu);
	return bar;
}

static int oneinit(struct nvkm_bar *bar)
{
	return 0;
}

/* nvkm calls it without asking whether there is anything to do. */
static void nothing(struct nvkm_bar *bar)
{
}

static const struct nvkm_bar_func nvsw_bar = {
	.dtor = dtor,
	.oneinit = oneinit,
	.bar1.init = nothing,
	.bar1.wait = nothing,
};

int nvsw_bar_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_bar **bar)
{
	*bar = kzalloc_obj(**bar);
	if (!*bar)
		return -ENOMEM;
	nvkm_bar_ctor(&nvsw_bar, device, type, inst, *bar);
	return 0;
}
