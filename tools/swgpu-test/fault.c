// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Page faults on buffers that move, or that their process does not get at once. */

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define SCRATCH		(4096 * PAGE)
#define NR_MOVES	2000

static int alarm_fd;
static volatile sig_atomic_t alarms;

/* The copy engine goes on only after the signal has been seen to. */
static void resume_copies(int signal)
{
	(void)signal;
	alarms++;
	gpu_fault(alarm_fd, 0, SWGPU_FAULT_RESUME);
}

static void set_alarm(uint64_t us)
{
	struct itimerval timer = { .it_value.tv_usec = us };

	alarms = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Its copy hangs. */
static void move(int fd, struct full *f, int i)
{
	check_is(gpu_fault(fd, 0, SWGPU_FAULT_HANG), 0);
	check_is(gpu_use(fd, f->channel, f->handles[i], READ, GTT, 0), 0);
	check_is(gpu_wait(fd, f->handles[i], 0, 0), -EBUSY);
}

static void touch_moving(int fd, struct full *f)
{
	move(fd, f, 0);
	set_alarm(50000);
	check_is(f->maps[0][0], 100);
	check_is(alarms, 1);
}

/* Somebody else has the copy engine go on, after the signal. */
static pid_t resume_later(int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sleep_ns(300 * MS);
	_exit(gpu_fault(fd, 0, SWGPU_FAULT_RESUME) ? 1 : 0);
}

/* The kernel's own access waits, too, and does not fail because of the signal. */
static void write_moving(int fd, struct full *f)
{
	uint64_t word = 0;
	int ends[2], status;
	pid_t pid;

	if (!check(!pipe(ends)))
		return;
	move(fd, f, 1);
	pid = resume_later(fd);
	set_alarm(50000);
	check_is(write(ends[1], f->maps[1], sizeof(word)), sizeof(word));
	check_is(alarms, 1);
	check_is(read(ends[0], &word, sizeof(word)), sizeof(word));
	check_is(word, 101);
	check(waitpid(pid, &status, 0) == pid);
	check_is(status, 0);
	close(ends[0]);
	close(ends[1]);
}

void test_fault_signal(int fd)
{
	struct sigaction action = { .sa_handler = resume_copies, .sa_flags = SA_RESTART };
	struct full f;

	if (!gpu_copies_async(fd)) {
		skip("the CPU copies");
		return;
	}
	if (!check(full_make(fd, &f)))
		return;
	alarm_fd = fd;
	sigaction(SIGALRM, &action, NULL);
	touch_moving(fd, &f);
	write_moving(fd, &f);
	full_check(&f);
	signal(SIGALRM, SIG_DFL);
}

/* It has the buffer mapped, and unmaps something else all the time. */
static void unmap_for_ever(int file)
{
	void *map;

	for (;;) {
		map = mmap(NULL, SCRATCH, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
		if (map == MAP_FAILED)
			_exit(1);
		munmap(map, SCRATCH);
	}
}

/* To move a buffer is to unmap it, by a process that has not that memory's lock. */
void test_fault_unmap(int fd)
{
	int i, status, file = memfd_create("scratch", MFD_CLOEXEC);
	uint32_t channel, handle;
	uint64_t *map;
	pid_t pid;

	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_create(fd, PAGE, VRAM, &handle), 0);
	map = gpu_map(fd, handle, PAGE);
	if (!check(map) || !check(!ftruncate(file, SCRATCH)))
		return;
	map[3] = 33;
	pid = fork();
	if (!pid)
		unmap_for_ever(file);
	for (i = 0; i < NR_MOVES; i++)
		check_is(gpu_use(fd, channel, handle, READ, i % 2 ? VRAM : GTT, 0), 0);
	check(!waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid);
	check_is(map[3], 33);
	munmap(map, PAGE);
	close(file);
}
