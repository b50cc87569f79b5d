// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fences of another device, put into a buffer's reservation object by user space, where
 * TTM does not see it.
 */

#include <errno.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "gpu.h"

/* A job of another device; its fence is in the buffer of this one. */
struct foreign {
	int other;
	uint32_t channel, job_buffer;
	uint32_t handle;
};

int gpu_export_fence(int fd, uint32_t handle)
{
	struct dma_buf_export_sync_file args = { .flags = DMA_BUF_SYNC_READ };
	int ret, dma_buf = gpu_export(fd, handle);

	ret = node_ioctl(dma_buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);
	close(dma_buf);
	return ret ? ret : args.fd;
}

int gpu_import_fence(int fd, uint32_t handle, int fence)
{
	struct dma_buf_import_sync_file args = {
		.flags = DMA_BUF_SYNC_WRITE,
		.fd = fence,
	};
	int ret, dma_buf = gpu_export(fd, handle);

	ret = node_ioctl(dma_buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args);
	close(dma_buf);
	return ret;
}

static bool make(int fd, struct foreign *f, uint64_t duration)
{
	int fence;

	f->other = gpu_open_other();
	if (!check(f->other >= 0))
		return false;
	check_is(gpu_channel(f->other, &f->channel), 0);
	check_is(gpu_create(f->other, PAGE, GTT, &f->job_buffer), 0);
	if (!duration)
		check_is(gpu_fault(f->other, f->channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(f->other, f->channel, f->job_buffer, WRITE, GTT, duration), 0);
	fence = gpu_export_fence(f->other, f->job_buffer);
	if (!check(fence >= 0))
		return false;
	check_is(gpu_create(fd, 4 * PAGE, VRAM, &f->handle), 0);
	/* It may have to be cleared first. */
	check_is(gpu_wait(fd, f->handle, 0, 5 * SECOND), 0);
	check_is(gpu_import_fence(fd, f->handle, fence), 0);
	close(fence);
	return true;
}

/* A job that uses the buffer waits for the other device. */
void test_foreign_job(int fd)
{
	struct foreign f;
	uint32_t channel;

	if (!make(fd, &f, 0))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_wait(fd, f.handle, 0, 0), -EBUSY);
	check_is(gpu_use(fd, channel, f.handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, f.handle, 0, 100 * MS), -EBUSY);
	check_is(gpu_fault(f.other, f.channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, f.handle, 0, 5 * SECOND), 0);
	close(f.other);
}

/* Nobody but the fence itself knows when the memory may go. */
void test_foreign_death(int fd)
{
	uint64_t held = gpu_stats(fd, 0).vram_held_bytes;
	struct drm_swgpu_stats s;
	struct foreign f;

	if (!make(fd, &f, 0))
		return;
	check_is(gpu_close(fd, f.handle), 0);
	check_is(gpu_drain(fd), 0);
	s = gpu_stats(fd, 0);
	check_is(s.zombies, 1);
	check_is(s.vram_used_bytes, held + 4 * PAGE);
	check_is(s.vram_signaled_bytes, 0);

	check_is(gpu_fault(f.other, f.channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(f.other, f.job_buffer, 0, 5 * SECOND), 0);
	/* Let go on the way in or out of any request; today by a worker. */
	check(gpu_buffers_fall_to(fd, 0));
	check_is(gpu_stats(fd, 0).vram_held_bytes, held);
	close(f.other);
}

/* The other device's channel goes with its file. */
void test_foreign_killed(int fd)
{
	struct foreign f;

	if (!make(fd, &f, 0))
		return;
	check_is(gpu_close(fd, f.handle), 0);
	check_is(gpu_stats(fd, 0).zombies, 1);
	close(f.other);
	check(gpu_buffers_fall_to(fd, 0));
}

/* An allocation must neither get the memory nor wait for a device that hangs. */
void test_foreign_pressure(int fd)
{
	struct drm_swgpu_stats s = gpu_stats(fd, 0);
	uint32_t channel, handle;
	struct foreign f;
	int i, ret;

	if (!make(fd, &f, 0))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_close(fd, f.handle), 0);
	for (i = 0; i < 40; i++) {
		ret = gpu_create(fd, s.vram_bytes / 16, VRAM, &handle);
		/* Today's eviction may wait for the very buffer that is stuck. */
		if (!s.fence_lru && ret == -ENOMEM)
			break;
		check_is(ret, 0);
		check_is(gpu_use(fd, channel, handle, WRITE, VRAM, MS), 0);
		check_is(gpu_close(fd, handle), 0);
	}
	check(gpu_stats(fd, 0).zombies >= 1);
	check_is(gpu_fault(f.other, f.channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
	close(f.other);
}
