// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What each event of a trace does to the software GPU.
 */
#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define MARK_BYTES	4096

/* An event may take a step for each mark, and one of its own. */
#define MAX_STEPS	256
#define STEPS_PER_EVENT	(NR_MARKS + 1)
#define MAX_BOS		(16 * SWGPU_MAX_SUBMIT_BOS)

/* The seed's part: a pause is longer or shorter by up to so many parts of 1000. */
#define PAUSE_JITTER	100

/**
 * struct steps - a list for the kernel
 * @steps: what it is to do
 * @events: what each comes from
 * @nr: how many there are
 * @bos: of all jobs
 * @nr_bos: how many of those
 * @owed_ns: pauses that the kernel has not slept yet
 */
struct steps {
	struct drm_swgpu_step steps[MAX_STEPS];
	const struct event *events[MAX_STEPS];
	uint32_t nr;
	struct drm_swgpu_submit_bo bos[MAX_BOS];
	uint32_t nr_bos;
	uint64_t owed_ns;
};

struct steps *steps_alloc(void)
{
	return calloc(1, sizeof(struct steps));
}

static struct drm_swgpu_step *add_step(struct client *c, const struct event *e,
				       uint32_t what, uint32_t slot)
{
	struct steps *list = c->list;
	struct drm_swgpu_step *step = &list->steps[list->nr];

	list->events[list->nr++] = e;
	*step = (struct drm_swgpu_step){ .op = what, .slot = slot };
	return step;
}

static void add_create(struct client *c, const struct event *e)
{
	struct drm_swgpu_step *step = add_step(c, e, SWGPU_STEP_CREATE, e->handle);

	step->value = e->value;
	step->flags = e->flags;
}

static void make_marks(struct client *c, const struct event *e)
{
	for (unsigned int mark = 0; mark < NR_MARKS; mark++) {
		struct drm_swgpu_step *step;

		if (!(e->marks & ~c->marked & 1u << mark))
			continue;
		step = add_step(c, e, SWGPU_STEP_CREATE, mark_slot(c, mark));
		step->value = MARK_BYTES;
		step->flags = SWGPU_DOMAIN_GTT;
		c->marked |= 1u << mark;
	}
}

static void add_job(struct client *c, const struct event *e)
{
	struct steps *list = c->list;
	struct drm_swgpu_step *step;
	uint32_t first = list->nr_bos;

	make_marks(c, e);
	memcpy(list->bos + first, c->trace.bos + e->first_bo, e->nr_bos * sizeof(*list->bos));
	list->nr_bos += e->nr_bos;
	for (unsigned int mark = 0; mark < NR_MARKS; mark++)
		if (e->marks & 1u << mark)
			list->bos[list->nr_bos++] = (struct drm_swgpu_submit_bo){
				.handle = mark_slot(c, mark),
				.flags = SWGPU_BO_READ | SWGPU_BO_WRITE,
				.domains = SWGPU_DOMAIN_GTT,
			};
	step = add_step(c, e, SWGPU_STEP_SUBMIT, first);
	step->flags = list->nr_bos - first;
	step->value = (uint64_t)((double)e->value / c->trace.speed);
}

/* As nouveau: to read, writers must have ended; to write, all. */
static void add_prep(struct client *c, const struct event *e)
{
	struct drm_swgpu_step *step = add_step(c, e, SWGPU_STEP_WAIT, e->handle);

	step->flags = e->flags & PREP_WRITE ? 0 : SWGPU_WAIT_WRITERS;
	step->value = e->flags & PREP_NOWAIT ? 0 : WAIT_LIMIT_NS;
}

/*
 * Two frames ago is one ahead in a ring of three. That nothing carried the mark means
 * that there is nothing to wait for.
 */
static void add_frame(struct client *c, const struct event *e)
{
	unsigned int mark = (e->handle + 1) % FRAME_MARKS;

	if (c->marked & 1u << mark)
		add_step(c, e, SWGPU_STEP_WAIT, mark_slot(c, mark))->value = WAIT_LIMIT_NS;
	else
		add_step(c, e, SWGPU_STEP_PAUSE, 0);
}

static bool add_event_steps(struct client *c, const struct event *e)
{
	switch ((enum op)e->op) {
	case OP_NEW:
		add_create(c, e);
		return true;
	case OP_CLOSE:
		add_step(c, e, SWGPU_STEP_CLOSE, e->handle);
		return true;
	case OP_PUSH:
		add_job(c, e);
		return true;
	case OP_PREP:
		add_prep(c, e);
		return true;
	case OP_FRAME:
		add_frame(c, e);
		return true;
	default:
		return false;
	}
}

