// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The board is there if memory was put aside for it on the kernel's command line:
 * reserve_mem=<size>:16M:nvsw. It stays until the machine is switched off, whether or not
 * there is a driver; so does what is in its memory.
 */
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "board.h"

static struct nvsw_board the_board;
static bool present;

struct nvsw_board *nvsw_board(void)
{
	return present ? &the_board : NULL;
}
EXPORT_SYMBOL_GPL(nvsw_board);

static int __init find_memory(struct nvsw_board *board)
{
	phys_addr_t start, size;

	if (!reserve_mem_find_by_name("nvsw", &start, &size))
		return -ENODEV;
	if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return -EINVAL;
	board->vram_phys = start;
	board->vram_size = size;
	board->vram = phys_to_virt(start);
	board->registers = NVSW_REGISTERS;
	return 0;
}

static int __init nvsw_board_init(void)
{
	struct nvsw_board *board = &the_board;
	int ret = find_memory(board);

	if (ret)
		return ret == -ENODEV ? 0 : ret;
	ret = nvsw_arch_add(board);
	if (ret)
		return ret;
	present = true;
	return nvsw_bus_add(board);
}
module_init(nvsw_board_init);

MODULE_DESCRIPTION("The board of a software chip for nouveau");
MODULE_LICENSE("Dual MIT/GPL");
