// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What drivers call besides: the helpers for submissions, room for fences, and what is
 * printed.
 */
#include <kunit/static_stub.h>

#include <drm/drm_print.h>
#include <drm/ttm/ttm_bo_group.h>
#include <drm/ttm/ttm_execbuf_util.h>

#include "../ttm_fence_lru/internal.h"
#include "ttm_glue_helpers.h"

/* Two buffers of a submission: one is written, one is read. */
struct submission {
	struct list_head list;
	struct ttm_validate_buffer entries[2];
	struct ww_acquire_ctx ticket;
};

static void reserve(struct submission *s, struct glue_bo *written,
		    struct glue_bo *read)
{
	INIT_LIST_HEAD(&s->list);
	s->entries[0] = (struct ttm_validate_buffer){ .bo = &written->tbo };
	s->entries[1] = (struct ttm_validate_buffer){
		.bo = &read->tbo,
		.num_shared = 1,
	};
	list_add_tail(&s->entries[0].head, &s->list);
	list_add_tail(&s->entries[1].head, &s->list);
	KUNIT_ASSERT_EQ(written->dev->test, 0,
			ttm_eu_reserve_buffers(&s->ticket, &s->list, false,
					       NULL));
}

static void expect_locked(struct glue_bo *bo, bool locked)
{
	KUNIT_EXPECT_EQ(bo->dev->test, locked,
			dma_resv_is_locked(bo->tbo.base.resv));
}

static void the_buffers_of_a_submission_are_fenced(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct ttm_validate_buffer *first;
	struct submission s;

	reserve(&s, a, b);
	/* One in sixteen feigns that it lost a lock, and has that buffer first then. */
	first = list_first_entry(&s.list, struct ttm_validate_buffer, head);
	expect_locked(a, true);
	expect_locked(b, true);
	ttm_eu_fence_buffer_objects(&s.ticket, &s.list, &fence->base);
	expect_locked(a, false);
	expect_locked(b, false);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(a->tbo.base.resv,
							DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(b->tbo.base.resv,
						       DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(b->tbo.base.resv,
							DMA_RESV_USAGE_READ));
	glue_complete(fence);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, first->bo == &a->tbo ? "ab" : "ba",
			0);
}

static void a_submission_that_fails_leaves_its_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_vram);
	struct submission s;

	reserve(&s, a, b);
	ttm_eu_backoff_reservation(&s.ticket, &s.list);
	expect_locked(a, false);
	expect_locked(b, false);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
}

/* Kernels that debug such locks feign that one submission in sixteen lost one. */
static void a_submission_that_lost_a_lock_makes_room_again(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a, *b;
	struct glue_fence *fence;
	struct submission s;
	int i;

	for (i = 0; i < 16; i++) {
		a = glue_bo(dev, 'a', &glue_system);
		b = glue_bo(dev, 'b', &glue_system);
		fence = glue_emit(dev, 0, true);
		reserve(&s, a, b);
		ttm_eu_fence_buffer_objects(&s.ticket, &s.list, &fence->base);
		glue_expect_lru(dev, TTM_PL_SYSTEM, "", 2 * i + 2);
	}
}

/* Lock buffers in system memory, with room for a fence. */
static void reserve_many(struct submission *s, struct glue_device *dev,
			 struct ttm_validate_buffer *entries, unsigned int nr)
{
	unsigned int i;

	INIT_LIST_HEAD(&s->list);
	for (i = 0; i < nr; i++) {
		entries[i].bo = &glue_bo(dev, 'a', &glue_system)->tbo;
		list_add_tail(&entries[i].head, &s->list);
	}
	KUNIT_ASSERT_EQ(dev->test, 0,
			ttm_eu_reserve_buffers(&s->ticket, &s->list, false,
					       NULL));
}

