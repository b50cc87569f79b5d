/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The buddy allocator: what it is called now, on kernels where it was part of DRM. */
#ifndef _SWGPU_BUDDY_H_
#define _SWGPU_BUDDY_H_

#include <drm/drm_buddy.h>

/* That header includes the new one, if there is one. */
#ifndef __GPU_BUDDY_H__
#define gpu_buddy drm_buddy
#define gpu_buddy_block drm_buddy_block
#define gpu_buddy_block_offset drm_buddy_block_offset
#define gpu_buddy_block_order drm_buddy_block_order
#define gpu_buddy_alloc_blocks drm_buddy_alloc_blocks
#define gpu_buddy_free_list drm_buddy_free_list
#define gpu_buddy_init drm_buddy_init
#define gpu_buddy_fini drm_buddy_fini
#define GPU_BUDDY_TOPDOWN_ALLOCATION DRM_BUDDY_TOPDOWN_ALLOCATION
#define GPU_BUDDY_RANGE_ALLOCATION DRM_BUDDY_RANGE_ALLOCATION
#endif

#endif
