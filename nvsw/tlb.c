// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cache of translations. It is what makes a missing flush visible: a page that was mapped
 * elsewhere is still found where it was. So it forgets nothing by itself, but for lack of room.
 */
#include <linux/hash.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "memory.h"

/* Large enough for what a test uses at once, so that room is not what saves it. */
#define SIZE_BITS 12

/**
 * struct translation - an entry of the cache
 * @pdb: whose
 * @frame: of which page
 * @page: what is there
 * @valid: it counts
 */
struct translation {
	u64 pdb;
	u64 frame;
	struct nvsw_page page;
	bool valid;
};

static struct translation tlb[1 << SIZE_BITS];
/* Protects the cache. A leaf. */
static DEFINE_RAW_SPINLOCK(tlb_lock);

static struct translation *slot_of(u64 pdb, u64 frame)
{
	return &tlb[hash_64(frame + hash_64(pdb, 64), SIZE_BITS)];
}

enum nvsw_fault nvsw_translate(u64 pdb, u64 address, struct nvsw_page *page)
{
	u64 frame = address >> 12;
	struct translation *slot = slot_of(pdb, frame);
	enum nvsw_fault fault = NVSW_FAULT_NONE;
	unsigned long flags;

	raw_spin_lock_irqsave(&tlb_lock, flags);
	if (!slot->valid || slot->pdb != pdb || slot->frame != frame) {
		fault = nvsw_walk(pdb, address, page);
		if (fault == NVSW_FAULT_NONE)
			*slot = (struct translation){ pdb, frame, *page, true };
	} else {
		*page = slot->page;
	}
	raw_spin_unlock_irqrestore(&tlb_lock, flags);
	return fault;
}

void nvsw_tlb_lose(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&tlb_lock, flags);
	memset(tlb, 0, sizeof(tlb));
	raw_spin_unlock_irqrestore(&tlb_lock, flags);
}

void nvsw_tlb_flush(u64 pdb)
{
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&tlb_lock, flags);
	for (i = 0; i < ARRAY_SIZE(tlb); i++)
		if (tlb[i].pdb == pdb)
			tlb[i].valid = false;
	raw_spin_unlock_irqrestore(&tlb_lock, flags);
}
