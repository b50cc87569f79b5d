/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_H_
#define _TTM_FENCE_LRU_H_

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/wait.h>

struct dma_fence;
struct drm_printer;
struct ttm_fence_lru;
struct ttm_fence_lru_blocker;
struct ttm_fence_lru_bo;
struct ttm_fence_lru_channel;
struct ttm_fence_lru_group;
struct ttm_fence_lru_node;

/** TTM_FENCE_LRU_NUM_TYPES - memory types that are told apart */
#define TTM_FENCE_LRU_NUM_TYPES 16
/** TTM_FENCE_LRU_ANY_TYPE - in place of a memory type: all of them */
#define TTM_FENCE_LRU_ANY_TYPE 0xff
/** TTM_FENCE_LRU_BOS_PER_HOLD - buffers that are attached in one hold of a channel lock */
#define TTM_FENCE_LRU_BOS_PER_HOLD 32

/**
 * enum ttm_fence_lru_site - where the memory of a dead buffer is released
 * @TTM_FENCE_LRU_AT_RELEASE: the last put of another buffer found that the dead keep
 *	more than they may
 * @TTM_FENCE_LRU_AT_RECLAIM: an allocation did not fit; the task may hold reservations
 * @TTM_FENCE_LRU_AT_DRAIN: the task holds no reservation: drain, trim, teardown
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
 * enum ttm_fence_lru_verdict - what became of an attempt to release memory
 * @TTM_FENCE_LRU_CLEANED: the buffer holds no memory any more
 * @TTM_FENCE_LRU_BLOCKED: one of its fences has not signaled
 * @TTM_FENCE_LRU_LOCKED: a lock is taken; another attempt may do
 * @TTM_FENCE_LRU_REFUSED: it cannot be let go at this site, nor can others of its type
 */
enum ttm_fence_lru_verdict {
	TTM_FENCE_LRU_CLEANED,
	TTM_FENCE_LRU_BLOCKED,
	TTM_FENCE_LRU_LOCKED,
	TTM_FENCE_LRU_REFUSED,
};

/**
 * enum ttm_fence_lru_state - the life of a buffer
 * @TTM_FENCE_LRU_ALIVE: somebody references it; busy with links, idle without
 * @TTM_FENCE_LRU_DYING: nobody does; the task that dropped the last reference looks at
 *	its links
 * @TTM_FENCE_LRU_BURIED: a zombie with links, all on the delayed-destroy lists
 * @TTM_FENCE_LRU_RIPE: a zombie that has left its last channel
 * @TTM_FENCE_LRU_LEFTOVER: a zombie on no channel that could not be released so far
 * @TTM_FENCE_LRU_TAKEN: a zombie on no list: some task is about to release it
 * @TTM_FENCE_LRU_EMPTY: it holds no memory any more; some task is about to destroy it
 * @TTM_FENCE_LRU_NUM_STATES: how many there are
 *
 * A zombie, from @TTM_FENCE_LRU_BURIED on, has one reference: that of the list or task
 * that it is with.
 */
enum ttm_fence_lru_state {
	TTM_FENCE_LRU_ALIVE,
	TTM_FENCE_LRU_DYING,
	TTM_FENCE_LRU_BURIED,
	TTM_FENCE_LRU_RIPE,
	TTM_FENCE_LRU_LEFTOVER,
	TTM_FENCE_LRU_TAKEN,
	TTM_FENCE_LRU_EMPTY,
	TTM_FENCE_LRU_NUM_STATES,
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
	 * @idle: the buffer lost its last link, or is dead and could not be
	 * released: what is not on the LRU goes to its tail, or, if the buffer is
	 * a member of a group, to the tail of the group's range. Called with the
	 * LRU lock held.
	 */
	void (*idle)(struct ttm_fence_lru_bo *bo);

	/**
	 * @resurrect: the reference count of the buffer is zero: make it one.
	 * From here on others may find the buffer. Called with the LRU lock held.
	 */
	void (*resurrect)(struct ttm_fence_lru_bo *bo);

