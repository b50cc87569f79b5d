// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nouveau's channels on the fence-ordered LRU: pushes, ids that are used again, and the
 * end of a channel.
 */
#include "nouveau_mock.h"

#include "nouveau_ttm.h"

static struct nv_channel *new_channel(struct nv_mock *mock, int chid)
{
	struct nv_channel *channel = nv_channel(mock, chid);
	int ret = nv_channel_register(channel);

	KUNIT_ASSERT_EQ(mock->glue->test, ret, 0);
	return channel;
}

static void push(struct nv_channel *channel, struct glue_bo *bo)
{
	struct nouveau_fence *fence = nv_push(channel, bo);

	nouveau_fence_unref(&fence);
}

static void a_buffer_is_idle_when_the_channel_is_past_it(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);

	push(channel, a);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "", 1);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "", 1);

	nv_channel_run(channel);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "a", 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	nv_channel_del(channel);
}

static void a_dead_buffer_needs_no_interrupt(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);

	push(channel, a);
	glue_put(a);
	glue_expect_zombies(mock->glue, 1, 0);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 1);

	nv_channel_run(channel);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&mock->glue->bdev), 0);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	nv_channel_del(channel);
}

/* What is read of a device that is switched off says nothing. */
static void a_device_that_sleeps_is_not_read(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	unsigned int reads;

	push(channel, glue_bo(mock->glue, 'a', &glue_vram));
	nouveau_ttm_sleep(mock->drm);
	nv_channel_run(channel);
	reads = channel->reads;
	glue_retire(mock->glue);
	KUNIT_EXPECT_EQ(test, channel->reads, reads);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "", 1);

	nouveau_ttm_wake(mock->drm);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "a", 0);
	nv_channel_del(channel);
}

/* Nor by who waits, or by the interrupt that comes late. */
static void a_fence_is_not_read_while_the_device_sleeps(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct nouveau_fence *fence = nv_emit(channel);
	unsigned int reads;

	nouveau_ttm_sleep(mock->drm);
	reads = channel->reads;
	nv_channel_interrupt(channel);
	KUNIT_EXPECT_FALSE(test, nouveau_fence_done(fence));
	KUNIT_EXPECT_EQ(test, channel->reads, reads);

	nouveau_ttm_wake(mock->drm);
	KUNIT_EXPECT_TRUE(test, nouveau_fence_done(fence));
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
}

/* The interrupt came too early, and does not come again. */
static void a_fence_is_looked_at_when_the_device_is_awake(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct nouveau_fence *fence = nv_emit(channel);

	dma_fence_enable_signaling(&fence->base);
	nouveau_ttm_sleep(mock->drm);
	nv_channel_interrupt(channel);
	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
					  &fence->base.flags));
	nouveau_ttm_wake(mock->drm);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
					 &fence->base.flags));
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
}

/* Else who waits for it in another driver waits until the device is awake. */
static void a_fence_is_looked_at_before_the_device_sleeps(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct nouveau_fence *fence = nv_emit(channel);

	nv_channel_run(channel);
	nouveau_ttm_sleep(mock->drm);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));
	nouveau_ttm_wake(mock->drm);
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
}

/* Whoever takes the device away waits for its pushes, and would wait for the other one. */
static void
a_push_does_not_wait_for_another_device_when_its_own_goes(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);
	struct nv_channel *theirs;
	struct nouveau_drm *other;
	int ret;

	theirs = new_channel(mock, 1);
	push(theirs, a);
	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	theirs->base.cli = nv_client(mock);
	theirs->base.cli->drm = other;

	mock->drm->dev->unplugged = true;
	glue_lock(a);
	ret = nouveau_fence_sync(nouveau_bo(&a->tbo), &channel->base, true,
				 false);
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	glue_unlock(a);
	mock->drm->dev->unplugged = false;
	nv_channel_del(theirs);
	nv_channel_del(channel);
}

