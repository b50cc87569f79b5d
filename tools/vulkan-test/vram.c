// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * VRAM, by nouveau's own requests: how much is used, and somebody who wants it and nothing else.
 * NVK's memory may be in the GTT as well, so NVK never drives anybody out itself.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asked.h"
#include "nv.h"
#include "vram.h"

/**
 * struct squeezed - what the other process was given
 * @wanted: buffers that it asked for
 * @had: those that it was given
 */
static struct squeezed {
	unsigned long wanted;
	unsigned long had;
} *squeezed;

static void squeeze_once(int fd, unsigned int sixteenths)
{
	uint64_t size = nv_vram_size(fd) / 16 & ~(PAGE - 1);
	struct nv_bo bos[16];
	unsigned int i, nr;

	/* All may be in use for a moment. */
	for (nr = 0; nr < sixteenths; nr++)
		if (nv_bo_create(fd, size, VRAM, &bos[nr]))
			break;
	squeezed->wanted += sixteenths;
	squeezed->had += nr;
	sleep_ns(20 * MS);
	for (i = 0; i < nr; i++)
		nv_bo_close(fd, &bos[i]);
	sleep_ns(20 * MS);
}

pid_t squeeze(unsigned int sixteenths)
{
	pid_t pid;
	int fd;

	squeezed = mmap(NULL, sizeof(*squeezed), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = squeezed == MAP_FAILED ? -1 : fork();
	if (pid)
		return pid;
	ask_as(OTHER);
	fd = nv_open();
	if (fd < 0)
		_exit(1);
	for (;;)
		squeeze_once(fd, sixteenths);
}

void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("# figure: VRAM for somebody else: %lu of %lu times\n", squeezed->had,
	       squeezed->wanted);
	munmap(squeezed, sizeof(*squeezed));
}

uint64_t vram_used(void)
{
	int fd = nv_open();
	uint64_t used = fd < 0 ? 0 : nv_vram_used(fd);

	if (fd >= 0)
		close(fd);
	return used;
}

bool vram_returns(uint64_t before)
{
	int fd = nv_open();
	bool returns = nv_vram_returns(fd, before);

	if (!returns)
		printf("# of VRAM %lu bytes were used, and %lu are now\n", (unsigned long)before,
		       (unsigned long)nv_vram_used(fd));
	close(fd);
	return returns;
}
