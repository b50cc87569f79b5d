// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * fuzz: asks the software GPU for anything, from several processes and threads at once.
 *
 * usage: fuzz <seconds> <seed> <file of known failures>
 *
 * It fails if memory holds another's bytes, if a request takes too long or a process that
 * is killed does not end, if a job found a foreign tag, or if something is left at the end.
 * What the kernel complains of is for the caller to see. A seed makes each thread try the
 * same again: what it gets depends on the others.
 * Exit status 0: nothing failed; 1: something did; 2: it could not begin.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "events.h"
#include "finish.h"
#include "known.h"

/* The events are processes, too. */
#define UNBINDER	NR_PROCESSES
#define HOG		(NR_PROCESSES + 1)

/**
 * struct watch - what the first process knows of the others
 * @random: decides when what happens to them
 * @post: how they exchange DMA-bufs
 * @pids: of them, then of the two events; 0: none
 * @killed_ns: when; 0: not
 * @kill_ns: when the next one is to be killed
 * @event_ns: when the next unbind and the next hog are due
 * @events: how often each of the two happened
 * @kills: how many were killed
 * @odd_ends: how many ended by themselves
 */
struct watch {
	struct random random;
	int post[2];
	pid_t pids[NR_PROCESSES + 2];
	uint64_t killed_ns[NR_PROCESSES + 2];
	uint64_t kill_ns;
	uint64_t event_ns[2];
	uint64_t events[2];
	uint32_t kills;
	uint32_t odd_ends;
};

static void (*const events[])(struct random *random) = { event_unbind, event_hog };
static const char *const event_names[] = { "unbind", "hog" };

/* False in the child. Without memory for one, the next round asks again. */
static bool forked(pid_t *pid)
{
	*pid = fork();
	if (*pid < 0) {
		*pid = 0;
		return true;
	}
	return *pid;
}

static void spawn(struct watch *w, uint32_t i)
{
	uint32_t thread;

	for (thread = 0; thread < NR_THREADS; thread++) {
		record->tasks[i][thread].step = 0;
		record->tasks[i][thread].nr = 0;
	}
	w->killed_ns[i] = 0;
	if (forked(&w->pids[i]))
		return;
	write_file("/proc/self/oom_score_adj", i ? "0" : "-999");
	process_run(i, w->post);
}

static void run_event(struct watch *w, uint32_t i)
{
	struct random random = { random_next(&w->random) };

	w->events[i]++;
	w->killed_ns[NR_PROCESSES + i] = 0;
	/* The kernel must not kill the one that unbinds: who would bind again? */
	if (forked(&w->pids[NR_PROCESSES + i]))
		return;
	events[i](&random);
	_exit(0);
}

/* One of ours, or the child of one that was killed. */
static void ended(struct watch *w, pid_t pid, int status)
{
	uint32_t i, j;

	for (i = 0; i < ARRAY_SIZE(w->pids); i++) {
		if (w->pids[i] != pid)
			continue;
		w->pids[i] = 0;
		if (i == UNBINDER && status)
			fail(NULL, "the process that unbinds ended with status %#x", status);
		if (!w->killed_ns[i] && i < NR_PROCESSES && !record->stop)
			w->odd_ends++;
		if (WIFEXITED(status) && WEXITSTATUS(status) > 100)
			printf("# process %u: signal %d\n", i, WEXITSTATUS(status) - 100);
		for (j = 0; j < NR_THREADS && i < NR_PROCESSES; j++) {
			record->tasks[i][j].pid = 0;
			record->tasks[i][j].generation++;
		}
	}
	/* A parent that was killed may have waited for its child, and not said so. */
	for (i = 0; i < NR_PROCESSES; i++) {
		struct task *child = &record->tasks[i][TASK_CHILD];

		if (child->pid == pid || (child->pid && kill(child->pid, 0)))
			child->pid = 0;
	}
}

static void reap(struct watch *w)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(w, pid, status);
}

static void kill_one(struct watch *w, uint32_t i, uint64_t now)
{
	if (!w->pids[i] || w->killed_ns[i])
		return;
	kill(w->pids[i], SIGKILL);
	w->killed_ns[i] = now;
	w->kills++;
}

static void kill_any(struct watch *w, uint64_t now)
{
	if (now < w->kill_ns)
		return;
	w->kill_ns = now + 200 * MS + random_below(&w->random, 2 * SECOND);
	kill_one(w, random_below(&w->random, NR_PROCESSES), now);
}

