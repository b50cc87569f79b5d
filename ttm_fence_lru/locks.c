// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The order of the locks, and what callers must not hold, as lockdep is told.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched/mm.h>

#include "internal.h"

#ifdef CONFIG_LOCKDEP
/* Stands for all that a drain may take: reservations, and locks outside of them. */
static struct lockdep_map drain_map = {
	.name = "ttm_fence_lru_drain",
};

/* Outermost first; a fence that is seen signaled is signaled under the mutex. */
static void teach_own_locks(struct ttm_fence_lru *lru)
{
	struct ttm_fence_lru_channel channel;
	bool cookie;

	ttm_fence_lru_channel_init(lru, &channel, 0);

	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&lru->reclaim_lock);
	cookie = dma_fence_begin_signalling();
	spin_lock(&channel.lock);
	spin_lock(lru->lru_lock);
	spin_unlock(lru->lru_lock);
	spin_unlock(&channel.lock);
	dma_fence_end_signalling(cookie);
	mutex_unlock(&lru->reclaim_lock);
	fs_reclaim_release(GFP_KERNEL);
}

static void teach_drain(void)
{
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_map_acquire(&drain_map);
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
	lock_map_release(&drain_map);
	dma_resv_fini(&resv);
}

/* Show lockdep the order of the locks before anybody can get it wrong. */
void ttm_fence_lru_teach_lock_order(struct ttm_fence_lru *lru)
{
	teach_own_locks(lru);
	teach_drain();
}

static void might_take_drain_map(void)
{
	lock_map_acquire(&drain_map);
	lock_map_release(&drain_map);
}
#else
void ttm_fence_lru_teach_lock_order(struct ttm_fence_lru *lru)
{
}

static void might_take_drain_map(void)
{
}
#endif

/*
 * The caller may release buffers: it holds no lock of the engine, and is in no fence's
 * signaling section, even if this time there is nothing to do.
 */
void ttm_fence_lru_might_release(struct ttm_fence_lru *lru)
{
	might_sleep();
	might_lock(&lru->reclaim_lock);
}

/* And it holds no reservation. */
void ttm_fence_lru_might_drain(struct ttm_fence_lru *lru)
{
	ttm_fence_lru_might_release(lru);
	might_take_drain_map();
}
