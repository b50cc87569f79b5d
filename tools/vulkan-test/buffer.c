// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers, each with memory of its own; and what is in them. */
#include <string.h>
#include <unistd.h>

#include "vk.h"

static VkResult create(struct gpu *gpu, VkDeviceSize size, VkBufferCreateFlags flags,
		       const void *next, struct buffer *buffer)
{
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = next,
		.flags = flags,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};

	*buffer = (struct buffer){ .size = size };
	return vkCreateBuffer(gpu->device, &info, NULL, &buffer->buffer);
}

static VkResult allocate(struct gpu *gpu, VkDeviceSize size, enum kind kind, const void *next,
			 VkDeviceMemory *memory)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = next,
		.allocationSize = size,
		.memoryTypeIndex = gpu->types[kind],
	};

	return vkAllocateMemory(gpu->device, &info, NULL, memory);
}

/* Gives it memory, and maps that if it can be. */
static VkResult back(struct gpu *gpu, enum kind kind, const void *next, struct buffer *buffer)
{
	VkResult result = allocate(gpu, buffer->size, kind, next, &buffer->memory);

	if (result == VK_SUCCESS)
		result = vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0);
	if (result == VK_SUCCESS && kind != LOCAL)
		result = vkMapMemory(gpu->device, buffer->memory, 0, buffer->size, 0,
				     (void **)&buffer->map);
	if (result != VK_SUCCESS)
		buffer_destroy(gpu, buffer);
	return result;
}

VkResult buffer_create(struct gpu *gpu, VkDeviceSize size, enum kind kind, struct buffer *buffer)
{
	VkResult result = create(gpu, size, 0, NULL, buffer);

	return result == VK_SUCCESS ? back(gpu, kind, NULL, buffer) : result;
}

VkResult buffer_create_sparse(struct gpu *gpu, VkDeviceSize size, struct buffer *buffer)
{
	return create(gpu, size, VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
		      VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT, NULL, buffer);
}

VkResult memory_create(struct gpu *gpu, VkDeviceSize size, VkDeviceMemory *memory)
{
	return allocate(gpu, size, LOCAL, NULL, memory);
}

static const VkExternalMemoryBufferCreateInfo shared = {
	.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
	.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
};

VkResult buffer_create_shared(struct gpu *gpu, VkDeviceSize size, struct buffer *buffer)
{
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	VkResult result = create(gpu, size, 0, &shared, buffer);

	return result == VK_SUCCESS ? back(gpu, LOCAL, &export, buffer) : result;
}

int buffer_export(struct gpu *gpu, const struct buffer *buffer)
{
	const VkMemoryGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.memory = buffer->memory,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	PFN_vkGetMemoryFdKHR get = (PFN_vkGetMemoryFdKHR)
		vkGetDeviceProcAddr(gpu->device, "vkGetMemoryFdKHR");
	int fd;

	return get(gpu->device, &info, &fd) == VK_SUCCESS ? fd : -1;
}

VkResult buffer_import(struct gpu *gpu, int dma_buf, VkDeviceSize size, struct buffer *buffer)
{
	const VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
		.fd = dma_buf,
	};
	VkResult result = create(gpu, size, 0, &shared, buffer);

	return result == VK_SUCCESS ? back(gpu, LOCAL, &import, buffer) : result;
}

void buffer_destroy(struct gpu *gpu, struct buffer *buffer)
{
	vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
	vkFreeMemory(gpu->device, buffer->memory, NULL);
	*buffer = (struct buffer){};
}

static uint32_t word_of(uint32_t tag, uint32_t index)
{
	return tag * 0x9e3779b1 + index;
}

void buffer_fill(const struct buffer *buffer, uint32_t tag)
{
	uint32_t i;

	for (i = 0; i < buffer->size / 4; i++)
		buffer->map[i] = word_of(tag, i);
}

bool buffer_holds(const struct buffer *buffer, VkDeviceSize size, uint32_t tag)
{
	uint32_t i;

	for (i = 0; i < size / 4; i++)
		if (buffer->map[i] != word_of(tag, i))
			return false;
	return true;
}

bool buffer_is(const struct buffer *buffer, VkDeviceSize offset, VkDeviceSize size, uint32_t word)
{
	VkDeviceSize i;

	for (i = offset / 4; i < (offset + size) / 4; i++)
		if (buffer->map[i] != word)
			return false;
	return true;
}
