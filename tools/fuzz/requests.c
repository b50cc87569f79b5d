// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the driver is asked for by its own ioctls. */

#include "client.h"

static uint64_t any_size(struct client *c)
{
	uint64_t vram = c->process->vram_bytes;

	if (one_in(c, 200))
		return random_below(&c->random, 2 * vram);
	if (one_in(c, 10))
		return random_below(&c->random, vram / 10);
	if (one_in(c, 3))
		return random_below(&c->random, vram / 64);
	return random_below(&c->random, 16 * PAGE);
}

static int create(struct client *c)
{
	struct drm_swgpu_gem_create args = {
		.size = any_size(c),
		.domains = 1 + random_below(&c->random, 3),
	};
	struct buffer *b = any_buffer(c);
	uint32_t dev = any_device(c);
	bool map = one_in(c, 3);
	int ret;

	if (b->handle)
		return 0;
	buffer_unmap(b);
	pthread_mutex_lock(&c->process->new_handle);
	ret = ask(c, "create", dev, DRM_IOCTL_SWGPU_GEM_CREATE, &args);
	if (!ret) {
		*b = (struct buffer){ .handle = args.handle, .dev = dev, .size = args.size };
		if (map)
			buffer_map(c, b, 3);
	}
	pthread_mutex_unlock(&c->process->new_handle);
	if (!ret && map)
		buffer_check_new(c, b);
	return ret;
}

static int close_handle(struct client *c)
{
	struct buffer *b = any_buffer(c);
	struct drm_gem_close args = { .handle = ask_handle(c, b) };
	int ret;

	if (!args.handle)
		return 0;
	ret = ask(c, "close", b->dev, DRM_IOCTL_GEM_CLOSE, &args);
	if (!ret && args.handle == b->handle)
		b->handle = 0;
	return ret;
}

static uint64_t any_timeout(struct client *c)
{
	if (one_in(c, 2))
		return 0;
	return random_below(&c->random, one_in(c, 10) ? 200 * MS : 5 * MS);
}

static int wait_idle(struct client *c)
{
	struct buffer *b = any_buffer(c);
	struct drm_swgpu_gem_wait args = {
		.handle = ask_handle(c, b),
		.flags = random_below(&c->random, 2),
		.timeout_ns = any_timeout(c),
	};

	return ask(c, "wait", b->dev, DRM_IOCTL_SWGPU_GEM_WAIT, &args);
}

/* Each place is for one of the devices, so that both have some. */
static int make_channel(struct client *c)
{
	uint32_t i = random_below(&c->random, NR_CHANNELS), dev = i % NR_DEVICES;
	struct channel *channel = &c->channels[i];
	struct drm_swgpu_channel args = {};
	int ret;

	if (channel->id)
		return 0;
	ret = ask(c, "channel-create", dev, DRM_IOCTL_SWGPU_CHANNEL_CREATE, &args);
	if (!ret)
		*channel = (struct channel){ .id = args.channel, .dev = dev };
	return ret;
}

static int end_channel(struct client *c)
{
	struct channel *channel = &c->channels[random_below(&c->random, NR_CHANNELS)];
	struct drm_swgpu_channel args = { .channel = channel->id };
	int ret;

	if (!channel->id)
		return 0;
	ret = ask(c, "channel-destroy", channel->dev, DRM_IOCTL_SWGPU_CHANNEL_DESTROY, &args);
	if (!ret)
		channel->id = 0;
	return ret;
}

static uint32_t any_nr_bos(struct client *c)
{
	if (one_in(c, 100))
		return random_below(&c->random, 2 * SWGPU_MAX_SUBMIT_BOS);
	return random_below(&c->random, 8);
}

static uint32_t job_domains(struct client *c)
{
	return 1 + random_below(&c->random, 3);
}

/* Each buffer once, from some one on; some entries are not what they should be. */
static uint32_t fill_bos(struct client *c, struct drm_swgpu_submit_bo *bos, uint32_t dev,
			 uint32_t want)
{
	uint32_t i, nr = 0, first = random_below(&c->random, NR_BUFFERS);

	for (i = 0; nr < want && i < (want > NR_BUFFERS ? want : NR_BUFFERS); i++) {
		struct buffer *b = &c->buffers[(first + i) % NR_BUFFERS];

		if (!b->handle || b->dev != dev)
			continue;
		bos[nr] = (struct drm_swgpu_submit_bo){
			.handle = ask_handle(c, b),
			.flags = 1 + random_below(&c->random, 3),
			.domains = job_domains(c),
		};
		if (one_in(c, 100))
			((uint32_t *)&bos[nr])[random_below(&c->random, 4)] ^=
				1u << random_below(&c->random, 32);
		nr++;
	}
	return nr;
}

