// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A client with an address space: lines that only version v2 has.
 *
 * A buffer that is private is bound in the software GPU's VM as long as any of it is mapped
 * anywhere; from its creation on, as the VM has it so. One that is not, and is mapped, is named by
 * each job. An address space is a list of what is mapped, by ranges that do not overlap.
 */
#include "space.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"

#define OP_UNMAP	1u
/* Other flags are kinds of pages. */
#define FLAG_SPARSE	0x100u

#define MAX_MAPPINGS	(1u << 16)

/* That of ETIME: the wait was a look, or took too long. */
#define WAIT_TIMED_OUT	62

/**
 * struct mapping - some of a buffer, somewhere
 * @start: its first address
 * @end: what follows
 * @handle: the buffer
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint32_t handle;
};

/**
 * struct space - of the client
 * @mappings: in no order
 * @nr: how many
 * @room: for so many
 * @mapped: of each handle, how many pieces of it are mapped
 * @seq: of the last EXEC
 */
struct space {
	struct mapping *mappings;
	size_t nr;
	size_t room;
	uint32_t *mapped;
	uint64_t seq;
};

static bool is_private(struct parser *p, uint32_t handle)
{
	return p->live[handle] & LIVE_PRIVATE;
}

static void keep_bind(struct parser *p, uint32_t handle, bool bind)
{
	struct event *event;

	if (!is_private(p, handle))
		return;
	event = keep_event(p, OP_BIND);
	event->handle = handle;
	event->flags = bind;
}

static void add_mapping(struct parser *p, struct mapping mapping)
{
	struct space *s = p->space;

	s->mappings = grow(s->mappings, s->nr, &s->room, sizeof(*s->mappings));
	s->mappings[s->nr++] = mapping;
	s->mapped[mapping.handle]++;
}

/* Whatever is mapped between is not any more. What is left of a piece is one piece, or two. */
static void cut(struct parser *p, uint64_t start, uint64_t end)
{
	struct space *s = p->space;

	for (size_t i = s->nr; i-- > 0;) {
		struct mapping old = s->mappings[i];

		if (old.end <= start || end <= old.start)
			continue;
		s->mappings[i] = s->mappings[--s->nr];
		s->mapped[old.handle]--;
		if (old.start < start)
			add_mapping(p, (struct mapping){ old.start, start, old.handle });
		if (end < old.end)
			add_mapping(p, (struct mapping){ end, old.end, old.handle });
		if (!s->mapped[old.handle])
			keep_bind(p, old.handle, false);
	}
}

static int map(struct parser *p, struct mapping mapping)
{
	struct space *s = p->space;
	bool bind;

	if (s->nr >= MAX_MAPPINGS)
		return refuse(p, "more than %u mappings", MAX_MAPPINGS);
	cut(p, mapping.start, mapping.end);
	bind = !s->mapped[mapping.handle];
	add_mapping(p, mapping);
	/* A new buffer is bound already: to say so again does nothing. */
	if (bind)
		keep_bind(p, mapping.handle, true);
	return 0;
}

/* op:flags:handle:offset:address:bytes */
static int apply_op(struct parser *p, char *text)
{
	uint64_t op, flags, handle, offset, start, bytes;
	char *part[6];

	if (split_fields(text, ':', part, 6) != 6 ||
	    parse_decimal(part[0], UINT32_MAX, &op) || parse_hex(part[1], UINT32_MAX, &flags) ||
	    parse_decimal(part[2], UINT32_MAX, &handle) ||
	    parse_hex(part[3], UINT64_MAX, &offset) || parse_hex(part[4], UINT64_MAX, &start) ||
	    parse_hex(part[5], UINT64_MAX, &bytes))
		return refuse(p, "a bind is not op:flags:handle:offset:address:bytes");
	if (op > OP_UNMAP)
		return refuse(p, "unknown op %lu of a bind", op);
	if (!bytes || start + bytes < start)
		return refuse(p, "a bind of impossible size");
	/* Nothing is behind a sparse region. */
	if (op == OP_UNMAP || flags & FLAG_SPARSE) {
		cut(p, start, start + bytes);
		return 0;
	}
	if (check_live(p, handle))
		return -1;
	return map(p, (struct mapping){ start, start + bytes, (uint32_t)handle });
}

static int parse_after(struct parser *p, const char *text, uint64_t *seq)
{
	if (parse_decimal(text, UINT64_MAX - 1, seq))
		return refuse(p, "'%s' is no number of a job", text);
	if (*seq > p->space->seq)
		return refuse(p, "waits for job %lu after job %lu", *seq, p->space->seq);
	return 0;
}

static int check_space(struct parser *p)
{
	if (p->version < 2)
		return refuse(p, "an address space in a recording of version v1");
	if (check_fd(p))
		return -1;
	return p->space ? 0 : refuse(p, "no address space yet");
}

/* fd. One that was only looked at had none of the buffers. */
int apply_vm(struct parser *p)
{
	if (p->version < 2)
		return check_space(p);
	if (p->space && p->values[0] == p->fd && !p->closed)
		return refuse(p, "a second address space");
	if (p->has_buffers)
		return refuse(p, "an address space after the first buffer");
	forget_client(p);
	space_free(p);
	if (check_fd(p))
		return -1;
	p->space = calloc(1, sizeof(*p->space));
	if (p->space)
		p->space->mapped = calloc(TRACE_MAX_HANDLE + 1, sizeof(*p->space->mapped));
	if (!p->space || !p->space->mapped)
		return refuse(p, "out of memory");
	keep_event(p, OP_VM);
	return 0;
}

