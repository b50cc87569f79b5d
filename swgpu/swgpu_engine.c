// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "swgpu_channel.h"
#include "swgpu_trace.h"

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
		kvzalloc(struct_size(job, bos, nr_bos), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	job->nr_bos = nr_bos;
	xa_init_flags(&job->deps, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	job->fence = swgpu_fence_alloc();
	if (!job->fence) {
		swgpu_job_free(job);
		return NULL;
	}
	return job;
}

/* True also if the channel is dead: then nothing is to be waited for. */
static bool try_place(struct swgpu_channel *channel, bool *placed)
{
	spin_lock(&channel->lock);
	*placed = channel->queued < SWGPU_MAX_QUEUED_JOBS;
	channel->queued += *placed;
	spin_unlock(&channel->lock);
	return *placed || READ_ONCE(channel->killed);
}

/**
 * swgpu_job_get_place - take one of the places that a channel has for jobs
 * @job: keeps it until it is freed
 * @channel: where it is going to be queued
 * @wait: for a place, if all are taken
 *
 * Context: nothing is locked: a channel that hangs has no place for long.
 *
 * Return: 0, or -EAGAIN if there is none, -ERESTARTSYS, -ENODEV if the channel is dead.
 */
int swgpu_job_get_place(struct swgpu_job *job, struct swgpu_channel *channel,
			bool wait)
{
	bool placed;
	int ret;

	if (!try_place(channel, &placed)) {
		if (!wait)
			return -EAGAIN;
		ret = wait_event_interruptible(channel->done,
					       try_place(channel, &placed));
		if (ret)
			return ret;
	}
	if (!placed)
		return -ENODEV;
	kref_get(&channel->kref);
	job->place_on = channel;
	return 0;
}

static void put_place(struct swgpu_job *job)
{
	struct swgpu_channel *channel = job->place_on;
	bool was_full;

	if (!channel)
		return;
	spin_lock(&channel->lock);
	was_full = channel->queued-- == SWGPU_MAX_QUEUED_JOBS;
	spin_unlock(&channel->lock);
	if (was_full)
		wake_up_all(&channel->done);
	swgpu_channel_put(channel);
}

/**
 * swgpu_job_add_dep - let a job wait for a fence
 * @job: not yet queued
 * @channel: where it will be queued; its own jobs come in order anyway
 * @fence: the fence
 *
 * Return: 0, or -ENOMEM.
 */
int swgpu_job_add_dep(struct swgpu_job *job, struct swgpu_channel *channel,
		      struct dma_fence *fence)
{
	struct dma_fence *other;
	unsigned long index;
	u32 id;
	int ret;

	if (fence->context == channel->context || dma_fence_is_signaled(fence))
		return 0;
	xa_for_each(&job->deps, index, other) {
		if (other->context != fence->context)
			continue;
		if (dma_fence_is_later(fence, other)) {
			xa_store(&job->deps, index, dma_fence_get(fence),
				 GFP_KERNEL);
			dma_fence_put(other);
		}
		return 0;
	}
	ret = xa_alloc(&job->deps, &id, fence, xa_limit_32b, GFP_KERNEL);
	if (!ret)
		dma_fence_get(fence);
	return ret;
}

/**
 * swgpu_job_number - give a job its place on its channel
 * @job: to be queued before the lock is dropped
 * @channel: where, @channel.emit held
 */
void swgpu_job_number(struct swgpu_job *job, struct swgpu_channel *channel)
{
	/* Devices share buffers, so a job's id is unique among all. */
	static atomic64_t last_job;

	lockdep_assert_held(&channel->emit);

	job->id = atomic64_inc_return(&last_job);
	job->submitted = swgpu_now();
	swgpu_fence_init(job->fence, channel, ++channel->emitted);
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
	put_place(job);
	swgpu_fence_free(job->fence);
	kvfree(job->copy);
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
	swgpu_reset_watch_locked(channel);
	spin_unlock(&channel->lock);
	wake_up(&channel->wait);
}

static struct swgpu_job *next_job(struct swgpu_channel *channel)
{
	struct swgpu_job *job = NULL;

	spin_lock(&channel->lock);
	if (!channel->hung)
		job = list_first_entry_or_null(&channel->jobs, struct swgpu_job,
					       entry);
	spin_unlock(&channel->lock);
	return job;
}

/* False if the channel has hung while the job waited for others. */
static bool begin_job(struct swgpu_channel *channel, struct swgpu_job *job,
		      ktime_t *resumed)
{
	spin_lock(&channel->lock);
	job->begun = !channel->hung;
	*resumed = channel->resumed;
	spin_unlock(&channel->lock);
	return job->begun;
}

static void pop_job(struct swgpu_channel *channel, struct swgpu_job *job)
{
	spin_lock(&channel->lock);
	list_del(&job->entry);
	swgpu_reset_watch_locked(channel);
	spin_unlock(&channel->lock);
}

/* By looking at the other's sequence number */
static ktime_t wait_for_engine(struct swgpu_fence *fence)
{
	wait_event_idle(fence->channel->done,
			swgpu_fence_completed(fence) || kthread_should_stop());
	return kthread_should_stop() ? 0 : fence->end;
}

struct foreign_wait {
	struct dma_fence_cb cb;
	struct wait_queue_head *wait;
};

static void foreign_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	wake_up(container_of(cb, struct foreign_wait, cb)->wait);
}

