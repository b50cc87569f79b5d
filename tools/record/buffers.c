// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers by their handles.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The shim counts handles from 1; what is beyond is no handle. */
#define MAX_HANDLE 10000000u

static struct buffer *buffers;
static uint32_t nr_buffers;

struct buffer *buffer_of(uint32_t handle)
{
	uint32_t wanted = handle * 2 + 1024;
	struct buffer *more;

	if (handle > MAX_HANDLE)
		return NULL;
	if (handle >= nr_buffers) {
		more = realloc(buffers, wanted * sizeof(*more));
		if (!more)
			return NULL;
		memset(more + nr_buffers, 0, (wanted - nr_buffers) * sizeof(*more));
		buffers = more;
		nr_buffers = wanted;
	}
	return &buffers[handle];
}

/* Which buffer is mapped at that offset; 0 if none. */
uint32_t handle_at(int fd, uint64_t map_offset)
{
	for (uint32_t i = 1; i < nr_buffers; i++)
		if (buffers[i].live && buffers[i].fd == fd && buffers[i].map_offset == map_offset)
			return i;
	return 0;
}

/* Where the GPU would find that address. */
struct buffer *buffer_at(uint64_t address)
{
	for (uint32_t i = 1; i < nr_buffers; i++) {
		struct buffer *buffer = &buffers[i];

		if (buffer->live && address >= buffer->address &&
		    address + 4 <= buffer->address + buffer->size)
			return buffer;
	}
	return NULL;
}

void *buffer_map(struct buffer *buffer)
{
	void *map;

	if (!buffer->map && buffer->size) {
		map = real.mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED,
				buffer->fd, (off_t)buffer->map_offset);
		buffer->map = map == MAP_FAILED ? NULL : map;
	}
	return buffer->map;
}

/* Its handle was closed, or names something new. */
void buffer_forget(struct buffer *buffer)
{
	if (buffer->map && !buffer->written_by_gpu)
		munmap(buffer->map, buffer->size);
	memset(buffer, 0, sizeof(*buffer));
}
