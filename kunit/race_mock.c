// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers that many threads may use at once, and which know by
 * themselves what must not happen to them.
 */
#include <kunit/resource.h>

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mock.h"
#include "race.h"

/* Complaints that are printed. */
#define MAX_COMPLAINTS 10

/* May be called under spinlocks, where an expectation may not. */
void race_fault(struct race_device *dev, const char *what)
{
	if (atomic_inc_return(&dev->faults) <= MAX_COMPLAINTS)
		pr_err("race: %s\n", what);
}

/*
 * Now and then let others go on, as an interrupt or a preemption might: called where
 * the engine is in the middle of something.
 */
void race_pause(struct race_device *dev)
{
	u32 dice = hash_32(atomic_inc_return(&dev->steps) ^ dev->seed, 32);

	if (dice % 4)
		return;
	dice >>= 2;
	if (dice % 8 == 0 && preemptible() && !rcu_preempt_depth())
		usleep_range(1, 50);
	else
		udelay(dice % 32);
}

static struct race_bo *to_race_bo(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct race_bo, base);
}

/* The engine believes that the fences of all links have signaled. */
static void check_links(struct race_bo *bo, const char *what)
{
	struct race_timeline *timeline = bo->dev->timelines;
	int i;

	for (i = 0; i < RACE_TIMELINES; i++, timeline++)
		if (READ_ONCE(bo->linked[i]) >
		    atomic64_read(&timeline->completed))
			race_fault(bo->dev, what);
}

/* Whether all fences have signaled, of whatever channel. */
static bool is_unused(struct race_bo *bo)
{
	lockdep_assert_held(bo->resv);

	return !race_fences_blocker(bo->fences);
}

static bool is_zombie(struct race_bo *bo)
{
	return bo->base.state >= TTM_FENCE_LRU_BURIED;
}

static void race_bo_destroy(struct kref *kref)
{
	struct race_bo *bo = container_of(kref, struct race_bo, kref);
	struct race_device *dev = bo->dev;

	if (bo->memory)
		race_fault(dev, "destroyed before its memory was released");
	if (is_zombie(bo) && !bo->base.cleaned)
		race_fault(dev, "destroyed, but not known to hold no memory");
	if (is_zombie(bo) && bo->base.state != TTM_FENCE_LRU_EMPTY)
		race_fault(dev, "destroyed while on a list");
	if (bo->base.nr_links)
		race_fault(dev, "destroyed while on a channel");
	if (!list_empty(&bo->entry))
		race_fault(dev, "destroyed while on the LRU");
	atomic_dec(&dev->live);
	ttm_fence_lru_bo_fini(&bo->base);
	race_fences_put(bo->fences);
	kfree(bo);
}

/* Release the memory, if that has not been done. */
static void release_memory(struct race_bo *bo)
{
	bool memory;

	lockdep_assert_held(bo->resv);

	spin_lock(&bo->dev->lru_lock);
	memory = bo->memory;
	bo->memory = false;
	list_del_init(&bo->entry);
	spin_unlock(&bo->dev->lru_lock);
	if (memory)
		atomic_dec(&bo->dev->memory);
}

/* It is on no channel: destroy it at once, unless somebody holds its reservation. */
static bool destroy_at_once(struct race_bo *bo)
{
	bool unused;

	if (READ_ONCE(bo->base.nr_links))
		race_fault(bo->dev, "not buried, but on a channel");
	check_links(bo, "not buried before a fence has signaled");
	if (bo->import || !mutex_trylock(bo->resv))
		return false;

	unused = is_unused(bo);
	if (unused)
		release_memory(bo);
	mutex_unlock(bo->resv);
	if (unused)
		race_bo_destroy(&bo->kref);
	return unused;
}

