// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Jobs of a VM: its own buffers are fenced as one, external ones each for itself, on
 * the scheduler's fences.
 */
#include <linux/slab.h>

#include <kunit/static_stub.h>

#include <drm/ttm/ttm_bo_group.h>

#include "../ttm_fence_lru/internal.h"
#include "nouveau_mock.h"

#ifndef TTM_NUM_MOVE_FENCES
/* As 6.12 calls it. */
#define drm_gpuvm_bo_obtain_locked drm_gpuvm_bo_obtain
#endif

/**
 * struct vm - a VM with its scheduler's entity, which has one channel
 * @uvmm: nouveau's
 * @mock: the device
 * @sched: the entity
 * @channel: the hardware behind it
 */
struct vm {
	struct nouveau_uvmm uvmm;
	struct nv_mock *mock;
	struct nouveau_sched *sched;
	struct nv_channel *channel;
};

/**
 * struct vm_job - a job that uses all buffers of the VM
 * @base: nouveau's
 * @channel: who does it
 */
struct vm_job {
	struct nouveau_job base;
	struct nv_channel *channel;
};

static void vm_free(struct drm_gpuvm *gpuvm)
{
}

static const struct drm_gpuvm_ops vm_ops = { .vm_free = vm_free };

static struct dma_resv *vm_resv(struct vm *vm)
{
	return drm_gpuvm_resv(&vm->uvmm.base);
}

static struct nouveau_sched *new_entity(struct vm *vm)
{
	struct nouveau_sched *sched;
	int ret = nouveau_sched_create(&sched, vm->mock->drm, NULL, 4);

	KUNIT_ASSERT_EQ(vm->mock->glue->test, ret, 0);
	return sched;
}

static struct vm *new_vm(struct kunit *test)
{
	struct vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct drm_gem_object *r_obj;
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	vm->mock = nv_mock(test);
	drm = vm->mock->glue->drm;
	r_obj = drm_gpuvm_resv_object_alloc(drm);
	KUNIT_ASSERT_NOT_NULL(test, r_obj);
	drm_gpuvm_init(&vm->uvmm.base, "vm", 0, drm, r_obj, 0, SZ_1G, 0, 0,
		       &vm_ops);
	drm_gem_object_put(r_obj);
	vm->uvmm.group =
		ttm_bo_group_create(&vm->mock->glue->bdev, vm_resv(vm));
	KUNIT_ASSERT_NOT_NULL(test, vm->uvmm.group);
	vm->mock->cli->uvmm.ptr = &vm->uvmm;

	vm->channel = nv_channel(vm->mock, 0);
	vm->sched = new_entity(vm);
	return vm;
}

/* Its jobs are done. Its buffers share its reservation object. */
static void finish_vm(struct vm *vm)
{
	struct glue_bo *bo, *next;

	list_for_each_entry_safe(bo, next, &vm->mock->glue->bos, entry)
		if (bo->tbo.base.resv == vm_resv(vm))
			glue_put(bo);
	nouveau_sched_destroy(&vm->sched);
	nv_channel_del(vm->channel);
	ttm_bo_group_put(vm->uvmm.group);
	drm_gpuvm_put(&vm->uvmm.base);
}

/* A buffer that nobody else can have. */
static struct glue_bo *own_bo(struct vm *vm, char name)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo;
	int ret;

	dma_resv_lock(vm_resv(vm), NULL);
	bo = glue_bo_try(vm->mock->glue, name, &glue_vram, &ctx, vm_resv(vm),
			 &ret);
	if (bo)
		ttm_bo_group_join(vm->uvmm.group, &bo->tbo);
	dma_resv_unlock(vm_resv(vm));
	KUNIT_ASSERT_NOT_NULL(vm->mock->glue->test, bo);
	return bo;
}

/* The VM uses a buffer that others have, too. */
static struct drm_gpuvm_bo *add_external(struct vm *vm, struct glue_bo *bo)
{
	struct drm_gpuvm_bo *vm_bo;

	drm_gem_gpuva_init(&bo->tbo.base);
	glue_lock(bo);
	vm_bo = drm_gpuvm_bo_obtain_locked(&vm->uvmm.base, &bo->tbo.base);
	glue_unlock(bo);
	KUNIT_ASSERT_FALSE(vm->mock->glue->test, IS_ERR(vm_bo));

	dma_resv_lock(vm_resv(vm), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	dma_resv_unlock(vm_resv(vm));
	return vm_bo;
}

static void remove_external(struct drm_gpuvm_bo *vm_bo, struct glue_bo *bo)
{
	glue_lock(bo);
	drm_gpuvm_bo_put(vm_bo);
	glue_unlock(bo);
}

/*
 * The job: what EXEC does, without what it is for.
 */

static struct vm_job *to_vm_job(struct nouveau_job *job)
{
	return container_of(job, struct vm_job, base);
}

static int job_submit(struct nouveau_job *job, struct drm_gpuvm_exec *vme)
{
	int ret = drm_gpuvm_exec_lock(vme);

	if (ret)
		return ret;
	ret = nouveau_job_reserve_fence(job, vme);
	if (ret)
		drm_gpuvm_exec_unlock(vme);
	return ret;
}

static void job_armed_submit(struct nouveau_job *job,
			     struct drm_gpuvm_exec *vme)
{
	nouveau_job_add_fence(job, vme);
	drm_gpuvm_exec_unlock(vme);
}

static struct dma_fence *job_run(struct nouveau_job *job)
{
	return &nv_emit(to_vm_job(job)->channel)->base;
}

static void job_free(struct nouveau_job *job)
{
	nouveau_job_done(job);
	nouveau_job_free(job);
	kfree(to_vm_job(job));
}

static const struct nouveau_job_ops job_ops = {
	.submit = job_submit,
	.armed_submit = job_armed_submit,
	.run = job_run,
	.free = job_free,
};

/* Returns what the submission says; the hardware has the job then. */
static int submit(struct vm *vm, struct nouveau_sched *sched,
		  struct nv_channel *channel)
{
	struct drm_file file = { .driver_priv = vm->mock->cli };
	struct nouveau_job_args args = {
		.file_priv = &file,
		.sched = sched,
		.credits = 1,
		.resv_usage = DMA_RESV_USAGE_BOOKKEEP,
		.ops = &job_ops,
	};
	struct vm_job *job = kzalloc_obj(*job);
	int ret;

