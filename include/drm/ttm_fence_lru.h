/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_H_
#define _TTM_FENCE_LRU_H_

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_fence;
struct drm_printer;
struct ttm_fence_lru;
struct ttm_fence_lru_bo;
struct ttm_fence_lru_channel;
struct ttm_fence_lru_group;
struct ttm_fence_lru_node;

/** TTM_FENCE_LRU_NUM_TYPES - memory types that the counters tell apart */
#define TTM_FENCE_LRU_NUM_TYPES 16
/** TTM_FENCE_LRU_ANY_TYPE - in place of a memory type: all of them */
#define TTM_FENCE_LRU_ANY_TYPE 0xff
/** TTM_FENCE_LRU_GROUP_TYPE - in place of a memory type: the links of a group */
#define TTM_FENCE_LRU_GROUP_TYPE 0xfe

/**
 * enum ttm_fence_lru_site - who releases the memory of a dead buffer
 * @TTM_FENCE_LRU_AT_RELEASE: the last put found the buffer idle
 * @TTM_FENCE_LRU_AT_RECLAIM: an allocation did not fit; it may hold reservations
 * @TTM_FENCE_LRU_AT_DRAIN: drain or teardown; the task holds no reservation
 * @TTM_FENCE_LRU_AT_SHRINK: the system is short of memory: nothing may be waited
 *	for or allocated, no lock but a spinlock taken without trying, and no
 *	device woken
 */
enum ttm_fence_lru_site {
	TTM_FENCE_LRU_AT_RELEASE,
	TTM_FENCE_LRU_AT_RECLAIM,
	TTM_FENCE_LRU_AT_DRAIN,
	TTM_FENCE_LRU_AT_SHRINK,
};

/**
 * struct ttm_fence_lru_ops - what the owner of the buffers does for the engine
 */
struct ttm_fence_lru_ops {
	/**
	 * @busy: the buffer got its first link: take it off the LRU, or out of
	 * the range of its group. Called with the LRU lock held.
	 */
	void (*busy)(struct ttm_fence_lru_bo *bo);

	/**
	 * @idle: the buffer lost its last link, or is dead and never had one:
	 * what is not on the LRU goes to its tail, or, if the buffer is a member
	 * of a group, to the tail of the group's range. Called with the LRU lock
	 * held. The buffer may be dead already.
	 */
	void (*idle)(struct ttm_fence_lru_bo *bo);

	/**
	 * @get: take a reference. Called under spinlocks; the buffer has at
	 * least one reference already.
	 */
	void (*get)(struct ttm_fence_lru_bo *bo);

	/**
	 * @put: drop a reference and destroy the buffer with the last one; or
	 * ttm_fence_lru_defer_destroy() it, if that cannot be done at this
	 * @site. Called with no lock of the engine held. May sleep.
	 */
	void (*put)(struct ttm_fence_lru_bo *bo, enum ttm_fence_lru_site site);

	/**
	 * @cleanup: release the memory of a dead buffer, unless one of its
	 * fences, *whatever fence it is*, has not signaled, or its locks are
	 * taken, or it cannot be let go at this @site. Never waits. The memory
	 * may be gone already: see &ttm_fence_lru_bo.cleaned. Fences of no
	 * channel that signal only on request are the owner's to request, here
	 * or when the buffer dies.
	 * Called with no lock of the engine held. Other tasks may wait a moment
	 * for it, with reservations held.
	 *
	 * Return: true if the buffer holds no memory any more.
	 */
	bool (*cleanup)(struct ttm_fence_lru_bo *bo,
			enum ttm_fence_lru_site site);

	/**
	 * @group_busy: the group got its first link: take its range, the members
	 * that have no link of their own, off the LRU as one. Called with the LRU
	 * lock held. May be NULL if there are no groups.
	 */
	void (*group_busy)(struct ttm_fence_lru_group *group);

	/**
	 * @group_idle: the group lost its last link: put its range to the tail of
	 * the LRU as one. Called with the LRU lock held.
	 */
	void (*group_idle)(struct ttm_fence_lru_group *group);
};

/**
 * struct ttm_fence_lru_link - one buffer's membership in one fence node
 *
 * @node and @entry change under the lock of @channel. Taking a free link into
 * use needs the reservation of the buffer as well.
 */
