/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Samples the kernel's counters into a file while clients run.
 */
#ifndef REPLAY_TIMELINE_H
#define REPLAY_TIMELINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "options.h"

struct timeline {
	FILE *out;
	int fd;
	uint64_t begin_ns, period_ns;
	pthread_t thread;
	atomic_bool stop;
};

/*
 * From @begin_ns on, when the clients begin. Return: 0, or -1 after a message. Without a file
 * in @options nothing is sampled.
 */
int timeline_start(struct timeline *timeline, const struct options *options,
		   uint64_t begin_ns);
int timeline_finish(struct timeline *timeline);

#endif
