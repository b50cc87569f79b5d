// SPDX-License-Identifier: GPL-2.0 OR MIT
/* nouveau's requests, one function for each. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "nv.h"

int nv_open(void)
{
	return node_open("nouveau", 0);
}

uint64_t nv_param(int fd, uint64_t param)
{
	struct drm_nouveau_getparam args = { .param = param };

	check_is(node_ioctl(fd, DRM_IOCTL_NOUVEAU_GETPARAM, &args), 0);
	return args.value;
}

uint64_t nv_vram_size(int fd)
{
	return nv_param(fd, NOUVEAU_GETPARAM_FB_SIZE);
}

uint64_t nv_vram_used(int fd)
{
	return nv_param(fd, NOUVEAU_GETPARAM_VRAM_USED);
}

bool nv_vram_returns(int fd, uint64_t before)
{
	int i;

	for (i = 0; i < 3000 && nv_vram_used(fd) > before; i++)
		sleep_ns(10 * MS);
	return nv_vram_used(fd) <= before;
}

bool nv_deletes_by_fence(void)
{
	FILE *file = fopen("/sys/module/nouveau/parameters/fence_lru", "r");
	bool yes = file && fgetc(file) == '1';

	if (file)
		fclose(file);
	return yes;
}

int nv_bo_create(int fd, uint64_t size, uint32_t domains, struct nv_bo *bo)
{
	struct drm_nouveau_gem_new args = {
		.info = {
			.size = size,
			.domain = domains | NOUVEAU_GEM_DOMAIN_MAPPABLE,
		},
		.align = PAGE,
	};
	int ret = node_ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_NEW, &args);

	*bo = (struct nv_bo){
		.handle = args.info.handle,
		.size = size,
		.domains = domains,
		.address = args.info.offset,
	};
	return ret;
}

int nv_bo_map(int fd, struct nv_bo *bo)
{
	struct drm_nouveau_gem_info info = { .handle = bo->handle };
	int ret = node_ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_INFO, &info);
	void *map;

	if (ret)
		return ret;
	bo->size = info.size;
	bo->address = info.offset;
	map = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   info.map_handle);
	if (map == MAP_FAILED)
		return -errno;
	bo->map = map;
	return 0;
}

int nv_bo_close(int fd, struct nv_bo *bo)
{
	struct drm_gem_close args = { .handle = bo->handle };

	if (bo->map)
		munmap(bo->map, bo->size);
	bo->map = NULL;
	return node_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int nv_bo_export(int fd, const struct nv_bo *bo)
{
	struct drm_prime_handle args = { .handle = bo->handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret = node_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

int nv_bo_import(int fd, int dma_buf, struct nv_bo *bo)
{
	struct drm_prime_handle args = { .fd = dma_buf };
	struct drm_nouveau_gem_info info = {};
	int ret = node_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	info.handle = args.handle;
	if (!ret)
		ret = node_ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_INFO, &info);
	*bo = (struct nv_bo){
		.handle = args.handle,
		.size = info.size,
		.domains = info.domain,
		.address = info.offset,
	};
	return ret;
}

static int cpu_prep(int fd, const struct nv_bo *bo, uint32_t flags)
{
	struct drm_nouveau_gem_cpu_prep args = {
		.handle = bo->handle,
		.flags = NOUVEAU_GEM_CPU_PREP_WRITE | flags,
	};

	return node_ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_CPU_PREP, &args);
}

int nv_bo_wait(int fd, const struct nv_bo *bo)
{
	return cpu_prep(fd, bo, 0);
}

int nv_bo_busy(int fd, const struct nv_bo *bo)
{
	return cpu_prep(fd, bo, NOUVEAU_GEM_CPU_PREP_NOWAIT);
}

void nv_bo_fill(const struct nv_bo *bo, uint32_t seed)
{
	uint64_t i;

	for (i = 0; i < bo->size / 4; i++)
		bo->map[i] = seed + i;
}

bool nv_bo_holds(const struct nv_bo *bo, uint32_t seed)
{
	uint64_t i;

	for (i = 0; i < bo->size / 4; i++)
		if (bo->map[i] != seed + i)
			return false;
	return true;
}
