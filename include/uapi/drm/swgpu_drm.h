/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * User-space interface of the software GPU.
 *
 * Buffers are GEM objects (close them with DRM_IOCTL_GEM_CLOSE). A channel
 * runs its jobs one after the other; every job checks the tags in each of its
 * buffers when it ends, and replaces those in the buffers that it writes.
 */
#ifndef _UAPI_SWGPU_DRM_H_
#define _UAPI_SWGPU_DRM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* Where a buffer may live, most wanted first: VRAM, then GTT. */
#define SWGPU_DOMAIN_VRAM	(1 << 0)
#define SWGPU_DOMAIN_GTT	(1 << 1)

/*
 * The last bytes of a buffer's first page, and those of its last page, belong
 * to the GPU: they hold the tags. All others start as zero. A client that writes to
 * a tag by the CPU makes tag errors.
 */
#define SWGPU_TAG_BYTES		16

/**
 * struct drm_swgpu_gem_create - create a buffer
 * @size: in bytes, at least 1; rounded up to whole pages
 * @domains: SWGPU_DOMAIN_*, at least one
 * @handle: out: the GEM handle
 * @vm: 0, or the VM that it is private to, and bound in
 * @pad: must be zero
 */
struct drm_swgpu_gem_create {
	__u64 size;
	__u32 domains;
	__u32 handle;
	__u32 vm;
	__u32 pad;
};

/**
 * struct drm_swgpu_gem_map - get the offset to pass to mmap()
 * @handle: the buffer
 * @pad: must be zero
 * @offset: out: for mmap() on the device's file descriptor
 */
