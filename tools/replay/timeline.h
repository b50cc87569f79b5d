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

struct timeline {
	FILE *out;
	int fd;
	pthread_t thread;
	atomic_bool stop;
};

/* Return: 0, or -1 after a message. @file NULL: nothing is sampled. */
int timeline_start(struct timeline *timeline, const char *file, const char *node);
int timeline_finish(struct timeline *timeline);

#endif
