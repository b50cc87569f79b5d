/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_RACE_H_
#define _TTM_FENCE_LRU_RACE_H_

#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>

#include <drm/ttm_fence_lru.h>

struct race;

#define RACE_MAX_CHANNELS 3
/* The last timeline is of no channel. */
#define RACE_FOREIGN RACE_MAX_CHANNELS
#define RACE_TIMELINES (RACE_MAX_CHANNELS + 1)
#define RACE_MAX_SLOTS 4
#define RACE_RESVS 4
#define RACE_BO_BYTES 4096

/**
 * struct race_fence - a fence that has signaled once its timeline has come so far
 * @base: base class
 * @timeline: its timeline
 * @lock: of @base
 */
struct race_fence {
	struct dma_fence base;
	struct race_timeline *timeline;
	spinlock_t lock; /* of @base */
};

/**
 * struct race_timeline - fences in order, and the channel that they belong to
 * @dev: its device
 * @emit: the driver's emission lock
 * @life: one at a time kills the channel
 * @channel: a new object each time that it is registered; protected by @emit
 * @context: of the fences; protected by @emit
 * @emitted: the last seqno given; written under @emit
 * @completed: all up to this seqno have signaled
 * @dying: somebody is about to kill the channel; cleared under @emit
 * @recent_lock: protects @recent
 * @recent: the last fence
 */
struct race_timeline {
	struct race_device *dev;
	struct mutex emit; /* outside of the reservations */
	struct mutex life; /* outside of @emit */
	struct ttm_fence_lru_channel *channel;
	u64 context;
	u64 emitted;
	atomic64_t completed;
	bool dying;
	spinlock_t recent_lock; /* of @recent */
	struct dma_fence *recent;
};

/**
 * struct race_group - the buffers of a reservation, fenced as one
 * @base: base class
 * @dev: its device
 * @resv: the reservation
 * @lock: protects @fences and @linked
 * @fences: the last of each timeline, with a reference
 * @linked: the last fence of each that must have made a link
 */
struct race_group {
	struct ttm_fence_lru_group base;
	struct race_device *dev;
	struct mutex resv; /* of all members */
	spinlock_t lock; /* of @fences and @linked */
	struct dma_fence *fences[RACE_TIMELINES];
	u64 linked[RACE_TIMELINES];
};

/**
 * struct race_device - an engine, and all that its threads share
 * @lru: the engine
 * @lru_lock: protects @idle
 * @idle: the LRU
 * @groups: reservations, each shared by many buffers, as in a VM
 * @timelines: what emits fences
 * @nr_channels: of them are registered as channels
 * @slots_lock: protects @slots
 * @slots: a reference each of the buffers that all threads use
 * @nr_slots: length of @slots
 * @cleanups_lock: protects @cleanups and @nr_cleanups
 * @cleanups: those that are under way, in the order in which they began
 * @nr_cleanups: how many there ever were
 * @seed: of this test
 * @steps: how often a thread may have paused
 * @created: buffers ever made
 * @live: buffers that exist
 * @memory: of these, buffers with memory
 * @idled: how often a buffer became idle, or a leftover
 * @evicted: how often a walk released the memory of a zombie
 * @robbed: of these, zombies that another had taken
 * @faults: what went wrong, in numbers
 */
struct race_device {
	struct ttm_fence_lru lru;
	spinlock_t lru_lock; /* of the list of idle buffers */
	struct list_head idle;
	struct race_group groups[RACE_RESVS];
	struct race_timeline timelines[RACE_TIMELINES];
	unsigned int nr_channels;
	spinlock_t slots_lock; /* of @slots */
	struct race_bo *slots[RACE_MAX_SLOTS];
	unsigned int nr_slots;
	spinlock_t cleanups_lock; /* of @cleanups and @nr_cleanups */
	struct list_head cleanups;
	u64 nr_cleanups;
	u32 seed;
	atomic_t steps;
	atomic_t created;
	atomic_t live;
	atomic_t memory;
	atomic_t idled;
	atomic_t evicted;
	atomic_t robbed;
	atomic_t faults;
};

/**
 * struct race_bo - a buffer
 * @base: base class
 * @dev: its device
 * @entry: on &race_device.idle
 * @kref: references
 * @resv: its reservation
 * @group: it is used when all of the group are; else NULL
 * @memory: it holds memory; protected by the LRU lock
 * @import: to be destroyed in a drain only
 * @fences: the last of each timeline, with a reference; protected by @resv
 * @linked: the last fence of each that must have made a link
 */
