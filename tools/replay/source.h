/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Lines of a text file, plain or compressed with xz.
 */
#ifndef REPLAY_SOURCE_H
#define REPLAY_SOURCE_H

#include <stdio.h>
#include <sys/types.h>

#define MAX_LINE	65536

/**
 * struct source - an open file
 * @in: the text
 * @xz: the process that decompresses, 0 if none
 * @line: the last line read, without its newline
 * @length: of @line
 * @number: of @line, from 1
 */
struct source {
	FILE *in;
	pid_t xz;
	char line[MAX_LINE];
	size_t length;
	unsigned int number;
};

/* Return: 0, or -1 with errno. */
int source_open(struct source *source, const char *file);

/* Return: 1 for a line, 0 at the end, -1 with *@reason for what is no line. */
int source_line(struct source *source, const char **reason);

/* Return: 0, or -1 if the file could not be read or decompressed to its end. */
int source_close(struct source *source);

#endif
