// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The first device of Mesa's NVK, with all that jobs need. */
#include <string.h>

#include "vk.h"

static VkResult open_instance(struct gpu *gpu)
{
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_2,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};

	return vkCreateInstance(&info, NULL, &gpu->instance);
}

static bool is_nvk(VkPhysicalDevice physical)
{
	VkPhysicalDeviceVulkan12Properties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &driver,
	};

	vkGetPhysicalDeviceProperties2(physical, &properties);
	return driver.driverID == VK_DRIVER_ID_MESA_NVK;
}

static VkResult find_nvk(struct gpu *gpu)
{
	VkPhysicalDevice devices[8];
	uint32_t i, nr = ARRAY_SIZE(devices);
	VkResult result = vkEnumeratePhysicalDevices(gpu->instance, &nr, devices);

	if (result != VK_SUCCESS && result != VK_INCOMPLETE)
		return result;
	for (i = 0; i < nr; i++) {
		if (!is_nvk(devices[i]))
			continue;
		gpu->physical = devices[i];
		return VK_SUCCESS;
	}
	return VK_ERROR_INCOMPATIBLE_DRIVER;
}

/* The first type that has all of these properties, and of the others none. */
static bool find_type(struct gpu *gpu, enum kind kind, VkMemoryPropertyFlags wanted,
		      VkMemoryPropertyFlags unwanted)
{
	VkPhysicalDeviceMemoryProperties memory;
	VkMemoryPropertyFlags flags;
	uint32_t i;

	vkGetPhysicalDeviceMemoryProperties(gpu->physical, &memory);
	for (i = 0; i < memory.memoryTypeCount; i++) {
		flags = memory.memoryTypes[i].propertyFlags;
		if ((flags & wanted) != wanted || flags & unwanted)
			continue;
		gpu->types[kind] = i;
		return true;
	}
	return false;
}

static bool find_types(struct gpu *gpu)
{
	VkMemoryPropertyFlags device = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
	VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
				     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

	return find_type(gpu, LOCAL, device, host) &&
	       find_type(gpu, LOCAL_MAPPED, device | host, 0) &&
	       find_type(gpu, STAGING, host, device);
}

static VkResult open_device(struct gpu *gpu)
{
	static const char *const extensions[] = {
		VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
		VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
		VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
	};
	VkPhysicalDeviceVulkan12Features features12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = VK_TRUE,
	};
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkPhysicalDeviceFeatures features = {
		.sparseBinding = VK_TRUE,
		.sparseResidencyBuffer = VK_TRUE,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &features12,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = ARRAY_SIZE(extensions),
		.ppEnabledExtensionNames = extensions,
		.pEnabledFeatures = &features,
	};
	VkResult result = vkCreateDevice(gpu->physical, &info, NULL, &gpu->device);

	if (result == VK_SUCCESS)
		vkGetDeviceQueue(gpu->device, 0, 0, &gpu->queue);
	return result;
}

static VkResult make_commands(struct gpu *gpu)
{
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandBufferCount = NR_JOBS,
	};
	VkResult result = vkCreateCommandPool(gpu->device, &pool, NULL, &gpu->pool);

	if (result != VK_SUCCESS)
		return result;
	info.commandPool = gpu->pool;
	return vkAllocateCommandBuffers(gpu->device, &info, gpu->commands);
}

VkResult gpu_open(struct gpu *gpu)
{
	VkResult result;

	memset(gpu, 0, sizeof(*gpu));
	result = open_instance(gpu);
	if (result == VK_SUCCESS)
		result = find_nvk(gpu);
	if (result == VK_SUCCESS && !find_types(gpu))
		result = VK_ERROR_FEATURE_NOT_PRESENT;
	if (result == VK_SUCCESS)
		result = open_device(gpu);
	if (result == VK_SUCCESS)
		result = make_commands(gpu);
	if (result == VK_SUCCESS)
		result = timeline_create(gpu, &gpu->timeline);
	return result;
}

void gpu_close(struct gpu *gpu)
{
	vkDeviceWaitIdle(gpu->device);
	vkDestroySemaphore(gpu->device, gpu->timeline, NULL);
	vkDestroyCommandPool(gpu->device, gpu->pool, NULL);
	vkDestroyDevice(gpu->device, NULL);
	vkDestroyInstance(gpu->instance, NULL);
}

VkDeviceSize gpu_vram(const struct gpu *gpu)
{
	VkPhysicalDeviceMemoryProperties memory;

	vkGetPhysicalDeviceMemoryProperties(gpu->physical, &memory);
	return memory.memoryHeaps[memory.memoryTypes[gpu->types[LOCAL]].heapIndex].size;
}
