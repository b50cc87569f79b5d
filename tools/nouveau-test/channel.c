// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Channels: commands go to a push buffer, and from there to the card, a job at a time. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "job.h"

/* What the kernel's nouveau_abi16.h knows, and no uapi header. */
struct drm_nouveau_grobj_alloc {
	int channel;
	uint32_t handle;
	int class;
};

#define DRM_IOCTL_NOUVEAU_GROBJ_ALLOC						\
	DRM_IOW(DRM_COMMAND_BASE + 4, struct drm_nouveau_grobj_alloc)

#define PUSH_SIZE	(16 * PAGE)
/* More words than any job has. */
#define MAX_WORDS	128

void job_put(struct nv_channel *channel, uint32_t word)
{
	channel->push.map[channel->pos++] = word;
}

unsigned int job_add(struct job *job, const struct nv_bo *bo)
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

int job_object(struct nv_channel *channel, uint32_t handle, int class)
{
	struct drm_nouveau_grobj_alloc args = {
		.channel = channel->id,
		.handle = handle,
		.class = class,
	};

	return node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_GROBJ_ALLOC, &args);
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

	channel->family->end(channel);
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
	struct drm_nouveau_channel_alloc args = channel->family->alloc;
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

int nv_channel_create(int fd, struct nv_channel *channel)
{
	int ret;

	*channel = (struct nv_channel){ .fd = fd };
	channel->family = nv_param(fd, NOUVEAU_GETPARAM_CHIPSET_ID) < 0x50 ? &nv04_family :
									   &turing_family;
	ret = alloc_channel(channel);
	if (!ret)
		ret = channel->family->set_up(channel);
	if (!ret)
		*channel->semaphore = 0;
	return ret;
}

int nv_channel_destroy(struct nv_channel *channel)
{
	struct drm_nouveau_channel_free args = { .channel = channel->id };

	nv_bo_close(channel->fd, &channel->push);
	nv_bo_close(channel->fd, &channel->notifier);
	return node_ioctl(channel->fd, DRM_IOCTL_NOUVEAU_CHANNEL_FREE, &args);
}

void nv_block(struct nv_channel *channel)
{
	channel->family->acquire(channel, ++channel->blocks);
}

void nv_unblock(struct nv_channel *channel)
{
	*channel->semaphore = channel->blocks;
}

pid_t nv_write_later(volatile uint32_t *to, uint32_t value, uint64_t ns)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sleep_ns(ns);
	*to = value;
	_exit(0);
}

pid_t nv_unblock_later(struct nv_channel *channel, uint64_t ns)
{
	return nv_write_later(channel->semaphore, channel->blocks, ns);
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
	channel->family->semaphore(channel);
	return submit(channel, &job);
}

int nv_use_one(struct nv_channel *channel, struct nv_bo *bo)
{
	return nv_use(channel, &bo, 1);
}

int nv_release(struct nv_channel *channel, uint32_t value)
{
	struct job job;
	int ret = make_room(channel);

	if (ret)
		return ret;
	job_init(&job, channel);
	channel->family->release(channel, value);
	return submit(channel, &job);
}

int nv_copy(struct nv_channel *channel, struct nv_bo *from, struct nv_bo *to, uint64_t size)
{
	struct job job;
	int ret = make_room(channel);

	if (ret)
		return ret;
	job_init(&job, channel);
	ret = channel->family->copy(channel, &job, from, to, size);
	return ret ? ret : submit(channel, &job);
}
