// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers as memory of the process: whose bytes are in there. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

/* Where the word of a page is; what is before it is for anything. */
#define WORD		2048
#define MAX_MAP		(16 * PAGE)
/* The driver's own, at the end of the first and of the last page. */
#define NR_WORDS	((PAGE - SWGPU_TAG_BYTES) / sizeof(uint64_t))

void buffer_unmap(struct buffer *b)
{
	if (b->map)
		munmap(b->map, b->map_size);
	b->map = NULL;
	b->word = 0;
}

static char *map(struct client *c, struct buffer *b, uint64_t size, int prot, int flags)
{
	struct request *r = request_begin(c->task, "mmap", BOUND);
	void *at;

	r->args[0] = b->offset;
	r->args[1] = size;
	r->args[2] = prot;
	r->args[3] = flags;
	at = mmap(NULL, size, prot, flags, c->process->fds[b->dev], b->offset);
	request_end(r, at == MAP_FAILED ? -errno : 0);
	return at == MAP_FAILED ? NULL : at;
}

/* All of a buffer, or its first pages. */
int buffer_map(struct client *c, struct buffer *b, int prot)
{
	struct drm_swgpu_gem_map args = { .handle = b->handle };
	uint64_t size = (b->size + PAGE - 1) & ~(PAGE - 1);
	int ret;

	/* First of all: the device may go now, and the other thread open the next one. */
	b->epoch = __atomic_load_n(&c->process->epoch[b->dev], __ATOMIC_SEQ_CST);
	ret = ask_file(c, "map", c->process->fds[b->dev], DRM_IOCTL_SWGPU_GEM_MAP, &args);
	if (ret || !size)
		return ret;
	if (size > MAX_MAP)
		size = MAX_MAP;
	b->offset = args.offset;
	b->map = map(c, b, size, prot, MAP_SHARED);
	b->map_size = size;
	return b->map ? 0 : -ENOMEM;
}

/* Nobody opened the device anew, or has the same file. */
static bool certain(struct client *c, struct buffer *b)
{
	struct drm_version version = {};

	return !c->process->shared &&
	       !ask_file(c, "version", c->process->fds[b->dev], DRM_IOCTL_VERSION, &version) &&
	       b->epoch == c->process->epoch[b->dev];
}

static uint64_t any_page(struct client *c, struct buffer *b)
{
	return random_below(&c->random, b->map_size / PAGE);
}

static void check_zero(struct client *c, struct buffer *b, uint64_t page)
{
	uint64_t words[NR_WORDS];
	uint32_t i;

	if (!touch_read(b->map + page * PAGE, words, sizeof(words)))
		return;
	for (i = 0; i < NR_WORDS; i++) {
		if (words[i] && certain(c, b)) {
			fail(c->task, "new buffer %u: %#llx in page %llu, word %u, is another's",
			     b->handle, (unsigned long long)words[i], (unsigned long long)page, i);
			return;
		}
	}
}

/* It is zero; from now on each page holds a word. */
void buffer_check_new(struct client *c, struct buffer *b)
{
	uint64_t page, word = random_next(&c->random) | 1;
	int i;

	if (!b->map)
		return;
	for (i = 0; i < 4; i++)
		check_zero(c, b, any_page(c, b));
	for (page = 0; page < b->map_size / PAGE; page++) {
		if (!touch_write(b->map + page * PAGE + WORD, &word, sizeof(word)))
			return;
	}
	b->word = word;
}

/* As the driver finds it, whatever is mapped here. */
static uint64_t ask_driver(const char *at)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t word = 0;

	if (fd < 0 || pread(fd, &word, sizeof(word), (uintptr_t)at) != sizeof(word))
		word = ~0ull;
	close(fd);
	return word;
}

/* What is wrong, and where else, and whether that stays so. */
static void fail_word(struct client *c, struct buffer *b, uint64_t page, uint64_t word)
{
	uint64_t i, wrong = 0, nr = b->map_size / PAGE, again = 0;
	uint64_t told = ask_driver(b->map + page * PAGE + WORD);

	for (i = 0; i < nr; i++) {
		if (!touch_read(b->map + i * PAGE + WORD, &again, sizeof(again)))
			break;
		wrong += again != b->word;
	}
	fail(c->task, "buffer %u of device %u, %llu bytes at %p: page %llu held %#llx, not %#llx; "
	     "then %llu of %llu pages, and the driver says %#llx", b->handle, b->dev, (unsigned long long)b->size, b->map,
	     (unsigned long long)page, (unsigned long long)word, (unsigned long long)b->word,
	     (unsigned long long)wrong, (unsigned long long)i, (unsigned long long)told);
}

static int check(struct client *c)
{
	struct buffer *b = any_buffer(c);
	uint64_t word = 0;
	int i;

	for (i = 0; b->map && b->word && i < 3; i++) {
		uint64_t page = any_page(c, b);

		if (!touch_read(b->map + page * PAGE + WORD, &word, sizeof(word)))
			return -EFAULT;
		if (word != b->word && certain(c, b))
			fail_word(c, b, page, word);
	}
	return 0;
}

/* At any offset that was a buffer's once, also of one that is closed. */
static int map_again(struct client *c)
{
	struct buffer *b = any_buffer(c);
	uint64_t size = (1 + random_below(&c->random, 40)) * PAGE;
	int prot = random_below(&c->random, 8);
	char *at, byte;

	if (!b->offset)
		return b->handle && !b->map ? buffer_map(c, b, PROT_READ) : 0;
	at = map(c, b, size, prot, one_in(c, 5) ? MAP_PRIVATE : MAP_SHARED);
	if (!at)
		return -EACCES;
	if (prot & PROT_READ)
		touch_read(at + random_below(&c->random, size), &byte, 1);
	munmap(at, size);
	return 0;
}

static int unmap(struct client *c)
{
	struct buffer *b = any_buffer(c);

	buffer_unmap(b);
	return 0;
}

/* What can be done to a mapping without its buffer. */
static int remap(struct client *c)
{
	struct buffer *b = any_buffer(c);
	uint64_t pages = b->map_size / PAGE;
	void *at;

	if (!b->map || pages < 2)
		return 0;
	switch (random_below(&c->random, 3)) {
	case 0:
		return madvise(b->map, b->map_size, MADV_DONTNEED) ? -errno : 0;
	case 1:
		at = mremap(b->map, b->map_size, b->map_size, MREMAP_MAYMOVE);
		if (at == MAP_FAILED)
			return -errno;
		b->map = at;
		return 0;
	default:
		munmap(b->map + pages / 2 * PAGE, b->map_size - pages / 2 * PAGE);
		b->map_size = pages / 2 * PAGE;
		return 0;
	}
}

/* The kernel itself reads and writes a mapping. */
static int kernel_access(struct client *c)
{
	struct buffer *b = any_buffer(c);
	struct request *r;
	int ends[2], ret = 0;

	if (!b->map || !b->word || pipe(ends))
		return 0;
	r = request_begin(c->task, "write-read", BOUND);
	if (write(ends[1], b->map + any_page(c, b) * PAGE, WORD) < 0)
		ret = -errno;
	else if (read(ends[0], b->map + any_page(c, b) * PAGE, WORD) < 0)
		ret = -errno;
	request_end(r, ret);
	close(ends[0]);
	close(ends[1]);
	return ret;
}

const struct action memory_actions[] = {
	{ "check", 80, check },
	{ "map-again", 20, map_again },
	{ "unmap", 8, unmap },
	{ "remap", 8, remap },
	{ "kernel-access", 10, kernel_access },
	{ NULL, 0, NULL },
};
