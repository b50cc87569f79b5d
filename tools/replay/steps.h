/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Events as the kernel's steps: a list of them costs one system call.
 */
#ifndef REPLAY_STEPS_H
#define REPLAY_STEPS_H

#include "client.h"

/* For free(), or NULL. */
struct steps *steps_alloc(void);

/* Puts an event on the client's list. Return: true, or false if it is full, or no step. */
bool steps_add(struct client *client, const struct event *event);

/*
 * Does what is on the list, and pauses as long as the program did before an event that is none.
 * That is counted. Return: 0, or -1 after a message.
 */
int steps_pause(struct client *client, const struct event *event);

/* Does what is on the list, which is empty then. Return: 0, or -1 after a message. */
int steps_play(struct client *client);

#endif
