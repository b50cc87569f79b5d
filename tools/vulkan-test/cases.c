// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Copies, semaphores and sparse buffers, with nobody else there. */
#include "cases.h"

#define SIZE	(256 * KIB)
/* What can be bound apart. */
#define BLOCK	(64 * KIB)

static void copy_through(struct gpu *gpu, enum kind kind, struct buffer *from, struct buffer *to)
{
	struct buffer middle;

	if (!check_is(buffer_create(gpu, SIZE, kind, &middle), VK_SUCCESS))
		return;
	buffer_fill(from, 1 + kind);
	buffer_fill(to, 0);
	check_is(job_copy(gpu, from, &middle, SIZE), VK_SUCCESS);
	check_is(job_copy(gpu, &middle, to, SIZE), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	check(buffer_holds(to, SIZE, 1 + kind));

	check_is(job_fill(gpu, &middle, 0xabcd0000 + kind), VK_SUCCESS);
	check_is(job_copy(gpu, &middle, to, SIZE - 4), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	check(buffer_is(to, 0, SIZE - 4, 0xabcd0000 + kind));
	check(!buffer_is(to, SIZE - 4, 4, 0xabcd0000 + kind));
	buffer_destroy(gpu, &middle);
}

void test_copy(struct gpu *gpu)
{
	struct buffer from, to;
	enum kind kind;

	if (!check_is(buffer_create(gpu, SIZE, STAGING, &from), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &to), VK_SUCCESS))
		return;
	for (kind = 0; kind < NR_KINDS; kind++)
		copy_through(gpu, kind, &from, &to);
	buffer_destroy(gpu, &to);
	buffer_destroy(gpu, &from);
}

/* A job waits for a value that the program gives only later. */
void test_timeline(struct gpu *gpu)
{
	VkSemaphoreSignalInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.value = 7,
	};
	struct buffer from, to;
	const VkBufferCopy region = { .size = SIZE };
	VkCommandBuffer commands;

	if (!check_is(timeline_create(gpu, &signal.semaphore), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &from), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &to), VK_SUCCESS))
		return;
	buffer_fill(&from, 1);
	buffer_fill(&to, 2);
	commands = job_begin(gpu);
	vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &region);
	check_is(job_submit_after(gpu, signal.semaphore, signal.value), VK_SUCCESS);
	sleep_ns(200 * MS);
	check(!job_done(gpu, gpu->submitted));
	check(buffer_holds(&to, SIZE, 2));
	/* The job is to see this. */
	buffer_fill(&from, 3);
	check_is(vkSignalSemaphore(gpu->device, &signal), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	check(buffer_holds(&to, SIZE, 3));
	buffer_destroy(gpu, &to);
	buffer_destroy(gpu, &from);
	vkDestroySemaphore(gpu->device, signal.semaphore, NULL);
}

/* Blocks 0 and 2 of four are bound, then 0 elsewhere; none of it waits for the CPU. */
void test_sparse(struct gpu *gpu)
{
	struct buffer sparse, first, second;
	VkDeviceMemory memory[2];

	if (!check_is(buffer_create_sparse(gpu, SIZE, &sparse), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &first), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &second), VK_SUCCESS) ||
	    !check_is(memory_create(gpu, 2 * BLOCK, &memory[0]), VK_SUCCESS) ||
	    !check_is(memory_create(gpu, BLOCK, &memory[1]), VK_SUCCESS))
		return;
	check_is(job_bind(gpu, &sparse, 0, BLOCK, memory[0]), VK_SUCCESS);
	check_is(job_bind(gpu, &sparse, 2 * BLOCK, BLOCK, memory[1]), VK_SUCCESS);
	check_is(job_fill(gpu, &sparse, 0x11111111), VK_SUCCESS);
	check_is(job_copy(gpu, &sparse, &first, SIZE), VK_SUCCESS);
	check_is(job_bind(gpu, &sparse, 0, BLOCK, memory[1]), VK_SUCCESS);
	check_is(job_bind(gpu, &sparse, 2 * BLOCK, BLOCK, VK_NULL_HANDLE), VK_SUCCESS);
	check_is(job_fill(gpu, &sparse, 0x22222222), VK_SUCCESS);
	check_is(job_bind(gpu, &sparse, BLOCK, BLOCK, memory[0]), VK_SUCCESS);
	check_is(job_copy(gpu, &sparse, &second, SIZE), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);

	check(buffer_is(&first, 0, BLOCK, 0x11111111));
	check(buffer_is(&first, BLOCK, BLOCK, 0));
	check(buffer_is(&first, 2 * BLOCK, BLOCK, 0x11111111));
	check(buffer_is(&first, 3 * BLOCK, BLOCK, 0));
	check(buffer_is(&second, 0, BLOCK, 0x22222222));
	check(buffer_is(&second, BLOCK, BLOCK, 0x11111111));
	check(buffer_is(&second, 2 * BLOCK, 2 * BLOCK, 0));

	buffer_destroy(gpu, &sparse);
	vkFreeMemory(gpu->device, memory[1], NULL);
	vkFreeMemory(gpu->device, memory[0], NULL);
	buffer_destroy(gpu, &second);
	buffer_destroy(gpu, &first);
}