/* fd nr_ops nr_after tid, then the ops, then the jobs that it waits for */
int apply_vmbind(struct parser *p)
{
	uint64_t nr_ops = p->values[1], seq;

	if (check_space(p))
		return -1;
	if (nr_ops + p->values[2] != (uint64_t)p->nr_list)
		return refuse(p, "%lu binds and %lu jobs announced, %d listed", nr_ops,
			      p->values[2], p->nr_list);
	for (uint64_t i = 0; i < (uint64_t)p->nr_list; i++)
		if (i < nr_ops ? apply_op(p, p->list[i]) : parse_after(p, p->list[i], &seq))
			return -1;
	return 0;
}

static void add_use(struct parser *p, struct drm_swgpu_submit_bo bo)
{
	struct trace *t = p->trace;

	t->bos = grow(t->bos, t->nr_bos, &t->bos_room, sizeof(*t->bos));
	t->bos[t->nr_bos++] = bo;
}

/* The fence is one that orders nothing by itself: so it reads. */
static int use_shared(struct parser *p, size_t first)
{
	struct space *s = p->space;

	for (size_t i = 0; i < s->nr; i++) {
		struct drm_swgpu_submit_bo bo = {
			.handle = s->mappings[i].handle,
			.flags = SWGPU_BO_READ,
			.domains = p->live[s->mappings[i].handle] & ~LIVE_PRIVATE,
		};

		if (is_private(p, bo.handle))
			continue;
		if (merge_entry(p, first, bo))
			return -1;
		if (p->trace->nr_bos - first > EXEC_MAX_BOS)
			return refuse(p, "more than %d buffers", EXEC_MAX_BOS);
	}
	return 0;
}

static struct drm_swgpu_submit_bo mark(uint64_t seq, uint32_t flags)
{
	return (struct drm_swgpu_submit_bo){ .handle = exec_mark(seq), .pad = USE_OF_MARK,
					     .flags = flags, .domains = SWGPU_DOMAIN_GTT };
}

/* A job writes its mark; one that waits for it reads that. */
static int use_marks(struct parser *p, size_t first, uint64_t seq)
{
	size_t marks = p->trace->nr_bos;
	uint64_t after;

	if (p->trace->nr_bos - first + (size_t)p->nr_list + 1 > SWGPU_MAX_SUBMIT_BOS)
		return refuse(p, "more than %d buffers and jobs", SWGPU_MAX_SUBMIT_BOS);
	add_use(p, mark(seq, SWGPU_BO_READ | SWGPU_BO_WRITE));
	for (int i = 0; i < p->nr_list; i++) {
		bool there = false;

		if (parse_after(p, p->list[i], &after))
			return -1;
		for (size_t j = marks; j < p->trace->nr_bos; j++)
			there |= p->trace->bos[j].handle == exec_mark(after);
		/* One that is so old is behind another one of its mark. */
		if (after && after + NR_EXEC_MARKS > seq && !there)
			add_use(p, mark(after, SWGPU_BO_READ));
	}
	return 0;
}

/* fd channel seq nr_push push_bytes nr_after tid, then the jobs that it waits for */
int apply_exec(struct parser *p)
{
	size_t first = p->trace->nr_bos;
	uint64_t seq = p->values[2];
	int channel;

	if (check_space(p))
		return -1;
	channel = channel_of(p, p->values[1]);
	if (channel < 0)
		return -1;
	if (seq != p->space->seq + 1)
		return refuse(p, "job %lu after job %lu", seq, p->space->seq);
	if (p->values[5] != (uint64_t)p->nr_list)
		return refuse(p, "%lu jobs announced, %d listed", p->values[5], p->nr_list);
	if (use_shared(p, first) || use_marks(p, first, seq))
		return -1;
	p->space->seq = seq;
	if (keep_job(p, OP_EXEC, first, p->values[4]))
		return -1;
	p->trace->events[p->trace->nr_events - 1].flags = (uint32_t)channel;
	return 0;
}

/* fd seq waited_ns errno tid */
int apply_wait(struct parser *p)
{
	struct event *event;

	if (p->version < 2)
		return check_space(p);
	/* That of a device that was only looked at, or before there is a job. */
	if (p->values[0] != p->fd || !p->space)
		return 0;
	if (check_space(p))
		return -1;
	if (p->values[1] > p->space->seq)
		return refuse(p, "waits for job %lu after job %lu", p->values[1], p->space->seq);
	if (p->values[3] && p->values[3] != WAIT_TIMED_OUT)
		return refuse(p, "a wait that failed with error %lu", p->values[3]);
	if (!p->values[1] || p->values[1] + NR_EXEC_MARKS <= p->space->seq)
		return 0;
	event = keep_event(p, OP_WAIT);
	event->handle = exec_mark(p->values[1]);
	event->flags = p->values[3] ? PREP_NOWAIT : 0;
	return 0;
}

void space_close(struct parser *p, uint32_t handle)
{
	struct space *s = p->space;

	for (size_t i = s ? s->nr : 0; i-- > 0;)
		if (s->mappings[i].handle == handle)
			s->mappings[i] = s->mappings[--s->nr];
	if (s)
		s->mapped[handle] = 0;
}

void space_free(struct parser *p)
{
	if (!p->space)
		return;
	free(p->space->mappings);
	free(p->space->mapped);
	free(p->space);
	p->space = NULL;
}
