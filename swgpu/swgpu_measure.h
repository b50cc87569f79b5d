/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_MEASURE_H_
#define _SWGPU_MEASURE_H_

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/swgpu_drm.h>
#include <drm/ttm/ttm_placement.h>

struct drm_device;
struct drm_file;
struct seq_file;
struct swgpu_bo;
struct swgpu_device;
struct task_struct;

/* Counters that only ever grow; a reset moves the point they are read from. */
enum swgpu_count {
	SWGPU_COUNT_CREATED,
	SWGPU_COUNT_DEFERRED,
	SWGPU_COUNT_SIGNALING,
	SWGPU_COUNT_SIGNALING_BY_DELETE,
	SWGPU_COUNT_WORK_ITEMS,
	SWGPU_COUNT_SWITCHES,
	SWGPU_COUNT_JOBS,
	SWGPU_COUNT_TAG_ERRORS,
	SWGPU_COUNT_EVICTIONS,
	SWGPU_COUNT_EVICTED_BYTES,
	SWGPU_COUNT_COPIES,
	SWGPU_NUM_COUNTS,
};

/**
 * struct swgpu_latency - how long allocations took
 */
struct swgpu_latency {
	/** @lock: protects all below */
	spinlock_t lock;
	/** @samples: in nanoseconds, the first million since the last reset */
	u32 *samples;
	/** @sorted: room for a copy of them; protected by &swgpu_measure.query */
	u32 *sorted;
	/** @nr_samples: valid elements of @samples */
	u32 nr_samples;
	/** @allocs: how many there were, with those that found no room */
	u64 allocs;
	/** @max_ns: the longest of them all */
	u64 max_ns;
	/** @total_ns: all of them together */
	u64 total_ns;
};

/**
 * struct swgpu_zombies - buffers that died busy and still hold memory
 */
struct swgpu_zombies {
	/** @lock: protects all below */
	spinlock_t lock;
	/** @count: how many */
	u64 count;
	/** @bytes: their memory */
	u64 bytes;
	/** @type_bytes: of that, by TTM_PL_* */
	u64 type_bytes[TTM_PL_VRAM + 1];
	/** @peak_bytes: the most that @bytes was since the last reset */
	u64 peak_bytes;
	/** @since: the last reset */
	ktime_t since;
	/** @changed: when @bytes last changed, or was added up */
	ktime_t changed;
	/** @kib_ns: @bytes times the time since the last reset, until @changed */
	u64 kib_ns;
};

/* Samples of memory that are kept */
#define SWGPU_SAMPLES 512

/**
 * struct swgpu_sample - how much memory there was in use
 */
struct swgpu_sample {
	/** @ms: when, since the last reset */
	u64 ms;
	/** @held_bytes: VRAM in use */
	u64 held_bytes;
	/** @dead_bytes: of that, what zombies hold */
	u64 dead_bytes;
};

/**
 * struct swgpu_history - memory over time
 */
struct swgpu_history {
	/** @lock: protects all below */
	spinlock_t lock;
	/** @samples: since the last reset */
	struct swgpu_sample samples[SWGPU_SAMPLES];
	/** @nr: valid elements of @samples */
	unsigned int nr;
	/** @period_ms: between two of them, at the least */
	u64 period_ms;
	/** @start_ms: the last reset */
	u64 start_ms;
	/** @next_ms: when the next sample is due */
	u64 next_ms;
};

/**
 * struct swgpu_measure - what the device counts
 */
struct swgpu_measure {
	/** @count: each exact, but not one snapshot */
	atomic64_t count[SWGPU_NUM_COUNTS];
	/** @buffers: that exist, alive or dead */
	atomic64_t buffers;
	/** @query: protects @base and @freed_base */
	struct mutex query;
	/** @base: @count at the last reset */
	u64 base[SWGPU_NUM_COUNTS];
	/** @freed_base: TTM's counters of released bytes at the last reset */
	u64 freed_base[SWGPU_FREED_AT_COUNT];
	/** @zombies: see there */
	struct swgpu_zombies zombies;
	/** @latency: see there */
	struct swgpu_latency latency;
	/** @history: see there */
	struct swgpu_history history;
	/** @deleting_lock: protects @deleting */
	spinlock_t deleting_lock;
	/** @deleting: tasks that are dropping a buffer right now */
	struct list_head deleting;
	/** @probing: the tracepoints are ours; constant after init */
	bool probing;
};

/**
 * struct swgpu_deleting - on the stack of a task that drops a buffer
 */
struct swgpu_deleting {
	/** @entry: in &swgpu_measure.deleting */
	struct list_head entry;
	/** @task: the task */
	struct task_struct *task;
};

int swgpu_measure_init(struct swgpu_device *sdev, bool probe);
void swgpu_count_add(struct swgpu_device *sdev, enum swgpu_count what,
		     u64 value);
void swgpu_measure_eviction(struct swgpu_device *sdev, u64 bytes);
void swgpu_measure_alloc(struct swgpu_device *sdev, u64 bytes, ktime_t start,
			 int result);
void swgpu_measure_death(struct swgpu_bo *bo);
void swgpu_measure_release(struct swgpu_bo *bo);
u64 swgpu_measure_zombies(struct swgpu_device *sdev);
void swgpu_measure_signaling(struct swgpu_device *sdev);
void swgpu_measure_deleting_begin(struct swgpu_device *sdev,
				  struct swgpu_deleting *mark);
void swgpu_measure_deleting_end(struct swgpu_device *sdev,
				struct swgpu_deleting *mark);
int swgpu_stats_ioctl(struct drm_device *drm, void *data,
		      struct drm_file *file);
int swgpu_stats_show(struct seq_file *m, void *unused);

/* swgpu_latency.c */
int swgpu_latency_init(struct swgpu_latency *lat);
void swgpu_latency_fini(struct swgpu_latency *lat);
void swgpu_latency_add(struct swgpu_latency *lat, u64 ns);
void swgpu_latency_read(struct swgpu_latency *lat, struct drm_swgpu_stats *out,
			bool reset);
int swgpu_latency_show(struct seq_file *m, void *unused);

/* swgpu_history.c */
void swgpu_history_init(struct swgpu_history *history);
void swgpu_history_reset(struct swgpu_history *history);
void swgpu_history_sample(struct swgpu_device *sdev);
int swgpu_history_show(struct seq_file *m, void *unused);

/* swgpu_probe.c */
int swgpu_probe_register(struct swgpu_device *sdev);
void swgpu_probe_unregister(struct swgpu_device *sdev);

#endif
