// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a client is told of its memory.
 */
#include <linux/idr.h>
#include <linux/string.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "nouveau_mock.h"

#include "nouveau_gem.h"

#define MAX_TEXT 1024

static void append_text(struct drm_printer *p, struct va_format *vaf)
{
	char *text = p->arg;
	size_t length = strlen(text);

	scnprintf(text + length, MAX_TEXT - length, "%pV", vaf);
}

static void expect_told(struct kunit *test, struct drm_file *client,
			const char *line)
{
	char *text = kunit_kzalloc(test, MAX_TEXT, GFP_KERNEL);
	struct drm_printer p = { .printfn = append_text, .arg = text };

	KUNIT_ASSERT_NOT_NULL(test, text);
	nouveau_gem_show_fdinfo(&p, client);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, line),
				  "wanted: %s\ntold: %s", line, text);
}

/* Its handle for the buffer. */
static int open_bo(struct kunit *test, struct drm_file *client,
		   struct nv_bo *bo, struct nouveau_mem *place)
{
	int id;

	bo->base.bo.base.size = PAGE_SIZE;
	nv_lock(bo);
	nv_bo_move_notify(&bo->base, place);
	nv_unlock(bo);
	id = idr_alloc(&client->object_idr, &bo->base.bo.base, 1, 0,
		       GFP_KERNEL);
	KUNIT_ASSERT_GT(test, id, 0);
	bo->base.bo.base.handle_count++;
	return id;
}

static void use(struct kunit *test, struct nv_bo *bo,
		struct nv_channel *channel)
{
	struct dma_resv *resv = bo->base.bo.base.resv;
	struct nouveau_fence *fence = nv_emit(channel);

	nv_lock(bo);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_WRITE);
	nv_unlock(bo);
	nouveau_fence_unref(&fence);
}

static void begin(struct drm_file *client)
{
	client->object_idr = (struct idr)IDR_INIT(client->object_idr);
	spin_lock_init(&client->table_lock);
}

static void a_client_has_what_it_has_handles_for(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_mem gtt = { .base.mem_type = TTM_PL_TT };
	struct nv_bo *a = nv_bo(mock), *b = nv_bo(mock);
	struct drm_file client = {};
	int id;

	begin(&client);
	expect_told(test, &client, "drm-total-vram:\t0\n");
	id = open_bo(test, &client, a, &a->mem);
	open_bo(test, &client, b, &gtt);
	expect_told(test, &client, "drm-total-vram:\t4 KiB\n");
	expect_told(test, &client, "drm-resident-vram:\t4 KiB\n");
	expect_told(test, &client, "drm-total-gtt:\t4 KiB\n");
	expect_told(test, &client, "drm-total-cpu:\t0\n");
	expect_told(test, &client, "drm-shared-vram:\t0\n");

	/* Another client opens it as well. */
	a->base.bo.base.handle_count++;
	expect_told(test, &client, "drm-shared-vram:\t4 KiB\n");

	idr_remove(&client.object_idr, id);
	expect_told(test, &client, "drm-total-vram:\t0\n");
	expect_told(test, &client, "drm-resident-vram:\t0\n");
	idr_destroy(&client.object_idr);
	dma_resv_fini(a->base.bo.base.resv);
	dma_resv_fini(b->base.bo.base.resv);
}

static void it_is_where_it_was_moved_to(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_mem gtt = { .base.mem_type = TTM_PL_TT };
	struct nv_bo *bo = nv_bo(mock);
	struct drm_file client = {};

	begin(&client);
	open_bo(test, &client, bo, &bo->mem);
	nv_lock(bo);
	nv_bo_move_notify(&bo->base, &gtt);
	nv_unlock(bo);
	expect_told(test, &client, "drm-total-gtt:\t4 KiB\n");
	expect_told(test, &client, "drm-total-vram:\t0\n");
	idr_destroy(&client.object_idr);
	dma_resv_fini(bo->base.bo.base.resv);
}

static void what_the_GPU_uses_is_active(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_bo *bo = nv_bo(mock);
	struct drm_file client = {};

	begin(&client);
	open_bo(test, &client, bo, &bo->mem);
	expect_told(test, &client, "drm-active-vram:\t0\n");
	use(test, bo, channel);
	expect_told(test, &client, "drm-active-vram:\t4 KiB\n");
	nv_channel_run(channel);
	expect_told(test, &client, "drm-active-vram:\t0\n");
	idr_destroy(&client.object_idr);
	dma_resv_fini(bo->base.bo.base.resv);
	nv_channel_del(channel);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_client_has_what_it_has_handles_for),
	KUNIT_CASE(it_is_where_it_was_moved_to),
	KUNIT_CASE(what_the_GPU_uses_is_active),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_fdinfo",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
