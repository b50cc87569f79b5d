// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "swgpu_channel.h"

/**
 * DOC: engine
 *
 * A thread for each channel plays the hardware: it takes the jobs in order,
 * waits for what each depends on as hardware waits on a semaphore, that is by
 * looking at other channels' sequence numbers, sleeps for as long as the job
 * takes, and then touches the memory of the job's buffers.
 *
 * Time is modelled, so that a late wakeup does not add up: a job begins when it
 * was submitted, when the one before it ended, when the last of those it
 * depends on ended, or when the channel came out of a hang, whichever is last.
 */

struct swgpu_job *swgpu_job_create(u32 nr_bos)
{
	struct swgpu_job *job =
		kvzalloc(struct_size(job, bos, nr_bos), GFP_KERNEL);

	if (!job)
		return NULL;
	job->nr_bos = nr_bos;
	xa_init_flags(&job->deps, XA_FLAGS_ALLOC);
	job->fence = swgpu_fence_alloc();
	if (!job->fence) {
		swgpu_job_free(job);
		return NULL;
	}
	return job;
}

void swgpu_job_free(struct swgpu_job *job)
{
	struct dma_fence *dep;
	unsigned long index;
	u32 i;

	for (i = 0; i < job->nr_bos; i++)
		swgpu_tag_cell_put(job->bos[i].tag);
	xa_for_each(&job->deps, index, dep)
		dma_fence_put(dep);
	xa_destroy(&job->deps);
	swgpu_fence_free(job->fence);
	kvfree(job);
}

/**
 * swgpu_engine_push - queue a job
 * @channel: where to, @channel.emit held
 * @job: belongs to the engine from here on
 */
void swgpu_engine_push(struct swgpu_channel *channel, struct swgpu_job *job)
{
	lockdep_assert_held(&channel->emit);

	spin_lock(&channel->lock);
	list_add_tail(&job->entry, &channel->jobs);
	spin_unlock(&channel->lock);
	wake_up(&channel->wait);
}

static struct swgpu_job *next_job(struct swgpu_channel *channel,
				  ktime_t *resumed)
{
	struct swgpu_job *job = NULL;

	spin_lock(&channel->lock);
	if (!channel->hung)
		job = list_first_entry_or_null(&channel->jobs, struct swgpu_job,
					       entry);
	*resumed = channel->resumed;
	spin_unlock(&channel->lock);
	return job;
}

static void pop_job(struct swgpu_channel *channel, struct swgpu_job *job)
{
	spin_lock(&channel->lock);
	list_del(&job->entry);
	spin_unlock(&channel->lock);
}

/* When the last of the job's dependencies ended; waits for them. */
static ktime_t wait_deps(struct swgpu_job *job)
{
	struct dma_fence *dep;
	unsigned long index;
	ktime_t end = 0;

	xa_for_each(&job->deps, index, dep) {
		struct swgpu_fence *fence = to_swgpu_fence(dep);

		wait_event_idle(fence->channel->done,
				swgpu_fence_completed(fence) ||
					kthread_should_stop());
		if (kthread_should_stop())
			break;
		end = max(end, fence->end);
	}
	return end;
}

static void sleep_until(ktime_t end)
{
	while (ktime_before(ktime_get(), end)) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule_hrtimeout(&end, HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
}

static void report_tag(struct swgpu_device *sdev, struct swgpu_job *job,
		       struct swgpu_tag_cell *tag)
{
	swgpu_count_add(sdev, SWGPU_COUNT_TAG_ERRORS, 1);
	drm_err_ratelimited(&sdev->drm,
			    "tag error: job=%llu buffer=%llu written_by=%llu\n",
			    job->id, tag->bo, tag->job);
}

/* Memory that is not what it should be is left alone: it is another's. */
static void touch(struct swgpu_device *sdev, struct swgpu_job *job)
{
	u32 i;

	for (i = 0; i < job->nr_bos; i++) {
		struct swgpu_job_bo *bo = &job->bos[i];

		if (!swgpu_tag_check(&bo->place, bo->tag->bo,
				     READ_ONCE(bo->tag->job))) {
			report_tag(sdev, job, bo->tag);
			continue;
		}
		if (bo->write) {
			swgpu_tag_write(&bo->place, bo->tag->bo, job->id);
			WRITE_ONCE(bo->tag->job, job->id);
		}
	}
	swgpu_count_add(sdev, SWGPU_COUNT_JOBS, 1);
}

/* False if the job was interrupted; then it has touched nothing. */
static bool run_job(struct swgpu_channel *channel, struct swgpu_job *job,
		    ktime_t start)
{
	ktime_t end;
	bool cookie;

	start = max3(start, job->submitted, channel->free_at);
	end = ktime_add_ns(start, job->duration_ns);
	sleep_until(end);
	if (kthread_should_stop())
		return false;

	cookie = dma_fence_begin_signalling();
	touch(channel->sdev, job);
	channel->free_at = end;
	job->fence->end = end;
	pop_job(channel, job);
	swgpu_fence_complete(job->fence);
	dma_fence_end_signalling(cookie);
	return true;
}

/**
 * swgpu_engine - &kthread_create() function of a channel
 * @data: the channel
 *
 * Return: 0.
 */
int swgpu_engine(void *data)
{
	struct swgpu_channel *channel = data;
	struct swgpu_job *job;
	ktime_t start, resumed;

	while (!kthread_should_stop()) {
		wait_event_idle(channel->wait,
				(job = next_job(channel, &resumed)) ||
					kthread_should_stop());
		if (!job)
			break;
		start = wait_deps(job);
		/* It may have hung meanwhile. */
		if (next_job(channel, &resumed) != job)
			continue;
		if (run_job(channel, job, max(start, resumed)))
			swgpu_job_free(job);
		cond_resched();
	}
	return 0;
}

/**
 * swgpu_engine_cancel - end all jobs of a stopped engine with an error
 * @channel: its thread has ended
 */
void swgpu_engine_cancel(struct swgpu_channel *channel)
{
	struct swgpu_job *job, *next;
	bool cookie;

	lockdep_assert_held(&channel->emit);

	/* No job is pushed any more, and nobody else takes any. */
	list_for_each_entry_safe(job, next, &channel->jobs, entry) {
		cookie = dma_fence_begin_signalling();
		pop_job(channel, job);
		job->fence->end = ktime_get();
		dma_fence_set_error(&job->fence->base, -ECANCELED);
		swgpu_fence_complete(job->fence);
		dma_fence_signal(&job->fence->base);
		dma_fence_end_signalling(cookie);
		swgpu_job_free(job);
	}
}
