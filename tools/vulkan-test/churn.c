// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Many buffers that are made, written, read and freed, in several processes at once. A buffer's
 * bytes are checked before it is freed; jobs of others are under way then, in the same address
 * space. Each second one is read where it is bound a second time, in a sparse buffer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "vram.h"

/* So many buffers of a process, half of which exist at a time. */
#define NR_SLOTS	64
#define BLOCK		(64 * KIB)
#define MAX_BLOCKS	6
#define MAX_SIZE	(MAX_BLOCKS * BLOCK)
/* Copies that are under way, for each direction. */
#define NR_STAGING	3

#define MAX_PROCESSES	16

/**
 * struct thing - a buffer with what is in it
 * @buffer: there is none if its size is 0
 * @tag: its contents
 */
struct thing {
	struct buffer buffer;
	uint32_t tag;
};

/**
 * struct staging - memory that a copy goes through
 * @buffer: of the largest size
 * @job: that uses it
 * @thing: that is being read, and freed when it was checked
 */
struct staging {
	struct buffer buffer;
	uint64_t job;
	struct thing thing;
};

/**
 * struct churn - a process
 * @gpu: its device
 * @random: what it does next
 * @things: its buffers
 * @in: what is being written
 * @out: what is being read
 * @steps: how many it has done
 * @sparse: where each thing has a place to be bound at
 * @lives: buffers that were checked and freed
 * @bytes: of these
 */
struct churn {
	struct gpu gpu;
	unsigned int random;
	struct thing things[NR_SLOTS];
	struct staging in[NR_STAGING];
	struct staging out[NR_STAGING];
	unsigned int steps;
	struct buffer sparse;
	unsigned long lives;
	unsigned long bytes;
};

static bool good(VkResult result, const char *what)
{
	if (result != VK_SUCCESS)
		printf("# %d: %s: %d\n", getpid(), what, result);
	return result == VK_SUCCESS;
}

static bool begin(struct churn *churn, unsigned int seed)
{
	unsigned int i;

	memset(churn, 0, sizeof(*churn));
	churn->random = seed;
	if (!good(gpu_open(&churn->gpu), "a device") ||
	    !good(buffer_create_sparse(&churn->gpu, NR_SLOTS * MAX_SIZE, &churn->sparse),
		  "a sparse buffer"))
		return false;
	for (i = 0; i < NR_STAGING; i++)
		if (!good(buffer_create(&churn->gpu, MAX_SIZE, STAGING, &churn->in[i].buffer),
			  "memory to write from") ||
		    !good(buffer_create(&churn->gpu, MAX_SIZE, STAGING, &churn->out[i].buffer),
			  "memory to read to"))
			return false;
	return true;
}

/* A new buffer, with contents of its own; the job may still be to come. */
static bool make(struct churn *churn, struct thing *thing)
{
	struct staging *staging = &churn->in[churn->steps % NR_STAGING];
	VkDeviceSize size = (rand_r(&churn->random) % MAX_BLOCKS + 1) * BLOCK;
	enum kind kind = rand_r(&churn->random) % 4 ? LOCAL : LOCAL_MAPPED;
	struct buffer part = staging->buffer;

	if (!good(buffer_create(&churn->gpu, size, kind, &thing->buffer), "a buffer") ||
	    !good(job_wait(&churn->gpu, staging->job), "a job that wrote"))
		return false;
	thing->tag = rand_r(&churn->random);
	part.size = size;
	buffer_fill(&part, thing->tag);
	if (!good(job_copy(&churn->gpu, &staging->buffer, &thing->buffer, size), "a copy to it"))
		return false;
	staging->job = churn->gpu.submitted;
	return true;
}

/* The bytes are there: are they right? Then the buffer goes, whatever else the queue does. */
static bool finish_reading(struct churn *churn, struct staging *staging)
{
	struct thing *thing = &staging->thing;
	VkDeviceSize size = thing->buffer.size;

	if (!size)
		return true;
	if (!good(job_wait(&churn->gpu, staging->job), "a job that read"))
		return false;
	if (!buffer_holds(&staging->buffer, size, thing->tag)) {
		printf("# %d: a buffer of %lu bytes holds something else\n", getpid(),
		       (unsigned long)size);
		return false;
	}
	churn->lives++;
	churn->bytes += size;
	buffer_destroy(&churn->gpu, &thing->buffer);
	return true;
}

