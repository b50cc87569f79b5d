// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What stands for the kernel in the recorder's test: handles, and memory behind them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nouveau_drm.h>

static uint32_t handles;
static int channels;

static int make(struct drm_nouveau_gem_new *new)
{
	new->info.handle = ++handles;
	new->info.map_handle = (uint64_t)(handles - 1) * 4096;
	new->info.offset = 0x100000000u + new->info.map_handle;
	return 0;
}

static int describe(struct drm_nouveau_gem_info *info)
{
	info->size = 4096;
	info->domain = NOUVEAU_GEM_DOMAIN_VRAM;
	info->map_handle = (uint64_t)(info->handle - 1) * 4096;
	info->offset = 0x100000000u + info->map_handle;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	switch (_IOC_NR(request)) {
	case DRM_COMMAND_BASE + DRM_NOUVEAU_GEM_NEW:
		return make(arg);
	case DRM_COMMAND_BASE + DRM_NOUVEAU_GEM_INFO:
		return describe(arg);
	case _IOC_NR(DRM_IOCTL_PRIME_FD_TO_HANDLE):
		((struct drm_prime_handle *)arg)->handle = ++handles;
		return 0;
	case _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD):
		((struct drm_prime_handle *)arg)->fd = 100;
		return 0;
	case DRM_COMMAND_BASE + DRM_NOUVEAU_CHANNEL_ALLOC:
		((struct drm_nouveau_channel_alloc *)arg)->channel = ++channels;
		return 0;
	case DRM_COMMAND_BASE + DRM_NOUVEAU_VM_INIT:
	case DRM_COMMAND_BASE + DRM_NOUVEAU_VM_BIND:
	case DRM_COMMAND_BASE + DRM_NOUVEAU_EXEC:
	case _IOC_NR(DRM_IOCTL_SYNCOBJ_CREATE):
	case _IOC_NR(DRM_IOCTL_SYNCOBJ_TRANSFER):
	case _IOC_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT):
		return 0;
	case _IOC_NR(DRM_IOCTL_SYNCOBJ_WAIT):
		errno = ETIME;
		return -1;
	case DRM_COMMAND_BASE + DRM_NOUVEAU_GEM_PUSHBUF:
	case 0x09: /* GEM_CLOSE */
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}
