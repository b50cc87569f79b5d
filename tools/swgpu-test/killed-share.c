// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clients that share a buffer are killed: the exporter, the importer, one before the other. */

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"
#include "pass.h"

#define NR_BUFFERS	6
#define SIZE		(16 * PAGE)

static void use_all(int fd, uint32_t *handles)
{
	uint32_t channel;
	int i;

	if (gpu_channel(fd, &channel))
		_exit(1);
	for (i = 0; i < 3 * NR_BUFFERS; i++) {
		if (gpu_use(fd, channel, handles[i % NR_BUFFERS], WRITE, VRAM | GTT, 20 * MS))
			_exit(2);
	}
}

/* Ready, with jobs in flight. */
static void linger(int socket)
{
	if (write(socket, "", 1) != 1)
		_exit(3);
	pause();
	_exit(4);
}

static void run_exporter(int socket, int to_parent)
{
	uint32_t handles[NR_BUFFERS];
	int i, dma_buf, fd = gpu_open();

	for (i = 0; i < NR_BUFFERS; i++) {
		if (gpu_create(fd, SIZE, i % 2 ? VRAM : GTT, &handles[i]))
			_exit(5);
		dma_buf = gpu_export(fd, handles[i]);
		if (dma_buf < 0 || pass_fd(socket, dma_buf, 0))
			_exit(6);
		close(dma_buf);
	}
	use_all(fd, handles);
	linger(to_parent);
}

static void run_importer(int socket, int to_parent)
{
	uint32_t handles[NR_BUFFERS];
	int i, dma_buf, fd = gpu_open_other();

	for (i = 0; i < NR_BUFFERS; i++) {
		dma_buf = take_fd(socket, 0);
		if (dma_buf < 0 || gpu_import(fd, dma_buf, &handles[i]))
			_exit(7);
		close(dma_buf);
	}
	use_all(fd, handles);
	linger(to_parent);
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void kill_both(int first)
{
	static void (*const run[])(int, int) = { run_exporter, run_importer };
	int i, post[2], ready[2];
	pid_t pids[2];
	char byte;

	if (!check(!socketpair(AF_UNIX, SOCK_STREAM, 0, post)) || !check(!pipe(ready)))
		return;
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			run[i](post[i], ready[1]);
		close(post[i]);
	}
	close(ready[1]);
	for (i = 0; i < 2; i++)
		check_is(read(ready[0], &byte, 1), 1);
	end(pids[first]);
	end(pids[!first]);
	close(ready[0]);
}

/* Nothing is left of either: the runner of the cases sees to that. */
void test_killed_exporter(int fd)
{
	(void)fd;
	kill_both(0);
}

void test_killed_importer(int fd)
{
	(void)fd;
	kill_both(1);
}

static void touch(uint64_t *map, int to_parent)
{
	if (write(to_parent, "", 1) != 1)
		_exit(3);
	_exit(*(volatile uint64_t *)map == 77 ? 0 : 1);
}

/* It waits for a copy that hangs. */
static pid_t start_touching(uint64_t *map)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (!check(!pipe(ready)))
		return -1;
	pid = fork();
	if (!pid)
		touch(map, ready[1]);
	close(ready[1]);
	check_is(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	sleep_ns(50 * MS);
	check_is(waitpid(pid, NULL, WNOHANG), 0);
	return pid;
}

static uint64_t *map_moving(int fd)
{
	uint32_t channel, handle;
	uint64_t *map;
	int dma_buf;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, SIZE, VRAM, &handle), 0);
	dma_buf = gpu_export(fd, handle);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	close(dma_buf);
	if (!check(map != MAP_FAILED))
		return NULL;
	map[0] = 77;
	check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(gpu_use(fd, channel, handle, READ, GTT, 0), 0);
	return map;
}

/* One of two that touch it is killed while it waits; the other one finds what was there. */
void test_killed_in_fault(int fd)
{
	uint64_t *map;
	pid_t pids[2];
	int i, status;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	map = map_moving(fd);
	if (!map)
		return;
	for (i = 0; i < 2; i++)
		pids[i] = start_touching(map);
	end(pids[0]);
	check_is(waitpid(pids[1], &status, WNOHANG), 0);
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_RESUME), 0);
	check(waitpid(pids[1], &status, 0) == pids[1]);
	check_is(status, 0);
	munmap(map, SIZE);
}
