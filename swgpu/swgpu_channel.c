// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "swgpu_channel.h"

static void release_channel(struct kref *kref)
{
	struct swgpu_channel *channel =
		container_of(kref, struct swgpu_channel, kref);

	mutex_destroy(&channel->emit);
	kfree_rcu(channel, rcu);
}

void swgpu_channel_put(struct swgpu_channel *channel)
{
	kref_put(&channel->kref, release_channel);
}

/**
 * swgpu_channel_lookup - find a channel of a file
 * @sfile: the file
 * @id: as user space knows it
 *
 * Return: the channel, to be put, or NULL.
 */
struct swgpu_channel *swgpu_channel_lookup(struct swgpu_file *sfile, u32 id)
{
	struct swgpu_channel *channel;

	xa_lock(&sfile->channels);
	channel = xa_load(&sfile->channels, id);
	if (channel)
		kref_get(&channel->kref);
	xa_unlock(&sfile->channels);
	return channel;
}

static int start_engine(struct swgpu_channel *channel)
{
	struct task_struct *thread;

	thread = kthread_run(swgpu_engine, channel, "swgpu/%llu",
			     channel->context);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	channel->thread = thread;
	/* No program holds up hardware. */
	if (swgpu_cost_enabled())
		sched_set_fifo(thread);
	return 0;
}

/* After an unplug nobody would kill it. */
static int enlist(struct swgpu_channel *channel)
{
	struct swgpu_device *sdev = channel->sdev;
	int ret = 0;

	mutex_lock(&sdev->channels_lock);
	if (drm_dev_is_unplugged(&sdev->drm)) {
		ret = -ENODEV;
	} else if (sdev->nr_channels == SWGPU_MAX_DEVICE_CHANNELS) {
		ret = -ENOSPC;
	} else {
		list_add_tail(&channel->entry, &sdev->channels);
		sdev->nr_channels++;
	}
	mutex_unlock(&sdev->channels_lock);
	return ret;
}

/**
 * swgpu_channel_create - make a channel and start its engine
 * @sdev: the device
 * @busy_ns: counts how long its jobs run, until it is destroyed; or NULL
 *
 * Return: the channel, or -ENOMEM, or -ENODEV if the device is gone, or -ENOSPC if it
 * has all that it can have.
 */
struct swgpu_channel *swgpu_channel_create(struct swgpu_device *sdev,
					   atomic64_t *busy_ns)
{
	struct ttm_fence_lru *lru = swgpu_fence_lru(&sdev->ttm);
	struct swgpu_channel *channel;
	int ret;

	channel = kzalloc_obj(*channel, GFP_KERNEL_ACCOUNT);
	if (!channel)
		return ERR_PTR(-ENOMEM);
	kref_init(&channel->kref);
	channel->sdev = sdev;
	channel->busy_ns = busy_ns;
	channel->context = dma_fence_context_alloc(1);
	mutex_init(&channel->emit);
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->jobs);
	init_waitqueue_head(&channel->wait);
	init_waitqueue_head(&channel->done);
	swgpu_reset_init(channel);

	if (lru) {
		ret = ttm_fence_lru_channel_register(lru, &channel->lru_channel,
						     channel->context);
		if (ret)
			goto put;
		swgpu_channel_set_lock(&channel->lru_channel, &channel->emit);
	}
	ret = start_engine(channel);
	if (ret)
		goto unregister;
	ret = enlist(channel);
	if (ret)
		goto stop;
	return channel;

stop:
	kthread_stop(channel->thread);
unregister:
	if (lru)
		ttm_fence_lru_channel_unregister(&channel->lru_channel);
put:
	swgpu_channel_put(channel);
	return ERR_PTR(ret);
}

/* The hardware stops touching memory, and takes no job any more. */
static int stop_locked(struct swgpu_channel *channel)
{
	lockdep_assert_held(&channel->emit);

	if (channel->killed)
		return -ENODEV;
	WRITE_ONCE(channel->killed, true);
	kthread_stop(channel->thread);
	return 0;
}

/* Once the hardware has stopped, anybody may learn that the jobs have ended. */
static void end_jobs_locked(struct swgpu_channel *channel, int error)
{
	lockdep_assert_held(&channel->emit);

	swgpu_engine_cancel(channel, error);
	if (swgpu_fence_lru(&channel->sdev->ttm))
		ttm_fence_lru_channel_kill(&channel->lru_channel);
	/* A task that waits for a place has no job there. */
	wake_up_all(&channel->done);
}

/**
 * swgpu_channel_kill - end all jobs of a channel, and take no more
 * @channel: the channel
 * @error: of the first job's fence, negative; those behind it get -ECANCELED
 *
 * Return: 0, or -ENODEV if it was dead.
 */
int swgpu_channel_kill(struct swgpu_channel *channel, int error)
{
	int ret;

	mutex_lock(&channel->emit);
	ret = stop_locked(channel);
	if (!ret)
		end_jobs_locked(channel, error);
	mutex_unlock(&channel->emit);
	return ret;
}

static void set_hung_locked(struct swgpu_channel *channel, u32 fault,
			    const struct swgpu_file *by)
{
	bool hung = fault != SWGPU_FAULT_RESUME;

	lockdep_assert_held(&channel->lock);

	if (channel->hung && !hung)
		channel->resumed = swgpu_now();
	channel->hung = hung;
	channel->hung_by = hung ? by : NULL;
	channel->endless = fault == SWGPU_FAULT_HANG_FOREVER;
	swgpu_reset_watch_locked(channel);
}

