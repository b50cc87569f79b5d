// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers and fences that go from device to device and from process to process. */

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "pass.h"

static int *any_dma_buf(struct client *c)
{
	return &c->dma_bufs[random_below(&c->random, NR_DMA_BUFS)];
}

static int *any_sync_file(struct client *c)
{
	return &c->sync_files[random_below(&c->random, NR_SYNC_FILES)];
}

static void put(int *fd, int new)
{
	if (*fd >= 0)
		close(*fd);
	*fd = new;
}

static int export(struct client *c)
{
	struct buffer *b = any_buffer(c);
	struct drm_prime_handle args = { .handle = b->handle, .flags = O_CLOEXEC | O_RDWR };
	int ret;

	if (!b->handle)
		return 0;
	ret = ask_file(c, "export", c->process->fds[b->dev], DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (!ret)
		put(any_dma_buf(c), args.fd);
	return ret;
}

static int import(struct client *c)
{
	struct drm_prime_handle args = { .fd = *any_dma_buf(c) };
	struct buffer *b = any_buffer(c);
	uint32_t dev = random_below(&c->random, NR_DEVICES);
	int ret;

	if (args.fd < 0 || b->handle)
		return 0;
	buffer_unmap(b);
	pthread_mutex_lock(&c->process->new_handle);
	ret = ask_file(c, "import", c->process->fds[dev], DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	if (!ret)
		*b = (struct buffer){ .handle = args.handle, .dev = dev, .size = PAGE };
	pthread_mutex_unlock(&c->process->new_handle);
	return ret;
}

static int close_dma_buf(struct client *c)
{
	put(any_dma_buf(c), -1);
	return 0;
}

/* To the client that takes it. */
static int post(struct client *c)
{
	int fd = *any_dma_buf(c);

	return fd < 0 ? 0 : pass_fd(c->process->post[0], fd, MSG_DONTWAIT);
}

static int take(struct client *c)
{
	int fd = take_fd(c->process->post[1], MSG_DONTWAIT);

	if (fd < 0)
		return fd;
	put(any_dma_buf(c), fd);
	return 0;
}

static int map_dma_buf(struct client *c)
{
	int fd = *any_dma_buf(c);
	struct request *r;
	char byte;
	void *at;

	if (fd < 0)
		return 0;
	r = request_begin(c->task, "map-dma-buf", BOUND);
	at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED) {
		touch_read((char *)at + random_below(&c->random, 4) * PAGE, &byte, 1);
		munmap(at, 4 * PAGE);
	}
	return request_end(r, at == MAP_FAILED ? -errno : 0);
}

static int sync_dma_buf(struct client *c)
{
	struct dma_buf_sync args = { .flags = random_below(&c->random, 8) };
	int fd = *any_dma_buf(c);

	return fd < 0 ? 0 : ask_file(c, "sync-dma-buf", fd, DMA_BUF_IOCTL_SYNC, &args);
}

static int poll_dma_buf(struct client *c)
{
	struct pollfd pollfd = { .fd = *any_dma_buf(c), .events = POLLIN | POLLOUT };
	struct request *r;

	if (pollfd.fd < 0)
		return 0;
	r = request_begin(c->task, "poll-dma-buf", BOUND);
	return request_end(r, poll(&pollfd, 1, random_below(&c->random, 5)) < 0 ? -errno : 0);
}

static int export_fences(struct client *c)
{
	struct dma_buf_export_sync_file args = { .flags = 1 + random_below(&c->random, 3) };
	int ret, fd = *any_dma_buf(c);

	if (fd < 0)
		return 0;
	ret = ask_file(c, "export-fences", fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);
	if (!ret)
		put(any_sync_file(c), args.fd);
	return ret;
}

static int import_fences(struct client *c)
{
	struct dma_buf_import_sync_file args = {
		.flags = 1 + random_below(&c->random, 3),
		.fd = *any_sync_file(c),
	};
	int fd = *any_dma_buf(c);

	if (fd < 0 || args.fd < 0)
		return 0;
	return ask_file(c, "import-fences", fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args);
}

static int merge_fences(struct client *c)
{
	struct sync_merge_data args = { .name = "fuzz", .fd2 = *any_sync_file(c) };
	int ret, fd = *any_sync_file(c);

	if (fd < 0 || args.fd2 < 0)
		return 0;
	ret = ask_file(c, "merge-fences", fd, SYNC_IOC_MERGE, &args);
	if (!ret)
		put(any_sync_file(c), args.fence);
	return ret;
}

static int fence_info(struct client *c)
{
	struct sync_fence_info fences[8] = {};
	struct sync_file_info args = { .num_fences = random_below(&c->random, 9),
				       .sync_fence_info = (uintptr_t)fences };
	int fd = *any_sync_file(c);

	return fd < 0 ? 0 : ask_file(c, "fence-info", fd, SYNC_IOC_FILE_INFO, &args);
}

static int close_sync_file(struct client *c)
{
	put(any_sync_file(c), -1);
	return 0;
}

const struct action share_actions[] = {
	{ "export", 15, export },
	{ "import", 15, import },
	{ "close-dma-buf", 8, close_dma_buf },
	{ "post", 6, post },
	{ "take", 6, take },
	{ "map-dma-buf", 6, map_dma_buf },
	{ "sync-dma-buf", 4, sync_dma_buf },
	{ "poll-dma-buf", 4, poll_dma_buf },
	{ "export-fences", 6, export_fences },
	{ "import-fences", 4, import_fences },
	{ "merge-fences", 3, merge_fences },
	{ "fence-info", 4, fence_info },
	{ "close-sync-file", 3, close_sync_file },
	{ NULL, 0, NULL },
};
