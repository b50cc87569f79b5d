/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ttm_fence_lru

#if !defined(_TTM_FENCE_LRU_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _TTM_FENCE_LRU_TRACE_H_

#include <linux/tracepoint.h>

#include "internal.h"

/*
 * Numbers that name things, and no pointers: a channel by its fence context, a fence by
 * context and seqno, a node by its place in the order of emission.
 */

DECLARE_EVENT_CLASS(ttm_fence_lru_node_class,
	TP_PROTO(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_node *node),
	TP_ARGS(channel, node),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, seqno)
		__field(u64, seq)
	),
	TP_fast_assign(
		__entry->channel = channel->context;
		__entry->seqno = ttm_fence_lru_node_fence(channel, node)->seqno;
		__entry->seq = node->seq;
	),
	TP_printk("channel=%llu seqno=%llu seq=%llu",
		  __entry->channel, __entry->seqno, __entry->seq)
);

/* A node was made: it is the last of its channel. */
DEFINE_EVENT(ttm_fence_lru_node_class, ttm_fence_lru_node,
	TP_PROTO(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_node *node),
	TP_ARGS(channel, node)
);

/* Its last buffer has left it, and so it leaves its channel. */
DEFINE_EVENT(ttm_fence_lru_node_class, ttm_fence_lru_node_gone,
	TP_PROTO(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_node *node),
	TP_ARGS(channel, node)
);

/* Buffers were used under a fence. */
TRACE_EVENT(ttm_fence_lru_attach,
	TP_PROTO(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_node *node, unsigned int buffers,
		 unsigned int joined),
	TP_ARGS(channel, node, buffers, joined),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, seqno)
		__field(u64, seq)
		__field(unsigned int, buffers)
		__field(unsigned int, joined)
	),
	TP_fast_assign(
		__entry->channel = channel->context;
		__entry->seqno = ttm_fence_lru_node_fence(channel, node)->seqno;
		__entry->seq = node->seq;
		__entry->buffers = buffers;
		__entry->joined = joined;
	),
	TP_printk("channel=%llu seqno=%llu seq=%llu buffers=%u joined=%u",
		  __entry->channel, __entry->seqno, __entry->seq,
		  __entry->buffers, __entry->joined)
);

/* Buffers leave a node whose fence has signaled. */
TRACE_EVENT_CONDITION(ttm_fence_lru_retire,
	TP_PROTO(struct ttm_fence_lru_channel *channel,
		 struct ttm_fence_lru_node *node, unsigned int alive,
		 unsigned int dead),
	TP_ARGS(channel, node, alive, dead),
	TP_CONDITION(alive || dead),
	TP_STRUCT__entry(
		__field(u64, channel)
		__field(u64, seqno)
		__field(u64, seq)
		__field(unsigned int, alive)
		__field(unsigned int, dead)
	),
	TP_fast_assign(
		__entry->channel = channel->context;
		__entry->seqno = ttm_fence_lru_node_fence(channel, node)->seqno;
		__entry->seq = node->seq;
		__entry->alive = alive;
		__entry->dead = dead;
	),
	TP_printk("channel=%llu seqno=%llu seq=%llu alive=%u dead=%u",
		  __entry->channel, __entry->seqno, __entry->seq,
		  __entry->alive, __entry->dead)
);

DECLARE_EVENT_CLASS(ttm_fence_lru_zombie_class,
	TP_PROTO(struct ttm_fence_lru_bo *bo),
	TP_ARGS(bo),
	TP_STRUCT__entry(
		__field(u64, bytes)
		__field(unsigned int, type)
		__field(unsigned int, channels)
	),
	TP_fast_assign(
		__entry->bytes = bo->bytes;
		__entry->type = bo->type;
		__entry->channels = bo->nr_links;
	),
	TP_printk("type=%u bytes=%llu channels=%u",
		  __entry->type, __entry->bytes, __entry->channels)
);

/* The last reference of a buffer is gone while it is in use: it is a zombie. */
DEFINE_EVENT(ttm_fence_lru_zombie_class, ttm_fence_lru_release,
	TP_PROTO(struct ttm_fence_lru_bo *bo),
	TP_ARGS(bo)
);

/* A zombie is on no channel any more. */
DEFINE_EVENT(ttm_fence_lru_zombie_class, ttm_fence_lru_ripe,
	TP_PROTO(struct ttm_fence_lru_bo *bo),
	TP_ARGS(bo)
);

TRACE_DEFINE_ENUM(TTM_FENCE_LRU_AT_RELEASE);
TRACE_DEFINE_ENUM(TTM_FENCE_LRU_AT_RECLAIM);
TRACE_DEFINE_ENUM(TTM_FENCE_LRU_AT_DRAIN);
TRACE_DEFINE_ENUM(TTM_FENCE_LRU_AT_SHRINK);

/* The memory of a zombie was released; once for each. */
TRACE_EVENT_CONDITION(ttm_fence_lru_cleaned,
	TP_PROTO(struct ttm_fence_lru_bo *bo, int site),
	TP_ARGS(bo, site),
	TP_CONDITION(!bo->cleaned),
	TP_STRUCT__entry(
		__field(u64, bytes)
		__field(unsigned int, type)
		__field(int, site)
	),
	TP_fast_assign(
		__entry->bytes = bo->bytes;
		__entry->type = bo->type;
		__entry->site = site;
	),
	TP_printk("type=%u bytes=%llu site=%s",
		  __entry->type, __entry->bytes,
		  __print_symbolic(__entry->site,
				   { TTM_FENCE_LRU_BY_OWNER, "owner" },
				   { TTM_FENCE_LRU_AT_RELEASE, "release" },
				   { TTM_FENCE_LRU_AT_RECLAIM, "reclaim" },
				   { TTM_FENCE_LRU_AT_DRAIN, "drain" },
				   { TTM_FENCE_LRU_AT_SHRINK, "shrink" }))
);

/* A zombie on no channel cannot be released yet: for a fence, or a lock without one. */
TRACE_EVENT(ttm_fence_lru_leftover,
	TP_PROTO(struct ttm_fence_lru_bo *bo, struct dma_fence *fence),
	TP_ARGS(bo, fence),
	TP_STRUCT__entry(
		__field(u64, bytes)
		__field(unsigned int, type)
		__field(bool, blocked)
		__field(u64, context)
		__field(u64, seqno)
	),
	TP_fast_assign(
		__entry->bytes = bo->bytes;
		__entry->type = bo->type;
		__entry->blocked = fence;
		__entry->context = fence ? fence->context : 0;
		__entry->seqno = fence ? fence->seqno : 0;
	),
	TP_printk("type=%u bytes=%llu why=%s context=%llu seqno=%llu",
		  __entry->type, __entry->bytes,
		  __entry->blocked ? "blocked" : "locked",
		  __entry->context, __entry->seqno)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
