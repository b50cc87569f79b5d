// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The page tables of Pascal to Turing, as nvkm/subdev/mmu/vmmgp100.c writes them::
 *
 *   48 47 46      38 37      29 28      21 20     16 15   12 11        0
 *  | top |  level 2 |  level 1 |  level 0 | small table    | in the page
 *                                         | large |
 *
 * An entry of level 0 has two halves: where the table of large pages (64 KiB) is, and where
 * that of small ones (4 KiB); or it is a page of 2 MiB itself. A large page counts before
 * the small ones in its place.
 */
#include <linux/bits.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "board.h"
#include "memory.h"

/*
 * An address of memory, shifted. What is above is of compression and kind. Tables of large
 * pages are small, and may begin anywhere in a page.
 */
#define ADDRESS GENMASK_ULL(53, 8)
#define ADDRESS_VRAM GENMASK_ULL(32, 8)
#define ADDRESS_TABLE GENMASK_ULL(32, 4)
#define ADDRESS_SHIFT 4

/* In which memory: in entries that point to tables 0 means that there is none. */
#define APERTURE(entry) ((entry) >> 1 & 3)
#define APERTURE_VRAM 0
#define APERTURE_COHERENT 2
#define APERTURE_NONCOHERENT 3
#define TABLE_NONE 0
#define TABLE_VRAM 1

#define VALID BIT_ULL(0)
/* Of an invalid entry: reads are 0, writes are lost, and nothing faults. */
#define SPARSE BIT_ULL(3)
/* Of an invalid entry of a large page: the small ones in its place do not count. */
#define NO_SMALL BIT_ULL(5)
#define READ_ONLY BIT_ULL(6)

#define ADDRESS_BITS 49

struct nvsw_walks nvsw_walks;

/* No table is outside of VRAM on this chip; nvkm puts none there. */
static bool read_entry(u64 table, unsigned int index, unsigned int size,
		       u64 *entry)
{
	struct nvsw_board *board = nvsw_board();
	u64 at = table + index * size;

	if (at + sizeof(*entry) > board->vram_size)
		return false;
	*entry = READ_ONCE(*(u64 *)(board->vram + at));
	return true;
}

/* Physical addresses of system memory are those of the CPU: there is no IOMMU. */
static enum nvsw_fault find_page(u64 entry, u64 offset, struct nvsw_page *page,
				 unsigned long *count)
{
	struct nvsw_board *board = nvsw_board();
	u64 address;

	(*count)++;
	page->read_only = entry & READ_ONLY;
	switch (APERTURE(entry)) {
	case APERTURE_VRAM:
		address = ((entry & ADDRESS_VRAM) << ADDRESS_SHIFT) + offset;
		if (address + PAGE_SIZE > board->vram_size)
			return NVSW_FAULT_APERTURE;
		page->data = board->vram + address;
		return NVSW_FAULT_NONE;
	case APERTURE_COHERENT:
	case APERTURE_NONCOHERENT:
		address = ((entry & ADDRESS) << ADDRESS_SHIFT) + offset;
		if (!pfn_valid(address >> PAGE_SHIFT))
			return NVSW_FAULT_APERTURE;
		page->data = phys_to_virt(address);
		return NVSW_FAULT_NONE;
	default:
		return NVSW_FAULT_APERTURE;
	}
}

static enum nvsw_fault find_sparse(struct nvsw_page *page)
{
	nvsw_walks.sparse++;
	*page = (struct nvsw_page){};
	return NVSW_FAULT_NONE;
}

static bool is_table(u64 entry)
{
	return APERTURE(entry) == TABLE_VRAM;
}

static u64 table_of(u64 entry)
{
	return (entry & ADDRESS_TABLE) << ADDRESS_SHIFT;
}

/* The last level. False if @large says that the small table counts. */
static bool look_up_large(u64 large, u64 address, struct nvsw_page *page,
			  enum nvsw_fault *fault)
{
	u64 entry;

	if (!read_entry(table_of(large), address >> 16 & 0x1f, 8, &entry)) {
		*fault = NVSW_FAULT_APERTURE;
		return true;
	}
	if (entry & VALID)
		*fault = find_page(entry, address & 0xf000, page,
				   &nvsw_walks.large);
	else if (entry & SPARSE)
		*fault = find_sparse(page);
	else if (entry & NO_SMALL)
		*fault = NVSW_FAULT_PTE;
	else
		return false;
	return true;
}

static enum nvsw_fault look_up_small(u64 small, u64 address,
				     struct nvsw_page *page)
{
	u64 entry;

	if (!read_entry(table_of(small), address >> 12 & 0x1ff, 8, &entry))
		return NVSW_FAULT_APERTURE;
	if (entry & VALID)
		return find_page(entry, 0, page, &nvsw_walks.small);
	return entry & SPARSE ? find_sparse(page) : NVSW_FAULT_PTE;
}

static enum nvsw_fault look_up_level0(u64 table, u64 address,
				      struct nvsw_page *page)
{
	unsigned int index = (address >> 21 & 0xff) * 2;
	enum nvsw_fault fault;
	u64 large, small;

	if (!read_entry(table, index, 8, &large) ||
	    !read_entry(table, index + 1, 8, &small))
		return NVSW_FAULT_APERTURE;
	if (large & VALID)
		return find_page(large, address & 0x1ff000, page,
				 &nvsw_walks.huge);
	if (is_table(large) && look_up_large(large, address, page, &fault))
		return fault;
	if (is_table(small))
		return look_up_small(small, address, page);
	if (!is_table(large) && large & SPARSE)
		return find_sparse(page);
	return is_table(large) ? NVSW_FAULT_PTE : NVSW_FAULT_PDE;
}

enum nvsw_fault nvsw_walk(u64 pdb, u64 address, struct nvsw_page *page)
{
	static const struct {
		u8 shift;
		u16 mask;
	} levels[] = {
		{ 47, 0x3 },
		{ 38, 0x1ff },
		{ 29, 0x1ff },
	};
	u64 table = pdb, entry;
	int i;

	if (address >> ADDRESS_BITS)
		return NVSW_FAULT_VA_LIMIT;
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!read_entry(table,
				address >> levels[i].shift & levels[i].mask, 8,
				&entry))
			return NVSW_FAULT_APERTURE;
		if (!is_table(entry))
			return entry & SPARSE ? find_sparse(page) :
						NVSW_FAULT_PDE;
		table = table_of(entry);
	}
	return look_up_level0(table, address, page);
}
