/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_CHANNEL_H_
#define _SWGPU_CHANNEL_H_

#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "swgpu_drv.h"

struct swgpu_copy;
struct task_struct;

/**
 * struct swgpu_channel - a timeline of jobs and the engine that runs them
 *
 * Fences refer to it as they would to the memory of a GPU, so it outlives its
 * file. Locks: @emit, then @lock; each is innermost of its kind.
 */
struct swgpu_channel {
	/** @kref: one for the file, one for each fence */
	struct kref kref;
	/** @rcu: fences are looked at under RCU, and with them the channel */
	struct rcu_head rcu;
	/** @sdev: the device; valid until all jobs have ended */
	struct swgpu_device *sdev;
	/** @entry: in &swgpu_device.channels; protected by its lock */
	struct list_head entry;
	/** @context: of the fences; constant */
	u64 context;
	/** @lru_channel: TTM's part; registered while the file has the channel */
	struct ttm_fence_lru_channel lru_channel;

	/** @emit: makes fences come in order; protects @emitted and @killed */
	struct mutex emit;
	/** @emitted: sequence number of the last fence */
	u64 emitted;
	/** @killed: takes no job any more */
	bool killed;

	/**
	 * @lock: protects @jobs, @queued, @hung, @hung_by, @endless, @resumed and
	 * @watched, and what the jobs say of themselves
	 */
	spinlock_t lock;
	/** @jobs: not completed, in order */
	struct list_head jobs;
	/** @queued: jobs that have a place, submitted or not; the copy engine's have none */
	unsigned int queued;
	/** @hung: do not begin another job */
	bool hung;
	/** @hung_by: the file that hung it; when that is closed, it goes on */
	const struct swgpu_file *hung_by;
	/** @endless: the hang has no end, for a test */
	bool endless;
	/** @resumed: when the channel last came out of a hang */
	ktime_t resumed;

	/** @watchdog: ends a hang */
	struct delayed_work watchdog;
	/** @watched: sequence number of the job that @watchdog was set for */
	u64 watched;

	/** @wait: where the engine waits for jobs */
	wait_queue_head_t wait;
	/** @done: where others wait for this engine */
	wait_queue_head_t done;
	/** @busy_ns: where the engine adds how long jobs ran; NULL if no client is to know */
	atomic64_t *busy_ns;
	/** @thread: the engine; constant until @killed */
	struct task_struct *thread;
	/** @free_at: modelled end of the last job; the engine's own */
	ktime_t free_at;
	/**
	 * @completed: sequence number of the last job that has ended. Written
	 * by the engine with release order after all it did to memory.
	 */
	u64 completed;
};

/**
 * struct swgpu_fence - the end of a job
 */
struct swgpu_fence {
	/** @base: DMA-buf's part */
	struct dma_fence base;
	/** @lock: @base's; it may outlive the channel */
	spinlock_t lock;
	/** @entry: in the list of all fences; protected by its lock */
	struct list_head entry;
	/** @channel: a reference */
	struct swgpu_channel *channel;
	/** @end: modelled end of the job; valid once it has completed */
	ktime_t end;
};

/**
 * struct swgpu_job_bo - a buffer of a job
 */
struct swgpu_job_bo {
	/** @tag: what the memory must hold; a reference, or NULL: leave it alone */
	struct swgpu_tag_cell *tag;
	/** @place: where the buffer was at submission */
	struct swgpu_tag_place place;
	/** @write: the job writes the buffer */
	bool write;
};

/**
 * struct swgpu_job - work for a channel
 *
 * Holds no reference to a buffer: hardware does not either.
 */
struct swgpu_job {
	/** @entry: in &swgpu_channel.jobs */
	struct list_head entry;
	/** @fence: signals when the job has ended; a reference */
	struct swgpu_fence *fence;
	/** @id: unique on all devices, what it writes into its buffers */
	u64 id;
	/** @submitted: when */
	ktime_t submitted;
	/** @duration_ns: how long it runs */
	u64 duration_ns;
	/** @deps: fences of other channels to wait for; the index means nothing */
	struct xarray deps;
	/** @place_on: the channel that it has a place on, a reference; or NULL */
	struct swgpu_channel *place_on;
	/** @copy: what it copies or clears; NULL if it is a client's job */
	struct swgpu_copy *copy;
	/** @begun: it runs, and a hang does not stop it; &swgpu_channel.lock */
	bool begun;
	/** @touching: its memory is used right now; &swgpu_channel.lock */
	bool touching;
	/** @dropped: it leaves all memory alone; &swgpu_channel.lock */
	bool dropped;
	/** @nr_bos: elements of @bos */
	u32 nr_bos;
	/** @bos: its buffers */
	struct swgpu_job_bo bos[] __counted_by(nr_bos);
};

/* swgpu_channel.c */
struct swgpu_channel *swgpu_channel_create(struct swgpu_device *sdev,
					   atomic64_t *busy_ns);
void swgpu_channel_destroy(struct swgpu_channel *channel);
struct swgpu_channel *swgpu_channel_lookup(struct swgpu_file *sfile, u32 id);
int swgpu_channel_kill(struct swgpu_channel *channel, int error);
int swgpu_channel_fault(struct swgpu_channel *channel, u32 fault,
			const struct swgpu_file *by);
void swgpu_channel_put(struct swgpu_channel *channel);

/* swgpu_copy.c */
bool swgpu_copy_run(struct swgpu_job *job);

/* swgpu_engine.c */
int swgpu_engine(void *data);
void swgpu_engine_push(struct swgpu_channel *channel, struct swgpu_job *job);
void swgpu_engine_cancel(struct swgpu_channel *channel, int error);
void swgpu_engine_drop(struct dma_fence *fence);
struct swgpu_job *swgpu_job_create(u32 nr_bos);
int swgpu_job_add_dep(struct swgpu_job *job, struct swgpu_channel *channel,
		      struct dma_fence *fence);
int swgpu_job_get_place(struct swgpu_job *job, struct swgpu_channel *channel,
			bool wait);
void swgpu_job_number(struct swgpu_job *job, struct swgpu_channel *channel);
void swgpu_job_free(struct swgpu_job *job);

/* swgpu_fence.c */
struct swgpu_fence *swgpu_fence_alloc(void);
void swgpu_fence_init(struct swgpu_fence *fence, struct swgpu_channel *channel,
		      u64 seqno);
void swgpu_fence_free(struct swgpu_fence *fence);
struct swgpu_fence *to_swgpu_fence(struct dma_fence *fence);
bool swgpu_fence_completed(struct swgpu_fence *fence);
void swgpu_fence_complete(struct swgpu_fence *fence);

/* swgpu_reset.c */
void swgpu_reset_init(struct swgpu_channel *channel);
void swgpu_reset_fini(struct swgpu_channel *channel);
void swgpu_reset_watch_locked(struct swgpu_channel *channel);

#endif
