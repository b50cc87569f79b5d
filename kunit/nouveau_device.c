// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The device: when it may sleep, and what its requests see to.
 */
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include <uapi/drm/nouveau_drm.h>

#include "nouveau_mock.h"

#include "nouveau_gem.h"
#include "nouveau_ioctl.h"
#include "nouveau_ttm.h"

/* What the functions of power management are called with. */
static struct pci_dev *pci_device_of(struct nv_mock *mock)
{
	struct kunit *test = mock->glue->test;
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pci_set_drvdata(pdev, mock->drm);
	return pdev;
}

/*
 * The PM core takes any other error for the end of the device. It tries again on its own if
 * the device was busy.
 */
static void a_suspend_that_fails_may_be_tried_again(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct drm_device *drm = mock->drm->dev;
	struct pci_dev *pdev = pci_device_of(mock);

	mock->eviction_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, nv_runtime_suspend(&pdev->dev), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->busy_marks, 1);
	KUNIT_EXPECT_EQ(test, drm->switch_power_state, DRM_SWITCH_POWER_ON);
	KUNIT_EXPECT_FALSE(test, mock->drm->ttm.asleep);
}

/* The next kernel wants nothing of it, but that it does nothing. */
static void what_is_left_in_vram_does_not_bar_shutdown(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct pci_dev *pdev = pci_device_of(mock);

	mock->eviction_error = -ENOMEM;
	if (!nv_shutdown(pdev))
		kunit_skip(test, "nouveau of this kernel runs on then");
	KUNIT_EXPECT_EQ(test, mock->suspends, 1);
}

static void a_channel_that_hangs_does_not_bar_shutdown(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct pci_dev *pdev = pci_device_of(mock);
	struct nv_channel *channel = nv_channel(mock, 5);
	bool down;

	channel->emit_error = -ETIMEDOUT;
	mock->drm->channel = &channel->base;
	mock->drm->cechan = &channel->base;
	down = nv_shutdown(pdev);
	nv_channel_del(channel);
	if (!down)
		kunit_skip(test, "nouveau of this kernel runs on then");
	KUNIT_EXPECT_EQ(test, mock->suspends, 1);
}

/* The image is written: the system goes off, or is rolled back. */
static void what_is_left_in_vram_does_not_bar_hibernation(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct pci_dev *pdev = pci_device_of(mock);

	mock->eviction_error = -EBUSY;
	KUNIT_EXPECT_EQ(test, nv_poweroff(&pdev->dev), 0);
	KUNIT_EXPECT_EQ(test, mock->suspends, 1);
	KUNIT_EXPECT_TRUE(test, mock->drm->ttm.asleep);
}

/* vga_switcheroo does not ask whether it may cut the power. */
static void what_is_left_in_vram_does_not_bar_switching_off(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct pci_dev *pdev = pci_device_of(mock);

	mock->eviction_error = -EBUSY;
	nouveau_pmops_switch_off(&pdev->dev);
	KUNIT_EXPECT_EQ(test, mock->suspends, 1);
	KUNIT_EXPECT_TRUE(test, mock->drm->ttm.asleep);
}

/* It does nothing any more, so there is nothing to stop. */
static void jobs_end_with_a_device_that_does_not_resume(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct pci_dev *pdev = pci_device_of(mock);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_fence *fence = nv_emit(channel);

	nouveau_ttm_sleep(mock->drm);
	mock->resume_error = -ENODEV;
	KUNIT_EXPECT_EQ(test, nv_thaw(&pdev->dev), -ENODEV);
	KUNIT_EXPECT_TRUE(test, mock->drm->ttm.asleep);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));
	KUNIT_EXPECT_EQ(test, fence->base.error, -ENODEV);
	KUNIT_EXPECT_TRUE(test, nouveau_channel_end(&channel->base));
	KUNIT_EXPECT_EQ(test, atomic_read(&channel->base.killed), 1);
	nouveau_ttm_wake(mock->drm);
	nouveau_fence_unref(&fence);
	nv_channel_del(channel);
}

static struct ttm_resource_manager *
new_manager(struct nv_mock *mock, unsigned int mem_type,
	    const struct ttm_resource_manager_func *func)
{
	struct ttm_resource_manager *man = kzalloc_obj(*man);

	KUNIT_ASSERT_NOT_NULL(mock->glue->test, man);
	ttm_resource_manager_init(man, &mock->drm->ttm.bdev, 0);
	man->func = func;
	ttm_set_driver_manager(&mock->drm->ttm.bdev, mem_type, man);
	return man;
}