/* Nobody could stop it, and it goes on when the device is awake. */
static void a_channel_of_a_sleeping_device_does_not_end(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct nouveau_fence *fence = nv_emit(channel);

	nouveau_ttm_sleep(mock->drm);
	KUNIT_EXPECT_FALSE(test, nouveau_channel_end(&channel->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&fence->base));
	nouveau_ttm_wake(mock->drm);
	KUNIT_EXPECT_TRUE(test, nouveau_channel_end(&channel->base));
	KUNIT_EXPECT_EQ(test, fence->base.error, -ENODEV);
	KUNIT_EXPECT_TRUE(test, nouveau_channel_end(&channel->base));
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
}

static void forget_fences(struct nouveau_channel *chan)
{
	chan->fence = NULL;
}

static void a_channel_hears_of_no_error_without_fences(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_channel *chan = kzalloc_obj(*chan);
	struct nv_bo *ring = nv_bo(mock);

	KUNIT_ASSERT_NOT_NULL(test, chan);
	mock->fence_priv.context_del = forget_fences;
	mock->deleting = chan;
	chan->cli = mock->cli;
	chan->fence = mock;
	chan->push.buffer = &ring->base;
	kref_get(&ring->base.bo.kref);
	ring->base.bo.pin_count = 2;
	nouveau_channel_del(&chan);
	KUNIT_EXPECT_NULL(test, chan);
	dma_resv_fini(ring->base.bo.base.resv);
}

/* The engine's context needs what a dead buffer holds. */
static int needs_vram(struct nv_mock *mock)
{
	struct ttm_resource_manager *man = glue_vram_manager(mock->glue);

	return ttm_resource_manager_usage(man) ? -ENOSPC : 0;
}

static void a_dead_buffer_makes_room_for_an_engine(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 3);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);

	push(channel, a);
	glue_put(a);
	mock->object_error = needs_vram;
	KUNIT_EXPECT_EQ(test, nv_new_engine_object(channel), -ENOSPC);

	nv_channel_run(channel);
	KUNIT_EXPECT_EQ(test, nv_new_engine_object(channel), 0);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 0);
	nv_channel_del(channel);
}

/* So much that what is dead here is enough, or is not. */
static int needs_a_page(struct nv_mock *mock)
{
	struct ttm_resource_manager *man = glue_vram_manager(mock->glue);

	return ttm_resource_manager_usage(man) > PAGE_SIZE ? -ENOSPC : 0;
}

static int needs_more(struct nv_mock *mock)
{
	return -ENOSPC;
}

/* How often the channel is asked, which is past one of two buffers, for an object. */
static unsigned int reads_of(struct nv_mock *mock, int chid,
			     int (*needs)(struct nv_mock *mock), int error)
{
	struct nv_channel *channel = new_channel(mock, chid);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(mock->glue, 'b', &glue_vram);
	unsigned int reads;

	push(channel, a);
	push(channel, b);
	glue_put(a);
	channel->done = 1;
	mock->object_error = needs;
	reads = channel->reads;
	KUNIT_EXPECT_EQ(mock->glue->test, nv_new_engine_object(channel), error);
	reads = channel->reads - reads;
	nv_channel_del(channel);
	return reads;
}

/* It is tried again when a is gone, but channels have said how far they are. */
static void what_fits_nowhere_asks_channels_no_more(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	unsigned int reads = reads_of(mock, 3, needs_a_page, 0);

	glue_expect_usage(mock->glue, TTM_PL_VRAM, 1);
	KUNIT_EXPECT_GT(test, reads, 0);
	KUNIT_EXPECT_EQ(test, reads_of(mock, 4, needs_more, -ENOSPC), reads);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 2);
}

/*
 * The fence of the first channel outlives it, and its context is that of the second:
 * which buffer was used on which is known all the same.
 */
static void an_id_is_used_again(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(mock->glue, 'b', &glue_vram);
	struct nv_channel *first, *second;
	struct nouveau_fence *fence;

	first = new_channel(mock, 3);
	fence = nv_push(first, a);
	nv_channel_del(first);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));

	second = new_channel(mock, 3);
	push(second, b);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "a", 1);

	push(second, a);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "", 2);
	nv_channel_run(second);
	glue_retire(mock->glue);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "ba", 0);
	nouveau_fence_unref(&fence);
	nv_channel_del(second);
}

