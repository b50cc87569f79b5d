// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_exec.h>
#include <drm/drm_gem.h>

#include "swgpu_channel.h"
#include "swgpu_vm.h"

#define MAX_DURATION_NS (10ULL * NSEC_PER_SEC)

/**
 * struct submit - a submission on its way
 */
struct submit {
	/** @args: from user space */
	struct drm_swgpu_submit *args;
	/** @channel: a reference */
	struct swgpu_channel *channel;
	/** @entries: the buffers that the user names */
	const struct drm_swgpu_submit_bo *entries;
	/**
	 * @objs: references, in the order of @entries. Put after everything is
	 * unlocked, as the last put of a buffer wants it.
	 */
	struct drm_gem_object **objs;
	/** @vm: whose private buffers the job uses, a reference, or NULL */
	struct swgpu_vm *vm;
	/** @privates: references to these, bound or not; put like @objs */
	struct swgpu_bo **privates;
	/** @nr_privates: length of @privates */
	u32 nr_privates;
	/** @job: NULL once the engine has it */
	struct swgpu_job *job;
	/** @exec: locks the buffers */
	struct drm_exec exec;
	/** @ctx: of all that is validated: what it waits for counts together */
	struct ttm_operation_ctx ctx;
};

static bool vm_valid(const struct drm_swgpu_submit *args)
{
	return !args->vm == !args->vm_flags &&
	       !(args->vm_flags & ~(SWGPU_BO_READ | SWGPU_BO_WRITE));
}

static bool entry_valid(const struct drm_swgpu_submit_bo *entry)
{
	return !entry->pad && entry->flags &&
	       !(entry->flags & ~(SWGPU_BO_READ | SWGPU_BO_WRITE)) &&
	       swgpu_domains_valid(entry->domains);
}

static struct swgpu_bo *submit_bo(struct submit *s, u32 i)
{
	return gem_to_swgpu_bo(s->objs[i]);
}

static bool submit_writes(struct submit *s, u32 i)
{
	return s->entries[i].flags & SWGPU_BO_WRITE;
}

static bool writes_vm(struct submit *s)
{
	return s->args->vm_flags & SWGPU_BO_WRITE;
}

static int check_entries(struct submit *s)
{
	u32 i;

	for (i = 0; i < s->args->nr_bos; i++) {
		if (!entry_valid(&s->entries[i]))
			return -EINVAL;
	}
	return 0;
}

static int lookup_objs(struct submit *s, struct drm_file *file)
{
	u32 i;

	s->objs =
		kvcalloc(s->args->nr_bos, sizeof(*s->objs), GFP_KERNEL_ACCOUNT);
	if (!s->objs)
		return -ENOMEM;

	for (i = 0; i < s->args->nr_bos; i++) {
		s->objs[i] = drm_gem_object_lookup(file, s->entries[i].handle);
		if (!s->objs[i])
			return -ENOENT;
		if (submit_bo(s, i)->vm)
			return -EINVAL;
	}
	return 0;
}

static int lookup_vm(struct submit *s, struct swgpu_file *sfile)
{
	if (!s->args->vm)
		return 0;
	s->vm = swgpu_vm_lookup(sfile, s->args->vm);
	if (!s->vm)
		return -ENOENT;
	return swgpu_vm_get_bos(s->vm, &s->privates, &s->nr_privates);
}

static int prepare(struct submit *s, struct drm_file *file)
{
	int ret;

	s->channel = swgpu_channel_lookup(file->driver_priv, s->args->channel);
	if (!s->channel)
		return -ENOENT;
	ret = check_entries(s);
	if (ret)
		return ret;
	ret = lookup_objs(s, file);
	if (ret)
		return ret;
	ret = lookup_vm(s, file->driver_priv);
	if (ret)
		return ret;
	s->job = swgpu_job_create(s->args->nr_bos + s->nr_privates);
	if (!s->job)
		return -ENOMEM;
	return swgpu_job_get_place(s->job, s->channel,
				   !(file->filp->f_flags & O_NONBLOCK));
}

static void unprepare(struct submit *s)
{
	u32 i;

	if (s->job)
		swgpu_job_free(s->job);
	for (i = 0; s->objs && i < s->args->nr_bos; i++)
		drm_gem_object_put(s->objs[i]);
	kvfree(s->objs);
	for (i = 0; i < s->nr_privates; i++)
		drm_gem_object_put(&s->privates[i]->tbo.base);
	kvfree(s->privates);
	swgpu_vm_put(s->vm);
	if (s->channel)
		swgpu_channel_put(s->channel);
}

