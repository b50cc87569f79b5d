// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "swgpu_drv.h"

/**
 * DOC: costs
 *
 * In User-Mode Linux with time-travel=inf-cpu the clock stands still while code runs. With
 * cost=1 a task that does something for which there is a price lets that much time pass:
 * a little by ndelay(), which holds up everybody; more by sleeping, as if each task had
 * a CPU of its own. Then a comparison has one outcome, also on a busy machine. Of what is
 * cleared and copied, only pages that hold a tag really are.
 *
 * All prices stand below, each with its source, and each is a module parameter.
 */

/* A task that pays so much sleeps; for less it is not worth a timer. */
#define SLEEP_NS 5000

/* A program that pauses sleeps from here on. */
#define MIN_PAUSE_NS 1000

static bool param_cost;
module_param_named(cost, param_cost, bool, 0444);
MODULE_PARM_DESC(cost, "Let modelled time pass for work (default: off)");

/*
 * In ns. Those of TTM are lines of "1,024 buffers of TTM" and others that make bench prints,
 * of Linux 6.12 on one CPU, on 28 November 2026: see Documentation/pressure.rst. A difference
 * is what is left of a line without another.
 */
static unsigned int prices[SWGPU_NUM_COSTS] = {
	/* create, today */
	[SWGPU_COST_CREATE] = 357,
	/* submission, first, today: for each buffer of a job */
	[SWGPU_COST_USE] = 32,
	/* the same, ours, less today's: for each that was idle */
	[SWGPU_COST_LINK] = 14,
	/* delete, idle, today: for each buffer, whichever task releases it */
	[SWGPU_COST_DELETE] = 231,
	/* delete, busy, ours, less delete, idle, today; steps come on top */
	[SWGPU_COST_BURY] = 115,
	/* retire_alive on 16 channels: 54 for a node and its link */
	[SWGPU_COST_STEP] = 27,
	/* delete, busy, today, less delete, idle: a work item of a batch */
	[SWGPU_COST_WORK_ITEM] = 233,
	/* delete, busy, one by one, today, less delete, busy: to the worker and back */
	[SWGPU_COST_SWITCH] = 448,
	/* not measured here: entry, a read of the cause over the bus, exit */
	[SWGPU_COST_INTERRUPT] = 2000,
	/* not measured: 5 and 10 GB/s, an estimate of what a core does in memory */
	[SWGPU_COST_COPY_PAGE] = 820,
	[SWGPU_COST_CLEAR_PAGE] = 410,
};

/* "ours": with fence_lru=1; "today": with fence_lru=0 */
module_param_named(create_ns, prices[SWGPU_COST_CREATE], uint, 0444);
MODULE_PARM_DESC(create_ns, "ns for creating a buffer");
module_param_named(use_ns, prices[SWGPU_COST_USE], uint, 0444);
MODULE_PARM_DESC(use_ns, "ns for using a buffer");
module_param_named(link_ns, prices[SWGPU_COST_LINK], uint, 0444);
MODULE_PARM_DESC(link_ns, "ns for using one that was idle, ours");
module_param_named(delete_ns, prices[SWGPU_COST_DELETE], uint, 0444);
MODULE_PARM_DESC(delete_ns, "ns for releasing a buffer");
module_param_named(bury_ns, prices[SWGPU_COST_BURY], uint, 0444);
MODULE_PARM_DESC(bury_ns, "ns for deleting a busy one, ours");
module_param_named(step_ns, prices[SWGPU_COST_STEP], uint, 0444);
MODULE_PARM_DESC(step_ns, "ns for a step of retiring, ours");
module_param_named(work_item_ns, prices[SWGPU_COST_WORK_ITEM], uint, 0444);
MODULE_PARM_DESC(work_item_ns, "ns for a work item, today");
module_param_named(switch_ns, prices[SWGPU_COST_SWITCH], uint, 0444);
MODULE_PARM_DESC(switch_ns, "ns for a switch to it, today");
module_param_named(interrupt_ns, prices[SWGPU_COST_INTERRUPT], uint, 0444);
MODULE_PARM_DESC(interrupt_ns, "ns for an interrupt");
module_param_named(copy_page_ns, prices[SWGPU_COST_COPY_PAGE], uint, 0444);
MODULE_PARM_DESC(copy_page_ns, "ns for a page that the CPU copies");
module_param_named(clear_page_ns, prices[SWGPU_COST_CLEAR_PAGE], uint, 0444);
MODULE_PARM_DESC(clear_page_ns, "ns for a page that it clears");

