// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the marks go: along with the last push of each frame, and of all.
 */
#include <stdlib.h>

#include "trace.h"

void trace_plan(struct trace *trace, size_t limit)
{
	struct event *push = NULL;

	if (limit && limit < trace->nr_events)
		trace->nr_events = limit;
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

void trace_free(struct trace *trace)
{
	free(trace->events);
	free(trace->bos);
	*trace = (struct trace){ 0 };
}
