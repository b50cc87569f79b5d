// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node.h"

#define DRIVER		"swgpu"

static int open_node(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (node_is_of(fd, DRIVER))
		return fd;
	close(fd);
	return -ENODEV;
}

int device_open(const char *node)
{
	int fd;

	if (node) {
		fd = open_node(node);
		if (fd == -ENODEV)
			fprintf(stderr, "%s: not a render node of " DRIVER "\n", node);
		else if (fd < 0)
			fprintf(stderr, "%s: %s\n", node, strerror(-fd));
		return fd;
	}
	fd = node_open(DRIVER, 0);
	if (fd < 0)
		fputs("no render node of " DRIVER " in /dev/dri\n", stderr);
	return fd;
}

int device_create(int fd, uint64_t size, uint32_t domains, uint32_t *handle)
{
	return device_create_private(fd, 0, size, domains, handle);
}

int device_create_private(int fd, uint32_t vm, uint64_t size, uint32_t domains, uint32_t *handle)
{
	struct drm_swgpu_gem_create create = { .size = size, .domains = domains, .vm = vm };
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_CREATE, &create);

	*handle = create.handle;
	return ret;
}

int device_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return node_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int device_channel_create(int fd, uint32_t *channel)
{
	struct drm_swgpu_channel create = { 0 };
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_CREATE, &create);

	*channel = create.channel;
	return ret;
}

int device_channel_destroy(int fd, uint32_t channel)
{
	struct drm_swgpu_channel args = { .channel = channel };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_DESTROY, &args);
}

int device_fault(int fd, uint32_t channel, uint32_t fault)
{
	struct drm_swgpu_fault args = { .channel = channel, .fault = fault };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_FAULT, &args);
}

int device_submit(int fd, uint32_t channel, const struct drm_swgpu_submit_bo *bos,
		  uint32_t nr_bos, uint64_t duration_ns)
{
	return device_submit_vm(fd, 0, channel, bos, nr_bos, duration_ns);
}

int device_vm_create(int fd, uint32_t *vm)
{
	struct drm_swgpu_vm create = { 0 };
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_VM_CREATE, &create);

	*vm = create.vm;
	return ret;
}

int device_vm_bind(int fd, uint32_t handle, bool bind)
{
	struct drm_swgpu_vm_bind args = { .handle = handle, .bind = bind };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_VM_BIND, &args);
}

int device_submit_vm(int fd, uint32_t vm, uint32_t channel, const struct drm_swgpu_submit_bo *bos,
		     uint32_t nr_bos, uint64_t duration_ns)
{
	struct drm_swgpu_submit submit = {
		.channel = channel,
		.vm = vm,
		.vm_flags = vm ? SWGPU_BO_READ : 0,
		.nr_bos = nr_bos,
		.bos = (uintptr_t)bos,
		.duration_ns = duration_ns,
	};

	return node_ioctl(fd, DRM_IOCTL_SWGPU_SUBMIT, &submit);
}

int device_wait(int fd, uint32_t handle, uint32_t flags, uint64_t timeout_ns)
{
	struct drm_swgpu_gem_wait wait = {
		.handle = handle,
		.flags = flags,
		.timeout_ns = timeout_ns,
	};

	return node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_WAIT, &wait);
}

int device_play(int fd, struct drm_swgpu_play *play)
{
	return ioctl(fd, DRM_IOCTL_SWGPU_PLAY, play) ? -errno : 0;
}

int device_stats(int fd, uint32_t flags, struct drm_swgpu_stats *stats)
{
	*stats = (struct drm_swgpu_stats){ .flags = flags };
	return node_ioctl(fd, DRM_IOCTL_SWGPU_STATS, stats);
}

int device_drain(int fd)
{
	return node_ioctl(fd, DRM_IOCTL_SWGPU_DRAIN, NULL);
}
