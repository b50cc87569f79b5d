// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs: commands that the queue does one after the other, each with a number. */
#include "vk.h"

#define TIMEOUT	(120 * SECOND)

static unsigned int slot_of(uint64_t number)
{
	return number % NR_JOBS;
}

bool job_done(struct gpu *gpu, uint64_t number)
{
	uint64_t done = 0;

	return vkGetSemaphoreCounterValue(gpu->device, gpu->timeline, &done) == VK_SUCCESS &&
	       done >= number;
}

VkResult job_wait(struct gpu *gpu, uint64_t number)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &gpu->timeline,
		.pValues = &number,
	};

	return vkWaitSemaphores(gpu->device, &info, TIMEOUT);
}

VkCommandBuffer job_begin(struct gpu *gpu)
{
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	unsigned int slot = slot_of(gpu->submitted + 1);
	VkCommandBuffer commands = gpu->commands[slot];

	if (job_wait(gpu, gpu->last[slot]) != VK_SUCCESS ||
	    vkBeginCommandBuffer(commands, &info) != VK_SUCCESS)
		return NULL;
	return commands;
}

void job_barrier(VkCommandBuffer commands)
{
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT |
				 VK_ACCESS_HOST_READ_BIT,
	};

	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			     VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
			     &barrier, 0, NULL, 0, NULL);
}

VkResult job_submit_after(struct gpu *gpu, VkSemaphore wait, uint64_t value)
{
	const uint64_t number = gpu->submitted + 1;
	const VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = wait ? 1 : 0,
		.pWaitSemaphoreValues = &value,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &number,
	};
	const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.waitSemaphoreCount = wait ? 1 : 0,
		.pWaitSemaphores = &wait,
		.pWaitDstStageMask = &stages,
		.commandBufferCount = 1,
		.pCommandBuffers = &gpu->commands[slot_of(number)],
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &gpu->timeline,
	};
	VkResult result;

	/* What a job writes the next one reads. */
	job_barrier(gpu->commands[slot_of(number)]);
	result = vkEndCommandBuffer(gpu->commands[slot_of(number)]);
	if (result == VK_SUCCESS)
		result = vkQueueSubmit(gpu->queue, 1, &info, VK_NULL_HANDLE);
	if (result != VK_SUCCESS)
		return result;
	gpu->submitted = number;
	gpu->last[slot_of(number)] = number;
	return VK_SUCCESS;
}

VkResult job_submit(struct gpu *gpu)
{
	uint64_t bound = gpu->bound;

	gpu->bound = 0;
	return job_submit_after(gpu, bound ? gpu->timeline : VK_NULL_HANDLE, bound);
}

VkResult job_copy(struct gpu *gpu, const struct buffer *from, const struct buffer *to,
		  VkDeviceSize size)
{
	return job_copy_from(gpu, from, 0, to, size);
}

VkResult job_copy_from(struct gpu *gpu, const struct buffer *from, VkDeviceSize offset,
		       const struct buffer *to, VkDeviceSize size)
{
	const VkBufferCopy region = { .srcOffset = offset, .size = size };
	VkCommandBuffer commands = job_begin(gpu);

	if (!commands)
		return VK_ERROR_UNKNOWN;
	vkCmdCopyBuffer(commands, from->buffer, to->buffer, 1, &region);
	return job_submit(gpu);
}

VkResult job_fill(struct gpu *gpu, const struct buffer *to, uint32_t word)
{
	VkCommandBuffer commands = job_begin(gpu);

	if (!commands)
		return VK_ERROR_UNKNOWN;
	vkCmdFillBuffer(commands, to->buffer, 0, to->size, word);
	return job_submit(gpu);
}

VkResult job_bind(struct gpu *gpu, const struct buffer *sparse, VkDeviceSize offset,
		  VkDeviceSize size, VkDeviceMemory memory)
{
	const uint64_t before = gpu->submitted, number = before + 1;
	const VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &before,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &number,
	};
	const VkSparseMemoryBind bind = {
		.resourceOffset = offset,
		.size = size,
		.memory = memory,
	};
	const VkSparseBufferMemoryBindInfo binds = {
		.buffer = sparse->buffer,
		.bindCount = 1,
		.pBinds = &bind,
	};
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.pNext = &values,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &gpu->timeline,
		.bufferBindCount = 1,
		.pBufferBinds = &binds,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &gpu->timeline,
	};
	VkResult result = vkQueueBindSparse(gpu->queue, 1, &info, VK_NULL_HANDLE);

	if (result == VK_SUCCESS)
		gpu->submitted = gpu->bound = number;
	return result;
}
