/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Inside of the parser: lines of a client with an address space.
 */
#ifndef REPLAY_SPACE_H
#define REPLAY_SPACE_H

#include "parse.h"

/* Kinds of lines. */
int apply_vm(struct parser *p);
int apply_vmbind(struct parser *p);
int apply_exec(struct parser *p);
int apply_wait(struct parser *p);

/* A buffer is closed: it is mapped nowhere any more. */
void space_close(struct parser *p, uint32_t handle);

void space_free(struct parser *p);

#endif
