/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_MOCK_H_
#define _TTM_FENCE_LRU_MOCK_H_

#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/kref.h>

#include <drm/ttm_fence_lru.h>

/* Buffers, fences and names of one test are few. */
#define MOCK_MAX_FENCES 64
#define MOCK_MAX_NAMES 512

/**
 * struct mock_fence - a fence that signals when somebody looks, as on hardware
 * @base: base class
 * @entry: in &mock_device.fences
 * @lock: of @base
 * @done: the hardware is done
 * @armed: how often signaling was enabled: interrupts on hardware
 */
struct mock_fence {
	struct dma_fence base;
	struct list_head entry;
	spinlock_t lock; /* of the fence */
	bool done;
	unsigned int armed;
};

/**
 * struct mock_device - an engine with plain objects for buffers
 * @test: the test it belongs to
 * @lru: the engine
 * @lru_lock: protects @idle
 * @idle: the LRU
 * @fences: all that were made
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
	char cleaned[MOCK_MAX_NAMES];
	char destroyed[MOCK_MAX_NAMES];
	unsigned int nr_bos;
};

/**
 * struct mock_channel - a channel that makes fences
 * @base: base class
 * @dev: its device
 * @seqno: of the last fence
 */
struct mock_channel {
	struct ttm_fence_lru_channel base;
	struct mock_device *dev;
	u64 seqno;
};

/**
 * struct mock_bo - a buffer
 * @base: base class
 * @dev: its device
 * @entry: on &mock_device.idle
 * @kref: references
 * @name: one letter
 * @import: may be destroyed only where nobody holds a lock: in a drain
 * @locked: somebody holds its lock: its memory cannot be released
 * @fences: all it ever got, as in a reservation object
 * @nr_fences: length of @fences
 */
struct mock_bo {
	struct ttm_fence_lru_bo base;
	struct mock_device *dev;
	struct list_head entry;
	struct kref kref;
	char name;
	bool locked;
	bool import;
	struct dma_fence *fences[MOCK_MAX_FENCES];
	unsigned int nr_fences;
};

#define MOCK_BO_BYTES 4096

int mock_device_init(struct kunit *test);
void mock_device_exit(struct kunit *test);

struct mock_channel *mock_channel_create(struct mock_device *dev);
void mock_channel_destroy(struct mock_channel *channel);
struct mock_fence *mock_fence_create(struct mock_device *dev, u64 context,
				     u64 seqno);
struct mock_fence *mock_emit(struct mock_channel *channel);
void mock_signal(struct mock_fence *fence);
struct mock_fence *mock_first(struct mock_channel *channel);

struct mock_bo *mock_bo_create(struct mock_device *dev, char name);
void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence);
void mock_bo_put(struct mock_bo *bo);
void mock_bo_clean(struct mock_bo *bo);

struct mock_fence *mock_submit(struct mock_channel *channel,
			       struct mock_bo *bo);
void mock_reclaim(struct mock_device *dev);
const char *mock_lru(struct mock_device *dev);
const char *mock_nodes(struct mock_channel *channel);
void mock_check(struct mock_device *dev);

/* The LRU, oldest first, and the buffers whose memory was released so far. */
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
 * with C.
 */
#define EXPECT_NODES(_channel, _nodes)                             \
	do {                                                       \
		struct mock_channel *__channel = (_channel);       \
		KUNIT_EXPECT_STREQ(__channel->dev->test,           \
				   mock_nodes(__channel), _nodes); \
	} while (0)

#endif
