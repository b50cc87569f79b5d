// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The table of what the chip has. All else that a TU102 has is left out. */
#include "chip.h"

static const struct nvkm_device_chip nvsw_chipset = {
	.name = "NVSW (TU102)",
	.bar = { 0x00000001, nvsw_bar_new },
	.fb = { 0x00000001, nvsw_fb_new },
	.imem = { 0x00000001, nvsw_imem_new },
	.mmu = { 0x00000001, nvsw_mmu_new },
	.pci = { 0x00000001, nvsw_pci_new },
	.timer = { 0x00000001, nvsw_timer_new },
	.vfn = { 0x00000001, nvsw_vfn_new },
	.ce = { 0x00000003, nvsw_ce_new },
	.fifo = { 0x00000001, nvsw_fifo_new },
	.gr = { 0x00000001, nvsw_gr_new },
};

const struct nvkm_device_chip *nvsw_chip(struct nvkm_device *device)
{
	struct nvsw_board *board = nvsw_board();

	return board && device->dev == &board->pdev->dev ? &nvsw_chipset : NULL;
}
