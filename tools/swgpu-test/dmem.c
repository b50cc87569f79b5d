// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Two cgroups share the VRAM: "a" is at its limit, "b" is protected. Dead buffers are
 * charged until their memory is released.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "gpu.h"

#define NR_OF_B		2
#define NR_ROUNDS	60

/**
 * struct groups - both of them, with what is in the VRAM
 * @eighth: of the VRAM
 * @charged: to all before
 * @channel: an idle one
 * @handles: live buffers of b, an eighth each, with contents
 * @maps: their contents
 */
struct groups {
	uint64_t eighth;
	long charged;
	uint32_t channel;
	uint32_t handles[NR_OF_B];
	uint64_t *maps[NR_OF_B];
};

static bool fill_b(int fd, struct groups *g)
{
	int i;

	check(cgroup_enter("b"));
	for (i = 0; i < NR_OF_B; i++) {
		check_is(gpu_create(fd, g->eighth, VRAM, &g->handles[i]), 0);
		check_is(gpu_use(fd, g->channel, g->handles[i], WRITE, VRAM, 0), 0);
		check_is(gpu_wait(fd, g->handles[i], 0, 5 * SECOND), 0);
		g->maps[i] = gpu_map(fd, g->handles[i], g->eighth);
		if (!check(g->maps[i]))
			return false;
		g->maps[i][0] = 300 + i;
	}
	check_is(cgroup_charged("b"), NR_OF_B * g->eighth);
	return check(cgroup_enter("a"));
}

/* This process is in a, which has no limit yet. False if the case is to end. */
static bool begin(int fd, struct groups *g)
{
	if (!cgroup_begin(fd))
		return false;
	g->eighth = gpu_stats(fd, 0).vram_bytes / 8;
	g->charged = cgroup_charged("");
	if (!check(cgroup_make("a")) || !check(cgroup_make("b")))
		return false;
	check(cgroup_limit("b", "min", NR_OF_B * g->eighth));
	check_is(gpu_channel(fd, &g->channel), 0);
	return fill_b(fd, g);
}

/* All buffers of a are closed. What was charged is charged no more; b has lost nothing. */
static void end(int fd, struct groups *g)
{
	int i;

	check_is(cgroup_charged("b"), NR_OF_B * g->eighth);
	check(gpu_drain_to(fd, 0));
	check(cgroup_falls_to("a", 0));
	check(cgroup_enter(""));
	for (i = 0; i < NR_OF_B; i++) {
		check_is(g->maps[i][0], 300 + i);
		munmap(g->maps[i], g->eighth);
		check_is(gpu_close(fd, g->handles[i]), 0);
	}
	check(gpu_drain_to(fd, 0));
	check(cgroup_falls_to("b", 0));
	check(cgroup_remove("a"));
	check(cgroup_remove("b"));
	check_is(cgroup_charged(""), g->charged);
}

static void write_value(int fd, uint32_t handle, uint64_t size, uint64_t value)
{
	uint64_t *map = gpu_map(fd, handle, size);

	if (check(map)) {
		map[0] = value;
		munmap(map, size);
	}
}

static void check_value(int fd, uint32_t handle, uint64_t size, uint64_t value)
{
	uint64_t *map = gpu_map(fd, handle, size);

	if (check(map)) {
		check_is(map[0], value);
		munmap(map, size);
	}
}

static int use_and_close(int fd, uint32_t channel, uint64_t size, uint64_t duration_ns)
{
	uint32_t handle;
	int ret = gpu_create(fd, size, VRAM, &handle);

	ret = ret ?: gpu_use(fd, channel, handle, WRITE, VRAM, duration_ns);
	return ret ?: gpu_close(fd, handle);
}

