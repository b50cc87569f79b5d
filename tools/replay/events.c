// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What each kind of line means, and whether it can be true.
 */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "space.h"

/* Domains of the recording, nouveau's. */
#define REC_VRAM	0x2u
#define REC_GART	0x4u
#define REC_NO_SHARE	0x20u

void *grow(void *array, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return array;
	*room = *room ? *room * 2 : 4096;
	array = realloc(array, *room * size);
	if (!array) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return array;
}

/*
 * What the program computed, or slept by itself: what it waited for the GPU is replayed
 * by waiting. That ends with the line of a frame. The gap of a trimmed trace takes none.
 */
static uint64_t pause_ns(struct parser *p, enum op op)
{
	if (op == OP_FRAME || p->in_gap || !p->trace->nr_events)
		return 0;
	return p->now_ns > p->ended_ns ? p->now_ns - p->ended_ns : 0;
}

struct event *add_event(struct trace *t, enum op op, uint32_t line)
{
	struct event *event;

	t->events = grow(t->events, t->nr_events, &t->events_room, sizeof(*event));
	event = &t->events[t->nr_events++];
	*event = (struct event){ .line = line, .op = (uint8_t)op };
	return event;
}

struct event *keep_event(struct parser *p, enum op op)
{
	uint64_t pause = pause_ns(p, op);
	uint64_t end = p->now_ns + p->slept_ns;
	struct event *event = add_event(p->trace, op, p->source.number);

	event->pause_ns = pause;
	p->trace->pause_ns += pause;
	if (p->in_gap || p->ended_ns < end)
		p->ended_ns = end;
	return event;
}

static uint32_t domains_of(uint32_t recorded)
{
	return (recorded & REC_VRAM ? SWGPU_DOMAIN_VRAM : 0) |
	       (recorded & REC_GART ? SWGPU_DOMAIN_GTT : 0);
}

int check_fd(struct parser *p)
{
	uint64_t fd = p->values[0];

	if (p->fd == UNKNOWN && fd != UNKNOWN)
		p->fd = fd;
	if (fd != p->fd)
		return refuse(p, "a second file descriptor");
	if (p->closed)
		return refuse(p, "the file descriptor is closed");
	return 0;
}

/* A number is used again: the last one counts. */
int channel_of(struct parser *p, uint64_t channel)
{
	for (int i = p->nr_channels - 1; i >= 0; i--) {
		if (p->channels[i] != channel)
			continue;
		return p->freed[i] ? refuse(p, "channel %lu was freed", channel) : i;
	}
	return refuse(p, "unknown channel %lu", channel);
}

void forget_client(struct parser *p)
{
	p->trace->nr_events = p->trace->nr_bos = 0;
	p->trace->pause_ns = 0;
	p->trace->max_handle = 0;
	memset(p->live, 0, TRACE_MAX_HANDLE + 1);
	p->nr_channels = 0;
	p->closed = false;
	p->fd = UNKNOWN;
}

int check_live(struct parser *p, uint64_t handle)
{
	if (handle > TRACE_MAX_HANDLE || !p->live[handle])
		return refuse(p, "unknown handle %lu", handle);
	return 0;
}

static int make_live(struct parser *p, uint64_t handle, uint32_t domains)
{
	if (!handle || handle > TRACE_MAX_HANDLE)
		return refuse(p, "impossible handle %lu", handle);
	if (p->live[handle])
		return refuse(p, "handle %lu is in use", handle);
	if (!domains_of(domains))
		return refuse(p, "domains %x are neither VRAM nor GART", domains);
	p->live[handle] = (uint8_t)domains_of(domains);
	if (p->space && domains & REC_NO_SHARE)
		p->live[handle] |= LIVE_PRIVATE;
	if (p->trace->max_handle < handle)
		p->trace->max_handle = (uint32_t)handle;
	return 0;
}

static int make_buffer(struct parser *p)
{
	struct event *event;

	if (!p->values[2])
		return refuse(p, "a buffer of size 0");
	if (p->values[2] > 1ull << 40)
		return refuse(p, "a buffer of impossible size");
	if (make_live(p, p->values[1], (uint32_t)p->values[3]))
		return -1;
	p->has_buffers = true;
	event = keep_event(p, OP_NEW);
	event->handle = (uint32_t)p->values[1];
	event->value = p->values[2];
	event->flags = p->live[event->handle];
	return 0;
}

/* fd handle size domain align tile_mode tile_flags tid */
static int apply_new(struct parser *p)
{
	return check_fd(p) ? -1 : make_buffer(p);
}

