// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * swgpu-test: tests the software GPU's driver by its user-space interface.
 *
 * usage: swgpu-test [<part of the names of the cases to run> | --broken | --broken-copies |
 *		      --unplug | --outlive | --hog <MiB> | --hog-limit <MiB> | --clear]
 *
 * --broken: the driver was loaded with broken=1; it must be caught. --broken-copies: with
 * broken=2 and copy=async. --unplug: the first device goes, and comes back. --outlive: the
 * module is unloaded, which it must be, and its fences are still there. --hog: so much
 * memory is dead when somebody wants most of what the machine has. --hog-limit: the same,
 * with shrinker=0. --clear: how long it takes to free a large buffer, and whom.
 * Prints TAP. Exit status 0: all passed; 1: some failed; 2: no device.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"

static const struct {
	const char *name;
	void (*run)(int fd);
} cases[] = {
	{ "create refuses bad arguments", test_bad_create },
	{ "map and wait refuse bad arguments", test_bad_map_and_wait },
	{ "channels refuse bad arguments", test_bad_channels },
	{ "submit refuses bad arguments", test_bad_submit },
	{ "stats refuse bad arguments", test_bad_stats },
	{ "lists of requests refuse bad arguments", test_bad_play },
	{ "a list of requests does each of them", test_play },
	{ "a buffer whose handle cannot be told is closed", test_play_unknown },
	{ "new memory is zero and keeps what is written", test_map },
	{ "a mapping outlives the handle", test_map_outlives_handle },
	{ "contents survive eviction", test_eviction },
	{ "a working set that does not fit is refused", test_too_much },
	{ "buffers freed while busy make room for others", test_pressure },
	{ "a buffer is read on one CPU while it moves on another", test_other_cpu },
	{ "channels share buffers", test_shared },
	{ "waiting: poll, timeout, readers and writers", test_wait },
	{ "a job waits for other channels", test_order },
	{ "a file has so many channels", test_channel_limit },
	{ "a device has so many channels", test_device_channel_limit },
	{ "a channel has a limited queue", test_full_queue },
	{ "a buffer may be freed while busy", test_free_busy },
	{ "a hung channel keeps its buffers until it resumes", test_hang },
	{ "many buffers on a hung channel, others beside it", test_many_stuck },
	{ "12,000 buffers die on a hung channel", test_many_die_hung },
	{ "killing a channel ends its jobs", test_kill },
	{ "a killed job does not stop those that wait for it", test_kill_dependency },
	{ "a process may exit with work in flight", test_exit },
	{ "several processes want more than there is", test_stress },
	{ "three clients want more than half each", test_stress_halves },
	{ "a program that gets signals gets memory", test_signals },
	{ "a job that wants too much is refused at once", test_over_committed },
	{ "swapping out waits for no import", test_swap_import },
	{ "two jobs keep what is to make room for the other", test_each_other },
	{ "private buffers are evicted side by side", test_evict_members },
	{ "statistics add up", test_stats },
	{ "evictions are pipelined, and their contents survive", test_pipelined },
	{ "what is evicted may be freed before it was copied", test_pipelined_death },
	{ "a buffer may be closed while it moves", test_moving_death },
	{ "a hang of the copy engine is that of the last file", test_copy_hung_twice },
	{ "a hang of the copy engine ends with its file", test_copy_hang_race },
	{ "a buffer is its own import on its own device", test_prime_self },
	{ "jobs of two devices share a buffer", test_prime_jobs },
	{ "sharing refuses bad arguments", test_prime_bad },
	{ "a compositor imports and closes 1,000 buffers", test_prime_compositor },
	{ "imports may be closed while busy", test_prime_die_busy },
	{ "imports may be closed while their channel hangs", test_prime_die_hung },
	{ "an import may be closed while the exporter is busy", test_prime_exporter_busy },
	{ "files are closed while two devices share", test_prime_exit },
	{ "several processes share between two devices", test_stress_share },
	{ "a job waits for another device", test_foreign_job },
	{ "a buffer may be freed under another device's fence", test_foreign_death },
	{ "another device's fence goes with its channel", test_foreign_killed },
	{ "pressure, with another device hung", test_foreign_pressure },
	{ "a client is killed with work in flight", test_killed_client },
	{ "a client is killed with its channel", test_killed_channel },
	{ "fdinfo says what a client has", test_fdinfo },
	{ "debugfs draws channels with their nodes", test_channels_file },
	{ "a client is killed while its buffers move", test_killed_moving },
	{ "a client is killed while it waits", test_killed_waiting },
	{ "a client is killed while it creates", test_killed_creating },
	{ "a client is killed with 2,000 jobs queued", test_killed_submitting },
	{ "a parent is killed whose child goes on", test_killed_parent },
	{ "the exporter is killed, then the importer", test_killed_exporter },
	{ "the importer is killed, then the exporter", test_killed_importer },
	{ "a client is killed in a fault on a DMA-buf that moves", test_killed_in_fault },
	{ "a signal is seen to while a fault waits", test_fault_signal },
	{ "buffers move while their process unmaps memory", test_fault_unmap },
	{ "VMs refuse bad arguments", test_vm_bad },
	{ "a job uses all buffers that its VM binds", test_vm_jobs },
	{ "a buffer that is not bound is left alone", test_vm_unbind },
	{ "private buffers are evicted and come back", test_vm_eviction },
	{ "a VM that does not fit is refused", test_vm_too_much },
	{ "a VM and its buffers may go while busy", test_vm_die_busy },
	{ "a private buffer may be closed while mapped", test_vm_mapped },
	{ "a client is killed with its VM", test_vm_killed },
	{ "suspend keeps private buffers", test_vm_suspend },
	{ "several VMs want more than there is", test_vm_stress },
	{ "any allocation may fail", test_no_memory },
	{ "a cgroup at its limit gets the memory of its own dead", test_dmem_zombies },
	{ "a cgroup at its limit waits for its own dead only", test_dmem_foreign_zombies },
	{ "a cgroup at its limit evicts its own, idle", test_dmem_evict_idle },
	{ "a cgroup at its limit evicts its own, busy", test_dmem_evict_busy },
	{ "a cgroup keeps what is protected", test_dmem_protected },
	{ "a cgroup at its limit holds back nobody else", test_dmem_not_held_back },
	{ "lowering a cgroup's limit takes memory away", test_dmem_lower },
	{ "lowering a cgroup's limit while jobs are queued", test_dmem_lower_queued },
	{ "lowering the limit of two cgroups spares what one protects", test_dmem_lower_protected },
	{ "lowering it takes what dmem.low protects last", test_dmem_lower_low },
	{ "lowering a cgroup's limit while a channel hangs", test_dmem_lower_hung },
	{ "a cgroup may go before its dead", test_dmem_removed },
	{ "jobs are charged to the memory cgroup of their client", test_memcg_jobs },
	{ "a memory cgroup limits what its client queues", test_memcg_limit },
	{ "what is kept for a client is charged to it", test_memcg_kept },
	{ "a hang ends with a reset", test_reset },
	{ "a hang that is renewed ends with a reset", test_reset_renewed },
	{ "a job that runs does not hang", test_reset_running },
	{ "the copy engine goes on after a reset", test_reset_copies },
	{ "a client is killed while an import waits for it", test_kill_the_waited_for },
	{ "an import waits, and nobody else does", test_import_waits_alone },
	{ "a client is killed behind a hung copy", test_kill_behind_copies },
	{ "a move fails behind the caller's own hung job", test_failed_moves },
	{ "suspend keeps contents", test_suspend },
	{ "60 suspends under load", test_suspend_load },
	{ "suspend fails while a channel hangs", test_suspend_hung },
	{ "suspend fails while a channel hangs that uses GTT", test_suspend_hung_gtt },
	{ "suspend fails while a copy hangs", test_suspend_hung_copy },
	{ "suspend does without a copy engine that hangs", test_suspend_hung_engine },
	{ "suspend fails while all hangs and GTT is full", test_suspend_all_hung },
};

