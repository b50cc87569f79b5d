// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * VRAM as an aperture. It is memory of the machine, so that programs can map it by its page
 * frames. What the kernel maps with ioremap() is not memory for User-Mode Linux: each access
 * comes here.
 */
#include <linux/logic_iomem.h>
#include <linux/ioport.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "board.h"

/* The largest mapping that logic_iomem can have; it does not check that itself. */
#define MAX_MAPPING SZ_16M

static struct nvsw_board *the_board;

static unsigned long read(void *base, unsigned int offset, int size)
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

static void write(void *base, unsigned int offset, int size,
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

static const struct logic_iomem_ops ops = {
	.read = read,
	.write = write,
	.set = set,
	.copy_from = copy_from,
	.copy_to = copy_to,
};

static long map(unsigned long offset, size_t size,
		const struct logic_iomem_ops **result, void **base)
{
	if (size > MAX_MAPPING)
		return -EINVAL;
	*result = &ops;
	*base = the_board->vram + offset;
	return 0;
}

static const struct logic_iomem_region_ops region_ops = {
	.map = map,
};

static struct resource region = {
	.name = "nvsw VRAM",
	.flags = IORESOURCE_MEM,
};

int __init nvsw_aperture_add(struct nvsw_board *board)
{
	the_board = board;
	region.start = board->vram_phys;
	region.end = board->vram_phys + board->vram_size - 1;
	return logic_iomem_add_region(&region, &region_ops);
}
