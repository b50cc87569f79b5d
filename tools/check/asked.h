/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What Mesa asks nouveau for, of programs that are linked with -rdynamic. */
#ifndef ASKED_H
#define ASKED_H

#include <stdint.h>

/* So many allocations are timed for each asker, and no more. */
#define MAX_TIMES	(1 << 16)

/**
 * enum asker - who asks for memory
 * @MESA: a program, by Vulkan or OpenGL
 * @OTHER: somebody else, who takes VRAM and nothing else
 */
enum asker { MESA, OTHER, NR_ASKERS };

/**
 * struct requests - what nouveau was asked for, and gave
 * @binds: VM_BIND
 * @ops: what these bind and unbind
 * @execs: EXEC
 * @pushes: GEM_PUSHBUF
 * @allocs: GEM_NEW, of each asker
 * @times: how long each of those took, in ns
 */
struct requests {
	_Atomic unsigned long binds;
	_Atomic unsigned long ops;
	_Atomic unsigned long execs;
	_Atomic unsigned long pushes;
	_Atomic unsigned long allocs[NR_ASKERS];
	uint64_t times[NR_ASKERS][MAX_TIMES];
};

/* Counts from now on, in this process and those that it forks. */
struct requests *count_requests(void);
/* Who this process is; Mesa if nothing is said. */
void ask_as(enum asker asker);
/* The channel of the last EXEC or GEM_PUSHBUF of this process. */
unsigned int last_channel(void);
/* How long allocations took, as figures. */
void print_times(const struct requests *requests);

#endif
