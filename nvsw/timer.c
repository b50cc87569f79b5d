// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The chip's clock, which is the machine's. Its alarms are for fans and clocks, which there are
 * none of.
 */
#include <linux/timekeeping.h>

#include <subdev/timer/priv.h>

#include "chip.h"

static u64 read(struct nvkm_timer *timer)
{
	return ktime_get_ns();
}

/* nvkm sets it to what it is already. */
static void time(struct nvkm_timer *timer, u64 time)
{
}

static void set_alarm(struct nvkm_timer *timer, u32 time)
{
	nvkm_error(&timer->subdev, "this chip has no alarms\n");
}

static void stop_alarm(struct nvkm_timer *timer)
{
}

static const struct nvkm_timer_func nvsw_timer = {
	.read = read,
	.time = time,
	.alarm_init = set_alarm,
	.alarm_fini = stop_alarm,
};

int nvsw_timer_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		   int inst, struct nvkm_timer **timer)
{
	return nvkm_timer_new_(&nvsw_timer, device, type, inst, timer);
}