struct ttm_fence_lru_link {
	/** @entry: on the alive or the delayed-destroy list of @node */
	struct list_head entry;
	/** @node: NULL while the link is free; cleared last, with release order */
	struct ttm_fence_lru_node *node;
	/** @channel: of @node; stale while the link is free */
	struct ttm_fence_lru_channel *channel;
	/** @bo: the buffer */
	struct ttm_fence_lru_bo *bo;
	/** @next: the buffer's next link; grows under its reservation */
	struct ttm_fence_lru_link *next;
};

/**
 * struct ttm_fence_lru_bo - what the engine knows about a buffer
 *
 * To be embedded in the owner's buffer.
 */
struct ttm_fence_lru_bo {
	/**
	 * @link: the first link. While the buffer is a zombie without links its
	 * @link.entry stands on the leftover list.
	 */
	struct ttm_fence_lru_link link;
	/** @bytes: memory that a zombie holds; set when it dies */
	u64 bytes;
	/** @nr_links: links in use; protected by the LRU lock */
	u16 nr_links;
	/** @nr_seen: of a zombie's: on nodes seen signaled; protected by the LRU lock */
	u16 nr_seen;
	/** @type: memory type of a zombie; set when it dies. Or that of a group */
	u8 type;
	/** @dead: nobody references it; protected by the LRU lock */
	bool dead;
	/** @counted: part of the zombie counters; protected by the LRU lock */
	bool counted;
	/** @cleaned: holds no memory any more; protected by the LRU lock */
	bool cleaned;
};

static_assert(sizeof(struct ttm_fence_lru_bo) <= 64);

/**
 * struct ttm_fence_lru_group - buffers that are fenced as one
 *
 * To be embedded where the owner keeps what the members share, as the reservation
 * object of a virtual address space.
 */
struct ttm_fence_lru_group {
	/** @base: the group's links; it is on the channels as if it were a buffer */
	struct ttm_fence_lru_bo base;
};

/**
 * struct ttm_fence_lru_node - one fence of one channel with its buffers
 *
 * Protected by the lock of the channel.
 */
struct ttm_fence_lru_node {
	/** @entry: in &ttm_fence_lru_channel.nodes, or on its spare list */
	struct list_head entry;
	/** @fence: a reference of our own */
	struct dma_fence *fence;
	/** @seq: place in the order of emission across all channels */
	u64 seq;
	/** @alive: links of buffers whose last use on this channel is @fence */
	struct list_head alive;
	/** @zombies: links of those that nobody references any more */
	struct list_head zombies;
};

static_assert(sizeof(struct ttm_fence_lru_node) <= 96);

/**
 * struct ttm_fence_lru_channel - one timeline whose fences signal in order
 *
 * Embedded in the driver's channel, which must outlive the registration.
 */
struct ttm_fence_lru_channel {
	/** @lru: the device's engine */
	struct ttm_fence_lru *lru;
	/** @context: fence context of the timeline */
	u64 context;
	/** @hash: in &ttm_fence_lru.by_context; RCU */
	struct hlist_node hash;
	/** @entry: in &ttm_fence_lru.channels; protected by the reclaim mutex */
	struct list_head entry;
	/**
	 * @stalled: sequence number of a first node that is not to be waited for
	 * again; protected by the reclaim mutex
	 */
	u64 stalled;
	/** @lock: protects all below, the nodes and their links */
	spinlock_t lock;
	/** @signaled: nodes up to this sequence number have been seen signaled */
	u64 signaled;
	/** @counted: zombies up to this sequence number are counted as signaled */
	u64 counted;
	/** @nodes: in order of emission, none empty */
	struct list_head nodes;
	/** @spare: nodes made beforehand, so that attaching needs no memory */
	struct list_head spare;
	/** @nr_spare: length of @spare */
	unsigned int nr_spare;
	/** @nr_links: links on all @nodes */
	unsigned int nr_links;
	/** @nr_zombies: of these, zombies' links, per memory type */
	unsigned int nr_zombies[TTM_FENCE_LRU_NUM_TYPES];
	/** @zombie_bytes: the memory that those hold, per memory type */
	u64 zombie_bytes[TTM_FENCE_LRU_NUM_TYPES];
	/** @killed: takes no fence any more */
	bool killed;
};

/**
 * struct ttm_fence_lru_pass - steps of reclaim that belong together
 *
 * To be zeroed, but for @budget, by who wants memory, and given to
 * ttm_fence_lru_reclaim() until there is enough or the pass is complete.
 */
