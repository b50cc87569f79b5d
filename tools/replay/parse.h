/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Inside of the parser: parse.c knows the lines, events.c what they mean.
 */
#ifndef REPLAY_PARSE_H
#define REPLAY_PARSE_H

#include <stdbool.h>

#include "source.h"
#include "trace.h"

#define MAX_VALUES	9
#define MAX_FIELDS	(2 + MAX_VALUES + TRACE_MAX_BOS)

/* Where a prep has the time that it slept. */
#define PREP_WAITED	4

/* And an address space's wait. */
#define WAIT_WAITED	2

/* The GPU's file descriptor before it is known. */
#define UNKNOWN		UINT64_MAX

struct space;

/**
 * struct parser - a trace on its way into memory
 * @trace: what is made
 * @version: of the format
 * @source: what it is made from
 * @values: the fixed fields of the present line, after the verb
 * @list: the fields that follow them
 * @nr_list: number of those
 * @live: for each handle, domains of its buffer, and LIVE_PRIVATE; 0: none
 * @fd: the only one that has buffers, or UNKNOWN
 * @has_buffers: it has made one
 * @channels: as they were made, by their numbers of the recording
 * @freed: of each, whether it is no more
 * @nr_channels: more than one with an address space only
 * @space: its address space, or NULL
 * @closed: @fd was closed
 * @seq: of the last push
 * @done: the last push that was reported done
 * @base_ns: GPU model: time of each push
 * @dword_ns: GPU model: and of each four bytes of it
 * @last_ns: the latest time so far, as recorded
 * @now_ns: the present line's time, as recorded
 * @slept_ns: how long its ioctl slept
 * @ended_ns: when the last event that was kept had ended
 * @in_gap: between "# startup ends" and "# steady", where times are made up
 * @gap_starts: the next event is the first in there
 */
struct parser {
	struct trace *trace;
	unsigned int version;
	struct source source;
	uint64_t values[MAX_VALUES];
	char **list;
	int nr_list;
	uint8_t *live;
	uint64_t fd;
	bool has_buffers;
	uint64_t channels[TRACE_MAX_CHANNELS];
	bool freed[TRACE_MAX_CHANNELS];
	int nr_channels;
	struct space *space;
	bool closed;
	uint64_t seq;
	uint64_t done;
	uint64_t base_ns;
	uint64_t dword_ns;
	uint64_t last_ns;
	uint64_t now_ns;
	uint64_t slept_ns;
	uint64_t ended_ns;
	bool in_gap;
	bool gap_starts;
};

/**
 * struct verb - a kind of line
 * @name: the second field
 * @fields: the fixed fields that follow: 'u' 32 bits decimal, 'U' 64 bits
 *	decimal, 'x' 32 bits hex, 'i' decimal that may be -1
 * @listed: more fields may follow
 * @apply: checks what the line means and keeps it; NULL: nothing to do
 */
struct verb {
	const char *name;
	const char *fields;
	bool listed;
	int (*apply)(struct parser *p);
};

extern const struct verb verbs[];

/* Prints "file:line: reason". Return: -1. */
int refuse(struct parser *p, const char *reason, ...)
	__attribute__((format(printf, 2, 3)));

/* Of lines that have an effect: its pause is what was not waited. */
struct event *keep_event(struct parser *p, enum op op);
/* The trace's last entries are those of a job of so many bytes of commands. */
int keep_job(struct parser *p, enum op op, size_t first, uint64_t bytes);
/* Puts an entry to those of a job from @first on, once for each buffer. */
int merge_entry(struct parser *p, size_t first, struct drm_swgpu_submit_bo bo);

/* All refuse what cannot be. */
int check_fd(struct parser *p);
int check_live(struct parser *p, uint64_t handle);
/* Its place in @channels, or -1. */
int channel_of(struct parser *p, uint64_t channel);

/* What was read so far is not the client that is meant. */
void forget_client(struct parser *p);

struct event *add_event(struct trace *trace, enum op op, uint32_t line);

void *grow(void *array, size_t nr, size_t *room, size_t size);

#endif
