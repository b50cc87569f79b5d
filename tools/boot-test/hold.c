// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * hold <node> <driver>: holds buffers of a display driver that is not ours, for as
 * long as its standard input is open, and then looks whether their contents are
 * still there.
 *
 * Exit status: 0 they are, 1 they are not, 2 it did not come so far.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drm.h"

/* Of the kernel's drm_mode.h, which libc does not bring along. */
struct drm_mode_create_dumb {
	__u32 height;
	__u32 width;
	__u32 bpp;
	__u32 flags;
	__u32 handle;
	__u32 pitch;
	__u64 size;
};

struct drm_mode_map_dumb {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

#define DRM_IOCTL_MODE_CREATE_DUMB	DRM_IOWR(0xb2, struct drm_mode_create_dumb)
#define DRM_IOCTL_MODE_MAP_DUMB		DRM_IOWR(0xb3, struct drm_mode_map_dumb)

#define BUFFERS	8

struct buffer {
	uint32_t *words;
	uint64_t size;
};

static int fail(const char *what)
{
	perror(what);
	exit(2);
}

static int open_node(const char *node, const char *driver)
{
	char name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DRM_IOCTL_VERSION, &version))
		fail(node);
	if (strcmp(name, driver)) {
		fprintf(stderr, "%s is of %s, not of %s\n", node, name, driver);
		exit(2);
	}
	return fd;
}

static struct buffer create(int fd)
{
	struct drm_mode_create_dumb dumb = { .width = 640, .height = 480, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct buffer buffer;

	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		fail("creating a dumb buffer");
	map.handle = dumb.handle;
	if (ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		fail("mapping a dumb buffer");
	buffer.size = dumb.size;
	buffer.words = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    map.offset);
	if (buffer.words == MAP_FAILED)
		fail("mmap");
	return buffer;
}

static uint32_t pattern(unsigned int buffer, uint64_t word)
{
	return buffer * 0x01000193u ^ (uint32_t)word * 0x9e3779b1u;
}

static void fill(const struct buffer *buffer, unsigned int number)
{
	for (uint64_t i = 0; i < buffer->size / sizeof(uint32_t); i++)
		buffer->words[i] = pattern(number, i);
}

static int spoilt(const struct buffer *buffer, unsigned int number)
{
	for (uint64_t i = 0; i < buffer->size / sizeof(uint32_t); i++)
		if (buffer->words[i] != pattern(number, i))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct buffer buffers[BUFFERS];
	int fd, bad = 0;
	char c;

	if (argc != 3) {
		fprintf(stderr, "usage: hold <node> <driver>\n");
		return 2;
	}
	fd = open_node(argv[1], argv[2]);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		buffers[i] = create(fd);
		fill(&buffers[i], i);
	}

	while (read(STDIN_FILENO, &c, 1) > 0)
		;

	for (unsigned int i = 0; i < BUFFERS; i++)
		bad |= spoilt(&buffers[i], i);
	return bad;
}