struct race_bo {
	struct ttm_fence_lru_bo base;
	struct race_device *dev;
	struct list_head entry;
	struct kref kref;
	struct mutex *resv; /* one of @dev's */
	struct race_group *group;
	bool memory;
	bool import;
	struct dma_fence *fences[RACE_TIMELINES];
	u64 linked[RACE_TIMELINES];
};

/**
 * struct racer - one thread
 * @race: what it is part of
 * @dev: what it shares with the others
 * @act: what it does again and again
 * @rnd: its own dice
 * @need: what its allocation lacks
 */
struct racer {
	struct race *race;
	struct race_device *dev;
	unsigned int (*act)(struct racer *racer);
	struct rnd_state rnd;
	struct ttm_fence_lru_need need;
};

/**
 * struct race_cleanup - an attempt to release memory
 * @entry: in &race_device.cleanups
 * @number: in the order in which they began
 */
struct race_cleanup {
	struct list_head entry;
	u64 number;
};

typedef unsigned int (*act_fn)(struct racer *racer);

struct race_device *race_device_create(struct kunit *test,
				       unsigned int nr_channels,
				       unsigned int nr_slots);
void race_device_empty(struct race_device *dev);
void race_fault(struct race_device *dev, const char *what);
void race_pause(struct race_device *dev);

void race_init_timeline(struct race_device *dev, unsigned int i);
void race_unregister_channel(struct race_timeline *timeline);
struct dma_fence *race_emit(struct race_timeline *timeline);
struct dma_fence *race_recent(struct race_timeline *timeline);
void race_complete(struct race_timeline *timeline, u64 count);
void race_rebirth(struct race_device *dev, struct race_timeline *timeline);
void race_fences_add(struct dma_fence **fences, struct dma_fence *fence);
struct dma_fence *race_fences_blocker(struct dma_fence **fences);
void race_fences_put(struct dma_fence **fences);

struct race_bo *race_bo_create(struct race_device *dev);
void race_bo_use(struct race_bo *bo, struct race_timeline *timeline,
		 struct dma_fence *fence, bool emitting);
void race_bo_put(struct race_bo *bo);
void race_group_init(struct race_device *dev, unsigned int i);
void race_group_moves(struct ttm_fence_lru_group *base);
void race_group_use(struct race_group *group, struct race_timeline *timeline,
		    struct dma_fence *fence);
void race_group_leave(struct race_bo *bo);
struct race_bo *race_slot_get(struct race_device *dev, unsigned int i);
struct race_bo *race_slot_swap(struct race_device *dev, unsigned int i,
			       struct race_bo *bo);
void race_evict(struct race_device *dev);
void race_settle(struct race_device *dev);

unsigned int act_submit(struct racer *racer);
unsigned int act_copy_fence(struct racer *racer);
unsigned int act_use_once_and_drop(struct racer *racer);
unsigned int act_use_and_drop(struct racer *racer);
unsigned int act_use_elsewhere_and_drop(struct racer *racer);
unsigned int act_submit_group(struct racer *racer);
unsigned int act_join_and_drop(struct racer *racer);
unsigned int act_replace(struct racer *racer);
unsigned int act_signal(struct racer *racer);
unsigned int act_retire(struct racer *racer);
unsigned int act_retire_own(struct racer *racer);
unsigned int act_reclaim(struct racer *racer);
unsigned int act_reclaim_and_settle(struct racer *racer);
unsigned int act_shrink_and_refresh(struct racer *racer);
unsigned int act_limit_and_trim(struct racer *racer);
unsigned int act_visit_busy(struct racer *racer);
unsigned int act_drain(struct racer *racer);
unsigned int act_hold_a_reservation(struct racer *racer);
unsigned int act_evict(struct racer *racer);
unsigned int act_rebirth(struct racer *racer);
unsigned int act_look_at_frontiers(struct racer *racer);
unsigned int act_look_at_zombies(struct racer *racer);
unsigned int act_look_what_is_due(struct racer *racer);
unsigned int act_touch(struct racer *racer);
unsigned int act_read_stats(struct racer *racer);

#endif
