/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The board: what is there without a driver. Memory, registers, and a place on a bus. */
#ifndef NVSW_BOARD_H
#define NVSW_BOARD_H

#include <linux/types.h>

struct pci_dev;

/* Which BAR of a real board is what. */
#define NVSW_BAR_REGISTERS 0
#define NVSW_BAR_VRAM 1

#define NVSW_REGISTERS_SIZE 0x1000000

/* Where the page of registers is that programs may have, and the doorbell in it. */
#define NVSW_USER 0xbb0000
#define NVSW_USER_DOORBELL 0x90

/**
 * struct nvsw_board - the board; there is at most one
 * @pdev: its function on the bus
 * @irq: its line; it never rings
 * @vram: its memory, as the CPU sees it
 * @vram_phys: the physical address of @vram
 * @vram_size: in bytes
 * @registers: the physical address of its registers
 * @doorbell: called with what is written to the doorbell; the chip's, or NULL
 * @unexpected: how many accesses there were to registers that nobody expects; a snapshot
 * @losses: how often its memory was overwritten, once or more for each sleep; a snapshot
 */
struct nvsw_board {
	struct pci_dev *pdev;
	int irq;
	void *vram;
	phys_addr_t vram_phys;
	u64 vram_size;
	phys_addr_t registers;
	void (*doorbell)(u32 token);
	atomic_t unexpected;
	atomic_t losses;
};

/* The board, or NULL. */
struct nvsw_board *nvsw_board(void);

/* Only for the board itself. bus.c, aperture.c, registers.c */
int nvsw_bus_add(struct nvsw_board *board);
int nvsw_aperture_add(struct nvsw_board *board);
int nvsw_registers_add(struct nvsw_board *board);

#endif