/* It frees while the GPU is busy, and asks for as much again. */
void test_dmem_zombies(int fd)
{
	struct groups g;
	uint64_t evictions;
	int i, ret = 0;

	if (!begin(fd, &g))
		return;
	check(cgroup_limit("a", "max", 2 * g.eighth));
	evictions = gpu_stats(fd, 0).evictions;
	for (i = 0; !ret && i < NR_ROUNDS; i++) {
		ret = use_and_close(fd, g.channel, g.eighth / (1 + i % 2), 5 * MS);
		check(cgroup_charged("a") <= (long)(2 * g.eighth));
	}
	check_is(ret, 0);
	check_is(gpu_stats(fd, 0).evictions, evictions);
	end(fd, &g);
}

/*
 * All of a's limit is dead, and so is something of b, on a channel that hangs and was used
 * before. A task that waits for that wants an interrupt of it.
 */
void test_dmem_foreign_zombies(int fd)
{
	struct groups g;
	uint32_t hung;
	uint64_t wanted;

	if (!begin(fd, &g))
		return;
	check_is(gpu_channel(fd, &hung), 0);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_HANG_FOREVER), 0);
	check(cgroup_enter("b"));
	check_is(use_and_close(fd, hung, g.eighth, 0), 0);
	check(cgroup_enter("a"));
	check(cgroup_limit("a", "max", g.eighth));
	check_is(use_and_close(fd, g.channel, g.eighth, 400 * MS), 0);
	wanted = gpu_stats(fd, 0).signaling_enabled;
	check_is(use_and_close(fd, g.channel, g.eighth, 0), 0);
	/* One of its own, if that had not ended yet */
	if (gpu_stats(fd, 0).fence_lru)
		check(gpu_stats(fd, 0).signaling_enabled - wanted <= 1);
	check_is(cgroup_charged("b"), (NR_OF_B + 1) * g.eighth);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
	end(fd, &g);
}

/* Live buffers of a, idle or busy, are evicted for a; and contents survive. */
static void stay_below(int fd, uint64_t duration_ns)
{
	struct groups g;
	uint32_t handles[4];
	int i;

	if (!begin(fd, &g))
		return;
	check(cgroup_limit("a", "max", 2 * g.eighth));
	for (i = 0; i < 4; i++) {
		check_is(gpu_create(fd, g.eighth, VRAM | GTT, &handles[i]), 0);
		write_value(fd, handles[i], g.eighth, 500 + i);
	}
	for (i = 0; i < 16; i++) {
		check_is(gpu_use(fd, g.channel, handles[i % 4], WRITE, VRAM, duration_ns), 0);
		check(cgroup_charged("a") <= (long)(2 * g.eighth));
	}
	for (i = 0; i < 4; i++) {
		check_value(fd, handles[i], g.eighth, 500 + i);
		check_is(gpu_close(fd, handles[i]), 0);
	}
	end(fd, &g);
}

void test_dmem_evict_idle(int fd)
{
	stay_below(fd, 0);
}

void test_dmem_evict_busy(int fd)
{
	stay_below(fd, 5 * MS);
}

/* Nothing limits a. It takes all that b does not protect, and no more. */
void test_dmem_protected(int fd)
{
	struct groups g;
	uint32_t handles[8], channel;
	int i, ret = 0;

	if (!begin(fd, &g))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	/* b's are busy, and a's idle ones are younger. */
	check(cgroup_enter("b"));
	for (i = 0; i < NR_OF_B; i++)
		check_is(gpu_use(fd, channel, g.handles[i], READ, VRAM, 50 * MS), 0);
	check(cgroup_enter("a"));
	for (i = 0; i < 8; i++) {
		check_is(gpu_create(fd, g.eighth, VRAM | GTT, &handles[i]), 0);
		ret = gpu_use(fd, g.channel, handles[i], WRITE, VRAM, i % 2 * MS);
		check_is(ret, 0);
		check_is(cgroup_charged("b"), NR_OF_B * g.eighth);
	}
	check_is(cgroup_charged("a"), (8 - NR_OF_B) * g.eighth);
	for (i = 0; i < 8; i++)
		check_is(gpu_close(fd, handles[i]), 0);
	end(fd, &g);
}

