// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The board on x86_64. VRAM is memory of the machine that was put aside, which ioremap() maps as
 * it is. At the addresses of registers nothing answers: whoever accesses them asks here first
 * whether what he has are registers.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/vmalloc.h>

#include "board.h"

/* It looks for the domain there. */
static struct pci_sysdata sysdata = { .node = NUMA_NO_NODE };

bool nvsw_find_register(const void __iomem *p, u32 *address)
{
	const void *mapped = (const void __force *)p;
	phys_addr_t phys;

	if (!nvsw_board() || !is_vmalloc_addr(mapped))
		return false;
	phys = PFN_PHYS(vmalloc_to_pfn(mapped)) + offset_in_page(mapped);
	*address = phys - nvsw_board()->registers;
	return phys >= nvsw_board()->registers &&
	       phys < nvsw_board()->registers + NVSW_REGISTERS_SIZE;
}
EXPORT_SYMBOL_GPL(nvsw_find_register);

int __init nvsw_arch_add(struct nvsw_board *board)
{
	return 0;
}

void *nvsw_arch_sysdata(void)
{
	return &sysdata;
}
