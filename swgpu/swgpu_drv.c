// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "swgpu_drv.h"

/**
 * DOC: overview
 *
 * swgpu is a GPU without hardware: VRAM is ordinary memory, GTT is real, and
 * threads play the channels' engines. To TTM it is a driver like any other, so
 * whatever TTM does for a GPU under load can be run, measured and checked
 * anywhere. One module has both of TTM's ways to delete a busy buffer:
 * delayed delete by work items and the fence-ordered LRU.
 */

static int open(struct drm_device *drm, struct drm_file *file)
{
	struct swgpu_file *sfile = kzalloc_obj(*sfile, GFP_KERNEL_ACCOUNT);

	if (!sfile)
		return -ENOMEM;
	ttm_device_trim(&to_swgpu(drm)->ttm);
	sfile->sdev = to_swgpu(drm);
	xa_init_flags(&sfile->channels, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&sfile->vms, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->driver_priv = sfile;
	return 0;
}

/* Nobody asks anything of the file any more; its channels and buffers are gone. */
static void postclose(struct drm_device *drm, struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;

	swgpu_vms_destroy(sfile);
	kfree(sfile);
}

static void debugfs_init(struct drm_minor *minor)
{
	struct swgpu_device *sdev = to_swgpu(minor->dev);

	ttm_resource_manager_create_debugfs(ttm_manager_type(&sdev->ttm,
							     TTM_PL_VRAM),
					    minor->debugfs_root, "vram_mm");
	ttm_resource_manager_create_debugfs(ttm_manager_type(&sdev->ttm,
							     TTM_PL_TT),
					    minor->debugfs_root, "gtt_mm");
	ttm_device_create_debugfs(&sdev->ttm, minor->debugfs_root);
	swgpu_pm_debugfs_init(sdev, minor->debugfs_root);
}

static const struct drm_ioctl_desc ioctls[] = {
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_CREATE, swgpu_gem_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_MAP, swgpu_gem_map_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_GEM_WAIT, swgpu_gem_wait_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_CHANNEL_CREATE, swgpu_channel_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_CHANNEL_DESTROY, swgpu_channel_destroy_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_SUBMIT, swgpu_submit_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_FAULT, swgpu_fault_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_STATS, swgpu_stats_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_DRAIN, swgpu_drain_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_VM_CREATE, swgpu_vm_create_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_VM_DESTROY, swgpu_vm_destroy_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_VM_BIND, swgpu_vm_bind_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(SWGPU_PLAY, swgpu_play_ioctl, DRM_RENDER_ALLOW),
};

/*
 * No reservation is held on the way in and on the way out: the places to let go of dead
 * imports.
 */
void swgpu_ioctl_begin(struct drm_device *drm)
{
	ttm_device_trim(&to_swgpu(drm)->ttm);
}

void swgpu_ioctl_end(struct drm_device *drm)
{
	ttm_device_trim(&to_swgpu(drm)->ttm);
	swgpu_cost_pay_operations(to_swgpu(drm));
}

/* All ioctls, also those that are not ours, as to close a handle. */
static long swgpu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct drm_file *file = filp->private_data;
	long ret;

	swgpu_ioctl_begin(file->minor->dev);
	ret = drm_ioctl(filp, cmd, arg);
	swgpu_ioctl_end(file->minor->dev);
	return ret;
}

/*
 * The channels end first. To release the buffers, GEM takes a lock that another client may
 * hold while it waits for their jobs.
 */
static int release(struct inode *inode, struct file *filp)
{
	struct drm_file *file = filp->private_data;

	swgpu_channels_destroy(file->driver_priv);
	return drm_release(inode, filp);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = release,
	.unlocked_ioctl = swgpu_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

const struct drm_driver swgpu_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.name = "swgpu",
	.desc = "software GPU on TTM",
#ifdef DRIVERS_HAVE_A_DATE
	.date = "20260101",
#endif
	.major = 1,
	.minor = 0,
	.fops = &fops,
	.open = open,
	.postclose = postclose,
	.prime_fd_to_handle = swgpu_prime_fd_to_handle,
	.gem_prime_import = swgpu_prime_import,
	.gem_prime_import_sg_table = swgpu_prime_import_sg_table,
	.show_fdinfo = swgpu_show_fdinfo,
	.debugfs_init = debugfs_init,
	.ioctls = ioctls,
	.num_ioctls = ARRAY_SIZE(ioctls),
};