static bool signaled_or_stop(struct dma_fence *fence)
{
	return dma_fence_is_signaled(fence) || kthread_should_stop();
}

/* Of what is no engine of ours we are told, by an interrupt. */
static ktime_t wait_for_foreign(struct swgpu_channel *channel,
				struct dma_fence *fence)
{
	struct foreign_wait w = { .wait = &channel->wait };

	if (!dma_fence_add_callback(fence, &w.cb, foreign_signaled)) {
		wait_event_idle(channel->wait, signaled_or_stop(fence));
		dma_fence_remove_callback(fence, &w.cb);
	}
	return swgpu_now();
}

/* When the last of the job's dependencies ended; waits for them. */
static ktime_t wait_deps(struct swgpu_channel *channel, struct swgpu_job *job)
{
	struct swgpu_fence *fence;
	struct dma_fence *dep;
	unsigned long index;
	ktime_t end = 0;

	xa_for_each(&job->deps, index, dep) {
		fence = to_swgpu_fence(dep);
		end = max(end, fence ? wait_for_engine(fence) :
				       wait_for_foreign(channel, dep));
		if (kthread_should_stop())
			break;
	}
	return end;
}

static void sleep_until(ktime_t end)
{
	while (ktime_before(swgpu_now(), end)) {
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

		if (!bo->tag)
			continue;
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

static void touch_copy(struct swgpu_device *sdev, struct swgpu_job *job)
{
	if (!swgpu_copy_run(job))
		report_tag(sdev, job, job->bos[0].tag);
	swgpu_count_add(sdev, SWGPU_COUNT_COPIES, 1);
}

/* False if the job must not touch its memory. */
static bool begin_touching(struct swgpu_channel *channel, struct swgpu_job *job)
{
	spin_lock(&channel->lock);
	job->touching = !job->dropped;
	spin_unlock(&channel->lock);
	return job->touching;
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
	if (begin_touching(channel, job)) {
		if (job->copy)
			touch_copy(channel->sdev, job);
		else
			touch(channel->sdev, job);
	}
	channel->free_at = end;
	if (channel->busy_ns)
		atomic64_add(job->duration_ns, channel->busy_ns);
	job->fence->end = end;
	trace_swgpu_job(job, start);
	pop_job(channel, job);
	swgpu_fence_complete(job->fence);
	dma_fence_end_signalling(cookie);
	return true;
}

static bool next_or_stop(struct swgpu_channel *channel, struct swgpu_job **job)
{
	*job = next_job(channel);
	return *job || kthread_should_stop();
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
		wait_event_idle(channel->wait, next_or_stop(channel, &job));
		if (!job)
			break;
		start = wait_deps(channel, job);
		if (!begin_job(channel, job, &resumed))
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
 * @error: of the first job; the others get -ECANCELED
 */
void swgpu_engine_cancel(struct swgpu_channel *channel, int error)
{
	struct swgpu_job *job, *next;
	bool cookie;

	lockdep_assert_held(&channel->emit);

	/* No job is pushed any more, and nobody else takes any. */
	list_for_each_entry_safe(job, next, &channel->jobs, entry) {
		cookie = dma_fence_begin_signalling();
		pop_job(channel, job);
		if (job->copy)
			WRITE_ONCE(job->bos[0].tag->lost, true);
		job->fence->end = swgpu_now();
		dma_fence_set_error(&job->fence->base, error);
		error = -ECANCELED;
		swgpu_fence_complete(job->fence);
		dma_fence_signal(&job->fence->base);
		dma_fence_end_signalling(cookie);
		swgpu_job_free(job);
	}
}

static struct swgpu_job *find_job(struct swgpu_channel *channel,
				  struct dma_fence *fence)
{
	struct swgpu_job *job;

	list_for_each_entry_reverse(job, &channel->jobs, entry) {
		if (&job->fence->base == fence)
			return job;
	}
	return NULL;
}

/**
 * swgpu_engine_drop - take its memory away from a job
 * @base: fence of the job
 *
 * The fence signals in its turn, which may be never. On return the job does not use its
 * memory any more. This waits at most for as long as the engine takes to touch it.
 */
void swgpu_engine_drop(struct dma_fence *base)
{
	struct swgpu_fence *fence = to_swgpu_fence(base);
	struct swgpu_channel *channel = fence->channel;
	bool touching = false;
	struct swgpu_job *job;

	spin_lock(&channel->lock);
	job = find_job(channel, base);
	if (job) {
		touching = job->touching;
		job->dropped = !touching;
	}
	spin_unlock(&channel->lock);
	if (touching)
		wait_event(channel->done, swgpu_fence_completed(fence));
}
