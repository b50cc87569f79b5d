// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The module is unloaded; what it has given to others is still there. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "gpu.h"

/* A file with the fence of a job. */
static int job_fence(int fd, uint32_t channel)
{
	uint32_t handle;

	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, GTT, 0), 0);
	return gpu_export_fence(fd, handle);
}

static void check_fence(int file, int status)
{
	struct sync_fence_info fence = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};
	struct pollfd p = { .fd = file, .events = POLLIN };

	check_is(node_ioctl(file, SYNC_IOC_FILE_INFO, &info), 0);
	check_is(info.num_fences, 1);
	check_is(info.status, status);
	check_is(fence.status, status);
	check(strnlen(fence.driver_name, sizeof(fence.driver_name)) > 0);
	check_is(poll(&p, 1, 0), 1);
	close(file);
}

/* Nobody has asked for the first, nor waited; the channel of the others is killed. */
void test_outlive(int fd)
{
	int i, files[3];
	uint32_t channel, hung;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_channel(fd, &hung), 0);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_HANG_FOREVER), 0);
	for (i = 0; i < 3; i++) {
		files[i] = job_fence(fd, i ? hung : channel);
		check(files[i] >= 0);
	}
	sleep_ns(100 * MS);
	close(fd);
	if (!check_is(syscall(SYS_delete_module, "swgpu", O_NONBLOCK), 0))
		return;
	check_fence(files[0], 1);
	for (i = 1; i < 3; i++)
		check_fence(files[i], -ECANCELED);
}