static void race_bo_die(struct race_bo *bo)
{
	struct ttm_fence_lru *lru = &bo->dev->lru;
	unsigned int type = 1 + bo->import;

	if (bo->group)
		race_group_leave(bo);
	if (ttm_fence_lru_is_linked(lru, &bo->base) &&
	    ttm_fence_lru_bury(lru, &bo->base, type, RACE_BO_BYTES))
		return;
	if (!destroy_at_once(bo))
		ttm_fence_lru_keep(lru, &bo->base, type, RACE_BO_BYTES, NULL);
}

static void race_bo_release(struct kref *kref)
{
	struct race_bo *bo = container_of(kref, struct race_bo, kref);

	if (!is_zombie(bo)) {
		race_bo_die(bo);
	} else if (bo->import) {
		kref_init(&bo->kref);
		ttm_fence_lru_defer_destroy(&bo->dev->lru, &bo->base);
	} else {
		race_bo_destroy(kref);
	}
}

void race_bo_put(struct race_bo *bo)
{
	kref_put(&bo->kref, race_bo_release);
}

static void race_busy(struct ttm_fence_lru_bo *base)
{
	struct race_bo *bo = to_race_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	if (base->state != TTM_FENCE_LRU_ALIVE)
		race_fault(bo->dev, "busy when dead");
	if (list_empty(&bo->entry))
		race_fault(bo->dev, "busy, but not on the LRU");
	race_pause(bo->dev);
	list_del_init(&bo->entry);
}

static void race_idle(struct ttm_fence_lru_bo *base)
{
	struct race_bo *bo = to_race_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	if (base->nr_links)
		race_fault(bo->dev, "idle, but on a channel");
	if (base->state != TTM_FENCE_LRU_ALIVE &&
	    base->state != TTM_FENCE_LRU_LEFTOVER)
		race_fault(bo->dev, "idle in a state of another's concern");
	if (base->state == TTM_FENCE_LRU_ALIVE && !list_empty(&bo->entry))
		race_fault(bo->dev, "idle when on the LRU already");
	check_links(bo, "idle before a fence has signaled");
	atomic_inc(&bo->dev->idled);
	race_pause(bo->dev);
	if (bo->memory)
		list_move_tail(&bo->entry, &bo->dev->idle);
}

static void race_resurrect(struct ttm_fence_lru_bo *base)
{
	struct race_bo *bo = to_race_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	if (kref_read(&bo->kref))
		race_fault(bo->dev, "a second reference of a zombie");
	race_pause(bo->dev);
	kref_init(&bo->kref);
}

static void race_put(struct ttm_fence_lru_bo *base,
		     enum ttm_fence_lru_site site)
{
	struct race_bo *bo = to_race_bo(base);

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	race_pause(bo->dev);
	if (site == TTM_FENCE_LRU_AT_DRAIN)
		kref_put(&bo->kref, race_bo_destroy);
	else
		race_bo_put(bo);
}

static void begin_cleanup(struct race_device *dev, struct race_cleanup *cleanup)
{
	spin_lock(&dev->cleanups_lock);
	cleanup->number = ++dev->nr_cleanups;
	list_add_tail(&cleanup->entry, &dev->cleanups);
	spin_unlock(&dev->cleanups_lock);
}

static void end_cleanup(struct race_device *dev, struct race_cleanup *cleanup)
{
	spin_lock(&dev->cleanups_lock);
	list_del(&cleanup->entry);
	spin_unlock(&dev->cleanups_lock);
}

/* When this returns, no attempt is under way that was when it was called. */
void race_settle(struct race_device *dev)
{
	struct race_cleanup *first;
	u64 number;

	spin_lock(&dev->cleanups_lock);
	number = dev->nr_cleanups;
	spin_unlock(&dev->cleanups_lock);

	ttm_fence_lru_settle(&dev->lru, false);

	spin_lock(&dev->cleanups_lock);
	first = list_first_entry_or_null(&dev->cleanups, struct race_cleanup,
					 entry);
	if (first && first->number <= number)
		race_fault(dev, "settled while another releases memory");
	spin_unlock(&dev->cleanups_lock);
}

