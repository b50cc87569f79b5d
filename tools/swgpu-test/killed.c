// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What clients leave that are killed, at any moment: nothing, as the runner of the cases sees. */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_ROUNDS	6
#define NR_JOBS		2000
#define NR_SHARED	8
#define SIZE		(16 * PAGE)

/* Everything is there, and nobody has been waited for. */
static pid_t start(void (*run)(int ready))
{
	int ends[2];
	char byte;
	pid_t pid;

	if (!check(!pipe(ends)))
		return -1;
	pid = fork();
	if (!pid) {
		run(ends[1]);
		_exit(1);
	}
	close(ends[1]);
	check_is(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void ready(int pipe)
{
	if (write(pipe, "", 1) != 1)
		_exit(1);
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void kill_rounds(void (*run)(int ready))
{
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		pid_t pid = start(run);

		if (!check(pid > 0))
			return;
		sleep_ns(i * 13 * MS);
		end(pid);
	}
}

static void run_moves(int pipe)
{
	uint32_t channel, handle;
	int i, fd = gpu_open();

	if (gpu_channel(fd, &channel) ||
	    gpu_create(fd, gpu_stats(fd, 0).vram_bytes / 3, VRAM, &handle))
		_exit(1);
	ready(pipe);
	for (i = 0;; i++)
		gpu_use(fd, channel, handle, WRITE, i % 2 ? VRAM : GTT, MS);
}

void test_killed_moving(int fd)
{
	(void)fd;
	kill_rounds(run_moves);
}

static void run_waits(int pipe)
{
	uint32_t channel, handle;
	int fd = gpu_open();

	if (gpu_channel(fd, &channel) || gpu_create(fd, SIZE, VRAM, &handle) ||
	    gpu_use(fd, channel, handle, WRITE, VRAM, 10 * SECOND))
		_exit(1);
	ready(pipe);
	gpu_wait(fd, handle, 0, 60 * SECOND);
}

void test_killed_waiting(int fd)
{
	(void)fd;
	kill_rounds(run_waits);
}

/* More than fits, so that it also waits for room. */
static void run_creates(int pipe)
{
	int i, fd = gpu_open();
	uint32_t channel, handle;
	uint64_t size = gpu_stats(fd, 0).vram_bytes / 6;

	if (gpu_channel(fd, &channel))
		_exit(1);
	ready(pipe);
	for (i = 0;; i++) {
		if (gpu_create(fd, size, VRAM, &handle))
			continue;
		gpu_use(fd, channel, handle, WRITE, VRAM, 5 * MS);
		if (i % 3)
			gpu_close(fd, handle);
	}
}

void test_killed_creating(int fd)
{
	(void)fd;
	kill_rounds(run_creates);
}

static void run_submits(int pipe)
{
	uint32_t channel, handles[NR_SHARED];
	int i, fd = gpu_open();

	if (gpu_channel(fd, &channel))
		_exit(1);
	for (i = 0; i < NR_SHARED; i++) {
		if (gpu_create(fd, SIZE, i % 2 ? VRAM : GTT, &handles[i]))
			_exit(1);
	}
	for (i = 0; i < NR_JOBS; i++) {
		if (gpu_use(fd, channel, handles[i % NR_SHARED], 1 + i % 3, VRAM | GTT, SECOND))
			_exit(1);
	}
	ready(pipe);
	for (;;)
		gpu_use(fd, channel, handles[i++ % NR_SHARED], READ, VRAM | GTT, SECOND);
}

void test_killed_submitting(int fd)
{
	pid_t pid = start(run_submits);

	if (check(pid > 0)) {
		end(pid);
		check_is(gpu_stats(fd, 0).tag_errors, 0);
	}
}

/* The child goes on with the file, the channel and the buffers of its parent. */
static void run_orphan(int fd, uint32_t channel, uint32_t *handles, int done)
{
	char result = 0;
	int i;

	while (getppid() != 1)
		sleep_ns(MS);
	for (i = 0; i < NR_SHARED; i++) {
		if (gpu_use(fd, channel, handles[i], READ, VRAM, 0) ||
		    gpu_wait(fd, handles[i], 0, 10 * SECOND))
			result = 1;
	}
	if (write(done, &result, 1) != 1)
		_exit(1);
	_exit(0);
}

static int orphan_done[2];

static void run_parent(int pipe)
{
	uint32_t channel, handles[NR_SHARED];
	int i, fd = gpu_open();

	if (gpu_channel(fd, &channel))
		_exit(1);
	for (i = 0; i < NR_SHARED; i++) {
		if (gpu_create(fd, SIZE, VRAM, &handles[i]) ||
		    gpu_use(fd, channel, handles[i], WRITE, VRAM, 20 * MS))
			_exit(1);
	}
	if (!fork())
		run_orphan(fd, channel, handles, orphan_done[1]);
	ready(pipe);
	pause();
}

void test_killed_parent(int fd)
{
	char result = 2;
	pid_t pid;

	(void)fd;
	if (!check(!pipe(orphan_done)))
		return;
	pid = start(run_parent);
	if (check(pid > 0))
		end(pid);
	close(orphan_done[1]);
	check_is(read(orphan_done[0], &result, 1), 1);
	check_is(result, 0);
	close(orphan_done[0]);
}
