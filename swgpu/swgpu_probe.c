// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/sched/rt.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "swgpu_drv.h"

struct pool_workqueue;

/**
 * DOC: probes
 *
 * What only the kernel's own tracepoints can tell: how often the scheduler
 * switched, and how many work items TTM's delayed delete queued.
 */

/*
 * TTM's work function is static: it is recognised by name. A name takes long to look
 * up, so remember the functions that were seen; a race costs one more look.
 */
#define NR_SEEN 256

static struct {
	work_func_t func;
	bool is_delete;
} seen[NR_SEEN];

static bool is_delayed_delete(work_func_t func)
{
	unsigned int slot = hash_ptr(func, ilog2(NR_SEEN));
	char name[KSYM_SYMBOL_LEN];

	if (READ_ONCE(seen[slot].func) == func)
		return READ_ONCE(seen[slot].is_delete);

	sprint_symbol_no_offset(name, (unsigned long)func);
	/* "name" if built in, else "name [module]" */
	WRITE_ONCE(seen[slot].func, NULL);
	WRITE_ONCE(seen[slot].is_delete,
		   str_has_prefix(name, "ttm_bo_delayed_delete"));
	WRITE_ONCE(seen[slot].func, func);
	return seen[slot].is_delete;
}

static void count_work(void *data, int req_cpu, struct pool_workqueue *pwq,
		       struct work_struct *work)
{
	if (is_delayed_delete(work->func))
		swgpu_count_add(data, SWGPU_COUNT_WORK_ITEMS, 1);
}

/*
 * In modelled time: of the clients, which are real-time tasks, and of workers, when they
 * begin to wait. Not of the engines, nor of what only lets time pass: these sleep idly,
 * as workers do that have nothing to do.
 */
static bool waits(struct task_struct *prev, unsigned int prev_state)
{
	return (rt_task(prev) || prev->flags & PF_WQ_WORKER) && prev_state &&
	       !(prev_state & TASK_NOLOAD);
}

static void count_switch(void *data, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
	if (!swgpu_cost_enabled() || waits(prev, prev_state))
		swgpu_count_add(data, SWGPU_COUNT_SWITCHES, 1);
}

static struct {
	const char *name;
	void *probe;
	struct tracepoint *tp;
} probes[] = {
	{ .name = "workqueue_queue_work", .probe = count_work },
	{ .name = "sched_switch", .probe = count_switch },
};

static void match(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (!strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
	}
}

static void unregister(struct swgpu_device *sdev, int nr)
{
	while (nr--)
		tracepoint_probe_unregister(probes[nr].tp, probes[nr].probe,
					    sdev);
	tracepoint_synchronize_unregister();
}

/**
 * swgpu_probe_register - put probes on the kernel's tracepoints
 * @sdev: the device
 *
 * Return: 0, or -ENOENT if this kernel lacks one of them, or -ENOMEM.
 */
int swgpu_probe_register(struct swgpu_device *sdev)
{
	int i, ret;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS)) {
		drm_err(&sdev->drm,
			"no tracepoints in this kernel; try measure=0\n");
		return -ENOENT;
	}

	for_each_kernel_tracepoint(match, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (!probes[i].tp) {
			drm_err(&sdev->drm, "no tracepoint %s; try measure=0\n",
				probes[i].name);
			unregister(sdev, i);
			return -ENOENT;
		}
		ret = tracepoint_probe_register(probes[i].tp, probes[i].probe,
						sdev);
		if (ret) {
			unregister(sdev, i);
			return ret;
		}
	}
	return 0;
}

void swgpu_probe_unregister(struct swgpu_device *sdev)
{
	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		unregister(sdev, ARRAY_SIZE(probes));
}
