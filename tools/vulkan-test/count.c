// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What Mesa asks nouveau for. Its libraries find this ioctl() before the C library's, as it is
 * the program's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nouveau_drm.h>

#include "vk.h"

static struct requests *requests;
static unsigned int channel;

struct requests *count_requests(void)
{
	void *memory = mmap(NULL, sizeof(*requests), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	requests = memory;
	return requests;
}

unsigned int last_channel(void)
{
	return channel;
}

static void count(unsigned long request, const void *arg)
{
	const struct drm_nouveau_vm_bind *bind = arg;
	const struct drm_nouveau_exec *exec = arg;

	if (request == DRM_IOCTL_NOUVEAU_VM_BIND) {
		requests->binds++;
		requests->ops += bind->op_count;
	} else if (request == DRM_IOCTL_NOUVEAU_EXEC) {
		requests->execs++;
		channel = exec->channel;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;
	int ret;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	ret = syscall(SYS_ioctl, fd, request, arg);
	if (!ret && requests)
		count(request, arg);
	return ret;
}
