// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Data that comes with methods, a word at a time, and goes to memory line by line. */
#include <linux/minmax.h>

#include "exec.h"

#define LINE_LENGTH 0x0180
#define LINE_COUNT 0x0184
#define OFFSET_UPPER 0x0188
#define OFFSET 0x018c
#define PITCH 0x0190
#define DST_LAST 0x01ac /* of what says how tiled memory is laid out */
#define LAUNCH 0x01b0
#define PITCH_LINEAR BIT(0)
#define DATA 0x01b4

static void launch(struct nvsw_chan *chan, const u32 *shadow, u32 data)
{
	struct nvsw_inline *inlined = &chan->inlined;

	inlined->lines = shadow[LINE_COUNT / 4];
	inlined->left = shadow[LINE_LENGTH / 4];
	inlined->start = (u64)shadow[OFFSET_UPPER / 4] << 32 |
			 shadow[OFFSET / 4];
	inlined->address = inlined->start;
	if (data & PITCH_LINEAR)
		return;
	inlined->lines = 0;
	nvsw_count_unknown(chan->class[chan->subchannel], LAUNCH);
}

/* A line begins with a word of its own. */
static void put(struct nvsw_chan *chan, const u32 *shadow, u32 data)
{
	struct nvsw_inline *inlined = &chan->inlined;
	u32 now = min_t(u32, inlined->left, sizeof(data));

	if (!inlined->lines || !nvsw_write(chan, inlined->address, &data, now))
		return;
	inlined->address += now;
	inlined->left -= now;
	if (inlined->left)
		return;
	inlined->lines--;
	inlined->start += shadow[PITCH / 4];
	inlined->address = inlined->start;
	inlined->left = shadow[LINE_LENGTH / 4];
}

bool nvsw_inline_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
			u32 data)
{
	switch (method) {
	case LINE_LENGTH ... DST_LAST:
		return true;
	case LAUNCH:
		launch(chan, shadow, data);
		return true;
	case DATA:
		put(chan, shadow, data);
		return true;
	default:
		return false;
	}
}
