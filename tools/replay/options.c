// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fields.h"

static const char usage[] =
"usage: replay [options] trace...\n"
"\n"
"Replays recorded buffer traffic on the software GPU, each trace by a client\n"
"of its own. Traces may be compressed with xz. All are checked before any runs.\n"
"After a trace's name @FACTOR may follow, a speed of its own. A trace may be made\n"
"up: ring:buffers=24,kib=64,use=4,advance=4,jobs=1000,job_us=20,frame=0 has so many\n"
"buffers of so many KiB in VRAM, and jobs of so many µs that each use some of them,\n"
"in turn. With frame=0 each job is waited for, else each frame of so many jobs, while\n"
"two more are queued.\n"
"\n"
"  --node PATH         render node (default: the first of the driver swgpu)\n"
"  --job-speed FACTOR  speed of the jobs, 1 is that of the recording\n"
"  --seed N            of the interleaving of the clients (default: 1)\n"
"  --limit EVENTS      run only the first EVENTS of each trace\n"
"  --pace              pause between requests for as long as the program did\n"
"  --check             read and check the traces only\n"
"  --compile FILE      write the only trace so that it can be read again in no time\n"
"  --timeline FILE     write VRAM live, dead and free over time, as CSV\n"
"  --progress          tell how far it is, and in the end each client's time\n"
"  --stats FILE        write what the clients did, as JSON; times are those of each\n"
"                      client, and of the whole\n"
"\n"
"Exit status: 0 all clients finished without error, 1 not so, 2 wrong usage or\n"
"a malformed trace.\n";

enum {
	NODE = 1,
	SPEED,
	SEED,
	LIMIT,
	PACE,
	CHECK,
	COMPILE,
	TIMELINE,
	PROGRESS,
	STATS,
	HELP,
};

static const struct option list[] = {
	{ "node", required_argument, NULL, NODE },
	{ "job-speed", required_argument, NULL, SPEED },
	{ "seed", required_argument, NULL, SEED },
	{ "limit", required_argument, NULL, LIMIT },
	{ "pace", no_argument, NULL, PACE },
	{ "check", no_argument, NULL, CHECK },
	{ "compile", required_argument, NULL, COMPILE },
	{ "timeline", required_argument, NULL, TIMELINE },
	{ "progress", no_argument, NULL, PROGRESS },
	{ "stats", required_argument, NULL, STATS },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static int complain(const char *option, const char *wanted)
{
	fprintf(stderr, "replay: %s: %s wanted, not '%s'\n", option, wanted, optarg);
	return -1;
}

int parse_speed(const char *text, double *speed)
{
	char *end;

	*speed = strtod(text, &end);
	return end == text || *end || !isfinite(*speed) || *speed < 1e-6 || *speed > 1e6 ?
	       -1 : 0;
}

static int parse_option(struct options *o, int option)
{
	uint64_t number;

	switch (option) {
	case NODE:
		o->node = optarg;
		return 0;
	case SPEED:
		if (parse_speed(optarg, &o->speed))
			return complain("--job-speed", "a factor from 0.000001 to 1000000");
		return 0;
	case SEED:
		if (parse_decimal(optarg, UINT64_MAX, &o->seed))
			return complain("--seed", "a number");
		return 0;
	case LIMIT:
		if (parse_decimal(optarg, SIZE_MAX, &number) || !number)
			return complain("--limit", "a number from 1 on");
		o->limit = number;
		return 0;
	case PACE:
		o->pace = true;
		return 0;
	case CHECK:
		o->check = true;
		return 0;
	case COMPILE:
		o->compile = optarg;
		return 0;
	case TIMELINE:
		o->timeline = optarg;
		return 0;
	case PROGRESS:
		o->progress = true;
		return 0;
	case STATS:
		o->stats = optarg;
		return 0;
	case HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		fputs("Try 'replay --help'.\n", stderr);
		return -1;
	}
}

int options_parse(struct options *o, int argc, char **argv)
{
	int option;

	*o = (struct options){ .speed = 1, .seed = 1 };
	while ((option = getopt_long(argc, argv, "", list, NULL)) != -1)
		if (parse_option(o, option))
			return -1;
	o->files = argv + optind;
	o->nr_files = argc - optind;
	if (o->nr_files < 1 || o->nr_files > MAX_CLIENTS) {
		fprintf(stderr, "replay: %d traces given, 1 to %d can run\n%s",
			o->nr_files, MAX_CLIENTS, usage);
		return -1;
	}
	if (o->compile && o->nr_files > 1) {
		fputs("replay: --compile takes one trace\n", stderr);
		return -1;
	}
	return 0;
}
