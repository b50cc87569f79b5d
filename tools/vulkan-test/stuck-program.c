// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A job uses a buffer that stays, and all others are freed. They are of the same
 * address space, which the job is said to use: so they are busy.
 */
#include "stuck.h"
#include "vk.h"

static struct gpu gpu;
static struct buffer kept, buffers[NR_STUCK];

bool stuck_begin(void)
{
	unsigned int i;

	if (gpu_open(&gpu) != VK_SUCCESS ||
	    buffer_create(&gpu, MIB, STAGING, &kept) != VK_SUCCESS)
		return false;
	for (i = 0; i < NR_STUCK; i++)
		if (buffer_create(&gpu, MIB, LOCAL, &buffers[i]) != VK_SUCCESS ||
		    job_fill(&gpu, &buffers[i], i) != VK_SUCCESS)
			return false;
	return job_wait(&gpu, gpu.submitted) == VK_SUCCESS;
}

bool stuck_leave(void)
{
	unsigned int i;

	if (job_fill(&gpu, &kept, 0) != VK_SUCCESS)
		return false;
	for (i = 0; i < NR_STUCK; i++)
		buffer_destroy(&gpu, &buffers[i]);
	return true;
}
