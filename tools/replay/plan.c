// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the marks go: along with the last push of each frame, and of all; and
 * how much memory the trace wants.
 */
#include <stdio.h>
#include <stdlib.h>

#include "trace.h"

static void set_marks(struct trace *trace)
{
	struct event *push = NULL;

	for (size_t i = 0; i < trace->nr_events; i++) {
		struct event *event = &trace->events[i];

		if (event->op == OP_PUSH)
			push = event;
		else if (event->op == OP_FRAME && push)
			push->marks |= (uint8_t)(1u << event->handle);
	}
	if (push)
		push->marks |= 1u << END_MARK;
}

static uint64_t job_vram(const struct trace *trace, const struct event *job,
			 const uint64_t *vram)
{
	const struct drm_swgpu_submit_bo *bo = trace->bos + job->first_bo;
	uint64_t sum = 0;

	for (size_t i = 0; i < job->nr_bos; i++, bo++)
		sum += bo->pad == USE_OF_MARK ? 0 : vram[bo->handle];
	return sum;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/**
 * struct use - of VRAM, while the trace goes on
 * @vram: for each handle, its bytes that want to be there
 * @bound: for each handle, as many, as long as each job uses it
 * @live: sum of @vram
 * @all_bound: sum of @bound
 */
struct use {
	uint64_t *vram;
	uint64_t *bound;
	uint64_t live;
	uint64_t all_bound;
};

static void set_bound(struct use *use, uint32_t handle, bool bound)
{
	use->all_bound -= use->bound[handle];
	use->bound[handle] = bound ? use->vram[handle] : 0;
	use->all_bound += use->bound[handle];
}

static void set_vram(struct use *use, uint32_t handle, uint64_t bytes)
{
	set_bound(use, handle, false);
	use->live -= use->vram[handle];
	use->vram[handle] = bytes;
	use->live += bytes;
}

static void follow(struct trace *trace, struct use *use, const struct event *event)
{
	uint32_t handle = event->handle;
	uint64_t job = 0;

	if (event->op == OP_NEW && event->flags & SWGPU_DOMAIN_VRAM) {
		set_vram(use, handle, event->value);
		set_bound(use, handle, event->flags & LIVE_PRIVATE);
	} else if (event->op == OP_CLOSE) {
		set_vram(use, handle, 0);
	} else if (event->op == OP_BIND) {
		set_bound(use, handle, event->flags);
	} else if (event->op == OP_PUSH) {
		job = job_vram(trace, event, use->vram);
	} else if (event->op == OP_EXEC) {
		job = job_vram(trace, event, use->vram) + use->all_bound;
	}
	trace->peak_vram = max_of(trace->peak_vram, use->live);
	trace->peak_job_vram = max_of(trace->peak_job_vram, job);
}

int trace_plan(struct trace *trace, size_t limit)
{
	struct use use = {
		.vram = calloc((size_t)trace->max_handle + 1, sizeof(*use.vram)),
		.bound = calloc((size_t)trace->max_handle + 1, sizeof(*use.bound)),
	};
	int ret = use.vram && use.bound ? 0 : -1;

	if (limit && limit < trace->nr_events)
		trace->nr_events = limit;
	set_marks(trace);
	for (size_t i = 0; !ret && i < trace->nr_events; i++)
		follow(trace, &use, &trace->events[i]);
	if (ret)
		fprintf(stderr, "%s: out of memory\n", trace->file);
	free(use.vram);
	free(use.bound);
	return ret;
}

void trace_free(struct trace *trace)
{
	free(trace->events);
	free(trace->bos);
	*trace = (struct trace){ 0 };
}
