// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A hang has an end, and nobody waits for a job in a way that SIGKILL does not end. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "fail.h"
#include "gpu.h"

/* A hang ends long before; a client that is stuck is stuck for ever. */
#define PATIENCE	(60 * SECOND)

/* 0: has not signaled, 1: has, or its error */
static int fence_status(int fence)
{
	struct sync_file_info info = {};

	check_is(node_ioctl(fence, SYNC_IOC_FILE_INFO, &info), 0);
	return info.status;
}

/* The jobs have touched nothing: the next one finds what was there before. */
void test_reset(int fd)
{
	uint64_t jobs = gpu_stats(fd, 0).jobs;
	uint32_t channels[2], handles[2];
	int i, fences[2];

	for (i = 0; i < 2; i++)
		check_is(gpu_channel(fd, &channels[i]), 0);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_HANG), 0);
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, 3 * PAGE, GTT, &handles[i]), 0);
		check_is(gpu_use(fd, channels[0], handles[i], WRITE, GTT, 0), 0);
		fences[i] = gpu_export_fence(fd, handles[i]);
		check_is(fence_status(fences[i]), 0);
	}
	for (i = 0; i < 2; i++)
		check_is(gpu_wait(fd, handles[i], 0, PATIENCE), 0);
	check_is(fence_status(fences[0]), -ETIME);
	check_is(fence_status(fences[1]), -ECANCELED);
	check_is(gpu_use(fd, channels[0], handles[0], WRITE, GTT, 0), -ENODEV);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_RESUME), -ENODEV);
	for (i = 0; i < 2; i++) {
		check_is(gpu_use(fd, channels[1], handles[i], READ, GTT, 0), 0);
		check_is(gpu_wait(fd, handles[i], 0, PATIENCE), 0);
		close(fences[i]);
	}
	check_is(gpu_stats(fd, 0).jobs - jobs, 2);
}

/* A hang that is renewed, with the same job, gets no more time. */
void test_reset_renewed(int fd)
{
	uint32_t channels[2], handle;
	uint64_t waited;

	check_is(gpu_channel(fd, &channels[0]), 0);
	check_is(gpu_channel(fd, &channels[1]), 0);
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	check_is(gpu_fault(fd, channels[0], SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channels[0], handle, WRITE, GTT, 0), 0);
	check_is(gpu_fault(fd, channels[1], SWGPU_FAULT_HANG), 0);
	check_is(gpu_use(fd, channels[1], handle, WRITE, GTT, 0), 0);
	for (waited = 0; waited < PATIENCE; waited += 100 * MS) {
		sleep_ns(100 * MS);
		if (gpu_fault(fd, channels[1], SWGPU_FAULT_RESUME) == -ENODEV)
			break;
		gpu_fault(fd, channels[1], SWGPU_FAULT_HANG);
	}
	check(waited < PATIENCE);
	/* The other one hangs for ever, as was asked for. */
	check_is(gpu_wait(fd, handle, 0, 0), -EBUSY);
}

/* A job that runs does not hang, and those behind it have their full time. */
void test_reset_running(int fd)
{
	uint64_t jobs = gpu_stats(fd, 0).jobs;
	uint32_t channel, handle;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, GTT, &handle), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, GTT, 5 * SECOND), 0);
	sleep_ns(100 * MS);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG), 0);
	check_is(gpu_wait(fd, handle, 0, PATIENCE), 0);
	check_is(gpu_stats(fd, 0).jobs - jobs, 1);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
}

/* After a reset the copy engine goes on, and no contents are lost. */
void test_reset_copies(int fd)
{
	uint32_t handle;
	struct full f;
	int i;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!check(full_make(fd, &f)))
		return;
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG), 0);
	check_is(gpu_create(fd, f.size, VRAM, &handle), 0);
	check_is(gpu_use(fd, f.channel, handle, WRITE, VRAM, 0), 0);
	check_is(gpu_wait(fd, handle, 0, 100 * MS), -EBUSY);
	check_is(gpu_wait(fd, handle, 0, PATIENCE), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_use(fd, f.channel, f.handles[i], READ, VRAM | GTT, 0), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(fd, f.handles[i], 0, PATIENCE), 0);
	full_check(&f);
}

static bool has_ended(pid_t pid, uint64_t patience)
{
	uint64_t waited;

	for (waited = 0; waited < patience; waited += 10 * MS) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		sleep_ns(10 * MS);
	}
	return false;
}

/* Not by chance: it has to be waiting by then. */
static bool ends_when_killed(pid_t pid)
{
	check(!has_ended(pid, SECOND));
	kill(pid, SIGKILL);
	return has_ended(pid, PATIENCE);
}

/**
 * struct hung_client - a process with a job that hangs for ever
 * @pid: its own are the files of both devices
 * @dma_buf: a buffer of the first device that the job uses
 */
struct hung_client {
	pid_t pid;
	int dma_buf;
};

