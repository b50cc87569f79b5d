// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The examples of the documentation: it includes what stands between the markers.
 */
#include <kunit/test.h>

#include "example_gpu.h"

#define VRAM 1
#define MAX_CHANNELS 4
#define MAX_BUFFERS 8
/* How long a channel is waited for that does not go on. */
#define PATIENCE (HZ / 10)

static void destroy(struct buffer *bo)
{
	ttm_fence_lru_bo_fini(&bo->base);
	dma_resv_fini(&bo->resv);
	kfree(bo);
}

/* With a reference; or NULL. */
static struct dma_fence *first_unsignaled(struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		if (!dma_fence_is_signaled(fence))
			return dma_fence_get(fence);
	return NULL;
}

/* example: put */
static enum ttm_fence_lru_verdict clean(struct buffer *bo,
					struct dma_fence **blocker)
{
	if (!dma_resv_trylock(&bo->resv))
		return TTM_FENCE_LRU_LOCKED;

	/* The engine's lists are an index: this has the last word. */
	*blocker = first_unsignaled(&bo->resv);
	if (!*blocker && !bo->base.cleaned)
		give_memory_back(bo);
	dma_resv_unlock(&bo->resv);
	return *blocker ? TTM_FENCE_LRU_BLOCKED : TTM_FENCE_LRU_CLEANED;
}

static void buffer_last_put(struct kref *kref)
{
	struct buffer *bo = container_of(kref, struct buffer, kref);
	struct ttm_fence_lru *lru = &bo->gpu->lru;
	struct dma_fence *blocker = NULL;

	/* A busy buffer is the engine's from here on. */
	if (!bo->base.cleaned &&
	    ttm_fence_lru_bury(lru, &bo->base, VRAM, PAGE_SIZE))
		return;

	/* An idle one is destroyed at once, if nothing else keeps its memory. */
	if (bo->base.cleaned || clean(bo, &blocker) == TTM_FENCE_LRU_CLEANED)
		destroy(bo);
	else
		ttm_fence_lru_keep(lru, &bo->base, VRAM, PAGE_SIZE, blocker);
	dma_fence_put(blocker);
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

	list_move_tail(&bo->entry, &bo->gpu->idle);
}

/* A buffer that was given to the engine has a reference again. */
static void op_resurrect(struct ttm_fence_lru_bo *base)
{
	kref_init(&to_buffer(base)->kref);
}

static void op_put(struct ttm_fence_lru_bo *base, enum ttm_fence_lru_site site)
{
	buffer_put(to_buffer(base));
}

static enum ttm_fence_lru_verdict op_cleanup(struct ttm_fence_lru_bo *base,
					     enum ttm_fence_lru_site site,
					     struct dma_fence **blocker)
{
	return clean(to_buffer(base), blocker);
}

static void op_assert_reserved(struct ttm_fence_lru_bo *base)
{
	dma_resv_assert_held(&to_buffer(base)->resv);
}

static const struct ttm_fence_lru_ops ops = {
	.busy = op_busy,
	.idle = op_idle,
	.resurrect = op_resurrect,
	.put = op_put,
	.cleanup = op_cleanup,
	.assert_reserved = op_assert_reserved,
};

/* end of ops */

/* example: channel */
static struct channel *channel_open(struct gpu *gpu)
{
	struct channel *channel = kzalloc_obj(*channel);
	int ret;

	if (!channel)
		return ERR_PTR(-ENOMEM);

	channel->gpu = gpu;
	mutex_init(&channel->emit_lock);
	ret = ttm_fence_lru_channel_register(&gpu->lru, &channel->base,
					     dma_fence_context_alloc(1));
	if (ret) {
		kfree(channel);
		return ERR_PTR(ret);
	}

	/* Lockdep is to see that fences are made under it. */
	ttm_fence_lru_channel_set_lock(&channel->base, &channel->emit_lock);
	return channel;
}

/* end of channel */

/* example: submit */
static int make_room(struct channel *channel, struct buffer **bos,
		     unsigned int count)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = dma_resv_reserve_fences(&bos[i]->resv, 1);
		if (!ret)
			ret = ttm_fence_lru_reserve_on(&bos[i]->base,
						       &channel->base);
		if (ret)
			return ret;
	}
	return ttm_fence_lru_channel_reserve(&channel->base);
}