static int validate_bo(struct submit *s, struct swgpu_bo *bo, u32 domains)
{
	struct swgpu_device *sdev = s->channel->sdev;
	struct ttm_place places[SWGPU_MAX_PLACES];
	struct ttm_placement placement = { .placement = places };
	struct ttm_resource *old = bo->tbo.resource;
	ktime_t start = swgpu_now();
	int ret;

	if (swgpu_bo_is_import(&bo->tbo))
		domains &= SWGPU_DOMAIN_GTT;
	if (!domains)
		return -EINVAL;
	/* Another device uses it, so it stays where it is. */
	if (bo->tbo.pin_count)
		return 0;

	placement.num_placement = swgpu_places(domains, places);
	ret = ttm_bo_validate(&bo->tbo, &placement, &s->ctx);
	if (ret || bo->tbo.resource != old) {
		swgpu_cost_pay_operations(sdev);
		swgpu_measure_alloc(sdev, bo->tbo.base.size, start, ret);
	}
	return ret;
}

static int validate_bos(struct submit *s)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < s->args->nr_bos; i++)
		ret = validate_bo(s, submit_bo(s, i), s->entries[i].domains);
	for (i = 0; !ret && i < s->nr_privates; i++) {
		struct swgpu_bo *bo = s->privates[i];

		if (bo->bound)
			ret = validate_bo(s, bo, bo->domains);
	}
	return ret;
}

/*
 * To make room, TTM locks other buffers by the ticket of these. So they are validated
 * inside the loop: when it ends, the ticket takes no more locks.
 */
static int lock_and_validate_bos(struct submit *s)
{
	int ret;
	u32 i;

	drm_exec_until_all_locked(&s->exec)
	{
		ret = 0;
		if (s->vm) {
			ret = drm_exec_lock_obj(&s->exec, &s->vm->base);
			drm_exec_retry_on_contention(&s->exec);
		}
		for (i = 0; !ret && i < s->args->nr_bos; i++) {
			ret = drm_exec_lock_obj(&s->exec, s->objs[i]);
			drm_exec_retry_on_contention(&s->exec);
		}
		/* The same buffer twice, perhaps by two handles */
		if (ret == -EALREADY)
			ret = -EINVAL;
		if (!ret)
			ret = validate_bos(s);
		if (ret)
			break;
	}
	return ret;
}

/* Implicit synchronisation: writers wait for all, readers for writers. */
static int add_deps(struct submit *s, struct dma_resv *resv, bool write)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	dma_resv_for_each_fence(&cursor, resv, dma_resv_usage_rw(write),
				fence) {
		ret = swgpu_job_add_dep(s->job, s->channel, fence);
		if (ret)
			return ret;
	}
	return 0;
}

static int note_bo(struct swgpu_job_bo *jbo, struct swgpu_bo *bo, bool write)
{
	if (WARN_ON_ONCE(!swgpu_tag_place_of(&bo->tbo, &jbo->place)))
		return -EINVAL;
	jbo->tag = swgpu_tag_cell_get(bo->tag);
	jbo->write = write;
	return 0;
}

/* One fence for all; what is not bound is left alone. */
static int fill_privates(struct submit *s, struct swgpu_job_bo *jbos)
{
	bool write = writes_vm(s);
	int ret;
	u32 i;

	ret = ttm_bo_group_reserve_fence_on(s->vm->group,
					    &s->channel->lru_channel);
	if (ret)
		return ret;
	ret = add_deps(s, s->vm->base.resv, write);
	for (i = 0; !ret && i < s->nr_privates; i++) {
		if (s->privates[i]->bound)
			ret = note_bo(&jbos[i], s->privates[i], write);
	}
	return ret;
}

static int fill_job(struct submit *s)
{
	struct swgpu_job_bo *jbos = s->job->bos;
	u32 i;
	int ret;

	for (i = 0; i < s->args->nr_bos; i++) {
		struct swgpu_bo *bo = submit_bo(s, i);

		ret = ttm_bo_reserve_fence_on(&bo->tbo,
					      &s->channel->lru_channel);
		if (ret)
			return ret;
		ret = add_deps(s, s->objs[i]->resv, submit_writes(s, i));
		if (ret)
			return ret;
		ret = note_bo(&jbos[i], bo, submit_writes(s, i));
		if (ret)
			return ret;
	}
	return s->vm ? fill_privates(s, jbos + i) : 0;
}