static bool read_directly(struct churn *churn, struct thing *thing, struct staging *staging)
{
	return good(job_copy(&churn->gpu, &thing->buffer, &staging->buffer, thing->buffer.size),
		    "a copy from it");
}

static bool read_where_bound(struct churn *churn, struct thing *thing, struct staging *staging)
{
	VkDeviceSize at = (thing - churn->things) * MAX_SIZE, size = thing->buffer.size;
	struct gpu *gpu = &churn->gpu;

	return good(job_bind(gpu, &churn->sparse, at, size, thing->buffer.memory), "a bind") &&
	       good(job_copy_from(gpu, &churn->sparse, at, &staging->buffer, size),
		    "a copy from where it is bound");
}

static bool unbind(struct churn *churn, struct thing *thing)
{
	VkDeviceSize at = (thing - churn->things) * MAX_SIZE;

	return good(job_bind(&churn->gpu, &churn->sparse, at, thing->buffer.size, VK_NULL_HANDLE),
		    "an unbind");
}

static bool begin_reading(struct churn *churn, struct thing *thing)
{
	struct staging *staging = &churn->out[churn->steps % NR_STAGING];
	bool sparse = rand_r(&churn->random) % 2;

	if (!finish_reading(churn, staging))
		return false;
	if (!(sparse ? read_where_bound(churn, thing, staging) && unbind(churn, thing) :
		       read_directly(churn, thing, staging)))
		return false;
	staging->job = churn->gpu.submitted;
	staging->thing = *thing;
	thing->buffer.size = 0;
	return true;
}

static bool step(struct churn *churn)
{
	struct thing *thing = &churn->things[rand_r(&churn->random) % NR_SLOTS];

	churn->steps++;
	return thing->buffer.size ? begin_reading(churn, thing) : make(churn, thing);
}

static bool finish(struct churn *churn)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++)
		if (churn->things[i].buffer.size && churn->steps++ &&
		    !begin_reading(churn, &churn->things[i]))
			return false;
	for (i = 0; i < NR_STAGING; i++)
		if (!finish_reading(churn, &churn->out[i]))
			return false;
	for (i = 0; i < NR_STAGING; i++) {
		buffer_destroy(&churn->gpu, &churn->in[i].buffer);
		buffer_destroy(&churn->gpu, &churn->out[i].buffer);
	}
	buffer_destroy(&churn->gpu, &churn->sparse);
	gpu_close(&churn->gpu);
	return true;
}

static unsigned long asked_for(const struct requests *requests)
{
	return requests->binds + requests->execs;
}

static bool run(unsigned int seed, const struct requests *requests, unsigned long nr)
{
	static struct churn churn;

	if (!begin(&churn, seed))
		return false;
	while (asked_for(requests) < nr)
		if (!step(&churn))
			return false;
	if (!finish(&churn))
		return false;
	printf("# process %u: %lu buffers, %lu MiB, all as written\n", seed, churn.lives,
	       churn.bytes / MIB);
	return true;
}

static pid_t start(unsigned int seed, const struct requests *requests, unsigned long nr)
{
	pid_t pid = fork();

	if (!pid)
		exit(!run(seed, requests, nr));
	return pid;
}

static bool wait_for(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && !status;
}

bool churn(unsigned int processes, unsigned long nr)
{
	struct requests *requests = count_requests();
	pid_t pids[MAX_PROCESSES], other = squeeze(8);
	bool passed = true;
	unsigned int i;

	for (i = 0; i < processes && i < MAX_PROCESSES; i++)
		pids[i] = start(i + 1, requests, nr);
	while (i--)
		passed = wait_for(pids[i]) && passed;
	stop(other);
	printf("# figure: VM_BIND requests: %lu\n", requests->binds);
	printf("# figure: what they bind and unbind: %lu\n", requests->ops);
	printf("# figure: EXEC requests: %lu\n", requests->execs);
	print_times(requests);
	return passed && asked_for(requests) >= nr;
}
