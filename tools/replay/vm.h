/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A client with an address space: its buffers are private to a VM, and its jobs use that.
 */
#ifndef REPLAY_VM_H
#define REPLAY_VM_H

#include "client.h"

/* Whether the event is one of those. */
bool vm_has(const struct event *event);

/* Does it. Return: 0, or -1 after a message. */
int vm_run(struct client *client, const struct event *event);

#endif
