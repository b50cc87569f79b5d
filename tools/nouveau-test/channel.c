// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Channels of cards before NV50: commands go to a push buffer, addresses of buffers are
 * filled in by the kernel, and the M2MF object copies.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nv.h"

/* What the kernel's nouveau_abi16.h knows, and no uapi header. */
struct drm_nouveau_grobj_alloc {
	int channel;
	uint32_t handle;
	int class;
};

#define DRM_IOCTL_NOUVEAU_GROBJ_ALLOC						\
	DRM_IOW(DRM_COMMAND_BASE + 4, struct drm_nouveau_grobj_alloc)
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

#define PUSH_SIZE	(16 * PAGE)
/* More words than any job has. */
#define MAX_WORDS	128
/* Lines of a copy; a line is a page. */
#define MAX_LINES	2047

#define MAX_RELOCS	16

/**
 * struct job - a submission that is being made
 * @bos: used; the first is the push buffer
 * @nr_bos: how many
 * @relocs: words that the kernel fills in
 * @nr_relocs: how many
 */
struct job {
	struct drm_nouveau_gem_pushbuf_bo bos[NV_MAX_BOS + 1];
	unsigned int nr_bos;
	struct drm_nouveau_gem_pushbuf_reloc relocs[MAX_RELOCS];
	unsigned int nr_relocs;
};

static void put(struct nv_channel *channel, uint32_t word)
{
	channel->push.map[channel->pos++] = word;
}

static void method(struct nv_channel *channel, unsigned int subchannel, unsigned int first,
		   unsigned int count)
{
	put(channel, count << 18 | subchannel << 13 | first);
}

static unsigned int job_add(struct job *job, const struct nv_bo *bo)
{
	job->bos[job->nr_bos] = (struct drm_nouveau_gem_pushbuf_bo){
		.handle = bo->handle,
		.read_domains = bo->domains,
		.write_domains = bo->domains,
		.valid_domains = bo->domains,
	};
	return job->nr_bos++;
}

static void job_init(struct job *job, struct nv_channel *channel)
{
	memset(job, 0, sizeof(*job));
	job_add(job, &channel->push);
	job->bos[0].write_domains = 0;
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
	put(channel, 0);
}

static int submit(struct nv_channel *channel, struct job *job)
{
	struct drm_nouveau_gem_pushbuf_push push = {
		.offset = channel->start * sizeof(uint32_t),
	};
	struct drm_nouveau_gem_pushbuf args = {
		.channel = channel->id,
		.nr_buffers = job->nr_bos,
		.buffers = (uintptr_t)job->bos,
		.nr_relocs = job->nr_relocs,
		.relocs = (uintptr_t)job->relocs,
		.nr_push = 1,
		.push = (uintptr_t)&push,
	};
	int ret;

	put(channel, RETURN);
	put(channel, 0);
	push.length = (channel->pos - channel->start) * sizeof(uint32_t);
	ret = node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF, &args);
	channel->start = channel->pos;
	return ret;
}

/* Room for the words of a job; begins anew when all was read. */
static int make_room(struct nv_channel *channel)
{
	int ret;

	if ((channel->pos + MAX_WORDS) * sizeof(uint32_t) <= PUSH_SIZE)
		return 0;
	ret = nv_bo_wait(channel->fd, &channel->push);
	if (!ret)
		channel->pos = channel->start = 0;
	return ret;
}

static int alloc_channel(struct nv_channel *channel)
{
	struct drm_nouveau_channel_alloc args = {
		.fb_ctxdma_handle = OBJ_VRAM,
		.tt_ctxdma_handle = OBJ_GART,
	};
	int ret = node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &args);

	if (ret)
		return ret;
	channel->id = args.channel;
	channel->notifier.handle = args.notifier_handle;
	ret = nv_bo_create(channel->fd, PUSH_SIZE, args.pushbuf_domains, &channel->push);
	if (!ret)
		ret = nv_bo_map(channel->fd, &channel->push);
	if (!ret)
		ret = nv_bo_map(channel->fd, &channel->notifier);
	return ret;
}

static int alloc_semaphore(struct nv_channel *channel)
{
	struct drm_nouveau_notifierobj_alloc args = {
		.channel = channel->id,
		.handle = OBJ_NOTIFIER,
		.size = 64,
	};
	int ret = node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_NOTIFIEROBJ_ALLOC, &args);

	if (ret)
		return ret;
	channel->semaphore = channel->notifier.map + args.offset / sizeof(uint32_t);
	*channel->semaphore = 0;
	return 0;
}

