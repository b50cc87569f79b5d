// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * record: what a program asks Mesa's nouveau driver for, that asks the kernel.
 *
 * To be preloaded before Mesa's libnouveau_noop_drm_shim.so, which stands for a kernel with a
 * GPU. RECORD_TO=<file> is where the recording goes, with the process's number after it;
 * RECORD_GPU=<ns for a push>,<ns for a word of it> is how fast the GPU is, and without it
 * everything is done at once. With RECORD_CHIP=1 there is a GPU below: it is asked for everything,
 * and RECORD_GPU only goes into the recording, for the replay.
 */
#define _GNU_SOURCE
#include "record.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <nouveau_drm.h>

#define NOUVEAU(nr) (DRM_COMMAND_BASE + (nr))
#define MAX_FD 4096
#define FLUSH_NS 1000000000u

struct real real;
/* Also held while the shim does its work: the recording is in the order of execution. */
pthread_mutex_t record_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_gpu[MAX_FD];
static uint64_t pushes;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void record_lock(void)
{
	pthread_mutex_lock(&record_mutex);
}

void record_unlock(void)
{
	pthread_mutex_unlock(&record_mutex);
}

/* What is in the file's buffer would be the child's as well, and be written twice. */
static void before_fork(void)
{
	record_lock();
	log_flush();
}

/* A child has its own recording, if it asks a GPU for something at all. */
static void forget(void)
{
	pthread_mutex_init(&record_mutex, NULL);
	log_forget();
	gpu_forget();
	vm_forget();
}

static void init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	real.ioctl = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	real.mmap = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	real.close = (int (*)(int))dlsym(RTLD_NEXT, "close");
	real.setenv = (int (*)(const char *, const char *, int))dlsym(RTLD_NEXT, "setenv");
	gpu_init();
	pthread_atfork(before_fork, record_unlock, forget);
}

__attribute__((constructor)) static void begin(void)
{
	init();
}

__attribute__((destructor)) static void end(void)
{
	log_flush();
}

static int thread_id(void)
{
	static __thread int id;

	if (!id)
		id = (int)syscall(SYS_gettid);
	return id;
}

typedef unsigned long long u64;

static void log_push(uint64_t ns, int fd, const struct drm_nouveau_gem_pushbuf *push,
		     uint64_t bytes)
{
	const struct drm_nouveau_gem_pushbuf_bo *bos = (void *)(uintptr_t)push->buffers;

	log_line("%llu push %d %u %llu %u %u %llu %u %d", (u64)ns, fd, push->channel, (u64)pushes,
		 push->nr_buffers, push->nr_push, (u64)bytes, push->nr_relocs, thread_id());
	for (uint32_t i = 0; i < push->nr_buffers; i++)
		log_line(" %u:%x:%x:%x", bos[i].handle, bos[i].read_domains, bos[i].write_domains,
			 bos[i].valid_domains);
	log_line("\n");
}

static int push(int fd, unsigned long request, struct drm_nouveau_gem_pushbuf *push, uint64_t ns)
{
	struct drm_nouveau_gem_pushbuf_bo *bos = (void *)(uintptr_t)push->buffers;
	struct drm_nouveau_gem_pushbuf_push *pieces = (void *)(uintptr_t)push->push;
	bool sync = push->vram_available & NOUVEAU_GEM_PUSHBUF_SYNC;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < push->nr_push; i++)
		bytes += pieces[i].length & 0x7fffff;
	pushes++;
	log_push(ns, fd, push, bytes);
	for (uint32_t i = 0; i < push->nr_buffers; i++) {
		struct buffer *buffer = buffer_of(bos[i].handle);

		if (!buffer)
			continue;
		buffer->last_use = pushes;
		if (bos[i].write_domains)
			buffer->last_write = pushes;
	}
	if (gpu_is_modelled()) {
		gpu_submit(fd, push, ns, bytes);
		if (sync)
			gpu_wait(pushes);
	}
	return real.ioctl(fd, request, push);
}

/* A GPU that is there makes the program wait; others may go on meanwhile. */
static int prepare_there(int fd, struct drm_nouveau_gem_cpu_prep *prep, uint64_t ns)
{
	int ret, error;

	record_unlock();
	ret = real.ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_CPU_PREP, prep);
	error = ret ? errno : 0;
	record_lock();
	log_line("%llu prep %d %u %x 0 %llu %d %d\n", (u64)ns, fd, prep->handle, prep->flags,
		 (u64)(now_ns() - ns), error, thread_id());
	errno = error;
	return ret;
}

