// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the system does to a client, and what it shows of it. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

/* A new file; what the old one has goes with work in flight. */
static int open_again(struct client *c)
{
	return process_open(c->process, random_below(&c->random, NR_DEVICES));
}

static int read_all(struct client *c, const char *path)
{
	struct request *r;
	char text[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	r = request_begin(c->task, "read", BOUND);
	do {
		n = read(fd, text, sizeof(text));
	} while (n > 0);
	request_end(r, n < 0 ? -errno : 0);
	close(fd);
	return n < 0 ? -errno : 0;
}

/* The kernel's own description of what there is. */
static int read_debugfs(struct client *c)
{
	glob_t found;
	int ret = 0;

	if (glob(one_in(c, 4) ? "/sys/kernel/debug/ttm/*" : "/sys/kernel/debug/dri/*/*", 0, NULL,
		 &found))
		return -ENOENT;
	if (found.gl_pathc)
		ret = read_all(c, found.gl_pathv[random_below(&c->random, found.gl_pathc)]);
	globfree(&found);
	return ret;
}

static int read_fdinfo(struct client *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->process->fds[any_device(c)]);
	return read_all(c, path);
}

/* Suspend and resume one of the devices. */
static int suspend(struct client *c)
{
	struct request *r;
	glob_t found;
	int fd, ret = 0;

	if (glob("/sys/kernel/debug/dri/*/suspend", 0, NULL, &found))
		return -ENOENT;
	fd = open(found.gl_pathv[random_below(&c->random, found.gl_pathc)],
		  O_WRONLY | O_CLOEXEC);
	globfree(&found);
	if (fd < 0)
		return -errno;
	r = request_begin(c->task, "suspend", 2 * BOUND);
	if (write(fd, "1", 1) < 0)
		ret = -errno;
	request_end(r, ret);
	close(fd);
	return ret;
}

int client_set_timer(struct client *c)
{
	uint64_t us = 2000 + random_below(&c->random, 60000);
	struct itimerval timer = { { 0, us }, { 0, us } };

	return setitimer(ITIMER_REAL, &timer, NULL) ? -errno : 0;
}

/* Has the same files, and does some things. */
static void run_child(struct client *c)
{
	struct task *task = &record->tasks[c->task->process][TASK_CHILD];

	task->generation = c->task->step;
	task->step = 0;
	/* What the one before it had begun when it was killed is not in flight any more. */
	__atomic_store_n(&task->nr, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&task->pid, getpid(), __ATOMIC_RELEASE);
	c->task = task;
	c->process->may_hang = false;
	/* The other thread, which may have held it, is not here. */
	pthread_mutex_init(&c->process->new_handle, NULL);
	client_run(c, 20 + random_below(&c->random, 100));
	_exit(0);
}

/* One at a time, by the first thread; the parent kills some. */
static int fork_child(struct client *c)
{
	uint64_t after = random_below(&c->random, 100 * MS);
	bool end = one_in(c, 2);
	struct request *r;
	int status;
	pid_t pid;

	if (c->task->thread || record->tasks[c->task->process][TASK_CHILD].pid)
		return 0;
	c->process->shared = true;
	pid = fork();
	if (!pid)
		run_child(c);
	if (pid < 0)
		return -errno;
	sleep_ns(after);
	if (end)
		kill(pid, SIGKILL);
	r = request_begin(c->task, "wait-for-child", 4 * BOUND);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	request_end(r, 0);
	record->tasks[c->task->process][TASK_CHILD].pid = 0;
	return 0;
}

static int sleep_a_little(struct client *c)
{
	usleep(random_below(&c->random, 2000));
	return 0;
}

const struct action system_actions[] = {
	{ "open-again", 2, open_again },
	{ "read-debugfs", 5, read_debugfs },
	{ "read-fdinfo", 3, read_fdinfo },
	{ "suspend", 1, suspend },
	{ "set-timer", 2, client_set_timer },
	{ "fork", 1, fork_child },
	{ "sleep", 10, sleep_a_little },
	{ NULL, 0, NULL },
};
