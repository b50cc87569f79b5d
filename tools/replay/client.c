// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What each event of a trace does to the software GPU.
 */
#include "client.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"

#define MARK_BYTES	4096
#define NOTIFIER_BYTES	4096

/* Long waits are cut, to notice @stop; a job that never ends is an error. */
#define WAIT_SLICE_NS	200000000u
#define WAIT_LIMIT_NS	120000000000u

/* The seed's part: where clients start, and after how many events they yield. */
#define START_JITTER_NS	20000000u
#define YIELD_ONE_IN	32

#define MIN_PAUSE_NS	20000u

static int report(struct client *c, const char *what, int error)
{
	c->counts.errors++;
	fprintf(stderr, "%s:%u: %s: %s\n", c->trace.file, c->present->line, what,
		strerror(-error));
	return error;
}

static int make_mark(struct client *c, uint32_t *mark)
{
	int ret = 0;

	if (!*mark)
		ret = device_create(c->fd, MARK_BYTES, SWGPU_DOMAIN_GTT, mark);
	return ret ? report(c, "GEM_CREATE of a mark", ret) : 0;
}

static int wait_for(struct client *c, uint32_t handle, uint32_t flags)
{
	uint64_t limit = clock_ns() + WAIT_LIMIT_NS;
	int ret;

	c->counts.waits++;
	do {
		ret = device_wait(c->fd, handle, flags, WAIT_SLICE_NS);
	} while (ret == -EBUSY && !*c->stop && clock_ns() < limit);
	if (ret == -EBUSY && *c->stop)
		return 0;
	return ret ? report(c, "GEM_WAIT", ret) : 0;
}

/* That nothing carried the mark means that there is nothing to wait for. */
static int wait_for_mark(struct client *c, unsigned int mark)
{
	return c->marks[mark] ? wait_for(c, c->marks[mark], 0) : 0;
}

static int run_create(struct client *c, const struct event *e)
{
	int ret = device_create(c->fd, e->value, e->flags, &c->handles[e->handle]);

	if (ret)
		return report(c, "GEM_CREATE", ret);
	c->counts.creates++;
	return 0;
}

static int run_close(struct client *c, const struct event *e)
{
	int ret = device_close(c->fd, c->handles[e->handle]);

	if (ret)
		return report(c, "GEM_CLOSE", ret);
	c->handles[e->handle] = 0;
	c->counts.closes++;
	return 0;
}

static uint32_t fill_list(struct client *c, const struct event *e)
{
	uint32_t nr = e->nr_bos;

	memcpy(c->bos, c->trace.bos + e->first_bo, nr * sizeof(*c->bos));
	for (uint32_t i = 0; i < nr; i++)
		c->bos[i].handle = c->handles[c->bos[i].handle];
	for (unsigned int mark = 0; mark < NR_MARKS; mark++)
		if (e->marks & 1u << mark)
			c->bos[nr++] = (struct drm_swgpu_submit_bo){
				.handle = c->marks[mark],
				.flags = SWGPU_BO_READ | SWGPU_BO_WRITE,
				.domains = SWGPU_DOMAIN_GTT,
			};
	return nr;
}

static int run_push(struct client *c, const struct event *e)
{
	uint64_t duration = (uint64_t)((double)e->value / c->trace.speed);
	int ret;

	for (unsigned int mark = 0; mark < NR_MARKS; mark++)
		if (e->marks & 1u << mark && make_mark(c, &c->marks[mark]))
			return -1;
	ret = device_submit(c->fd, c->channel, c->bos, fill_list(c, e), duration);
	if (!ret) {
		c->counts.submits++;
		return 0;
	}
	/* The client goes on without that job, and fails in the end. */
	if (ret == -ENOMEM || ret == -ENOSPC) {
		if (!c->counts.submits_no_memory++)
			report(c, "SUBMIT", ret);
		else
			c->counts.errors++;
		return 0;
	}
	return report(c, "SUBMIT", ret);
}

