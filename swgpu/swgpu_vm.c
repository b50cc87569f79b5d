// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "swgpu_vm.h"

/**
 * DOC: address spaces
 *
 * A buffer that is created for an address space, a VM, is private to it: nobody else
 * may use it, and it cannot be exported. The private buffers of a VM share its
 * reservation object. A job that names the VM locks that once, moves those that were
 * evicted back to where they may live, uses all that are bound, and adds its fence
 * once, however many they are. It checks the tags of all of them, and replaces them
 * if it writes to the VM.
 *
 * To TTM the bound buffers are a group: on the fence-ordered LRU a &struct
 * ttm_bo_group, with delayed delete a bulk move. A buffer is bound when it is created.
 * One that is unbound leaves the group, and no later job uses it. One that is closed
 * dies as a member.
 *
 * A private buffer keeps its VM, so a VM may be destroyed before its buffers, and
 * before its jobs have ended. It cannot be named any more then. No buffer makes room
 * for another one of its own VM: what a VM binds must fit.
 *
 * Locks: the reservation, then &swgpu_vm.lock.
 */

static void free_vm(struct drm_gem_object *obj)
{
	struct swgpu_vm *vm = container_of(obj, struct swgpu_vm, base);

	ttm_bo_group_put(vm->group);
	drm_gem_object_release(obj);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

static const struct drm_gem_object_funcs vm_funcs = {
	.free = free_vm,
};

static struct swgpu_vm *create_vm(struct swgpu_file *sfile)
{
	struct swgpu_device *sdev = sfile->sdev;
	struct swgpu_vm *vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	vm->base.funcs = &vm_funcs;
	drm_gem_private_object_init(&sdev->drm, &vm->base, 0);
	vm->group = ttm_bo_group_create(&sdev->ttm, vm->base.resv);
	if (!vm->group) {
		drm_gem_object_release(&vm->base);
		kfree(vm);
		return NULL;
	}
	vm->sfile = sfile;
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->bos);
	return vm;
}

void swgpu_vm_put(struct swgpu_vm *vm)
{
	if (vm)
		drm_gem_object_put(&vm->base);
}

struct swgpu_vm *swgpu_vm_get(struct swgpu_vm *vm)
{
	if (vm)
		drm_gem_object_get(&vm->base);
	return vm;
}

/**
 * swgpu_vm_lookup - find a VM of a file
 * @sfile: the file
 * @id: as user space knows it
 *
 * Return: the VM, to be put, or NULL.
 */
struct swgpu_vm *swgpu_vm_lookup(struct swgpu_file *sfile, u32 id)
{
	struct swgpu_vm *vm;

	xa_lock(&sfile->vms);
	vm = swgpu_vm_get(xa_load(&sfile->vms, id));
	xa_unlock(&sfile->vms);
	return vm;
}

static void set_bound(struct swgpu_bo *bo, bool bound)
{
	dma_resv_assert_held(bo->vm->base.resv);

	if (bo->bound == bound)
		return;
	bo->bound = bound;
	if (bound)
		ttm_bo_group_join(bo->vm->group, &bo->tbo);
	else
		ttm_bo_group_leave(&bo->tbo);
}

/**
 * swgpu_vm_add - a new buffer is private to its VM, and bound
 * @bo: the buffer, reserved
 */
void swgpu_vm_add(struct swgpu_bo *bo)
{
	struct swgpu_vm *vm = bo->vm;

	set_bound(bo, true);
	mutex_lock(&vm->lock);
	list_add_tail(&bo->vm_entry, &vm->bos);
	vm->nr_bos++;
	mutex_unlock(&vm->lock);
}

/**
 * swgpu_vm_remove - a private buffer is closed
 * @bo: the buffer, not reserved; TTM's references may be left
 */
void swgpu_vm_remove(struct swgpu_bo *bo)
{
	struct swgpu_vm *vm = bo->vm;

	mutex_lock(&vm->lock);
	list_del(&bo->vm_entry);
	vm->nr_bos--;
	mutex_unlock(&vm->lock);
	swgpu_bo_group_forget(&bo->tbo);
}

/**
 * swgpu_vm_get_bos - the private buffers of a VM
 * @vm: the VM
 * @bos: out: an array for kvfree(), of references of GEM's; bound or not
 * @nr_bos: out: its length
 *
 * Return: 0, or -ENOMEM.
 */
int swgpu_vm_get_bos(struct swgpu_vm *vm, struct swgpu_bo ***bos, u32 *nr_bos)
{
	struct swgpu_bo *bo;
	u32 nr = 0;

	mutex_lock(&vm->lock);
	*bos = kvcalloc(vm->nr_bos, sizeof(**bos), GFP_KERNEL_ACCOUNT);
	if (*bos) {
		list_for_each_entry(bo, &vm->bos, vm_entry) {
			if (kref_get_unless_zero(&bo->tbo.base.refcount))
				(*bos)[nr++] = bo;
		}
	}
	mutex_unlock(&vm->lock);
	*nr_bos = nr;
	return *bos ? 0 : -ENOMEM;
}

/* The file is closed. Its buffers are gone, or keep their VM. */
void swgpu_vms_destroy(struct swgpu_file *sfile)
{
	struct swgpu_vm *vm;
	unsigned long id;

	xa_for_each(&sfile->vms, id, vm)
		swgpu_vm_put(vm);
	xa_destroy(&sfile->vms);
}

int swgpu_vm_create_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_swgpu_vm *args = data;
	struct swgpu_vm *vm;
	int ret;

	if (args->pad)
		return -EINVAL;

	vm = create_vm(sfile);
	if (!vm)
		return -ENOMEM;
	ret = xa_alloc(&sfile->vms, &args->vm, vm, XA_LIMIT(1, SWGPU_MAX_VMS),
		       GFP_KERNEL);
	if (ret) {
		swgpu_vm_put(vm);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	return 0;
}

int swgpu_vm_destroy_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_swgpu_vm *args = data;
	struct swgpu_vm *vm;

	if (args->pad)
		return -EINVAL;

	vm = xa_erase(&sfile->vms, args->vm);
	if (!vm)
		return -ENOENT;
	swgpu_vm_put(vm);
	return 0;
}

static int bind_private(struct swgpu_bo *bo, bool bound)
{
	int ret;

	if (!bo->vm)
		return -EINVAL;
	ret = dma_resv_lock_interruptible(bo->vm->base.resv, NULL);
	if (ret)
		return ret;
	set_bound(bo, bound);
	dma_resv_unlock(bo->vm->base.resv);
	return 0;
}

int swgpu_vm_bind_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct drm_swgpu_vm_bind *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->bind > 1)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = bind_private(gem_to_swgpu_bo(obj), args->bind);
	drm_gem_object_put(obj);
	return ret;
}
