/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Later than Linux 6.12 nouveau reads and writes the rings of its own channels, which are in
 * plain memory, as it does registers. That goes well where both are plain addresses; here
 * registers are not. For User-Mode Linux whatever is mapped with ioremap() is none, and has
 * accessors that know it; on x86_64 the chip's registers are none.
 */
#ifndef NVSW_PLAIN_H
#define NVSW_PLAIN_H

#include <linux/io.h>
#include <linux/mm.h>

#include "board.h"

#ifdef CONFIG_UML
static inline bool nvsw_is_plain(const void *p)
{
	return virt_addr_valid(p) || is_vmalloc_addr(p);
}

static inline u32 nvsw_ioread32(const void __iomem *p)
{
	const u32 *memory = (const u32 __force *)p;

	return nvsw_is_plain(memory) ? READ_ONCE(*memory) : ioread32(p);
}

static inline void nvsw_iowrite32(u32 value, void __iomem *p)
{
	u32 *memory = (u32 __force *)p;

	if (nvsw_is_plain(memory))
		WRITE_ONCE(*memory, value);
	else
		iowrite32(value, p);
}
#else
static inline u32 nvsw_ioread32(const void __iomem *p)
{
	u32 address;

	if (nvsw_find_register(p, &address))
		return nvsw_register_read(address, 4);
	return ioread32(p);
}

static inline void nvsw_iowrite32(u32 value, void __iomem *p)
{
	u32 address;

	if (nvsw_find_register(p, &address))
		nvsw_register_write(address, 4, value);
	else
		iowrite32(value, p);
}
#endif

#endif
