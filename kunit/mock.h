/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_MOCK_H_
#define _TTM_FENCE_LRU_MOCK_H_

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/kref.h>

#include <drm/ttm_fence_lru.h>

/* Buffers, fences and names of one test are few. */
#define MOCK_MAX_FENCES 64
#define MOCK_MAX_NAMES 512
/* What memory holds before it is initialised. */
#define MOCK_GARBAGE 0x5a

/**
 * struct mock_fence - a fence that signals when somebody looks, as on hardware
 * @base: base class
 * @dev: its device
 * @entry: in &mock_device.fences
 * @lock: of @base
 * @done: the hardware is done
 * @armed: how often signaling was enabled: interrupts on hardware
 */
struct mock_fence {
	struct dma_fence base;
	struct mock_device *dev;
	struct list_head entry;
	spinlock_t lock; /* of the fence */
	bool done;
	unsigned int armed;
};

/**
 * struct mock_fences - as a reservation object: the last fence of each context
 * @fences: with references
 * @count: length of @fences
 */
struct mock_fences {
	struct dma_fence *fences[MOCK_MAX_FENCES];
	unsigned int count;
};

/* What another task does at a certain point. */
typedef void (*mock_hook)(struct kunit *test);

/**
 * struct mock_device - an engine with plain objects for buffers
 * @test: the test it belongs to
 * @lru: the engine
 * @lru_lock: protects @idle
 * @idle: the LRU: places of buffers and of groups' ranges
 * @fences: all that exist
 * @nr_fences: length of @fences
 * @nr_samples: how often a fence was asked whether it has signaled
 * @sampled: called once, before a fence is sampled: what another task may do then
 * @cleaning: called once, before memory is released: likewise
 * @putting: called once, before the reference of a zombie is dropped: likewise
 * @channels: all, registered or not
 * @cleaned: names of the buffers whose memory was released, in that order
 * @destroyed: names of those that are gone
 * @nr_bos: buffers that exist
 */
struct mock_device {
	struct kunit *test;
	struct ttm_fence_lru lru;
	spinlock_t lru_lock; /* of the list of idle buffers */
	struct list_head idle;
	struct list_head fences;
	unsigned int nr_fences;
	unsigned int nr_samples;
	mock_hook sampled;
	mock_hook cleaning;
	mock_hook putting;
	struct list_head channels;
	char cleaned[MOCK_MAX_NAMES];
	char destroyed[MOCK_MAX_NAMES];
	unsigned int nr_bos;
};

/**
 * struct mock_channel - a channel that makes fences
 * @base: base class
 * @dev: its device
 * @entry: in &mock_device.channels
 * @context: of its fences
 * @seqno: of the last fence
 * @registered: it is
 * @rcu: to free it
 */
struct mock_channel {
	struct ttm_fence_lru_channel base;
	struct mock_device *dev;
	struct list_head entry;
	u64 context;
	u64 seqno;
	bool registered;
	struct rcu_head rcu;
};

/**
 * struct mock_place - where something stands on &mock_device.idle or in a range
 * @entry: on the list; empty while it is parked
 * @range: a group's range stands here, not a buffer
 */
struct mock_place {
	struct list_head entry;
	bool range;
};

/**
 * struct mock_group - buffers that share a reservation object
 * @base: base class
 * @dev: its device
 * @place: of the range, on &mock_device.idle while the group is idle
 * @range: places of the members without links of their own
 * @fences: of the reservation object
 */
struct mock_group {
	struct ttm_fence_lru_group base;
	struct mock_device *dev;
	struct mock_place place;
	struct list_head range;
	struct mock_fences fences;
};

/**
 * struct mock_bo - a buffer
 * @base: base class
 * @dev: its device
 * @place: on the LRU, or in the range of @group
 * @group: it shares the reservation object of this
 * @kref: references
 * @name: one letter
 * @type: of its memory
 * @bytes: how much
 * @import: may be destroyed only where nobody holds a lock: in a drain
 * @locked: somebody holds its lock: its memory cannot be released
 * @refused: its memory can be released only in a drain
 * @next: the reference of another buffer, which goes with it
 * @fences: of its own reservation object
 */
struct mock_bo {
	struct ttm_fence_lru_bo base;
	struct mock_device *dev;
	struct mock_place place;
	struct mock_group *group;
	struct kref kref;
	char name;
	u8 type;
	u32 bytes;
	bool locked;
	bool refused;
	bool import;
	struct mock_bo *next;
	struct mock_fences fences;
};

/**
 * struct mock_thread - a piece of a test that another task runs
 * @test: the test
 * @run: what is run
 * @task: the task
 * @done: it has come to its end
 */
struct mock_thread {
	struct kunit *test;
	mock_hook run;
	struct task_struct *task;
	struct completion done;
};

