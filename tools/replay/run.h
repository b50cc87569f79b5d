/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "client.h"

/* Runs all clients at once. Return: 0 if all finished without error, or -1. */
int run_clients(struct client *clients, int nr, const struct options *options);

#endif
