// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Two programs, of which each has some MiB of VRAM, let go of it while a job of theirs is under
 * way, and their channels hang. That of the second goes on when all of its buffers have died: so
 * they are behind the first one's, whatever line the kernel has for the dead. Somebody else wants
 * what the second one had, and nothing of the first.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"
#include "nv.h"
#include "stuck.h"

/* Until the buffers of a program that has let go of them have died. */
#define DEATH_NS	(500 * MS)
/* Of what the second one had, so much may be missing: VRAM has holes, and channels. */
#define MISSING		8
#define MAX_WANTED	256
/* A channel that hangs is given up before. */
#define LIMIT_MS	60000

/**
 * struct side - a program under way
 * @pid: its process
 * @channel: that it has used
 * @up: it writes when it has used its buffers, and when it has let go of them
 * @down: it goes on when it reads a byte
 */
struct side {
	pid_t pid;
	unsigned int channel;
	int up;
	int down;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void run(int up, int down)
{
	unsigned int channel;

	if (!stuck_begin())
		exit(1);
	channel = last_channel();
	if (write(up, &channel, sizeof(channel)) != sizeof(channel) ||
	    read(down, &channel, 1) != 1 || !stuck_leave() || write(up, "", 1) != 1)
		exit(1);
	for (;;)
		pause();
}

static bool start(struct side *side)
{
	int up[2], down[2];

	if (pipe(up) || pipe(down))
		return false;
	side->pid = fork();
	if (!side->pid)
		run(up[1], down[0]);
	close(up[1]);
	close(down[0]);
	side->up = up[0];
	side->down = down[1];
	return check(read(side->up, &side->channel, sizeof(side->channel)) ==
		     sizeof(side->channel));
}

static bool set_hang(const struct side *side, const char *how)
{
	char text[32];

	snprintf(text, sizeof(text), "%u %s", side->channel, how);
	return check(write_file("/sys/kernel/debug/nvsw/hang", text));
}

/* Its buffers die while its channel does nothing. */
static bool let_die(struct side *side)
{
	char byte;

	if (!set_hang(side, "preemptible") || !check(write(side->down, "", 1) == 1) ||
	    !check(read(side->up, &byte, 1) == 1))
		return false;
	sleep_ns(DEATH_NS);
	return true;
}

static void end(struct side *side)
{
	kill(side->pid, SIGKILL);
	waitpid(side->pid, NULL, 0);
}

/* Asks until it has all, or too long. Returns how many buffers it got. */
static unsigned int take(int fd, unsigned int wanted, unsigned int *refused)
{
	double start = now_ms();
	struct nv_bo bo;
	unsigned int nr;

	for (nr = 0, *refused = 0; nr < wanted; nr++) {
		while (nv_bo_create(fd, MIB, VRAM, &bo)) {
			++*refused;
			if (now_ms() - start > LIMIT_MS)
				return nr;
			sleep_ns(MS);
		}
	}
	return nr;
}

/* What is free, and most of what the second one has. */
static unsigned int count_wanted(int fd)
{
	return (nv_vram_size(fd) - nv_vram_used(fd)) / MIB + NR_STUCK - MISSING;
}

static bool take_memory(int fd, unsigned int wanted)
{
	unsigned int nr, refused;
	double start = now_ms();
	bool still;

	nr = take(fd, wanted, &refused);
	still = nv_vram_used(fd) / MIB >= nr + NR_STUCK;
	printf("# figure: memory beside a hung channel, after: %.1f ms\n", now_ms() - start);
	printf("# figure: memory beside a hung channel, refused before: %u\n", refused);
	printf("# figure: memory beside a hung channel, its own still kept: %s\n",
	       still ? "yes" : "no");
	return check_is(nr, wanted) && (still || !nv_deletes_by_fence());
}

bool memory_beside_the_stuck(void)
{
	struct side stuck, other;
	unsigned int wanted;
	bool passed;
	int fd = nv_open();

	count_requests();
	ask_as(OTHER);
	case_begin();
	if (!check(fd >= 0) || !start(&stuck) || !start(&other) ||
	    !let_die(&stuck) || !let_die(&other))
		return false;
	wanted = count_wanted(fd);
	passed = set_hang(&other, "none") && take_memory(fd, wanted);
	close(fd);
	end(&stuck);
	end(&other);
	return passed;
}
