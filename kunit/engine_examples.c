// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The examples of the documentation: it includes what stands between the markers.
 */
#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/slab.h>

#include <drm/ttm_fence_lru.h>

#define VRAM 1
#define MAX_CHANNELS 4
#define MAX_JOBS 8

/* example: objects */
struct gpu {
	struct ttm_fence_lru lru;
	spinlock_t lru_lock; /* of the list of idle buffers */
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
	spinlock_t fence_lock; /* of all fences */
	struct dma_fence *jobs[MAX_JOBS]; /* with a reference each */
	unsigned int nr_jobs;
	u64 completed; /* by the hardware, which one can read */
	bool hung;
};

/* end of objects */

static struct buffer *to_buffer(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct buffer, base);
}

static void give_memory_back(struct buffer *bo)
{
	bo->gpu->free++;
	spin_lock(&bo->gpu->lru_lock);
	list_del_init(&bo->entry);
	spin_unlock(&bo->gpu->lru_lock);
}

static void destroy(struct buffer *bo)
{
	ttm_fence_lru_bo_fini(&bo->base);
	dma_resv_fini(&bo->resv);
	kfree(bo);
}

/* example: put */
static void buffer_last_put(struct kref *kref)
{
	struct buffer *bo = container_of(kref, struct buffer, kref);

	if (bo->base.dead) {
		destroy(bo);
		return;
	}

	/* The engine gets a reference, and decides when that is the last one. */
	kref_init(&bo->kref);
	ttm_fence_lru_release(&bo->gpu->lru, &bo->base, VRAM, PAGE_SIZE);
}

static void buffer_put(struct buffer *bo)
{
	kref_put(&bo->kref, buffer_last_put);
}

/* end of put */

/* example: ops */
static void op_busy(struct ttm_fence_lru_bo *base)
{
	list_del_init(&to_buffer(base)->entry);
}

static void op_idle(struct ttm_fence_lru_bo *base)
{
	struct buffer *bo = to_buffer(base);

	if (!base->cleaned)
		list_move_tail(&bo->entry, &bo->gpu->idle);
}

static void op_get(struct ttm_fence_lru_bo *base)
{
	kref_get(&to_buffer(base)->kref);
}

static void op_put(struct ttm_fence_lru_bo *base, enum ttm_fence_lru_site site)
{
	buffer_put(to_buffer(base));
}

static bool op_cleanup(struct ttm_fence_lru_bo *base,
		       enum ttm_fence_lru_site site)
{
	struct buffer *bo = to_buffer(base);
	bool idle;

	if (!dma_resv_trylock(&bo->resv))
		return false;

	/* The engine's lists are an index: this has the last word. */
	idle = dma_resv_test_signaled(&bo->resv, DMA_RESV_USAGE_BOOKKEEP);
	if (idle && !base->cleaned)
		give_memory_back(bo);
	dma_resv_unlock(&bo->resv);
	return idle;
}

static const struct ttm_fence_lru_ops ops = {
	.busy = op_busy,
	.idle = op_idle,
	.get = op_get,
	.put = op_put,
	.cleanup = op_cleanup,
};

/* end of ops */

static const char *fence_name(struct dma_fence *fence)
{
	return "example";
}

/* All fences of a channel share its lock, so they lead to it. */
static struct channel *fence_channel(struct dma_fence *fence)
{
	return container_of(fence->lock, struct channel, fence_lock);
}

static bool fence_signaled(struct dma_fence *fence)
{
	return fence_channel(fence)->completed >= fence->seqno;
}

/* Whoever waits makes this hardware complete its jobs, unless it hangs. */
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
	struct dma_fence *fence;

	if (channel->nr_jobs == MAX_JOBS)
		return NULL;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return NULL;

	channel->jobs[channel->nr_jobs++] = fence;
	dma_fence_init(fence, &fence_ops, &channel->fence_lock,
		       channel->base.context, channel->nr_jobs);
	return fence;
}

/* example: channel */
static int channel_open(struct gpu *gpu, struct channel *channel)
{
	channel->gpu = gpu;
	mutex_init(&channel->emit_lock);
	spin_lock_init(&channel->fence_lock);
	return ttm_fence_lru_channel_register(&gpu->lru, &channel->base,
					      dma_fence_context_alloc(1));
}

/* end of channel */

