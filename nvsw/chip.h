/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The chip: nvkm's subdevs and engines, in software. Each of these files makes one. */
#ifndef NVSW_CHIP_H
#define NVSW_CHIP_H

#include <core/device.h>

#include "board.h"

/* chip.c: what the device is, or NULL if it is not on the board. */
const struct nvkm_device_chip *nvsw_chip(struct nvkm_device *device);

int nvsw_bar_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_bar **bar);
int nvsw_ce_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_engine **engine);
int nvsw_fb_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_fb **fb);
int nvsw_fifo_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		  int inst, struct nvkm_fifo **fifo);
int nvsw_gr_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		int inst, struct nvkm_gr **gr);
int nvsw_imem_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		  int inst, struct nvkm_instmem **imem);
int nvsw_mmu_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_mmu **mmu);
int nvsw_pci_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_pci **pci);
int nvsw_timer_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		   int inst, struct nvkm_timer **timer);
int nvsw_vfn_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_vfn **vfn);

/* fifo.c: an engine of the runlist is reset. The channel on it is gone from there. */
void nvsw_runl_reset(unsigned int id);

#endif
