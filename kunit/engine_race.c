// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Races: several threads at once do what Documentation/locking.rst says they may.
 *
 * A round lets every thread do its share, and all go on until the last has done so.
 * Then everything stands still and is checked. What the threads do is in race_acts.c,
 * what the buffers notice by themselves in race_mock.c.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include <drm/drm_print.h>

#include "mock.h"
#include "race.h"

#define MAX_THREADS 8
/* What each thread does in a round, at least. */
#define STEPS 100

static uint param_rounds = 1;
module_param_named(rounds, param_rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "How often each race is run");

/**
 * struct race - one round
 * @dev: what the threads share
 * @unfinished: threads that have not done their share
 * @running: threads that have not ended
 * @ended: all have
 */
struct race {
	struct race_device *dev;
	atomic_t unfinished;
	atomic_t running;
	struct completion ended;
};

static int run(void *data)
{
	struct racer *racer = data;
	struct race *race = racer->race;
	int steps = STEPS;

	while (atomic_read(&race->unfinished)) {
		int before = steps;

		steps = max(0, steps - (int)racer->act(racer));
		if (before && !steps)
			atomic_dec(&race->unfinished);
		race_pause(racer->dev);
		cond_resched();
	}
	if (atomic_dec_and_test(&race->running))
		complete(&race->ended);
	return 0;
}

/* One round: all at once, until each has done its share. */
static void run_round(struct kunit *test, struct race_device *dev,
		      const act_fn *acts, unsigned int count, u32 seed)
{
	struct task_struct *tasks[MAX_THREADS];
	struct racer racers[MAX_THREADS] = {};
	struct race race = { .dev = dev };
	int i;

	init_completion(&race.ended);
	atomic_set(&race.unfinished, count);
	atomic_set(&race.running, count);
	for (i = 0; i < count; i++) {
		racers[i].race = &race;
		racers[i].dev = dev;
		racers[i].act = acts[i];
		prandom_seed_state(&racers[i].rnd, seed + i);
		tasks[i] = kthread_create(run, &racers[i], "race/%d", i);
		if (IS_ERR(tasks[i]))
			break;
	}
	if (i < count) {
		while (i--)
			kthread_stop(tasks[i]);
		KUNIT_FAIL_AND_ABORT(test, "no memory for a thread");
	}
	for (i = 0; i < count; i++)
		wake_up_process(tasks[i]);
	wait_for_completion(&race.ended);
}

/* Nothing is under way: all is as it must be, and nothing was lost. */
static void check_at_rest(struct kunit *test, struct race_device *dev,
			  int expected)
{
	struct drm_printer p = drm_info_printer(NULL);

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(&dev->lru, &p));
	KUNIT_EXPECT_EQ(test, expected, atomic_read(&dev->live));
	KUNIT_EXPECT_EQ(test, expected, atomic_read(&dev->memory));
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.bytes);
	KUNIT_EXPECT_TRUE(test, list_empty(&dev->lru.releases));
	KUNIT_EXPECT_TRUE(test, list_empty(&dev->lru.trims));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&dev->faults));
}

static void race(struct kunit *test, unsigned int nr_channels,
		 unsigned int nr_slots, const act_fn *acts, unsigned int count)
{
	struct race_device *dev =
		race_device_create(test, nr_channels, nr_slots);
	struct drm_printer p = drm_info_printer(NULL);
	unsigned int round;
	int i;

	for (i = 0; i < nr_slots; i++)
		dev->slots[i] = race_bo_create(dev);

	for (round = 0; round < param_rounds; round++) {
		run_round(test, dev, acts, count, dev->seed + round * 100);
		/* First with all that is still busy. */
		KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(&dev->lru, &p));
		for (i = 0; i < RACE_TIMELINES; i++)
			race_complete(&dev->timelines[i], U32_MAX);
		check_at_rest(test, dev, nr_slots);
		if (test->status == KUNIT_FAILURE)
			break;
	}
	race_device_empty(dev);
	check_at_rest(test, dev, 0);
	kunit_info(test, "%u rounds, %d buffers, %llu zombies", round,
		   atomic_read(&dev->created), dev->lru.stats.deferred);
	kunit_info(test, "%d times idle, %d evicted, %d when taken",
		   atomic_read(&dev->idled), atomic_read(&dev->evicted),
		   atomic_read(&dev->robbed));
}

