// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRIVER		"swgpu"
#define FIRST_RENDER	128
#define LAST_RENDER	191

static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

static int is_ours(int fd)
{
	char name[sizeof(DRIVER)] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !call(fd, DRM_IOCTL_VERSION, &version) &&
	       version.name_len == strlen(DRIVER) && !strcmp(name, DRIVER);
}

static int open_node(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (is_ours(fd))
		return fd;
	close(fd);
	return -ENODEV;
}

int device_open(const char *node)
{
	char path[32];
	int fd;

	if (node) {
		fd = open_node(node);
		if (fd == -ENODEV)
			fprintf(stderr, "%s: not a render node of " DRIVER "\n", node);
		else if (fd < 0)
			fprintf(stderr, "%s: %s\n", node, strerror(-fd));
		return fd;
	}
	for (int minor = FIRST_RENDER; minor <= LAST_RENDER; minor++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", minor);
		fd = open_node(path);
		if (fd >= 0)
			return fd;
	}
	fputs("no render node of " DRIVER " in /dev/dri\n", stderr);
	return -ENODEV;
}

int device_create(int fd, uint64_t size, uint32_t domains, uint32_t *handle)
{
	struct drm_swgpu_gem_create create = { .size = size, .domains = domains };
	int ret = call(fd, DRM_IOCTL_SWGPU_GEM_CREATE, &create);

	*handle = create.handle;
	return ret;
}

int device_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int device_channel_create(int fd, uint32_t *channel)
{
	struct drm_swgpu_channel create = { 0 };
	int ret = call(fd, DRM_IOCTL_SWGPU_CHANNEL_CREATE, &create);

	*channel = create.channel;
	return ret;
}

int device_channel_destroy(int fd, uint32_t channel)
{
	struct drm_swgpu_channel args = { .channel = channel };

	return call(fd, DRM_IOCTL_SWGPU_CHANNEL_DESTROY, &args);
}

int device_fault(int fd, uint32_t channel, uint32_t fault)
{
	struct drm_swgpu_fault args = { .channel = channel, .fault = fault };

	return call(fd, DRM_IOCTL_SWGPU_FAULT, &args);
}

int device_submit(int fd, uint32_t channel, const struct drm_swgpu_submit_bo *bos,
		  uint32_t nr_bos, uint64_t duration_ns)
{
	struct drm_swgpu_submit submit = {
		.channel = channel,
		.nr_bos = nr_bos,
		.bos = (uintptr_t)bos,
		.duration_ns = duration_ns,
	};

	return call(fd, DRM_IOCTL_SWGPU_SUBMIT, &submit);
}

int device_wait(int fd, uint32_t handle, uint32_t flags, uint64_t timeout_ns)
{
	struct drm_swgpu_gem_wait wait = {
		.handle = handle,
		.flags = flags,
		.timeout_ns = timeout_ns,
	};

	return call(fd, DRM_IOCTL_SWGPU_GEM_WAIT, &wait);
}

int device_stats(int fd, uint32_t flags, struct drm_swgpu_stats *stats)
{
	*stats = (struct drm_swgpu_stats){ .flags = flags };
	return call(fd, DRM_IOCTL_SWGPU_STATS, stats);
}

int device_drain(int fd)
{
	return call(fd, DRM_IOCTL_SWGPU_DRAIN, NULL);
}