	/**
	 * @put: drop a reference and destroy the buffer with the last one; or
	 * ttm_fence_lru_defer_destroy() it, if that cannot be done at this
	 * @site. Called with no lock of the engine held. May sleep.
	 */
	void (*put)(struct ttm_fence_lru_bo *bo, enum ttm_fence_lru_site site);

	/**
	 * @cleanup: release the memory of a dead buffer, unless one of its
	 * fences, *whatever fence it is*, has not signaled, or its locks are
	 * taken, or it cannot be let go at this @site. If it is blocked,
	 * @blocker is set to that fence, with a reference, or left alone if the
	 * owner cannot tell; and, but at TTM_FENCE_LRU_AT_SHRINK, all such fences
	 * are given to ttm_fence_lru_arm_fence(). Never waits. The memory may be
	 * gone already: see &ttm_fence_lru_bo.cleaned.
	 *
	 * Called with no lock of the engine held. Other tasks wait for it, see
	 * ttm_fence_lru_settle(): it must not take a lock under which memory of
	 * the device is allocated.
	 */
	enum ttm_fence_lru_verdict (*cleanup)(struct ttm_fence_lru_bo *bo,
					      enum ttm_fence_lru_site site,
					      struct dma_fence **blocker);

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

	/**
	 * @assert_reserved: tell lockdep that the reservation of a buffer or group
	 * must be held here. May be NULL.
	 */
	void (*assert_reserved)(struct ttm_fence_lru_bo *bo);
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
	union {
		/** @channel: of @node; stale while the link is free */
		struct ttm_fence_lru_channel *channel;
		/** @blocker: of a leftover's first link: what it waits for, or NULL */
		struct ttm_fence_lru_blocker *blocker;
	};
	/** @bo: the buffer */
	struct ttm_fence_lru_bo *bo;
	/** @next: the buffer's next link; grows under its reservation */
	struct ttm_fence_lru_link *next;
};

/**
 * struct ttm_fence_lru_bo - what the engine knows about a buffer
 *
 * To be embedded in the owner's buffer. All but @link is protected by the LRU lock. While a link
 * of a zombie is on a node, the lock of that channel is enough to read @type and @bytes.
 */
struct ttm_fence_lru_bo {
	/**
	 * @link: the first link. Its @link.entry stands on the list of ripe or
	 * leftover zombies while the buffer is one.
	 */
	struct ttm_fence_lru_link link;
	union {
		/** @bytes: memory that a zombie holds */
		u64 bytes;
		/**
		 * @last_seq: of one that is alive and idle: the end of the order of
		 * emission when it was last used
		 */
		u64 last_seq;
	};
	/** @nr_links: links in use */
	u16 nr_links;
	/** @type: memory type of a zombie */
	u8 type;
	/** @state: an enum ttm_fence_lru_state */
	u8 state;
	/** @is_group: it stands for a &struct ttm_fence_lru_group; constant */
	bool is_group;
	/** @cleaned: holds no memory any more */
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
 * Protected by the lock of the channel. The memory of a freed node stays a node for the
 * RCU read section: @seq and @fence may be read without the lock.
 */
struct ttm_fence_lru_node {
	/** @entry: in &ttm_fence_lru_channel.nodes, or on its spare list */
	struct list_head entry;
	/** @fence: a reference of our own; NULL in a node that is freed */
	struct dma_fence __rcu *fence;
	/** @seq: place in the order of emission across all channels */
	u64 seq;
	/** @alive: links of buffers whose last use on this channel is @fence */
	struct list_head alive;
	/** @zombies: links of those that nobody references any more */
	struct list_head zombies;
};

static_assert(sizeof(struct ttm_fence_lru_node) <= 64);

/**
 * struct ttm_fence_lru_channel - one timeline whose fences signal in order
 *
 * Embedded in the driver's channel, which must outlive the registration and one RCU
 * grace period.
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
	/** @joined: in &ttm_fence_lru.joined, from its first link to the next retire */
	struct llist_node joined;
	/** @active: in &ttm_fence_lru.active; protected by the reclaim mutex */
	struct list_head active;
	/**
	 * @signaled_seq: nodes up to this sequence number have been seen signaled;
	 * protected by the reclaim mutex
	 */
	u64 signaled_seq;
	/**
	 * @waiting_since: when somebody first waited for the channel since it was last
	 * seen to go on, in jiffies; protected by the reclaim mutex
	 */
	unsigned long waiting_since;
	/**
	 * @waiting_for: the first fence at that time, or NULL if nobody has waited
	 * since; protected by the reclaim mutex
	 */
	struct dma_fence *waiting_for;
	/** @pace: nanoseconds from one fence to the next, on average; by the reclaim mutex */
	u64 pace;
	/** @looked_at: when @looked_for was first looked at; by the reclaim mutex */
	u64 looked_at;
	/** @looked_for: sequence number of the last fence that had not signaled; likewise */
	u64 looked_for;

