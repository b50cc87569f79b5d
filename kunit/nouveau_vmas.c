// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * VMAs whose last handle is closed while a channel may use them still.
 */
#include "nouveau_mock.h"

#include "nouveau_gem.h"

static struct drm_file file_of(struct nouveau_cli *cli)
{
	return (struct drm_file){ .driver_priv = cli };
}

/* The client opens a handle. Returns its VMA. */
static struct nouveau_vma *open_bo(struct nv_bo *bo, struct nouveau_cli *cli)
{
	struct drm_file file = file_of(cli);
	struct nouveau_vma *vma;

	if (nouveau_gem_object_open(&bo->base.bo.base, &file))
		return NULL;

	nv_lock(bo);
	vma = nouveau_vma_find(&bo->base, nouveau_cli_vmm(cli));
	nv_unlock(bo);
	return vma;
}

/* The client closes a handle. */
static void close_bo(struct nv_bo *bo, struct nouveau_cli *cli)
{
	struct drm_file file = file_of(cli);

	nouveau_gem_object_close(&bo->base.bo.base, &file);
}

static void use_bo(struct nv_bo *bo, struct nv_channel *channel)
{
	struct dma_resv *resv = bo->base.bo.base.resv;
	struct nouveau_fence *fence = nv_emit(channel);
	int ret;

	nv_lock(bo);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_WRITE);
	nv_unlock(bo);
	nouveau_fence_unref(&fence);
	KUNIT_ASSERT_EQ(channel->mock->glue->test, ret, 0);
}

/* As the buffer's memory is moved, or, if it is dead, released. */
static void reap(struct nv_bo *bo, bool dead)
{
	nv_lock(bo);
	nouveau_vma_reap(&bo->base, dead);
	nv_unlock(bo);
}

static void done(struct nv_bo *bo, struct nv_channel *channel)
{
	nv_channel_del(channel);
	dma_resv_fini(bo->base.bo.base.resv);
}

static void a_vma_that_nobody_uses_goes_at_once(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_bo *bo = nv_bo(mock);

	open_bo(bo, mock->cli);
	open_bo(bo, mock->cli);
	use_bo(bo, channel);
	nv_channel_run(channel);
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 1);
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	done(bo, channel);
}

static void a_vma_that_a_channel_may_use_stays(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_bo *bo = nv_bo(mock);

	open_bo(bo, mock->cli);
	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	reap(bo, false);
	nv_expect_vmas(test, mock->cli, 1);
	KUNIT_EXPECT_NULL(test, nouveau_vma_find(&bo->base, &mock->cli->vmm));

	nv_channel_run(channel);
	reap(bo, false);
	nv_expect_vmas(test, mock->cli, 0);
	KUNIT_EXPECT_EQ(test, mock->events, 0);
	done(bo, channel);
}

/* Today only the channel that pushed last is waited for. */
static void all_channels_of_the_client_count(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *first = nv_channel(mock, 0);
	struct nv_channel *last = nv_channel(mock, 1);
	struct nv_bo *bo = nv_bo(mock);

	open_bo(bo, mock->cli);
	use_bo(bo, first);
	use_bo(bo, last);
	close_bo(bo, mock->cli);
	nv_channel_run(last);
	reap(bo, false);
	nv_expect_vmas(test, mock->cli, 1);

	nv_channel_run(first);
	reap(bo, false);
	nv_expect_vmas(test, mock->cli, 0);
	nv_channel_del(last);
	done(bo, first);
}

static void what_other_clients_do_does_not_count(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_bo *bo = nv_bo(mock);

	open_bo(bo, mock->cli);
	open_bo(bo, other);
	use_bo(bo, channel);
	close_bo(bo, other);
	nv_expect_vmas(test, other, 0);
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 1);
	nv_channel_run(channel);
	reap(bo, false);
	done(bo, channel);
}

/* It has its address still. */
static void a_closed_vma_is_opened_again(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);

	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	KUNIT_EXPECT_PTR_EQ(test, open_bo(bo, mock->cli), vma);
	nv_channel_run(channel);
	reap(bo, false);
	nv_expect_vmas(test, mock->cli, 1);
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 0);
	done(bo, channel);
}

/* All its fences have signaled then, so they are not asked again. */
static void the_memory_takes_its_vmas_along(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nv_channel *theirs = nv_channel(mock, 1);
	struct nv_bo *bo = nv_bo(mock);

	theirs->base.cli = other;
	theirs->base.vmm = &other->vmm;
	open_bo(bo, mock->cli);
	open_bo(bo, other);
	use_bo(bo, channel);
	use_bo(bo, theirs);
	close_bo(bo, mock->cli);
	close_bo(bo, other);
	nv_expect_vmas(test, mock->cli, 1);
	nv_expect_vmas(test, other, 1);

	reap(bo, true);
	nv_expect_vmas(test, mock->cli, 0);
	nv_expect_vmas(test, other, 0);
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
	struct nv_bo *bo = nv_bo(mock), *open = nv_bo(mock);

	open_bo(bo, mock->cli);
	open_bo(bo, other);
	open_bo(open, mock->cli);
	use_bo(bo, channel);
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 2);

	nv_client_fini(mock->cli);
	nv_expect_vmas(test, mock->cli, 0);
	nv_expect_vmas(test, other, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.bo.kref), 1);

	close_bo(bo, other);
	dma_resv_fini(open->base.bo.base.resv);
	done(bo, channel);
}

