/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A device of Vulkan's with one queue, its memory, and jobs for it. */
#ifndef VK_H
#define VK_H

#include <stdint.h>
#include <sys/types.h>

#include <vulkan/vulkan.h>

#include "asked.h"
#include "check.h"
#include "node.h"

#define KIB	1024UL
#define MIB	(1024 * 1024UL)

/* Jobs of a device that were not waited for, at most. */
#define NR_JOBS	8

/**
 * enum kind - of memory
 * @LOCAL: the device's own, which the CPU does not see
 * @LOCAL_MAPPED: the device's own, mapped
 * @STAGING: the machine's, mapped
 */
enum kind { LOCAL, LOCAL_MAPPED, STAGING, NR_KINDS };

/**
 * struct gpu - a device
 * @instance: Vulkan's
 * @physical: the chip
 * @device: what is made of it
 * @queue: its only one
 * @types: of memory
 * @pool: of @commands
 * @commands: of jobs, one after the other
 * @last: which job used them last
 * @timeline: has the number of the last job that is done
 * @submitted: the last job's number
 * @bound: of the last one that bound pages, which the next job waits for
 */
struct gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	uint32_t types[NR_KINDS];
	VkCommandPool pool;
	VkCommandBuffer commands[NR_JOBS];
	uint64_t last[NR_JOBS];
	VkSemaphore timeline;
	uint64_t submitted;
	uint64_t bound;
};

/**
 * struct buffer - a buffer with memory of its own
 * @buffer: Vulkan's
 * @memory: all of it
 * @size: in bytes
 * @map: its contents, or NULL
 */
struct buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize size;
	uint32_t *map;
};

/* All that return a VkResult return VK_SUCCESS or what Vulkan said. gpu.c */
VkResult gpu_open(struct gpu *gpu);
void gpu_close(struct gpu *gpu);
/* Of the heap that device-local memory is of, in bytes. */
VkDeviceSize gpu_vram(const struct gpu *gpu);

/* timeline.c */
VkResult timeline_create(struct gpu *gpu, VkSemaphore *timeline);
/* That of another device's jobs, for this one's to wait for. */
VkResult timeline_share(struct gpu *from, struct gpu *to, VkSemaphore *timeline);

/* buffer.c */
VkResult buffer_create(struct gpu *gpu, VkDeviceSize size, enum kind kind, struct buffer *buffer);
VkResult buffer_create_shared(struct gpu *gpu, VkDeviceSize size, struct buffer *buffer);
/* A file descriptor of a dma-buf, or negative. */
int buffer_export(struct gpu *gpu, const struct buffer *buffer);
VkResult buffer_import(struct gpu *gpu, int dma_buf, VkDeviceSize size, struct buffer *buffer);
/* A buffer whose pages are bound later, if at all. */
VkResult buffer_create_sparse(struct gpu *gpu, VkDeviceSize size, struct buffer *buffer);
void buffer_destroy(struct gpu *gpu, struct buffer *buffer);
VkResult memory_create(struct gpu *gpu, VkDeviceSize size, VkDeviceMemory *memory);
/* Each word is another one, which depends on the tag. Only of buffers that are mapped. */
void buffer_fill(const struct buffer *buffer, uint32_t tag);
/* False if any byte is another one. */
bool buffer_holds(const struct buffer *buffer, VkDeviceSize size, uint32_t tag);
bool buffer_is(const struct buffer *buffer, VkDeviceSize offset, VkDeviceSize size, uint32_t word);

/* job.c */
/* Commands of the next job; waits if too many jobs are under way. NULL if that failed. */
VkCommandBuffer job_begin(struct gpu *gpu);
/* What was written before the CPU reads, or commands behind this. */
void job_barrier(VkCommandBuffer commands);
VkResult job_submit(struct gpu *gpu);
/* The same, when @wait has @value, if it is a semaphore. */
VkResult job_submit_after(struct gpu *gpu, VkSemaphore wait, uint64_t value);
bool job_done(struct gpu *gpu, uint64_t number);
VkResult job_wait(struct gpu *gpu, uint64_t number);
/* One that copies the first bytes. */
VkResult job_copy(struct gpu *gpu, const struct buffer *from, const struct buffer *to,
		  VkDeviceSize size);
VkResult job_copy_from(struct gpu *gpu, const struct buffer *from, VkDeviceSize offset,
		       const struct buffer *to, VkDeviceSize size);
VkResult job_fill(struct gpu *gpu, const struct buffer *to, uint32_t word);
/* Pages of a sparse buffer are bound, or to nothing: after the last job, before the next one. */
VkResult job_bind(struct gpu *gpu, const struct buffer *sparse, VkDeviceSize offset,
		  VkDeviceSize size, VkDeviceMemory memory);

#endif
