// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VRAM full of buffers with contents. */

#include <sys/mman.h>

#include "gpu.h"

bool full_make(int fd, struct full *f)
{
	int i;

	f->size = gpu_stats(fd, 0).vram_bytes / NR_QUARTERS;
	check_is(gpu_channel(fd, &f->channel), 0);
	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(gpu_create(fd, f->size, VRAM, &f->handles[i]), 0);
		check_is(gpu_use(fd, f->channel, f->handles[i], WRITE, VRAM, 0), 0);
		f->maps[i] = gpu_map(fd, f->handles[i], f->size);
		if (!check(f->maps[i]))
			return false;
		f->maps[i][0] = 100 + i;
		f->maps[i][f->size / 8 - 10] = 200 + i;
	}
	for (i = 0; i < NR_QUARTERS; i++)
		check_is(gpu_wait(fd, f->handles[i], 0, 5 * SECOND), 0);
	return true;
}

void full_unmap(struct full *f)
{
	int i;

	for (i = 0; i < NR_QUARTERS; i++)
		munmap(f->maps[i], f->size);
}

void full_check(struct full *f)
{
	int i;

	for (i = 0; i < NR_QUARTERS; i++) {
		check_is(f->maps[i][0], 100 + i);
		check_is(f->maps[i][f->size / 8 - 10], 200 + i);
	}
	full_unmap(f);
}