/* The shim waits for nothing: the model does. */
static int prepare(int fd, const struct drm_nouveau_gem_cpu_prep *prep, uint64_t ns)
{
	bool write = prep->flags & NOUVEAU_GEM_CPU_PREP_WRITE;
	struct buffer *buffer = buffer_of(prep->handle);
	uint64_t seq = !buffer ? 0 : write ? buffer->last_use : buffer->last_write;
	int error = 0;

	if (gpu_is_modelled() && !gpu_is_done(seq)) {
		if (prep->flags & NOUVEAU_GEM_CPU_PREP_NOWAIT)
			error = EBUSY;
		else
			gpu_wait(seq);
	}
	log_line("%llu prep %d %u %x %llu %llu %d %d\n", (u64)ns, fd, prep->handle, prep->flags,
		 (u64)seq, (u64)(now_ns() - ns), error, thread_id());
	errno = error;
	return error ? -1 : 0;
}

/* A kernel answers where a buffer is, not where it may be; nor that it is private. */
static uint32_t wanted_domains(unsigned int nr, const void *arg)
{
	const struct drm_nouveau_gem_new *new = arg;

	return nr == NOUVEAU(DRM_NOUVEAU_GEM_NEW) ? new->info.domain : 0;
}

static void made(int fd, const struct drm_nouveau_gem_new *new, uint32_t wanted, uint64_t ns)
{
	struct buffer *buffer = buffer_of(new->info.handle);

	if (buffer) {
		buffer_forget(buffer);
		buffer->size = new->info.size;
		buffer->address = new->info.offset;
		buffer->map_offset = new->info.map_handle;
		buffer->fd = fd;
		buffer->live = true;
	}
	log_line("%llu new %d %u %llu %x %u %x %x %d\n", (u64)ns, fd, new->info.handle,
		 (u64)new->info.size, gpu_is_there() ? wanted : new->info.domain, new->align, new->info.tile_mode,
		 new->info.tile_flags, thread_id());
}

static void closed(int fd, uint32_t handle, uint64_t ns)
{
	struct buffer *buffer = buffer_of(handle);
	uint64_t last = buffer ? buffer->last_use : 0;
	int busy = gpu_is_modelled() ? !gpu_is_done(last) : -1;

	if (buffer)
		buffer_forget(buffer);
	log_line("%llu close %d %u %llu %d %d\n", (u64)ns, fd, handle, (u64)last, busy, thread_id());
}

/* Of a buffer that was imported: how large it is. */
static void told(int fd, const struct drm_nouveau_gem_info *info, uint64_t ns)
{
	struct buffer *buffer = buffer_of(info->handle);

	if (buffer) {
		buffer->size = info->size;
		buffer->address = info->offset;
		buffer->map_offset = info->map_handle;
		buffer->fd = fd;
		buffer->live = true;
	}
	log_line("%llu info %d %u %llu %x\n", (u64)ns, fd, info->handle, (u64)info->size, info->domain);
}

/* What succeeded. */
static void log_done(int fd, unsigned int nr, void *arg, uint32_t wanted, uint64_t ns)
{
	struct drm_nouveau_channel_alloc *alloc = arg;
	struct drm_prime_handle *prime = arg;

	switch (nr) {
	case NOUVEAU(DRM_NOUVEAU_GEM_NEW):
		made(fd, arg, wanted, ns);
		break;
	case NOUVEAU(DRM_NOUVEAU_GEM_INFO):
		told(fd, arg, ns);
		break;
	case 0x09:
		closed(fd, ((struct drm_gem_close *)arg)->handle, ns);
		break;
	case NOUVEAU(DRM_NOUVEAU_CHANNEL_ALLOC):
		log_line("%llu chan %d %d %u\n", (u64)ns, fd, alloc->channel,
			 alloc->notifier_handle);
		break;
	case NOUVEAU(DRM_NOUVEAU_CHANNEL_FREE):
		log_line("%llu chanfree %d %d\n", (u64)ns, fd,
			 ((struct drm_nouveau_channel_free *)arg)->channel);
		break;
	case NOUVEAU(DRM_NOUVEAU_VM_INIT):
		vm_log_init(fd, ns);
		break;
	case NOUVEAU(DRM_NOUVEAU_VM_BIND):
		vm_log_bind(fd, arg, ns, thread_id());
		break;
	case NOUVEAU(DRM_NOUVEAU_EXEC):
		vm_log_exec(fd, arg, ns, thread_id());
		break;
	case 0x2d:
		log_line("%llu export %d %u %d\n", (u64)ns, fd, prime->handle, prime->fd);
		break;
	case 0x2e:
		log_line("%llu import %d %d %u\n", (u64)ns, fd, prime->fd, prime->handle);
		break;
	default:
		log_line("%llu other %d %x\n", (u64)ns, fd, nr);
	}
}

