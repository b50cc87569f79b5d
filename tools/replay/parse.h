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

/* The GPU's file descriptor and channel before they are known. */
#define UNKNOWN		UINT64_MAX

/**
 * struct parser - a trace on its way into memory
 * @trace: what is made
 * @source: what it is made from
 * @values: the fixed fields of the present line, after the verb
 * @list: the fields that follow them
 * @nr_list: number of those
 * @live: for each handle, domains (of the recording) of its buffer; 0: none
 * @fd: the only one that has buffers, or UNKNOWN
 * @channel: the only one, or UNKNOWN
 * @channel_freed: it was there, and is no more
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
	struct source source;
	uint64_t values[MAX_VALUES];
	char **list;
	int nr_list;
	uint8_t *live;
	uint64_t fd;
	uint64_t channel;
	bool channel_freed;
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

struct event *add_event(struct trace *trace, enum op op, uint32_t line);

void *grow(void *array, size_t nr, size_t *room, size_t size);

#endif
