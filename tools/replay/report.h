/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What users get to see: how far it is, and what the clients did.
 */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include "client.h"

/* Called now and then; on a terminal one line that is written over. */
void report_progress(const struct client *clients, int nr, bool last);

/* In the end, a line for each: how far it came, and its own time. */
void report_clients(const struct client *clients, int nr);

/* Return: 0, or -1 after a message. */
int report_stats(const struct client *clients, int nr, const char *file);

#endif
