// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The device goes while it is used. Run last: it comes back as another. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

/* The name of the platform device, as "swgpu.0" */
bool gpu_device_name(int fd, char *name, size_t size)
{
	char path[64], target[256], *last;
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major(st.st_rdev),
		 minor(st.st_rdev));
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return false;
	strcpy(name, last);
	return true;
}

/* Zombies on a slow and on a hung channel, and a living buffer on each. */
static uint32_t make_busy(int fd)
{
	uint32_t channels[2], handle;
	int i;

	for (i = 0; i < 2; i++)
		check_is(gpu_channel(fd, &channels[i]), 0);
	check_is(gpu_fault(fd, channels[1], SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 16; i++) {
		check_is(gpu_create(fd, 4 * PAGE, i & 2 ? VRAM : GTT, &handle), 0);
		check_is(gpu_use(fd, channels[i & 1], handle, WRITE, VRAM | GTT, SECOND), 0);
		if (i < 14)
			check_is(gpu_close(fd, handle), 0);
	}
	return handle;
}

static int share(int from, int to, uint32_t *handle, uint32_t *import)
{
	int ret, dma_buf;

	ret = gpu_create(from, 4 * PAGE, VRAM, handle);
	if (ret)
		return ret;
	dma_buf = gpu_export(from, *handle);
	ret = gpu_import(to, dma_buf, import);
	close(dma_buf);
	return ret;
}

static void check_gone(int fd, uint32_t handle, uint64_t *map)
{
	uint32_t other;

	check_is(gpu_create(fd, PAGE, GTT, &other), -ENODEV);
	check_is(gpu_wait(fd, handle, 0, 0), -ENODEV);
	check_is(gpu_close(fd, handle), -ENODEV);
	/* No fault, but a page of nobody. */
	map[3] = 1;
	check_is(map[3], 1);
}

static void use(int fd)
{
	uint32_t channel, handle;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 4 * PAGE, VRAM, &handle), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, GTT, MS), 0);
	check_is(gpu_use(fd, channel, handle, READ, VRAM, MS), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check_is(gpu_stats(fd, 0).tag_errors, 0);
}

/* What two devices share outlives the one that goes. */
static void unplug_shared(int fd, int other, const char *name)
{
	uint32_t channel, other_channel, handle, import, back, back_import, busy;
	uint64_t *map, errors = gpu_stats(other, 0).tag_errors;

	check_is(gpu_channel(other, &other_channel), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(share(fd, other, &handle, &import), 0);
	check_is(share(other, fd, &back, &back_import), 0);
	busy = make_busy(fd);
	map = gpu_map(fd, busy, 4 * PAGE);
	check(map);
	check_is(gpu_use(other, other_channel, import, WRITE, GTT, 200 * MS), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, GTT, 10 * SECOND), 0);
	check_is(gpu_use(other, other_channel, import, WRITE, GTT, MS), 0);
	check_is(gpu_use(fd, channel, back_import, WRITE, GTT, 10 * SECOND), 0);
	check_is(gpu_close(fd, back_import), 0);

	check(write_file("/sys/bus/platform/drivers/swgpu/unbind", name));
	if (map)
		check_gone(fd, handle, map);
	/* Its jobs were canceled, and its memory is still there. */
	check_is(gpu_wait(other, import, 0, 5 * SECOND), 0);
	check_is(gpu_use(other, other_channel, import, READ, GTT, MS), 0);
	check_is(gpu_wait(other, import, 0, 5 * SECOND), 0);
	check_is(gpu_wait(other, back, 0, 0), 0);
	check_is(gpu_use(other, other_channel, back, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(other, back, 0, 5 * SECOND), 0);
	check_is(gpu_stats(other, 0).tag_errors, errors);
	if (map)
		munmap(map, 4 * PAGE);
	close(fd);
	/* The last thing that keeps the memory of the device that is gone. */
	check_is(gpu_close(other, import), 0);
	check_is(gpu_close(other, back), 0);
}

static void clear_log(void)
{
	check_is(klogctl(5, NULL, 0), 0);
}

/* Since it was cleared. Nobody can ask the device for its counters any more. */
static bool log_has(const char *text)
{
	static char log[1 << 17];
	int len = klogctl(3, log, sizeof(log) - 1);

	if (!check(len >= 0))
		return false;
	log[len] = 0;
	return strstr(log, text);
}

/* Jobs that wait for copies must not run as if these had been made. */
static void unplug_moving(int fd, const char *name)
{
	uint32_t channel;
	struct full f;
	int i;

	if (!gpu_copies_async(fd) || !check(full_make(fd, &f)))
		return;
	full_unmap(&f);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(gpu_channel(fd, &channel), 0);
		check_is(gpu_use(fd, channel, f.handles[i], WRITE, GTT, 0), 0);
	}
	clear_log();
	check(write_file("/sys/bus/platform/drivers/swgpu/unbind", name));
	check(!log_has("tag error"));
}

