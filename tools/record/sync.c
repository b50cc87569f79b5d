// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which EXEC a syncobj waits for, by its handle: the last points of each that were given to one.
 * What has come by a file descriptor, or from the program itself, is not known.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HANDLE 1000000u
#define NR_POINTS 64u

/**
 * struct point - of a timeline
 * @value: 0, if the syncobj is none
 * @seq: of the EXEC that gives it, 0: nobody knows
 */
struct point {
	uint64_t value;
	uint64_t seq;
};

struct sync {
	struct point points[NR_POINTS];
	unsigned int nr;	/* that were given, ever */
};

static struct sync **syncs;
static uint32_t nr_syncs;

static struct sync *sync_of(uint32_t handle)
{
	uint32_t wanted = handle * 2 + 64;
	struct sync **more;

	if (handle > MAX_HANDLE)
		return NULL;
	if (handle >= nr_syncs) {
		more = realloc(syncs, wanted * sizeof(*more));
		if (!more)
			return NULL;
		memset(more + nr_syncs, 0, (wanted - nr_syncs) * sizeof(*more));
		syncs = more;
		nr_syncs = wanted;
	}
	if (!syncs[handle])
		syncs[handle] = calloc(1, sizeof(struct sync));
	return syncs[handle];
}

void sync_give(uint32_t handle, uint64_t value, uint64_t seq)
{
	struct sync *sync = sync_of(handle);

	if (!sync)
		return;
	if (!value)
		sync->nr = 0;
	sync->points[sync->nr++ % NR_POINTS] = (struct point){ value, seq };
}

void sync_forget(uint32_t handle)
{
	if (handle < nr_syncs) {
		free(syncs[handle]);
		syncs[handle] = NULL;
	}
}

void sync_forget_all(void)
{
	for (uint32_t i = 0; i < nr_syncs; i++)
		sync_forget(i);
}

/* The first point that is late enough. */
uint64_t sync_seq(uint32_t handle, uint64_t value)
{
	struct sync *sync = sync_of(handle);
	struct point *best = NULL;

	for (unsigned int i = 0; sync && i < sync->nr && i < NR_POINTS; i++) {
		struct point *point = &sync->points[i];

		if (point->value >= value && (!best || point->value < best->value))
			best = point;
	}
	return best ? best->seq : 0;
}
