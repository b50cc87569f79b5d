// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces. The page tables are those of Turing, made by nvkm; walk.c reads them. What is
 * the chip's own is how its caches are told to forget, and where CPUs see VRAM.
 */
#include <linux/module.h>

#include <nvif/class.h>
#include <subdev/fb.h>
#include <subdev/mmu/mem.h>
#include <subdev/mmu/vmm.h>

#include "chip.h"
#include "memory.h"

/*
 * Memory has one piece, because the aperture cannot put pieces together. Kind and contiguity
 * are what callers may ask for; the heaps have all of one type.
 */
static int new_memory(struct nvkm_mmu *mmu, int type, u8 page, u64 size,
		      void *argv, u32 argc, struct nvkm_memory **memory)
{
	return nvkm_ram_get(mmu->subdev.device, NVKM_RAM_MM_NORMAL, 0x01, page,
			    size, true, false, memory);
}

/* The error pointer tells nvkm that no address space has this mapping. */
static int map_memory(struct nvkm_mmu *mmu, struct nvkm_memory *memory,
		      void *argv, u32 argc, u64 *address, u64 *size,
		      struct nvkm_vma **vma)
{
	if (nvkm_memory_target(memory) != NVKM_MEM_TARGET_VRAM)
		return -EINVAL;
	*address = nvsw_board()->vram_phys + nvkm_memory_addr(memory);
	*size = nvkm_memory_size(memory);
	*vma = ERR_PTR(-ENODEV);
	return 0;
}

static bool broken;
module_param_named(nvsw_broken, broken, bool, 0444);
MODULE_PARM_DESC(nvsw_broken, "no translation is forgotten; tests must notice");

static void flush(struct nvkm_vmm *vmm, int depth)
{
	if (!broken)
		nvsw_tlb_flush(vmm->pd->pt[0]->addr);
}

static const struct nvkm_vmm_func nvsw_vmm = {
	.join = gv100_vmm_join,
	.part = gf100_vmm_part,
	.aper = gf100_vmm_aper,
	.valid = gp100_vmm_valid,
	.flush = flush,
	.mthd = gp100_vmm_mthd,
	.page = { { 47, &gp100_vmm_desc_16[4], NVKM_VMM_PAGE_Sxxx },
		  { 38, &gp100_vmm_desc_16[3], NVKM_VMM_PAGE_Sxxx },
		  { 29, &gp100_vmm_desc_16[2], NVKM_VMM_PAGE_Sxxx },
		  { 21, &gp100_vmm_desc_16[1], NVKM_VMM_PAGE_SVxC },
		  { 16, &gp100_vmm_desc_16[0], NVKM_VMM_PAGE_SVxC },
		  { 12, &gp100_vmm_desc_12[0], NVKM_VMM_PAGE_SVHx },
		  {} }
};

static int vmm_new(struct nvkm_mmu *mmu, bool managed, u64 addr, u64 size,
		   void *argv, u32 argc, struct lock_class_key *key,
		   const char *name, struct nvkm_vmm **vmm)
{
	return gp100_vmm_new_(&nvsw_vmm, mmu, managed, addr, size, argv, argc,
			      key, name, vmm);
}

/* For each kind of memory the one that it is without compression; 7 is none. */
static const u8 *kind(struct nvkm_mmu *mmu, int *count, u8 *invalid)
{
	static const u8 kinds[16] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x06, 0x06, 0x02, 0x01, 0x03, 0x04, 0x05, 0x07,
	};

	*count = ARRAY_SIZE(kinds);
	*invalid = 0x07;
	return kinds;
}

static const struct nvkm_mmu_func nvsw_mmu = {
	.dma_bits = 47,
	.mmu = { { -1, -1, NVIF_CLASS_MMU_GF100 } },
	.mem = { { -1, 0, NVIF_CLASS_MEM_GF100 }, new_memory, map_memory },
	.vmm = { { -1, 0, NVIF_CLASS_VMM_GP100 }, vmm_new },
	.kind = kind,
	.kind_sys = true,
};

int nvsw_mmu_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		 int inst, struct nvkm_mmu **mmu)
{
	return nvkm_mmu_new_(&nvsw_mmu, device, type, inst, mmu);
}
