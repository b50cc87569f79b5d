/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* How the chip gets from a virtual address to memory. */
#ifndef NVSW_MEMORY_H
#define NVSW_MEMORY_H

#include <linux/types.h>

/* The reasons of faults, as the hardware numbers them. */
enum nvsw_fault {
	NVSW_FAULT_PDE = 0x00,
	NVSW_FAULT_PTE = 0x02,
	NVSW_FAULT_VA_LIMIT = 0x03,
	NVSW_FAULT_UNBOUND = 0x04,
	NVSW_FAULT_READ_ONLY = 0x06,
	NVSW_FAULT_APERTURE = 0x0a,
	NVSW_FAULT_NONE = 0xff,
};

/**
 * struct nvsw_page - what is at a page of an address space
 * @data: its 4 KiB, as the CPU sees them; NULL if it is sparse
 * @read_only: writes to it fault
 */
struct nvsw_page {
	void *data;
	bool read_only;
};

/**
 * struct nvsw_walks - what was found in page tables, each time they were read; a snapshot
 * @huge: pages of 2 MiB
 * @large: of 64 KiB
 * @small: of 4 KiB
 * @sparse: of sparse regions
 */
struct nvsw_walks {
	unsigned long huge;
	unsigned long large;
	unsigned long small;
	unsigned long sparse;
};

extern struct nvsw_walks nvsw_walks;

/*
 * walk.c: reads page tables in VRAM, under the lock of the cache. @pdb: the address of the top
 * one there.
 */
enum nvsw_fault nvsw_walk(u64 pdb, u64 address, struct nvsw_page *page);

/* tlb.c: the same, from the cache if it is there. */
enum nvsw_fault nvsw_translate(u64 pdb, u64 address, struct nvsw_page *page);
/* Forgets what it knows of an address space. Nothing else makes it forget that. */
void nvsw_tlb_flush(u64 pdb);
/* The chip has no power. */
void nvsw_tlb_lose(void);

#endif
