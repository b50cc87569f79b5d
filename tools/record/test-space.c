// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A program with an address space that is recorded in the recorder's test, as NVK would have it:
 * two channels, of which one waits for the other, something that is unbound later, and a buffer of
 * somebody else's. That is a child's, whose parent has had jobs before.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nouveau_drm.h>

#define BYTES 4096u
#define ADDRESS 0x100000u

/* Syncobjs, by their handles. */
#define TIMELINE 1
#define BINARY 2
#define UNBOUND 3
#define COPY 4

static int fd;

static void ask(unsigned long request, void *arg)
{
	if (!ioctl(fd, request, arg))
		return;
	fprintf(stderr, "test-space: request %lx failed\n", request);
	exit(1);
}

static uint32_t make_channel(void)
{
	struct drm_nouveau_channel_alloc alloc = { .notifier_handle = 1000000 };
	static uint32_t more;

	/* No buffer that somebody made. */
	alloc.notifier_handle += more++;
	ask(DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &alloc);
	return (uint32_t)alloc.channel;
}

static void bind(struct drm_nouveau_vm_bind_op op, struct drm_nouveau_sync *wait,
		 struct drm_nouveau_sync *signal)
{
	struct drm_nouveau_vm_bind args = {
		.op_count = 1,
		.op_ptr = (uintptr_t)&op,
		.wait_count = wait != NULL,
		.wait_ptr = (uintptr_t)wait,
		.sig_count = signal != NULL,
		.sig_ptr = (uintptr_t)signal,
		.flags = wait ? DRM_NOUVEAU_VM_BIND_RUN_ASYNC : 0,
	};

	ask(DRM_IOCTL_NOUVEAU_VM_BIND, &args);
}

static void exec(uint32_t channel, struct drm_nouveau_sync *wait, struct drm_nouveau_sync *signal)
{
	struct drm_nouveau_exec_push push = { .va = ADDRESS, .va_len = 64 };
	struct drm_nouveau_exec args = {
		.channel = channel,
		.push_count = 1,
		.push_ptr = (uintptr_t)&push,
		.wait_count = wait != NULL,
		.wait_ptr = (uintptr_t)wait,
		.sig_count = signal != NULL,
		.sig_ptr = (uintptr_t)signal,
	};

	ask(DRM_IOCTL_NOUVEAU_EXEC, &args);
}

static void wait_for(uint32_t handle, uint64_t point)
{
	struct drm_syncobj_timeline_wait wait = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.count_handles = 1,
	};

	ask(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait);
}

/* What stands for the kernel says that it takes too long. */
static void look_at(uint32_t handle)
{
	struct drm_syncobj_wait wait = { .handles = (uintptr_t)&handle, .count_handles = 1 };

	ioctl(fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
}

/* It has somebody else's, and passes it on. */
static uint32_t import_one(void)
{
	struct drm_prime_handle import = { .fd = 99 }, export = { 0 };
	struct drm_nouveau_gem_info info = { 0 };

	ask(DRM_IOCTL_PRIME_FD_TO_HANDLE, &import);
	info.handle = import.handle;
	ask(DRM_IOCTL_NOUVEAU_GEM_INFO, &info);
	export.handle = import.handle;
	ask(DRM_IOCTL_PRIME_HANDLE_TO_FD, &export);
	return import.handle;
}

int main(void)
{
	struct drm_nouveau_sync point = { DRM_NOUVEAU_SYNC_TIMELINE_SYNCOBJ, TIMELINE, 5 };
	struct drm_nouveau_sync binary = { .handle = BINARY }, unbound = { .handle = UNBOUND };
	struct drm_syncobj_transfer copy = { .src_handle = BINARY, .dst_handle = COPY };
	struct drm_nouveau_gem_new new = { .info = { .size = BYTES } };
	struct drm_nouveau_vm_init init = { 0 };
	struct drm_gem_close close_it = { 0 };
	uint32_t first, second;
	int status;

	fd = memfd_create("gpu", 0);
	ask(DRM_IOCTL_NOUVEAU_VM_INIT, &init);
	first = make_channel();
	exec(first, NULL, &unbound);
	if (fork()) {
		wait(&status);
		return status != 0;
	}
	ask(DRM_IOCTL_NOUVEAU_VM_INIT, &init);
	first = make_channel();
	second = make_channel();
	new.info.domain = NOUVEAU_GEM_DOMAIN_VRAM | NOUVEAU_GEM_DOMAIN_NO_SHARE;
	ask(DRM_IOCTL_NOUVEAU_GEM_NEW, &new);
	bind((struct drm_nouveau_vm_bind_op){ .handle = new.info.handle, .flags = 6,
					      .addr = ADDRESS, .range = BYTES }, NULL, NULL);
	exec(first, NULL, &point);
	exec(second, &point, &binary);
	wait_for(TIMELINE, 3);
	ask(DRM_IOCTL_SYNCOBJ_TRANSFER, &copy);
	look_at(COPY);
	bind((struct drm_nouveau_vm_bind_op){ .op = DRM_NOUVEAU_VM_BIND_OP_UNMAP, .addr = ADDRESS,
					      .range = BYTES }, &binary, &unbound);
	bind((struct drm_nouveau_vm_bind_op){ .handle = import_one(), .addr = ADDRESS,
					      .range = BYTES }, NULL, NULL);
	exec(first, &unbound, NULL);
	close_it.handle = new.info.handle;
	ask(DRM_IOCTL_GEM_CLOSE, &close_it);
	close(fd);
	return 0;
}
