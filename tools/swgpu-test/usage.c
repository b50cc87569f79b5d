// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is reported as in use when a client goes, and what a client has. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"
#include "pass.h"

#define NR_BUFFERS	8
#define SIZE		(16 * PAGE)

/* The client: has buffers, that others use, until it is killed. */
static void run_client(int socket)
{
	int i, fd = gpu_open();
	uint32_t handle;

	for (i = 0; i < NR_BUFFERS; i++) {
		if (gpu_create(fd, SIZE, VRAM, &handle) ||
		    pass_fd(socket, gpu_export(fd, handle), 0))
			_exit(1);
	}
	pause();
	_exit(2);
}

static void kill_client(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Jobs of another client's channel are in flight when the client dies. */
static void use_client(int fd, uint32_t channel, int socket)
{
	uint32_t handle;
	int i, dma_buf;

	for (i = 0; i < NR_BUFFERS; i++) {
		dma_buf = take_fd(socket, 0);
		check_is(gpu_import(fd, dma_buf, &handle), 0);
		close(dma_buf);
		check_is(gpu_use(fd, channel, handle, WRITE, VRAM, MS), 0);
		check_is(gpu_close(fd, handle), 0);
	}
}

static void check_killed(int fd, uint32_t channel, struct drm_swgpu_stats *before)
{
	uint64_t room, all = NR_BUFFERS * SIZE;
	struct drm_swgpu_stats s = gpu_stats(fd, 0);
	uint32_t last, handle;

	/* All of it is in use, as nothing has signaled. */
	check_is(s.zombies, NR_BUFFERS);
	check_is(s.vram_zombie_bytes, all);
	check_is(s.vram_signaled_bytes, 0);
	check_is(s.vram_used_bytes, before->vram_used_bytes + all);

	check_is(gpu_create(fd, PAGE, GTT, &last), 0);
	check_is(gpu_use(fd, channel, last, READ, GTT, 0), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_RESUME), 0);
	check_is(gpu_wait(fd, last, 0, 5 * SECOND), 0);
	if (s.fence_lru) {
		/* Nobody has asked for memory, so it is still there. A report may be 10 ms old. */
		sleep_ns(30 * MS);
		s = gpu_stats(fd, 0);
		check_is(s.vram_signaled_bytes, all);
		check_is(s.vram_held_bytes, before->vram_held_bytes + all);
		check_is(s.vram_used_bytes, before->vram_used_bytes);
	}
	room = s.vram_bytes - before->vram_held_bytes;
	check_is(gpu_create(fd, room, VRAM, &handle), 0);
	s = gpu_stats(fd, 0);
	check_is(s.zombies, 0);
	check_is(s.vram_zombie_bytes, 0);
	check_is(s.vram_signaled_bytes, 0);
	check_is(s.vram_held_bytes, s.vram_bytes);
	check_is(gpu_close(fd, handle), 0);
}

void test_killed_client(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0);
	int sockets[2];
	uint32_t channel;
	pid_t pid;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	if (!check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)))
		return;
	pid = fork();
	if (!pid)
		run_client(sockets[1]);
	use_client(fd, channel, sockets[0]);
	kill_client(pid);
	check_killed(fd, channel, &before);
	close(sockets[0]);
	close(sockets[1]);
}

/* Its own channels die with it: so does what they used. */
static void run_busy_client(int socket)
{
	int i, fd = gpu_open();
	uint32_t channel, handle;
	char done = 1;

	if (gpu_channel(fd, &channel))
		_exit(1);
	for (i = 0; i < NR_BUFFERS; i++) {
		/* The engine that clears it may have much to do for others. */
		if (gpu_create(fd, SIZE, i & 1 ? VRAM : GTT, &handle) ||
		    gpu_wait(fd, handle, 0, 5 * SECOND) ||
		    gpu_use(fd, channel, handle, WRITE, i & 1 ? VRAM : GTT, 10 * SECOND))
			_exit(2);
	}
	if (write(socket, &done, 1) != 1)
		_exit(3);
	pause();
	_exit(4);
}

