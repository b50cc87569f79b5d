// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * All clients at once: threads, signals, progress.
 */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "report.h"
#include "timeline.h"

#define LOOK_EVERY_NS	200000000u

static atomic_bool stop;
static atomic_int running;

static void on_signal(int signal)
{
	(void)signal;
	stop = true;
}

/* A task that is in the kernel comes back. */
static void on_wake(int signal)
{
	(void)signal;
}

/* Signals interrupt the main thread only; the others notice @stop. */
static void catch_signals(sigset_t *signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction wake = { .sa_handler = on_wake };

	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &wake, NULL);
}

static void *run_one(void *arg)
{
	client_run(arg);
	running--;
	return NULL;
}

static int start_threads(struct client *clients, int nr)
{
	sigset_t signals;
	int started = 0, ret = 0;

	catch_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	running = nr;
	while (started < nr && !ret) {
		ret = pthread_create(&clients[started].thread, NULL, run_one,
				     &clients[started]);
		started += !ret;
	}
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	if (ret) {
		fprintf(stderr, "no thread for a client: %s\n", strerror(ret));
		stop = true;
		running -= nr - started;
	}
	return started;
}

static int open_all(struct client *clients, int nr, const struct options *options)
{
	uint64_t begin = options->pace ? next_second() : clock_ns();

	for (int i = 0; i < nr; i++) {
		struct client *c = &clients[i];

		c->stop = &stop;
		c->options = options;
		c->begin_ns = begin;
		c->random.state = options->seed * MAX_CLIENTS + (uint64_t)i;
		if (client_open(c))
			return -1;
	}
	return 0;
}

static void wait_for_all(struct client *clients, int nr, int started, bool progress)
{
	uint64_t look = clients[0].begin_ns;

	while (running) {
		look += LOOK_EVERY_NS;
		sleep_until(look);
		for (int i = 0; stop && i < started; i++)
			pthread_kill(clients[i].thread, SIGUSR1);
		if (progress && running)
			report_progress(clients, nr, false);
	}
	for (int i = 0; i < started; i++)
		pthread_join(clients[i].thread, NULL);
	if (progress) {
		report_progress(clients, nr, true);
		report_clients(clients, nr);
	}
}

static bool all_well(const struct client *clients, int nr)
{
	bool well = true;

	for (int i = 0; i < nr; i++) {
		const struct client *c = &clients[i];

		if (c->counts.submits_no_memory)
			fprintf(stderr, "%s: %lu jobs refused for lack of memory\n",
				c->trace.file, c->counts.submits_no_memory);
		well &= !c->counts.errors && c->counts.events == c->trace.nr_events;
	}
	return well;
}

int run_clients(struct client *clients, int nr, const struct options *options)
{
	struct timeline timeline;
	int ret, started;

	if (open_all(clients, nr, options) ||
	    timeline_start(&timeline, options, clients[0].begin_ns))
		return -1;
	started = start_threads(clients, nr);
	wait_for_all(clients, nr, started, options->progress);
	ret = timeline_finish(&timeline);
	if (options->stats)
		ret |= report_stats(clients, nr, options->stats);
	if (stop)
		fputs("replay: interrupted\n", stderr);
	return ret || stop || !all_well(clients, nr) ? -1 : 0;
}