static uint64_t jitter(struct client *c, uint64_t ns)
{
	uint64_t permille = 1000 - PAUSE_JITTER +
			    random_below(&c->random, 2 * PAUSE_JITTER + 1);

	return ns * permille / 1000;
}

bool steps_add(struct client *c, const struct event *e)
{
	struct steps *list = c->list;
	uint32_t first = list->nr;

	if (first + STEPS_PER_EVENT > MAX_STEPS ||
	    list->nr_bos + SWGPU_MAX_SUBMIT_BOS > MAX_BOS || !add_event_steps(c, e))
		return false;
	if (c->options->pace)
		list->steps[first].pause_ns = jitter(c, e->pause_ns);
	return true;
}

static const char *const names[] = {
	[SWGPU_STEP_PAUSE] = "a pause",
	[SWGPU_STEP_CREATE] = "GEM_CREATE",
	[SWGPU_STEP_CLOSE] = "GEM_CLOSE",
	[SWGPU_STEP_SUBMIT] = "SUBMIT",
	[SWGPU_STEP_WAIT] = "GEM_WAIT",
};

static void count_frame(struct client *c, uint64_t end_ns)
{
	if (c->frame_ns)
		c->frames[c->nr_frames++] = end_ns - c->frame_ns;
	c->frame_ns = end_ns;
}

static int count_step(struct client *c, const struct drm_swgpu_step *step,
		      const struct event *e)
{
	struct counts *n = &c->counts;

	n->creates += step->op == SWGPU_STEP_CREATE && e->op == OP_NEW && !step->error;
	n->closes += step->op == SWGPU_STEP_CLOSE && !step->error;
	n->submits += step->op == SWGPU_STEP_SUBMIT && !step->error;
	n->waits += step->op == SWGPU_STEP_WAIT;
	if (e->op == OP_FRAME)
		count_frame(c, step->end_ns);
	if (!step->error)
		return 0;
	if (step->op == SWGPU_STEP_WAIT && step->error == -EBUSY && !step->value) {
		n->waits_busy++;
		return 0;
	}
	if (step->op == SWGPU_STEP_SUBMIT &&
	    (step->error == -ENOMEM || step->error == -ENOSPC))
		return client_refused(c, e, step->error);
	return client_report(c, e, names[step->op], step->error);
}

static int count_steps(struct client *c, uint32_t first, uint32_t end)
{
	struct steps *list = c->list;
	int ret = 0;

	for (uint32_t i = first; i < end && !ret; i++) {
		ret = count_step(c, &list->steps[i], list->events[i]);
		/* The last step of each event is the event itself. */
		if (i + 1 == list->nr || list->events[i + 1] != list->events[i])
			atomic_fetch_add_explicit(&c->counts.events, 1, memory_order_relaxed);
	}
	return ret;
}

static int play_from(struct client *c, uint32_t first, uint32_t *done)
{
	struct steps *list = c->list;
	struct drm_swgpu_play play = {
		.steps = (uintptr_t)(list->steps + first),
		.slots = (uintptr_t)c->handles,
		.bos = (uintptr_t)list->bos,
		.nr_steps = list->nr - first,
		.nr_slots = mark_slot(c, NR_MARKS),
		.nr_bos = list->nr_bos,
		.channel = c->channels[0],
		.owed_ns = list->owed_ns,
	};
	int ret = device_play(c->fd, &play);

	list->owed_ns = play.owed_ns;
	*done = play.nr_done;
	return ret ? client_report(c, list->events[first], "PLAY", ret) : 0;
}

int steps_play(struct client *c)
{
	struct steps *list = c->list;
	uint32_t first = 0, done;
	int ret = 0;

	while (!ret && first < list->nr && !*c->stop) {
		ret = play_from(c, first, &done);
		if (!ret)
			ret = count_steps(c, first, first + done);
		first += done;
	}
	list->nr = list->nr_bos = 0;
	return ret ? -1 : 0;
}

int steps_pause(struct client *c, const struct event *e)
{
	struct steps *list = c->list;
	struct drm_swgpu_step *step;

	if (list->nr == MAX_STEPS && steps_play(c))
		return -1;
	step = add_step(c, e, SWGPU_STEP_PAUSE, 0);
	if (c->options->pace)
		step->pause_ns = jitter(c, e->pause_ns);
	return steps_play(c);
}