/**
 * swgpu_channel_fault - let a channel hang, or go on
 * @channel: the channel
 * @fault: SWGPU_FAULT_HANG, SWGPU_FAULT_HANG_FOREVER or SWGPU_FAULT_RESUME
 * @by: the file that hangs it; NULL if it goes on
 *
 * Return: 0, or -ENODEV if it is dead.
 */
int swgpu_channel_fault(struct swgpu_channel *channel, u32 fault,
			const struct swgpu_file *by)
{
	bool killed;

	mutex_lock(&channel->emit);
	killed = channel->killed;
	if (!killed) {
		spin_lock(&channel->lock);
		set_hung_locked(channel, fault, by);
		spin_unlock(&channel->lock);
		wake_up(&channel->wait);
	}
	mutex_unlock(&channel->emit);
	return killed ? -ENODEV : 0;
}

/* Unless somebody else has hung it since. */
static void end_hang(struct swgpu_channel *channel, const struct swgpu_file *by)
{
	spin_lock(&channel->lock);
	if (channel->hung_by == by)
		set_hung_locked(channel, SWGPU_FAULT_RESUME, NULL);
	spin_unlock(&channel->lock);
	wake_up(&channel->wait);
}

/**
 * swgpu_channel_destroy - end a channel
 * @channel: which nobody can look up any more; drops its first reference
 *
 * Jobs in flight end with an error.
 */
void swgpu_channel_destroy(struct swgpu_channel *channel)
{
	struct swgpu_device *sdev = channel->sdev;

	/* While it runs, an unplug has to find it. */
	swgpu_channel_kill(channel, -ECANCELED);
	mutex_lock(&sdev->channels_lock);
	list_del(&channel->entry);
	sdev->nr_channels--;
	mutex_unlock(&sdev->channels_lock);
	swgpu_reset_fini(channel);
	if (swgpu_fence_lru(&channel->sdev->ttm))
		ttm_fence_lru_channel_unregister(&channel->lru_channel);
	swgpu_channel_put(channel);
}

/* The file is going to be closed. Jobs in flight end with an error, also behind a hang. */
void swgpu_channels_destroy(struct swgpu_file *sfile)
{
	struct swgpu_channel *channel;
	unsigned long id;

	if (sfile->sdev->copy[SWGPU_COPY_OUT])
		end_hang(sfile->sdev->copy[SWGPU_COPY_OUT], sfile);
	xa_for_each(&sfile->channels, id, channel)
		swgpu_channel_destroy(channel);
	xa_destroy(&sfile->channels);
}

/*
 * The device is gone: jobs end with an error, and there are no more. All engines stop
 * before the first job ends: one that waits for a copy must not run without it.
 */
void swgpu_channels_kill(struct swgpu_device *sdev)
{
	struct swgpu_channel *channel;

	mutex_lock(&sdev->channels_lock);
	list_for_each_entry(channel, &sdev->channels, entry) {
		mutex_lock(&channel->emit);
		stop_locked(channel);
		mutex_unlock(&channel->emit);
	}
	list_for_each_entry(channel, &sdev->channels, entry) {
		mutex_lock(&channel->emit);
		end_jobs_locked(channel, -ECANCELED);
		mutex_unlock(&channel->emit);
	}
	mutex_unlock(&sdev->channels_lock);
}

int swgpu_channel_create_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_swgpu_channel *args = data;
	struct swgpu_channel *channel;
	int ret;

	if (args->pad)
		return -EINVAL;

	channel = swgpu_channel_create(to_swgpu(drm), &sfile->busy_ns);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	ret = xa_alloc(&sfile->channels, &args->channel, channel,
		       XA_LIMIT(1, SWGPU_MAX_CHANNELS), GFP_KERNEL);
	if (ret) {
		swgpu_channel_destroy(channel);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	return 0;
}

int swgpu_channel_destroy_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_swgpu_channel *args = data;
	struct swgpu_channel *channel;

	if (args->pad)
		return -EINVAL;

	channel = xa_erase(&sfile->channels, args->channel);
	if (!channel)
		return -ENOENT;
	swgpu_channel_destroy(channel);
	return 0;
}

/* Channel 0 is the one that copies out of VRAM. */
static int fault_copy(struct swgpu_file *sfile, u32 fault)
{
	struct swgpu_channel *channel = sfile->sdev->copy[SWGPU_COPY_OUT];

	if (!channel)
		return -ENOENT;
	if (fault == SWGPU_FAULT_KILL)
		return -EINVAL;
	return swgpu_channel_fault(channel, fault, sfile);
}

int swgpu_fault_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct swgpu_file *sfile = file->driver_priv;
	struct drm_swgpu_fault *args = data;
	struct swgpu_channel *channel;
	int ret;

	if (args->fault < SWGPU_FAULT_HANG ||
	    args->fault > SWGPU_FAULT_HANG_FOREVER)
		return -EINVAL;
	if (!args->channel)
		return fault_copy(sfile, args->fault);
	channel = swgpu_channel_lookup(sfile, args->channel);
	if (!channel)
		return -ENOENT;

	if (args->fault == SWGPU_FAULT_KILL)
		ret = swgpu_channel_kill(channel, -ECANCELED);
	else
		ret = swgpu_channel_fault(channel, args->fault, sfile);
	swgpu_channel_put(channel);
	return ret;
}