/* The files go in this order when the client is killed. */
static bool start_hung_client(struct hung_client *h, bool other_first)
{
	int first = other_first ? gpu_open_other() : gpu_open();
	int second = other_first ? gpu_open() : gpu_open_other();
	int fd = other_first ? second : first, other = other_first ? first : second;
	uint32_t channel, handle, idle;

	if (!check(fd >= 0 && other >= 0))
		return false;
	check_is(gpu_create(other, PAGE, GTT, &idle), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 4 * PAGE, VRAM, &handle), 0);
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channel, handle, WRITE, VRAM, 0), 0);
	h->dma_buf = gpu_export(fd, handle);
	check(h->dma_buf >= 0);
	h->pid = fork();
	if (!h->pid) {
		close(h->dma_buf);
		for (;;)
			pause();
	}
	close(fd);
	close(other);
	return true;
}

static void end_hung_client(struct hung_client *h)
{
	kill(h->pid, SIGKILL);
	check(has_ended(h->pid, PATIENCE));
	close(h->dma_buf);
}

/* It moves the buffer, and so waits for the job, or for the copy behind the job. */
static pid_t start_import(struct hung_client *h)
{
	uint32_t handle;
	pid_t pid = fork();
	int other;

	if (!pid) {
		other = gpu_open_other();
		_exit(gpu_import(other, h->dma_buf, &handle) ? 1 : 0);
	}
	return pid;
}

static pid_t start_create(void)
{
	uint32_t handle;
	pid_t pid = fork();

	if (!pid)
		_exit(gpu_create(gpu_open_other(), PAGE, GTT, &handle) ? 1 : 0);
	return pid;
}

static void kill_the_waited_for(bool other_first)
{
	struct hung_client h;
	pid_t import;

	if (!start_hung_client(&h, other_first))
		return;
	import = start_import(&h);
	check(!has_ended(import, SECOND));
	end_hung_client(&h);
	if (!check(has_ended(import, PATIENCE)))
		kill(import, SIGKILL);
}

/* Its buffers, which are to be released, are not behind the import. */
void test_kill_the_waited_for(int fd)
{
	kill_the_waited_for(false);
	kill_the_waited_for(true);
	check(gpu_drain_to(fd, 0));
}

/* And so are not the buffers of somebody who has nothing to do with it. */
void test_import_waits_alone(int fd)
{
	struct hung_client h;
	pid_t import, create;

	if (!start_hung_client(&h, false))
		return;
	import = start_import(&h);
	check(!has_ended(import, SECOND));
	create = start_create();
	if (!check(has_ended(create, PATIENCE)))
		kill(create, SIGKILL);
	check(ends_when_killed(import));
	end_hung_client(&h);
	check(gpu_drain_to(fd, 0));
}

/* Of more than there is, in both domains. */
static int create_all(int fd)
{
	struct drm_swgpu_stats s = gpu_stats(fd, 0);
	uint64_t size = s.vram_bytes / 8;
	uint32_t channel, handle;
	int i, ret;

	ret = gpu_channel(fd, &channel);
	for (i = 0; !ret && i < 1000; i++) {
		ret = gpu_create(fd, size, VRAM, &handle);
		if (!ret)
			ret = gpu_use(fd, channel, handle, WRITE, VRAM, 0);
	}
	return -ret;
}

/* A client that cannot have memory before the copy engine goes on may be killed. */
void test_kill_behind_copies(int fd)
{
	pid_t pid;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	pid = fork();
	if (!pid)
		_exit(create_all(gpu_open()));
	/* It waits, or there is no memory: either way it goes. */
	sleep_ns(5 * SECOND);
	kill(pid, SIGKILL);
	check(has_ended(pid, PATIENCE));
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
}

/* A move to VRAM of a buffer that is used by a job of the caller, which hangs. */
static int fail_moves(void)
{
	int n, ret = -ENOMEM, fd = gpu_open(), fail = fail_open();
	uint32_t hung, moves, handle;
	bool failed;

	if (gpu_channel(fd, &hung) || gpu_channel(fd, &moves) ||
	    gpu_fault(fd, hung, SWGPU_FAULT_HANG_FOREVER))
		return 2;
	for (n = 1; ret && n < 1000; n++) {
		if (gpu_create(fd, PAGE, GTT, &handle) ||
		    gpu_use(fd, hung, handle, WRITE, GTT, 0))
			return 3;
		fail_nth(fail, n);
		ret = gpu_use(fd, moves, handle, WRITE, VRAM, 0);
		failed = fail_none(fail);
		if (ret && ret != -ENOMEM)
			return 5;
		/* No allocation was left to fail, or one that the request can do without. */
		if (!ret && failed)
			ret = -ENOMEM;
	}
	return ret ? 6 : case_failed() ? 4 : 0;
}

void test_failed_moves(int fd)
{
	pid_t pid;

	if (!gpu_copies_async(fd) || !let_allocations_fail()) {
		skip("the CPU copies, or this kernel lets no allocation fail");
		return;
	}
	pid = fork();
	if (!pid)
		_exit(fail_moves());
	if (!check(has_ended(pid, PATIENCE))) {
		kill(pid, SIGKILL);
		check(has_ended(pid, PATIENCE));
	}
	check(gpu_drain_to(fd, 0));
}