static enum ttm_fence_lru_verdict try_cleanup(struct race_bo *bo,
					      enum ttm_fence_lru_site site,
					      struct dma_fence **blocker)
{
	enum ttm_fence_lru_verdict verdict = TTM_FENCE_LRU_CLEANED;
	struct dma_fence *fence;

	if (bo->import && site != TTM_FENCE_LRU_AT_DRAIN)
		return TTM_FENCE_LRU_REFUSED;
	if (!mutex_trylock(bo->resv))
		return TTM_FENCE_LRU_LOCKED;

	fence = race_fences_blocker(bo->fences);
	if (!fence) {
		release_memory(bo);
	} else {
		verdict = TTM_FENCE_LRU_BLOCKED;
		/* Not every owner can tell. */
		if (fence->seqno % 8)
			*blocker = dma_fence_get(fence);
	}
	mutex_unlock(bo->resv);
	return verdict;
}

static enum ttm_fence_lru_verdict race_cleanup(struct ttm_fence_lru_bo *base,
					       enum ttm_fence_lru_site site,
					       struct dma_fence **blocker)
{
	struct race_bo *bo = to_race_bo(base);
	enum ttm_fence_lru_verdict verdict;
	struct race_cleanup cleanup;

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	/* A walk may have been here, but nobody puts it on a list. */
	if (READ_ONCE(base->state) != TTM_FENCE_LRU_TAKEN &&
	    READ_ONCE(base->state) != TTM_FENCE_LRU_EMPTY)
		race_fault(bo->dev, "cleaned up by one who has not taken it");
	if (READ_ONCE(base->nr_links))
		race_fault(bo->dev, "cleaned up while on a channel");
	check_links(bo, "cleaned up before a fence has signaled");

	begin_cleanup(bo->dev, &cleanup);
	race_pause(bo->dev);
	verdict = try_cleanup(bo, site, blocker);
	race_pause(bo->dev);
	end_cleanup(bo->dev, &cleanup);
	return verdict;
}

static const struct ttm_fence_lru_ops race_ops = {
	.busy = race_busy,
	.idle = race_idle,
	.resurrect = race_resurrect,
	.put = race_put,
	.cleanup = race_cleanup,
	.group_busy = race_group_moves,
	.group_idle = race_group_moves,
};

/* The first zombie on the LRU, with a reference. */
static struct race_bo *find_zombie(struct race_device *dev)
{
	struct race_bo *bo, *found = NULL;

	spin_lock(&dev->lru_lock);
	list_for_each_entry(bo, &dev->idle, entry) {
		if (is_zombie(bo) && kref_get_unless_zero(&bo->kref)) {
			found = bo;
			break;
		}
	}
	spin_unlock(&dev->lru_lock);
	return found;
}

/* As an eviction: take what is first on the LRU and dead, and release its memory. */
void race_evict(struct race_device *dev)
{
	struct race_bo *bo = find_zombie(dev);
	bool listed = false;

	if (!bo)
		return;

	race_pause(dev);
	mutex_lock(bo->resv);
	if (bo->memory && is_unused(bo)) {
		release_memory(bo);
		race_pause(dev);
		listed = ttm_fence_lru_cleaned(&dev->lru, &bo->base);
		atomic_inc(&dev->evicted);
		if (!listed)
			atomic_inc(&dev->robbed);
	}
	mutex_unlock(bo->resv);
	race_pause(dev);
	if (listed)
		race_bo_put(bo);
	race_bo_put(bo);
}

/* A buffer with one reference, at the tail of the LRU. Some are imports. */
struct race_bo *race_bo_create(struct race_device *dev)
{
	struct race_bo *bo = kzalloc_obj(*bo, GFP_KERNEL | __GFP_NOFAIL);
	unsigned int number = atomic_inc_return(&dev->created);

	ttm_fence_lru_bo_init(&bo->base);
	bo->dev = dev;
	bo->resv = &dev->groups[number % RACE_RESVS].resv;
	bo->import = number % 8 == 0;
	bo->memory = true;
	kref_init(&bo->kref);
	atomic_inc(&dev->live);
	atomic_inc(&dev->memory);

