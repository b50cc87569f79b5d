// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * VMAs whose last handle is closed while a channel may use them still.
 */
#include "nouveau_mock.h"

/**
 * struct mapped_bo - a buffer that clients map
 * @base: nouveau's, on no device: only its fences and VMAs matter here
 * @mem: its memory, somewhere in VRAM
 */
struct mapped_bo {
	struct nouveau_bo base;
	struct nouveau_mem mem;
};

static struct mapped_bo *new_bo(struct kunit *test)
{
	struct mapped_bo *bo = kunit_kzalloc(test, sizeof(*bo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bo);
	INIT_LIST_HEAD(&bo->base.vma_list);
	kref_init(&bo->base.bo.kref);
	dma_resv_init(&bo->base.bo.base._resv);
	bo->base.bo.base.resv = &bo->base.bo.base._resv;
	bo->base.bo.resource = &bo->mem.base;
	bo->mem.base.mem_type = TTM_PL_VRAM;
	return bo;
}

static void lock(struct mapped_bo *bo)
{
	dma_resv_lock(bo->base.bo.base.resv, NULL);
}

static void unlock(struct mapped_bo *bo)
{
	dma_resv_unlock(bo->base.bo.base.resv);
}

/* The client opens a handle. */
static struct nouveau_vma *open_bo(struct mapped_bo *bo,
				   struct nouveau_cli *cli)
{
	struct nouveau_vma *vma;
	int ret;

	lock(bo);
	nouveau_vma_reap(&bo->base, false);
	ret = nouveau_vma_new(&bo->base, &cli->vmm, &vma);
	unlock(bo);
	return ret ? NULL : vma;
}

/* The client closes a handle. */
static void close_bo(struct mapped_bo *bo, struct nouveau_cli *cli)
{
	struct nouveau_vma *vma;

	lock(bo);
	vma = nouveau_vma_find(&bo->base, &cli->vmm);
	if (vma && !--vma->refs)
		nouveau_vma_close(vma);
	unlock(bo);
}

static void use_bo(struct mapped_bo *bo, struct nv_channel *channel)
{
	struct dma_resv *resv = bo->base.bo.base.resv;
	struct nouveau_fence *fence = nv_emit(channel);
	int ret;

	lock(bo);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_WRITE);
	unlock(bo);
	nouveau_fence_unref(&fence);
	KUNIT_ASSERT_EQ(channel->mock->glue->test, ret, 0);
}

/* As the buffer's memory is moved, or, if it is dead, released. */
static void reap(struct mapped_bo *bo, bool dead)
{
	lock(bo);
	nouveau_vma_reap(&bo->base, dead);
	unlock(bo);
}

static void expect_vmas(struct kunit *test, struct nouveau_cli *cli,
			unsigned int nr)
{
	KUNIT_EXPECT_EQ_MSG(test, cli->vmm.vmm.limit, nr, "VMAs");
}

static void done(struct mapped_bo *bo, struct nv_channel *channel)
{
	nv_channel_del(channel);
	dma_resv_fini(bo->base.bo.base.resv);
}

static void a_vma_that_nobody_uses_goes_at_once(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct mapped_bo *bo = new_bo(test);

	open_bo(bo, mock->cli);
	open_bo(bo, mock->cli);
	use_bo(bo, channel);
	nv_channel_run(channel);
	close_bo(bo, mock->cli);
	expect_vmas(test, mock->cli, 1);
	close_bo(bo, mock->cli);
	expect_vmas(test, mock->cli, 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	done(bo, channel);
}

static void a_vma_that_a_channel_may_use_stays(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct mapped_bo *bo = new_bo(test);

	open_bo(bo, mock->cli);
	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	reap(bo, false);
	expect_vmas(test, mock->cli, 1);
	KUNIT_EXPECT_NULL(test, nouveau_vma_find(&bo->base, &mock->cli->vmm));

	nv_channel_run(channel);
	reap(bo, false);
	expect_vmas(test, mock->cli, 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	done(bo, channel);
}

/* Today only the channel that pushed last is waited for. */
static void all_channels_of_the_client_count(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *first = nv_channel(mock, 0);
	struct nv_channel *last = nv_channel(mock, 1);
	struct mapped_bo *bo = new_bo(test);

	open_bo(bo, mock->cli);
	use_bo(bo, first);
	use_bo(bo, last);
	close_bo(bo, mock->cli);
	nv_channel_run(last);
	reap(bo, false);
	expect_vmas(test, mock->cli, 1);

	nv_channel_run(first);
	reap(bo, false);
	expect_vmas(test, mock->cli, 0);
	nv_channel_del(last);
	done(bo, first);
}

static void what_other_clients_do_does_not_count(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct mapped_bo *bo = new_bo(test);

	open_bo(bo, mock->cli);
	open_bo(bo, other);
	use_bo(bo, channel);
	close_bo(bo, other);
	expect_vmas(test, other, 0);
	close_bo(bo, mock->cli);
	expect_vmas(test, mock->cli, 1);
	nv_channel_run(channel);
	reap(bo, false);
	done(bo, channel);
}

/* It has its address still. */
static void a_closed_vma_is_opened_again(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct mapped_bo *bo = new_bo(test);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);

	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	KUNIT_EXPECT_PTR_EQ(test, open_bo(bo, mock->cli), vma);
	KUNIT_EXPECT_TRUE(test, list_empty(&mock->cli->vmm.closed));
	nv_channel_run(channel);
	reap(bo, false);
	expect_vmas(test, mock->cli, 1);
	close_bo(bo, mock->cli);
	expect_vmas(test, mock->cli, 0);
	done(bo, channel);
}

/* All its fences have signaled then, so they are not asked again. */
static void the_memory_takes_its_vmas_along(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_channel *theirs = nv_channel(mock, 1);
	struct mapped_bo *bo = new_bo(test);

	theirs->base.cli = other;
	theirs->base.vmm = &other->vmm;
	open_bo(bo, mock->cli);
	open_bo(bo, other);
	use_bo(bo, channel);
	use_bo(bo, theirs);
	close_bo(bo, mock->cli);
	close_bo(bo, other);
	expect_vmas(test, mock->cli, 1);
	expect_vmas(test, other, 1);

	reap(bo, true);
	expect_vmas(test, mock->cli, 0);
	expect_vmas(test, other, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&bo->base.vma_list));
	nv_channel_del(theirs);
	done(bo, channel);
}

/* Its channels are gone by then; handles that others have are not touched. */
static void the_client_takes_its_vmas_along(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct mapped_bo *bo = new_bo(test), *open = new_bo(test);

	open_bo(bo, mock->cli);
	open_bo(bo, other);
	open_bo(open, mock->cli);
	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	expect_vmas(test, mock->cli, 2);

	nouveau_vmm_reap(&mock->cli->vmm);
	expect_vmas(test, mock->cli, 1);
	expect_vmas(test, other, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.bo.kref), 1);

	close_bo(open, mock->cli);
	close_bo(bo, other);
	dma_resv_fini(open->base.bo.base.resv);
	done(bo, channel);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_vma_that_nobody_uses_goes_at_once),
	KUNIT_CASE(a_vma_that_a_channel_may_use_stays),
	KUNIT_CASE(all_channels_of_the_client_count),
	KUNIT_CASE(what_other_clients_do_does_not_count),
	KUNIT_CASE(a_closed_vma_is_opened_again),
	KUNIT_CASE(the_memory_takes_its_vmas_along),
	KUNIT_CASE(the_client_takes_its_vmas_along),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_vmas",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
