// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Each of the allocations that a request makes fails once. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "gpu.h"

#define MAX_ALLOCATIONS	1000

/* What the requests are about. */
struct nomem {
	int fd, other, fail;
	struct full full;
	uint32_t made; /* by the request */
	uint32_t vm, private, second_channel;
	int dma_buf;
};

/**
 * struct request - a system call that allocates
 * @name: for the reader of the results
 * @prepare: what has to be so each time
 * @run: the call
 * @undo: what it did, if it did it
 */
struct request {
	const char *name;
	void (*prepare)(struct nomem *t);
	int (*run)(struct nomem *t);
	void (*undo)(struct nomem *t);
};

static void use_all(struct nomem *t, uint32_t domains)
{
	int i;

	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_use(t->fd, t->full.channel, t->full.handles[i], READ, domains, 0), 0);
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(t->fd, t->full.handles[i], 0, 5 * SECOND), 0);
}

static void all_in_vram(struct nomem *t)
{
	use_all(t, VRAM);
}

static void all_in_gtt(struct nomem *t)
{
	use_all(t, GTT);
}

static int create(struct nomem *t)
{
	return gpu_create(t->fd, t->full.size, VRAM, &t->made);
}

static void close_made(struct nomem *t)
{
	check_is(gpu_close(t->fd, t->made), 0);
}

/* All of VRAM is of the dead, and busy. */
static void bury(struct nomem *t)
{
	uint32_t handles[NR_QUARTERS];
	int i;

	all_in_gtt(t);
	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(gpu_create(t->fd, t->full.size, VRAM, &handles[i]), 0);
		check_is(gpu_use(t->fd, t->full.channel, handles[i], WRITE, VRAM, 5 * MS), 0);
	}
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_close(t->fd, handles[i]), 0);
}

static int move_in(struct nomem *t)
{
	return gpu_use(t->fd, t->full.channel, t->full.handles[0], WRITE, VRAM, 0);
}

static int move_out(struct nomem *t)
{
	return gpu_use(t->fd, t->full.channel, t->full.handles[0], WRITE, GTT, 0);
}

static int make_channel(struct nomem *t)
{
	return gpu_channel(t->fd, &t->made);
}

static void destroy_channel(struct nomem *t)
{
	check_is(gpu_channel_destroy(t->fd, t->made), 0);
}

static int export(struct nomem *t)
{
	t->dma_buf = gpu_export(t->fd, t->full.handles[1]);
	return t->dma_buf < 0 ? t->dma_buf : 0;
}

static void close_export(struct nomem *t)
{
	close(t->dma_buf);
	t->dma_buf = -1;
}

static void prepare_import(struct nomem *t)
{
	if (t->dma_buf < 0)
		check_is(export(t), 0);
}

static int import(struct nomem *t)
{
	return gpu_import(t->other, t->dma_buf, &t->made);
}

static void close_import(struct nomem *t)
{
	check_is(gpu_close(t->other, t->made), 0);
}

static int make_vm(struct nomem *t)
{
	return gpu_vm(t->fd, &t->made);
}

static void destroy_vm(struct nomem *t)
{
	check_is(gpu_vm_destroy(t->fd, t->made), 0);
}

static int create_private(struct nomem *t)
{
	return gpu_create_private(t->fd, t->vm, t->full.size, VRAM, &t->made);
}

/* The private buffer is evicted. */
static int use_vm(struct nomem *t)
{
	return gpu_submit_vm(t->fd, t->full.channel, t->vm, WRITE, NULL, 0, 0);
}

/* On two channels, each of which is noted with the buffer that leaves. */
static void make_vm_busy(struct nomem *t)
{
	check_is(gpu_submit_vm(t->fd, t->full.channel, t->vm, READ, NULL, 0, 5 * MS), 0);
	check_is(gpu_submit_vm(t->fd, t->second_channel, t->vm, READ, NULL, 0, 5 * MS), 0);
}

static int unbind(struct nomem *t)
{
	return gpu_vm_bind(t->fd, t->private, 0);
}

static void bind_again(struct nomem *t)
{
	check_is(gpu_vm_bind(t->fd, t->private, 1), 0);
}

static void make_busy(struct nomem *t)
{
	check_is(gpu_create(t->fd, PAGE, GTT, &t->made), 0);
	check_is(gpu_use(t->fd, t->full.channel, t->made, WRITE, GTT, MS), 0);
}

static int close_busy(struct nomem *t)
{
	/* Nothing to be told to user space: it happens. */
	check_is(gpu_close(t->fd, t->made), 0);
	return 0;
}

static const struct request requests[] = {
	{ "create, evicting", all_in_vram, create, close_made },
	{ "create, waiting", bury, create, close_made },
	{ "move in", all_in_gtt, move_in, NULL },
	{ "move out", all_in_vram, move_out, NULL },
	{ "make a channel", NULL, make_channel, destroy_channel },
	{ "export", NULL, export, close_export },
	{ "import", prepare_import, import, close_import },
	{ "make a VM", NULL, make_vm, destroy_vm },
	{ "create in a VM, evicting", all_in_vram, create_private, close_made },
	{ "use a VM, moving in", all_in_vram, use_vm, NULL },
	{ "unbind", make_vm_busy, unbind, bind_again },
	{ "close", make_busy, close_busy, NULL },
};

static void fail_each(struct nomem *t, const struct request *request)
{
	bool failed = true;
	int n, ret, refused = 0;

	for (n = 1; failed && n < MAX_ALLOCATIONS; n++) {
		if (request->prepare)
			request->prepare(t);
		fail_nth(t->fail, n);
		ret = request->run(t);
		failed = fail_none(t->fail);
		check(!ret || (failed && ret == -ENOMEM));
		refused += ret != 0;
		if (!ret && request->undo)
			request->undo(t);
	}
	check(!failed);
	printf("# %s: %d allocations failed, refused %d times\n", request->name, n - 2,
	       refused);
}

void test_no_memory(int fd)
{
	struct nomem t = { .fd = fd, .other = gpu_open_other(), .dma_buf = -1 };
	unsigned int i;

	t.fail = fail_open();
	if (t.fail < 0 || !let_allocations_fail()) {
		skip("this kernel lets no allocation fail");
		return;
	}
	if (!check(full_make(fd, &t.full)))
		return;
	check_is(gpu_channel(fd, &t.second_channel), 0);
	check_is(gpu_vm(fd, &t.vm), 0);
	check_is(gpu_create_private(fd, t.vm, PAGE, VRAM, &t.private), 0);
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		fail_each(&t, &requests[i]);
	full_check(&t.full);
	close(t.fail);
	close(t.dma_buf);
	close(t.other);
}
