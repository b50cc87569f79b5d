// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A program that is recorded in the recorder's test. It does what Mesa does: it makes buffers,
 * lets a push write a semaphore, closes one buffer while the GPU uses it, and waits.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nouveau_drm.h>

#define BYTES 4096u
#define QUERY_ADDRESS_HIGH 0x200406c0u

static int fd;
static uint32_t *commands, *semaphore;

static void expect(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "test-program: %s\n", what);
	exit(1);
}

static struct drm_nouveau_gem_info make(uint32_t domain)
{
	struct drm_nouveau_gem_new new = { .info = { .size = BYTES, .domain = domain } };

	expect(!ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_NEW, &new), "no buffer");
	return new.info;
}

static uint32_t *map(const struct drm_nouveau_gem_info *info)
{
	void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			(off_t)info->map_handle);

	expect(at != MAP_FAILED, "no memory");
	return at;
}

/* Writes @value to the semaphore when it is done. */
static void push(const struct drm_nouveau_gem_info *infos, uint32_t value)
{
	struct drm_nouveau_gem_pushbuf_bo bos[3] = {};
	struct drm_nouveau_gem_pushbuf_push piece = { .bo_index = 0, .length = 24 };
	struct drm_nouveau_gem_pushbuf args = {
		.channel = 1,
		.nr_buffers = 3,
		.buffers = (uintptr_t)bos,
		.nr_push = 1,
		.push = (uintptr_t)&piece,
	};

	for (int i = 0; i < 3; i++) {
		bos[i].handle = infos[i].handle;
		bos[i].valid_domains = infos[i].domain;
		bos[i].write_domains = infos[i].domain;
	}
	commands[0] = QUERY_ADDRESS_HIGH;
	commands[1] = (uint32_t)(infos[1].offset >> 32);
	commands[2] = (uint32_t)infos[1].offset;
	commands[3] = value;
	commands[4] = 0;
	expect(!ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF, &args), "no push");
}

static void close_buffer(uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	expect(!ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args), "it cannot be closed");
}

/* Jobs of a second. */
#define FEW 3

int main(int argc, char **argv)
{
	struct drm_nouveau_channel_alloc channel = {};
	struct drm_nouveau_gem_cpu_prep prep = { .flags = NOUVEAU_GEM_CPU_PREP_WRITE };
	struct drm_nouveau_gem_info infos[3];
	int rounds = argc > 1 ? atoi(argv[1]) : 1;

	fd = memfd_create("gpu", 0);
	expect(fd >= 0 && !ftruncate(fd, 1 << 20), "no file");
	for (int i = 0; i < 3; i++)
		infos[i] = make(NOUVEAU_GEM_DOMAIN_GART);
	/* No buffer that somebody made. */
	channel.notifier_handle = 1000000;
	expect(!ioctl(fd, DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &channel), "no channel");
	commands = map(&infos[0]);
	semaphore = map(&infos[1]);
	for (int round = 1; round <= rounds; round++) {
		push(infos, (uint32_t)round);
		/* Many jobs are short ones, and this program may be held up for longer. */
		expect(rounds > FEW || *(volatile uint32_t *)semaphore != (uint32_t)round,
		       "it is done at once");
		close_buffer(infos[2].handle);
		prep.handle = infos[1].handle;
		expect(!ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_CPU_PREP, &prep), "it cannot wait");
		expect(*(volatile uint32_t *)semaphore == (uint32_t)round, "it waited in vain");
		infos[2] = make(NOUVEAU_GEM_DOMAIN_VRAM);
	}
	close_buffer(infos[2].handle);
	close(fd);
	return 0;
}
