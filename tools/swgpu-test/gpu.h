/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "node.h"
#include "swgpu_drm.h"

#define VRAM		SWGPU_DOMAIN_VRAM
#define GTT		SWGPU_DOMAIN_GTT
#define READ		SWGPU_BO_READ
#define WRITE		SWGPU_BO_WRITE

/* All return 0 or a negative errno, unless they say otherwise. */
int gpu_open(void); /* a file descriptor */
int gpu_open_other(void); /* of the second device */
/* Of the platform device, as "swgpu.0". False if it cannot be found out. */
bool gpu_device_name(int fd, char *name, size_t size);

int gpu_create(int fd, uint64_t size, uint32_t domains, uint32_t *handle);
int gpu_close(int fd, uint32_t handle);
int gpu_export(int fd, uint32_t handle); /* a file descriptor */
int gpu_import(int fd, int dma_buf, uint32_t *handle);
/* Of what writes a buffer: a file descriptor, to be put into another buffer. */
int gpu_export_fence(int fd, uint32_t handle);
int gpu_import_fence(int fd, uint32_t handle, int fence);
void *gpu_map(int fd, uint32_t handle, uint64_t size); /* NULL if it fails */
int gpu_wait(int fd, uint32_t handle, uint32_t flags, uint64_t timeout_ns);

int gpu_vm(int fd, uint32_t *vm);
int gpu_vm_destroy(int fd, uint32_t vm);
int gpu_vm_bind(int fd, uint32_t handle, uint32_t bind);
int gpu_create_private(int fd, uint32_t vm, uint64_t size, uint32_t domains, uint32_t *handle);

int gpu_channel(int fd, uint32_t *channel);
int gpu_channel_destroy(int fd, uint32_t channel);
int gpu_fault(int fd, uint32_t channel, uint32_t fault);
bool gpu_copies_async(int fd);
int gpu_submit(int fd, uint32_t channel, struct drm_swgpu_submit_bo *bos, uint32_t nr,
	       uint64_t duration_ns, uint64_t *seqno);
/* a job that uses a VM's buffers, too */
int gpu_submit_vm(int fd, uint32_t channel, uint32_t vm, uint32_t vm_flags,
		  struct drm_swgpu_submit_bo *bos, uint32_t nr, uint64_t duration_ns);
/* a job with one buffer */
int gpu_use(int fd, uint32_t channel, uint32_t handle, uint32_t flags, uint32_t domains,
	    uint64_t duration_ns);

struct drm_swgpu_stats gpu_stats(int fd, uint32_t flags);
int gpu_drain(int fd);
/* Drains until no more than @zombies are left, five seconds at most. */
bool gpu_drain_to(int fd, uint64_t zombies);
/* Waits until there are no more than @buffers, five seconds at most. */
bool gpu_buffers_fall_to(int fd, uint64_t buffers);

#define NR_QUARTERS	4

/**
 * struct full - VRAM full of buffers of a quarter each, with contents, all idle
 * @size: of each
 * @channel: that used them
 * @handles: of them
 * @maps: their contents
 */
struct full {
	uint64_t size;
	uint32_t channel;
	uint32_t handles[NR_QUARTERS];
	uint64_t *maps[NR_QUARTERS];
};

bool full_make(int fd, struct full *f);
void full_unmap(struct full *f);
/* What was written when they were made is there. Unmaps them. */
void full_check(struct full *f);

