// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Turing: buffers have addresses, and a copy engine copies. The methods of semaphores are
 * those of Fermi, which Turing's channels still have.
 */
#include "job.h"

#define OBJ_COPY	0xd800c5b5
#define CLASS_COPY	0xc5b5
#define SUBCHANNEL	4

/* Methods of all channels */
#define SET_OBJECT	0x0000
#define SEMAPHORE	0x0010	/* address, its halves; value; what to do */
#define   ACQUIRE	0x00001001	/* others may run meanwhile */
#define   RELEASE	0x01000002	/* a word */
/* Methods of the copy engine */
#define OFFSET_IN	0x0400	/* and all that follows to the number of lines */
#define LAUNCH		0x0300
#define   LINES		0x00000386	/* pitch-linear, several, flushed when done */

static void method(struct nv_channel *channel, unsigned int subchannel, unsigned int first,
		   unsigned int count)
{
	job_put(channel, 1u << 29 | count << 16 | subchannel << 13 | first >> 2);
}

static void put_address(struct nv_channel *channel, uint64_t address)
{
	job_put(channel, address >> 32);
	job_put(channel, address);
}

static int set_up(struct nv_channel *channel)
{
	channel->semaphore = channel->notifier.map;
	return 0;
}

static void put_semaphore(struct nv_channel *channel)
{
	method(channel, 0, SEMAPHORE, 2);
	put_address(channel, channel->notifier.address);
}

static void put_operation(struct nv_channel *channel, uint32_t value, uint32_t operation)
{
	method(channel, 0, SEMAPHORE, 4);
	put_address(channel, channel->notifier.address);
	job_put(channel, value);
	job_put(channel, operation);
}

static void put_acquire(struct nv_channel *channel, uint32_t value)
{
	put_operation(channel, value, ACQUIRE);
}

static void put_release(struct nv_channel *channel, uint32_t value)
{
	put_operation(channel, value, RELEASE);
}

static void put_nothing(struct nv_channel *channel)
{
	(void)channel;
}

static int make_copy(struct nv_channel *channel)
{
	int ret;

	if (channel->copies)
		return 0;
	ret = job_object(channel, OBJ_COPY, CLASS_COPY);
	if (ret)
		return ret;
	channel->copies = true;
	method(channel, SUBCHANNEL, SET_OBJECT, 1);
	job_put(channel, CLASS_COPY);
	return 0;
}

static int put_copy(struct nv_channel *channel, struct job *job, struct nv_bo *from,
		    struct nv_bo *to, uint64_t size)
{
	int ret = make_copy(channel);

	if (ret)
		return ret;
	job->bos[job_add(job, from)].write_domains = 0;
	job_add(job, to);
	method(channel, SUBCHANNEL, OFFSET_IN, 8);
	put_address(channel, from->address);
	put_address(channel, to->address);
	job_put(channel, PAGE);
	job_put(channel, PAGE);
	job_put(channel, PAGE);
	job_put(channel, size / PAGE);
	method(channel, SUBCHANNEL, LAUNCH, 1);
	job_put(channel, LINES);
	return 0;
}

const struct family turing_family = {
	.set_up = set_up,
	.semaphore = put_semaphore,
	.acquire = put_acquire,
	.release = put_release,
	.copy = put_copy,
	.end = put_nothing,
};
