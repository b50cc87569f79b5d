// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A model of a GPU that lags behind: one engine, which does pushes in order. Each takes a
 * while, and a while more for each word of its commands. When it is done the semaphores that
 * it writes are written, so Mesa sees its fences signal when they should.
 */
#include "record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nouveau_drm.h>

#define RING 65536u
/* Commands that write a semaphore: those of 3D engines, with the size and the subchannel. */
#define METHOD_MASK 0xffff1fffu
#define QUERY_ADDRESS_HIGH 0x200406c0u
#define QUERY_ADDRESS_HIGH_OLD 0x00101b00u
#define QUERY_SHORT 0x10000000u
#define LENGTH_MASK 0x7fffffu
#define ADDRESS_HIGH_MASK 0xffffu

struct semaphore {
	uint32_t *at;
	uint32_t value;
	bool is_short;	/* without a time */
};

struct job {
	int fd;
	uint32_t channel;
	uint64_t end_ns;
	struct semaphore *semaphores;
	unsigned int nr_semaphores;
};

static struct job ring[RING];
static uint64_t submitted, done;	/* sequence numbers */
static uint64_t busy_until_ns;
static uint64_t base_ns, dword_ns;
static char name[64];
static bool is_there;	/* a GPU, which needs no model */
static bool has_thread;
static pthread_cond_t more;

bool gpu_is_modelled(void)
{
	return name[0] && !gpu_is_there();
}

bool gpu_is_there(void)
{
	return is_there;
}

const char *gpu_name(void)
{
	return name[0] ? name : "off";
}

uint64_t gpu_done(void)
{
	return done;
}

uint64_t gpu_submitted(void)
{
	return submitted;
}

bool gpu_is_done(uint64_t seq)
{
	return seq <= done;
}

/* RECORD_GPU="<ns for a push>,<ns for a word of it>" */
void gpu_init(void)
{
	const char *text = getenv("RECORD_GPU");
	pthread_condattr_t attr;
	const char *chip = getenv("RECORD_CHIP");
	char *end;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&more, &attr);
	is_there = chip && *chip == '1';
	if (!text || !*text)
		return;
	base_ns = strtoull(text, &end, 10);
	dword_ns = *end == ',' ? strtoull(end + 1, NULL, 10) : 0;
	snprintf(name, sizeof(name), "%llu,%llu", (unsigned long long)base_ns,
		 (unsigned long long)dword_ns);
}

/* After a fork: a child has no channel and no thread. */
void gpu_forget(void)
{
	if (!is_there)
		name[0] = '\0';
	has_thread = false;
}

static void write_semaphores(struct job *job)
{
	for (unsigned int i = 0; i < job->nr_semaphores; i++) {
		struct semaphore *s = &job->semaphores[i];

		if (!s->is_short) {
			memcpy(s->at + 2, &job->end_ns, sizeof(job->end_ns));
			s->at[1] = 0;
		}
		/* Whoever sees the value sees what is before it. */
		__atomic_store_n(s->at, s->value, __ATOMIC_RELEASE);
	}
	free(job->semaphores);
	job->semaphores = NULL;
}

/* All whose time has come become visible. */
void gpu_retire(uint64_t ns)
{
	while (done < submitted && ring[(done + 1) % RING].end_ns <= ns) {
		struct job *job = &ring[++done % RING];

		write_semaphores(job);
		log_line("%llu done %d %u %llu\n", (unsigned long long)job->end_ns, job->fd,
			 job->channel, (unsigned long long)done);
	}
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
}

/* Drops the lock meanwhile. */
void gpu_wait(uint64_t seq)
{
	while (!gpu_is_done(seq)) {
		struct timespec end = to_timespec(ring[seq % RING].end_ns);

		record_unlock();
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
		record_lock();
		gpu_retire(now_ns());
	}
}

/* So that somebody who looks into memory, and asks nothing, sees it, too. */
static void *thread(void *unused)
{
	record_lock();
	for (;;) {
		gpu_retire(now_ns());
		if (done == submitted) {
			pthread_cond_wait(&more, &record_mutex);
		} else {
			struct timespec end = to_timespec(ring[(done + 1) % RING].end_ns);

			pthread_cond_timedwait(&more, &record_mutex, &end);
		}
	}
	return unused;
}

static void add_semaphore(struct job *job, uint64_t address, uint32_t value, uint32_t how)
{
	struct buffer *buffer = buffer_at(address);
	struct semaphore *list;
	uint64_t offset;

	if (!buffer || !buffer_map(buffer))
		return;
	list = realloc(job->semaphores, (job->nr_semaphores + 1) * sizeof(*list));
	if (!list)
		return;
	job->semaphores = list;
	offset = address - buffer->address;
	buffer->written_by_gpu = true;
	list[job->nr_semaphores++] = (struct semaphore){
		.at = (uint32_t *)((char *)buffer->map + offset),
		.value = value,
		.is_short = how & QUERY_SHORT || offset + 16 > buffer->size,
	};
}

/* The semaphores that a piece of commands writes. */
static void scan(struct job *job, const uint32_t *words, size_t nr)
{
	for (size_t i = 0; i + 4 < nr; i++) {
		uint32_t method = words[i] & METHOD_MASK;

		if (method != QUERY_ADDRESS_HIGH && method != QUERY_ADDRESS_HIGH_OLD)
			continue;
		add_semaphore(job, (uint64_t)(words[i + 1] & ADDRESS_HIGH_MASK) << 32 | words[i + 2],
			      words[i + 3], words[i + 4]);
		i += 4;
	}
}

static void scan_all(struct job *job, struct drm_nouveau_gem_pushbuf *push)
{
	struct drm_nouveau_gem_pushbuf_bo *bos = (void *)(uintptr_t)push->buffers;
	struct drm_nouveau_gem_pushbuf_push *pieces = (void *)(uintptr_t)push->push;

	for (uint32_t i = 0; i < push->nr_push; i++) {
		struct buffer *buffer = buffer_of(bos[pieces[i].bo_index].handle);
		uint64_t length = pieces[i].length & LENGTH_MASK;

		if (!buffer || pieces[i].offset + length > buffer->size || !buffer_map(buffer))
			continue;
		scan(job, (uint32_t *)((char *)buffer->map + pieces[i].offset), length / 4);
	}
}

void gpu_submit(int fd, struct drm_nouveau_gem_pushbuf *push, uint64_t ns, uint64_t bytes)
{
	pthread_t id;
	struct job *job;

	if (submitted - done >= RING - 1)
		gpu_wait(done + 1);
	job = &ring[(submitted + 1) % RING];
	memset(job, 0, sizeof(*job));
	job->fd = fd;
	job->channel = push->channel;
	scan_all(job, push);
	if (busy_until_ns < ns)
		busy_until_ns = ns;
	busy_until_ns += base_ns + dword_ns * (bytes / 4);
	job->end_ns = busy_until_ns;
	submitted++;
	if (!has_thread && !pthread_create(&id, NULL, thread, NULL)) {
		has_thread = true;
		pthread_detach(id);
	}
	pthread_cond_signal(&more);
}
