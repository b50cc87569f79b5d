/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What each thread does, in memory that all processes share. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NR_PROCESSES	5
/* Two threads, and a child of the first one. */
#define NR_TASKS	3
#define TASK_CHILD	2
/* The processes play; what is done to the devices and to memory has a row of its own. */
#define ROW_EVENTS	NR_PROCESSES
#define NR_ROWS		(NR_PROCESSES + 1)
#define NR_LAST		32
#define NR_ARGS		4
#define MAX_ACTIONS	64

/**
 * struct request - one that a thread has made
 * @name: of the action
 * @args: what is worth knowing of its arguments
 * @step: of the thread
 * @start_ns: when it was made
 * @bound_ns: how long it may take
 * @done: it has returned
 * @ret: what it returned
 */
struct request {
	const char *name;
	uint64_t args[NR_ARGS];
	uint64_t step;
	uint64_t start_ns;
	uint64_t bound_ns;
	bool done;
	int ret;
};

/**
 * struct task - a thread
 * @process: number of its process
 * @thread: its number there
 * @generation: how many processes of that number were killed before
 * @pid: 0: it does not run
 * @step: which it is at
 * @nr: requests made
 * @last: the last of them, a ring
 */
struct task {
	uint32_t process;
	uint32_t thread;
	uint32_t generation;
	pid_t pid;
	uint64_t step;
	uint64_t nr;
	struct request last[NR_LAST];
};

/**
 * struct record - what is shared
 * @seed: of all
 * @stop: everybody is to end
 * @failed: something has failed
 * @who: whose failure it is; NULL: nobody's
 * @why: what failed
 * @tasks: of each process
 * @done: how often each action was tried
 * @good: how often it succeeded
 */
struct record {
	uint64_t seed;
	bool stop;
	bool failed;
	struct task *who;
	char why[256];
	struct task tasks[NR_ROWS][NR_TASKS];
	uint64_t done[MAX_ACTIONS];
	uint64_t good[MAX_ACTIONS];
};

extern struct record *record;

bool record_make(uint64_t seed);
uint64_t now_ns(void);

struct request *request_begin(struct task *task, const char *name, uint64_t bound_ns);
/* Returns @ret. */
int request_end(struct request *request, int ret);
/* The one that has not returned, or NULL. */
struct request *request_in_flight(struct task *task);

/* Only the first failure counts. */
void fail(struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
void record_print_failure(void);

#endif
