/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_EXAMPLE_GPU_H_
#define _TTM_FENCE_LRU_EXAMPLE_GPU_H_

/*
 * The GPU of the examples, which is none: memory is a number, and so is what the hardware
 * has completed.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/ttm_fence_lru.h>

#define MAX_JOBS 8

/* example: objects */
struct gpu {
	struct ttm_fence_lru lru;
	spinlock_t lru_lock; /* of what follows */
	struct list_head idle;
	unsigned int free; /* in buffers, which are all of one size */
};

struct buffer {
	struct ttm_fence_lru_bo base;
	struct kref kref;
	struct gpu *gpu;
	struct dma_resv resv;
	struct list_head entry; /* in &gpu.idle */
};

struct channel {
	struct ttm_fence_lru_channel base;
	struct gpu *gpu;
	struct mutex emit_lock; /* from reserving to attaching */
	struct dma_fence *jobs[MAX_JOBS]; /* with a reference each */
	unsigned int nr_jobs;
	u64 completed; /* by the hardware, which one can read */
	bool hung;
	struct rcu_head rcu;
};

/* end of objects */

static struct buffer *to_buffer(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct buffer, base);
}

static void give_memory_back(struct buffer *bo)
{
	spin_lock(&bo->gpu->lru_lock);
	bo->gpu->free++;
	list_del_init(&bo->entry);
	spin_unlock(&bo->gpu->lru_lock);
}

static int take_memory(struct gpu *gpu)
{
	int ret = -ENOSPC;

	spin_lock(&gpu->lru_lock);
	if (gpu->free) {
		gpu->free--;
		ret = 0;
	}
	spin_unlock(&gpu->lru_lock);
	return ret;
}

/*
 * The fence of a job has a lock of its own: it may outlive its channel, by when it has
 * signaled. It comes first, as dma_fence_free() frees it.
 */
struct job {
	struct dma_fence base;
	spinlock_t lock; /* of the fence */
	struct channel *channel;
};

static const char *fence_name(struct dma_fence *fence)
{
	return "example";
}

static struct channel *fence_channel(struct dma_fence *fence)
{
	return container_of(fence, struct job, base)->channel;
}

static bool fence_signaled(struct dma_fence *fence)
{
	return fence_channel(fence)->completed >= fence->seqno;
}

/* A task that waits makes this hardware complete its jobs, unless it hangs. */
static bool fence_enable_signaling(struct dma_fence *fence)
{
	if (!fence_channel(fence)->hung)
		fence_channel(fence)->completed = fence->seqno;
	return !fence_signaled(fence);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable_signaling,
	.signaled = fence_signaled,
};

static struct dma_fence *emit(struct channel *channel)
{
	struct job *job;

	if (channel->nr_jobs == MAX_JOBS)
		return NULL;

	job = kzalloc_obj(*job);
	if (!job)
		return NULL;

	job->channel = channel;
	spin_lock_init(&job->lock);
	channel->jobs[channel->nr_jobs++] = &job->base;
	dma_fence_init(&job->base, &fence_ops, &job->lock,
		       channel->base.context, channel->nr_jobs);
	return &job->base;
}

#endif
