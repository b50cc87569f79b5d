// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/workqueue.h>

#include <drm/drm_print.h>

#include "swgpu_channel.h"

/**
 * DOC: resets
 *
 * A fence must signal in bounded time, so a hang has an end: when a job could not run for
 * job_timeout_ms because its channel has hung, the channel is reset. A client's channel
 * is dead then: the job's fence signals with -ETIME, those of the jobs behind it with
 * -ECANCELED, and a submission fails with -ENODEV. The copy engine begins its job anew:
 * a job touches memory only when it ends, so nothing is lost.
 *
 * The time counts from when the job was the first of a channel that has hung. A client
 * that lets the channel go on and hang again does not start it anew, unless a job has run
 * meanwhile. Only a test can have a hang without an end, and says so.
 */

static struct swgpu_job *first_job(struct swgpu_channel *channel)
{
	return list_first_entry_or_null(&channel->jobs, struct swgpu_job,
					entry);
}

static bool must_end(struct swgpu_channel *channel)
{
	struct swgpu_job *job;

	lockdep_assert_held(&channel->lock);

	job = first_job(channel);
	return job && !job->begun && channel->hung && !channel->endless;
}

/**
 * swgpu_reset_watch_locked - let the hang of a channel have an end
 * @channel: to be called whenever a job comes or ends, or the channel hangs; @channel.lock held
 */
void swgpu_reset_watch_locked(struct swgpu_channel *channel)
{
	if (!must_end(channel) || delayed_work_pending(&channel->watchdog))
		return;
	channel->watched = first_job(channel)->fence->base.seqno;
	schedule_delayed_work(&channel->watchdog, channel->sdev->job_timeout);
}

static bool has_expired(struct swgpu_channel *channel)
{
	bool expired;

	spin_lock(&channel->lock);
	expired = must_end(channel) &&
		  first_job(channel)->fence->base.seqno == channel->watched;
	if (!expired)
		swgpu_reset_watch_locked(channel);
	spin_unlock(&channel->lock);
	return expired;
}

static bool is_copy_engine(struct swgpu_channel *channel)
{
	int i;

	for (i = 0; i < SWGPU_COPY_CHANNELS; i++) {
		if (channel->sdev->copy[i] == channel)
			return true;
	}
	return false;
}

static void bark(struct work_struct *work)
{
	struct swgpu_channel *channel =
		container_of(work, struct swgpu_channel, watchdog.work);

	if (!has_expired(channel))
		return;
	drm_notice(&channel->sdev->drm, "channel %llu: job %llu hangs: reset\n",
		   channel->context, channel->watched);
	if (is_copy_engine(channel))
		swgpu_channel_fault(channel, SWGPU_FAULT_RESUME, NULL);
	else
		swgpu_channel_kill(channel, -ETIME);
}

void swgpu_reset_init(struct swgpu_channel *channel)
{
	INIT_DELAYED_WORK(&channel->watchdog, bark);
}

/* The channel has been killed: no job comes any more. */
void swgpu_reset_fini(struct swgpu_channel *channel)
{
	cancel_delayed_work_sync(&channel->watchdog);
}