struct drm_swgpu_gem_map {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

/**
 * struct drm_swgpu_channel - create or destroy a channel
 * @channel: out for create, in for destroy
 * @pad: must be zero
 *
 * Destroying a channel kills it: jobs that have not run yet end with -ECANCELED. A file
 * has at most 256 channels, a device 1,024; there is no more then: -ENOSPC.
 */
struct drm_swgpu_channel {
	__u32 channel;
	__u32 pad;
};

/**
 * struct drm_swgpu_vm - create or destroy a VM
 * @vm: out for create, in for destroy
 * @pad: must be zero
 *
 * Private buffers, and jobs, may outlive the VM.
 */
struct drm_swgpu_vm {
	__u32 vm;
	__u32 pad;
};

/**
 * struct drm_swgpu_vm_bind - bind a private buffer in its VM, or unbind it
 * @handle: the buffer
 * @bind: 1: the jobs of its VM use it, as they do from its creation on; 0: later
 *	jobs do not
 */
struct drm_swgpu_vm_bind {
	__u32 handle;
	__u32 bind;
};

/* The job reads or writes the buffer. Both or either, at least one. */
#define SWGPU_BO_READ		(1 << 0)
#define SWGPU_BO_WRITE		(1 << 1)

/**
 * struct drm_swgpu_submit_bo - a buffer of a job
 * @handle: the buffer; each may be named once in a job, and a private one not at all
 * @flags: SWGPU_BO_READ, SWGPU_BO_WRITE
 * @domains: SWGPU_DOMAIN_*: where it must be for this job
 * @pad: must be zero
 */
struct drm_swgpu_submit_bo {
	__u32 handle;
	__u32 flags;
	__u32 domains;
	__u32 pad;
};

#define SWGPU_MAX_SUBMIT_BOS	1024
#define SWGPU_MAX_QUEUED_JOBS	4096

/**
 * struct drm_swgpu_submit - queue a job
 * @channel: where
 * @nr_bos: entries in @bos, at most SWGPU_MAX_SUBMIT_BOS
 * @bos: user pointer to an array of struct drm_swgpu_submit_bo
 * @duration_ns: how long the job runs, at most ten seconds
 * @seqno: out: number of the job on its channel, from 1
 * @vm: 0, or the VM whose private buffers the job uses: all that are bound, where they
 *	may live according to their creation
 * @vm_flags: SWGPU_BO_READ, SWGPU_BO_WRITE: what it does to all of them; 0 without VM
 *
 * A channel has SWGPU_MAX_QUEUED_JOBS places for jobs that have not ended. If all are
 * taken, this waits; or fails with -EAGAIN, if the file is open with O_NONBLOCK. A
 * channel that is dead takes no job: -ENODEV.
 */
struct drm_swgpu_submit {
	__u32 channel;
	__u32 nr_bos;
	__u64 bos;
	__u64 duration_ns;
	__u64 seqno;
	__u32 vm;
	__u32 vm_flags;
};

/* Wait for jobs that write the buffer only (to read it); default: for all. */
#define SWGPU_WAIT_WRITERS	(1 << 0)

/**
 * struct drm_swgpu_gem_wait - wait until the GPU has done with a buffer
 * @handle: the buffer
 * @flags: SWGPU_WAIT_*
 * @timeout_ns: relative; 0 polls. -EBUSY when it passes
 */
struct drm_swgpu_gem_wait {
	__u32 handle;
	__u32 flags;
	__u64 timeout_ns;
};

/* What to do to a channel. */
#define SWGPU_FAULT_HANG	1 /* stop before the next job, until a reset ends it */
#define SWGPU_FAULT_RESUME	2 /* go on after a hang */
#define SWGPU_FAULT_KILL	3 /* end every queued job with an error, take no more */
#define SWGPU_FAULT_HANG_FOREVER	4 /* for tests: no reset ends it */

/**
 * struct drm_swgpu_fault - make a channel fail
 * @channel: which; 0: the one that copies out of VRAM, if the module runs with
 *	copy=async. That one cannot be killed, and goes on when the file that hung it
 *	last is closed.
 * @fault: SWGPU_FAULT_*
 *
 * If a job could not run for as long as the module parameter job_timeout_ms says, because
 * its channel has hung, the channel is reset: the job ends with -ETIME, those behind
 * it with -ECANCELED, and the channel takes no more, as if killed. After a reset,
 * channel 0 goes on.
 */
struct drm_swgpu_fault {
	__u32 channel;
	__u32 fault;
};

/**
 * enum drm_swgpu_freed_at - where the memory of dead buffers was released
 * @SWGPU_FREED_AT_RELEASE: by the last put itself
 * @SWGPU_FREED_AT_BACKGROUND: by a work item
 * @SWGPU_FREED_AT_RECLAIM: by an allocation that did not fit
 * @SWGPU_FREED_AT_EVICTION: by a walk of the LRU
 * @SWGPU_FREED_AT_DRAIN: by a drain or teardown
 * @SWGPU_FREED_AT_COUNT: how many there are
 */
enum drm_swgpu_freed_at {
	SWGPU_FREED_AT_RELEASE,
	SWGPU_FREED_AT_BACKGROUND,
	SWGPU_FREED_AT_RECLAIM,
	SWGPU_FREED_AT_EVICTION,
	SWGPU_FREED_AT_DRAIN,
	SWGPU_FREED_AT_COUNT,
};

/* Start counting anew after the values were read. */
#define SWGPU_STATS_RESET	(1 << 0)

/**
 * struct drm_swgpu_stats - counters since the last reset
 * @flags: SWGPU_STATS_*
 * @pad: must be zero
 * @buffers_created: by DRM_IOCTL_SWGPU_GEM_CREATE
 * @deferred_deletes: the last put found the buffer busy
 * @signaling_enabled: on a fence that had not signaled; each is an interrupt
 *	on real hardware
 * @signaling_enabled_by_delete: of those, for the sake of a dead buffer
 * @work_items: of the delayed delete, queued
 * @context_switches: of the whole machine
 * @jobs: that have run
 * @tag_errors: memory that was not what a job had to find
 * @evictions: buffers moved to make room for others
 * @evicted_bytes: their size
 * @copies: jobs of the copy engine that have run; not counted in @jobs
 * @freed_bytes_at: memory of dead buffers, by &enum drm_swgpu_freed_at
 * @allocs: how often memory was asked for, by creations and by submissions
 *	that had to move a buffer
 * @alloc_p50_ns: half of the first million of those took no longer
 * @alloc_p99_ns: 99 in 100 of the first million took no longer
 * @alloc_p999_ns: 999 in 1000 of the first million took no longer
 * @alloc_max_ns: the longest of all
 * @alloc_total_ns: all of them together
 * @peak_zombie_bytes: the most that @zombie_bytes was
 * @mean_zombie_bytes: what it was over time
 * @zombies: buffers that died busy and whose memory is not yet released
 * @zombie_bytes: their size
 * @buffers: alive or dead, all that exist
 * @vram_bytes: size of VRAM
 * @vram_used_bytes: memory in use in VRAM: @vram_held_bytes less @vram_signaled_bytes
 * @vram_held_bytes: memory of all buffers in VRAM, alive or dead
 * @vram_zombie_bytes: of that, zombies'
 * @vram_signaled_bytes: of that, of those whose fences have all signaled: a
 *	request for it gets it without waiting. With delayed delete it is not known, and 0
 * @gtt_used_bytes: the same in GTT
 * @gtt_held_bytes: the same in GTT
 * @gtt_zombie_bytes: the same in GTT
 * @gtt_signaled_bytes: the same in GTT
 * @fence_lru: 1: fence-ordered, 0: delayed delete
 *
 * All but the first two members are out. Those of the last group are snapshots
 * and are not reset; @peak_zombie_bytes starts again from the present value.
 * @work_items and @context_switches stay 0 if the module runs with measure=0.
 */
struct drm_swgpu_stats {
	__u32 flags;
	__u32 pad;

