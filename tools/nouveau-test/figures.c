// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How long buffers take that are made, used once and closed, beside others that live, and
 * while the dead of another channel are stuck. No case: there is nothing that could be right
 * or wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nv.h"

/* Of all VRAM: so many live, half of them in use, and so many are made. */
#define PART		16
#define NR_LIVE		8
#define NR_MADE		(2 * PART)
/* The blocked channel's. */
#define STUCK_SIZE	(16 * PAGE)

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A buffer is made, used with another one, and closed. Returns the ms, negative if it failed. */
static double pass_through(struct nv_channel *channel, uint64_t size, struct nv_bo *live)
{
	double start = now_ms();
	struct nv_bo bo;

	if (nv_bo_create(channel->fd, size, VRAM, &bo) ||
	    nv_use(channel, (struct nv_bo *[]){ &bo, live }, live ? 2 : 1) ||
	    nv_bo_close(channel->fd, &bo))
		return -1;
	return now_ms() - start;
}

static bool make_live(int fd, uint64_t size, struct nv_bo *bos)
{
	unsigned int i;

	for (i = 0; i < NR_LIVE; i++)
		if (nv_bo_create(fd, size, VRAM, &bos[i]))
			return false;
	return true;
}

static bool get_stuck(struct nv_channel *channel, unsigned int nr)
{
	unsigned int i;

	nv_block(channel);
	for (i = 0; i < nr; i++)
		if (pass_through(channel, STUCK_SIZE, NULL) < 0)
			return false;
	return true;
}

static void print_times(double *took)
{
	double sum = 0;
	int i;

	for (i = 0; i < NR_MADE; i++)
		sum += took[i];
	qsort(took, NR_MADE, sizeof(took[0]), compare);
	printf("# figure: ms for a buffer, median: %.3f\n", took[NR_MADE / 2]);
	printf("# figure: ms for a buffer, longest: %.3f\n", took[NR_MADE - 1]);
	printf("# figure: ms for all buffers: %.3f\n", sum);
}

bool nv_figures(int fd, unsigned int stuck)
{
	uint64_t size = nv_vram_size(fd) / PART & ~(PAGE - 1);
	struct nv_channel blocked, channel;
	struct nv_bo live[NR_LIVE];
	double took[NR_MADE];
	bool done = true;
	int i;

	if (nv_channel_create(fd, &blocked) || nv_channel_create(fd, &channel) ||
	    !make_live(fd, size, live))
		return false;
	if (stuck)
		done = get_stuck(&blocked, stuck);
	for (i = 0; i < NR_MADE && done; i++) {
		took[i] = pass_through(&channel, size, &live[i % (NR_LIVE / 2)]);
		done = took[i] >= 0;
	}
	nv_unblock(&blocked);
	if (done)
		print_times(took);
	return done;
}
