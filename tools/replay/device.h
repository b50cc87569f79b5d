/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The software GPU's ioctls, one function each. Return: 0, or a negative errno.
 */
#ifndef REPLAY_DEVICE_H
#define REPLAY_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "swgpu_drm.h"

/*
 * Opens @node or, if that is NULL, the first render node of the driver swgpu.
 * Return: a file descriptor, or a negative errno after a message.
 */
int device_open(const char *node);

int device_create(int fd, uint64_t size, uint32_t domains, uint32_t *handle);
/* Private to a VM, and bound there. */
int device_create_private(int fd, uint32_t vm, uint64_t size, uint32_t domains, uint32_t *handle);
int device_close(int fd, uint32_t handle);
int device_channel_create(int fd, uint32_t *channel);
int device_channel_destroy(int fd, uint32_t channel);
int device_fault(int fd, uint32_t channel, uint32_t fault);
int device_submit(int fd, uint32_t channel, const struct drm_swgpu_submit_bo *bos,
		  uint32_t nr_bos, uint64_t duration_ns);

int device_vm_create(int fd, uint32_t *vm);
int device_vm_bind(int fd, uint32_t handle, bool bind);
/* It reads all that is bound in the VM as well. */
int device_submit_vm(int fd, uint32_t vm, uint32_t channel, const struct drm_swgpu_submit_bo *bos,
		     uint32_t nr_bos, uint64_t duration_ns);

/* -EBUSY when the time passed. */
int device_wait(int fd, uint32_t handle, uint32_t flags, uint64_t timeout_ns);

/* The list of steps in @play; @play->nr_done says how far it came, also if this fails. */
int device_play(int fd, struct drm_swgpu_play *play);

int device_stats(int fd, uint32_t flags, struct drm_swgpu_stats *stats);
int device_drain(int fd);

#endif
