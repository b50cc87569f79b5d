// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Lists of requests. */

#include <errno.h>

#include "gpu.h"

#define JOB_NS	20000000

struct list {
	struct drm_swgpu_step steps[6];
	uint32_t slots[2];
	struct drm_swgpu_submit_bo bos[1];
	struct drm_swgpu_play args;
};

static void prepare(struct list *l, uint32_t channel, uint32_t nr_steps)
{
	l->bos[0] = (struct drm_swgpu_submit_bo){ .handle = 1, .flags = READ | WRITE,
						  .domains = GTT };
	l->args = (struct drm_swgpu_play){
		.steps = (uintptr_t)l->steps,
		.slots = (uintptr_t)l->slots,
		.bos = (uintptr_t)l->bos,
		.nr_steps = nr_steps,
		.nr_slots = 2,
		.nr_bos = 1,
		.channel = channel,
	};
}

/* One step, which must fail so, and end the list. */
static void step_fails(int fd, struct drm_swgpu_step step, int error)
{
	struct list l = { .steps = { step, { .op = SWGPU_STEP_PAUSE, .error = 1 } } };

	prepare(&l, 0, 2);
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_PLAY, &l.args), 0);
	check_is(l.args.nr_done, 1);
	check_is(l.steps[0].error, error);
	check_is(l.steps[1].error, 1);
}

void test_bad_play(int fd)
{
	struct list l = {};

	prepare(&l, 0, 0);
	l.args.pad = 1;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_PLAY, &l.args), -EINVAL);
	prepare(&l, 0, 1);
	l.args.steps = 8;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_PLAY, &l.args), -EFAULT);
	step_fails(fd, (struct drm_swgpu_step){ .op = 5 }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_CREATE, .slot = 2, .value = 1,
						.flags = GTT }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_CREATE, .value = 1 }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_CLOSE, .slot = 2 }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_CLOSE }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_WAIT }, -ENOENT);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_SUBMIT, .flags = 2 }, -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_SUBMIT, .slot = 1, .flags = 1 },
		   -EINVAL);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_SUBMIT, .flags = ~0U }, -E2BIG);
	step_fails(fd, (struct drm_swgpu_step){ .op = SWGPU_STEP_SUBMIT }, -ENOENT);
}

/* The array of slots is not there. */
void test_play_unknown(int fd)
{
	struct list l = { .steps = {
		{ .op = SWGPU_STEP_CREATE, .value = PAGE, .flags = GTT },
	} };
	uint64_t buffers = gpu_stats(fd, 0).buffers;

	prepare(&l, 0, 1);
	l.args.slots = 8;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_PLAY, &l.args), 0);
	check_is(l.steps[0].error, -EFAULT);
	check_is(gpu_stats(fd, 0).buffers, buffers);
}

/* A buffer is made, used, looked at while it is busy, waited for and closed. */
void test_play(int fd)
{
	struct list l = { .steps = {
		{ .op = SWGPU_STEP_CREATE, .slot = 1, .value = PAGE, .flags = GTT },
		{ .op = SWGPU_STEP_SUBMIT, .value = JOB_NS, .flags = 1 },
		{ .op = SWGPU_STEP_WAIT, .slot = 1 },
		{ .op = SWGPU_STEP_WAIT, .slot = 1, .value = ~0ULL },
		{ .op = SWGPU_STEP_CLOSE, .slot = 1, .pause_ns = 2000000 },
		{ .op = SWGPU_STEP_PAUSE, .pause_ns = 1 },
	} };
	uint32_t channel;

	if (!check_is(gpu_channel(fd, &channel), 0))
		return;
	prepare(&l, channel, 6);
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_PLAY, &l.args), 0);
	check_is(l.args.nr_done, 6);
	check_is(l.args.owed_ns, 1);
	for (int i = 0; i < 6; i++)
		check_is(l.steps[i].error, i == 2 ? -EBUSY : 0);
	check_is(l.steps[3].end_ns - l.steps[1].end_ns >= JOB_NS / 2, 1);
	check_is(l.steps[4].end_ns - l.steps[3].end_ns >= 2000000, 1);
	check_is(gpu_close(fd, l.slots[1]), -EINVAL);
	check_is(gpu_channel_destroy(fd, channel), 0);
}
