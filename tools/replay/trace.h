/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A recording, checked and in memory: what one client did to its buffers.
 */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swgpu_drm.h"

/*
 * Marks are buffers of the replay's own, one page each. A mark goes along with
 * the last job of a frame, or of the trace, so that it can be waited for:
 * three frames may be under way, and the end is a fourth.
 */
#define FRAME_MARKS	3
#define END_MARK	FRAME_MARKS
#define NR_MARKS	(FRAME_MARKS + 1)

/* What is left of a job's list for the buffers of the trace. */
#define TRACE_MAX_BOS	(SWGPU_MAX_SUBMIT_BOS - NR_MARKS)

/* The kernel hands out the lowest free handle; far above, a line is garbled. */
#define TRACE_MAX_HANDLE	((1u << 20) - 1)

/* So that memory is bounded: some 700 MiB, fifty times the largest recording. */
#define TRACE_MAX_EVENTS	(1 << 22)
#define TRACE_MAX_USES		(1 << 25)

/* A client with an address space has several. */
#define TRACE_MAX_CHANNELS	64

/*
 * Each EXEC writes a mark of its own, one after the other, so that the client, or another EXEC, can
 * wait for it. Lists of EXECs name marks by their numbers.
 */
#define NR_EXEC_MARKS	64
#define USE_OF_MARK	1	/* in an entry's @pad */
#define EXEC_MAX_BOS	(SWGPU_MAX_SUBMIT_BOS - NR_EXEC_MARKS)

static inline uint32_t exec_mark(uint64_t seq)
{
	return (uint32_t)(seq % NR_EXEC_MARKS);
}

#define MAX_JOB_NS	10000000000ull

enum op {
	OP_NEW,
	OP_CLOSE,
	OP_PUSH,
	OP_PREP,
	OP_FRAME,
	OP_CHAN,
	OP_CHANFREE,
	OP_FDCLOSE,
	OP_VM,
	OP_BIND,
	OP_EXEC,
	OP_WAIT,
};

/**
 * struct event - one line of the trace that has an effect here
 * @pause_ns: what the program did by itself since the event before had ended
 * @line: where in the file
 * @op: what
 * @marks: OP_PUSH: bit mask of the marks that go along
 * @handle: the buffer, for OP_CHAN the notifier, for OP_FRAME its number mod
 *	FRAME_MARKS, for OP_WAIT the EXEC's mark
 * @flags: OP_NEW: SWGPU_DOMAIN_*, LIVE_PRIVATE; OP_PREP, OP_WAIT: PREP_*; OP_CHAN,
 *	OP_CHANFREE, OP_EXEC: the channel, counted from 0; OP_BIND: 1: bind, 0: unbind
 * @value: OP_NEW: bytes; OP_PUSH, OP_EXEC: duration in ns at full speed
 * @first_bo: OP_PUSH, OP_EXEC: index of its first entry in the trace's @bos
 * @nr_bos: OP_PUSH, OP_EXEC: number of entries
 */
struct event {
	uint64_t pause_ns;
	uint32_t line;
	uint8_t op;
	uint8_t marks;
	uint16_t nr_bos;
	uint32_t handle;
	uint32_t flags;
	uint64_t value;
	size_t first_bo;
};

/* Beside its domains: a buffer is private to the client's address space. */
#define LIVE_PRIVATE	4

#define PREP_NOWAIT	1
#define PREP_WRITE	4

/**
 * struct trace - all of it
 * @file: as the user named it, without its speed
 * @speed: of its jobs, besides that of all
 * @events: in the order of execution
 * @bos: the lists of all pushes; handles are those of the trace
 * @max_handle: the highest one
 * @max_job_ns: the longest job at full speed
 * @pause_ns: of all events
 * @job_ns: of all jobs at full speed
 * @peak_vram: most bytes of VRAM alive at a time; set by trace_plan()
 * @peak_job_vram: most bytes of VRAM in one job; set by trace_plan()
 */
struct trace {
	const char *file;
	double speed;
	struct event *events;
	size_t nr_events;
	size_t events_room;
	struct drm_swgpu_submit_bo *bos;
	size_t nr_bos;
	size_t bos_room;
	uint32_t max_handle;
	uint64_t max_job_ns;
	uint64_t pause_ns;
	uint64_t job_ns;
	uint64_t peak_vram;
	uint64_t peak_job_vram;
};

/*
 * Reads and checks a file, plain or .xz. Anything wrong is printed as
 * "file:line: reason". Return: 0, or -1.
 */
int trace_load(struct trace *trace, const char *file);

/*
 * Writes it to a file, and reads that. Return: 0, or -1 after a message, or 1 if the file
 * was not compiled.
 */
int trace_compile(const struct trace *trace, const char *file);
int trace_read(struct trace *trace, const char *file);

/*
 * Makes one up: @name is "ring:" and parameters, see synthetic.c. Return: 0, or -1
 * after a message.
 */
#define SYNTHETIC	"ring:"
int trace_make(struct trace *trace, const char *name);

/*
 * Keeps the first @limit events (0: all), sets the marks and finds the peaks.
 * Return: 0, or -1 after a message.
 */
int trace_plan(struct trace *trace, size_t limit);

void trace_free(struct trace *trace);

#endif