#define NR_CASES	((int)ARRAY_SIZE(cases))

static void check_unchanged(int observer, struct drm_swgpu_stats *before)
{
	struct drm_swgpu_stats after;

	check(gpu_drain_to(observer, 0));
	/* Exported buffers go when the system gets round to it. */
	check(gpu_buffers_fall_to(observer, before->buffers));
	after = gpu_stats(observer, 0);
	check(after.tag_errors <= before->tag_errors);
	check_is(after.buffers, before->buffers);
	check_is(after.vram_used_bytes, before->vram_used_bytes);
	check_is(after.gtt_used_bytes, before->gtt_used_bytes);
}

/* The first report of lockdep turns it off for the rest of the boot. */
static bool lockdep_is_on(void)
{
	FILE *file = fopen("/proc/lockdep_stats", "r");
	char line[128];
	int on = 1;

	if (!file)
		return true;
	while (fgets(line, sizeof(line), file))
		sscanf(line, " debug_locks: %d", &on);
	fclose(file);
	return on;
}

/* Each case gets a file of its own, and must leave the devices as they were. */
static bool run_case(int i, int observer, int other)
{
	struct drm_swgpu_stats before = gpu_stats(observer, 0), other_before = {};
	int fd = gpu_open();

	if (other >= 0)
		other_before = gpu_stats(other, 0);

	case_begin();
	if (check(fd >= 0)) {
		cases[i].run(fd);
		close(fd);
	}
	/* Imports first: they keep what the exporter has. */
	if (other >= 0)
		check_unchanged(other, &other_before);
	check_unchanged(observer, &before);
	check(lockdep_is_on());
	return case_end(i + 1, cases[i].name);
}

