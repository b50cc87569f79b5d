// SPDX-License-Identifier: GPL-2.0 OR MIT
/* nvkm's view of the bus. There is nothing to do on it; nvkm asks whether it is AGP. */
#include <subdev/pci/priv.h>

#include "chip.h"

static const struct nvkm_pci_func nvsw_pci = {};

int nvsw_pci_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_pci **pci)
{
	return nvkm_pci_new_(&nvsw_pci, device, type, inst, pci);
}