void test_killed_channel(int fd)
{
	struct drm_swgpu_stats before = gpu_stats(fd, 0), s;
	int sockets[2];
	char done = 0;
	pid_t pid;

	if (!check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)))
		return;
	pid = fork();
	if (!pid)
		run_busy_client(sockets[1]);
	check(read(sockets[0], &done, 1) == 1);
	s = gpu_stats(fd, 0);
	check_is(s.vram_used_bytes - before.vram_used_bytes, NR_BUFFERS / 2 * SIZE);
	check_is(s.gtt_used_bytes - before.gtt_used_bytes, NR_BUFFERS / 2 * SIZE);
	kill_client(pid);
	if (!s.fence_lru)
		check(gpu_drain_to(fd, 0));
	s = gpu_stats(fd, 0);
	check_is(s.vram_used_bytes, before.vram_used_bytes);
	check_is(s.gtt_used_bytes, before.gtt_used_bytes);
	close(sockets[0]);
	close(sockets[1]);
}

void test_fdinfo(int fd)
{
	uint32_t channel, vram, gtt;

	check_is(node_fdinfo(fd, "drm-total-vram"), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, 3 * PAGE, VRAM, &vram), 0);
	check_is(gpu_create(fd, 5 * PAGE, GTT, &gtt), 0);
	check_is(gpu_wait(fd, vram, 0, 5 * SECOND), 0);
	check_is(node_fdinfo(fd, "drm-total-vram"), 3 * PAGE);
	check_is(node_fdinfo(fd, "drm-resident-gtt"), 5 * PAGE);
	check_is(node_fdinfo(fd, "drm-active-vram"), 0);
	check_is(node_fdinfo(fd, "drm-engine-gpu"), 0);
	check_is(gpu_use(fd, channel, vram, WRITE, VRAM, 3 * MS), 0);
	check_is(gpu_use(fd, channel, vram, WRITE, VRAM, 4 * MS), 0);
	check_is(gpu_wait(fd, vram, 0, 5 * SECOND), 0);
	check_is(node_fdinfo(fd, "drm-engine-gpu"), 7 * MS);
	check_is(gpu_channel_destroy(fd, channel), 0);
	check_is(node_fdinfo(fd, "drm-engine-gpu"), 7 * MS);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channel, vram, WRITE, GTT, 0), 0);
	check_is(node_fdinfo(fd, "drm-total-vram"), 0);
	check_is(node_fdinfo(fd, "drm-active-gtt"), 3 * PAGE);
	check_is(node_fdinfo(fd, "drm-total-gtt"), 8 * PAGE);
	check_is(gpu_close(fd, vram), 0);
	check_is(node_fdinfo(fd, "drm-total-gtt"), 5 * PAGE);
}

/* How many lines of the file about channels, which is there with the fence-ordered LRU only. */
static int lines_about_channels(int fd, const char *text)
{
	char path[64], line[1024];
	struct stat st;
	int count = 0;
	FILE *file;

	if (!check_is(fstat(fd, &st), 0))
		return -1;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/ttm_channels", minor(st.st_rdev));
	file = fopen(path, "r");
	if (!check_is(!!file, gpu_stats(fd, 0).fence_lru) || !file)
		return 0;
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, text);
	fclose(file);
	return count;
}

/* One job each for a buffer that stays and for one that dies, on a channel that hangs. */
void test_channels_file(int fd)
{
	bool fence_lru = gpu_stats(fd, 0).fence_lru;
	uint32_t channel, alive, dead;

	check_is(lines_about_channels(fd, "alive=1"), 0);
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, GTT, &alive), 0);
	check_is(gpu_create(fd, PAGE, GTT, &dead), 0);
	check_is(gpu_fault(fd, channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channel, alive, WRITE, GTT, 0), 0);
	check_is(gpu_use(fd, channel, dead, WRITE, GTT, 0), 0);
	check_is(gpu_close(fd, dead), 0);
	check_is(lines_about_channels(fd, " alive=1 dead=0] [seq="), fence_lru);
	check_is(lines_about_channels(fd, " alive=0 dead=1]\n"), fence_lru);
}