/* Threads, each named by what it does again and again. */
#define RACE(_test, _channels, _slots, ...)                             \
	do {                                                            \
		static const act_fn acts[] = { __VA_ARGS__ };           \
		static_assert(ARRAY_SIZE(acts) <= MAX_THREADS);         \
		race(_test, _channels, _slots, acts, ARRAY_SIZE(acts)); \
	} while (0)

static void a_bury_of_one_link_races_with_retire(struct kunit *test)
{
	RACE(test, 1, 1, act_use_once_and_drop, act_use_once_and_drop,
	     act_retire, act_signal);
}

static void a_bury_of_several_links_races_with_retire(struct kunit *test)
{
	RACE(test, 3, 1, act_use_and_drop, act_use_and_drop, act_retire,
	     act_signal);
}

static void a_bury_of_shared_buffers_races_with_reclaim(struct kunit *test)
{
	RACE(test, 2, 2, act_submit, act_replace, act_signal, act_reclaim);
}

static void attach_races_with_retire_on_another_channel(struct kunit *test)
{
	RACE(test, 3, 1, act_submit, act_submit, act_signal, act_retire);
}

static void attach_races_with_retire_on_the_same_channel(struct kunit *test)
{
	RACE(test, 1, 2, act_submit, act_signal, act_retire);
}

static void a_retire_serves_those_that_came_before_it(struct kunit *test)
{
	RACE(test, 3, 1, act_retire_own, act_retire_own, act_retire_own,
	     act_submit);
}

static void reclaim_races_with_reclaim_and_drain(struct kunit *test)
{
	RACE(test, 3, 1, act_use_and_drop, act_signal, act_reclaim, act_reclaim,
	     act_drain);
}

static void attach_races_with_kill_and_unregister(struct kunit *test)
{
	RACE(test, 2, 2, act_submit, act_copy_fence, act_copy_fence,
	     act_rebirth);
}

static void a_bury_races_with_unregister(struct kunit *test)
{
	RACE(test, 2, 1, act_use_once_and_drop, act_use_and_drop,
	     act_use_and_drop, act_rebirth);
}

static void reclaim_races_with_unregister(struct kunit *test)
{
	RACE(test, 3, 1, act_use_and_drop, act_submit, act_reclaim, act_rebirth,
	     act_rebirth);
}

static void reclaim_races_with_who_holds_the_reservation(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_signal, act_hold_a_reservation,
	     act_reclaim, act_limit_and_trim);
}

static void an_eviction_races_with_who_has_taken_the_zombie(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_use_elsewhere_and_drop,
	     act_evict, act_evict, act_reclaim);
}

static void an_eviction_races_with_the_test_of_blockers(struct kunit *test)
{
	RACE(test, 2, 1, act_use_elsewhere_and_drop, act_use_elsewhere_and_drop,
	     act_evict, act_evict, act_limit_and_trim, act_shrink_and_refresh);
}

static void a_task_that_settles_waits_for_those_that_release(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_use_elsewhere_and_drop,
	     act_signal, act_reclaim_and_settle, act_reclaim_and_settle,
	     act_reclaim, act_drain);
}

static void imports_are_drained_while_others_hold_them(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_use_elsewhere_and_drop,
	     act_evict, act_limit_and_trim, act_drain);
}

static void two_reclaims_race_for_one_leftover(struct kunit *test)
{
	RACE(test, 1, 1, act_use_elsewhere_and_drop, act_reclaim, act_reclaim);
}

static void waiters_race_with_retire(struct kunit *test)
{
	RACE(test, 3, 2, act_submit, act_use_and_drop, act_signal, act_reclaim,
	     act_look_at_frontiers, act_look_at_frontiers);
}

static void ages_are_read_while_all_goes_on(struct kunit *test)
{
	RACE(test, 3, 2, act_submit, act_use_and_drop, act_signal, act_retire,
	     act_look_at_zombies, act_look_what_is_due, act_touch, act_rebirth);
}

static void counters_are_read_without_locks(struct kunit *test)
{
	RACE(test, 2, 2, act_submit, act_replace, act_signal, act_reclaim,
	     act_read_stats);
}

