// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"

#define PERIOD_NS	10000000u

/* Reading the counters may take long: rather sample less often than disturb. */
#define IDLE_SHARE	19u

static void sample(struct timeline *t, uint64_t start)
{
	struct drm_swgpu_stats s;

	if (device_stats(t->fd, 0, &s))
		return;
	fprintf(t->out, "%" PRIu64 ",%llu,%llu,%llu\n", clock_ns() - start,
		s.vram_used_bytes - s.vram_zombie_bytes, s.vram_zombie_bytes,
		s.vram_bytes - s.vram_used_bytes);
}

static void *run(void *arg)
{
	struct timeline *t = arg;
	uint64_t start = clock_ns();

	while (!t->stop) {
		uint64_t begin = clock_ns(), pause;

		sample(t, start);
		pause = (clock_ns() - begin) * IDLE_SHARE;
		sleep_until(begin + (pause > PERIOD_NS ? pause : PERIOD_NS));
	}
	sample(t, start);
	return NULL;
}

int timeline_start(struct timeline *t, const char *file, const char *node)
{
	int ret;

	t->out = NULL;
	if (!file)
		return 0;
	t->fd = device_open(node);
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
