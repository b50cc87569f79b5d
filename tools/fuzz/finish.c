// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What must be true when everybody has ended: nothing is left, nothing was wrong. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "events.h"
#include "finish.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* The kernel can look for them. */
static bool leaks;

/* What the machine lost before is not ours. */
bool finish_prepare(void)
{
	int fd = node_open("swgpu", NR_DEVICES - 1);

	if (fd < 0) {
		fprintf(stderr, "fuzz: there are not %d swgpu devices\n", NR_DEVICES);
		return false;
	}
	close(fd);
	leaks = write_file(KMEMLEAK, "scan") && write_file(KMEMLEAK, "clear");
	printf("# leaks are %slooked for\n", leaks ? "" : "not ");
	return true;
}

static bool read_stats(int fd, struct drm_swgpu_stats *stats)
{
	*stats = (struct drm_swgpu_stats){};
	return !node_ioctl(fd, DRM_IOCTL_SWGPU_DRAIN, NULL) &&
	       !node_ioctl(fd, DRM_IOCTL_SWGPU_STATS, stats);
}

static bool is_empty(const struct drm_swgpu_stats *s)
{
	return !s->buffers && !s->zombies && !s->vram_used_bytes && !s->gtt_used_bytes;
}

/* What was exported goes when the system gets round to it. */
static void check_device(uint32_t dev)
{
	struct drm_swgpu_stats s = {};
	int i, fd = node_open("swgpu", dev);

	if (fd < 0) {
		fail(NULL, "device %u cannot be opened any more", dev);
		return;
	}
	for (i = 0; i < 500 && read_stats(fd, &s) && !is_empty(&s); i++)
		sleep_ns(20 * MS);
	if (i == 500)
		fail(NULL, "device %u: %llu buffers and %llu zombies are left, %llu bytes in use",
		     dev, (unsigned long long)s.buffers, (unsigned long long)s.zombies,
		     (unsigned long long)(s.vram_used_bytes + s.gtt_used_bytes));
	if (s.tag_errors)
		fail(NULL, "device %u: %llu tag errors", dev, (unsigned long long)s.tag_errors);
	close(fd);
}

/* With the devices goes all that they have. */
static void check_unbound(void)
{
	uint32_t dev;
	int i;

	for (dev = 0; dev < NR_DEVICES; dev++)
		device_bind(dev, false);
	for (i = 0; i < 500 && ttm_buffers() > 0; i++)
		sleep_ns(20 * MS);
	if (ttm_buffers() > 0)
		fail(NULL, "%ld buffers are left without a device", ttm_buffers());
}

/* A kernel that looks for leaks finds what is older than five seconds. */
static void check_leaks(void)
{
	char text[4096];
	ssize_t n;
	int fd;

	if (!leaks)
		return;
	sleep_ns(6 * SECOND);
	/* It wants to see it twice. */
	if (!write_file(KMEMLEAK, "scan") || !write_file(KMEMLEAK, "scan"))
		return;
	fd = open(KMEMLEAK, O_RDONLY);
	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0) {
		fail(NULL, "memory that nobody knows any more");
		fwrite(text, 1, n, stdout);
	}
	close(fd);
}

void finish_check(void)
{
	uint32_t dev;

	for (dev = 0; dev < NR_DEVICES; dev++)
		check_device(dev);
	check_unbound();
	check_leaks();
}