int nv_channel_create(int fd, struct nv_channel *channel)
{
	int ret;

	*channel = (struct nv_channel){ .fd = fd };
	ret = alloc_channel(channel);
	return ret ? ret : alloc_semaphore(channel);
}

int nv_channel_destroy(struct nv_channel *channel)
{
	struct drm_nouveau_channel_free args = { .channel = channel->id };

	nv_bo_close(channel->fd, &channel->push);
	nv_bo_close(channel->fd, &channel->notifier);
	return node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_CHANNEL_FREE, &args);
}

/* Every push names its semaphore anew: others may have been here meanwhile. */
static void put_semaphore(struct nv_channel *channel)
{
	method(channel, 0, SEMAPHORE, 2);
	put(channel, OBJ_NOTIFIER);
	put(channel, 0);
}

void nv_block(struct nv_channel *channel)
{
	put_semaphore(channel);
	method(channel, 0, SEMAPHORE + 8, 1);
	put(channel, ++channel->blocks);
}

void nv_unblock(struct nv_channel *channel)
{
	*channel->semaphore = channel->blocks;
}

pid_t nv_unblock_later(struct nv_channel *channel, uint64_t ns)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sleep_ns(ns);
	nv_unblock(channel);
	_exit(0);
}

int nv_use(struct nv_channel *channel, struct nv_bo *const *bos, unsigned int nr)
{
	struct job job;
	unsigned int i;
	int ret;

	job_init(&job, channel);
	for (i = 0; i < nr; i++)
		job_add(&job, bos[i]);
	ret = make_room(channel);
	if (ret)
		return ret;
	/* Does nothing: there is no empty submission. */
	put_semaphore(channel);
	return submit(channel, &job);
}

int nv_release(struct nv_channel *channel, uint32_t value)
{
	struct job job;
	int ret = make_room(channel);

	if (ret)
		return ret;
	job_init(&job, channel);
	put_semaphore(channel);
	method(channel, 0, RELEASE, 1);
	put(channel, value);
	return submit(channel, &job);
}

int nv_use_one(struct nv_channel *channel, struct nv_bo *bo)
{
	return nv_use(channel, &bo, 1);
}

/* Its memory is large, so only channels that copy have it. */
static int make_m2mf(struct nv_channel *channel)
{
	struct drm_nouveau_grobj_alloc args = {
		.channel = channel->id,
		.handle = OBJ_M2MF,
		.class = CLASS_M2MF,
	};
	int ret;

	if (channel->copies)
		return 0;
	ret = node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_GROBJ_ALLOC, &args);
	if (ret)
		return ret;
	channel->copies = true;
	method(channel, SUBCHANNEL, SET_OBJECT, 1);
	put(channel, OBJ_M2MF);
	method(channel, SUBCHANNEL, DMA_NOTIFY, 1);
	put(channel, OBJ_NOTIFIER);
	return 0;
}

static void put_lines(struct nv_channel *channel, struct job *job, unsigned int from,
		      unsigned int to, uint64_t offset, unsigned int lines)
{
	method(channel, SUBCHANNEL, OFFSET_IN, 8);
	put_reloc(channel, job, from, NOUVEAU_GEM_RELOC_LOW, offset);
	put_reloc(channel, job, to, NOUVEAU_GEM_RELOC_LOW, offset);
	put(channel, PAGE);
	put(channel, PAGE);
	put(channel, PAGE);
	put(channel, lines);
	put(channel, 0x0101);
	put(channel, 0);
}

int nv_copy(struct nv_channel *channel, struct nv_bo *from, struct nv_bo *to,
	    uint64_t size)
{
	uint64_t lines = size / PAGE, done, now;
	unsigned int in, out;
	struct job job;
	int ret;

	job_init(&job, channel);
	in = job_add(&job, from);
	out = job_add(&job, to);
	job.bos[in].write_domains = 0;
	if (lines > MAX_LINES * (MAX_RELOCS - 2) / 2)
		return -E2BIG;
	ret = make_room(channel);
	if (!ret)
		ret = make_m2mf(channel);
	if (ret)
		return ret;
	method(channel, SUBCHANNEL, DMA_IN, 2);
	put_reloc(channel, &job, in, NOUVEAU_GEM_RELOC_OR, 0);
	put_reloc(channel, &job, out, NOUVEAU_GEM_RELOC_OR, 0);
	for (done = 0; done < lines; done += now) {
		now = lines - done < MAX_LINES ? lines - done : MAX_LINES;
		put_lines(channel, &job, in, out, done * PAGE, now);
	}
	return submit(channel, &job);
}