	/** @lock: protects all below, the nodes and their links */
	spinlock_t lock;
	/** @killed: takes no fence any more */
	bool killed;
	/** @listed: stands on &ttm_fence_lru.joined or &ttm_fence_lru.active */
	bool listed;
	/** @nr_spare: length of @spare */
	unsigned int nr_spare;
	/** @nr_links: links on all @nodes */
	unsigned int nr_links;
	/** @last_seqno: of the newest fence that got a node */
	u64 last_seqno;
	/** @nodes: in order of emission, none empty */
	struct list_head nodes;
	/** @spare: nodes made beforehand, so that attaching needs no memory */
	struct list_head spare;
	/** @unswept: the first node that a sweep has not come to, or NULL for all */
	struct ttm_fence_lru_node *unswept;
	/** @resume: where a walk of the busy buffers goes on, or NULL at its end */
	struct ttm_fence_lru_node *resume;
	/** @nr_zombies: of @nr_links, those of zombies, per memory type */
	unsigned int nr_zombies[TTM_FENCE_LRU_NUM_TYPES];
#ifdef CONFIG_LOCKDEP
	/** @emission_map: of the driver's lock of emission, or NULL; constant */
	struct lockdep_map *emission_map;
#endif
};

/**
 * ttm_fence_lru_channel_set_lock - name the lock under which fences are emitted
 * @channel: the channel, after ttm_fence_lru_channel_register()
 * @lock: the lock (any with a dep_map)
 *
 * With lockdep, reserving a node and attaching a new fence are then checked to happen
 * under it.
 */
#ifdef CONFIG_LOCKDEP
#define ttm_fence_lru_channel_set_lock(channel, lock) \
	((channel)->emission_map = &(lock)->dep_map)
#else
#define ttm_fence_lru_channel_set_lock(channel, lock) \
	((void)(channel), (void)(lock))
#endif

/**
 * enum ttm_fence_lru_step - what an allocation tries when nothing is ripe
 * @TTM_FENCE_LRU_TO_RETIRE: to retire, or only as much as brings some zombies
 * @TTM_FENCE_LRU_TO_RETIRE_ALL: to retire the rest, as more are wanted
 * @TTM_FENCE_LRU_TO_UNBLOCK: to test the fences that leftovers wait for
 * @TTM_FENCE_LRU_TO_UNLOCK: to try leftovers whose locks were taken
 */
enum ttm_fence_lru_step {
	TTM_FENCE_LRU_TO_RETIRE,
	TTM_FENCE_LRU_TO_RETIRE_ALL,
	TTM_FENCE_LRU_TO_UNBLOCK,
	TTM_FENCE_LRU_TO_UNLOCK,
};

/**
 * struct ttm_fence_lru_need - memory that an allocation lacks
 *
 * To be zeroed, but for @type and @few, and given to ttm_fence_lru_reclaim() until the allocation
 * fits or nothing more is released.
 */
