// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define LINE_EVERY_NS	5000000000u

void report_progress(const struct client *clients, int nr, bool last)
{
	static uint64_t start, printed;
	size_t done = 0, all = 0;
	uint64_t now = clock_ns();
	int terminal = isatty(STDERR_FILENO);

	if (!start)
		start = printed = now;
	if (!terminal && !last && now - printed < LINE_EVERY_NS)
		return;
	printed = now;
	for (int i = 0; i < nr; i++) {
		done += clients[i].counts.events;
		all += clients[i].trace.nr_events;
	}
	fprintf(stderr, "%sreplay: %d %s, %zu of %zu events (%zu %%), %.0f s%s",
		terminal ? "\r\033[K" : "", nr, nr == 1 ? "client" : "clients", done, all,
		all ? done * 100 / all : 100, (double)(now - start) / 1e9,
		terminal && !last ? "" : "\n");
}

/* Between its own start and its own end. */
void report_clients(const struct client *clients, int nr)
{
	for (int i = 0; i < nr; i++) {
		const struct client *c = &clients[i];

		fprintf(stderr, "replay: %s: %zu of %zu events, %.1f s\n", c->trace.file,
			c->counts.events, c->trace.nr_events,
			(double)c->counts.wall_ns / 1e9);
	}
}

/* From the first client's start to the last one's end. */
static uint64_t whole_ns(const struct client *clients, int nr)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (int i = 0; i < nr; i++) {
		uint64_t began = clients[i].start_ns;

		if (!began)
			continue;
		if (began < start)
			start = began;
		if (began + clients[i].counts.wall_ns > end)
			end = began + clients[i].counts.wall_ns;
	}
	return end ? end - start : 0;
}

/* File names are the user's own: quotes and the like must not break the file. */
static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ')
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* What so many in 1000 of the sorted frames did not exceed; 0 if there are none. */
static uint64_t frame_ns(const struct client *c, size_t permille)
{
	return c->nr_frames ? c->frames[(c->nr_frames * permille + 999) / 1000 - 1] : 0;
}

/* Four classes an octave, as the kernel's of allocations. */
static uint64_t class_of(uint64_t ns)
{
	int shift = ns > 4 ? 61 - __builtin_clzll(ns) : 0;

	return (ns > 4 ? ns : 4) >> shift << shift;
}

/* What so many frames took at least, and how many: of those that are sorted. */
static void print_frames(FILE *out, const struct client *c)
{
	size_t first = 0;

	fputs(", \"frame_times\": [", out);
	for (size_t i = 1; i <= c->nr_frames; i++) {
		if (i < c->nr_frames && class_of(c->frames[i]) == class_of(c->frames[first]))
			continue;
		fprintf(out, "%s[%" PRIu64 ", %zu]", first ? ", " : "",
			class_of(c->frames[first]), i - first);
		first = i;
	}
	fputc(']', out);
}

static void print_client(FILE *out, const struct client *c)
{
	const struct counts *n = &c->counts;

	fputs("    {\"trace\": ", out);
	print_string(out, c->trace.file);
	fprintf(out,
		", \"events\": %zu, \"trace_events\": %zu"
		", \"creates\": %" PRIu64 ", \"closes\": %" PRIu64
		", \"submits\": %" PRIu64 ", \"submits_no_memory\": %" PRIu64
		", \"waits\": %" PRIu64 ", \"waits_busy\": %" PRIu64
		", \"errors\": %" PRIu64 ", \"wall_ns\": %" PRIu64
		", \"frames\": %zu, \"frame_p50_ns\": %" PRIu64
		", \"frame_p99_ns\": %" PRIu64,
		n->events, c->trace.nr_events,
		n->creates, n->closes, n->submits, n->submits_no_memory,
		n->waits, n->waits_busy, n->errors, n->wall_ns,
		c->nr_frames, frame_ns(c, 500), frame_ns(c, 990));
	print_frames(out, c);
	fputc('}', out);
}

int report_stats(const struct client *clients, int nr, const char *file)
{
	FILE *out = fopen(file, "we");
	int bad;

	if (!out) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return -1;
	}
	fprintf(out,
		"{\n  \"seed\": %" PRIu64 ",\n  \"job_speed\": %g,\n  \"wall_ns\": %" PRIu64
		",\n  \"clients\": [\n",
		clients->options->seed, clients->options->speed, whole_ns(clients, nr));
	for (int i = 0; i < nr; i++) {
		print_client(out, &clients[i]);
		fputs(i + 1 < nr ? ",\n" : "\n", out);
	}
	fputs("  ]\n}\n", out);
	bad = ferror(out);
	if (fclose(out) || bad) {
		fprintf(stderr, "%s: could not be written\n", file);
		return -1;
	}
	return 0;
}
