// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What reads commands. A channel's instance block says where its ring is; an entry of the ring
 * says where words are; a word is a header that names methods, or the data of one. ::
 *
 *   instance block -> ring, from GP_GET to GP_PUT -> words -> methods
 */
#include <linux/log2.h>

#include <nvhw/class/cl906f.h>

#include "board.h"
#include "exec.h"

/* In the instance block. */
#define RAMFC_USERD 0x008
#define RAMFC_GP_GET 0x014
#define RAMFC_GP_BASE 0x048
#define RAMFC_GP_BASE_HI 0x04c
#define RAMFC_PDB 0x200

/* In what the channel shares with who fills its ring. */
#define USERD_GET 0x44
#define USERD_GET_HI 0x60
#define USERD_GP_GET 0x88
#define USERD_GP_PUT 0x8c

/* Methods below are the host's. */
#define HOST_METHODS 0x100

/* A word of VRAM, or of nothing if there is no such address: garbage may say where. */
static u32 *vram_word(u64 address)
{
	static u32 nothing;
	struct nvsw_board *board = nvsw_board();

	if (address + sizeof(u32) > board->vram_size) {
		nothing = 0;
		return &nothing;
	}
	return board->vram + address;
}

static u32 get32(u64 address)
{
	return READ_ONCE(*vram_word(address));
}

static void put32(u64 address, u32 value)
{
	WRITE_ONCE(*vram_word(address), value);
}

static u64 get64(u64 address)
{
	return (u64)get32(address + 4) << 32 | get32(address);
}

void nvsw_pbdma_load(struct nvsw_chan *chan)
{
	u64 base = get64(chan->inst + RAMFC_GP_BASE);

	chan->pdb = get64(chan->inst + RAMFC_PDB) & ~0xfffULL;
	chan->userd = get64(chan->inst + RAMFC_USERD) & ~0x1ffULL;
	chan->ring = base & GENMASK_ULL(39, 3);
	chan->ring_size = BIT(base >> 48 & 0x1f);
	chan->gp_get = get32(chan->inst + RAMFC_GP_GET);
}

void nvsw_pbdma_save(struct nvsw_chan *chan)
{
	put32(chan->inst + RAMFC_GP_GET, chan->gp_get);
}

bool nvsw_pbdma_has_work(const struct nvsw_chan *chan)
{
	return chan->rung || chan->gp_get != chan->gp_put ||
	       chan->get != chan->end || chan->acquire.active ||
	       chan->copy.active;
}

/* The next entry of the ring. False if there is none, or it cannot be read. */
static bool next_entry(struct nvsw_chan *chan)
{
	u32 entry[2];

	if (chan->gp_get == chan->gp_put && chan->rung) {
		chan->rung = false;
		chan->gp_put =
			get32(chan->userd + USERD_GP_PUT) % chan->ring_size;
	}
	if (chan->gp_get == chan->gp_put)
		return false;
	if (!nvsw_read(chan, chan->ring + chan->gp_get * sizeof(entry), entry,
		       sizeof(entry)))
		return false;
	chan->get = (u64)(entry[1] & 0xff) << 32 | (entry[0] & ~3);
	chan->end = chan->get + (entry[1] >> 10 & 0x1fffff) * sizeof(u32);
	chan->gp_get = (chan->gp_get + 1) % chan->ring_size;
	put32(chan->userd + USERD_GP_GET, chan->gp_get);
	return true;
}

static void tell_get(struct nvsw_chan *chan)
{
	put32(chan->userd + USERD_GET_HI, upper_32_bits(chan->get));
	put32(chan->userd + USERD_GET, lower_32_bits(chan->get));
}

static bool engine_method(struct nvsw_chan *chan, u32 class, u32 method,
			  u32 data)
{
	const u32 *shadow = chan->shadow[chan->subchannel];

	switch (class & 0xff) {
	case 0xb5:
		return nvsw_copy_method(chan, shadow, method, data);
	case 0x40:
		return nvsw_inline_method(chan, shadow, method, data);
	case 0x97:
	case 0xc0:
		return nvsw_inline_method(chan, shadow, method, data) ||
		       nvsw_report_method(chan, shadow, method, data);
	default:
		return false;
	}
}

static void execute(struct nvsw_chan *chan, u32 method, u32 data)
{
	u32 class = chan->class[chan->subchannel];

	if (method < HOST_METHODS) {
		nvsw_host_method(chan, method, data);
		return;
	}
	chan->shadow[chan->subchannel][method / 4] = data;
	if (!engine_method(chan, class, method, data))
		nvsw_count_unknown(class, method);
}

static void data(struct nvsw_chan *chan, u32 word)
{
	execute(chan, chan->method, word);
	chan->count--;
	if (chan->increments) {
		chan->increments--;
		chan->method = (chan->method + 4) & (NVSW_NR_METHODS * 4 - 1);
	}
}

static void begin(struct nvsw_chan *chan, u32 word, u32 count, u32 increments)
{
	chan->method = (word & 0xfff) << 2;
	chan->subchannel = word >> 13 & 7;
	chan->count = count;
	chan->increments = increments;
}

static void header(struct nvsw_chan *chan, u32 word)
{
	u32 count = word >> 16 & 0x1fff;

	switch (word >> 29) {
	case NV906F_DMA_SEC_OP_INC_METHOD:
		begin(chan, word, count, count);
		break;
	case NV906F_DMA_SEC_OP_NON_INC_METHOD:
		begin(chan, word, count, 0);
		break;
	case NV906F_DMA_SEC_OP_ONE_INC:
		begin(chan, word, count, 1);
		break;
	case NV906F_DMA_SEC_OP_IMMD_DATA_METHOD:
		begin(chan, word, 0, 0);
		execute(chan, chan->method, count);
		break;
	case NV906F_DMA_SEC_OP_END_PB_SEGMENT:
		chan->get = chan->end;
		break;
	case NV906F_DMA_SEC_OP_GRP0_USE_TERT:
		/* Nothing, or methods as on older chips, of which none are to be seen. */
		if (word)
			nvsw_count_unknown(0xc46f, word >> 16 & 3);
		break;
	default:
		nvsw_count_unknown(0xc46f, word >> 29);
		break;
	}
}

static void next_word(struct nvsw_chan *chan)
{
	u32 word;

	if (!nvsw_read32(chan, chan->get, &word))
		return;
	chan->get += sizeof(word);
	if (chan->count)
		data(chan, word);
	else
		header(chan, word);
	tell_get(chan);
}

enum nvsw_step nvsw_pbdma_run(struct nvsw_chan *chan, unsigned int words)
{
	for (; words && chan->fault == NVSW_FAULT_NONE; words--) {
		if (chan->copy.active) {
			nvsw_copy_go_on(chan);
		} else if (chan->acquire.active) {
			if (!nvsw_host_acquired(chan) &&
			    chan->fault == NVSW_FAULT_NONE)
				return NVSW_STEP_WAIT;
		} else if (chan->get != chan->end) {
			next_word(chan);
		} else if (!next_entry(chan) &&
			   chan->fault == NVSW_FAULT_NONE) {
			return NVSW_STEP_IDLE;
		}
	}
	return chan->fault == NVSW_FAULT_NONE ? NVSW_STEP_MORE :
						NVSW_STEP_STUCK;
}