/* The caller has locked the reservations of all buffers, as with drm_exec. */
static int submit(struct channel *channel, struct buffer **bos,
		  unsigned int count)
{
	struct ttm_fence_lru_bo *bases[MAX_BUFFERS];
	struct dma_fence *fence;
	unsigned int i;
	int ret;

	mutex_lock(&channel->emit_lock);

	/* All that can fail comes before the fence is public. */
	ret = make_room(channel, bos, count);
	if (ret)
		goto unlock;
	fence = emit(channel);
	if (!fence) {
		ret = -ENOMEM;
		goto unlock;
	}

	for (i = 0; i < count; i++) {
		dma_resv_add_fence(&bos[i]->resv, fence, DMA_RESV_USAGE_WRITE);
		bases[i] = &bos[i]->base;
	}
	ttm_fence_lru_attach(&channel->gpu->lru, fence, bases, count);
unlock:
	mutex_unlock(&channel->emit_lock);
	return ret;
}

/* end of submit */

/* example: reclaim */
static int reclaim(struct gpu *gpu)
{
	struct ttm_fence_lru_need need = { .type = VRAM };
	int ret;

	/* A few at a time: an allocation does not pay for more than it needs. */
	while (ttm_fence_lru_reclaim(&gpu->lru, &need)) {
		ret = take_memory(gpu);
		if (ret != -ENOSPC)
			return ret;
	}

	/* What others were releasing meanwhile is on no list. */
	ret = ttm_fence_lru_settle(&gpu->lru, true);
	return ret < 0 ? ret : take_memory(gpu);
}

/* end of reclaim */

/* example: wait */
static long wait_for_zombies(struct gpu *gpu, u64 last_seq)
{
	struct ttm_fence_lru_due due = {
		.type = VRAM,
		.last_seq = last_seq,
		.patience = PATIENCE,
	};
	struct dma_fence *fences[MAX_CHANNELS];
	unsigned int count;
	long ret;

	count = ttm_fence_lru_frontiers(&gpu->lru, &due, fences, MAX_CHANNELS);
	if (!count)
		return -ENOSPC;

	/* For any of them: one may be that of a hung channel. */
	ret = dma_fence_wait_any_timeout(fences, count, true, PATIENCE, NULL);
	while (count)
		dma_fence_put(fences[--count]);
	return ret;
}

static int allocate(struct gpu *gpu)
{
	u64 last_seq = ttm_fence_lru_emitted(&gpu->lru);
	int ret = take_memory(gpu);
	long waited = 0;

	while (ret == -ENOSPC && waited >= 0) {
		ret = reclaim(gpu);
		/* Here the oldest buffer of gpu->idle could be evicted. */
		if (ret == -ENOSPC)
			waited = wait_for_zombies(gpu, last_seq);
	}
	return waited < 0 ? waited : ret;
}

/* end of wait */

/* example: kill */
static void channel_kill(struct channel *channel)
{
	unsigned int i;

	mutex_lock(&channel->emit_lock);

	/* First of all stop the hardware: nothing may access memory any more. */
	channel->hung = true;
	ttm_fence_lru_channel_kill(&channel->base);

	for (i = 0; i < channel->nr_jobs; i++) {
		if (dma_fence_is_signaled(channel->jobs[i]))
			continue;
		dma_fence_set_error(channel->jobs[i], -ECANCELED);
		dma_fence_signal(channel->jobs[i]);
	}
	mutex_unlock(&channel->emit_lock);
}

static void channel_close(struct channel *channel)
{
	channel_kill(channel);
	ttm_fence_lru_channel_unregister(&channel->base);
	while (channel->nr_jobs)
		dma_fence_put(channel->jobs[--channel->nr_jobs]);

	/* Others may still look at the engine's part of it. */
	kfree_rcu(channel, rcu);
}

/* end of kill */

static struct buffer *buffer_create(struct kunit *test)
{
	struct gpu *gpu = test->priv;
	struct buffer *bo = kzalloc_obj(*bo);

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
	struct channel *channel = channel_open(test->priv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, channel);
	return channel;
}