/* The device goes, and empties VRAM after its clients, or another client goes on. */
static void
a_buffer_moves_when_a_client_that_has_it_open_is_gone(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *other = nv_client(mock);
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_mem elsewhere = { .base.mem_type = TTM_PL_TT };

	open_bo(bo, mock->cli);
	open_bo(bo, other);
	nv_client_fini(mock->cli);

	nv_lock(bo);
	nv_bo_move_notify(&bo->base, &elsewhere);
	nv_bo_move_notify(&bo->base, NULL);
	nv_unlock(bo);
	close_bo(bo, other);
	nv_expect_vmas(test, other, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&bo->base.vma_list));
	dma_resv_fini(bo->base.bo.base.resv);
}

/* It has another address space then, without VMAs of ours. */
static void a_handle_of_before_vm_init_is_closed(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_uvmm uvmm = {
		.vmm.vmm.object.oclass = NVIF_CLASS_VMM_NV50,
	};
	struct nv_bo *bo = nv_bo(mock);

	KUNIT_EXPECT_NOT_NULL(test, open_bo(bo, mock->cli));
	mock->cli->uvmm.ptr = &uvmm;
	close_bo(bo, mock->cli);
	nv_expect_vmas(test, mock->cli, 0);
	mock->cli->uvmm.ptr = NULL;
	dma_resv_fini(bo->base.bo.base.resv);
}

static void a_handle_of_before_svm_init_is_closed(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_cli *cli = mock->cli;
	struct nv_bo *bo = nv_bo(mock);

	KUNIT_EXPECT_NOT_NULL(test, open_bo(bo, cli));
	cli->svm.cli = cli;
	cli->svm.vmm.object.oclass = NVIF_CLASS_VMM_NV50;
	close_bo(bo, cli);
	nv_expect_vmas(test, cli, 0);

	KUNIT_EXPECT_NOT_NULL(test, open_bo(bo, cli));
	KUNIT_EXPECT_EQ(test, cli->svm.vmm.limit, 1);
	close_bo(bo, cli);
	KUNIT_EXPECT_EQ(test, cli->svm.vmm.limit, 0);
	dma_resv_fini(bo->base.bo.base.resv);
}

/* Others may hold it for as long as the VM's jobs run. */
static void a_buffer_without_vmas_is_closed_unlocked(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_uvmm uvmm = {
		.vmm.vmm.object.oclass = NVIF_CLASS_VMM_NV50,
	};
	struct nv_bo *bo = nv_bo(mock);
	unsigned int reservations;

	mock->cli->uvmm.ptr = &uvmm;
	KUNIT_EXPECT_NULL(test, open_bo(bo, mock->cli));
	reservations = mock->reservations;
	close_bo(bo, mock->cli);
	KUNIT_EXPECT_EQ(test, mock->reservations, reservations);
	mock->cli->uvmm.ptr = NULL;
	dma_resv_fini(bo->base.bo.base.resv);
}

/* Suspend may be under way, and evicts it. */
static void who_wakes_the_device_has_reserved_nothing(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_bo *bo = nv_bo(mock);

	mock->waking = bo->base.bo.base.resv;
	open_bo(bo, mock->cli);
	KUNIT_EXPECT_EQ(test, mock->wakes, 1);
	close_bo(bo, mock->cli);
	KUNIT_EXPECT_EQ(test, mock->wakes, 2);
	nv_expect_vmas(test, mock->cli, 0);
	dma_resv_fini(bo->base.bo.base.resv);
}

/* It was exported, and whoever opens it there deletes what is closed. */
static void a_channel_reserves_its_notifiers_to_let_go(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);

	kref_init(&bo->base.bo.base.refcount);
	drm_gem_object_get(&bo->base.bo.base);
	bo->base.bo.pin_count = 2;
	mock->given_back = bo->base.bo.base.resv;
	nv_free_notifiers(mock, bo, vma);
	nv_expect_vmas(test, mock->cli, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&bo->base.vma_list));
	KUNIT_EXPECT_EQ(test, bo->base.bo.pin_count, 1);
	dma_resv_fini(bo->base.bo.base.resv);
}

/* Those of others may go meanwhile. */
static void who_asks_for_an_address_reserves_the_buffer(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);
	unsigned int reservations = mock->reservations;
	u64 address;

	KUNIT_EXPECT_EQ(test, nv_gem_info(bo, mock->cli, &address), 0);
	KUNIT_EXPECT_EQ(test, address, vma->addr);
	KUNIT_EXPECT_EQ(test, mock->reservations, reservations + 1);
	close_bo(bo, mock->cli);
	dma_resv_fini(bo->base.bo.base.resv);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_vma_that_nobody_uses_goes_at_once),
	KUNIT_CASE(a_vma_that_a_channel_may_use_stays),
	KUNIT_CASE(all_channels_of_the_client_count),
	KUNIT_CASE(what_other_clients_do_does_not_count),
	KUNIT_CASE(a_closed_vma_is_opened_again),
	KUNIT_CASE(the_memory_takes_its_vmas_along),
	KUNIT_CASE(the_client_takes_its_vmas_along),
	KUNIT_CASE(a_buffer_moves_when_a_client_that_has_it_open_is_gone),
	KUNIT_CASE(a_handle_of_before_vm_init_is_closed),
	KUNIT_CASE(a_handle_of_before_svm_init_is_closed),
	KUNIT_CASE(a_buffer_without_vmas_is_closed_unlocked),
	KUNIT_CASE(who_wakes_the_device_has_reserved_nothing),
	KUNIT_CASE(a_channel_reserves_its_notifiers_to_let_go),
	KUNIT_CASE(who_asks_for_an_address_reserves_the_buffer),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_vmas",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