/* It asks for all that it may have, while that is busy, again and again. */
static void want_all(uint64_t eighth)
{
	uint32_t channel;
	int fd = gpu_open();

	if (fd < 0 || gpu_channel(fd, &channel))
		_exit(1);
	/* Delayed delete refuses some. */
	for (;;) {
		use_and_close(fd, channel, eighth, 10 * MS);
		use_and_close(fd, channel, eighth, 10 * MS);
		use_and_close(fd, channel, 2 * eighth, 10 * MS);
	}
}

/* VRAM is free, and a cannot have it: b does not wait for a, nor goes elsewhere. */
void test_dmem_not_held_back(int fd)
{
	uint64_t evictions;
	struct groups g;
	uint32_t handle;
	int i, status;
	pid_t pid;

	if (!begin(fd, &g))
		return;
	check(cgroup_limit("a", "max", 2 * g.eighth));
	pid = fork();
	if (!pid)
		want_all(g.eighth);
	check(cgroup_enter("b"));
	evictions = gpu_stats(fd, 0).evictions;
	for (i = 0; i < NR_ROUNDS; i++) {
		sleep_ns(5 * MS);
		check_is(gpu_create(fd, g.eighth, VRAM | GTT, &handle), 0);
		check_is(gpu_use(fd, g.channel, handle, WRITE, VRAM | GTT, 0), 0);
		check_is(gpu_wait(fd, handle, 0, 5 * SECOND), 0);
		check_is(cgroup_charged("b"), (NR_OF_B + 1) * g.eighth);
		check_is(gpu_close(fd, handle), 0);
	}
	check_is(gpu_stats(fd, 0).evictions, evictions);
	check(!waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	check_is(waitpid(pid, &status, 0), pid);
	check(cgroup_enter("a"));
	end(fd, &g);
}

/* Half of what is a's is dead and busy; the rest is alive, and keeps its contents. */
void test_dmem_lower(int fd)
{
	struct groups g;
	uint32_t handles[2];
	int i;

	if (!begin(fd, &g))
		return;
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, g.eighth, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, g.channel, handles[i], WRITE, VRAM, 0), 0);
		write_value(fd, handles[i], g.eighth, 700 + i);
	}
	check_is(gpu_fault(fd, g.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(use_and_close(fd, g.channel, g.eighth, 0), 0);
	check_is(gpu_use(fd, g.channel, handles[0], READ, VRAM, 30 * MS), 0);
	check_is(use_and_close(fd, g.channel, g.eighth, 30 * MS), 0);
	check_is(cgroup_charged("a"), 4 * g.eighth);
	check_is(gpu_fault(fd, g.channel, SWGPU_FAULT_RESUME), 0);
	for (i = 3; i >= 0; i--) {
		check(cgroup_limit("a", "max", i * g.eighth));
		check(cgroup_charged("a") <= (long)(i * g.eighth));
	}
	check_is(cgroup_charged("a"), 0);
	check(cgroup_limit("a", "max", 4 * g.eighth));
	for (i = 0; i < 2; i++) {
		check_is(gpu_use(fd, g.channel, handles[i], READ, VRAM, 0), 0);
		check_value(fd, handles[i], g.eighth, 700 + i);
		check_is(gpu_close(fd, handles[i]), 0);
	}
	end(fd, &g);
}

/* Nor does it help that jobs are queued for longer than anybody waits at a time. */
void test_dmem_lower_queued(int fd)
{
	uint32_t handle;
	struct groups g;
	int i;

	if (!begin(fd, &g))
		return;
	check_is(gpu_create(fd, g.eighth, VRAM, &handle), 0);
	for (i = 0; i < 30; i++)
		check_is(gpu_use(fd, g.channel, handle, WRITE, VRAM, 100 * MS), 0);
	check(cgroup_limit("a", "max", 0));
	check_is(cgroup_charged("a"), 0);
	check(cgroup_limit("a", "max", 4 * g.eighth));
	check_is(gpu_close(fd, handle), 0);
	end(fd, &g);
}

/* What b has is protected as long as something else can be had, and that is all busy. */
void test_dmem_lower_low(int fd)
{
	uint32_t handles[2];
	struct groups g;
	int i;

	if (!begin(fd, &g))
		return;
	check(cgroup_limit("b", "min", 0));
	check(cgroup_limit("b", "low", NR_OF_B * g.eighth));
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, g.eighth, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, g.channel, handles[i], WRITE, VRAM, 50 * MS), 0);
	}
	check(cgroup_limit(".", "max", NR_OF_B * g.eighth));
	check_is(cgroup_charged("a"), 0);
	check_is(cgroup_charged("b"), NR_OF_B * g.eighth);
	check(cgroup_limit(".", "max", g.eighth));
	check_is(cgroup_charged("b"), g.eighth);
	check(cgroup_limit(".", "max", 8 * g.eighth));
	/* Whoever brings it back is charged for it. */
	check(cgroup_enter("b"));
	for (i = 0; i < NR_OF_B; i++)
		check_is(gpu_use(fd, g.channel, g.handles[i], READ, VRAM, 0), 0);
	check(cgroup_enter("a"));
	for (i = 0; i < 2; i++)
		check_is(gpu_close(fd, handles[i]), 0);
	end(fd, &g);
}