static int ask(int fd, unsigned long request, void *arg)
{
	unsigned int nr = _IOC_NR(request);
	uint32_t wanted = wanted_domains(nr, arg);
	uint64_t ns = now_ns();
	int ret;

	if (fd >= 0 && fd < MAX_FD && nr >= DRM_COMMAND_BASE)
		is_gpu[fd] = true;
	if (gpu_is_modelled())
		gpu_retire(ns);
	if (nr == NOUVEAU(DRM_NOUVEAU_GEM_CPU_PREP))
		return gpu_is_there() ? prepare_there(fd, arg, ns) : prepare(fd, arg, ns);
	if (nr == NOUVEAU(DRM_NOUVEAU_GEM_PUSHBUF))
		return push(fd, request, arg, ns);
	if (request == DRM_IOCTL_SYNCOBJ_WAIT || request == DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT)
		return vm_wait(fd, request, arg, ns, thread_id());
	ret = real.ioctl(fd, request, arg);
	if (!ret)
		vm_note_sync(request, arg);
	if (ret)
		log_line("%llu fail %d %x %d\n", (u64)ns, fd, nr, errno);
	else
		log_done(fd, nr, arg, wanted, ns);
	return ret;
}

/* The program may be ended by a signal: little is to be lost. */
static void flush_now_and_then(void)
{
	static uint64_t last;
	uint64_t ns = now_ns();

	if (ns - last > FLUSH_NS) {
		last = ns;
		log_flush();
	}
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret, error;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	init();
	if (_IOC_TYPE(request) != DRM_IOCTL_BASE || !log_wanted())
		return real.ioctl(fd, request, arg);
	record_lock();
	log_open(gpu_name());
	ret = ask(fd, request, arg);
	error = errno;
	flush_now_and_then();
	record_unlock();
	errno = error;
	return ret;
}

/* Mesa's fences are to lag behind. */
__attribute__((visibility("default"))) int setenv(const char *name, const char *value, int overwrite)
{
	init();
	if (gpu_is_modelled() && !strcmp(name, "NOUVEAU_DISABLE_FENCES"))
		return 0;
	return real.setenv(name, value, overwrite);
}

__attribute__((visibility("default"))) int close(int fd)
{
	uint64_t ns = now_ns();
	int ret;

	init();
	if (fd < 0 || fd >= MAX_FD || !is_gpu[fd])
		return real.close(fd);
	record_lock();
	ret = real.close(fd);
	is_gpu[fd] = false;
	log_line("%llu fdclose %d\n", (u64)ns, fd);
	record_unlock();
	return ret;
}

static void *map(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
	uint64_t ns;
	void *result;

	/* Memory is mapped before anything is set up. */
	if (!real.mmap || fd < 0)
		return (void *)syscall(SYS_mmap, start, length, prot, flags, fd, offset);
	if (fd >= MAX_FD || !is_gpu[fd])
		return real.mmap(start, length, prot, flags, fd, offset);
	ns = now_ns();
	result = real.mmap(start, length, prot, flags, fd, offset);
	if (result == (void *)-1)
		return result;
	record_lock();
	log_line("%llu map %d %u %zu\n", (u64)ns, fd, handle_at(fd, (uint64_t)offset), length);
	record_unlock();
	return result;
}

__attribute__((visibility("default"))) void *mmap(void *start, size_t length, int prot, int flags,
						  int fd, off_t offset)
{
	return map(start, length, prot, flags, fd, offset);
}

__attribute__((visibility("default"))) void *mmap64(void *start, size_t length, int prot, int flags,
						    int fd, off_t offset)
{
	return map(start, length, prot, flags, fd, offset);
}

/* At the end of a frame, by the library that stands for a window system. */
__attribute__((visibility("default"))) void record_frame(unsigned long number)
{
	uint64_t ns = now_ns();

	record_lock();
	if (gpu_is_modelled())
		gpu_retire(ns);
	log_line("%llu frame %lu %llu %llu\n", (u64)ns, number, (u64)pushes,
		 (u64)(gpu_is_modelled() ? gpu_done() : pushes));
	record_unlock();
}