	spin_lock(&dev->lru_lock);
	list_add_tail(&bo->entry, &dev->idle);
	spin_unlock(&dev->lru_lock);
	return bo;
}

/*
 * Attach a fence. Where the caller is @emitting it, nothing but a dying channel, or
 * another who took the reserved node, can keep it from making a link.
 */
void race_bo_use(struct race_bo *bo, struct race_timeline *timeline,
		 struct dma_fence *fence, bool emitting)
{
	unsigned int i = timeline - bo->dev->timelines;
	struct ttm_fence_lru_bo *base = &bo->base;
	struct race_device *dev = bo->dev;
	u64 unlinked;

	mutex_lock(bo->resv);
	if (ttm_fence_lru_reserve(base, 1))
		race_fault(dev, "no memory for a link");
	race_fences_add(bo->fences, fence);
	unlinked = READ_ONCE(dev->lru.stats.unlinked);
	ttm_fence_lru_attach(&dev->lru, fence, &base, 1);
	if (emitting && timeline->channel && !READ_ONCE(timeline->dying) &&
	    unlinked == READ_ONCE(dev->lru.stats.unlinked))
		WRITE_ONCE(bo->linked[i], fence->seqno);
	mutex_unlock(bo->resv);
}

struct race_bo *race_slot_get(struct race_device *dev, unsigned int i)
{
	struct race_bo *bo;

	spin_lock(&dev->slots_lock);
	bo = dev->slots[i];
	kref_get(&bo->kref);
	spin_unlock(&dev->slots_lock);
	return bo;
}

struct race_bo *race_slot_swap(struct race_device *dev, unsigned int i,
			       struct race_bo *bo)
{
	spin_lock(&dev->slots_lock);
	swap(dev->slots[i], bo);
	spin_unlock(&dev->slots_lock);
	return bo;
}

/* Everything signals, and nobody uses the shared buffers any more. */
void race_device_empty(struct race_device *dev)
{
	int i;

	for (i = 0; i < dev->nr_slots; i++)
		if (dev->slots[i])
			race_bo_put(race_slot_swap(dev, i, NULL));
	for (i = 0; i < RACE_TIMELINES; i++)
		race_complete(&dev->timelines[i], U32_MAX);
}

static void race_device_fini(void *data)
{
	struct race_device *dev = data;
	int i;

	race_device_empty(dev);
	for (i = 0; i < RACE_RESVS; i++) {
		ttm_fence_lru_group_fini(&dev->lru, &dev->groups[i].base);
		race_fences_put(dev->groups[i].fences);
	}
	for (i = 0; i < RACE_TIMELINES; i++) {
		race_unregister_channel(&dev->timelines[i]);
		dma_fence_put(dev->timelines[i].recent);
	}
	ttm_fence_lru_drain(&dev->lru);
	ttm_fence_lru_fini(&dev->lru);
}

struct race_device *race_device_create(struct kunit *test,
				       unsigned int nr_channels,
				       unsigned int nr_slots)
{
	struct race_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->seed = mock_seed(test);
	dev->nr_channels = nr_channels;
	dev->nr_slots = nr_slots;
	spin_lock_init(&dev->lru_lock);
	spin_lock_init(&dev->slots_lock);
	spin_lock_init(&dev->cleanups_lock);
	INIT_LIST_HEAD(&dev->cleanups);
	INIT_LIST_HEAD(&dev->idle);
	for (i = 0; i < RACE_RESVS; i++)
		race_group_init(dev, i);
	KUNIT_ASSERT_EQ(test, 0,
			ttm_fence_lru_init(&dev->lru, &dev->lru_lock,
					   &race_ops));
	for (i = 0; i < RACE_TIMELINES; i++)
		race_init_timeline(dev, i);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, race_device_fini, dev));
	return dev;
}