/* The driver does something wrong: the tags must tell. */
static int run_broken(int fd, void (*run)(int fd), const char *what)
{
	run(fd);
	printf("1..1\n");
	return !case_end(1, what);
}

static int run_clear(int observer)
{
	test_clear(observer);
	printf("1..1\n");
	return !case_end(1, "a large buffer is freed");
}

static int run_unplug(int observer, int other)
{
	bool failed;

	close(observer);
	close(other);
	printf("1..2\n");
	case_begin();
	test_unplug();
	failed = !case_end(1, "a device goes while it is used, and comes back");
	case_begin();
	test_unplug_load();
	failed |= !case_end(2, "a device goes in six situations");
	return failed;
}

static int run_outlive(int observer, int other)
{
	close(other);
	test_outlive(observer);
	printf("1..1\n");
	return !case_end(1, "fences outlive the module");
}

static int run_hog(int observer, unsigned int mib, bool shrinker)
{
	test_hog(observer, mib, shrinker);
	printf("1..1\n");
	return !case_end(1, shrinker ?
			 "most memory is dead, and somebody wants it: a shrinker" :
			 "most memory is dead, and somebody wants it: a limit");
}

int main(int argc, char **argv)
{
	int i, failures = 0, observer = gpu_open(), other = gpu_open_other();

	if (observer < 0) {
		printf("Bail out! no swgpu device\n");
		return 2;
	}
	/* Nothing may be left in the buffer when a case forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	if (argc > 1 && !strcmp(argv[1], "--broken"))
		return run_broken(observer, test_broken,
				  "a job notices that its memory was released");
	if (argc > 1 && !strcmp(argv[1], "--broken-copies"))
		return run_broken(observer, test_broken_copies,
				  "a copy notices that its memory has a new owner");
	if (argc > 1 && !strcmp(argv[1], "--unplug"))
		return run_unplug(observer, other);
	if (argc > 1 && !strcmp(argv[1], "--outlive"))
		return run_outlive(observer, other);
	if (argc > 1 && !strcmp(argv[1], "--clear"))
		return run_clear(observer);
	if (argc > 2 && !strncmp(argv[1], "--hog", 5))
		return run_hog(observer, atoi(argv[2]), !argv[1][5]);
	printf("1..%d\n", NR_CASES);
	printf("# mode: %s\n", gpu_stats(observer, 0).fence_lru ? "fence-ordered" :
	       "delayed delete");
	for (i = 0; i < NR_CASES; i++) {
		if (argc > 1 && !strstr(cases[i].name, argv[1])) {
			printf("ok %d - %s # SKIP not asked for\n", i + 1, cases[i].name);
			continue;
		}
		failures += !run_case(i, observer, other);
	}
	printf("# %d of %d failed\n", failures, NR_CASES);
	return failures ? 1 : 0;
}
