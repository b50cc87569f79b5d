// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The board in User-Mode Linux. What the kernel maps there with ioremap() is not memory: each
 * access comes here, to VRAM, and to the registers.
 */
#include <linux/logic_iomem.h>
#include <linux/ioport.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "board.h"

/* The largest mapping that logic_iomem can have; it does not check that itself. */
#define MAX_MAPPING SZ_16M

static unsigned long read_vram(void *base, unsigned int offset, int size)
{
	switch (size) {
	case 1:
		return READ_ONCE(*(u8 *)(base + offset));
	case 2:
		return READ_ONCE(*(u16 *)(base + offset));
	case 4:
		return READ_ONCE(*(u32 *)(base + offset));
	default:
		return READ_ONCE(*(u64 *)(base + offset));
	}
}

static void write_vram(void *base, unsigned int offset, int size,
		       unsigned long value)
{
	switch (size) {
	case 1:
		WRITE_ONCE(*(u8 *)(base + offset), value);
		break;
	case 2:
		WRITE_ONCE(*(u16 *)(base + offset), value);
		break;
	case 4:
		WRITE_ONCE(*(u32 *)(base + offset), value);
		break;
	default:
		WRITE_ONCE(*(u64 *)(base + offset), value);
		break;
	}
}

static void set(void *base, unsigned int offset, u8 value, int size)
{
	memset(base + offset, value, size);
}

static void copy_from(void *base, void *buffer, unsigned int offset, int size)
{
	memcpy(buffer, base + offset, size);
}

static void copy_to(void *base, unsigned int offset, const void *buffer,
		    int size)
{
	memcpy(base + offset, buffer, size);
}

static const struct logic_iomem_ops vram_ops = {
	.read = read_vram,
	.write = write_vram,
	.set = set,
	.copy_from = copy_from,
	.copy_to = copy_to,
};

static long map_vram(unsigned long offset, size_t size,
		     const struct logic_iomem_ops **result, void **base)
{
	if (size > MAX_MAPPING)
		return -EINVAL;
	*result = &vram_ops;
	*base = nvsw_board()->vram + offset;
	return 0;
}

static const struct logic_iomem_region_ops vram_region_ops = {
	.map = map_vram,
};

static struct resource vram = {
	.name = "nvsw VRAM",
	.flags = IORESOURCE_MEM,
};

/* Of registers the base is where the mapping begins in them. */
static unsigned long read_register(void *base, unsigned int offset, int size)
{
	return nvsw_register_read((uintptr_t)base + offset, size);
}

static void write_register(void *base, unsigned int offset, int size,
			   unsigned long value)
{
	nvsw_register_write((uintptr_t)base + offset, size, value);
}

static const struct logic_iomem_ops register_ops = {
	.read = read_register,
	.write = write_register,
};

static long map_registers(unsigned long offset, size_t size,
			  const struct logic_iomem_ops **result, void **base)
{
	*result = &register_ops;
	*base = (void *)offset;
	return 0;
}

static const struct logic_iomem_region_ops register_region_ops = {
	.map = map_registers,
};

static struct resource registers = {
	.name = "nvsw registers",
	.flags = IORESOURCE_MEM,
};

static int __init add(struct resource *resource, phys_addr_t start, u64 size,
		      const struct logic_iomem_region_ops *region_ops)
{
	resource->start = start;
	resource->end = start + size - 1;
	return logic_iomem_add_region(resource, region_ops);
}

int __init nvsw_arch_add(struct nvsw_board *board)
{
	int ret = add(&vram, board->vram_phys, board->vram_size,
		      &vram_region_ops);

	if (ret)
		return ret;
	return add(&registers, board->registers, NVSW_REGISTERS_SIZE,
		   &register_region_ops);
}

void *nvsw_arch_sysdata(void)
{
	return NULL;
}
