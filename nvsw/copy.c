// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The copy engine: lines of pitch-linear memory, with or without a change of components, from
 * which fills are made. A copy takes several ticks.
 */
#include <linux/minmax.h>

#include <nvhw/class/cla0b5.h>

#include "exec.h"

/* Of a copy engine's class what nouveau's header has not. */
#define SEMAPHORE_A 0x0240 /* the address, high half */
#define SEMAPHORE_B 0x0244
#define SEMAPHORE_PAYLOAD 0x0248
#define REMAP_CONST_A 0x0700
#define REMAP_CONST_B 0x0704
#define REMAP_COMPONENTS 0x0708
#define DST_LAST 0x0728 /* of what says how tiled memory is laid out */
#define SRC_PHYS_MODE 0x0260
#define DST_PHYS_MODE 0x0264

#define LAUNCH_TRANSFER(launch) ((launch) & 3)
#define LAUNCH_SEMAPHORE(launch) ((launch) >> 3 & 3)
#define SEMAPHORE_ONE_WORD 1
#define SEMAPHORE_FOUR_WORDS 2
#define LAUNCH_INTERRUPT(launch) ((launch) >> 5 & 3)
#define LAUNCH_SRC_PITCH BIT(7)
#define LAUNCH_DST_PITCH BIT(8)
#define LAUNCH_MULTI_LINE BIT(9)
#define LAUNCH_REMAP BIT(10)
#define LAUNCH_SRC_PHYSICAL BIT(12)
#define LAUNCH_DST_PHYSICAL BIT(13)
#define LAUNCH_REDUCTION BIT(19)

/* Where a component comes from. */
#define FROM_CONST_A 4
#define FROM_CONST_B 5
#define FROM_NOTHING 6

/*
 * Bytes of a part, between two words of methods; and elements, each of which is translated on its
 * own, up to five times. The largest ones read and write 32 bytes.
 */
#define PART 4096
#define PART_ELEMENTS (PART / 32)

/**
 * struct remap - how elements are made
 * @size: of a component, in bytes
 * @from: where each of the new element's comes from
 * @nr_src: components of an element that is read
 * @nr_dst: and of one that is written
 */
struct remap {
	u32 size;
	u8 from[4];
	u32 nr_src;
	u32 nr_dst;
};

static u32 at(const struct nvsw_copy *copy, u32 method)
{
	return copy->shadow[method / 4];
}

static u64 line_address(const struct nvsw_copy *copy, u32 upper, u32 pitch,
			u32 size)
{
	u64 base = (u64)(at(copy, upper) & 0x1ffff) << 32 | at(copy, upper + 4);

	return base + (s64)(s32)at(copy, pitch) * copy->line +
	       (u64)copy->done * size;
}

static u64 source(const struct nvsw_copy *copy, u32 size)
{
	return line_address(copy, NVA0B5_OFFSET_IN_UPPER, NVA0B5_PITCH_IN,
			    size);
}

static u64 target(const struct nvsw_copy *copy, u32 size)
{
	return line_address(copy, NVA0B5_OFFSET_OUT_UPPER, NVA0B5_PITCH_OUT,
			    size);
}

static void read_remap(const struct nvsw_copy *copy, struct remap *remap)
{
	u32 word = at(copy, REMAP_COMPONENTS);
	int i;

	remap->size = (word >> 16 & 3) + 1;
	remap->nr_src = (word >> 20 & 3) + 1;
	remap->nr_dst = (word >> 24 & 3) + 1;
	for (i = 0; i < ARRAY_SIZE(remap->from); i++)
		remap->from[i] = word >> i * 4 & 7;
}

static bool reads(const struct remap *remap)
{
	u32 i;

	for (i = 0; i < remap->nr_dst; i++)
		if (remap->from[i] < FROM_CONST_A)
			return true;
	return false;
}

static bool write_element(struct nvsw_chan *chan, const struct remap *remap)
{
	struct nvsw_copy *copy = &chan->copy;
	u64 to = target(copy, remap->size * remap->nr_dst);
	u8 in[16] = {};
	const void *from;
	u32 i, constant;

	if (reads(remap) &&
	    !nvsw_read(chan, source(copy, remap->size * remap->nr_src), in,
		       remap->size * remap->nr_src))
		return false;
	for (i = 0; i < remap->nr_dst; i++, to += remap->size) {
		if (remap->from[i] >= FROM_NOTHING)
			continue;
		constant = at(copy, remap->from[i] == FROM_CONST_A ?
					    REMAP_CONST_A :
					    REMAP_CONST_B);
		from = &constant;
		if (remap->from[i] < FROM_CONST_A)
			from = in + remap->from[i] * remap->size;
		if (!nvsw_write(chan, to, from, remap->size))
			return false;
	}
	return true;
}

