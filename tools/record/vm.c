// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A client with an address space of its own: what is bound in it, jobs, and what it waits for.
 * Syncobjs are not written down, but the jobs that they stand for.
 */
#include "record.h"

#include <errno.h>
#include <stdlib.h>

#include <nouveau_drm.h>

typedef unsigned long long u64;

/* Of the last EXEC. */
static uint64_t execs;

/* Jobs and syncobjs are a parent's. */
void vm_forget(void)
{
	execs = 0;
	sync_forget_all();
}

static uint64_t value_of(const struct drm_nouveau_sync *sync)
{
	bool timeline = (sync->flags & DRM_NOUVEAU_SYNC_TYPE_MASK) ==
			DRM_NOUVEAU_SYNC_TIMELINE_SYNCOBJ;

	return timeline ? sync->timeline_value : 0;
}

/* The EXECs that it waits for, at the end of the line. Returns the last one. */
static uint64_t log_after(uint64_t syncs, uint32_t nr)
{
	const struct drm_nouveau_sync *sync = (void *)(uintptr_t)syncs;
	uint64_t last = 0;

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t seq = sync_seq(sync[i].handle, value_of(&sync[i]));

		log_line(" %llu", (u64)seq);
		if (last < seq)
			last = seq;
	}
	log_line("\n");
	return last;
}

static void give(uint64_t syncs, uint32_t nr, uint64_t seq)
{
	const struct drm_nouveau_sync *sync = (void *)(uintptr_t)syncs;

	for (uint32_t i = 0; i < nr; i++)
		sync_give(sync[i].handle, value_of(&sync[i]), seq);
}

void vm_log_init(int fd, uint64_t ns)
{
	log_line("%llu vm %d\n", (u64)ns, fd);
}

/* What it gives is there when what it waits for is. */
void vm_log_bind(int fd, const struct drm_nouveau_vm_bind *bind, uint64_t ns, int tid)
{
	const struct drm_nouveau_vm_bind_op *op = (void *)(uintptr_t)bind->op_ptr;

	log_line("%llu vmbind %d %u %u %d", (u64)ns, fd, bind->op_count, bind->wait_count, tid);
	for (uint32_t i = 0; i < bind->op_count; i++, op++)
		log_line(" %u:%x:%u:%llx:%llx:%llx", op->op, op->flags, op->handle,
			 (u64)op->bo_offset, (u64)op->addr, (u64)op->range);
	give(bind->sig_ptr, bind->sig_count, log_after(bind->wait_ptr, bind->wait_count));
}

void vm_log_exec(int fd, const struct drm_nouveau_exec *exec, uint64_t ns, int tid)
{
	const struct drm_nouveau_exec_push *push = (void *)(uintptr_t)exec->push_ptr;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < exec->push_count; i++)
		bytes += push[i].va_len;
	log_line("%llu exec %d %u %llu %u %llu %u %d", (u64)ns, fd, exec->channel, (u64)++execs,
		 exec->push_count, (u64)bytes, exec->wait_count, tid);
	log_after(exec->wait_ptr, exec->wait_count);
	give(exec->sig_ptr, exec->sig_count, execs);
}

/* The last EXEC of those that are waited for; points are NULL for syncobjs without. */
static uint64_t waited_for(uint64_t handles, uint64_t points, uint32_t nr)
{
	const uint32_t *handle = (void *)(uintptr_t)handles;
	const uint64_t *point = (void *)(uintptr_t)points;
	uint64_t last = 0;

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t seq = sync_seq(handle[i], point ? point[i] : 0);

		if (last < seq)
			last = seq;
	}
	return last;
}

/* Others may go on meanwhile: what is waited for may still be to come. */
int vm_wait(int fd, unsigned long request, void *arg, uint64_t ns, int tid)
{
	/* The other one begins likewise, but has no points. */
	struct drm_syncobj_timeline_wait *timeline = arg;
	struct drm_syncobj_wait *plain = arg;
	bool points = request == DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT;
	int ret, error;
	uint64_t seq;

	record_unlock();
	ret = real.ioctl(fd, request, arg);
	error = ret ? errno : 0;
	record_lock();
	seq = points ? waited_for(timeline->handles, timeline->points, timeline->count_handles) :
		       waited_for(plain->handles, 0, plain->count_handles);
	log_line("%llu wait %d %llu %llu %d %d\n", (u64)ns, fd, (u64)seq, (u64)(now_ns() - ns),
		 error, tid);
	errno = error;
	return ret;
}

static void give_all(const struct drm_syncobj_timeline_array *array, bool timeline)
{
	const uint32_t *handle = (void *)(uintptr_t)array->handles;
	const uint64_t *point = (void *)(uintptr_t)array->points;

	for (uint32_t i = 0; i < array->count_handles; i++)
		sync_give(handle[i], timeline ? point[i] : 0, 0);
}

/* What becomes of syncobjs without a job. */
void vm_note_sync(unsigned long request, const void *arg)
{
	const struct drm_syncobj_transfer *transfer = arg;
	const struct drm_syncobj_array *plain = arg;
	struct drm_syncobj_timeline_array array = { 0 };

	switch (request) {
	case DRM_IOCTL_SYNCOBJ_CREATE:
	case DRM_IOCTL_SYNCOBJ_DESTROY:
		sync_forget(((const struct drm_syncobj_create *)arg)->handle);
		break;
	case DRM_IOCTL_SYNCOBJ_TRANSFER:
		sync_give(transfer->dst_handle, transfer->dst_point,
			  sync_seq(transfer->src_handle, transfer->src_point));
		break;
	case DRM_IOCTL_SYNCOBJ_RESET:
	case DRM_IOCTL_SYNCOBJ_SIGNAL:
		array.handles = plain->handles;
		array.count_handles = plain->count_handles;
		give_all(&array, false);
		break;
	case DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL:
		give_all(arg, true);
		break;
	}
}
