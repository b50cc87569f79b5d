// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the cases ask of the device, one function for each request. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "gpu.h"

int gpu_open(void)
{
	return node_open("swgpu", 0);
}

int gpu_open_other(void)
{
	return node_open("swgpu", 1);
}

int gpu_create(int fd, uint64_t size, uint32_t domains, uint32_t *handle)
{
	struct drm_swgpu_gem_create args = { .size = size, .domains = domains };
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_CREATE, &args);

	*handle = args.handle;
	return ret;
}

int gpu_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return node_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int gpu_export(int fd, uint32_t handle)
{
	struct drm_prime_handle args = { .handle = handle, .flags = O_CLOEXEC | O_RDWR };
	int ret = node_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

int gpu_import(int fd, int dma_buf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = dma_buf };
	int ret = node_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

void *gpu_map(int fd, uint32_t handle, uint64_t size)
{
	struct drm_swgpu_gem_map args = { .handle = handle };
	void *map;

	if (node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_MAP, &args))
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	return map == MAP_FAILED ? NULL : map;
}

int gpu_wait(int fd, uint32_t handle, uint32_t flags, uint64_t timeout_ns)
{
	struct drm_swgpu_gem_wait args = {
		.handle = handle,
		.flags = flags,
		.timeout_ns = timeout_ns,
	};

	return node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_WAIT, &args);
}

int gpu_vm(int fd, uint32_t *vm)
{
	struct drm_swgpu_vm args = {};
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_VM_CREATE, &args);

	*vm = args.vm;
	return ret;
}

int gpu_vm_destroy(int fd, uint32_t vm)
{
	struct drm_swgpu_vm args = { .vm = vm };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_VM_DESTROY, &args);
}

int gpu_vm_bind(int fd, uint32_t handle, uint32_t bind)
{
	struct drm_swgpu_vm_bind args = { .handle = handle, .bind = bind };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_VM_BIND, &args);
}

int gpu_create_private(int fd, uint32_t vm, uint64_t size, uint32_t domains, uint32_t *handle)
{
	struct drm_swgpu_gem_create args = { .size = size, .domains = domains, .vm = vm };
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_GEM_CREATE, &args);

	*handle = args.handle;
	return ret;
}

int gpu_channel(int fd, uint32_t *channel)
{
	struct drm_swgpu_channel args = {};
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_CREATE, &args);

	*channel = args.channel;
	return ret;
}

int gpu_channel_destroy(int fd, uint32_t channel)
{
	struct drm_swgpu_channel args = { .channel = channel };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_CHANNEL_DESTROY, &args);
}

int gpu_fault(int fd, uint32_t channel, uint32_t fault)
{
	struct drm_swgpu_fault args = { .channel = channel, .fault = fault };

	return node_ioctl(fd, DRM_IOCTL_SWGPU_FAULT, &args);
}

bool gpu_copies_async(int fd)
{
	return gpu_fault(fd, 0, SWGPU_FAULT_RESUME) != -ENOENT;
}

int gpu_submit(int fd, uint32_t channel, struct drm_swgpu_submit_bo *bos, uint32_t nr,
	       uint64_t duration_ns, uint64_t *seqno)
{
	struct drm_swgpu_submit args = {
		.channel = channel,
		.nr_bos = nr,
		.bos = (uintptr_t)bos,
		.duration_ns = duration_ns,
	};
	int ret = node_ioctl(fd, DRM_IOCTL_SWGPU_SUBMIT, &args);

	if (seqno)
		*seqno = args.seqno;
	return ret;
}

int gpu_submit_vm(int fd, uint32_t channel, uint32_t vm, uint32_t vm_flags,
		  struct drm_swgpu_submit_bo *bos, uint32_t nr, uint64_t duration_ns)
{
	struct drm_swgpu_submit args = {
		.channel = channel,
		.nr_bos = nr,
		.bos = (uintptr_t)bos,
		.duration_ns = duration_ns,
		.vm = vm,
		.vm_flags = vm_flags,
	};

	return node_ioctl(fd, DRM_IOCTL_SWGPU_SUBMIT, &args);
}

int gpu_use(int fd, uint32_t channel, uint32_t handle, uint32_t flags, uint32_t domains,
	    uint64_t duration_ns)
{
	struct drm_swgpu_submit_bo bo = {
		.handle = handle,
		.flags = flags,
		.domains = domains,
	};

	return gpu_submit(fd, channel, &bo, 1, duration_ns, NULL);
}

struct drm_swgpu_stats gpu_stats(int fd, uint32_t flags)
{
	struct drm_swgpu_stats stats = { .flags = flags };

	check_is(node_ioctl(fd, DRM_IOCTL_SWGPU_STATS, &stats), 0);
	return stats;
}

int gpu_drain(int fd)
{
	return node_ioctl(fd, DRM_IOCTL_SWGPU_DRAIN, NULL);
}

bool gpu_drain_to(int fd, uint64_t zombies)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (gpu_drain(fd))
			return false;
		if (gpu_stats(fd, 0).zombies <= zombies)
			return true;
		sleep_ns(10 * MS);
	}
	return false;
}

bool gpu_buffers_fall_to(int fd, uint64_t buffers)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (gpu_stats(fd, 0).buffers <= buffers)
			return true;
		sleep_ns(10 * MS);
	}
	return false;
}
