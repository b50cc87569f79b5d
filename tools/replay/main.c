// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * replay: recorded buffer traffic on the software GPU, see options.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define STATUS_FAILED	1
#define STATUS_USAGE	2

#define MIB		(1024.0 * 1024.0)

static void print_summary(const struct trace *trace)
{
	printf("%s: %zu events, VRAM at most %.1f MiB, in one job %.1f MiB, longest job %.1f ms, pauses %.1f s, jobs %.1f s\n",
	       trace->file, trace->nr_events, (double)trace->peak_vram / MIB,
	       (double)trace->peak_job_vram / MIB, (double)trace->max_job_ns / 1e6,
	       (double)trace->pause_ns / 1e9, (double)trace->job_ns / 1e9);
}

/* "trace@speed": cuts off what follows the last '@', if that is a speed. */
static double own_speed(char *name)
{
	char *at = strrchr(name, '@');
	double speed;

	if (!at || parse_speed(at + 1, &speed))
		return 1;
	*at = '\0';
	return speed;
}

static int load(struct client *client, char *file, const struct options *options)
{
	struct trace *trace = &client->trace;
	int ret;

	trace->speed = own_speed(file) * options->speed;
	if (!strncmp(file, SYNTHETIC, strlen(SYNTHETIC)))
		ret = trace_make(trace, file);
	else
		ret = trace_read(trace, file);
	if (ret > 0)
		ret = trace_load(trace, file);
	if (ret)
		return -1;
	if ((double)trace->max_job_ns / trace->speed > MAX_JOB_NS) {
		fprintf(stderr, "%s: at a speed of %g a job would take %.0f s, at most %.0f can be\n",
			file, trace->speed, (double)trace->max_job_ns / trace->speed / 1e9,
			MAX_JOB_NS / 1e9);
		return -1;
	}
	if (trace_plan(trace, options->limit))
		return -1;
	if (options->check)
		print_summary(trace);
	return options->compile ? trace_compile(trace, options->compile) : 0;
}

/* Every trace that is wrong is named, not only the first. */
static int load_all(struct client *clients, const struct options *options)
{
	int bad = 0;

	for (int i = 0; i < options->nr_files; i++) {
		clients[i].fd = -1;
		bad |= load(&clients[i], options->files[i], options);
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct options options;
	struct client *clients;
	int status = 0;

	if (options_parse(&options, argc, argv))
		return STATUS_USAGE;
	clients = calloc((size_t)options.nr_files, sizeof(*clients));
	if (!clients) {
		fputs("replay: out of memory\n", stderr);
		return STATUS_FAILED;
	}
	if (load_all(clients, &options))
		status = STATUS_USAGE;
	else if (!options.check && !options.compile && run_clients(clients, options.nr_files, &options))
		status = STATUS_FAILED;
	for (int i = 0; i < options.nr_files; i++)
		client_close(&clients[i]);
	free(clients);
	return status;
}