static void init_managers(struct nv_mock *mock)
{
	mock->drm->ttm.bdev.funcs = &nouveau_bo_driver;
	new_manager(mock, TTM_PL_TT, &nouveau_gart_manager);
	new_manager(mock, TTM_PL_VRAM, &nouveau_vram_manager);
}

/* A worker is to free it, after a fence of somebody else's. */
static void memory_that_is_about_to_be_freed_has_its_manager(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);

	init_managers(mock);
	mock->eviction_error = -EBUSY;
	mock->eviction_tries = 2;
	nouveau_ttm_release(mock->drm);
	KUNIT_EXPECT_EQ(test, mock->eviction_error, 0);
}

static struct nv_bo *left_on(struct nv_mock *mock, struct list_head *list)
{
	struct nv_bo *bo = nv_bo(mock);

	ttm_lru_item_init(&bo->mem.base.lru, TTM_LRU_RESOURCE);
	bo->mem.mem.object.client = &mock->cli->base;
	list_add(&bo->mem.base.lru.link, list);
	return bo;
}

static void expect_unmapped(struct kunit *test, struct nv_bo *bo)
{
	KUNIT_EXPECT_NULL(test, bo->mem.mem.object.client);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.bo.kref), 1);
	list_del(&bo->mem.base.lru.link);
	dma_resv_fini(bo->base.bo.base.resv);
}

/* It is freed when what it belongs to is gone. */
static void what_could_not_be_evicted_is_unmapped(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct ttm_device *bdev = &mock->drm->ttm.bdev;
	struct nv_bo *pinned, *busy[2];

	init_managers(mock);
	pinned = left_on(mock, nv_pinned(mock->drm));
	busy[0] = left_on(mock, &ttm_manager_type(bdev, TTM_PL_VRAM)->lru[0]);
	busy[1] = left_on(mock, &ttm_manager_type(bdev, TTM_PL_VRAM)->lru[0]);
	nv_unmap_left(mock);
	expect_unmapped(test, pinned);
	expect_unmapped(test, busy[0]);
	expect_unmapped(test, busy[1]);
	nouveau_ttm_release(mock->drm);
}

/* DRM looked whether it was there before. */
static void a_buffer_of_a_device_that_went_is_not_opened(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct drm_file file = { .driver_priv = mock->cli };
	struct nv_bo *bo = nv_bo(mock);

	mock->drm->dev->unplugged = true;
	nv_client_fini(mock->cli);
	KUNIT_EXPECT_EQ(test, nouveau_gem_object_open(&bo->base.bo.base, &file),
			-ENODEV);
	mock->drm->dev->unplugged = false;
	dma_resv_fini(bo->base.bo.base.resv);
}

/* How often it trims. What the request says does not matter. */
static unsigned int ask(struct nv_mock *mock, unsigned int request)
{
	struct drm_minor minor = {
		.dev = mock->drm->dev,
		.kdev = mock->drm->dev->dev,
	};
	struct drm_file drm_file = { .minor = &minor };
	struct file file = { .private_data = &drm_file };
	unsigned int before = mock->trims;

	mock->drm->dev->dev_private = mock->drm;
	nouveau_drm_ioctl(&file, request, 0);
	return mock->trims - before;
}

static void who_only_asks_trims_nothing(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);

	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_GETPARAM), 0);
	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_GEM_CPU_PREP), 0);
	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_GEM_INFO), 0);
}

static void who_makes_or_uses_buffers_trims(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);

	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_GEM_NEW), 1);
	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF), 1);
	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_VM_BIND), 1);
	KUNIT_EXPECT_EQ(test, ask(mock, DRM_IOCTL_NOUVEAU_EXEC), 1);
}

static void it_is_off_until_asked_for(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nouveau_fence_lru, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_suspend_that_fails_may_be_tried_again),
	KUNIT_CASE(what_is_left_in_vram_does_not_bar_shutdown),
	KUNIT_CASE(a_channel_that_hangs_does_not_bar_shutdown),
	KUNIT_CASE(what_is_left_in_vram_does_not_bar_hibernation),
	KUNIT_CASE(what_is_left_in_vram_does_not_bar_switching_off),
	KUNIT_CASE(jobs_end_with_a_device_that_does_not_resume),
	KUNIT_CASE(memory_that_is_about_to_be_freed_has_its_manager),
	KUNIT_CASE(what_could_not_be_evicted_is_unmapped),
	KUNIT_CASE(a_buffer_of_a_device_that_went_is_not_opened),
	KUNIT_CASE(who_only_asks_trims_nothing),
	KUNIT_CASE(who_makes_or_uses_buffers_trims),
	KUNIT_CASE(it_is_off_until_asked_for),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_device",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