static void shrinking_races_with_bury_and_reclaim(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_use_elsewhere_and_drop,
	     act_signal, act_shrink_and_refresh, act_shrink_and_refresh,
	     act_reclaim);
}

static void a_sweep_races_with_attach_and_bury(struct kunit *test)
{
	RACE(test, 2, 2, act_submit, act_use_once_and_drop, act_use_and_drop,
	     act_signal, act_limit_and_trim);
}

static void trims_race_with_bury_and_reclaim(struct kunit *test)
{
	RACE(test, 2, 1, act_use_and_drop, act_use_elsewhere_and_drop,
	     act_signal, act_limit_and_trim, act_limit_and_trim, act_reclaim);
}

static void visiting_the_busy_races_with_attach_and_bury(struct kunit *test)
{
	RACE(test, 3, 2, act_submit, act_submit_group, act_replace, act_signal,
	     act_retire, act_visit_busy, act_visit_busy, act_rebirth);
}

static void members_die_while_their_group_is_used(struct kunit *test)
{
	RACE(test, 2, 1, act_submit_group, act_submit_group, act_join_and_drop,
	     act_join_and_drop, act_signal, act_reclaim);
}

static void channels_go_while_groups_are_on_them(struct kunit *test)
{
	RACE(test, 2, 1, act_submit_group, act_join_and_drop, act_reclaim,
	     act_rebirth);
}

static void everything_at_once(struct kunit *test)
{
	RACE(test, 3, 4, act_submit, act_use_and_drop,
	     act_use_elsewhere_and_drop, act_replace, act_signal, act_reclaim,
	     act_evict, act_rebirth);
	RACE(test, 3, 4, act_submit, act_copy_fence, act_replace, act_signal,
	     act_reclaim_and_settle, act_drain, act_look_at_frontiers,
	     act_rebirth);
	RACE(test, 3, 4, act_submit, act_submit_group, act_join_and_drop,
	     act_signal, act_shrink_and_refresh, act_reclaim_and_settle,
	     act_evict, act_rebirth);
	RACE(test, 3, 4, act_submit, act_submit_group, act_use_and_drop,
	     act_retire_own, act_limit_and_trim, act_visit_busy, act_evict,
	     act_rebirth);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_bury_of_one_link_races_with_retire),
	KUNIT_CASE(a_bury_of_several_links_races_with_retire),
	KUNIT_CASE(a_bury_of_shared_buffers_races_with_reclaim),
	KUNIT_CASE(attach_races_with_retire_on_another_channel),
	KUNIT_CASE(attach_races_with_retire_on_the_same_channel),
	KUNIT_CASE(a_retire_serves_those_that_came_before_it),
	KUNIT_CASE(reclaim_races_with_reclaim_and_drain),
	KUNIT_CASE(attach_races_with_kill_and_unregister),
	KUNIT_CASE(a_bury_races_with_unregister),
	KUNIT_CASE(reclaim_races_with_unregister),
	KUNIT_CASE(reclaim_races_with_who_holds_the_reservation),
	KUNIT_CASE(an_eviction_races_with_who_has_taken_the_zombie),
	KUNIT_CASE(an_eviction_races_with_the_test_of_blockers),
	KUNIT_CASE(a_task_that_settles_waits_for_those_that_release),
	KUNIT_CASE(imports_are_drained_while_others_hold_them),
	KUNIT_CASE(two_reclaims_race_for_one_leftover),
	KUNIT_CASE(waiters_race_with_retire),
	KUNIT_CASE(ages_are_read_while_all_goes_on),
	KUNIT_CASE(counters_are_read_without_locks),
	KUNIT_CASE(shrinking_races_with_bury_and_reclaim),
	KUNIT_CASE(a_sweep_races_with_attach_and_bury),
	KUNIT_CASE(trims_race_with_bury_and_reclaim),
	KUNIT_CASE(visiting_the_busy_races_with_attach_and_bury),
	KUNIT_CASE(members_die_while_their_group_is_used),
	KUNIT_CASE(channels_go_while_groups_are_on_them),
	KUNIT_CASE(everything_at_once),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_race",
	.test_cases = cases,
};

kunit_test_suite(suite);