bool swgpu_cost_enabled(void)
{
	return param_cost;
}

/* TASK_IDLE: a probe that counts switches passes over it. */
static void sleep_ns(u64 ns)
{
	ktime_t end = ktime_add_ns(swgpu_now(), ns);

	while (ktime_before(swgpu_now(), end) &&
	       !fatal_signal_pending(current)) {
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&end, HRTIMER_MODE_ABS);
	}
}

/**
 * swgpu_cost_touches - whether to clear or copy a page
 * @page: its index in the buffer
 * @nr_pages: of the buffer
 *
 * Where time is modelled nobody looks at what a buffer holds, but for its tags.
 *
 * Return: true unless it can be left out.
 */
bool swgpu_cost_touches(u64 page, u64 nr_pages)
{
	return !param_cost || !page || page == nr_pages - 1;
}

/**
 * swgpu_cost_pause - let time pass for what a program does by itself
 * @ns: how much
 *
 * Return: what is left, to be added to the next pause: too little to sleep.
 */
u64 swgpu_cost_pause(u64 ns)
{
	if (ns < MIN_PAUSE_NS)
		return ns;
	sleep_ns(ns);
	return 0;
}

static void pass(u64 ns)
{
	if (ns >= SLEEP_NS)
		sleep_ns(ns);
	else if (ns)
		ndelay(ns);
}

/**
 * swgpu_cost_pay - let time pass for work that was done
 * @item: what kind
 * @count: how many times
 *
 * Context: may sleep.
 */
void swgpu_cost_pay(enum swgpu_cost_item item, u64 count)
{
	if (param_cost)
		pass(count * prices[item]);
}

/* What a policy of bench/policies/ counts of its work, if it exports that; or NULL */
static const u64 *policy_steps;

void swgpu_cost_init(void)
{
	policy_steps = symbol_get(ttm_policy_steps);
}

void swgpu_cost_fini(void)
{
	if (policy_steps)
		symbol_put(ttm_policy_steps);
}

/**
 * swgpu_cost_pay_operations - pay for what TTM has done since the last time
 * @sdev: the device
 *
 * Context: at the end of an allocation or an ioctl; may sleep.
 */
void swgpu_cost_pay_operations(struct swgpu_device *sdev)
{
	struct swgpu_cost *paid = &sdev->cost;
	u64 steps, buried, ns;

	if (!param_cost)
		return;
	swgpu_read_operations(&sdev->ttm, &steps, &buried);
	if (policy_steps)
		steps += READ_ONCE(*policy_steps);
	ns = (steps - paid->steps) * prices[SWGPU_COST_STEP] +
	     (buried - paid->buried) * prices[SWGPU_COST_BURY];
	paid->steps = steps;
	paid->buried = buried;
	pass(ns);
}

/* Work items that were queued since the last time, with a switch to each */
static u64 work_items_ns(struct swgpu_device *sdev)
{
	u64 now = atomic64_read(&sdev->measure.count[SWGPU_COUNT_WORK_ITEMS]);
	u64 items = now - sdev->cost.work_items;

	sdev->cost.work_items = now;
	return items *
	       (prices[SWGPU_COST_WORK_ITEM] + prices[SWGPU_COST_SWITCH]);
}

/* The memory of a dead buffer is about to be released, by a worker or not. */
void swgpu_cost_pay_delete(struct swgpu_device *sdev)
{
	u64 ns = prices[SWGPU_COST_DELETE];

	if (!param_cost)
		return;
	if (current->flags & PF_WQ_WORKER)
		ns += work_items_ns(sdev);
	pass(ns);
}