	__u64 buffers_created;
	__u64 deferred_deletes;
	__u64 signaling_enabled;
	__u64 signaling_enabled_by_delete;
	__u64 work_items;
	__u64 context_switches;
	__u64 jobs;
	__u64 tag_errors;
	__u64 evictions;
	__u64 evicted_bytes;
	__u64 copies;
	__u64 freed_bytes_at[SWGPU_FREED_AT_COUNT];
	__u64 allocs;
	__u64 alloc_p50_ns;
	__u64 alloc_p99_ns;
	__u64 alloc_p999_ns;
	__u64 alloc_max_ns;
	__u64 alloc_total_ns;
	__u64 peak_zombie_bytes;
	__u64 mean_zombie_bytes;

	__u64 zombies;
	__u64 zombie_bytes;
	__u64 buffers;
	__u64 vram_bytes;
	__u64 vram_used_bytes;
	__u64 vram_held_bytes;
	__u64 vram_zombie_bytes;
	__u64 vram_signaled_bytes;
	__u64 gtt_used_bytes;
	__u64 gtt_held_bytes;
	__u64 gtt_zombie_bytes;
	__u64 gtt_signaled_bytes;
	__u64 fence_lru;
};

/* What a step does */
#define SWGPU_STEP_PAUSE	0 /* only the pause */
#define SWGPU_STEP_CREATE	1 /* as DRM_IOCTL_SWGPU_GEM_CREATE */
#define SWGPU_STEP_CLOSE	2 /* as DRM_IOCTL_GEM_CLOSE */
#define SWGPU_STEP_SUBMIT	3 /* as DRM_IOCTL_SWGPU_SUBMIT */
#define SWGPU_STEP_WAIT		4 /* as DRM_IOCTL_SWGPU_GEM_WAIT */

/**
 * struct drm_swgpu_step - a request in a list
 * @pause_ns: sleep for so long before; short pauses are taken together
 * @value: create: bytes; submit: duration in ns; wait: timeout in ns
 * @end_ns: out: when it had ended, on CLOCK_MONOTONIC
 * @op: SWGPU_STEP_*
 * @slot: create, close, wait: of the buffer; submit: of the first entry in the list's
 *	@bos
 * @flags: create: domains; wait: flags; submit: number of entries
 * @error: out: 0, or what the request failed with, negative
 */
struct drm_swgpu_step {
	__u64 pause_ns;
	__u64 value;
	__u64 end_ns;
	__u32 op;
	__u32 slot;
	__u32 flags;
	__s32 error;
};

/**
 * struct drm_swgpu_play - do a list of requests
 * @steps: user pointer to an array of struct drm_swgpu_step
 * @slots: user pointer to an array of handles; a creation writes there
 * @bos: user pointer to an array of struct drm_swgpu_submit_bo, with slots for handles
 * @nr_steps: length of @steps
 * @nr_slots: length of @slots
 * @nr_bos: length of @bos
 * @channel: where jobs are queued
 * @nr_done: out: steps that were done
 * @pad: must be zero
 * @owed_ns: in and out: pauses that were not slept yet
 *
 * The list ends early with a step that fails, or when a signal comes; but not with a
 * job that is refused for want of memory, nor with a buffer that is only looked at, with
 * no timeout, and busy.
 */
struct drm_swgpu_play {
	__u64 steps;
	__u64 slots;
	__u64 bos;
	__u32 nr_steps;
	__u32 nr_slots;
	__u32 nr_bos;
	__u32 channel;
	__u32 nr_done;
	__u32 pad;
	__u64 owed_ns;
};

#define DRM_SWGPU_GEM_CREATE		0x00
#define DRM_SWGPU_GEM_MAP		0x01
#define DRM_SWGPU_GEM_WAIT		0x02
#define DRM_SWGPU_CHANNEL_CREATE	0x03
#define DRM_SWGPU_CHANNEL_DESTROY	0x04
#define DRM_SWGPU_SUBMIT		0x05
#define DRM_SWGPU_FAULT			0x06
#define DRM_SWGPU_STATS			0x07
#define DRM_SWGPU_DRAIN			0x08
#define DRM_SWGPU_VM_CREATE		0x09
#define DRM_SWGPU_VM_DESTROY		0x0a
#define DRM_SWGPU_VM_BIND		0x0b
#define DRM_SWGPU_PLAY			0x0c

#define DRM_IOCTL_SWGPU_GEM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_GEM_CREATE, struct drm_swgpu_gem_create)
#define DRM_IOCTL_SWGPU_GEM_MAP \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_GEM_MAP, struct drm_swgpu_gem_map)
#define DRM_IOCTL_SWGPU_GEM_WAIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SWGPU_GEM_WAIT, struct drm_swgpu_gem_wait)
#define DRM_IOCTL_SWGPU_CHANNEL_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_CHANNEL_CREATE, struct drm_swgpu_channel)
#define DRM_IOCTL_SWGPU_CHANNEL_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SWGPU_CHANNEL_DESTROY, struct drm_swgpu_channel)
#define DRM_IOCTL_SWGPU_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_SUBMIT, struct drm_swgpu_submit)
#define DRM_IOCTL_SWGPU_FAULT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SWGPU_FAULT, struct drm_swgpu_fault)
#define DRM_IOCTL_SWGPU_STATS \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_STATS, struct drm_swgpu_stats)
/* Release the memory of every dead buffer whose fences have signaled. */
#define DRM_IOCTL_SWGPU_DRAIN \
	DRM_IO(DRM_COMMAND_BASE + DRM_SWGPU_DRAIN)
#define DRM_IOCTL_SWGPU_VM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_VM_CREATE, struct drm_swgpu_vm)
#define DRM_IOCTL_SWGPU_VM_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SWGPU_VM_DESTROY, struct drm_swgpu_vm)
#define DRM_IOCTL_SWGPU_VM_BIND \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SWGPU_VM_BIND, struct drm_swgpu_vm_bind)
#define DRM_IOCTL_SWGPU_PLAY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SWGPU_PLAY, struct drm_swgpu_play)

#if defined(__cplusplus)
}
#endif

#endif