/* A job of so many buffers is one node, and each of them has its fence. */
static void submit(struct glue_device *dev, unsigned int nr)
{
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct ttm_submission job = TTM_SUBMISSION(&dev->bdev, &fence->base);
	struct kunit *test = dev->test;
	struct ttm_validate_buffer *entries;
	unsigned int i, fenced = 0, busy = 0;
	struct submission s;

	entries = kunit_kcalloc(test, nr, sizeof(*entries), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	reserve_many(&s, dev, entries, nr);
	for (i = 0; i < nr; i++)
		ttm_submission_add(&job, entries[i].bo, DMA_RESV_USAGE_WRITE);
	ttm_submission_end(&job);
	for (i = 0; i < nr; i++) {
		fenced += !dma_resv_test_signaled(entries[i].bo->base.resv,
						  DMA_RESV_USAGE_WRITE);
		busy += ttm_bo_is_busy(entries[i].bo);
	}
	ttm_eu_backoff_reservation(&s.ticket, &s.list);
	KUNIT_EXPECT_EQ(test, fenced, nr);
	KUNIT_EXPECT_EQ(test, busy, dev->bdev.fence_lru ? nr : 0);
	if (!dev->bdev.fence_lru)
		return;

	KUNIT_EXPECT_EQ(test, dev->channels[0].base.nr_links, nr);
	KUNIT_EXPECT_EQ(test, !!nr,
			list_count_nodes(&dev->channels[0].base.nodes));
	glue_complete(fence);
	glue_retire(dev);
	KUNIT_EXPECT_EQ(test, dev->channels[0].base.nr_links, 0);
}

/* Those that fit into one hold of the channel's lock, one more, and many. */
static void submit_jobs(struct glue_device *dev)
{
	submit(dev, 0);
	submit(dev, 1);
	submit(dev, TTM_FENCE_LRU_BOS_PER_HOLD);
	submit(dev, TTM_FENCE_LRU_BOS_PER_HOLD + 1);
	submit(dev, 100);
}

static void all_buffers_of_a_job_are_fenced_and_busy(struct kunit *test)
{
	submit_jobs(test->priv);
}

static void without_a_fence_lru_they_are_fenced(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);

	submit_jobs(dev);
	glue_device_destroy(dev);
}

static int make_room(struct glue_bo *bo, struct ttm_bo_group *group)
{
	int ret;

	ret = ttm_bo_reserve_fences(&bo->tbo, 2);
	if (!ret)
		ret = ttm_bo_reserve_fence_on(&bo->tbo, NULL);
	if (!ret)
		ret = ttm_bo_group_reserve_fences(group, 2);
	return ret ?: ttm_bo_group_reserve_fence_on(group, NULL);
}

/* What only an engine needs is not looked at, nor are its links allocated. */
static void without_a_fence_lru_fences_need_no_link(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_bo_shared(dev, 'a');

	memset(&a->tbo.fence_lru, 0xff, sizeof(a->tbo.fence_lru));
	memset(&group->fence_lru, 0xff, sizeof(group->fence_lru));
	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc,
				   glue_no_link);
	glue_lock(a);
	KUNIT_EXPECT_EQ(test, make_room(a, group), 0);
	glue_unlock(a);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	ttm_bo_group_put(group);
	glue_device_destroy(dev);
}

static void room_for_the_fences_of_a_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fences[2];
	int i;

	for (i = 0; i < 2; i++)
		fences[i] = glue_emit(dev, i, true);
	dma_resv_lock(&dev->vm_resv, NULL);
	KUNIT_EXPECT_EQ(test, ttm_bo_group_reserve_fences(group, 2), 0);
	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc,
				   glue_no_link);
	/* Room was made for both: nothing is allocated any more. */
	for (i = 0; i < 2; i++)
		ttm_bo_group_add_fence(group, &fences[i]->base,
				       DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_EQ(test, group->fence_lru.base.nr_links, 2);
	KUNIT_EXPECT_EQ(test, ttm_bo_group_reserve_fences(group, 1), -ENOMEM);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	dma_resv_unlock(&dev->vm_resv);
	for (i = 0; i < 2; i++)
		glue_complete(fences[i]);
	glue_retire(dev);
	ttm_bo_group_put(group);
}