struct ttm_fence_lru_need {
	/** @type: memory type, below TTM_FENCE_LRU_NUM_TYPES */
	unsigned int type;
	/**
	 * @few: in: of live buffers that have become idle the oldest few on the LRU are
	 * enough; out: there may be more that are not on it
	 */
	bool few;
	/** @step: what comes next; the engine's own */
	enum ttm_fence_lru_step step;
	/** @locked: leftovers that are still to be tried once; the engine's own */
	u64 locked;
	/** @released: out: bytes that were released so far */
	u64 released;
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
	 * @last_seq: only nodes up to this sequence number, as
	 * ttm_fence_lru_emitted() gave it: a caller that waits again and again
	 * comes to an end, whatever others emit
	 */
	u64 last_seq;
	/**
	 * @patience: leave out channels that have been waited for, by anybody, for
	 * so many jiffies without going on
	 */
	unsigned long patience;
	/**
	 * @within: if not 0, leave out channels that will not have come to a zombie
	 * of @type within so many nanoseconds, if they go on as they did until now
	 */
	u64 within;
	/**
	 * @bytes: out: what zombies of @type hold that these channels will have come
	 * to within that time; 0 if @within is
	 */
	u64 bytes;
};

/**
 * struct ttm_fence_lru_cursor - how far a walk of the busy buffers has come
 *
 * To be zeroed by the caller that begins the walk, but for where it begins and ends.
 */
struct ttm_fence_lru_cursor {
	/** @seq: sequence number of the node that the walk has come to, or begins at */
	u64 seq;
	/** @end: sequence number of the first node that it does not come to; 0: there is none */
	u64 end;
	/** @visited: links of that node that it has passed */
	unsigned int visited;
	/** @turned: what of that node was left out stands before what was visited */
	bool turned;
	/** @left_out: some buffers were left out, as their nodes have too many */
	bool left_out;
	/** @rounds: walks from the beginning until they have been visited, at the most */
	unsigned int rounds;
	/** @late: some channels were, as they have been waited for in vain */
	bool late;
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
 * typedef ttm_fence_lru_match - called for a zombie, to choose among them
 * @bo: the buffer
 * @data: the caller's
 *
 * Called with the lock of a channel held; may take the LRU lock.
 *
 * Return: whether it matches.
 */
typedef bool (*ttm_fence_lru_match)(struct ttm_fence_lru_bo *bo, void *data);

/**
 * struct ttm_fence_lru_tally - zombies, counted
 */
struct ttm_fence_lru_tally {
	/** @count: how many */
	u64 count;
	/** @bytes: the memory that they hold */
	u64 bytes;
};

/**
 * struct ttm_fence_lru_stats - counters; a snapshot where read without the LRU lock
 */
struct ttm_fence_lru_stats {
	/** @busy: buffers with at least one link, alive or dead, and such groups */
	u64 busy;
	/** @dead: the zombies, by what they are and by memory type */
	struct ttm_fence_lru_tally dead[TTM_FENCE_LRU_NUM_STATES]
				       [TTM_FENCE_LRU_NUM_TYPES];
	/** @zombies: how many there are in all, and the memory that they hold */
	struct ttm_fence_lru_tally zombies;
	/** @peak_bytes: the most that all of them ever held */
	u64 peak_bytes;
	/** @deferred: buffers that became zombies, ever */
	u64 deferred;
	/** @unlinked: fences attached without a link, for want of a node or link */
	u64 unlinked;
	/** @armed: fences whose signaling was enabled, as they do not signal without */
	u64 armed;
	/** @steps: nodes, links and channels that were looked at, ever; by the reclaim mutex */
	u64 steps;
};

/**
 * struct ttm_fence_lru_dead - zombies of one memory type that are on no channel
 *
 * Protected by the LRU lock.
 */
struct ttm_fence_lru_dead {
	/** @ripe: in the order in which they left their last channel */
	struct list_head ripe;
	/** @locked: leftovers whose lock was taken, or that cannot say what blocks them */
	struct list_head locked;
	/** @blocked: what other leftovers wait for: &struct ttm_fence_lru_blocker */
	struct list_head blocked;
	/** @nr_locked: length of @locked */
	u64 nr_locked;
	/** @nr_blocked: length of @blocked */
	u64 nr_blocked;
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
	/** @joined: channels that got their first link since the last retire */
	struct llist_head joined;
	/** @by_context: live channels; written under @reclaim_lock, read under RCU */
	DECLARE_HASHTABLE(by_context, 10);

