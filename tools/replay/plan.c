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

static uint64_t job_vram(const struct trace *trace, const struct event *push,
			 const uint64_t *vram)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < push->nr_bos; i++)
		sum += vram[trace->bos[push->first_bo + i].handle];
	return sum;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* @vram: for each handle, its bytes that want to be in VRAM */
static void find_peaks(struct trace *trace, uint64_t *vram)
{
	uint64_t live = 0;

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct event *event = &trace->events[i];

		if (event->op == OP_NEW && event->flags & SWGPU_DOMAIN_VRAM) {
			vram[event->handle] = event->value;
			live += event->value;
			trace->peak_vram = max_of(trace->peak_vram, live);
		} else if (event->op == OP_CLOSE) {
			live -= vram[event->handle];
			vram[event->handle] = 0;
		} else if (event->op == OP_PUSH) {
			trace->peak_job_vram = max_of(trace->peak_job_vram,
						      job_vram(trace, event, vram));
		}
	}
}

int trace_plan(struct trace *trace, size_t limit)
{
	uint64_t *vram = calloc((size_t)trace->max_handle + 1, sizeof(*vram));

	if (!vram) {
		fprintf(stderr, "%s: out of memory\n", trace->file);
		return -1;
	}
	if (limit && limit < trace->nr_events)
		trace->nr_events = limit;
	set_marks(trace);
	find_peaks(trace, vram);
	free(vram);
	return 0;
}

void trace_free(struct trace *trace)
{
	free(trace->events);
	free(trace->bos);
	*trace = (struct trace){ 0 };
}
