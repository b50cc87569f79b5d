// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A device goes in the midst of what a client does; the client learns of it, and lives. */

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define SIZE		(64 * PAGE)

/* Each returns what it was told in the end; that is -ENODEV. */
static int create_and_close(int fd, uint32_t channel)
{
	uint64_t size = gpu_stats(fd, 0).vram_bytes / 4;
	uint32_t handle;
	int ret;

	do {
		ret = gpu_create(fd, size, VRAM, &handle);
		if (!ret)
			ret = gpu_use(fd, channel, handle, WRITE, VRAM, 5 * MS);
		if (!ret)
			ret = gpu_close(fd, handle);
	} while (!ret);
	return ret;
}

static int move(int fd, uint32_t channel)
{
	uint32_t handle;
	int i = 0, ret = gpu_create(fd, SIZE, VRAM, &handle);

	while (!ret)
		ret = gpu_use(fd, channel, handle, WRITE, i++ % 2 ? VRAM : GTT, 0);
	return ret;
}

static int wait_for_job(int fd, uint32_t channel)
{
	uint32_t handle;
	int ret = gpu_create(fd, SIZE, VRAM, &handle);

	while (!ret) {
		ret = gpu_use(fd, channel, handle, WRITE, VRAM, 200 * MS);
		if (!ret)
			ret = gpu_wait(fd, handle, 0, 20 * SECOND);
	}
	return ret;
}

/* A mapping has pages of nobody when its device is gone. */
static int touch(int fd, uint32_t channel)
{
	uint32_t handle;
	uint64_t i, *map;
	int ret = gpu_create(fd, SIZE, VRAM, &handle);

	map = ret ? NULL : gpu_map(fd, handle, SIZE);
	while (map && !ret) {
		for (i = 0; i < SIZE / PAGE; i++)
			map[i * PAGE / 8]++;
		ret = gpu_use(fd, channel, handle, READ, VRAM | GTT, 0);
	}
	return map ? ret : -ENOMEM;
}

static int open_and_close(int fd, uint32_t channel)
{
	int other;

	(void)channel;
	do {
		other = gpu_open();
		close(other);
	} while (!node_ioctl(fd, DRM_IOCTL_SWGPU_DRAIN, NULL));
	return -ENODEV;
}

static int hang(int fd, uint32_t channel)
{
	uint32_t handle;
	int ret = gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER);

	if (!ret)
		ret = gpu_create(fd, SIZE, VRAM, &handle);
	if (!ret)
		ret = gpu_use(fd, channel, handle, WRITE, VRAM, 0);
	return ret ? ret : gpu_wait(fd, handle, 0, 60 * SECOND) ?: gpu_drain(fd);
}

static const struct {
	const char *what;
	int (*run)(int fd, uint32_t channel);
} situations[] = {
	{ "creates and closes", create_and_close },
	{ "moves buffers", move },
	{ "waits for a job", wait_for_job },
	{ "touches a buffer", touch },
	{ "opens and closes the device", open_and_close },
	{ "waits for a channel that hangs", hang },
};

static int run_client(int i, int ready)
{
	uint32_t channel;
	int fd = gpu_open();

	if (fd < 0 || gpu_channel(fd, &channel) || write(ready, "", 1) != 1)
		return 1;
	return situations[i].run(fd, channel) == -ENODEV ? 0 : 2;
}

static void unplug_one(int i)
{
	int ends[2], status = -1, fd = gpu_open();
	char byte, name[64];
	pid_t pid;

	if (!check(gpu_device_name(fd, name, sizeof(name))) || !check(!pipe(ends)))
		return;
	close(fd);
	pid = fork();
	if (!pid)
		_exit(run_client(i, ends[1]));
	close(ends[1]);
	check_is(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	sleep_ns(100 * MS);
	check(write_file("/sys/bus/platform/drivers/swgpu/unbind", name));
	check(waitpid(pid, &status, 0) == pid);
	if (!check_is(status, 0))
		printf("# the client %s\n", situations[i].what);
	check(write_file("/sys/bus/platform/drivers/swgpu/bind", name));
}

void test_unplug_load(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(situations); i++)
		unplug_one(i);
}
