/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_COST_H_
#define _SWGPU_COST_H_

#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/types.h>

struct swgpu_device;

/* What has a price */
enum swgpu_cost_item {
	SWGPU_COST_CREATE,
	SWGPU_COST_USE,
	SWGPU_COST_LINK,
	SWGPU_COST_DELETE,
	SWGPU_COST_BURY,
	SWGPU_COST_STEP,
	SWGPU_COST_WORK_ITEM,
	SWGPU_COST_SWITCH,
	SWGPU_COST_INTERRUPT,
	SWGPU_COST_COPY_PAGE,
	SWGPU_COST_CLEAR_PAGE,
	SWGPU_NUM_COSTS,
};

/**
 * struct swgpu_cost - what of TTM's operations has been paid for
 *
 * Its users do not lock it: on the one CPU for which it is made they need not.
 */
struct swgpu_cost {
	/** @steps: of the fence-ordered LRU */
	u64 steps;
	/** @buried: buffers that the fence-ordered LRU took when they died */
	u64 buried;
	/** @work_items: of today's delayed delete */
	u64 work_items;
};

/*
 * Where time is modelled, reading the clock takes some, unless interrupts are off: a
 * measurement that is free.
 */
static inline ktime_t swgpu_now(void)
{
	unsigned long flags;
	ktime_t now;

	local_irq_save(flags);
	now = ktime_get();
	local_irq_restore(flags);
	return now;
}

/* Of a TTM that is changed for a benchmark: steps that the engine does not count */
extern u64 ttm_policy_steps;

void swgpu_cost_init(void);
void swgpu_cost_fini(void);
bool swgpu_cost_enabled(void);
void swgpu_cost_pay(enum swgpu_cost_item item, u64 count);
void swgpu_cost_pay_operations(struct swgpu_device *sdev);
void swgpu_cost_pay_delete(struct swgpu_device *sdev);
u64 swgpu_cost_pause(u64 ns);
bool swgpu_cost_touches(u64 page, u64 nr_pages);

#endif