/* The cases: args.c */
void test_bad_create(int fd);
void test_bad_map_and_wait(int fd);
void test_bad_channels(int fd);
void test_bad_play(int fd);
void test_play(int fd);
void test_play_unknown(int fd);
void test_bad_submit(int fd);
void test_bad_stats(int fd);
/* memory.c */
void test_map(int fd);
void test_map_outlives_handle(int fd);
void test_eviction(int fd);
void test_too_much(int fd);
void test_pressure(int fd);
/* other-cpu.c */
void test_other_cpu(int fd);
/* jobs.c */
void test_shared(int fd);
void test_wait(int fd);
void test_order(int fd);
void test_channel_limit(int fd);
void test_device_channel_limit(int fd);
void test_full_queue(int fd);
void test_stats(int fd);
/* stress.c */
/* So many at once; each exits with what @run returns, which is to be 0. */
void run_children(int nr, int (*run)(int seed, void *shared), void *shared);
void test_stress(int fd);
void test_stress_halves(int fd);
/* death.c */
void test_free_busy(int fd);
void test_hang(int fd);
void test_many_stuck(int fd);
void test_many_die_hung(int fd);
void test_kill(int fd);
void test_kill_dependency(int fd);
void test_exit(int fd);
void test_broken(int fd);
/* victims.c */
void test_signals(int fd);
void test_over_committed(int fd);
void test_swap_import(int fd);
void test_each_other(int fd);
void test_evict_members(int fd);
/* copy.c */
void test_pipelined(int fd);
void test_pipelined_death(int fd);
void test_moving_death(int fd);
void test_copy_hung_twice(int fd);
void test_copy_hang_race(int fd);
void test_broken_copies(int fd);
/* prime.c: these want a second device */
void test_prime_self(int fd);
void test_prime_jobs(int fd);
void test_prime_bad(int fd);
void test_prime_compositor(int fd);
void test_prime_die_busy(int fd);
void test_prime_die_hung(int fd);
void test_prime_exporter_busy(int fd);
void test_prime_exit(int fd);
/* stress-share.c: so does this */
void test_stress_share(int fd);
/* foreign.c: so do these */
void test_foreign_job(int fd);
void test_foreign_death(int fd);
void test_foreign_killed(int fd);
void test_foreign_pressure(int fd);
/* usage.c */
void test_killed_client(int fd);
void test_killed_channel(int fd);
void test_channels_file(int fd);
void test_fdinfo(int fd);
/* suspend.c */
int suspend_device(int fd); /* and resume it, through debugfs */
void test_suspend(int fd);
void test_suspend_load(int fd);
void test_suspend_hung(int fd);
void test_suspend_hung_gtt(int fd);
void test_suspend_hung_copy(int fd);
void test_suspend_hung_engine(int fd);
void test_suspend_all_hung(int fd);
/* killed.c */
void test_killed_moving(int fd);
void test_killed_waiting(int fd);
void test_killed_creating(int fd);
void test_killed_submitting(int fd);
void test_killed_parent(int fd);
/* killed-share.c */
void test_killed_exporter(int fd);
void test_killed_importer(int fd);
void test_killed_in_fault(int fd);
/* fault.c */
void test_fault_signal(int fd);
void test_fault_unmap(int fd);
/* reset.c */
void test_reset(int fd);
void test_reset_renewed(int fd);
void test_reset_running(int fd);
void test_reset_copies(int fd);
void test_kill_the_waited_for(int fd);
void test_import_waits_alone(int fd);
void test_kill_behind_copies(int fd);
void test_failed_moves(int fd);
/* vm.c */
void test_vm_bad(int fd);
void test_vm_jobs(int fd);
void test_vm_unbind(int fd);
void test_vm_eviction(int fd);
void test_vm_too_much(int fd);
void test_vm_die_busy(int fd);
void test_vm_mapped(int fd);
void test_vm_killed(int fd);
void test_vm_suspend(int fd);
void test_vm_stress(int fd);
/* nomem.c */
void test_no_memory(int fd);
/* dmem.c: these want a kernel that charges cgroups for memory of devices */
void test_dmem_zombies(int fd);
void test_dmem_foreign_zombies(int fd);
void test_dmem_evict_idle(int fd);
void test_dmem_evict_busy(int fd);
void test_dmem_protected(int fd);
void test_dmem_lower(int fd);
void test_dmem_lower_queued(int fd);
void test_dmem_lower_protected(int fd);
void test_dmem_lower_low(int fd);
void test_dmem_not_held_back(int fd);
void test_dmem_lower_hung(int fd);
void test_dmem_removed(int fd);
/* memcg.c, charged.c: these want a kernel that charges cgroups for its memory */
void test_memcg_jobs(int fd);
void test_memcg_limit(int fd);
void test_memcg_kept(int fd);
/* hog.c */
void test_hog(int fd, unsigned int mib, bool shrinker);
/* clear.c */
void test_clear(int fd);
/* unplug.c */
void test_unplug(void);
/* outlive.c */
void test_outlive(int fd);
/* unplug-load.c */
void test_unplug_load(void);

#endif