/* So many elements of a line. Returns those that were done; fewer if there was a fault. */
static u32 do_elements(struct nvsw_chan *chan, u32 nr)
{
	struct nvsw_copy *copy = &chan->copy;
	struct remap remap;
	u32 i;

	if (!(copy->launch & LAUNCH_REMAP)) {
		if (!nvsw_move(chan, target(copy, 1), source(copy, 1), nr))
			return 0;
		copy->done += nr;
		chan->chip->copied_bytes += nr;
		return nr;
	}
	read_remap(copy, &remap);
	for (i = 0; i < nr && write_element(chan, &remap); i++)
		copy->done++;
	return i;
}

/* The driver's own channel moves buffers, each with one copy. */
static void count_move(struct nvsw_chan *chan)
{
	struct nvsw_copy *copy = &chan->copy;
	bool from, to;

	copy->line = 0;
	from = nvsw_in_vram(chan, source(copy, 1));
	to = nvsw_in_vram(chan, target(copy, 1));
	if (from && !to)
		chan->chip->moved_out++;
	if (to && !from)
		chan->chip->moved_in++;
}

static void finish(struct nvsw_chan *chan)
{
	struct nvsw_copy *copy = &chan->copy;
	u64 address = (u64)(at(copy, SEMAPHORE_A) & 0x1ffff) << 32 |
		      at(copy, SEMAPHORE_B);
	u32 semaphore = LAUNCH_SEMAPHORE(copy->launch);

	copy->active = false;
	if (chan->driver && copy->lines)
		count_move(chan);
	if (semaphore &&
	    !nvsw_write_report(chan, address, at(copy, SEMAPHORE_PAYLOAD),
			       semaphore == SEMAPHORE_FOUR_WORDS))
		return;
	if (LAUNCH_INTERRUPT(copy->launch))
		chan->chip->nonstall = true;
}

void nvsw_copy_go_on(struct nvsw_chan *chan)
{
	struct nvsw_copy *copy = &chan->copy;
	u32 length = at(copy, NVA0B5_LINE_LENGTH_IN), nr;

	if (copy->line == copy->lines || !length) {
		finish(chan);
		return;
	}
	nr = min_t(u32, length - copy->done,
		   copy->launch & LAUNCH_REMAP ? PART_ELEMENTS : PART);
	if (do_elements(chan, nr) != nr || copy->done != length)
		return;
	copy->done = 0;
	copy->line++;
}

static bool is_known(u32 launch)
{
	if (launch &
	    (LAUNCH_SRC_PHYSICAL | LAUNCH_DST_PHYSICAL | LAUNCH_REDUCTION))
		return false;
	return launch & LAUNCH_SRC_PITCH && launch & LAUNCH_DST_PITCH;
}

static void launch(struct nvsw_chan *chan, const u32 *shadow, u32 data)
{
	struct nvsw_copy *copy = &chan->copy;

	*copy = (struct nvsw_copy){ .active = true,
				    .launch = data,
				    .shadow = shadow };
	if (!LAUNCH_TRANSFER(data))
		return;
	if (!is_known(data)) {
		nvsw_count_unknown(chan->class[chan->subchannel],
				   NVA0B5_LAUNCH_DMA);
		return;
	}
	copy->lines = data & LAUNCH_MULTI_LINE ? at(copy, NVA0B5_LINE_COUNT) :
						 1;
}

bool nvsw_copy_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
		      u32 data)
{
	switch (method) {
	case NVA0B5_LAUNCH_DMA:
		launch(chan, shadow, data);
		return true;
	case 0x100: /* NOP */
	case SEMAPHORE_A ... SEMAPHORE_PAYLOAD:
	case SRC_PHYS_MODE ... DST_PHYS_MODE:
	case NVA0B5_OFFSET_IN_UPPER ... NVA0B5_LINE_COUNT:
	case REMAP_CONST_A ... DST_LAST:
		return true;
	default:
		return false;
	}
}
