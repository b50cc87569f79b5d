// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From a file to a checked trace: header, comments, and lines cut into fields.
 */
#include "parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "space.h"

/* Between an ioctl's entry, whose time it is, and its line. */
#define OVERLAP_NS	1000000u

int refuse(struct parser *p, const char *reason, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", p->trace->file, p->source.number);
	va_start(args, reason);
	vfprintf(stderr, reason, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* "# botrace2 v1 (or v2) pid P chipset C gpu BASE,PERDWORD cmd ..." */
static int parse_header(struct parser *p)
{
	static const char start[] = "# botrace2 ";
	char gpu[48], version[16], *comma;
	uint64_t pid;

	if (strncmp(p->source.line, start, strlen(start)))
		return refuse(p, "the header '# botrace2 v1 ...' is missing");
	if (sscanf(p->source.line, "# botrace2 %15s", version) != 1 ||
	    (strcmp(version, "v1") && strcmp(version, "v2")))
		return refuse(p, "not version v1 or v2 of the format");
	p->version = version[1] - '0';
	if (sscanf(p->source.line, "# botrace2 %*s pid %lu chipset %*s gpu %47s cmd ",
		   &pid, gpu) != 2)
		return refuse(p, "the header is garbled");
	if (!strcmp(gpu, "off"))
		return 0;
	comma = strchr(gpu, ',');
	if (comma)
		*comma++ = '\0';
	if (!comma || parse_decimal(gpu, MAX_JOB_NS, &p->base_ns) ||
	    parse_decimal(comma, MAX_JOB_NS, &p->dword_ns))
		return refuse(p, "the header's GPU model is not 'gpu BASE,PERDWORD'");
	return 0;
}

static int parse_comment(struct parser *p)
{
	if (!strncmp(p->source.line, "# botrace2 ", 11))
		return refuse(p, "a second header");
	if (!strncmp(p->source.line, "# startup ends", 14))
		p->in_gap = p->gap_starts = true;
	else if (!strcmp(p->source.line, "# steady"))
		p->in_gap = false;
	return 0;
}

static int parse_value(const char *text, char kind, uint64_t *value)
{
	switch (kind) {
	case 'x':
		return parse_hex(text, UINT32_MAX, value);
	case 'U':
		return parse_decimal(text, UINT64_MAX - 1, value);
	case 'i':
		*value = UINT64_MAX;
		if (!strcmp(text, "-1"))
			return 0;
		return parse_decimal(text, INT32_MAX, value);
	default:
		return parse_decimal(text, UINT32_MAX, value);
	}
}

static int parse_values(struct parser *p, const struct verb *verb,
			char **fields, int nr)
{
	int wanted = (int)strlen(verb->fields);

	if (nr < wanted)
		return refuse(p, "'%s' with %d fields, not %d", verb->name, nr, wanted);
	if (nr > wanted && !verb->listed)
		return refuse(p, "'%s' with %d fields, not %d", verb->name, nr, wanted);
	for (int i = 0; i < wanted; i++)
		if (parse_value(fields[i], verb->fields[i], &p->values[i]))
			return refuse(p, "field %d, '%s', is no %snumber that fits", i + 3,
				      fields[i], verb->fields[i] == 'x' ? "hex " : "");
	p->list = fields + wanted;
	p->nr_list = nr - wanted;
	return 0;
}

/* What slept is written when it wakes up, with the time when it began. */
static uint64_t slept_ns(struct parser *p, const struct verb *verb)
{
	if (!strcmp(verb->name, "prep"))
		return p->values[PREP_WAITED];
	return strcmp(verb->name, "wait") ? 0 : p->values[WAIT_WAITED];
}

/*
 * The lines are in the order in which they were written. Times may overlap by a little,
 * and by what was slept; the gap of a trimmed trace takes none.
 */
static int check_time(struct parser *p, uint64_t ns, uint64_t slept)
{
	uint64_t back = ns < p->last_ns ? p->last_ns - ns : 0;

	if (!p->gap_starts && !p->in_gap && back > slept && back - slept > OVERLAP_NS)
		return refuse(p, "the time goes back");
	p->now_ns = ns;
	p->slept_ns = slept;
	p->gap_starts = false;
	if (p->in_gap || !back)
		p->last_ns = ns;
	return 0;
}

static int parse_event(struct parser *p)
{
	char *fields[MAX_FIELDS];
	int nr = split_fields(p->source.line, ' ', fields, MAX_FIELDS);
	const struct verb *verb = verbs;
	uint64_t ns;

	if (p->trace->nr_events >= TRACE_MAX_EVENTS)
		return refuse(p, "more than %d events", TRACE_MAX_EVENTS);
	if (nr < 0)
		return refuse(p, "more than %d buffers", TRACE_MAX_BOS);
	if (nr < 2)
		return refuse(p, "not even a time and a verb");
	if (parse_decimal(fields[0], INT64_MAX, &ns))
		return refuse(p, "the time, '%s', is no number that fits", fields[0]);
	while (verb->name && strcmp(verb->name, fields[1]))
		verb++;
	if (!verb->name)
		return refuse(p, "unknown verb '%s'", fields[1]);
	if (parse_values(p, verb, fields + 2, nr - 2))
		return -1;
	/* The end of a push is written when noticed, with the time it had. */
	if (strcmp(verb->name, "done") && check_time(p, ns, slept_ns(p, verb)))
		return -1;
	return verb->apply ? verb->apply(p) : 0;
}

static int parse_lines(struct parser *p)
{
	const char *reason;
	int got;

	while ((got = source_line(&p->source, &reason)) > 0) {
		int bad;

		if (p->source.number == 1)
			bad = parse_header(p);
		else if (p->source.line[0] == '#')
			bad = parse_comment(p);
		else
			bad = parse_event(p);
		if (bad)
			return -1;
	}
	if (got < 0)
		return refuse(p, "%s", reason);
	if (p->source.number == 1)
		return refuse(p, "the file is empty");
	return 0;
}

int trace_load(struct trace *trace, const char *file)
{
	struct parser *p = calloc(1, sizeof(*p));
	int ret;

	*trace = (struct trace){ .file = file, .speed = trace->speed };
	if (!p || !(p->live = calloc(1, TRACE_MAX_HANDLE + 1))) {
		fprintf(stderr, "%s: %s\n", file, strerror(ENOMEM));
		free(p);
		return -1;
	}
	p->trace = trace;
	p->fd = UNKNOWN;
	ret = source_open(&p->source, file);
	if (ret) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
	} else {
		ret = parse_lines(p);
		if (source_close(&p->source) && !ret)
			ret = refuse(p, "cannot be read or decompressed to its end");
	}
	space_free(p);
	free(p->live);
	free(p);
	return ret;
}
