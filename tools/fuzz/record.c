// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What each thread does, in memory that all processes share. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "node.h"
#include "record.h"

struct record *record;

bool record_make(uint64_t seed)
{
	uint32_t i, j;

	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (record == MAP_FAILED)
		return false;
	record->seed = seed;
	for (i = 0; i < NR_ROWS; i++) {
		for (j = 0; j < NR_TASKS; j++) {
			record->tasks[i][j].process = i;
			record->tasks[i][j].thread = j;
		}
	}
	return true;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

struct request *request_begin(struct task *task, const char *name, uint64_t bound_ns)
{
	struct request *request = &task->last[task->nr % NR_LAST];

	memset(request, 0, sizeof(*request));
	request->done = true;
	request->name = name;
	request->step = task->step;
	request->bound_ns = bound_ns;
	request->start_ns = now_ns();
	__atomic_store_n(&request->done, false, __ATOMIC_RELEASE);
	__atomic_store_n(&task->nr, task->nr + 1, __ATOMIC_RELEASE);
	return request;
}

int request_end(struct request *request, int ret)
{
	request->ret = ret;
	__atomic_store_n(&request->done, true, __ATOMIC_RELEASE);
	return ret;
}

struct request *request_in_flight(struct task *task)
{
	uint64_t nr = __atomic_load_n(&task->nr, __ATOMIC_ACQUIRE);
	struct request *request = &task->last[(nr - 1) % NR_LAST];

	if (!nr || __atomic_load_n(&request->done, __ATOMIC_ACQUIRE))
		return NULL;
	return request;
}

void fail(struct task *task, const char *format, ...)
{
	bool nobody = false;
	va_list ap;

	if (!__atomic_compare_exchange_n(&record->failed, &nobody, true, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	record->who = task;
	va_start(ap, format);
	vsnprintf(record->why, sizeof(record->why), format, ap);
	va_end(ap);
}

static void print_request(const struct request *r, uint64_t now)
{
	int i;

	printf("#   step %llu: %s(", (unsigned long long)r->step, r->name);
	for (i = 0; i < NR_ARGS; i++)
		printf("%s%#llx", i ? ", " : "", (unsigned long long)r->args[i]);
	if (r->done)
		printf(") = %d %s\n", r->ret, r->ret < 0 ? strerror(-r->ret) : "");
	else
		printf(") has not returned for %llu ms\n",
		       (unsigned long long)((now - r->start_ns) / MS));
}

static void print_task(struct task *task)
{
	uint64_t i, now = now_ns(), nr = task->nr;

	printf("# process %u, thread %u, generation %u, pid %d: the last of %llu requests\n",
	       task->process, task->thread, task->generation, task->pid,
	       (unsigned long long)nr);
	for (i = nr > NR_LAST ? nr - NR_LAST : 0; i < nr; i++)
		print_request(&task->last[i % NR_LAST], now);
}

void record_print_failure(void)
{
	uint32_t i;

	printf("# failed: %s\n# seed %llu\n", record->why, (unsigned long long)record->seed);
	if (record->who)
		print_task(record->who);
	printf("# others that wait:\n");
	for (i = 0; i < NR_ROWS * NR_TASKS; i++) {
		struct task *task = &record->tasks[i / NR_TASKS][i % NR_TASKS];

		if (task->pid && task != record->who && request_in_flight(task))
			print_task(task);
	}
	if (write_file("/proc/sysrq-trigger", "w"))
		printf("# the kernel's log says where they wait\n");
}
