// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Other tasks, and the locks that are taken: lockdep tells of each by its tracepoint.
 */
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/tracepoint.h>

#include "mock.h"

static int run_thread(void *data)
{
	struct mock_thread *thread = data;

	thread->run(thread->test);
	kthread_complete_and_exit(&thread->done, 0);
}

/* A piece of the test that is to run beside it, until mock_thread_join(). */
void mock_thread_create(struct mock_thread *thread, struct kunit *test,
			mock_hook run)
{
	thread->test = test;
	thread->run = run;
	init_completion(&thread->done);
	thread->task = kthread_create(run_thread, thread, "fence_lru_mock");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread->task));
}

/* Under any lock. */
void mock_thread_start(struct mock_thread *thread)
{
	wake_up_process(thread->task);
}

void mock_thread_join(struct mock_thread *thread)
{
	wait_for_completion(&thread->done);
}

#ifdef CONFIG_LOCKDEP
static void note_steps(struct mock_locks *locks)
{
	u64 steps = locks->dev->lru.stats.steps;

	locks->max_steps = max(locks->max_steps, steps - locks->steps);
	locks->steps = steps;
}

static void count_lock(void *data, struct lockdep_map *lock,
		       unsigned int subclass, int trylock, int read, int check,
		       struct lockdep_map *next_lock, unsigned long ip)
{
	struct mock_locks *locks = data;

	if (lock == &locks->dev->lru_lock.dep_map) {
		locks->lru++;
		note_steps(locks);
	}
	if (lock == &locks->dev->lru.reclaim_lock.dep_map)
		locks->reclaim++;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct mock_locks *locks = data;

	if (!strcmp(tracepoint->name, "lock_acquire"))
		locks->tracepoint = tracepoint;
}

/* Skips the test if locks cannot be counted. */
void mock_locks_start(struct mock_locks *locks, struct mock_device *dev)
{
	*locks = (struct mock_locks){
		.dev = dev,
		.steps = dev->lru.stats.steps,
	};
	for_each_kernel_tracepoint(find_tracepoint, locks);
	if (!locks->tracepoint)
		kunit_skip(dev->test, "the kernel has no tracepoints");

	KUNIT_ASSERT_EQ(dev->test, 0,
			tracepoint_probe_register(locks->tracepoint, count_lock,
						  locks));
}

void mock_locks_stop(struct mock_locks *locks)
{
	tracepoint_probe_unregister(locks->tracepoint, count_lock, locks);
	tracepoint_synchronize_unregister();
	note_steps(locks);
}
#else
void mock_locks_start(struct mock_locks *locks, struct mock_device *dev)
{
	kunit_skip(dev->test, "needs lockdep to count locks");
}

void mock_locks_stop(struct mock_locks *locks)
{
}
#endif
