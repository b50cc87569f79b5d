/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * One client: a file descriptor, a channel and a trace to run on them.
 */
#ifndef REPLAY_CLIENT_H
#define REPLAY_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "options.h"
#include "random.h"
#include "trace.h"

/* A job that never ends is an error. */
#define WAIT_LIMIT_NS	120000000000u

struct steps;

/**
 * struct counts - what a client did
 * @events: of its trace
 * @creates: buffers made
 * @closes: buffers closed one by one
 * @submits: jobs queued
 * @submits_no_memory: jobs refused for lack of memory
 * @waits: for buffers and frames
 * @waits_busy: polls that found a buffer busy
 * @errors: all that failed
 * @wall_ns: from start to end
 */
struct counts {
	atomic_size_t events;
	uint64_t creates;
	uint64_t closes;
	uint64_t submits;
	uint64_t submits_no_memory;
	uint64_t waits;
	uint64_t waits_busy;
	uint64_t errors;
	uint64_t wall_ns;
};

/**
 * struct client - owned by its thread while that runs, @counts.events aside
 * @trace: what it does
 * @options: how
 * @stop: set from outside: finish early
 * @thread: that runs it
 * @fd: its open render node, -1: closed
 * @channels: its channels, as the trace makes them
 * @has_channel: bit mask of those that there are
 * @vm: its address space, or 0
 * @exec_marks: the marks of EXECs, with an address space
 * @last_mark: of each channel, that of its last EXEC, or 0
 * @handles: for each handle of the trace the kernel's, and then for each mark
 * @marked: which of the marks there are, the buffers that go along with jobs to be
 *	waited for
 * @present: the event under way, if it is no step
 * @list: what it is about to do
 * @frames: how long each took, in ns; sorted in the end
 * @nr_frames: length of @frames
 * @random: its own
 * @begin_ns: CLOCK_MONOTONIC when all begin
 * @start_ns: and when it started
 * @frame_ns: and when the last frame had ended, 0: none has
 * @counts: what it did
 */
struct client {
	struct trace trace;
	const struct options *options;
	atomic_bool *stop;
	pthread_t thread;
	int fd;
	uint32_t channels[TRACE_MAX_CHANNELS];
	uint64_t has_channel;
	uint32_t vm;
	uint32_t exec_marks[NR_EXEC_MARKS];
	uint32_t last_mark[TRACE_MAX_CHANNELS];
	uint32_t *handles;
	unsigned int marked;
	const struct event *present;
	struct steps *list;
	uint64_t *frames;
	size_t nr_frames;
	struct random random;
	uint64_t begin_ns;
	uint64_t start_ns;
	uint64_t frame_ns;
	struct counts counts;
};

/* Where in @handles a mark is. */
static inline uint32_t mark_slot(const struct client *client, unsigned int mark)
{
	return client->trace.max_handle + 1 + mark;
}

/* Counts and prints what failed. Return: @error. */
int client_report(struct client *client, const struct event *event, const char *what,
		  int error);

/* Counts a job that is refused for want of memory: the client goes on, and fails in the end. */
int client_refused(struct client *client, const struct event *event, int error);

/* Opens the device; the rest of @client is set up. Return: 0, or -1. */
int client_open(struct client *client);

/* Runs the trace to its end, the first error, or @stop. For pthread_create(). */
void *client_run(void *client);

/* Lets go of everything. */
void client_close(struct client *client);

#endif
