// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What Mesa asks nouveau for. Its libraries find this ioctl() before the C library's, as it is
 * the program's.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <nouveau_drm.h>

#include "asked.h"

static struct requests *requests;
static enum asker self = MESA;
static unsigned int channel;

struct requests *count_requests(void)
{
	void *memory = mmap(NULL, sizeof(*requests), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	requests = memory;
	return requests;
}

void ask_as(enum asker asker)
{
	self = asker;
}

unsigned int last_channel(void)
{
	return channel;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void count(unsigned long request, const void *arg, uint64_t took_ns)
{
	const struct drm_nouveau_vm_bind *bind = arg;
	const struct drm_nouveau_exec *exec = arg;
	const struct drm_nouveau_gem_pushbuf *push = arg;
	unsigned long nr;

	if (request == DRM_IOCTL_NOUVEAU_VM_BIND) {
		requests->binds++;
		requests->ops += bind->op_count;
	} else if (request == DRM_IOCTL_NOUVEAU_EXEC) {
		requests->execs++;
		channel = exec->channel;
	} else if (request == DRM_IOCTL_NOUVEAU_GEM_PUSHBUF) {
		requests->pushes++;
		channel = push->channel;
	} else if (request == DRM_IOCTL_NOUVEAU_GEM_NEW) {
		nr = requests->allocs[self]++;
		if (nr < MAX_TIMES)
			requests->times[self][nr] = took_ns;
	}
}

/* The one behind this: the C library's, or that of somebody who was preloaded. */
static int ask(int fd, unsigned long request, void *arg)
{
	static int (*next)(int fd, unsigned long request, void *arg);

	if (!next)
		next = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	uint64_t start = now_ns();
	va_list list;
	void *arg;
	int ret;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	ret = ask(fd, request, arg);
	if (!ret && requests)
		count(request, arg, now_ns() - start);
	return ret;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print_times_of(const char *who, uint64_t *ns, unsigned long nr)
{
	qsort(ns, nr, sizeof(*ns), compare);
	printf("# figure: allocation by %s, median: %.1f us\n", who, ns[nr / 2] / 1e3);
	printf("# figure: allocation by %s, 99 %%: %.1f us\n", who, ns[nr * 99 / 100] / 1e3);
	printf("# figure: allocation by %s, slowest: %.1f us\n", who, ns[nr - 1] / 1e3);
}

void print_times(const struct requests *from)
{
	static const char *const names[] = { [MESA] = "Mesa", [OTHER] = "another" };
	static uint64_t ns[MAX_TIMES];
	enum asker asker;

	for (asker = 0; asker < NR_ASKERS; asker++) {
		unsigned long nr = from->allocs[asker];

		printf("# figure: allocations by %s: %lu\n", names[asker], nr);
		if (nr > MAX_TIMES)
			nr = MAX_TIMES;
		memcpy(ns, from->times[asker], nr * sizeof(*ns));
		if (nr)
			print_times_of(names[asker], ns, nr);
	}
}
