/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The board: what is there without a driver. Memory, registers, and a place on a bus. */
#ifndef NVSW_BOARD_H
#define NVSW_BOARD_H

#include <linux/atomic.h>
#include <linux/types.h>

struct pci_dev;

/* Which BAR of a real board is what. */
#define NVSW_BAR_REGISTERS 0
#define NVSW_BAR_VRAM 1

/*
 * Where the registers are: above all memory that a guest has, below what User-Mode Linux has for
 * PCI. Nothing answers there.
 */
#define NVSW_REGISTERS 0xe0000000
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

/* registers.c: an access of so many bytes. */
u32 nvsw_register_read(u32 address, int size);
void nvsw_register_write(u32 address, int size, u32 value);
/* x86.c: whether this is mapped to a register, and which one that is. */
bool nvsw_find_register(const void __iomem *p, u32 *address);

/* Only for the board itself. bus.c */
int nvsw_bus_add(struct nvsw_board *board);

/* uml.c or x86.c: what the kernel maps with ioremap() is VRAM, and the registers. */
int nvsw_arch_add(struct nvsw_board *board);
/* What a bus has for the architecture. */
void *nvsw_arch_sysdata(void);

#endif
