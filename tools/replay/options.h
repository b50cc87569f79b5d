/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CLIENTS	64

/**
 * struct options - the command line
 * @node: the render node, NULL: search
 * @speed: of the jobs; 2 halves the durations of the trace's GPU model
 * @seed: of the clients' interleaving
 * @limit: events of each trace to run, 0: all
 * @pace: pause for what the program did between its requests
 * @check: read and check the traces only
 * @progress: tell how far it is
 * @compile: file for the only trace, as it is in memory, or NULL
 * @timeline: file for the memory over time, or NULL
 * @stats: file for the clients' counts, or NULL
 * @files: the traces
 * @nr_files: at least one
 */
struct options {
	const char *node;
	double speed;
	uint64_t seed;
	size_t limit;
	bool pace;
	bool check;
	bool progress;
	const char *compile;
	const char *timeline;
	const char *stats;
	char **files;
	int nr_files;
};

/* Return: 0, or -1 if @text is no speed. */
int parse_speed(const char *text, double *speed);

/* Return: 0, or -1 after a message. */
int options_parse(struct options *options, int argc, char **argv);

#endif
