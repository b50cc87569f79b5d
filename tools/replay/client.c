// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A client: from its start to its end.
 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "device.h"
#include "steps.h"
#include "vm.h"

#define NOTIFIER_BYTES	4096

/* The seed's part: where clients start, and how long they pause, see steps.c. */
#define START_JITTER_NS	20000000u

int client_report(struct client *c, const struct event *e, const char *what, int error)
{
	c->counts.errors++;
	fprintf(stderr, "%s:%u: %s: %s\n", c->trace.file, e->line, what,
		strerror(-error));
	return error;
}

int client_refused(struct client *c, const struct event *e, int error)
{
	if (!c->counts.submits_no_memory++)
		client_report(c, e, "SUBMIT", error);
	else
		c->counts.errors++;
	return 0;
}

/* That nothing carried the mark means that there is nothing to wait for. */
static int wait_for_end(struct client *c, uint32_t channel)
{
	if (c->vm)
		return c->last_mark[channel] ?
			       device_wait(c->fd, c->last_mark[channel], 0, WAIT_LIMIT_NS) : 0;
	return c->marked & 1u << END_MARK ?
	       device_wait(c->fd, c->handles[mark_slot(c, END_MARK)], 0, WAIT_LIMIT_NS) : 0;
}

static int run_chan(struct client *c, const struct event *e)
{
	int ret = device_channel_create(c->fd, &c->channels[e->flags]);

	if (ret)
		return client_report(c, e, "CHANNEL_CREATE", ret);
	c->has_channel |= 1ull << e->flags;
	ret = device_create(c->fd, NOTIFIER_BYTES, SWGPU_DOMAIN_GTT,
			    &c->handles[e->handle]);
	return ret ? client_report(c, e, "GEM_CREATE of the notifier", ret) : 0;
}

/* As nouveau: a channel is idle before it goes. */
static int run_chanfree(struct client *c, uint32_t channel)
{
	int ret;

	if (!(c->has_channel & 1ull << channel))
		return 0;
	ret = wait_for_end(c, channel);
	if (ret)
		return client_report(c, c->present, "GEM_WAIT", ret);
	ret = device_channel_destroy(c->fd, c->channels[channel]);
	c->has_channel &= ~(1ull << channel);
	return ret ? client_report(c, c->present, "CHANNEL_DESTROY", ret) : 0;
}

static int run_fdclose(struct client *c)
{
	for (uint32_t channel = 0; channel < TRACE_MAX_CHANNELS; channel++)
		if (run_chanfree(c, channel))
			return -1;
	close(c->fd);
	c->fd = -1;
	return 0;
}

/* What is no step: it ends a list. */
static int run_event(struct client *c, const struct event *e)
{
	c->present = e;
	switch ((enum op)e->op) {
	case OP_CHAN:
		return run_chan(c, e);
	case OP_CHANFREE:
		return run_chanfree(c, e->flags);
	case OP_FDCLOSE:
		return run_fdclose(c);
	default:
		return -1;
	}
}

/* All events, in lists as long as can be. */
static int run_events(struct client *c)
{
	for (size_t i = 0; i < c->trace.nr_events && !*c->stop; i++) {
		const struct event *e = &c->trace.events[i];

		if (vm_has(e)) {
			if (steps_pause(c, e) || vm_run(c, e))
				return -1;
			continue;
		}
		if (steps_add(c, e))
			continue;
		if (steps_play(c))
			return -1;
		if (steps_add(c, e))
			continue;
		if (run_event(c, e))
			return -1;
		atomic_fetch_add_explicit(&c->counts.events, 1, memory_order_relaxed);
	}
	return steps_play(c);
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int client_open(struct client *c)
{
	c->handles = calloc(mark_slot(c, NR_MARKS), sizeof(*c->handles));
	c->frames = calloc(c->trace.nr_events, sizeof(*c->frames));
	c->list = steps_alloc();
	if (!c->handles || !c->frames || !c->list) {
		fprintf(stderr, "%s: %s\n", c->trace.file, strerror(ENOMEM));
		return -1;
	}
	c->fd = device_open(c->options->node);
	return c->fd < 0 ? -1 : 0;
}

void *client_run(void *arg)
{
	struct client *c = arg;

	sleep_until(c->begin_ns + random_below(&c->random, START_JITTER_NS));
	c->start_ns = clock_ns();
	run_events(c);
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
	free(c->list);
	trace_free(&c->trace);
}
