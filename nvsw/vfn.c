// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The page of registers that programs may have, for the doorbell in it. */
#include <nvif/class.h>
#include <subdev/vfn/priv.h>

#include "chip.h"

static const struct nvkm_vfn_func nvsw_vfn = {
	.user = { 0, 0x010000, { -1, -1, TURING_USERMODE_A } },
};

int nvsw_vfn_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_vfn **vfn)
{
	return nvkm_vfn_new_(&nvsw_vfn, device, type, inst, NVSW_USER, vfn);
}
