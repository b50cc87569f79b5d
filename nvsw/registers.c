// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The registers. The chip's parts in nvkm are software and have none, so there are few:
 * what nvkm asks a device about before it knows which one it is, the doorbell, the clock,
 * and one that is written for any chip. Any other access is logged, as that is code for
 * hardware that was not meant to run.
 */
#include <linux/kernel.h>
#include <linux/logic_iomem.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/timekeeping.h>

#include "board.h"

/* The clock, which programs may read. */
#define TIME_LOW (NVSW_USER + 0x80)
#define TIME_HIGH (NVSW_USER + 0x84)

/* A bit of it nouveau sets after each runtime resume, whatever the chip. */
#define PCI_LINK 0x088488

/* Above all memory that a guest has, below what User-Mode Linux has for PCI. */
#define REGISTERS 0xe0000000

static struct nvsw_board *the_board;

static const struct {
	u32 address;
	u32 value;
} known[] = {
	{ 0x000000, 0x162000a1 }, /* which chip: TU102 */
	{ 0x000004, 0x00000000 }, /* little-endian, not a virtual one */
	{ PCI_LINK, 0x00000000 },
	{ 0x101000, 0x00000000 }, /* straps */
};

static void complain(const char *what, u32 address)
{
	atomic_inc(&the_board->unexpected);
	pr_warn_ratelimited("nvsw: unexpected %s of register %06x by %pS\n",
			    what, address, __builtin_return_address(0));
}

static unsigned long read(void *base, unsigned int offset, int size)
{
	u32 address = (uintptr_t)base + offset;
	int i;

	if (address == TIME_LOW && size == 4)
		return lower_32_bits(ktime_get_ns());
	if (address == TIME_HIGH && size == 4)
		return upper_32_bits(ktime_get_ns());
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].address == address && size == 4)
			return known[i].value;
	complain("read", address);
	return 0;
}

static void write(void *base, unsigned int offset, int size,
		  unsigned long value)
{
	void (*doorbell)(u32 token) = READ_ONCE(the_board->doorbell);
	u32 address = (uintptr_t)base + offset;

	if (address == NVSW_USER + NVSW_USER_DOORBELL && size == 4 && doorbell)
		doorbell(value);
	else if (address != PCI_LINK)
		complain("write", address);
}

static const struct logic_iomem_ops ops = {
	.read = read,
	.write = write,
};

static long map(unsigned long offset, size_t size,
		const struct logic_iomem_ops **result, void **base)
{
	*result = &ops;
	*base = (void *)offset;
	return 0;
}

static const struct logic_iomem_region_ops region_ops = {
	.map = map,
};

static struct resource region = {
	.name = "nvsw registers",
	.start = REGISTERS,
	.end = REGISTERS + NVSW_REGISTERS_SIZE - 1,
	.flags = IORESOURCE_MEM,
};

int __init nvsw_registers_add(struct nvsw_board *board)
{
	the_board = board;
	board->registers = region.start;
	return logic_iomem_add_region(&region, &region_ops);
}