/* What its exporter does with the memory later is no concern of a dead import. */
static void a_dead_import_waits_for_its_own_fences(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo_shared(dev, 'a');
	struct glue_bo *b = glue_bo_shared(dev, 'b');
	struct glue_fence *own = glue_use(a, 0);

	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	glue_use(b, 1);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_complete(own);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
}

/* A walk of an LRU may hold the last reference, and with it a reservation. */
static void an_import_is_not_let_go_by_who_looks_at_it(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	KUNIT_ASSERT_TRUE(test, kref_get_unless_zero(&a->tbo.kref));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);

	dma_resv_lock(&dev->vm_resv, NULL);
	ttm_bo_fini(&a->tbo);
	dma_resv_unlock(&dev->vm_resv);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);
}

/* As debugfs shows them: also those that are dead, and ghosts. */
static void all_buffers_are_counted(struct kunit *test)
{
	const int before = atomic_read(&ttm_glob.bo_count);
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	KUNIT_EXPECT_EQ(test, atomic_read(&ttm_glob.bo_count), before + 1);
	dev->mover = &dev->channels[0];
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, atomic_read(&ttm_glob.bo_count), before + 2);
	glue_complete(list_last_entry(&dev->fences, struct glue_fence, entry));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ttm_glob.bo_count), before);
}

static void expect_text(struct kunit *test, const char *text, const char *part)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, part), "no \"%s\" in %s",
				  part, text);
}

static void what_dead_buffers_keep_is_printed(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	const size_t size = 1024;
	char *text = kunit_kzalloc(test, size, GFP_KERNEL);
	struct drm_print_iterator it = { .data = text, .remain = size };
	struct drm_printer p = drm_coredump_printer(&it);
	struct glue_fence *fence;
	struct glue_bo *z;

	KUNIT_ASSERT_NOT_NULL(test, text);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_PL_SYSTEM, U64_MAX);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_PL_TT, 5000);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_FENCE_LRU_ANY_TYPE,
				60000);
	glue_use(glue_bo(dev, 'a', &glue_vram), 0);
	z = glue_bo(dev, 'z', &glue_gtt);
	fence = glue_use(z, 1);
	glue_put(z);
	glue_complete(fence);
	ttm_device_print_zombies(&dev->bdev, &p);
	expect_text(test, text,
		    "type=0 used=0 zombies=0 ripe=0 leftover=0 no limit\n");
	expect_text(test, text, "type=1 used=4096 zombies=4096 ripe=4096 ");
	expect_text(test, text, "ripe=4096 leftover=0 limit=5000\n");
	expect_text(test, text, "type=2 used=4096 zombies=0 ripe=0 ");
	/* Imports are no memory of this device. */
	KUNIT_EXPECT_NULL(test, strstr(text, "type=8"));
	expect_text(test, text, "busy=1 zombies=1 bytes=4096 ");
	expect_text(test, text, "bytes=4096 peak=4096 limit=60000\n");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_buffers_of_a_submission_are_fenced),
	KUNIT_CASE(a_submission_that_fails_leaves_its_buffers),
	KUNIT_CASE(a_submission_that_lost_a_lock_makes_room_again),
	KUNIT_CASE(all_buffers_of_a_job_are_fenced_and_busy),
	KUNIT_CASE(without_a_fence_lru_they_are_fenced),
	KUNIT_CASE(without_a_fence_lru_fences_need_no_link),
	KUNIT_CASE(room_for_the_fences_of_a_group),
	KUNIT_CASE(a_dead_import_waits_for_its_own_fences),
	KUNIT_CASE(an_import_is_not_let_go_by_who_looks_at_it),
	KUNIT_CASE(all_buffers_are_counted),
	KUNIT_CASE(what_dead_buffers_keep_is_printed),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_users",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
