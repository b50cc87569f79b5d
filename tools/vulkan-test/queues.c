// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Several queues. NVK has one for each device, so these are as many devices of one process: as
 * many clients of nouveau's, each with a channel and an address space, whose buffers and
 * semaphores they share.
 *
 * Contents go round, each queue copies what the one before has copied::
 *
 *   job t of queue i:    slot t - 1 of queue i - 1  -->  slot t of queue i
 *
 * It waits for job t - 1 of that queue, and for nobody else, so all of the N queues are busy at
 * once, with N contents. There are N + 1 slots, so the one that a job overwrites has others': who
 * does not wait passes these on, and there is one of the N less from then on. The next queue has
 * read it, in its job t - N: semaphores lead back to t - N + 1, all around.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cases.h"
#include "vram.h"

#define MAX_QUEUES	4
#define NR_ROUNDS	64
#define SLOT		(512 * KIB)
/* nouveau gives a job ten seconds. If the others took that long, nothing is known. */
#define HANG_NS		(8 * SECOND)

/**
 * struct queue - one of several
 * @gpu: its device
 * @staging: what it copies first, and what the CPU reads in the end
 * @own: its slots
 * @previous: those of the queue before
 * @before: the timeline of the queue before
 */
struct queue {
	struct gpu gpu;
	struct buffer staging;
	struct buffer own;
	struct buffer previous;
	VkSemaphore before;
};

static unsigned int nr_slots(unsigned int nr)
{
	return nr + 1;
}

static bool make_queue(struct queue *queue, unsigned int nr, uint32_t tag)
{
	if (!check_is(gpu_open(&queue->gpu), VK_SUCCESS) ||
	    !check_is(buffer_create(&queue->gpu, SLOT, STAGING, &queue->staging), VK_SUCCESS) ||
	    !check_is(buffer_create_shared(&queue->gpu, nr_slots(nr) * SLOT, &queue->own), VK_SUCCESS))
		return false;
	buffer_fill(&queue->staging, tag);
	return true;
}

static bool connect(struct queue *queue, struct queue *before)
{
	int fd = buffer_export(&before->gpu, &before->own);

	return check(fd >= 0) &&
	       check_is(buffer_import(&queue->gpu, fd, before->own.size, &queue->previous),
			VK_SUCCESS) &&
	       check_is(timeline_share(&before->gpu, &queue->gpu, &queue->before), VK_SUCCESS);
}

static bool make_ring(struct queue *queues, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!make_queue(&queues[i], nr, i))
			return false;
	for (i = 0; i < nr; i++)
		if (!connect(&queues[i], &queues[(i + nr - 1) % nr]))
			return false;
	return true;
}

static void free_queue(struct queue *queue)
{
	vkDeviceWaitIdle(queue->gpu.device);
	vkDestroySemaphore(queue->gpu.device, queue->before, NULL);
	buffer_destroy(&queue->gpu, &queue->previous);
	buffer_destroy(&queue->gpu, &queue->own);
	buffer_destroy(&queue->gpu, &queue->staging);
	gpu_close(&queue->gpu);
}

/* The last words of a slot say which job of each queue has passed it on. */
static VkDeviceSize mark_offset(unsigned int nr, unsigned int i)
{
	return SLOT - (nr - i) * sizeof(uint32_t);
}

static bool submit_job(struct queue *queues, unsigned int nr, unsigned int i, uint64_t job)
{
	struct queue *queue = &queues[i];
	const VkBufferCopy region = {
		.srcOffset = job > 1 ? (job - 1) % nr_slots(nr) * SLOT : 0,
		.dstOffset = job % nr_slots(nr) * SLOT,
		.size = SLOT,
	};
	VkCommandBuffer commands = job_begin(&queue->gpu);

	if (!check(commands))
		return false;
	vkCmdCopyBuffer(commands, job > 1 ? queue->previous.buffer : queue->staging.buffer,
			queue->own.buffer, 1, &region);
	job_barrier(commands);
	vkCmdFillBuffer(commands, queue->own.buffer, region.dstOffset + mark_offset(nr, i),
			sizeof(uint32_t), job);
	return check_is(job_submit_after(&queue->gpu, job > 1 ? queue->before : VK_NULL_HANDLE,
					 job - 1), VK_SUCCESS);
}

static bool submit_rounds(struct queue *queues, unsigned int nr, unsigned int from, unsigned int to)
{
	unsigned int i, job;

	for (job = from; job <= to; job++)
		for (i = 0; i < nr; i++)
			if (!submit_job(queues, nr, i, job))
				return false;
	return true;
}

