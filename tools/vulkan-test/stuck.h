/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Memory of programs that let go of it while a job of theirs is under way. */
#ifndef STUCK_H
#define STUCK_H

#include <stdbool.h>

/* Buffers of 1 MiB that a program has. */
#define NR_STUCK	24

/* stuck-program.c: gets a device and the buffers, and uses them. */
bool stuck_begin(void);
/* Begins a job, and lets go of the buffers while that is under way. */
bool stuck_leave(void);

/*
 * stuck.c: prints how long it takes until somebody has such memory, beside a program whose channel
 * hangs. False if something failed; or, with fence_lru=1, if the memory of the one that hangs was
 * waited for.
 */
bool memory_beside_the_stuck(void);

#endif
