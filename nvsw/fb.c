// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VRAM: how much there is of it. nvkm allocates it, as that of any chip. */
#include <subdev/fb/ram.h>

#include "chip.h"

static const struct nvkm_ram_func nvsw_ram = {};

static int ram_new(struct nvkm_fb *fb, struct nvkm_ram **ram)
{
	return nvkm_ram_new_(&nvsw_ram, fb, NVKM_RAM_TYPE_GDDR6,
			     nvsw_board()->vram_size, ram);
}

static const struct nvkm_fb_func nvsw_fb = {
	.ram_new = ram_new,
	.default_bigpage = 16,
};

int nvsw_fb_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_fb **fb)
{
	return nvkm_fb_new_(&nvsw_fb, device, type, inst, fb);
}
