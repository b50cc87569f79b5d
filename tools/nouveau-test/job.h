/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* How jobs are made of commands, which differ from one family of cards to another. */
#ifndef JOB_H
#define JOB_H

#include "nv.h"

#define MAX_RELOCS	16

/**
 * struct job - a submission that is being made
 * @bos: used; the first is the push buffer
 * @nr_bos: how many
 * @relocs: words that the kernel fills in
 * @nr_relocs: how many
 */
struct job {
	struct drm_nouveau_gem_pushbuf_bo bos[NV_MAX_BOS + 1];
	unsigned int nr_bos;
	struct drm_nouveau_gem_pushbuf_reloc relocs[MAX_RELOCS];
	unsigned int nr_relocs;
};

/**
 * struct family - the commands of a family of cards
 * @alloc: what the request for a channel has to say
 * @set_up: makes what its semaphore takes, once
 * @semaphore: says which one it is, which is nothing that could be seen
 * @acquire: waits until the semaphore has the value
 * @release: writes the value to it
 * @copy: adds the commands of a copy of whole pages between two buffers of the job
 * @end: what there has to be behind the last command
 */
struct family {
	struct drm_nouveau_channel_alloc alloc;
	int (*set_up)(struct nv_channel *channel);
	void (*semaphore)(struct nv_channel *channel);
	void (*acquire)(struct nv_channel *channel, uint32_t value);
	void (*release)(struct nv_channel *channel, uint32_t value);
	int (*copy)(struct nv_channel *channel, struct job *job, struct nv_bo *from,
		    struct nv_bo *to, uint64_t size);
	void (*end)(struct nv_channel *channel);
};

/* Cards before NV50: nv04.c. Those with this copy engine: turing.c. */
extern const struct family nv04_family;
extern const struct family turing_family;

/* channel.c */
void job_put(struct nv_channel *channel, uint32_t word);
unsigned int job_add(struct job *job, const struct nv_bo *bo);
int job_object(struct nv_channel *channel, uint32_t handle, int class);

#endif
