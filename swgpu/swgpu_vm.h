/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_VM_H_
#define _SWGPU_VM_H_

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_gem.h>

#include "swgpu_drv.h"

/**
 * struct swgpu_vm - an address space with private buffers
 */
struct swgpu_vm {
	/**
	 * @base: its reservation object and its reference count: one for the file,
	 * one for each private buffer. Nobody has a handle of it.
	 */
	struct drm_gem_object base;
	/** @sfile: whose it is; only to compare, as it may be gone; constant */
	struct swgpu_file *sfile;
	/** @group: the private buffers that are bound; constant */
	struct ttm_bo_group *group;
	/** @lock: protects @bos and @nr_bos */
	struct mutex lock;
	/** @bos: &swgpu_bo.vm_entry of all private buffers, bound or not */
	struct list_head bos;
	/** @nr_bos: how many there are */
	u32 nr_bos;
};

struct swgpu_vm *swgpu_vm_lookup(struct swgpu_file *sfile, u32 id);
struct swgpu_vm *swgpu_vm_get(struct swgpu_vm *vm);
void swgpu_vm_put(struct swgpu_vm *vm);

void swgpu_vm_add(struct swgpu_bo *bo);
void swgpu_vm_remove(struct swgpu_bo *bo);
int swgpu_vm_get_bos(struct swgpu_vm *vm, struct swgpu_bo ***bos, u32 *nr_bos);

#endif