/* Returns what the import was told; a job checks what it got. */
static int import_and_use(int dma_buf, int ready)
{
	uint32_t channel, import;
	int ret, other = gpu_open_other();

	if (gpu_channel(other, &channel) || write(ready, "", 1) != 1)
		return -EIO;
	ret = gpu_import(other, dma_buf, &import);
	if (!ret)
		ret = gpu_use(other, channel, import, READ, GTT, 0);
	if (!ret)
		ret = gpu_wait(other, import, 0, 5 * SECOND);
	return ret;
}

/* An import that waits for a copy must not take its place for the contents. */
static void unplug_importing(int fd, int other, const char *name)
{
	uint64_t errors = gpu_stats(other, 0).tag_errors;
	int ends[2], dma_buf, status = -1;
	uint32_t channel, handle;
	char byte;
	pid_t pid;

	if (!gpu_copies_async(fd) || !check(!pipe(ends)))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 4 * PAGE, VRAM, &handle), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	dma_buf = gpu_export(fd, handle);
	pid = fork();
	if (!pid)
		_exit(-import_and_use(dma_buf, ends[1]));
	check_is(read(ends[0], &byte, 1), 1);
	sleep_ns(100 * MS);
	check(write_file("/sys/bus/platform/drivers/swgpu/unbind", name));
	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status));
	check_is(WEXITSTATUS(status), ENODEV);
	check_is(gpu_stats(other, 0).tag_errors, errors);
	close(dma_buf);
	close(ends[0]);
	close(ends[1]);
	check(write_file("/sys/bus/platform/drivers/swgpu/bind", name));
}

/* In VRAM, where no import is, only a fence that was put there can be another device's. */
static void make_wait(int fd, int fence)
{
	uint32_t handle;

	check(fence >= 0);
	check_is(gpu_create(fd, 4 * PAGE, VRAM, &handle), 0);
	check_is(gpu_import_fence(fd, handle, fence), 0);
	close(fence);
}

/* The last that the device has are dead buffers that another device's job uses. */
static void unplug_busy_import(const char *name)
{
	int fd = gpu_open(), other = gpu_open_other();
	uint32_t channel, handle, later, import;
	char other_name[64];

	if (!check(fd >= 0 && other >= 0))
		return;
	/* Which one is the first may have changed. */
	if (gpu_device_name(fd, other_name, sizeof(other_name)) && strcmp(name, other_name)) {
		int swap = fd;

		fd = other;
		other = swap;
	}
	check_is(gpu_channel(other, &channel), 0);
	check_is(share(other, fd, &handle, &import), 0);
	check_is(gpu_use(other, channel, handle, WRITE, GTT, 500 * MS), 0);
	check_is(gpu_create(other, PAGE, GTT, &later), 0);
	check_is(gpu_use(other, channel, later, WRITE, GTT, 500 * MS), 0);
	make_wait(fd, gpu_export_fence(other, later));
	check(write_file("/sys/bus/platform/drivers/swgpu/unbind", name));
	close(fd);
	check_is(gpu_wait(other, handle, 0, 5 * SECOND), 0);
	check_is(gpu_use(other, channel, handle, READ, GTT, 0), 0);
	check_is(gpu_wait(other, handle, 0, 5 * SECOND), 0);
	check_is(gpu_stats(other, 0).tag_errors, 0);
	close(other);
	check(write_file("/sys/bus/platform/drivers/swgpu/bind", name));
}

void test_unplug(void)
{
	int i, fd = gpu_open(), other = gpu_open_other();
	char name[64];

	if (!check(fd >= 0 && other >= 0) || !check(gpu_device_name(fd, name, sizeof(name))))
		return;
	unplug_shared(fd, other, name);
	/* What moved on the device that stays is kept until somebody wants its memory. */
	check(gpu_drain_to(other, 0));
	close(other);
	for (i = 0; i < 500 && ttm_buffers() > 0; i++)
		sleep_ns(10 * MS);
	check_is(ttm_buffers(), 0);

	check(write_file("/sys/bus/platform/drivers/swgpu/bind", name));
	unplug_busy_import(name);
	fd = gpu_open();
	other = gpu_open_other();
	use(fd);
	use(other);
	check(gpu_device_name(fd, name, sizeof(name)));
	unplug_importing(fd, other, name);
	close(fd);
	fd = gpu_open();
	check(gpu_device_name(fd, name, sizeof(name)));
	unplug_moving(fd, name);
	close(fd);
	close(other);
}