/* example: submit */
static int reserve(struct channel *channel, struct buffer *bo)
{
	int ret;

	ret = dma_resv_reserve_fences(&bo->resv, 1);
	if (!ret)
		ret = ttm_fence_lru_reserve_on(&bo->base, &channel->base);
	if (!ret)
		ret = ttm_fence_lru_channel_reserve(&channel->base);
	return ret;
}

static int submit(struct channel *channel, struct buffer *bo)
{
	struct dma_fence *fence;
	int ret;

	mutex_lock(&channel->emit_lock);
	dma_resv_lock(&bo->resv, NULL);

	/* All that can fail comes before the fence is public. */
	ret = reserve(channel, bo);
	if (ret)
		goto unlock;
	fence = emit(channel);
	if (!fence) {
		ret = -ENOMEM;
		goto unlock;
	}

	dma_resv_add_fence(&bo->resv, fence, DMA_RESV_USAGE_WRITE);
	ttm_fence_lru_attach(&channel->gpu->lru, &bo->base, fence);
unlock:
	dma_resv_unlock(&bo->resv);
	mutex_unlock(&channel->emit_lock);
	return ret;
}

/* end of submit */

static int take_memory(struct gpu *gpu)
{
	if (!gpu->free)
		return -ENOSPC;

	gpu->free--;
	return 0;
}

/* example: reclaim */
static int reclaim(struct gpu *gpu)
{
	struct ttm_fence_lru_pass pass = { .budget = 8 };
	bool complete;
	int ret;

	/* Step by step: who wants little does not pay for all. */
	do {
		complete = ttm_fence_lru_reclaim(&gpu->lru, &pass);
		ret = take_memory(gpu);
	} while (ret == -ENOSPC && !complete);

	return ret;
}

/* end of reclaim */

/* example: wait */
static long wait_for_zombies(struct gpu *gpu, u64 last_seq)
{
	struct ttm_fence_lru_due due = { .type = VRAM, .last_seq = last_seq };
	struct dma_fence *fences[MAX_CHANNELS];
	long ret = -ENOENT;
	unsigned int count;

	count = ttm_fence_lru_frontiers(&gpu->lru, &due, fences, MAX_CHANNELS);
	/* For any of them: one may be that of a hung channel. */
	if (count)
		ret = dma_fence_wait_any_timeout(fences, count, true, HZ / 10,
						 NULL);
	while (count)
		dma_fence_put(fences[--count]);

	if (!ret)
		ttm_fence_lru_stall(&gpu->lru, last_seq);
	return ret;
}

static int allocate(struct gpu *gpu)
{
	u64 last_seq = ttm_fence_lru_emitted(&gpu->lru);
	long waited;
	int ret;

	ret = take_memory(gpu);
	if (ret != -ENOSPC)
		return ret;

	do {
		ret = reclaim(gpu);
		if (ret != -ENOSPC)
			return ret;
		/* Here the oldest buffer of gpu->idle could be evicted. */
		waited = wait_for_zombies(gpu, last_seq);
	} while (waited > 0);

	/* What others have collected is on no list. */
	ttm_fence_lru_settle(&gpu->lru);
	return reclaim(gpu);
}

/* end of wait */

/* example: kill */
static void channel_kill(struct channel *channel)
{
	unsigned int i;

	/* First of all stop the hardware: nothing may access memory any more. */
	channel->hung = true;
	ttm_fence_lru_channel_kill(&channel->base);

	for (i = 0; i < channel->nr_jobs; i++) {
		if (dma_fence_is_signaled(channel->jobs[i]))
			continue;
		dma_fence_set_error(channel->jobs[i], -ECANCELED);
		dma_fence_signal(channel->jobs[i]);
	}
}

static void channel_close(struct channel *channel)
{
	channel_kill(channel);
	ttm_fence_lru_channel_unregister(&channel->base);
	while (channel->nr_jobs)
		dma_fence_put(channel->jobs[--channel->nr_jobs]);
}

/* end of kill */

static struct buffer *buffer_create(struct kunit *test)
{
	struct gpu *gpu = test->priv;
	struct buffer *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bo);
	KUNIT_EXPECT_EQ(test, 0, allocate(gpu));
	ttm_fence_lru_bo_init(&bo->base);
	kref_init(&bo->kref);
	dma_resv_init(&bo->resv);
	bo->gpu = gpu;

	spin_lock(&gpu->lru_lock);
	list_add_tail(&bo->entry, &gpu->idle);
	spin_unlock(&gpu->lru_lock);
	return bo;
}