/* Nobody else locks anything here, and order matters to those only that wait. */
static void use_all(struct kunit *test, struct channel *channel,
		    struct buffer **bos, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		KUNIT_ASSERT_TRUE(test, dma_resv_trylock(&bos[i]->resv));
	KUNIT_EXPECT_EQ(test, 0, submit(channel, bos, count));
	for (i = 0; i < count; i++)
		dma_resv_unlock(&bos[i]->resv);
}

static void use(struct kunit *test, struct channel *channel, struct buffer *bo)
{
	use_all(test, channel, &bo, 1);
}

static void expect(struct kunit *test, unsigned int free, unsigned int idle)
{
	struct gpu *gpu = test->priv;

	KUNIT_EXPECT_EQ(test, free, gpu->free);
	KUNIT_EXPECT_EQ(test, idle, list_count_nodes(&gpu->idle));
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(&gpu->lru, NULL));
}

static void the_last_put_releases_or_buries(struct kunit *test)
{
	struct gpu *gpu = test->priv;
	struct channel *channel = channel_create(test);
	struct buffer *idle = buffer_create(test);
	struct buffer *busy = buffer_create(test);

	use(test, channel, busy);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_bo_is_busy(&busy->base));
	expect(test, 0, 1);
	buffer_put(idle);
	expect(test, 1, 0);
	buffer_put(busy);
	expect(test, 1, 0);
	KUNIT_EXPECT_EQ(test, 1, gpu->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_ripe_bytes(&gpu->lru, VRAM));

	/* Nobody wants the memory, but it is there. */
	channel_close(channel);
	expect(test, 1, 0);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE,
			ttm_fence_lru_ripe_bytes(&gpu->lru, VRAM));
}

/* Somebody looks into the buffer just now. */
static void the_last_put_keeps_what_is_locked(struct kunit *test)
{
	struct gpu *gpu = test->priv;
	struct buffer *bo = buffer_create(test), *other = buffer_create(test);

	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(&bo->resv));
	buffer_put(bo);
	expect(test, 0, 2);
	KUNIT_EXPECT_EQ(test, 1, gpu->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, -ENOSPC, allocate(gpu));

	dma_resv_unlock(&bo->resv);
	buffer_put(buffer_create(test));
	buffer_put(other);
	expect(test, 2, 0);
}

static void an_allocation_reclaims(struct kunit *test)
{
	struct channel *channel = channel_create(test);
	struct buffer *bos[] = { buffer_create(test), buffer_create(test) };
	struct buffer *bo;

	use_all(test, channel, bos, 2);
	use(test, channel, bos[1]);
	buffer_put(bos[1]);
	channel->completed = 2;
	expect(test, 0, 0);

	bo = buffer_create(test);
	expect(test, 0, 2);
	buffer_put(bo);
	buffer_put(bos[0]);
	channel_close(channel);
}

/* One channel hangs; the other completes when it is waited for. */
static void an_allocation_waits(struct kunit *test)
{
	struct channel *hung = channel_create(test);
	struct channel *healthy = channel_create(test);
	struct buffer *stuck = buffer_create(test);
	struct buffer *dead = buffer_create(test), *bo;
	struct gpu *gpu = test->priv;

	hung->hung = true;
	use(test, hung, stuck);
	use(test, healthy, dead);
	buffer_put(stuck);
	buffer_put(dead);
	expect(test, 0, 0);

	bo = buffer_create(test);
	expect(test, 0, 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC, allocate(gpu));

	/* Nobody waits for that channel again before it goes on. */
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			wait_for_zombies(gpu,
					 ttm_fence_lru_emitted(&gpu->lru)));
	buffer_put(bo);
	channel_close(hung);
	channel_close(healthy);
	buffer_put(buffer_create(test));
	expect(test, 1, 0);
}

static void a_killed_channel_gives_its_memory_back(struct kunit *test)
{
	struct channel *channel = channel_create(test);
	struct buffer *dead = buffer_create(test), *bo, *other;

	channel->hung = true;
	use(test, channel, dead);
	buffer_put(dead);
	expect(test, 1, 0);

	channel_kill(channel);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			dma_fence_get_status(channel->jobs[0]));
	bo = buffer_create(test);
	other = buffer_create(test);
	use(test, channel, bo);
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
	KUNIT_CASE(the_last_put_releases_or_buries),
	KUNIT_CASE(the_last_put_keeps_what_is_locked),
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