/* The limit of both leaves room for what b protects, busy or not, and for half of a's. */
void test_dmem_lower_protected(int fd)
{
	uint32_t handles[2], channel;
	struct groups g;
	int i;

	if (!begin(fd, &g))
		return;
	check_is(gpu_channel(fd, &channel), 0);
	check_is(gpu_use(fd, channel, g.handles[0], READ, VRAM, 50 * MS), 0);
	for (i = 0; i < 2; i++) {
		check_is(gpu_create(fd, g.eighth, VRAM, &handles[i]), 0);
		check_is(gpu_use(fd, g.channel, handles[i], WRITE, VRAM, i * 30 * MS), 0);
	}
	check_is(use_and_close(fd, g.channel, 2 * g.eighth, 0), 0);
	check(cgroup_limit(".", "max", (NR_OF_B + 2) * g.eighth));
	check(cgroup_charged("a") <= (long)(2 * g.eighth));
	check(cgroup_limit(".", "max", NR_OF_B * g.eighth));
	check_is(cgroup_charged("a"), 0);
	check_is(cgroup_charged("b"), NR_OF_B * g.eighth);
	check(cgroup_limit(".", "max", 8 * g.eighth));
	for (i = 0; i < 2; i++)
		check_is(gpu_close(fd, handles[i]), 0);
	end(fd, &g);
}

/* What is on a channel that hangs stays charged, and what is not is released. */
void test_dmem_lower_hung(int fd)
{
	struct groups g;
	uint32_t hung;

	if (!gpu_stats(fd, 0).fence_lru) {
		skip("delayed delete waits for minutes");
		return;
	}
	if (!begin(fd, &g))
		return;
	check_is(gpu_channel(fd, &hung), 0);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(use_and_close(fd, hung, g.eighth, 0), 0);
	check_is(use_and_close(fd, g.channel, g.eighth, 10 * MS), 0);
	check(cgroup_limit("a", "max", 0));
	check_is(cgroup_charged("a"), g.eighth);
	check_is(gpu_fault(fd, hung, SWGPU_FAULT_RESUME), 0);
	end(fd, &g);
}

/* A group goes, and what is dead of it is busy still. */
void test_dmem_removed(int fd)
{
	struct groups g;

	if (!begin(fd, &g))
		return;
	check_is(gpu_fault(fd, g.channel, SWGPU_FAULT_HANG_FOREVER), 0);
	check_is(use_and_close(fd, g.channel, g.eighth, 0), 0);
	check(cgroup_enter("b"));
	check(cgroup_remove("a"));
	check_is(cgroup_charged("") - g.charged, (NR_OF_B + 1) * g.eighth);
	check_is(gpu_fault(fd, g.channel, SWGPU_FAULT_RESUME), 0);
	check(gpu_drain_to(fd, 0));
	check_is(cgroup_charged("") - g.charged, NR_OF_B * g.eighth);
	check(cgroup_make("a"));
	end(fd, &g);
}
