/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM swgpu

#if !defined(_SWGPU_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _SWGPU_TRACE_H_

#include <linux/tracepoint.h>

#include "swgpu_channel.h"

/*
 * What the hardware does, and what becomes of buffers, with either design: told by the
 * driver, so that both can be drawn side by side.
 */

/* A job has ended; it is told at its end. */
TRACE_EVENT(swgpu_job,
	TP_PROTO(struct swgpu_job *job, ktime_t begun),
	TP_ARGS(job, begun),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, seqno)
		__field(u64, waited_ns)
		__field(u64, took_ns)
		__field(bool, copy)
	),
	TP_fast_assign(
		__entry->channel = job->fence->base.context;
		__entry->seqno = job->fence->base.seqno;
		__entry->waited_ns = ktime_to_ns(ktime_sub(begun, job->submitted));
		__entry->took_ns = job->duration_ns;
		__entry->copy = job->copy;
	),
	TP_printk("channel=%llu seqno=%llu waited_ns=%llu took_ns=%llu copy=%d",
		  __entry->channel, __entry->seqno, __entry->waited_ns,
		  __entry->took_ns, __entry->copy)
);

DECLARE_EVENT_CLASS(swgpu_dead_class,
	TP_PROTO(struct swgpu_bo *bo, u64 count, u64 bytes),
	TP_ARGS(bo, count, bytes),
	TP_STRUCT__entry(
		__field(int, type)
		__field(u64, bytes)
		__field(u64, dead)
		__field(u64, dead_bytes)
	),
	TP_fast_assign(
		__entry->type = bo->zombie_type;
		__entry->bytes = bo->tbo.base.size;
		__entry->dead = count;
		__entry->dead_bytes = bytes;
	),
	TP_printk("type=%d bytes=%llu dead=%llu dead_bytes=%llu", __entry->type,
		  __entry->bytes, __entry->dead, __entry->dead_bytes)
);

/* A buffer died while it was busy. Then there were so many. */
DEFINE_EVENT(swgpu_dead_class, swgpu_death,
	TP_PROTO(struct swgpu_bo *bo, u64 count, u64 bytes),
	TP_ARGS(bo, count, bytes)
);

/* Its memory is released. Then so many are left. */
DEFINE_EVENT(swgpu_dead_class, swgpu_freed,
	TP_PROTO(struct swgpu_bo *bo, u64 count, u64 bytes),
	TP_ARGS(bo, count, bytes)
);

/* Somebody wants to be told when a fence signals. */
TRACE_EVENT(swgpu_interrupt,
	TP_PROTO(bool for_dead),
	TP_ARGS(for_dead),
	TP_STRUCT__entry(__field(bool, for_dead)),
	TP_fast_assign(__entry->for_dead = for_dead;),
	TP_printk("for_dead=%d", __entry->for_dead)
);

/* A buffer was moved to make room. */
TRACE_EVENT(swgpu_evict,
	TP_PROTO(u64 bytes),
	TP_ARGS(bytes),
	TP_STRUCT__entry(__field(u64, bytes)),
	TP_fast_assign(__entry->bytes = bytes;),
	TP_printk("bytes=%llu", __entry->bytes)
);

/*
 * An allocation got its memory, or not; it is told at its end. Then so many
 * buffers are alive.
 */
TRACE_EVENT(swgpu_alloc,
	TP_PROTO(u64 bytes, u64 took_ns, int result, u64 alive),
	TP_ARGS(bytes, took_ns, result, alive),
	TP_STRUCT__entry(
		__field(u64, bytes)
		__field(u64, took_ns)
		__field(int, result)
		__field(u64, alive)
	),
	TP_fast_assign(
		__entry->bytes = bytes;
		__entry->took_ns = took_ns;
		__entry->result = result;
		__entry->alive = alive;
	),
	TP_printk("bytes=%llu took_ns=%llu result=%d alive=%llu",
		  __entry->bytes, __entry->took_ns, __entry->result,
		  __entry->alive)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE swgpu_trace
#include <trace/define_trace.h>
