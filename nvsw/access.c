// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory at virtual addresses of a channel. */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "board.h"
#include "exec.h"

static bool find(struct nvsw_chan *chan, u64 address, bool write,
		 struct nvsw_page *page)
{
	enum nvsw_fault fault = NVSW_FAULT_UNBOUND;

	if (chan->pdb)
		fault = nvsw_translate(chan->pdb, address, page);
	if (fault == NVSW_FAULT_NONE && write && page->read_only)
		fault = NVSW_FAULT_READ_ONLY;
	if (fault == NVSW_FAULT_NONE)
		return true;
	chan->fault = fault;
	chan->fault_address = address;
	chan->fault_write = write;
	return false;
}

static size_t left_in_page(u64 address)
{
	return PAGE_SIZE - offset_in_page(address);
}

bool nvsw_read(struct nvsw_chan *chan, u64 address, void *buffer, size_t size)
{
	struct nvsw_page page;
	size_t now;

	for (; size; size -= now, address += now, buffer += now) {
		now = min(size, left_in_page(address));
		if (!find(chan, address, false, &page))
			return false;
		if (page.data)
			memcpy(buffer, page.data + offset_in_page(address),
			       now);
		else
			memset(buffer, 0, now);
	}
	return true;
}

bool nvsw_write(struct nvsw_chan *chan, u64 address, const void *buffer,
		size_t size)
{
	struct nvsw_page page;
	size_t now;

	for (; size; size -= now, address += now, buffer += now) {
		now = min(size, left_in_page(address));
		if (!find(chan, address, true, &page))
			return false;
		if (page.data)
			memcpy(page.data + offset_in_page(address), buffer,
			       now);
	}
	return true;
}

bool nvsw_move(struct nvsw_chan *chan, u64 to, u64 from, size_t size)
{
	struct nvsw_page source, target;
	size_t now;

	for (; size; size -= now, to += now, from += now) {
		now = min3(size, left_in_page(to), left_in_page(from));
		if (!find(chan, from, false, &source) ||
		    !find(chan, to, true, &target))
			return false;
		if (!target.data)
			continue;
		if (source.data)
			memmove(target.data + offset_in_page(to),
				source.data + offset_in_page(from), now);
		else
			memset(target.data + offset_in_page(to), 0, now);
	}
	return true;
}

bool nvsw_read32(struct nvsw_chan *chan, u64 address, u32 *value)
{
	return nvsw_read(chan, address, value, sizeof(*value));
}

bool nvsw_in_vram(struct nvsw_chan *chan, u64 address)
{
	struct nvsw_board *board = nvsw_board();
	struct nvsw_page page;

	return nvsw_translate(chan->pdb, address, &page) == NVSW_FAULT_NONE &&
	       page.data >= board->vram &&
	       page.data < board->vram + board->vram_size;
}

/* The value comes last: whoever sees it finds all that was written before. */
bool nvsw_write_report(struct nvsw_chan *chan, u64 address, u32 value,
		       bool with_time)
{
	struct {
		u32 zero;
		u64 time;
	} __packed rest = { 0, ktime_get_ns() };

	if (with_time &&
	    !nvsw_write(chan, address + sizeof(value), &rest, sizeof(rest)))
		return false;
	smp_wmb(); /* pairs with what whoever polls the value does */
	return nvsw_write(chan, address, &value, sizeof(value));
}