/**
 * struct mock_locks - how often the locks of a device were taken
 * @dev: the device
 * @tracepoint: lockdep's "lock_acquire", or NULL without lockdep
 * @lru: the LRU lock
 * @reclaim: the reclaim mutex
 * @steps: of retiring, when the LRU lock was last taken
 * @max_steps: most steps of retiring that were counted from one hold of it to the next
 */
struct mock_locks {
	struct mock_device *dev;
	struct tracepoint *tracepoint;
	unsigned int lru;
	unsigned int reclaim;
	u64 steps;
	u64 max_steps;
};

#define MOCK_BO_BYTES 4096

static inline struct mock_bo *to_mock_bo(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct mock_bo, base);
}

/* How many buffers, of the type that they have if nobody changes it, are in a state. */
static inline u64 mock_dead(struct mock_device *dev,
			    enum ttm_fence_lru_state state)
{
	return dev->lru.stats.dead[state][1].count;
}

static inline struct mock_bo *place_to_bo(struct mock_place *place)
{
	return container_of(place, struct mock_bo, place);
}

unsigned int mock_seed(struct kunit *test);
int mock_device_init(struct kunit *test);
void mock_device_exit(struct kunit *test);
struct mock_device *mock_device_create(struct kunit *test);
void mock_device_end(struct mock_device *dev);
void mock_device_destroy(struct mock_device *dev);

struct mock_channel *mock_channel_create(struct mock_device *dev);
void mock_channel_reserve(struct mock_channel *channel);
void mock_channel_register(struct mock_channel *channel);
void mock_channel_unregister(struct mock_channel *channel);
void mock_channel_destroy(struct mock_channel *channel);
struct mock_fence *mock_fence_create(struct mock_device *dev, u64 context,
				     u64 seqno);
struct mock_fence *mock_fence_create_silent(struct mock_device *dev,
					    u64 context, u64 seqno);
struct mock_fence *mock_emit(struct mock_channel *channel);
struct mock_fence *mock_emit_silent(struct mock_channel *channel);
void mock_signal(struct mock_fence *fence);
void mock_fences_add(struct mock_device *dev, struct mock_fences *fences,
		     struct dma_fence *fence);
struct dma_fence *mock_fences_blocker(struct mock_fences *fences);
void mock_fences_put(struct mock_fences *fences);
struct mock_fence *mock_first(struct mock_channel *channel);

struct mock_bo *mock_bo_create(struct mock_device *dev, char name);
void mock_bo_attach(struct mock_bo *bo, struct mock_fence *fence);
void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence);
void mock_bo_put(struct mock_bo *bo);
void mock_bo_clean(struct mock_bo *bo);

struct mock_group *mock_group_create(struct mock_device *dev);
void mock_group_destroy(struct mock_group *group);
void mock_group_use(struct mock_group *group, struct mock_fence *fence);
void mock_group_join(struct mock_group *group, struct mock_bo *bo);
int mock_group_leave(struct mock_bo *bo);

struct mock_fence *mock_submit(struct mock_channel *channel,
			       struct mock_bo *bo);
void mock_reclaim(struct mock_device *dev);
unsigned int mock_reclaim_type(struct mock_device *dev, unsigned int type);
void mock_meanwhile(struct mock_device *dev, mock_hook *hook);
void mock_thread_create(struct mock_thread *thread, struct kunit *test,
			mock_hook run);
void mock_thread_start(struct mock_thread *thread);
void mock_thread_join(struct mock_thread *thread);
void mock_locks_start(struct mock_locks *locks, struct mock_device *dev);
void mock_locks_stop(struct mock_locks *locks);
void mock_append_name(char *names, char name);
void mock_print_lru(struct mock_device *dev, char *names);
void mock_print_nodes(struct mock_channel *channel, char *names);
const char *mock_lru(struct mock_device *dev);
const char *mock_nodes(struct mock_channel *channel);
void mock_check(struct mock_device *dev);

/*
 * The LRU, oldest first, and the buffers whose memory was released so far. "A[BC]" is
 * A and a group's range with B and C.
 */
#define EXPECT_STATE(_dev, _lru, _cleaned)                              \
	do {                                                            \
		struct mock_device *__dev = (_dev);                     \
		const char *__cleaned = __dev->cleaned;                 \
		mock_check(__dev);                                      \
		KUNIT_EXPECT_STREQ(__dev->test, mock_lru(__dev), _lru); \
		KUNIT_EXPECT_STREQ(__dev->test, __cleaned, _cleaned);   \
	} while (0)

/*
 * The nodes of a channel: "AB/x C" is a node with A and B alive and x dead, and one
 * with C. A group is "*".
 */
#define EXPECT_NODES(_channel, _nodes)                             \
	do {                                                       \
		struct mock_channel *__channel = (_channel);       \
		KUNIT_EXPECT_STREQ(__channel->dev->test,           \
				   mock_nodes(__channel), _nodes); \
	} while (0)

#endif