/* The first job of each. Returns the channel of the first queue, which is the last to be asked. */
static unsigned int begin_ring(struct queue *queues, unsigned int nr)
{
	unsigned int i;

	for (i = nr; i-- > 0;)
		if (submit_job(queues, nr, i, 1))
			check_is(job_wait(&queues[i].gpu, 1), VK_SUCCESS);
	return last_channel();
}

/*
 * For some rounds the first queue does nothing until all of them have been submitted; it gets all
 * the memory that Mesa wants for them meanwhile.
 */
static bool run_ring(struct queue *queues, unsigned int nr)
{
	unsigned int first = begin_ring(queues, nr);

	return check(hang_channel(first)) &&
	       submit_rounds(queues, nr, 2, 1 + NR_JOBS) &&
	       check(release_channel(first)) &&
	       submit_rounds(queues, nr, 2 + NR_JOBS, NR_ROUNDS);
}

/* What the last job of a queue has written has come from there, by all queues. */
static void check_slot(struct queue *queues, unsigned int nr, unsigned int i)
{
	unsigned int origin = (i + nr * NR_ROUNDS - (NR_ROUNDS - 1)) % nr, j;
	struct queue *queue = &queues[i];

	check_is(job_copy_from(&queue->gpu, &queue->own, NR_ROUNDS % nr_slots(nr) * SLOT,
			       &queue->staging, SLOT), VK_SUCCESS);
	check_is(job_wait(&queue->gpu, queue->gpu.submitted), VK_SUCCESS);
	check(buffer_holds(&queue->staging, mark_offset(nr, 0), origin));
	for (j = 0; j < nr; j++)
		check_is(queue->staging.map[mark_offset(nr, j) / sizeof(uint32_t)],
			 NR_ROUNDS - (i + nr - j) % nr);
}

static void check_ring(struct queue *queues, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		check_slot(queues, nr, i);
}

/* Somebody else drives out what is in VRAM, meanwhile. */
void test_queues(struct gpu *gpu)
{
	static struct queue queues[MAX_QUEUES];
	pid_t other = squeeze(12);
	unsigned int i;

	(void)gpu;
	if (make_ring(queues, MAX_QUEUES) && run_ring(queues, MAX_QUEUES))
		check_ring(queues, MAX_QUEUES);
	stop(other);
	for (i = 0; i < MAX_QUEUES; i++)
		free_queue(&queues[i]);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static bool hang(struct gpu *gpu, struct buffer *buffer)
{
	return check_is(buffer_create(gpu, SLOT, LOCAL, buffer), VK_SUCCESS) &&
	       check_is(job_fill(gpu, buffer, 1), VK_SUCCESS) &&
	       check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS) &&
	       check(hang_channel(last_channel())) &&
	       check_is(job_fill(gpu, buffer, 2), VK_SUCCESS);
}

/* A job of another queue that waits for the one that hangs goes on when that is given up. */
static void wait_for_hung(struct gpu *hung, struct queue *queue)
{
	VkCommandBuffer commands = job_begin(&queue->gpu);
	VkSemaphore semaphore;
	bool done;

	if (!check(commands) ||
	    !check_is(timeline_share(hung, &queue->gpu, &semaphore), VK_SUCCESS))
		return;
	vkCmdFillBuffer(commands, queue->own.buffer, 0, SLOT, 3);
	check_is(job_submit_after(&queue->gpu, semaphore, hung->submitted), VK_SUCCESS);
	done = job_done(&queue->gpu, queue->gpu.submitted);
	check(!done || job_done(hung, hung->submitted));
	check_is(job_wait(&queue->gpu, queue->gpu.submitted), VK_SUCCESS);
	check(job_done(hung, hung->submitted));
	vkDestroySemaphore(queue->gpu.device, semaphore, NULL);
}

/* One queue hangs, and the others go round. */
void test_queue_hangs(struct gpu *gpu)
{
	static struct queue queues[MAX_QUEUES];
	const unsigned int nr = MAX_QUEUES - 1;
	struct buffer buffer;
	uint64_t start;
	unsigned int i;
	bool done;

	if (!make_ring(queues, nr) || !hang(gpu, &buffer))
		return;
	start = now_ns();
	if (run_ring(queues, nr))
		check_ring(queues, nr);
	done = job_done(gpu, gpu->submitted);
	check(!done || now_ns() - start > HANG_NS);
	wait_for_hung(gpu, &queues[0]);
	check_is(job_fill(gpu, &buffer, 4), VK_ERROR_DEVICE_LOST);
	/* The others are not. */
	check_is(job_fill(&queues[0].gpu, &queues[0].own, 5), VK_SUCCESS);
	for (i = 0; i < nr; i++)
		free_queue(&queues[i]);
	buffer_destroy(gpu, &buffer);
}
