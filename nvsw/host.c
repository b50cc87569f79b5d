// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Methods that all channels have, whatever engine they are for. Semaphores come in two shapes:
 * that of Fermi, and that of Volta.
 */
#include <nvhw/class/cl906f.h>

#include "board.h"
#include "exec.h"

#define SET_OBJECT 0x0000
#define NOP 0x0008
#define FB_FLUSH 0x0024
#define MEM_OP_A 0x0028
#define MEM_OP_D 0x0034
#define WFI 0x0078
#define YIELD 0x0080

/* Of Fermi's releases: the value only, without a time. */
#define ONE_WORD BIT(24)

/* Volta's semaphores. */
#define SEM_ADDR_LO 0x005c
#define SEM_ADDR_HI 0x0060
#define SEM_PAYLOAD_LO 0x0064
#define SEM_PAYLOAD_HI 0x0068
#define SEM_EXECUTE 0x006c
#define SEM_ACQUIRE 0
#define SEM_RELEASE 1
#define SEM_ACQ_STRICT_GEQ 2
#define SEM_ACQ_CIRC_GEQ 3
#define SEM_ACQ_AND 4

/* Where the channel writes the count of SET_REFERENCE, in what it shares. */
#define USERD_REFERENCE 0x48

static u32 field(u32 word, unsigned int high, unsigned int low)
{
	return (word & GENMASK(high, low)) >> low;
}

static u32 *semaphore(struct nvsw_chan *chan, u32 method)
{
	return &chan->semaphore[method / 4];
}

static void acquire(struct nvsw_chan *chan, u64 address, u32 value,
		    enum nvsw_compare compare)
{
	chan->acquire = (struct nvsw_acquire){ true, address, value, compare };
}

bool nvsw_host_acquired(struct nvsw_chan *chan)
{
	struct nvsw_acquire *acquire = &chan->acquire;
	u32 there;

	if (!nvsw_read32(chan, acquire->address, &there))
		return false;
	switch (acquire->compare) {
	case NVSW_EQUAL:
		acquire->active = there != acquire->value;
		break;
	case NVSW_GEQ:
		acquire->active = (s32)(there - acquire->value) < 0;
		break;
	case NVSW_AND:
		acquire->active = !(there & acquire->value);
		break;
	}
	return !acquire->active;
}

static void execute_fermi(struct nvsw_chan *chan, u32 data)
{
	u64 address = (u64)(*semaphore(chan, NV906F_SEMAPHOREA) & 0xff) << 32 |
		      (*semaphore(chan, NV906F_SEMAPHOREB) & ~3);
	u32 value = *semaphore(chan, NV906F_SEMAPHOREC);

	switch (field(data, 3, 0)) {
	case NV906F_SEMAPHORED_OPERATION_ACQUIRE:
		acquire(chan, address, value, NVSW_EQUAL);
		break;
	case NV906F_SEMAPHORED_OPERATION_ACQ_GEQ:
		acquire(chan, address, value, NVSW_GEQ);
		break;
	case NV906F_SEMAPHORED_OPERATION_ACQ_AND:
		acquire(chan, address, value, NVSW_AND);
		break;
	case NV906F_SEMAPHORED_OPERATION_RELEASE:
		nvsw_write_report(chan, address, value, !(data & ONE_WORD));
		break;
	default:
		nvsw_count_unknown(0x906f, NV906F_SEMAPHORED);
		break;
	}
}

/* Payloads of 64 bits are written; what waits for them is not known yet. */
static void release_volta(struct nvsw_chan *chan, u64 address, u32 data)
{
	bool wide = field(data, 24, 24), with_time = field(data, 25, 25);
	u32 low = *semaphore(chan, SEM_PAYLOAD_LO);
	u64 value = (u64)*semaphore(chan, SEM_PAYLOAD_HI) << 32 | low;

	if (wide && !with_time)
		nvsw_write(chan, address, &value, sizeof(value));
	else if (wide)
		nvsw_count_unknown(0xc36f, SEM_EXECUTE);
	else
		nvsw_write_report(chan, address, low, with_time);
}

static void execute_volta(struct nvsw_chan *chan, u32 data)
{
	u64 address = (u64)(*semaphore(chan, SEM_ADDR_HI) & 0xff) << 32 |
		      (*semaphore(chan, SEM_ADDR_LO) & ~3);
	u32 value = *semaphore(chan, SEM_PAYLOAD_LO);
	u32 operation = field(data, 2, 0);

	if (operation == SEM_RELEASE)
		release_volta(chan, address, data);
	else if (field(data, 24, 24))
		nvsw_count_unknown(0xc36f, SEM_EXECUTE);
	else if (operation == SEM_ACQUIRE)
		acquire(chan, address, value, NVSW_EQUAL);
	else if (operation == SEM_ACQ_STRICT_GEQ ||
		 operation == SEM_ACQ_CIRC_GEQ)
		acquire(chan, address, value, NVSW_GEQ);
	else if (operation == SEM_ACQ_AND)
		acquire(chan, address, value, NVSW_AND);
	else
		nvsw_count_unknown(0xc36f, SEM_EXECUTE);
}

static void set_reference(struct nvsw_chan *chan, u32 data)
{
	struct nvsw_board *board = nvsw_board();
	u64 at = chan->userd + USERD_REFERENCE;

	if (at + sizeof(data) <= board->vram_size)
		WRITE_ONCE(*(u32 *)(board->vram + at), data);
}

void nvsw_host_method(struct nvsw_chan *chan, u32 method, u32 data)
{
	switch (method) {
	case SET_OBJECT:
		chan->class[chan->subchannel] = data & 0xffff;
		break;
	case NV906F_SEMAPHOREA ... NV906F_SEMAPHOREC:
	case SEM_ADDR_LO ... SEM_PAYLOAD_HI:
		*semaphore(chan, method) = data;
		break;
	case NV906F_SEMAPHORED:
		execute_fermi(chan, data);
		break;
	case SEM_EXECUTE:
		execute_volta(chan, data);
		break;
	case NV906F_NON_STALL_INTERRUPT:
		chan->chip->nonstall = true;
		break;
	case NV906F_SET_REFERENCE:
		set_reference(chan, data);
		break;
	case NOP:
	case FB_FLUSH:
	case MEM_OP_A ... MEM_OP_D:
	case WFI:
	case YIELD:
		/* All before is done already, and memory is coherent. */
		break;
	default:
		nvsw_count_unknown(0xc46f, method);
		break;
	}
}