/* fd handle lastpush busy tid */
static int apply_close(struct parser *p)
{
	if (check_fd(p) || check_live(p, p->values[1]))
		return -1;
	if (p->values[3] != UNKNOWN && p->values[3] > 1)
		return refuse(p, "busy is none of -1, 0, 1");
	p->live[p->values[1]] = 0;
	space_close(p, (uint32_t)p->values[1]);
	keep_event(p, OP_CLOSE)->handle = (uint32_t)p->values[1];
	return 0;
}

/* The same buffer twice in one push is one use that must suit both. */
int merge_entry(struct parser *p, size_t first, struct drm_swgpu_submit_bo bo)
{
	struct trace *t = p->trace;

	for (size_t i = first; i < t->nr_bos; i++) {
		if (t->bos[i].handle != bo.handle)
			continue;
		t->bos[i].flags |= bo.flags;
		t->bos[i].domains &= bo.domains;
		if (!t->bos[i].domains)
			return refuse(p, "handle %u twice, in different domains", bo.handle);
		return 0;
	}
	t->bos = grow(t->bos, t->nr_bos, &t->bos_room, sizeof(*t->bos));
	t->bos[t->nr_bos++] = bo;
	return 0;
}

/* handle:read_domains:write_domains:valid_domains */
static int apply_entry(struct parser *p, char *text, size_t first)
{
	struct drm_swgpu_submit_bo bo = { 0 };
	uint64_t handle, read, write, valid;
	char *part[4];

	if (split_fields(text, ':', part, 4) != 4 ||
	    parse_decimal(part[0], UINT32_MAX, &handle) ||
	    parse_hex(part[1], UINT32_MAX, &read) ||
	    parse_hex(part[2], UINT32_MAX, &write) ||
	    parse_hex(part[3], UINT32_MAX, &valid))
		return refuse(p, "a buffer is not handle:read:write:valid");
	if (check_live(p, handle))
		return -1;
	bo.handle = (uint32_t)handle;
	bo.flags = (write ? SWGPU_BO_WRITE : 0) | (read || !write ? SWGPU_BO_READ : 0);
	bo.domains = p->live[handle] & domains_of((uint32_t)valid);
	if (!bo.domains)
		return refuse(p, "handle %lu is not valid in any domain it was made for",
			      handle);
	return merge_entry(p, first, bo);
}

/* base_ns + dword_ns for each four bytes, or UNKNOWN: too long */
static uint64_t job_ns(struct parser *p, uint64_t bytes)
{
	uint64_t ns;

	if (__builtin_mul_overflow(p->dword_ns, bytes / 4, &ns) ||
	    __builtin_add_overflow(ns, p->base_ns, &ns) || ns > MAX_JOB_NS)
		return UNKNOWN;
	return ns;
}

int keep_job(struct parser *p, enum op op, size_t first, uint64_t bytes)
{
	struct event *event;

	if (p->trace->nr_bos > TRACE_MAX_USES)
		return refuse(p, "more than %d buffers in all jobs", TRACE_MAX_USES);
	event = keep_event(p, op);
	event->value = job_ns(p, bytes);
	if (event->value == UNKNOWN)
		return refuse(p, "a push of more than ten seconds");
	p->trace->job_ns += event->value;
	if (p->trace->max_job_ns < event->value)
		p->trace->max_job_ns = event->value;
	event->first_bo = first;
	event->nr_bos = (uint16_t)(p->trace->nr_bos - first);
	return 0;
}

/* fd channel seq nr_bos nr_push push_bytes nr_relocs tid, then the buffers */
static int apply_push(struct parser *p)
{
	size_t first = p->trace->nr_bos;

	if (check_fd(p) || channel_of(p, p->values[1]) < 0)
		return -1;
	if (p->space)
		return refuse(p, "a push of a client with an address space");
	if (p->values[2] <= p->seq)
		return refuse(p, "push %lu after push %lu", p->values[2], p->seq);
	p->seq = p->values[2];
	if (p->values[3] > TRACE_MAX_BOS)
		return refuse(p, "more than %d buffers", TRACE_MAX_BOS);
	if (p->values[3] != (uint64_t)p->nr_list)
		return refuse(p, "%lu buffers announced, %d listed", p->values[3],
			      p->nr_list);
	for (int i = 0; i < p->nr_list; i++)
		if (apply_entry(p, p->list[i], first))
			return -1;
	return keep_job(p, OP_PUSH, first, p->values[5]);
}

/* fd channel seq */
static int apply_done(struct parser *p)
{
	if (check_fd(p) || channel_of(p, p->values[1]) < 0)
		return -1;
	if (p->values[2] <= p->done)
		return refuse(p, "push %lu done after push %lu", p->values[2], p->done);
	p->done = p->values[2];
	return 0;
}

