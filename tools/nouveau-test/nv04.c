// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Cards before NV50: addresses of buffers are filled in by the kernel, and the M2MF object
 * copies.
 */
#include <errno.h>

#include "job.h"

/* What the kernel's nouveau_abi16.h knows, and no uapi header. */
#define DRM_IOCTL_NOUVEAU_NOTIFIEROBJ_ALLOC					\
	DRM_IOWR(DRM_COMMAND_BASE + 5, struct drm_nouveau_notifierobj_alloc)

/* Handles of objects, each in its channel. */
#define OBJ_VRAM	0xd8000001
#define OBJ_GART	0xd8000002
#define OBJ_NOTIFIER	0xd8000003
#define OBJ_M2MF	0xd8000039

#define CLASS_M2MF	0x0039
#define SUBCHANNEL	2

/* Methods of all channels */
#define SET_OBJECT	0x0000
#define SEMAPHORE	0x0060	/* object, offset, value to wait for */
#define RELEASE		0x006c	/* write this value */
/* Methods of M2MF */
#define DMA_NOTIFY	0x0180
#define DMA_IN		0x0184	/* and out */
#define OFFSET_IN	0x030c	/* and all that follows to the copy's start */

/* The end of what is pushed: a card before NV25 gets a jump of the kernel's instead. */
#define RETURN		0x00020000

/* Lines of a copy; a line is a page. */
#define MAX_LINES	2047

static void method(struct nv_channel *channel, unsigned int subchannel, unsigned int first,
		   unsigned int count)
{
	job_put(channel, count << 18 | subchannel << 13 | first);
}

static int set_up(struct nv_channel *channel)
{
	struct drm_nouveau_notifierobj_alloc args = {
		.channel = channel->id,
		.handle = OBJ_NOTIFIER,
		.size = 64,
	};
	int ret = node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_NOTIFIEROBJ_ALLOC, &args);

	if (!ret)
		channel->semaphore = channel->notifier.map + args.offset / sizeof(uint32_t);
	return ret;
}

/* Every push names its semaphore anew: others may have been here meanwhile. */
static void put_semaphore(struct nv_channel *channel)
{
	method(channel, 0, SEMAPHORE, 2);
	job_put(channel, OBJ_NOTIFIER);
	job_put(channel, 0);
}

static void put_acquire(struct nv_channel *channel, uint32_t value)
{
	put_semaphore(channel);
	method(channel, 0, SEMAPHORE + 8, 1);
	job_put(channel, value);
}

static void put_release(struct nv_channel *channel, uint32_t value)
{
	put_semaphore(channel);
	method(channel, 0, RELEASE, 1);
	job_put(channel, value);
}

static void put_end(struct nv_channel *channel)
{
	job_put(channel, RETURN);
	job_put(channel, 0);
}

/* A word that depends on where a buffer is. */
static void put_reloc(struct nv_channel *channel, struct job *job, unsigned int bo,
		      uint32_t flags, uint32_t data)
{
	job->relocs[job->nr_relocs++] = (struct drm_nouveau_gem_pushbuf_reloc){
		.reloc_bo_offset = channel->pos * sizeof(uint32_t),
		.bo_index = bo,
		.flags = flags,
		.data = data,
		.vor = OBJ_VRAM,
		.tor = OBJ_GART,
	};
	job_put(channel, 0);
}

/* Its memory is large, so only channels that copy have it. */
static int make_m2mf(struct nv_channel *channel)
{
	int ret;

	if (channel->copies)
		return 0;
	ret = job_object(channel, OBJ_M2MF, CLASS_M2MF);
	if (ret)
		return ret;
	channel->copies = true;
	method(channel, SUBCHANNEL, SET_OBJECT, 1);
	job_put(channel, OBJ_M2MF);
	method(channel, SUBCHANNEL, DMA_NOTIFY, 1);
	job_put(channel, OBJ_NOTIFIER);
	return 0;
}

static void put_lines(struct nv_channel *channel, struct job *job, unsigned int from,
		      unsigned int to, uint64_t offset, unsigned int lines)
{
	method(channel, SUBCHANNEL, OFFSET_IN, 8);
	put_reloc(channel, job, from, NOUVEAU_GEM_RELOC_LOW, offset);
	put_reloc(channel, job, to, NOUVEAU_GEM_RELOC_LOW, offset);
	job_put(channel, PAGE);
	job_put(channel, PAGE);
	job_put(channel, PAGE);
	job_put(channel, lines);
	job_put(channel, 0x0101);
	job_put(channel, 0);
}

static int put_copy(struct nv_channel *channel, struct job *job, struct nv_bo *from,
		    struct nv_bo *to, uint64_t size)
{
	uint64_t lines = size / PAGE, done, now;
	unsigned int in, out;
	int ret;

	in = job_add(job, from);
	out = job_add(job, to);
	job->bos[in].write_domains = 0;
	if (lines > MAX_LINES * (MAX_RELOCS - 2) / 2)
		return -E2BIG;
	ret = make_m2mf(channel);
	if (ret)
		return ret;
	method(channel, SUBCHANNEL, DMA_IN, 2);
	put_reloc(channel, job, in, NOUVEAU_GEM_RELOC_OR, 0);
	put_reloc(channel, job, out, NOUVEAU_GEM_RELOC_OR, 0);
	for (done = 0; done < lines; done += now) {
		now = lines - done < MAX_LINES ? lines - done : MAX_LINES;
		put_lines(channel, job, in, out, done * PAGE, now);
	}
	return 0;
}

const struct family nv04_family = {
	.alloc = {
		.fb_ctxdma_handle = OBJ_VRAM,
		.tt_ctxdma_handle = OBJ_GART,
	},
	.set_up = set_up,
	.semaphore = put_semaphore,
	.acquire = put_acquire,
	.release = put_release,
	.copy = put_copy,
	.end = put_end,
};