static bool event_allowed(uint32_t i)
{
	return !known(event_names[i]);
}

static void begin_events(struct watch *w, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (now < w->event_ns[i] || w->pids[NR_PROCESSES + i] || !event_allowed(i))
			continue;
		w->event_ns[i] = now + 2 * SECOND + random_below(&w->random, 6 * SECOND);
		run_event(w, i);
	}
}

static void check_bounds(struct watch *w, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < NR_ROWS * NR_TASKS; i++) {
		struct task *task = &record->tasks[i / NR_TASKS][i % NR_TASKS];
		struct request *r = task->pid ? request_in_flight(task) : NULL;

		if (r && now > r->start_ns + r->bound_ns)
			fail(task, "%s takes longer than %llu s", r->name,
			     (unsigned long long)(r->bound_ns / SECOND));
	}
	for (i = 0; i < ARRAY_SIZE(w->pids); i++) {
		if (w->pids[i] && w->killed_ns[i] && now > w->killed_ns[i] + BOUND)
			fail(&record->tasks[i < NR_PROCESSES ? i : ROW_EVENTS][0],
			     "pid %d does not end by SIGKILL", w->pids[i]);
	}
}

static bool all_ended(struct watch *w)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(w->pids); i++) {
		if (w->pids[i])
			return false;
	}
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/*
 * Before the others: the kernel goes on killing while the hog's memory is on its way back,
 * and there must be somebody left to kill.
 */
static void end_hog(struct watch *w)
{
	kill_one(w, HOG, now_ns());
	while (w->pids[HOG] && !record->failed) {
		sleep_ns(20 * MS);
		reap(w);
		check_bounds(w, now_ns());
	}
}

/* They are asked first. */
static void end_all(struct watch *w)
{
	uint64_t now = now_ns(), patience = now + 10 * SECOND;
	uint32_t i;

	end_hog(w);
	record->stop = true;
	while (!all_ended(w) && !record->failed) {
		sleep_ns(20 * MS);
		reap(w);
		now = now_ns();
		check_bounds(w, now);
		for (i = 0; now > patience && i < NR_PROCESSES; i++)
			kill_one(w, i, now);
	}
}

static void play(struct watch *w, uint64_t seconds)
{
	uint64_t now = now_ns(), end = now + seconds * SECOND;
	uint32_t i;

	w->event_ns[0] = now + 3 * SECOND;
	w->event_ns[1] = now + 5 * SECOND;
	while (now < end && !record->failed) {
		for (i = 0; i < NR_PROCESSES; i++) {
			if (!w->pids[i])
				spawn(w, i);
		}
		kill_any(w, now);
		begin_events(w, now);
		sleep_ns(20 * MS);
		reap(w);
		now = now_ns();
		check_bounds(w, now);
	}
}

static void print_counts(struct watch *w)
{
	const char *name;
	uint32_t i;

	printf("# processes killed: %u, ended by themselves: %u, unbinds: %llu, hogs: %llu\n",
	       w->kills, w->odd_ends, (unsigned long long)w->events[0],
	       (unsigned long long)w->events[1]);
	printf("# actions, and how many succeeded:");
	for (i = 0; (name = action_name(i)); i++)
		printf("%s %s %llu/%llu", i % 6 ? "," : "\n#  ", name,
		       (unsigned long long)record->done[i], (unsigned long long)record->good[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct watch w = {};
	uint64_t seed;

	if (argc != 4 || !known_read(argv[3])) {
		fprintf(stderr, "usage: fuzz <seconds> <seed> <file of known failures>\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = strtoull(argv[2], NULL, 0);
	w.random.state = seed;
	if (!record_make(seed) || !finish_prepare() || socketpair(AF_UNIX, SOCK_DGRAM, 0, w.post))
		return 2;
	action_name(0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	write_file("/proc/self/oom_score_adj", "-1000");
	printf("# seed %llu\n", (unsigned long long)seed);
	play(&w, atoi(argv[1]));
	if (!record->failed)
		end_all(&w);
	print_counts(&w);
	close(w.post[0]);
	close(w.post[1]);
	if (!record->failed)
		finish_check();
	if (record->failed)
		record_print_failure();
	return record->failed ? 1 : 0;
}
