// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Instance memory: what nvkm keeps in VRAM for the chip to read, such as page tables. It is
 * read and written a word at a time, as through the window that all chips have for that. When
 * the device sleeps nvkm saves it, as VRAM is lost.
 */
#include <core/memory.h>
#include <subdev/fb.h>
#include <subdev/instmem/priv.h>

#include "../../ttm_fence_lru/compat/engine.h"
#include "chip.h"
#include "memory.h"

/**
 * struct object - a piece of instance memory
 * @base: what nvkm knows of it
 * @imem: where it is listed
 * @ram: the VRAM that it is
 * @words: the same, as the CPU sees it
 */
struct object {
	struct nvkm_instobj base;
	struct nvkm_instmem *imem;
	struct nvkm_memory *ram;
	u32 *words;
};

static struct object *to_object(struct nvkm_memory *memory)
{
	return container_of(memory, struct object, base.memory);
}

static u32 rd32(struct nvkm_memory *memory, u64 offset)
{
	return READ_ONCE(to_object(memory)->words[offset / sizeof(u32)]);
}

static void wr32(struct nvkm_memory *memory, u64 offset, u32 data)
{
	WRITE_ONCE(to_object(memory)->words[offset / sizeof(u32)], data);
}

static const struct nvkm_memory_ptrs access = {
	.rd32 = rd32,
	.wr32 = wr32,
};

static void *dtor(struct nvkm_memory *memory)
{
	struct object *object = to_object(memory);

	nvkm_instobj_dtor(object->imem, &object->base);
	nvkm_memory_unref(&object->ram);
	return object;
}

static enum nvkm_memory_target target(struct nvkm_memory *memory)
{
	return nvkm_memory_target(to_object(memory)->ram);
}

static u64 addr(struct nvkm_memory *memory)
{
	return nvkm_memory_addr(to_object(memory)->ram);
}

static u64 size(struct nvkm_memory *memory)
{
	return nvkm_memory_size(to_object(memory)->ram);
}

/* There is no pointer that nvkm could use as it uses those that ioremap() makes. */
static void __iomem *acquire(struct nvkm_memory *memory)
{
	return NULL;
}

static void release(struct nvkm_memory *memory)
{
	/* What was written is to be seen by the chip, on whatever CPU its timer runs. */
	smp_wmb();
}

static int map(struct nvkm_memory *memory, u64 offset, struct nvkm_vmm *vmm,
	       struct nvkm_vma *vma, void *argv, u32 argc)
{
	return nvkm_memory_map(to_object(memory)->ram, offset, vmm, vma, argv,
			       argc);
}

static const struct nvkm_memory_func object_func = {
	.dtor = dtor,
	.target = target,
	.addr = addr,
	.size = size,
	.acquire = acquire,
	.release = release,
	.map = map,
};

static int memory_wrap(struct nvkm_instmem *imem, struct nvkm_memory *ram,
		       struct nvkm_memory **memory)
{
	struct object *object;

	/* A chip could do with pieces. The only user wants pages. */
	if (nvkm_memory_addr(ram) == ~0ULL)
		return -EINVAL;
	object = kzalloc_obj(*object);
	if (!object)
		return -ENOMEM;
	nvkm_instobj_ctor(&object_func, imem, &object->base);
	object->base.memory.ptrs = &access;
	object->imem = imem;
	object->ram = nvkm_memory_ref(ram);
	object->words = nvsw_board()->vram + nvkm_memory_addr(ram);
	*memory = &object->base.memory;
	return 0;
}

static int memory_new(struct nvkm_instmem *imem, u32 size, u32 align, bool zero,
		      struct nvkm_memory **memory)
{
	u8 page = max(order_base_2(align), PAGE_SHIFT);
	struct nvkm_memory *ram;
	int ret;

	ret = nvkm_ram_get(imem->subdev.device, 0, 1, page, size, true, true,
			   &ram);
	if (ret)
		return ret;
	ret = memory_wrap(imem, ram, memory);
	nvkm_memory_unref(&ram);
	return ret;
}

/* What is left in VRAM is lost, and what was there is not 0. */
static void fini(struct nvkm_instmem *imem)
{
	struct nvsw_board *board = nvsw_board();

	if (!imem->suspend)
		return;
	nvsw_tlb_lose();
	memset(board->vram, 0x5a, board->vram_size);
	atomic_inc(&board->losses);
}

static const struct nvkm_instmem_func nvsw_imem = {
	.fini = fini,
	.suspend = nv04_instmem_suspend,
	.resume = nv04_instmem_resume,
	.memory_new = memory_new,
	.memory_wrap = memory_wrap,
};

int nvsw_imem_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		  int inst, struct nvkm_instmem **imem)
{
	*imem = kzalloc_obj(**imem);
	if (!*imem)
		return -ENOMEM;
	nvkm_instmem_ctor(&nvsw_imem, device, type, inst, *imem);
	return 0;
}