struct ttm_fence_lru_pass {
	/** @budget: zombies to release in one step, from 1; there is an inner limit */
	unsigned int budget;
	/** @released: bytes that the last step released */
	u64 released;
	/** @id: the engine's own */
	u64 id;
};

/**
 * struct ttm_fence_lru_due - what to wait for, and what that would bring
 */
struct ttm_fence_lru_due {
	/**
	 * @type: a memory type: only channels that hold zombies of it; or
	 * TTM_FENCE_LRU_ANY_TYPE: all that hold any buffer
	 */
	unsigned int type;
	/**
	 * @after_seq: only nodes with a later sequence number, 0 for all: what was
	 * waited for in vain is left out
	 */
	u64 after_seq;
	/**
	 * @last_seq: only nodes up to this sequence number, as
	 * ttm_fence_lru_emitted() gave it: who waits again and again comes to an
	 * end, whatever others emit
	 */
	u64 last_seq;
	/** @first_seq: out: the least sequence number among them, 0 if there is none */
	u64 first_seq;
	/**
	 * @bytes: out: what zombies of @type on these channels hold, those on several
	 * of them counted for each
	 */
	u64 bytes;
};

/**
 * struct ttm_fence_lru_cursor - how far a walk of the busy buffers has come
 *
 * To be zeroed by who begins the walk.
 */
struct ttm_fence_lru_cursor {
	/** @seq: sequence number of the node that the walk has come to */
	u64 seq;
	/** @visited: links of that node that it has passed */
	unsigned int visited;
};

/**
 * typedef ttm_fence_lru_visit - called for a buffer that is alive and busy
 * @bo: the buffer, or &ttm_fence_lru_group.base
 * @data: the caller's
 *
 * Called with the lock of a channel and the LRU lock held. The buffer may be about to
 * die: to look at it later takes a reference, if there is still one.
 *
 * Return: true to go on with the next buffer, false to stop at this one, with which the
 * walk then goes on.
 */
typedef bool (*ttm_fence_lru_visit)(struct ttm_fence_lru_bo *bo, void *data);

/**
 * struct ttm_fence_lru_stats - counters; a snapshot where read without the LRU lock
 */
struct ttm_fence_lru_stats {
	/** @busy: buffers with at least one link, alive or dead, and such groups */
	u64 busy;
	/** @zombies: dead buffers whose memory is not yet released */
	u64 zombies;
	/** @zombie_bytes: the memory they hold, per memory type */
	u64 zombie_bytes[TTM_FENCE_LRU_NUM_TYPES];
	/** @signaled: zombies whose fences had all signaled when last looked at */
	u64 signaled;
	/** @signaled_bytes: the memory that these hold, per memory type */
	u64 signaled_bytes[TTM_FENCE_LRU_NUM_TYPES];
	/** @all_zombie_bytes: the sum of @zombie_bytes */
	u64 all_zombie_bytes;
	/** @peak_zombie_bytes: the most that all types together ever held */
	u64 peak_zombie_bytes;
	/** @deferred: buffers that became zombies, ever */
	u64 deferred;
	/** @leftover: zombies on the leftover list */
	u64 leftover;
	/** @unlinked: fences attached without a link, for want of a node or link */
	u64 unlinked;
	/** @armed: fences whose signaling was enabled, as they do not signal without */
	u64 armed;
};

/**
 * struct ttm_fence_lru - the engine's state of one device
 */
struct ttm_fence_lru {
	/** @ops: constant after init */
	const struct ttm_fence_lru_ops *ops;
	/** @lru_lock: the owner's lock of its LRU; constant after init */
	spinlock_t *lru_lock;
	/** @seq: the last &ttm_fence_lru_node.seq given */
	atomic64_t seq;
	/** @by_context: live channels; written under @reclaim_lock, read under RCU */
	DECLARE_HASHTABLE(by_context, 10);
	/** @reclaim_lock: serialises reclaim and registration; see the locking document */
	struct mutex reclaim_lock;
	/** @channels: registered; protected by @reclaim_lock */
	struct list_head channels;
	/** @nr_channels: length of @channels; protected by @reclaim_lock */
	unsigned int nr_channels;
	/** @heap: room for every channel; protected by @reclaim_lock */
	struct ttm_fence_lru_head *heap;
	/** @heap_size: room in @heap; protected by @reclaim_lock */
	unsigned int heap_size;
	/** @heap_nr: channels that the present pass left in @heap; by @reclaim_lock */
	unsigned int heap_nr;
	/** @pass: the present pass, or 0; protected by @reclaim_lock */
	u64 pass;
	/** @passes: those that have begun; protected by @reclaim_lock */
	u64 passes;
	/**
	 * @pause: how often there is to be nothing done about @limits before all
	 * channels are looked at again; protected by @reclaim_lock
	 */
	unsigned int pause;
	/** @trimming: somebody does something about @limits */
	atomic_t trimming;
	/** @limits: bytes of zombies to keep, per memory type; read without a lock */
	u64 limits[TTM_FENCE_LRU_NUM_TYPES];
	/** @limit: bytes of all zombies to keep; read without a lock */
	u64 limit;
	/** @releasing: how often memory was collected to be released */
	atomic_t releasing;
	/** @released: how often that was done */
	atomic_t released;
	/** @leftover: zombies that no channel vouches for; protected by the LRU lock */
	struct list_head leftover;
	/** @stats: protected by the LRU lock; read as a snapshot */
	struct ttm_fence_lru_stats stats;
};

