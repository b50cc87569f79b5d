// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "swgpu_drv.h"

/**
 * DOC: steps
 *
 * A list of requests in one: where a system call costs more than the request, as in
 * User-Mode Linux, a replay spends its time with the driver so. Each step does what its
 * own ioctl does, no more. Buffers are named by slots of an array of the caller's, where
 * a creation leaves the handle.
 */

/**
 * struct play - a list on its way
 * @args: the ioctl's
 * @drm: the device
 * @file: the caller's
 * @steps: the caller's array
 * @slots: likewise
 * @bos: likewise
 * @owed_ns: pauses that were too short to sleep
 */
struct play {
	struct drm_swgpu_play *args;
	struct drm_device *drm;
	struct drm_file *file;
	struct drm_swgpu_step __user *steps;
	u32 __user *slots;
	struct drm_swgpu_submit_bo __user *bos;
	u64 owed_ns;
};

static int get_handle(struct play *p, u32 slot, u32 *handle)
{
	if (slot >= p->args->nr_slots)
		return -EINVAL;
	return get_user(*handle, p->slots + slot);
}

static int create(struct play *p, struct drm_swgpu_step *step)
{
	struct drm_swgpu_gem_create args = {
		.size = step->value,
		.domains = step->flags,
	};
	int ret;

	if (step->slot >= p->args->nr_slots)
		return -EINVAL;
	ret = swgpu_gem_create_ioctl(p->drm, &args, p->file);
	if (ret)
		return ret;
	ret = put_user(args.handle, p->slots + step->slot);
	/* Nobody would know its handle. */
	if (ret)
		drm_gem_handle_delete(p->file, args.handle);
	return ret;
}

static int close(struct play *p, struct drm_swgpu_step *step)
{
	u32 handle;
	int ret = get_handle(p, step->slot, &handle);

	return ret ? ret : drm_gem_handle_delete(p->file, handle);
}

static int name_bos(struct play *p, struct drm_swgpu_submit_bo *bos, u32 nr)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < nr; i++)
		ret = get_handle(p, bos[i].handle, &bos[i].handle);
	return ret;
}

static int submit(struct play *p, struct drm_swgpu_step *step)
{
	struct drm_swgpu_submit args = {
		.channel = p->args->channel,
		.nr_bos = step->flags,
		.duration_ns = step->value,
	};
	struct drm_swgpu_submit_bo *bos;
	int ret;

	if (args.nr_bos > SWGPU_MAX_SUBMIT_BOS)
		return -E2BIG;
	if (step->slot > p->args->nr_bos ||
	    args.nr_bos > p->args->nr_bos - step->slot)
		return -EINVAL;
	bos = vmemdup_array_user(p->bos + step->slot, args.nr_bos,
				 sizeof(*bos));
	if (IS_ERR(bos))
		return PTR_ERR(bos);
	ret = name_bos(p, bos, args.nr_bos);
	if (!ret)
		ret = swgpu_submit(p->drm, &args, bos, p->file);
	kvfree(bos);
	return ret;
}

static int wait(struct play *p, struct drm_swgpu_step *step)
{
	struct drm_swgpu_gem_wait args = {
		.flags = step->flags,
		.timeout_ns = step->value,
	};
	int ret = get_handle(p, step->slot, &args.handle);

	return ret ? ret : swgpu_gem_wait_ioctl(p->drm, &args, p->file);
}

static int do_step(struct play *p, struct drm_swgpu_step *step)
{
	switch (step->op) {
	case SWGPU_STEP_PAUSE:
		return 0;
	case SWGPU_STEP_CREATE:
		return create(p, step);
	case SWGPU_STEP_CLOSE:
		return close(p, step);
	case SWGPU_STEP_SUBMIT:
		return submit(p, step);
	case SWGPU_STEP_WAIT:
		return wait(p, step);
	default:
		return -EINVAL;
	}
}

/* Whether the list goes on after a step with this error. */
static bool goes_on(const struct drm_swgpu_step *step)
{
	return !step->error ||
	       (step->op == SWGPU_STEP_SUBMIT &&
		(step->error == -ENOMEM || step->error == -ENOSPC)) ||
	       (step->op == SWGPU_STEP_WAIT && step->error == -EBUSY &&
		!step->value);
}

/*
 * Copy a step in, do it, copy its outcome out. Returns -ECANCELED if it ends the list,
 * and -ERESTARTSYS, with nothing copied out, if a signal did.
 */
static int play_step(struct play *p, u32 i)
{
	struct drm_swgpu_step step;

	if (copy_from_user(&step, p->steps + i, sizeof(step)))
		return -EFAULT;
	p->owed_ns = swgpu_cost_pause(p->owed_ns + step.pause_ns);
	swgpu_ioctl_begin(p->drm);
	step.error = do_step(p, &step);
	swgpu_ioctl_end(p->drm);
	if (step.error == -ERESTARTSYS || step.error == -EINTR)
		return -ERESTARTSYS;
	step.end_ns = ktime_to_ns(swgpu_now());
	if (copy_to_user(p->steps + i, &step, sizeof(step)))
		return -EFAULT;
	return goes_on(&step) ? 0 : -ECANCELED;
}

int swgpu_play_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_swgpu_play *args = data;
	struct play p = {
		.args = args,
		.drm = drm,
		.file = file,
		.steps = u64_to_user_ptr(args->steps),
		.slots = u64_to_user_ptr(args->slots),
		.bos = u64_to_user_ptr(args->bos),
		.owed_ns = args->owed_ns,
	};
	int ret = 0;
	u32 i;

	if (args->pad)
		return -EINVAL;
	for (i = 0; i < args->nr_steps && !signal_pending(current); i++) {
		ret = play_step(&p, i);
		if (ret)
			break;
		cond_resched();
	}
	/* One that failed is done, one that a signal has ended is not. */
	args->nr_done = ret == -ECANCELED ? i + 1 : i;
	args->owed_ns = p.owed_ns;
	return ret == -EFAULT ? ret : 0;
}
