// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the events of an address space do to the software GPU. Each costs a system call.
 */
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define MARK_BYTES	4096

bool vm_has(const struct event *e)
{
	switch ((enum op)e->op) {
	case OP_VM:
	case OP_BIND:
	case OP_EXEC:
	case OP_WAIT:
		return true;
	case OP_NEW:
		return e->flags & LIVE_PRIVATE;
	default:
		return false;
	}
}

static int run_vm(struct client *c, const struct event *e)
{
	int ret = device_vm_create(c->fd, &c->vm);

	for (int i = 0; !ret && i < NR_EXEC_MARKS; i++)
		ret = device_create(c->fd, MARK_BYTES, SWGPU_DOMAIN_GTT, &c->exec_marks[i]);
	return ret ? client_report(c, e, "VM_CREATE", ret) : 0;
}

static int run_new(struct client *c, const struct event *e)
{
	int ret = device_create_private(c->fd, c->vm, e->value, e->flags & ~LIVE_PRIVATE,
					&c->handles[e->handle]);

	if (ret)
		return client_report(c, e, "GEM_CREATE", ret);
	c->counts.creates++;
	return 0;
}

static int run_bind(struct client *c, const struct event *e)
{
	int ret = device_vm_bind(c->fd, c->handles[e->handle], e->flags);

	return ret ? client_report(c, e, "VM_BIND", ret) : 0;
}

/* In the trace it names slots, and marks by their numbers. */
static void name_bos(struct client *c, const struct event *e, struct drm_swgpu_submit_bo *bos)
{
	memcpy(bos, c->trace.bos + e->first_bo, e->nr_bos * sizeof(*bos));
	for (int i = 0; i < e->nr_bos; i++) {
		bool mark = bos[i].pad == USE_OF_MARK;

		bos[i].handle = mark ? c->exec_marks[bos[i].handle] : c->handles[bos[i].handle];
		bos[i].pad = 0;
		/* Its own, which is the next ones' to wait for. */
		if (mark && bos[i].flags & SWGPU_BO_WRITE)
			c->last_mark[e->flags] = bos[i].handle;
	}
}

static int run_exec(struct client *c, const struct event *e)
{
	struct drm_swgpu_submit_bo bos[SWGPU_MAX_SUBMIT_BOS];
	int ret;

	name_bos(c, e, bos);
	ret = device_submit_vm(c->fd, c->vm, c->channels[e->flags], bos, e->nr_bos,
			       (uint64_t)((double)e->value / c->trace.speed));
	if (ret == -ENOMEM || ret == -ENOSPC)
		return client_refused(c, e, ret);
	if (ret)
		return client_report(c, e, "SUBMIT", ret);
	c->counts.submits++;
	return 0;
}

static int run_wait(struct client *c, const struct event *e)
{
	bool look = e->flags & PREP_NOWAIT;
	int ret = device_wait(c->fd, c->exec_marks[e->handle], 0, look ? 0 : WAIT_LIMIT_NS);

	c->counts.waits++;
	if (look && ret == -EBUSY)
		c->counts.waits_busy++;
	else if (ret)
		return client_report(c, e, "GEM_WAIT", ret);
	return 0;
}

int vm_run(struct client *c, const struct event *e)
{
	if (*c->stop)
		return 0;
	switch ((enum op)e->op) {
	case OP_VM:
		return run_vm(c, e);
	case OP_NEW:
		return run_new(c, e);
	case OP_BIND:
		return run_bind(c, e);
	case OP_EXEC:
		return run_exec(c, e);
	default:
		return run_wait(c, e);
	}
}
