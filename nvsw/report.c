// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Reports of 3D and compute: values that are written when all before is done. */
#include "exec.h"

#define REPORT_A 0x1b00 /* the address, high half */
#define REPORT_B 0x1b04
#define REPORT_C 0x1b08 /* the value */
#define REPORT_D 0x1b0c
#define OPERATION(data) ((data) & 3)
#define OPERATION_RELEASE 0
#define OPERATION_REPORT 2
#define AWAKEN BIT(20)
#define ONE_WORD BIT(28)

static void execute(struct nvsw_chan *chan, const u32 *shadow, u32 data)
{
	u64 address = (u64)(shadow[REPORT_A / 4] & 0xff) << 32 |
		      shadow[REPORT_B / 4];
	u32 value = shadow[REPORT_C / 4];

	switch (OPERATION(data)) {
	case OPERATION_RELEASE:
		nvsw_write_report(chan, address, value, !(data & ONE_WORD));
		break;
	case OPERATION_REPORT:
		/* Whatever is counted, nothing was drawn. */
		nvsw_write_report(chan, address, 0, !(data & ONE_WORD));
		break;
	default:
		nvsw_count_unknown(chan->class[chan->subchannel], REPORT_D);
		break;
	}
	if (data & AWAKEN)
		chan->chip->nonstall = true;
}

bool nvsw_report_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
			u32 data)
{
	switch (method) {
	case REPORT_A ... REPORT_C:
		return true;
	case REPORT_D:
		execute(chan, shadow, data);
		return true;
	default:
		return false;
	}
}