static enum dma_resv_usage usage(bool write)
{
	return write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
}

static void add_fences(struct submit *s, struct dma_fence *fence)
{
	struct ttm_submission sub =
		TTM_SUBMISSION(&s->channel->sdev->ttm, fence);
	u32 i;

	for (i = 0; i < s->args->nr_bos; i++)
		ttm_submission_add(&sub, &submit_bo(s, i)->tbo,
				   usage(submit_writes(s, i)));
	ttm_submission_end(&sub);
	if (s->vm)
		ttm_bo_group_add_fence(s->vm->group, fence,
				       usage(writes_vm(s)));
}

/* Nothing in here fails or allocates: the fence is on its way to be seen. */
static void emit_locked(struct submit *s)
{
	struct swgpu_channel *channel = s->channel;
	struct swgpu_job *job = s->job;
	bool cookie;
	u32 i;

	lockdep_assert_held(&channel->emit);

	job->duration_ns = s->args->duration_ns;
	swgpu_job_number(job, channel);
	s->args->seqno = channel->emitted;

	cookie = dma_fence_begin_signalling();
	if (channel->sdev->broken != SWGPU_BROKEN_FENCES)
		add_fences(s, &job->fence->base);
	for (i = 0; i < s->args->nr_bos; i++)
		ttm_bo_move_to_lru_tail_unlocked(&submit_bo(s, i)->tbo);
	swgpu_engine_push(channel, job);
	s->job = NULL;
	dma_fence_end_signalling(cookie);
}

static int emit(struct submit *s)
{
	struct swgpu_channel *channel = s->channel;
	int ret;

	ret = mutex_lock_interruptible(&channel->emit);
	if (ret)
		return ret;
	if (channel->killed)
		ret = -ENODEV;
	else if (swgpu_fence_lru(&channel->sdev->ttm))
		ret = ttm_fence_lru_channel_reserve(&channel->lru_channel);
	if (!ret)
		emit_locked(s);
	mutex_unlock(&channel->emit);
	return ret;
}

static u32 count_unlinked(struct submit *s)
{
	u32 i, nr = 0;

	for (i = 0; i < s->args->nr_bos; i++)
		nr += swgpu_bo_is_unlinked(&submit_bo(s, i)->tbo);
	return nr;
}

static void pay(struct submit *s)
{
	swgpu_cost_pay(SWGPU_COST_USE, s->args->nr_bos + s->nr_privates);
	swgpu_cost_pay(SWGPU_COST_LINK, count_unlinked(s));
}

static int submit_locked(struct submit *s)
{
	int ret;

	ret = lock_and_validate_bos(s);
	if (!ret)
		ret = fill_job(s);
	if (ret)
		return ret;
	pay(s);
	return emit(s);
}

/**
 * swgpu_submit - queue a job
 * @drm: the device
 * @args: the ioctl's; its @bos is not used
 * @entries: the buffers, as many as @args says
 * @file: the caller's
 *
 * Return: 0, or what the ioctl fails with.
 */
int swgpu_submit(struct drm_device *drm, struct drm_swgpu_submit *args,
		 const struct drm_swgpu_submit_bo *entries,
		 struct drm_file *file)
{
	struct submit s = {
		.args = args,
		.entries = entries,
		.ctx = { .interruptible = true },
	};
	int ret;

	if (args->duration_ns > MAX_DURATION_NS || !vm_valid(args))
		return -EINVAL;
	ret = swgpu_wait_resumed(to_swgpu(drm));
	if (ret)
		return ret;

	ret = prepare(&s, file);
	if (!ret) {
		drm_exec_init(&s.exec, DRM_EXEC_INTERRUPTIBLE_WAIT,
			      args->nr_bos + 1);
		ret = submit_locked(&s);
		drm_exec_fini(&s.exec);
	}
	unprepare(&s);
	return ret;
}

int swgpu_submit_ioctl(struct drm_device *drm, void *data,
		       struct drm_file *file)
{
	struct drm_swgpu_submit *args = data;
	struct drm_swgpu_submit_bo *entries = NULL;
	int ret;

	if (args->nr_bos > SWGPU_MAX_SUBMIT_BOS)
		return -E2BIG;
	if (args->nr_bos) {
		entries = vmemdup_array_user(u64_to_user_ptr(args->bos),
					     args->nr_bos, sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	ret = swgpu_submit(drm, args, entries, file);
	kvfree(entries);
	return ret;
}