/* Its end does not unregister the one that has the id. */
static void an_id_in_use_is_refused(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 3), *twin;

	twin = nv_channel(mock, 3);
	KUNIT_EXPECT_EQ(test, nv_channel_register(twin), -EEXIST);
	nv_channel_del(twin);

	push(channel, glue_bo(mock->glue, 'a', &glue_vram));
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "", 1);
	KUNIT_EXPECT_EQ(test, mock->glue->bdev.fence_lru->nr_channels,
			GLUE_FOREIGN + 1);
	nv_channel_del(channel);
}

/* A channel that was never announced: its buffers are safe, and in no order. */
static void a_channel_that_is_not_registered_is_waited_for(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);

	push(channel, a);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&mock->glue->bdev), 1);
	glue_expect_zombies(mock->glue, 1, 1);

	nv_channel_run(channel);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&mock->glue->bdev), 0);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 0);
	nv_channel_del(channel);
}

/**
 * struct mark - notes when a fence signaled
 * @cb: the callback
 * @order: the next number, of the case
 * @number: what it was then
 * @error: of the fence
 */
struct mark {
	struct dma_fence_cb cb;
	int *order;
	int number;
	int error;
};

static void note(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct mark *mark = container_of(cb, struct mark, cb);

	mark->number = ++*mark->order;
	mark->error = fence->error;
}

/* The hardware has stopped for good; what it was to do next it never does. */
static void a_channel_is_killed(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_channel(mock, 0);
	struct nouveau_fence *fence;
	struct mark marks[3] = {};
	struct glue_bo *bos[3];
	int i, ret, order = 0;

	for (i = 0; i < 3; i++) {
		bos[i] = glue_bo(mock->glue, 'a' + i, &glue_vram);
		fence = nv_push(channel, bos[i]);
		marks[i].order = &order;
		ret = dma_fence_add_callback(&fence->base, &marks[i].cb, note);
		KUNIT_ASSERT_EQ(test, ret, 0);
		nouveau_fence_unref(&fence);
	}
	glue_put(bos[1]);
	channel->done = 1;

	nouveau_fence_context_kill(channel->base.fence, -ENODEV);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, marks[i].number, i + 1);
	/* That one was done in time. */
	KUNIT_EXPECT_EQ(test, marks[0].error, 0);
	KUNIT_EXPECT_EQ(test, marks[1].error, -ENODEV);
	KUNIT_EXPECT_EQ(test, marks[2].error, -ENODEV);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&mock->glue->bdev), 0);
	glue_expect_lru(mock->glue, TTM_PL_VRAM, "ac", 0);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 2);

	fence = NULL;
	ret = nouveau_fence_new(&fence, &channel->base);
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_NULL(test, fence);
	glue_expect_sound(mock->glue);
	nv_channel_del(channel);
}

static void a_device_of_today_registers_nothing(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_fence *fence;

	mock->drm->ttm.bdev.fence_lru = NULL;
	KUNIT_EXPECT_EQ(test, nv_channel_register(channel), 0);
	fence = nv_emit(channel);
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
	KUNIT_EXPECT_EQ(test, mock->glue->bdev.fence_lru->nr_channels,
			GLUE_FOREIGN);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_buffer_is_idle_when_the_channel_is_past_it),
	KUNIT_CASE(a_dead_buffer_needs_no_interrupt),
	KUNIT_CASE(a_device_that_sleeps_is_not_read),
	KUNIT_CASE(a_fence_is_not_read_while_the_device_sleeps),
	KUNIT_CASE(a_fence_is_looked_at_when_the_device_is_awake),
	KUNIT_CASE(a_fence_is_looked_at_before_the_device_sleeps),
	KUNIT_CASE(a_push_does_not_wait_for_another_device_when_its_own_goes),
	KUNIT_CASE(a_channel_of_a_sleeping_device_does_not_end),
	KUNIT_CASE(a_channel_hears_of_no_error_without_fences),
	KUNIT_CASE(a_dead_buffer_makes_room_for_an_engine),
	KUNIT_CASE(what_fits_nowhere_asks_channels_no_more),
	KUNIT_CASE(an_id_is_used_again),
	KUNIT_CASE(an_id_in_use_is_refused),
	KUNIT_CASE(a_channel_that_is_not_registered_is_waited_for),
	KUNIT_CASE(a_channel_is_killed),
	KUNIT_CASE(a_device_of_today_registers_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_channels",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
