// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"

#define PERIOD_NS	10000000u
/* Where time is modelled the counters are read in no time, but a guest may be slow. */
#define MODELLED_PERIOD_NS	100000000u

/*
 * Reading the counters may take long: rather sample less often than disturb.
 * The CPU is ours for at most one part in so many.
 */
#define CPU_SHARE	12u

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void sample(struct timeline *t, uint64_t start)
{
	struct drm_swgpu_stats s;
	uint64_t used, zombie;

	if (device_stats(t->fd, 0, &s))
		return;
	/*
	 * The kernel reads one after the other, while buffers come and go, and
	 * TTM counts an allocation as used that is about to fail.
	 */
	used = min_of(s.vram_held_bytes, s.vram_bytes);
	zombie = min_of(s.vram_zombie_bytes, used);
	fprintf(t->out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
		clock_ns() - start, used - zombie, zombie, (uint64_t)s.vram_bytes - used);
}

static void *run(void *arg)
{
	struct timeline *t = arg;
	uint64_t start = t->begin_ns;

	sleep_until(start);
	while (!t->stop) {
		uint64_t begin = clock_ns(), used = thread_ns(), period;

		sample(t, start);
		period = (thread_ns() - used) * CPU_SHARE;
		sleep_until(begin + (period > t->period_ns ? period : t->period_ns));
	}
	sample(t, start);
	return NULL;
}

int timeline_start(struct timeline *t, const struct options *options, uint64_t begin_ns)
{
	const char *file = options->timeline;
	int ret;

	t->out = NULL;
	t->begin_ns = begin_ns;
	t->period_ns = options->pace ? MODELLED_PERIOD_NS : PERIOD_NS;
	if (!file)
		return 0;
	t->fd = device_open(options->node);
	if (t->fd < 0)
		return -1;
	t->out = fopen(file, "we");
	if (!t->out) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		close(t->fd);
		return -1;
	}
	fputs("t_ns,live_bytes,zombie_bytes,free_bytes\n", t->out);
	t->stop = false;
	ret = pthread_create(&t->thread, NULL, run, t);
	if (!ret)
		return 0;
	fprintf(stderr, "%s: %s\n", file, strerror(ret));
	fclose(t->out);
	close(t->fd);
	return -1;
}

int timeline_finish(struct timeline *t)
{
	int bad;

	if (!t->out)
		return 0;
	t->stop = true;
	pthread_join(t->thread, NULL);
	close(t->fd);
	bad = ferror(t->out);
	if (fclose(t->out) || bad) {
		fputs("the timeline could not be written\n", stderr);
		return -1;
	}
	return 0;
}
