// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The registers. The chip's parts in nvkm are software and have none, so there are few:
 * what nvkm asks a device about before it knows which one it is, the doorbell, the clock,
 * and one that is written for any chip. Any other access is logged, as that is code for
 * hardware that was not meant to run.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/timekeeping.h>

#include "board.h"

/* The clock, which programs may read. */
#define TIME_LOW (NVSW_USER + 0x80)
#define TIME_HIGH (NVSW_USER + 0x84)

/* A bit of it nouveau sets after each runtime resume, whatever the chip. */
#define PCI_LINK 0x088488

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
	atomic_inc(&nvsw_board()->unexpected);
	pr_warn_ratelimited("nvsw: unexpected %s of register %06x by %pS\n",
			    what, address, __builtin_return_address(0));
}

u32 nvsw_register_read(u32 address, int size)
{
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
EXPORT_SYMBOL_GPL(nvsw_register_read);

void nvsw_register_write(u32 address, int size, u32 value)
{
	void (*doorbell)(u32 token) = READ_ONCE(nvsw_board()->doorbell);

	if (address == NVSW_USER + NVSW_USER_DOORBELL && size == 4 && doorbell)
		doorbell(value);
	else if (address != PCI_LINK)
		complain("write", address);
}
EXPORT_SYMBOL_GPL(nvsw_register_write);