/* As nouveau: to read, writers must have ended; to write, all. */
static int run_prep(struct client *c, const struct event *e)
{
	uint32_t flags = e->flags & PREP_WRITE ? 0 : SWGPU_WAIT_WRITERS;
	int ret;

	if (!(e->flags & PREP_NOWAIT))
		return wait_for(c, c->handles[e->handle], flags);
	ret = device_wait(c->fd, c->handles[e->handle], flags, 0);
	c->counts.waits++;
	if (ret == -EBUSY) {
		c->counts.waits_busy++;
		return 0;
	}
	return ret ? report(c, "GEM_WAIT", ret) : 0;
}

static int run_chan(struct client *c, const struct event *e)
{
	int ret = device_channel_create(c->fd, &c->channel);

	if (ret)
		return report(c, "CHANNEL_CREATE", ret);
	c->has_channel = true;
	ret = device_create(c->fd, NOTIFIER_BYTES, SWGPU_DOMAIN_GTT,
			    &c->handles[e->handle]);
	return ret ? report(c, "GEM_CREATE of the notifier", ret) : 0;
}

/* As nouveau: a channel is idle before it goes. */
static int run_chanfree(struct client *c)
{
	int ret;

	if (!c->has_channel)
		return 0;
	if (wait_for_mark(c, END_MARK))
		return -1;
	ret = device_channel_destroy(c->fd, c->channel);
	c->has_channel = false;
	return ret ? report(c, "CHANNEL_DESTROY", ret) : 0;
}

static int run_fdclose(struct client *c)
{
	if (run_chanfree(c))
		return -1;
	close(c->fd);
	c->fd = -1;
	return 0;
}

/* Two frames ago is one ahead in a ring of three. */
static int run_frame(struct client *c, const struct event *e)
{
	int ret = wait_for_mark(c, (e->handle + 1) % FRAME_MARKS);
	uint64_t now = clock_ns();

	if (c->frame_ns)
		c->frames[c->nr_frames++] = now - c->frame_ns;
	c->frame_ns = now;
	return ret;
}

static int run_event(struct client *c, const struct event *e)
{
	switch ((enum op)e->op) {
	case OP_NEW:
		return run_create(c, e);
	case OP_CLOSE:
		return run_close(c, e);
	case OP_PUSH:
		return run_push(c, e);
	case OP_PREP:
		return run_prep(c, e);
	case OP_FRAME:
		return run_frame(c, e);
	case OP_CHAN:
		return run_chan(c, e);
	case OP_CHANFREE:
		return run_chanfree(c);
	case OP_FDCLOSE:
		return run_fdclose(c);
	}
	return -1;
}

/* Short pauses are taken together: each would cost a system call. */
static void keep_pace(struct client *c)
{
	c->owed_ns += c->present->pause_ns;
	while (!*c->stop && c->owed_ns >= MIN_PAUSE_NS) {
		uint64_t slice = c->owed_ns < WAIT_SLICE_NS ? c->owed_ns : WAIT_SLICE_NS;

		sleep_for(slice);
		c->owed_ns -= slice;
	}
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int client_open(struct client *c)
{
	c->handles = calloc((size_t)c->trace.max_handle + 1, sizeof(*c->handles));
	c->frames = calloc(c->trace.nr_events, sizeof(*c->frames));
	if (!c->handles || !c->frames) {
		fprintf(stderr, "%s: %s\n", c->trace.file, strerror(ENOMEM));
		return -1;
	}
	c->fd = device_open(c->options->node);
	return c->fd < 0 ? -1 : 0;
}

void *client_run(void *arg)
{
	struct client *c = arg;

	sleep_until(clock_ns() + random_below(&c->random, START_JITTER_NS));
	c->start_ns = clock_ns();
	for (size_t i = 0; i < c->trace.nr_events && !*c->stop; i++) {
		c->present = &c->trace.events[i];
		if (c->options->pace)
			keep_pace(c);
		if (run_event(c, c->present))
			break;
		atomic_fetch_add_explicit(&c->counts.events, 1, memory_order_relaxed);
		if (!random_below(&c->random, YIELD_ONE_IN))
			sched_yield();
	}
	if (c->fd >= 0 && !*c->stop)
		run_fdclose(c);
	c->counts.wall_ns = clock_ns() - c->start_ns;
	qsort(c->frames, c->nr_frames, sizeof(*c->frames), compare_ns);
	return NULL;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->handles);
	free(c->frames);
	trace_free(&c->trace);
}
