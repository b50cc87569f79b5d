// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A trace as it is in memory, in a file: it takes no time to read. For the same program only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define LAYOUT	(sizeof(struct event) << 32 | sizeof(struct trace))

static const char magic[8] = "replay1";

/**
 * struct header - what a compiled file begins with
 * @magic: of the format
 * @layout: sizes of its structures, to tell an older program's file
 * @trace: without its pointers
 */
struct header {
	char magic[8];
	uint64_t layout;
	struct trace trace;
};

int trace_compile(const struct trace *trace, const char *file)
{
	struct header header = { .layout = LAYOUT, .trace = *trace };
	FILE *out = fopen(file, "we");
	int bad;

	if (!out) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return -1;
	}
	memcpy(header.magic, magic, sizeof(magic));
	fwrite(&header, sizeof(header), 1, out);
	fwrite(trace->events, sizeof(*trace->events), trace->nr_events, out);
	fwrite(trace->bos, sizeof(*trace->bos), trace->nr_bos, out);
	bad = ferror(out);
	if (!fclose(out) && !bad)
		return 0;
	fprintf(stderr, "%s: could not be written\n", file);
	return -1;
}

static bool read_array(FILE *in, void **array, size_t nr, size_t size)
{
	*array = calloc(nr + 1, size);
	return *array && fread(*array, size, nr, in) == nr;
}

static int read_all(struct trace *trace, FILE *in, const struct header *header)
{
	const char *file = trace->file;
	double speed = trace->speed;

	*trace = header->trace;
	trace->file = file;
	trace->speed = speed;
	trace->bos = NULL;
	if (header->layout == LAYOUT &&
	    read_array(in, (void **)&trace->events, trace->nr_events, sizeof(*trace->events)) &&
	    read_array(in, (void **)&trace->bos, trace->nr_bos, sizeof(*trace->bos)))
		return 0;
	fprintf(stderr, "%s: was compiled by another program, or is cut off\n", file);
	return -1;
}

int trace_read(struct trace *trace, const char *file)
{
	FILE *in = fopen(file, "re");
	struct header header;
	int ret = 1;

	if (!in)
		return 1;
	if (fread(&header, sizeof(header), 1, in) == 1 &&
	    !memcmp(header.magic, magic, sizeof(magic))) {
		trace->file = file;
		ret = read_all(trace, in, &header);
	}
	fclose(in);
	return ret;
}
