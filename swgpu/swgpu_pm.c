// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/pm.h>
#include <linux/wait_bit.h>

#include <drm/drm_device.h>

#include "swgpu_channel.h"

/**
 * DOC: suspend
 *
 * VRAM does not keep its contents, so all buffers leave it, and all jobs must have
 * ended. What does not become idle in time, because a channel has hung, makes suspend
 * fail: then every buffer has its contents, where it was or in GTT. To be able to tell,
 * a successful suspend overwrites all of VRAM. The CPU copies meanwhile, in either copy
 * mode: it needs no room in GTT on the way to system memory, and does not hang.
 *
 * The kernel freezes user space before it suspends a device. A write to the file
 * "suspend" in debugfs suspends and resumes just this device, and returns the error.
 * Requests for memory wait meanwhile, or emptying VRAM would have no end; those that
 * were under way may make the suspend fail.
 */

/* How long jobs may take to end. */
#define IDLE_TIMEOUT (5 * HZ)

static bool is_idle(struct swgpu_channel *channel)
{
	/* Pairs with the release in swgpu_fence_complete(). */
	return smp_load_acquire(&channel->completed) ==
	       READ_ONCE(channel->emitted);
}

static int wait_idle(struct swgpu_channel *channel, unsigned long deadline)
{
	long left = max_t(long, deadline - jiffies, 0);

	wait_event_timeout(channel->done, is_idle(channel), left);
	return is_idle(channel) ? 0 : -EBUSY;
}

static int wait_copies(struct swgpu_device *sdev)
{
	unsigned long deadline = jiffies + IDLE_TIMEOUT;
	int i, ret = 0;

	for (i = 0; !ret && i < SWGPU_COPY_CHANNELS && sdev->copy[i]; i++)
		ret = wait_idle(sdev->copy[i], deadline);
	return ret;
}

static int wait_channels(struct swgpu_device *sdev)
{
	unsigned long deadline = jiffies + IDLE_TIMEOUT;
	struct swgpu_channel *channel;
	int ret = 0;

	mutex_lock(&sdev->channels_lock);
	list_for_each_entry(channel, &sdev->channels, entry) {
		ret = wait_idle(channel, deadline);
		if (ret)
			break;
	}
	mutex_unlock(&sdev->channels_lock);
	return ret;
}

/*
 * TTM waits for the last copy out of VRAM without a limit: so that it ends, nothing is
 * evicted while a copy hangs.
 */
static int empty_vram(struct swgpu_device *sdev)
{
	int ret = wait_copies(sdev);

	if (!ret)
		ret = ttm_resource_manager_evict_all(&sdev->ttm,
						     &sdev->vram.manager);
	return ret ?: wait_channels(sdev);
}

static void vram_resume(struct swgpu_device *sdev)
{
	WRITE_ONCE(sdev->suspending, false);
	wake_up_var(&sdev->suspending);
}

/* Returns 0 or -ERESTARTSYS. */
int swgpu_wait_resumed(struct swgpu_device *sdev)
{
	return wait_var_event_interruptible(&sdev->suspending,
					    !READ_ONCE(sdev->suspending));
}

static int vram_suspend(struct swgpu_device *sdev)
{
	int ret;

	WRITE_ONCE(sdev->suspending, true);
	ret = empty_vram(sdev);
	if (!ret)
		ret = swgpu_vram_lose(&sdev->vram);
	if (ret)
		vram_resume(sdev);
	return ret;
}

static int suspend(struct device *dev)
{
	return vram_suspend(dev_get_drvdata(dev));
}

static int resume(struct device *dev)
{
	vram_resume(dev_get_drvdata(dev));
	return 0;
}

DEFINE_SIMPLE_DEV_PM_OPS(swgpu_pm_ops, suspend, resume);

static ssize_t suspend_write(struct file *file, const char __user *data,
			     size_t size, loff_t *pos)
{
	struct swgpu_device *sdev = file_inode(file)->i_private;
	int ret;

	mutex_lock(&sdev->suspend_lock);
	ret = vram_suspend(sdev);
	if (!ret)
		vram_resume(sdev);
	mutex_unlock(&sdev->suspend_lock);
	return ret ? ret : size;
}

static const struct file_operations suspend_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = suspend_write,
	.llseek = noop_llseek,
};

void swgpu_pm_debugfs_init(struct swgpu_device *sdev, struct dentry *root)
{
	debugfs_create_file("suspend", 0200, root, sdev, &suspend_fops);
}
