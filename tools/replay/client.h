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
 * @channel: its channel
 * @has_channel: it has one
 * @handles: for each handle of the trace the kernel's, 0: none
 * @marks: the buffers that go along with jobs to be waited for, 0: none yet
 * @bos: the list of the next job
 * @present: the event under way
 * @owed_ns: pauses that were too short to sleep
 * @frames: how long each took, in ns; sorted in the end
 * @nr_frames: length of @frames
 * @random: its own
 * @start_ns: CLOCK_MONOTONIC when it started
 * @frame_ns: and when the last frame had ended, 0: none has
 * @counts: what it did
 */
struct client {
	struct trace trace;
	const struct options *options;
	atomic_bool *stop;
	pthread_t thread;
	int fd;
	uint32_t channel;
	bool has_channel;
	uint32_t *handles;
	uint32_t marks[NR_MARKS];
	struct drm_swgpu_submit_bo bos[SWGPU_MAX_SUBMIT_BOS];
	const struct event *present;
	uint64_t owed_ns;
	uint64_t *frames;
	size_t nr_frames;
	struct random random;
	uint64_t start_ns;
	uint64_t frame_ns;
	struct counts counts;
};

/* Opens the device; the rest of @client is set up. Return: 0, or -1. */
int client_open(struct client *client);

/* Runs the trace to its end, the first error, or @stop. For pthread_create(). */
void *client_run(void *client);

/* Lets go of everything. */
void client_close(struct client *client);

#endif