/* fd handle flags lastpush waited_ns errno tid */
static int apply_prep(struct parser *p)
{
	struct event *event;

	if (check_fd(p) || check_live(p, p->values[1]))
		return -1;
	if (p->values[2] & ~(uint64_t)(PREP_NOWAIT | PREP_WRITE))
		return refuse(p, "unknown flags %lx", p->values[2]);
	if (p->values[5] && !(p->values[5] == 16 && p->values[2] & PREP_NOWAIT))
		return refuse(p, "a prep that failed with error %lu", p->values[5]);
	event = keep_event(p, OP_PREP);
	event->handle = (uint32_t)p->values[1];
	event->flags = (uint32_t)p->values[2];
	return 0;
}

/* fd handle ...: map, fini */
static int apply_cpu_use(struct parser *p)
{
	return check_fd(p) || check_live(p, p->values[1]) ? -1 : 0;
}

/* fd channel notifier_handle */
static int apply_chan(struct parser *p)
{
	struct event *event;

	if (check_fd(p))
		return -1;
	if (p->nr_channels && !p->space)
		return refuse(p, "a second channel");
	if (p->nr_channels == TRACE_MAX_CHANNELS)
		return refuse(p, "more than %d channels", TRACE_MAX_CHANNELS);
	for (int i = 0; i < p->nr_channels; i++)
		if (p->channels[i] == p->values[1] && !p->freed[i])
			return refuse(p, "channel %lu is in use", p->values[1]);
	if (make_live(p, p->values[2], REC_GART))
		return -1;
	event = keep_event(p, OP_CHAN);
	event->handle = (uint32_t)p->values[2];
	event->flags = (uint32_t)p->nr_channels;
	p->freed[p->nr_channels] = false;
	p->channels[p->nr_channels++] = p->values[1];
	return 0;
}

/* fd channel */
static int apply_chanfree(struct parser *p)
{
	int channel;

	if (check_fd(p))
		return -1;
	channel = channel_of(p, p->values[1]);
	if (channel < 0)
		return -1;
	p->freed[channel] = true;
	keep_event(p, OP_CHANFREE)->flags = (uint32_t)channel;
	return 0;
}

/* n seq doneseq */
static int apply_frame(struct parser *p)
{
	if (p->values[2] > p->values[1])
		return refuse(p, "push %lu done of %lu submitted", p->values[2],
			      p->values[1]);
	keep_event(p, OP_FRAME)->handle = (uint32_t)(p->values[0] % FRAME_MARKS);
	return 0;
}

/* fd; one that has no buffers is of no interest */
static int apply_fdclose(struct parser *p)
{
	if (p->values[0] != p->fd)
		return 0;
	if (check_fd(p))
		return -1;
	p->closed = true;
	memset(p->live, 0, TRACE_MAX_HANDLE + 1);
	keep_event(p, OP_FDCLOSE);
	return 0;
}

/* fd handle primefd; nobody else has it here */
static int apply_export(struct parser *p)
{
	return check_fd(p) ? -1 : check_live(p, p->values[1]);
}

/* fd primefd handle; how large it is says info, behind this */
static int apply_import(struct parser *p)
{
	return check_fd(p);
}

/* fd handle size domain; one of its own stands for a buffer that somebody else has made */
static int apply_info(struct parser *p)
{
	if (check_fd(p))
		return -1;
	if (p->values[1] <= TRACE_MAX_HANDLE && p->live[p->values[1]])
		return 0;
	return make_buffer(p);
}

static int apply_flink(struct parser *p)
{
	return refuse(p, "names of buffers cannot be replayed");
}

const struct verb verbs[] = {
	{ "new",	"iuUxuxxi",	false,	apply_new },
	{ "close",	"iuUii",	false,	apply_close },
	{ "push",	"iuUuuUui",	true,	apply_push },
	{ "done",	"iuU",		false,	apply_done },
	{ "prep",	"iuxUUii",	false,	apply_prep },
	{ "fini",	"iu",		false,	apply_cpu_use },
	{ "map",	"iuU",		false,	apply_cpu_use },
	{ "chan",	"iuu",		false,	apply_chan },
	{ "chanfree",	"iu",		false,	apply_chanfree },
	{ "frame",	"UUU",		false,	apply_frame },
	{ "fdclose",	"i",		false,	apply_fdclose },
	{ "fail",	"ixi",		false,	NULL },
	{ "other",	"ix",		false,	NULL },
	{ "info",	"iuUx",		false,	apply_info },
	{ "export",	"iui",		false,	apply_export },
	{ "import",	"iiu",		false,	apply_import },
	{ "flink",	"",		true,	apply_flink },
	{ "vm",		"i",		false,	apply_vm },
	{ "vmbind",	"iuui",		true,	apply_vmbind },
	{ "exec",	"iuUuUui",	true,	apply_exec },
	{ "wait",	"iUUii",	false,	apply_wait },
	{ NULL,		NULL,		false,	NULL },
};
