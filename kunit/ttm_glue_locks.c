// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which locks the last put of a buffer takes. lockdep tells, by its tracepoint, of every
 * lock that is taken.
 */
#include <linux/lockdep.h>
#include <linux/tracepoint.h>

#include "ttm_glue_helpers.h"

/**
 * struct lock_count - how often locks were taken
 * @dev: the device
 * @task: by this task
 * @tracepoint: lockdep's "lock_acquire", or NULL without lockdep
 * @lru: the LRU lock
 * @channel: the lock of channel 0
 * @all: any
 */
struct lock_count {
	struct glue_device *dev;
	struct task_struct *task;
	struct tracepoint *tracepoint;
	unsigned int lru;
	unsigned int channel;
	unsigned int all;
};

#ifdef CONFIG_LOCKDEP
static void count_lock(void *data, struct lockdep_map *lock,
		       unsigned int subclass, int trylock, int read, int check,
		       struct lockdep_map *next_lock, unsigned long ip)
{
	struct lock_count *count = data;

	if (current != count->task || in_interrupt())
		return;
	count->all++;
	count->lru += lock == &count->dev->bdev.lru_lock.dep_map;
	count->channel += lock == &count->dev->channels[0].base.lock.dep_map;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct lock_count *count = data;

	if (!strcmp(tracepoint->name, "lock_acquire"))
		count->tracepoint = tracepoint;
}

/* Put the last reference, and count. */
static void count_put(struct glue_bo *bo, struct lock_count *count)
{
	struct kunit *test = bo->dev->test;

	*count = (struct lock_count){ .dev = bo->dev, .task = current };
	for_each_kernel_tracepoint(find_tracepoint, count);
	if (!count->tracepoint)
		kunit_skip(test, "the kernel has no tracepoints");

	list_del(&bo->entry);
	KUNIT_ASSERT_EQ(test, 0,
			tracepoint_probe_register(count->tracepoint, count_lock,
						  count));
	ttm_bo_fini(&bo->tbo);
	tracepoint_probe_unregister(count->tracepoint, count_lock, count);
	tracepoint_synchronize_unregister();
}
#else
static void count_put(struct glue_bo *bo, struct lock_count *count)
{
	kunit_skip(bo->dev->test, "needs lockdep to count locks");
}
#endif

/* A buffer that was used, or not, and seen idle since. */
static void count_idle_put(struct glue_device *dev, bool used,
			   struct lock_count *count)
{
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	if (used)
		glue_complete(glue_use(a, 0));
	if (used && dev->bdev.fence_lru)
		glue_retire(dev);
	count_put(a, count);
	KUNIT_EXPECT_EQ(dev->test, dev->nr_bos, 0);
}

static void an_idle_buffer_dies_as_on_a_device_of_today(struct kunit *test)
{
	struct glue_device *today = glue_device_create(test, false);
	struct lock_count before, now;
	int used;

	for (used = 0; used < 2; used++) {
		count_idle_put(today, used, &before);
		count_idle_put(test->priv, used, &now);
		KUNIT_EXPECT_GT(test, before.lru, 0);
		KUNIT_EXPECT_LE(test, now.lru, before.lru);
		KUNIT_EXPECT_EQ(test, now.channel, 0);
	}
	glue_device_destroy(today);
}

/* That of the channel and that of the LRU are held once, to bury it. */
static void a_busy_buffer_dies_in_one_hold_of_each_lock(struct kunit *test)
{
	struct glue_device *today = glue_device_create(test, false);
	struct glue_bo *a = glue_bo(test->priv, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(today, 'b', &glue_vram);
	struct lock_count before, now;

	glue_use(a, 0);
	glue_complete_on_wait(glue_use(b, 0));
	count_put(b, &before);
	count_put(a, &now);
	glue_expect_zombies(test->priv, 1, 0);
	KUNIT_EXPECT_EQ(test, now.channel, 1);
	KUNIT_EXPECT_EQ(test, now.lru, 1);
	KUNIT_EXPECT_LE(test, now.all, before.all);
	flush_workqueue(today->bdev.wq);
	glue_device_destroy(today);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_idle_buffer_dies_as_on_a_device_of_today),
	KUNIT_CASE(a_busy_buffer_dies_in_one_hold_of_each_lock),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_locks",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
