// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Semaphores that count, of one device or of several. */
#include <unistd.h>

#include "vk.h"

VkResult timeline_create(struct gpu *gpu, VkSemaphore *timeline)
{
	const VkExportSemaphoreCreateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT,
	};
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.pNext = &export,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &type,
	};

	return vkCreateSemaphore(gpu->device, &info, NULL, timeline);
}

/* A file descriptor, or negative. */
static int export(struct gpu *gpu, VkSemaphore timeline)
{
	const VkSemaphoreGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
		.semaphore = timeline,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT,
	};
	PFN_vkGetSemaphoreFdKHR get = (PFN_vkGetSemaphoreFdKHR)
		vkGetDeviceProcAddr(gpu->device, "vkGetSemaphoreFdKHR");
	int fd;

	return get(gpu->device, &info, &fd) == VK_SUCCESS ? fd : -1;
}

VkResult timeline_share(struct gpu *from, struct gpu *to, VkSemaphore *timeline)
{
	VkImportSemaphoreFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT,
		.fd = export(from, from->timeline),
	};
	PFN_vkImportSemaphoreFdKHR import = (PFN_vkImportSemaphoreFdKHR)
		vkGetDeviceProcAddr(to->device, "vkImportSemaphoreFdKHR");
	VkResult result = timeline_create(to, timeline);

	if (result != VK_SUCCESS) {
		close(info.fd);
		return result;
	}
	info.semaphore = *timeline;
	/* What is imported is Vulkan's to close. */
	result = import(to->device, &info);
	if (result != VK_SUCCESS) {
		close(info.fd);
		vkDestroySemaphore(to->device, *timeline, NULL);
	}
	return result;
}