int ttm_fence_lru_init(struct ttm_fence_lru *lru, spinlock_t *lru_lock,
		       const struct ttm_fence_lru_ops *ops);
void ttm_fence_lru_fini(struct ttm_fence_lru *lru);
bool ttm_fence_lru_check(struct ttm_fence_lru *lru, struct drm_printer *p);

void ttm_fence_lru_bo_init(struct ttm_fence_lru_bo *bo);
void ttm_fence_lru_bo_fini(struct ttm_fence_lru_bo *bo);

int ttm_fence_lru_channel_register(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_channel *channel,
				   u64 context);
int ttm_fence_lru_channel_reserve(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_channel_kill(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_channel_unregister(struct ttm_fence_lru_channel *channel);

int ttm_fence_lru_reserve(struct ttm_fence_lru_bo *bo, unsigned int count);
int ttm_fence_lru_reserve_on(struct ttm_fence_lru_bo *bo,
			     struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_attach(struct ttm_fence_lru *lru,
			  struct ttm_fence_lru_bo *bo, struct dma_fence *fence);
void ttm_fence_lru_release(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo, unsigned int type,
			   u64 bytes);

void ttm_fence_lru_group_init(struct ttm_fence_lru_group *group);
void ttm_fence_lru_group_fini(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group);
int ttm_fence_lru_group_leave(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group,
			      struct ttm_fence_lru_bo *bo);

bool ttm_fence_lru_reclaim(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_pass *pass);
u64 ttm_fence_lru_shrink(struct ttm_fence_lru *lru, unsigned int type,
			 u64 target);
bool ttm_fence_lru_settle(struct ttm_fence_lru *lru);
u64 ttm_fence_lru_drain(struct ttm_fence_lru *lru);
u64 ttm_fence_lru_poll(struct ttm_fence_lru *lru, u64 budget);
unsigned int ttm_fence_lru_frontiers(struct ttm_fence_lru *lru,
				     struct ttm_fence_lru_due *due,
				     struct dma_fence **fences,
				     unsigned int max);
void ttm_fence_lru_stall(struct ttm_fence_lru *lru, u64 last_seq);
void ttm_fence_lru_defer_destroy(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo);
void ttm_fence_lru_cleaned(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo);
void ttm_fence_lru_look(struct ttm_fence_lru *lru);
void ttm_fence_lru_visit_busy(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_cursor *cursor,
			      ttm_fence_lru_visit visit, void *data);
void ttm_fence_lru_set_limit(struct ttm_fence_lru *lru, unsigned int type,
			     u64 bytes);
void ttm_fence_lru_trim(struct ttm_fence_lru *lru);

/**
 * ttm_fence_lru_emitted - the present end of the order of emission
 * @lru: the device's engine
 *
 * Return: the sequence number of the last node that was appended anywhere.
 */
static inline u64 ttm_fence_lru_emitted(struct ttm_fence_lru *lru)
{
	return atomic64_read(&lru->seq);
}

/**
 * ttm_fence_lru_bo_is_busy - whether a buffer or group has a link
 * @bo: the buffer, or &ttm_fence_lru_group.base
 *
 * Context: exact under the LRU lock, else a snapshot.
 * Return: true if it has.
 */
static inline bool ttm_fence_lru_bo_is_busy(const struct ttm_fence_lru_bo *bo)
{
	return READ_ONCE(bo->nr_links);
}

#endif