	KUNIT_ASSERT_NOT_NULL(vm->mock->glue->test, job);
	job->channel = channel;
	KUNIT_ASSERT_EQ(vm->mock->glue->test,
			nouveau_job_init(&job->base, &args), 0);
	ret = nouveau_job_submit(&job->base);
	if (ret) {
		drm_sched_job_cleanup(&job->base.base);
		nouveau_job_free(&job->base);
		kfree(job);
	}
	flush_workqueue(sched->wq);
	return ret;
}

static void submit_one(struct vm *vm)
{
	KUNIT_ASSERT_EQ(vm->mock->glue->test,
			submit(vm, vm->sched, vm->channel), 0);
}

/*
 *   VRAM: [a b] y   GTT: x   entity: -
 *   VRAM: y         GTT: -   entity: node with the group, and x
 *   VRAM: y [a b]   GTT: x   entity: -
 */
static void a_job_takes_the_group_and_external_buffers(struct kunit *test)
{
	struct vm *vm = new_vm(test);
	struct glue_device *dev = vm->mock->glue;
	struct drm_gpuvm_bo *external;
	struct glue_bo *x;

	own_bo(vm, 'a');
	own_bo(vm, 'b');
	glue_bo(dev, 'y', &glue_vram);
	x = glue_bo(dev, 'x', &glue_gtt);
	external = add_external(vm, x);

	submit_one(vm);
	glue_expect_lru(dev, TTM_PL_VRAM, "y", 2);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	KUNIT_EXPECT_EQ(test, vm->sched->lru_channel.nr_links, 2);

	nv_channel_interrupt(vm->channel);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "yab", 0);
	glue_expect_lru(dev, TTM_PL_TT, "x", 0);
	remove_external(external, x);
	finish_vm(vm);
}

static void a_buffer_of_the_vm_dies_with_its_jobs(struct kunit *test)
{
	struct vm *vm = new_vm(test);
	struct glue_device *dev = vm->mock->glue;
	struct glue_bo *b;

	own_bo(vm, 'a');
	b = own_bo(vm, 'b');
	submit_one(vm);
	glue_put(b);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);

	nv_channel_interrupt(vm->channel);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	finish_vm(vm);
}

/* EXEC and VM_BIND have an entity each, and so a timeline. */
static void a_vm_is_busy_until_all_entities_are_done(struct kunit *test)
{
	struct vm *vm = new_vm(test);
	struct glue_device *dev = vm->mock->glue;
	struct nv_channel *channel = nv_channel(vm->mock, 1);
	struct nouveau_sched *sched = new_entity(vm);

	own_bo(vm, 'a');
	submit_one(vm);
	KUNIT_ASSERT_EQ(test, submit(vm, sched, channel), 0);
	KUNIT_EXPECT_EQ(test, vm->sched->lru_channel.nr_links, 1);
	KUNIT_EXPECT_EQ(test, sched->lru_channel.nr_links, 1);

	nv_channel_interrupt(channel);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	nv_channel_interrupt(vm->channel);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);

	nouveau_sched_destroy(&sched);
	nv_channel_del(channel);
	finish_vm(vm);
}

static void a_job_without_memory_changes_nothing(struct kunit *test)
{
	struct vm *vm = new_vm(test);
	struct glue_device *dev = vm->mock->glue;

	own_bo(vm, 'a');
	/* It has the link that is the group's own. */
	glue_use_group(vm->uvmm.group, 0);

	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc,
				   glue_no_link);
	KUNIT_EXPECT_EQ(test, submit(vm, vm->sched, vm->channel), -ENOMEM);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	KUNIT_EXPECT_EQ(test, vm->sched->lru_channel.nr_links, 0);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&vm->sched->mutex));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(vm_resv(vm)));
	glue_expect_sound(dev);

	submit_one(vm);
	KUNIT_EXPECT_EQ(test, vm->sched->lru_channel.nr_links, 1);
	nv_channel_interrupt(vm->channel);
	finish_vm(vm);
}

static void an_entity_is_a_channel_while_it_lives(struct kunit *test)
{
	struct vm *vm = new_vm(test);
	struct ttm_fence_lru *lru = vm->mock->glue->bdev.fence_lru;

	KUNIT_EXPECT_EQ(test, lru->nr_channels, GLUE_FOREIGN + 1);
	finish_vm(vm);
	KUNIT_EXPECT_EQ(test, lru->nr_channels, GLUE_FOREIGN);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_job_takes_the_group_and_external_buffers),
	KUNIT_CASE(a_buffer_of_the_vm_dies_with_its_jobs),
	KUNIT_CASE(a_vm_is_busy_until_all_entities_are_done),
	KUNIT_CASE(a_job_without_memory_changes_nothing),
	KUNIT_CASE(an_entity_is_a_channel_while_it_lives),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_jobs",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
