// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "counters.h"

#define MEMBER(name)	{ #name, stats->name }

void counters_print(FILE *out, const struct drm_swgpu_stats *stats)
{
	const struct {
		const char *name;
		unsigned long long value;
	} members[] = {
		MEMBER(fence_lru),
		MEMBER(buffers_created),
		MEMBER(deferred_deletes),
		MEMBER(signaling_enabled),
		MEMBER(signaling_enabled_by_delete),
		MEMBER(work_items),
		MEMBER(context_switches),
		MEMBER(jobs),
		MEMBER(tag_errors),
		MEMBER(evictions),
		MEMBER(evicted_bytes),
		MEMBER(copies),
		{ "freed_at_release", stats->freed_bytes_at[SWGPU_FREED_AT_RELEASE] },
		{ "freed_at_background", stats->freed_bytes_at[SWGPU_FREED_AT_BACKGROUND] },
		{ "freed_at_reclaim", stats->freed_bytes_at[SWGPU_FREED_AT_RECLAIM] },
		{ "freed_at_eviction", stats->freed_bytes_at[SWGPU_FREED_AT_EVICTION] },
		{ "freed_at_drain", stats->freed_bytes_at[SWGPU_FREED_AT_DRAIN] },
		MEMBER(allocs),
		MEMBER(alloc_p50_ns),
		MEMBER(alloc_p99_ns),
		MEMBER(alloc_p999_ns),
		MEMBER(alloc_max_ns),
		MEMBER(alloc_total_ns),
		MEMBER(peak_zombie_bytes),
		MEMBER(mean_zombie_bytes),
		MEMBER(zombies),
		MEMBER(zombie_bytes),
		MEMBER(buffers),
		MEMBER(vram_bytes),
		MEMBER(vram_used_bytes),
		MEMBER(vram_held_bytes),
		MEMBER(vram_zombie_bytes),
		MEMBER(vram_signaled_bytes),
		MEMBER(gtt_used_bytes),
		MEMBER(gtt_held_bytes),
		MEMBER(gtt_zombie_bytes),
		MEMBER(gtt_signaled_bytes),
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "{", members[i].name,
			members[i].value);
	fputs("}", out);
}
