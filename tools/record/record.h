/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_H
#define RECORD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What a handle names, as far as the recorder needs it. */
struct buffer {
	uint64_t size;
	uint64_t address;	/* in the GPU's address space */
	uint64_t map_offset;
	int fd;
	bool live;
	bool written_by_gpu;	/* it stays mapped: a semaphore may still be written */
	uint64_t last_use;	/* sequence number of a push; 0: none */
	uint64_t last_write;
	void *map;
};

/* The functions that lie below the recorder. */
struct real {
	int (*ioctl)(int fd, unsigned long request, void *arg);
	void *(*mmap)(void *start, size_t length, int prot, int flags, int fd, off_t offset);
	int (*close)(int fd);
	int (*setenv)(const char *name, const char *value, int overwrite);
};

extern struct real real;

uint64_t now_ns(void);

/* buffers.c: with the lock */
struct buffer *buffer_of(uint32_t handle);
uint32_t handle_at(int fd, uint64_t map_offset);
void *buffer_map(struct buffer *buffer);
void buffer_forget(struct buffer *buffer);
struct buffer *buffer_at(uint64_t address);

/* log.c: with the lock */
bool log_wanted(void);
bool log_open(const char *gpu);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_flush(void);
void log_forget(void);

/* gpu.c: with the lock */
struct drm_nouveau_gem_pushbuf;
bool gpu_is_modelled(void);
bool gpu_is_there(void);
const char *gpu_name(void);
void gpu_init(void);
void gpu_forget(void);
void gpu_submit(int fd, struct drm_nouveau_gem_pushbuf *push, uint64_t ns, uint64_t bytes);
void gpu_retire(uint64_t ns);
void gpu_wait(uint64_t seq);
bool gpu_is_done(uint64_t seq);
uint64_t gpu_done(void);
uint64_t gpu_submitted(void);

/* sync.c: with the lock */
void sync_give(uint32_t handle, uint64_t value, uint64_t seq);
void sync_forget(uint32_t handle);
void sync_forget_all(void);
uint64_t sync_seq(uint32_t handle, uint64_t value);

/* vm.c: with the lock; vm_wait() drops it meanwhile */
struct drm_nouveau_vm_bind;
struct drm_nouveau_exec;
void vm_forget(void);
void vm_log_init(int fd, uint64_t ns);
void vm_log_bind(int fd, const struct drm_nouveau_vm_bind *bind, uint64_t ns, int tid);
void vm_log_exec(int fd, const struct drm_nouveau_exec *exec, uint64_t ns, int tid);
int vm_wait(int fd, unsigned long request, void *arg, uint64_t ns, int tid);
void vm_note_sync(unsigned long request, const void *arg);

extern pthread_mutex_t record_mutex;
void record_lock(void);
void record_unlock(void);

#endif
