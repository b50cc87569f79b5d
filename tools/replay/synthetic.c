// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A client that is made up: a ring of buffers in VRAM, of which each job uses a few
 * consecutive ones, and the next job those that are @advance further.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "parse.h"

#define NOTIFIER	1
#define FIRST_BUFFER	(NOTIFIER + 1)

/**
 * struct ring - its parameters
 * @buffers: in the ring
 * @kib: size of each
 * @use: how many of them a job uses
 * @advance: where in the ring the next job goes on
 * @jobs: how many
 * @job_us: how long each runs
 * @frame: 0: wait after each job; else after so many, for those two frames ago
 */
struct ring {
	uint64_t buffers;
	uint64_t kib;
	uint64_t use;
	uint64_t advance;
	uint64_t jobs;
	uint64_t job_us;
	uint64_t frame;
};

static const struct {
	const char *name;
	size_t offset;
	uint64_t max;
} parameters[] = {
	{ "buffers", offsetof(struct ring, buffers), 1 << 16 },
	{ "kib", offsetof(struct ring, kib), 1 << 20 },
	{ "use", offsetof(struct ring, use), TRACE_MAX_BOS },
	{ "advance", offsetof(struct ring, advance), 1 << 16 },
	{ "jobs", offsetof(struct ring, jobs), 1 << 20 },
	{ "job_us", offsetof(struct ring, job_us), MAX_JOB_NS / 1000 },
	{ "frame", offsetof(struct ring, frame), 1 << 20 },
};

#define NR_PARAMETERS	(sizeof(parameters) / sizeof(*parameters))

static int set_parameter(struct ring *ring, char *text)
{
	char *part[2];

	if (split_fields(text, '=', part, 2) != 2)
		return -1;
	for (size_t i = 0; i < NR_PARAMETERS; i++)
		if (!strcmp(part[0], parameters[i].name))
			return parse_decimal(part[1], parameters[i].max,
					     (uint64_t *)((char *)ring + parameters[i].offset));
	return -1;
}

/* What is not said is as for the client that waits. */
static int parse_ring(struct ring *ring, const char *name)
{
	char *part[NR_PARAMETERS], *text = strdup(name + strlen(SYNTHETIC));
	int nr = 0, bad = 0;

	*ring = (struct ring){ .buffers = 24, .kib = 64, .use = 4, .advance = 4,
			       .jobs = 1000, .job_us = 20 };
	if (!text)
		return -1;
	if (*text)
		nr = split_fields(text, ',', part, NR_PARAMETERS);
	for (int i = 0; i < nr; i++)
		bad |= set_parameter(ring, part[i]);
	free(text);
	return bad || nr < 0 || !ring->use || ring->use > ring->buffers || !ring->kib ? -1 : 0;
}

static void add_buffers(struct trace *trace, const struct ring *ring)
{
	add_event(trace, OP_CHAN, 0)->handle = NOTIFIER;
	for (uint32_t i = 0; i < ring->buffers; i++) {
		struct event *event = add_event(trace, OP_NEW, 0);

		event->handle = FIRST_BUFFER + i;
		event->value = ring->kib << 10;
		event->flags = SWGPU_DOMAIN_VRAM;
	}
	trace->max_handle = FIRST_BUFFER + (uint32_t)ring->buffers - 1;
}

static uint32_t used_buffer(const struct ring *ring, uint64_t job, uint64_t i)
{
	return FIRST_BUFFER + (uint32_t)((job * ring->advance + i) % ring->buffers);
}

static void add_job(struct trace *trace, const struct ring *ring, uint64_t job)
{
	struct event *event = add_event(trace, OP_PUSH, 0);

	event->value = ring->job_us * 1000;
	event->first_bo = trace->nr_bos;
	event->nr_bos = (uint16_t)ring->use;
	for (uint64_t i = 0; i < ring->use; i++) {
		trace->bos = grow(trace->bos, trace->nr_bos, &trace->bos_room,
				  sizeof(*trace->bos));
		trace->bos[trace->nr_bos++] = (struct drm_swgpu_submit_bo){
			.handle = used_buffer(ring, job, i),
			.flags = SWGPU_BO_READ | SWGPU_BO_WRITE,
			.domains = SWGPU_DOMAIN_VRAM,
		};
	}
}

static void add_wait(struct trace *trace, const struct ring *ring, uint64_t job)
{
	struct event *event;

	if (!ring->frame) {
		event = add_event(trace, OP_PREP, 0);
		event->handle = used_buffer(ring, job, 0);
		event->flags = PREP_WRITE;
	} else if (!((job + 1) % ring->frame)) {
		event = add_event(trace, OP_FRAME, 0);
		event->handle = (uint32_t)((job + 1) / ring->frame % FRAME_MARKS);
	}
}

int trace_make(struct trace *trace, const char *name)
{
	struct ring ring;

	*trace = (struct trace){ .file = name, .speed = trace->speed };
	if (parse_ring(&ring, name)) {
		fprintf(stderr, "%s: not 'ring:buffers=N,kib=N,use=N,advance=N,jobs=N,job_us=N,frame=N'\n",
			name);
		return -1;
	}
	add_buffers(trace, &ring);
	for (uint64_t job = 0; job < ring.jobs; job++) {
		add_job(trace, &ring, job);
		add_wait(trace, &ring, job);
	}
	trace->max_job_ns = ring.job_us * 1000;
	trace->job_ns = ring.jobs * trace->max_job_ns;
	return 0;
}