static uint64_t any_duration(struct client *c)
{
	return random_below(&c->random, one_in(c, 20) ? 50 * MS : MS);
}

static int submit(struct client *c)
{
	struct drm_swgpu_submit_bo bos[2 * SWGPU_MAX_SUBMIT_BOS];
	uint32_t dev = any_device(c);
	struct drm_swgpu_submit args = {
		.channel = ask_channel(c, dev),
		.bos = (uintptr_t)bos,
		.duration_ns = any_duration(c),
	};

	if (!args.channel && one_in(c, 2))
		return make_channel(c);
	args.nr_bos = fill_bos(c, bos, dev, any_nr_bos(c));
	return ask(c, "submit", dev, DRM_IOCTL_SWGPU_SUBMIT, &args);
}

static int hang_copies(struct client *c)
{
	struct drm_swgpu_fault args = { .channel = 0, .fault = SWGPU_FAULT_HANG };
	uint32_t dev = any_device(c);
	int ret = ask(c, "hang-copies", dev, DRM_IOCTL_SWGPU_FAULT, &args);

	if (!ret)
		c->process->copy_hung_ns[dev] = now_ns();
	return ret;
}

static int hang_channel(struct client *c)
{
	struct channel *channel = &c->channels[random_below(&c->random, NR_CHANNELS)];
	struct drm_swgpu_fault args = { .channel = channel->id, .fault = SWGPU_FAULT_HANG };
	int ret;

	if (!channel->id)
		return 0;
	ret = ask(c, "hang", channel->dev, DRM_IOCTL_SWGPU_FAULT, &args);
	channel->hung_ns = now_ns();
	return ret;
}

/* Resume or kill; what hangs by mistake is resumed later, too. */
static int fault(struct client *c)
{
	struct channel *channel = &c->channels[random_below(&c->random, NR_CHANNELS)];
	struct drm_swgpu_fault args = {
		.channel = channel->id,
		.fault = one_in(c, 4) ? SWGPU_FAULT_KILL : SWGPU_FAULT_RESUME,
	};

	if (!channel->id)
		return 0;
	return ask_file(c, "fault", c->process->fds[channel->dev], DRM_IOCTL_SWGPU_FAULT, &args);
}

static int hang(struct client *c)
{
	if (!c->process->may_hang)
		return 0;
	return one_in(c, 4) ? hang_copies(c) : hang_channel(c);
}

static int stats(struct client *c)
{
	struct drm_swgpu_stats args = {};
	uint32_t dev = any_device(c);

	return ask_file(c, "stats", c->process->fds[dev], DRM_IOCTL_SWGPU_STATS, &args);
}

static int drain(struct client *c)
{
	uint32_t nothing = 0;

	return ask(c, "drain", any_device(c), DRM_IOCTL_SWGPU_DRAIN, &nothing);
}

/* Any of the driver's requests, and those that follow, with any arguments. */
static int garbage(struct client *c)
{
	uint64_t args[32];
	unsigned long request;
	int i, ret;

	for (i = 0; i < 32; i++)
		args[i] = one_in(c, 2) ? random_below(&c->random, 64) : random_next(&c->random);
	request = _IOC(random_below(&c->random, 4), DRM_IOCTL_BASE,
		       one_in(c, 2) ? DRM_COMMAND_BASE + random_below(&c->random, 12) :
				      random_below(&c->random, 256),
		       random_below(&c->random, sizeof(args)));
	/* It would hang a channel, or reset the counters. */
	if (_IOC_NR(request) == DRM_COMMAND_BASE + DRM_SWGPU_FAULT ||
	    _IOC_NR(request) == DRM_COMMAND_BASE + DRM_SWGPU_STATS)
		return 0;
	pthread_mutex_lock(&c->process->new_handle);
	ret = ask(c, "garbage", any_device(c), request, args);
	pthread_mutex_unlock(&c->process->new_handle);
	return ret;
}

const struct action request_actions[] = {
	{ "create", 120, create },
	{ "close", 60, close_handle },
	{ "wait", 30, wait_idle },
	{ "channel-create", 20, make_channel },
	{ "channel-destroy", 4, end_channel },
	{ "submit", 200, submit },
	{ "fault", 4, fault },
	{ "hang", 8, hang },
	{ "stats", 4, stats },
	{ "drain", 10, drain },
	{ "garbage", 10, garbage },
	{ NULL, 0, NULL },
};
