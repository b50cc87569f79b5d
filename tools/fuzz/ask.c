// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Requests, some of them with arguments that nobody meant. */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "client.h"

#define MAX_ARGS	256

static uint64_t odd_value(struct client *c)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32,
		0x7fffffffffffffff, 1ull << 63, ~0ull, ~0ull - 4095, 4095, 4097,
	};

	return odd[random_below(&c->random, ARRAY_SIZE(odd))];
}

/* One bit, or one number, is another. */
static void mutate(struct client *c, unsigned char *args, uint64_t size)
{
	uint64_t value = odd_value(c), at;

	if (one_in(c, 2)) {
		at = random_below(&c->random, size * 8);
		args[at / 8] ^= 1 << at % 8;
	} else if (one_in(c, 2) && size >= 8) {
		memcpy(args + random_below(&c->random, size / 8) * 8, &value, 8);
	} else if (size >= 4) {
		memcpy(args + random_below(&c->random, size / 4) * 4, &value, 4);
	}
}

/* What takes seconds leaves no time for anything else. */
static void hurry(unsigned long request, void *args)
{
	struct drm_swgpu_submit *submit = args;

	if (request == DRM_IOCTL_SWGPU_SUBMIT && submit->duration_ns <= 10 * SECOND)
		submit->duration_ns %= 100 * MS;
}

static bool mapped_args(struct client *c, struct buffer *b)
{
	return b->map && b->word && b->map_size >= PAGE && one_in(c, 2);
}

/*
 * Where the kernel finds the arguments: in most cases where they are, in some in a buffer of
 * the GPU, which the kernel has to fault in, or nowhere.
 */
static void *place(struct client *c, void *args, uint64_t size)
{
	struct buffer *b = any_buffer(c);
	char *map = b->map;

	if (mapped_args(c, b) && touch_write(map + 64, args, size))
		return map + 64;
	if (!one_in(c, 100))
		return args;
	return one_in(c, 2) ? NULL : (void *)(uintptr_t)odd_value(c);
}

static int make(struct client *c, struct request *r, int fd, unsigned long request, void *args)
{
	int ret, tries = random_below(&c->random, 4);

	do {
		r->start_ns = now_ns();
		ret = ioctl(fd, request, args) < 0 ? -errno : 0;
	} while ((ret == -EINTR || ret == -EAGAIN) && tries--);
	return ret;
}

static bool is_gone(int fd)
{
	struct drm_version version = {};

	return ioctl(fd, DRM_IOCTL_VERSION, &version) < 0 && errno == ENODEV;
}

static int ask_at(struct client *c, const char *name, int fd, unsigned long request, void *at,
		  const void *shown)
{
	struct request *r = request_begin(c->task, name, BOUND);
	uint64_t size = sizeof(r->args) - sizeof(r->args[0]);

	if (_IOC_SIZE(request) < size)
		size = _IOC_SIZE(request);
	r->args[0] = fd;
	memcpy(&r->args[1], shown, size);
	return request_end(r, make(c, r, fd, request, at));
}

int ask_file(struct client *c, const char *name, int fd, unsigned long request, void *args)
{
	return ask_at(c, name, fd, request, args, args);
}

int ask(struct client *c, const char *name, uint32_t dev, unsigned long request, void *args)
{
	uint64_t size = _IOC_SIZE(request);
	unsigned char copy[MAX_ARGS] = {};
	void *at;
	int ret;

	memcpy(copy, args, size);
	while (size && one_in(c, 10))
		mutate(c, copy, size);
	hurry(request, copy);
	/* The kernel takes arguments of other sizes: older and newer ones. */
	if (one_in(c, 200))
		request = _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request),
			       random_below(&c->random, MAX_ARGS));
	at = size ? place(c, copy, size) : copy;
	ret = ask_at(c, name, c->process->fds[dev], request, at, copy);
	if (at == copy || touch_read(at, copy, size))
		memcpy(args, copy, size);
	if (ret == -ENODEV && is_gone(c->process->fds[dev]))
		c->process->gone[dev] = true;
	return ret;
}

/* One that the other thread knows, one of another process, or none. */
uint32_t ask_handle(struct client *c, const struct buffer *b)
{
	struct client *other = &c->process->clients[one_in(c, 2)];

	if (!one_in(c, 40))
		return b->handle;
	if (one_in(c, 2))
		return other->buffers[b - c->buffers].handle;
	return one_in(c, 8) ? odd_value(c) : random_below(&c->random, 64);
}

uint32_t ask_channel(struct client *c, uint32_t dev)
{
	int i, first = random_below(&c->random, NR_CHANNELS);

	if (one_in(c, 30))
		return one_in(c, 4) ? odd_value(c) : random_below(&c->random, 20);
	for (i = 0; i < NR_CHANNELS; i++) {
		struct channel *channel = &c->channels[(first + i) % NR_CHANNELS];

		if (channel->id && channel->dev == dev)
			return channel->id;
	}
	return 0;
}