static struct channel *channel_create(struct kunit *test)
{
	struct channel *channel =
		kunit_kzalloc(test, sizeof(*channel), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, channel);
	KUNIT_ASSERT_EQ(test, 0, channel_open(test->priv, channel));
	return channel;
}

static void expect(struct kunit *test, unsigned int free, unsigned int idle)
{
	struct gpu *gpu = test->priv;

	KUNIT_EXPECT_EQ(test, free, gpu->free);
	KUNIT_EXPECT_EQ(test, idle, list_count_nodes(&gpu->idle));
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(&gpu->lru, NULL));
}

static void the_last_put_releases_or_defers(struct kunit *test)
{
	struct gpu *gpu = test->priv;
	struct channel *channel = channel_create(test);
	struct buffer *idle = buffer_create(test);
	struct buffer *busy = buffer_create(test);

	KUNIT_EXPECT_EQ(test, 0, submit(channel, busy));
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_bo_is_busy(&busy->base));
	expect(test, 0, 1);
	buffer_put(idle);
	expect(test, 1, 0);
	buffer_put(busy);
	expect(test, 1, 0);
	KUNIT_EXPECT_EQ(test, 1, gpu->lru.stats.zombies);
	channel_close(channel);
	expect(test, 2, 0);
}

static void an_allocation_reclaims(struct kunit *test)
{
	struct channel *channel = channel_create(test);
	struct buffer *alive = buffer_create(test);
	struct buffer *dead = buffer_create(test), *bo;

	KUNIT_EXPECT_EQ(test, 0, submit(channel, alive));
	KUNIT_EXPECT_EQ(test, 0, submit(channel, dead));
	buffer_put(dead);
	channel->completed = 2;
	expect(test, 0, 0);

	bo = buffer_create(test);
	expect(test, 0, 2);
	buffer_put(bo);
	buffer_put(alive);
	channel_close(channel);
}

/* One channel hangs; the other completes when it is waited for. */
static void an_allocation_waits(struct kunit *test)
{
	struct channel *hung = channel_create(test);
	struct channel *healthy = channel_create(test);
	struct buffer *stuck = buffer_create(test);
	struct buffer *dead = buffer_create(test), *bo;

	hung->hung = true;
	KUNIT_EXPECT_EQ(test, 0, submit(hung, stuck));
	KUNIT_EXPECT_EQ(test, 0, submit(healthy, dead));
	buffer_put(stuck);
	buffer_put(dead);
	expect(test, 0, 0);

	bo = buffer_create(test);
	expect(test, 0, 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC, allocate(test->priv));
	buffer_put(bo);
	channel_close(hung);
	channel_close(healthy);
	expect(test, 2, 0);
}

static void a_killed_channel_gives_its_memory_back(struct kunit *test)
{
	struct channel *channel = channel_create(test);
	struct buffer *dead = buffer_create(test), *bo, *other;

	channel->hung = true;
	KUNIT_EXPECT_EQ(test, 0, submit(channel, dead));
	buffer_put(dead);
	expect(test, 1, 0);

	channel_kill(channel);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			dma_fence_get_status(channel->jobs[0]));
	bo = buffer_create(test);
	other = buffer_create(test);
	KUNIT_EXPECT_EQ(test, 0, submit(channel, bo));
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_bo_is_busy(&bo->base));
	channel_close(channel);
	buffer_put(bo);
	buffer_put(other);
	expect(test, 2, 0);
}

/* A device with room for two buffers. */
static int gpu_init(struct kunit *test)
{
	struct gpu *gpu = kunit_kzalloc(test, sizeof(*gpu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, gpu);
	spin_lock_init(&gpu->lru_lock);
	INIT_LIST_HEAD(&gpu->idle);
	gpu->free = 2;
	test->priv = gpu;
	return ttm_fence_lru_init(&gpu->lru, &gpu->lru_lock, &ops);
}

static void gpu_exit(struct kunit *test)
{
	struct gpu *gpu = test->priv;

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&gpu->lru));
	KUNIT_EXPECT_EQ(test, 2, gpu->free);
	ttm_fence_lru_fini(&gpu->lru);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_last_put_releases_or_defers),
	KUNIT_CASE(an_allocation_reclaims),
	KUNIT_CASE(an_allocation_waits),
	KUNIT_CASE(a_killed_channel_gives_its_memory_back),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_examples",
	.init = gpu_init,
	.exit = gpu_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