	/** @reclaim_lock: serialises retiring and registration; see the locking document */
	struct mutex reclaim_lock;
	/** @channels: registered; protected by @reclaim_lock */
	struct list_head channels;
	/** @active: those that may hold something; protected by @reclaim_lock */
	struct list_head active;
	/** @nr_channels: length of @channels; protected by @reclaim_lock */
	unsigned int nr_channels;
	/** @heap_size: room in @heap; protected by @reclaim_lock */
	unsigned int heap_size;
	/** @heap: room for every channel; protected by @reclaim_lock */
	struct ttm_fence_lru_head *heap;
	/** @retires: how many have begun; written under @reclaim_lock */
	u64 retires;
	/** @retired: the last that serves others as well; protected by @reclaim_lock */
	u64 retired;
	/** @refreshed: when a report last retired, in jiffies; read without a lock */
	unsigned long refreshed;

	/** @dead: zombies on no channel, per memory type; protected by the LRU lock */
	struct ttm_fence_lru_dead dead[TTM_FENCE_LRU_NUM_TYPES];
	/**
	 * @blockers: all of &ttm_fence_lru_dead.blocked by fence; by the LRU lock.
	 * Clients decide how many there are, and one bucket is looked at in a hold.
	 */
	DECLARE_HASHTABLE(blockers, 10);
	/** @releases: tasks that release zombies now; protected by the LRU lock */
	struct list_head releases;
	/** @nr_releases: how many there ever were; protected by the LRU lock */
	u64 nr_releases;
	/** @trims: tasks that obey the limits now; protected by the LRU lock */
	struct list_head trims;
	/** @settled: where tasks wait for those of @releases */
	wait_queue_head_t settled;
	/** @limits: bytes of zombies to keep, per memory type; read without a lock */
	u64 limits[TTM_FENCE_LRU_NUM_TYPES];
	/** @limit: bytes of all zombies to keep; read without a lock */
	u64 limit;
	/** @stats: protected by the LRU lock; read as a snapshot */
	struct ttm_fence_lru_stats stats;
};

int ttm_fence_lru_init(struct ttm_fence_lru *lru, spinlock_t *lru_lock,
		       const struct ttm_fence_lru_ops *ops);
void ttm_fence_lru_fini(struct ttm_fence_lru *lru);
int ttm_fence_lru_print(struct ttm_fence_lru *lru, struct drm_printer *p);
bool ttm_fence_lru_check(struct ttm_fence_lru *lru, struct drm_printer *p);

void ttm_fence_lru_free_links(struct ttm_fence_lru_bo *bo);

int ttm_fence_lru_channel_register(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_channel *channel,
				   u64 context);
int ttm_fence_lru_channel_reserve(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_channel_kill(struct ttm_fence_lru_channel *channel);
void ttm_fence_lru_channel_unregister(struct ttm_fence_lru_channel *channel);

int ttm_fence_lru_add_links(struct ttm_fence_lru_bo *bo, unsigned int count,
			    struct ttm_fence_lru_channel *channel, gfp_t gfp);
void ttm_fence_lru_attach(struct ttm_fence_lru *lru, struct dma_fence *fence,
			  struct ttm_fence_lru_bo **bos, unsigned int count);

bool ttm_fence_lru_bury(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			unsigned int type, u64 bytes);
void ttm_fence_lru_keep(struct ttm_fence_lru *lru, struct ttm_fence_lru_bo *bo,
			unsigned int type, u64 bytes,
			struct dma_fence *blocker);
void ttm_fence_lru_defer_destroy(struct ttm_fence_lru *lru,
				 struct ttm_fence_lru_bo *bo);
bool ttm_fence_lru_cleaned(struct ttm_fence_lru *lru,
			   struct ttm_fence_lru_bo *bo);

void ttm_fence_lru_group_init(struct ttm_fence_lru_group *group);
void ttm_fence_lru_group_fini(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group);
int ttm_fence_lru_group_leave(struct ttm_fence_lru *lru,
			      struct ttm_fence_lru_group *group,
			      struct ttm_fence_lru_bo *bo);

void ttm_fence_lru_retire(struct ttm_fence_lru *lru);
void ttm_fence_lru_refresh(struct ttm_fence_lru *lru);

unsigned int ttm_fence_lru_reclaim(struct ttm_fence_lru *lru,
				   struct ttm_fence_lru_need *need);
int ttm_fence_lru_settle(struct ttm_fence_lru *lru, bool interruptible);
u64 ttm_fence_lru_shrink(struct ttm_fence_lru *lru, unsigned int type,
			 u64 target);
u64 ttm_fence_lru_drain(struct ttm_fence_lru *lru);
void ttm_fence_lru_set_limit(struct ttm_fence_lru *lru, unsigned int type,
			     u64 bytes);
bool ttm_fence_lru_wants_trim(struct ttm_fence_lru *lru);
void ttm_fence_lru_trim(struct ttm_fence_lru *lru);

unsigned int ttm_fence_lru_frontiers(struct ttm_fence_lru *lru,
				     struct ttm_fence_lru_due *due,
				     struct dma_fence **fences,
				     unsigned int max);
struct dma_fence *ttm_fence_lru_oldest_match(struct ttm_fence_lru *lru,
					     unsigned int type,
					     unsigned long patience,
					     ttm_fence_lru_match match,
					     void *data, u64 *seq);
void ttm_fence_lru_arm_fence(struct dma_fence *fence);
void ttm_fence_lru_note_wait(struct ttm_fence_lru *lru,
			     struct dma_fence *fence);
void ttm_fence_lru_visit_busy(struct ttm_fence_lru *lru, unsigned long patience,
			      struct ttm_fence_lru_cursor *cursor,
			      ttm_fence_lru_visit visit, void *data);

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
 * ttm_fence_lru_touch - a buffer goes to the tail of the LRU, though no fence was attached
 * @lru: the device's engine
 * @bo: the buffer
 *
 * Context: the LRU lock is held.
 */
static inline void ttm_fence_lru_touch(struct ttm_fence_lru *lru,
				       struct ttm_fence_lru_bo *bo)
{
	lockdep_assert_held(lru->lru_lock);

	/* The place of one that is busy is that of its fences. */
	if (!READ_ONCE(bo->nr_links) && bo->state == TTM_FENCE_LRU_ALIVE)
		bo->last_seq = ttm_fence_lru_emitted(lru);
}

/**
 * ttm_fence_lru_bo_init - initialise the engine's part of a buffer
 * @bo: the buffer
 */
static inline void ttm_fence_lru_bo_init(struct ttm_fence_lru_bo *bo)
{
	memset(bo, 0, sizeof(*bo));
	INIT_LIST_HEAD(&bo->link.entry);
	bo->link.bo = bo;
}

/**
 * ttm_fence_lru_bo_fini - free what the engine allocated for a buffer
 * @bo: the buffer, on no channel and no zombie
 */
static inline void ttm_fence_lru_bo_fini(struct ttm_fence_lru_bo *bo)
{
	WARN_ON_ONCE(bo->nr_links);
	if (bo->link.next)
		ttm_fence_lru_free_links(bo);
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

/**
 * ttm_fence_lru_dead_bytes - memory that zombies hold
 * @lru: the device's engine
 * @type: the memory type
 *
 * Return: bytes; a snapshot.
 */
static inline u64 ttm_fence_lru_dead_bytes(struct ttm_fence_lru *lru,
					   unsigned int type)
{
	unsigned int state;
	u64 bytes = 0;

	for (state = TTM_FENCE_LRU_BURIED; state <= TTM_FENCE_LRU_TAKEN;
	     state++)
		bytes += READ_ONCE(lru->stats.dead[state][type].bytes);
	return bytes;
}

/**
 * ttm_fence_lru_dead_count - how many zombies there are
 * @lru: the device's engine
 * @type: the memory type
 *
 * Return: their number, with those that hold no memory any more; a snapshot.
 */
static inline u64 ttm_fence_lru_dead_count(struct ttm_fence_lru *lru,
					   unsigned int type)
{
	unsigned int state;
	u64 count = 0;

	for (state = TTM_FENCE_LRU_BURIED; state <= TTM_FENCE_LRU_TAKEN;
	     state++)
		count += READ_ONCE(lru->stats.dead[state][type].count);
	return count;
}

/**
 * ttm_fence_lru_ripe_bytes - memory that can be had at once
 * @lru: the device's engine
 * @type: the memory type
 *
 * Return: bytes that zombies hold which have left their last channel; a snapshot.
 */
static inline u64 ttm_fence_lru_ripe_bytes(struct ttm_fence_lru *lru,
					   unsigned int type)
{
	return READ_ONCE(lru->stats.dead[TTM_FENCE_LRU_RIPE][type].bytes);
}

/**
 * ttm_fence_lru_reserve - make sure that fences of new channels can be attached
 * @bo: the buffer
 * @count: how many channels, at the most, it will be linked to anew
 *
 * To be called where fence slots of the buffer's reservation object are
 * reserved. Holds until the reservation is unlocked.
 *
 * Context: the buffer's reservation is held; may sleep and allocate.
 * Return: 0, or -ENOMEM without memory. What it got before it failed stays with
 * the buffer for the next attempt.
 */
static inline int ttm_fence_lru_reserve(struct ttm_fence_lru_bo *bo,
					unsigned int count)
{
	might_alloc(GFP_KERNEL);

	/* Only attaching takes a free link, so under the reservation it stays so. */
	if (count <= 1 && !READ_ONCE(bo->link.node))
		return 0;
	return ttm_fence_lru_add_links(bo, count, NULL, GFP_KERNEL);
}

/**
 * ttm_fence_lru_has_room - whether a fence of a channel can be attached
 * @bo: the buffer
 * @channel: the channel that it will be used on
 *
 * Context: the buffer's reservation is held.
 * Return: true if its first link will do; if not, another may.
 */
static inline bool
ttm_fence_lru_has_room(const struct ttm_fence_lru_bo *bo,
		       const struct ttm_fence_lru_channel *channel)
{
	/* If it was on the channel before, the link is free or there still. */
	return READ_ONCE(bo->link.channel) == channel ||
	       !READ_ONCE(bo->link.node);
}

/**
 * ttm_fence_lru_reserve_on - make sure that a fence of this channel can be attached
 * @bo: the buffer
 * @channel: the channel that it will be used on
 *
 * As ttm_fence_lru_reserve(), where the channel is known: a buffer that is on it needs
 * no other link, and most buffers are used on one channel only.
 *
 * Context: the buffer's reservation is held; may sleep and allocate.
 * Return: 0, or -ENOMEM without memory and with nothing changed.
 */
static inline int
ttm_fence_lru_reserve_on(struct ttm_fence_lru_bo *bo,
			 struct ttm_fence_lru_channel *channel)
{
	might_alloc(GFP_KERNEL);

	if (ttm_fence_lru_has_room(bo, channel))
		return 0;
	return ttm_fence_lru_add_links(bo, 1, channel, GFP_KERNEL);
}

/**
 * ttm_fence_lru_is_linked - whether a dead buffer may be on a channel
 * @lru: the device's engine
 * @bo: the buffer; its reference count is zero
 *
 * Only if it is, there is anything to do for ttm_fence_lru_bury().
 *
 * Context: as ttm_fence_lru_bury().
 * Return: true if it has a link in use, or has had several.
 */
static inline bool ttm_fence_lru_is_linked(struct ttm_fence_lru *lru,
					   const struct ttm_fence_lru_bo *bo)
{
	might_sleep();
	might_lock(&lru->reclaim_lock);

	/* Pairs with the release of the task that frees a link: it is done with the buffer. */
	return smp_load_acquire(&bo->link.node) || bo->link.next;
}

#endif
