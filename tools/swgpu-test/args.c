// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bad arguments are refused. */

#include <errno.h>
#include <stdlib.h>

#include "gpu.h"

void test_bad_create(int fd)
{
	uint32_t handle;

	check_is(gpu_create(fd, 0, VRAM, &handle), -EINVAL);
	check_is(gpu_create(fd, PAGE, 0, &handle), -EINVAL);
	check_is(gpu_create(fd, PAGE, 4, &handle), -EINVAL);
	check_is(gpu_create(fd, PAGE, VRAM | 1U << 31, &handle), -EINVAL);
	check_is(gpu_create(fd, ~0ULL, VRAM | GTT, &handle), -ENOMEM);
	check_is(gpu_create(fd, 1ULL << 62, GTT, &handle), -ENOMEM);
	check_is(gpu_create(fd, gpu_stats(fd, 0).vram_bytes + 1, VRAM, &handle), -ENOMEM);
}

void test_bad_map_and_wait(int fd)
{
	struct drm_swgpu_gem_map map = {};
	uint32_t handle;

	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_MAP, &map), -ENOENT);
	check_is(gpu_wait(fd, 0, 0, 0), -ENOENT);
	check_is(gpu_wait(fd, 4711, 0, 0), -ENOENT);

	if (!check_is(gpu_create(fd, 1, GTT, &handle), 0))
		return;
	map.handle = handle;
	map.pad = 1;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_MAP, &map), -EINVAL);
	check_is(gpu_wait(fd, handle, 2, 0), -EINVAL);
	check_is(gpu_wait(fd, handle, 0, ~0ULL), 0);
	check_is(gpu_close(fd, handle), 0);
	check_is(gpu_wait(fd, handle, 0, 0), -ENOENT);
	check_is(gpu_close(fd, handle), -EINVAL);
}

void test_bad_channels(int fd)
{
	struct drm_swgpu_channel args = { .pad = 1 };
	uint32_t channel;

	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_CREATE, &args), -EINVAL);
	check_is(gpu_channel_destroy(fd, 0), -ENOENT);
	check_is(gpu_channel_destroy(fd, 1), -ENOENT);
	check_is(gpu_fault(fd, 1, SWGPU_FAULT_KILL), -ENOENT);

	if (!check_is(gpu_channel(fd, &channel), 0))
		return;
	args.channel = channel;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_DESTROY, &args), -EINVAL);
	check_is(gpu_fault(fd, channel, 0), -EINVAL);
	check_is(gpu_fault(fd, channel, 5), -EINVAL);
	check_is(gpu_channel_destroy(fd, channel), 0);
	check_is(gpu_channel_destroy(fd, channel), -ENOENT);
}

static void bad_entries(int fd, uint32_t channel, uint32_t handle)
{
	struct drm_swgpu_submit_bo good = {
		.handle = handle,
		.flags = READ,
		.domains = GTT,
	};
	struct drm_swgpu_submit_bo bos[2];

	bos[0] = good;
	bos[0].flags = 0;
	check_is(gpu_submit(fd, channel, bos, 1, 0, NULL), -EINVAL);
	bos[0].flags = 4 | READ;
	check_is(gpu_submit(fd, channel, bos, 1, 0, NULL), -EINVAL);
	bos[0] = good;
	bos[0].domains = 0;
	check_is(gpu_submit(fd, channel, bos, 1, 0, NULL), -EINVAL);
	bos[0].domains = 8;
	check_is(gpu_submit(fd, channel, bos, 1, 0, NULL), -EINVAL);
	bos[0] = good;
	bos[0].pad = 1;
	check_is(gpu_submit(fd, channel, bos, 1, 0, NULL), -EINVAL);
	bos[0] = good;
	bos[1] = good;
	check_is(gpu_submit(fd, channel, bos, 2, 0, NULL), -EINVAL);
	bos[1].handle = handle + 100;
	check_is(gpu_submit(fd, channel, bos, 2, 0, NULL), -ENOENT);
}

void test_bad_submit(int fd)
{
	struct drm_swgpu_submit_bo *many = calloc(SWGPU_MAX_SUBMIT_BOS + 1, sizeof(*many));
	uint32_t channel, handle;
	uint64_t seqno;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	bad_entries(fd, channel, handle);
	check_is(gpu_submit(fd, channel, many, SWGPU_MAX_SUBMIT_BOS + 1, 0, NULL), -E2BIG);
	check_is(gpu_submit(fd, channel, many, ~0U, 0, NULL), -E2BIG);
	check_is(gpu_submit(fd, channel, (void *)8, 1, 0, NULL), -EFAULT);
	check_is(gpu_submit(fd, channel + 1, NULL, 0, 0, NULL), -ENOENT);
	check_is(gpu_submit(fd, channel, NULL, 0, 10 * SECOND + 1, NULL), -EINVAL);

	/* None of them took a number, nor left the buffer busy. */
	check_is(gpu_wait(fd, handle, 0, 0), 0);
	check_is(gpu_submit(fd, channel, NULL, 0, 0, &seqno), 0);
	check_is(seqno, 1);
	free(many);
}

void test_bad_stats(int fd)
{
	struct drm_swgpu_stats stats = { .flags = 2 };

	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_STATS, &stats), -EINVAL);
	stats.flags = 0;
	stats.pad = 1;
	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_STATS, &stats), -EINVAL);
}
