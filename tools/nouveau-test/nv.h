/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* nouveau's requests, one function for each; and channels that copy, and can be blocked. */
#ifndef NV_H
#define NV_H

#include <stdint.h>
#include <sys/types.h>

#include <nouveau_drm.h>

#include "check.h"
#include "node.h"

#define MIB		(1024 * 1024UL)

#define VRAM		NOUVEAU_GEM_DOMAIN_VRAM
#define GART		NOUVEAU_GEM_DOMAIN_GART

#define NV_MAX_BOS	16

struct family;

/**
 * struct nv_bo - a buffer
 * @handle: of its file
 * @size: in bytes
 * @domains: where it may be
 * @address: its own, on cards from NV50 on
 * @map: its contents, or NULL
 */
struct nv_bo {
	uint32_t handle;
	uint64_t size;
	uint32_t domains;
	uint64_t address;
	uint32_t *map;
};

/**
 * struct nv_channel - a channel that copies
 * @fd: its client
 * @family: of cards, whose commands it takes
 * @id: its number there
 * @push: what the commands are written to
 * @pos: where the next word goes
 * @start: where those that were not submitted yet begin
 * @notifier: a page of the channel's, with its semaphore
 * @semaphore: the word that it waits for
 * @blocks: how often it was blocked so far
 * @copies: it has the object that copies
 */
struct nv_channel {
	int fd;
	const struct family *family;
	int id;
	struct nv_bo push;
	unsigned int pos;
	unsigned int start;
	struct nv_bo notifier;
	volatile uint32_t *semaphore;
	uint32_t blocks;
	bool copies;
};

/* All return 0 or a negative errno, unless they say otherwise. nv.c */
int nv_open(void); /* a file descriptor */
uint64_t nv_param(int fd, uint64_t param);
uint64_t nv_vram_size(int fd);
uint64_t nv_vram_used(int fd);
/* No more is used than before, in the end. */
bool nv_vram_returns(int fd, uint64_t before);
bool nv_deletes_by_fence(void); /* with fence_lru=1 */
int nv_bo_create(int fd, uint64_t size, uint32_t domains, struct nv_bo *bo);
int nv_bo_map(int fd, struct nv_bo *bo);
int nv_bo_close(int fd, struct nv_bo *bo);
int nv_bo_export(int fd, const struct nv_bo *bo); /* a file descriptor of a dma-buf */
/* It is not mapped: what it is may not be ours to map. */
int nv_bo_import(int fd, int dma_buf, struct nv_bo *bo);
int nv_bo_wait(int fd, const struct nv_bo *bo); /* until nobody uses it */
int nv_bo_busy(int fd, const struct nv_bo *bo); /* -EBUSY if it is */
/* A buffer that is mapped: each word is another one, which depends on the seed. */
void nv_bo_fill(const struct nv_bo *bo, uint32_t seed);
bool nv_bo_holds(const struct nv_bo *bo, uint32_t seed);

/* channel.c */
int nv_channel_create(int fd, struct nv_channel *channel);
int nv_channel_destroy(struct nv_channel *channel);
/* The channel stops before its next job, until it is let go. */
void nv_block(struct nv_channel *channel);
void nv_unblock(struct nv_channel *channel);
/* Another process writes it, while this one may have to wait. Returns it. */
pid_t nv_write_later(volatile uint32_t *to, uint32_t value, uint64_t ns);
/* Another process does it, likewise. */
pid_t nv_unblock_later(struct nv_channel *channel, uint64_t ns);
/* A job that uses buffers, and does nothing with them. */
int nv_use(struct nv_channel *channel, struct nv_bo *const *bos, unsigned int nr);
int nv_use_one(struct nv_channel *channel, struct nv_bo *bo);
/* A job that writes to the semaphore. */
int nv_release(struct nv_channel *channel, uint32_t value);
/* A job that copies whole pages. */
int nv_copy(struct nv_channel *channel, struct nv_bo *from, struct nv_bo *to,
	    uint64_t size);

/* The cases: copy.c */
void test_copy(int fd);
void test_many_channels(int fd);
void test_order(int fd);
/* death.c */
void test_free_blocked(int fd);
void test_two_channels(int fd);
void test_killed_client(int fd);
void test_usage(int fd);
/* pressure.c */
void test_pressure(int fd);
void test_pressure_some(int fd);
void test_pressure_all(int fd);
void test_eviction(int fd);
void test_channel_in_full_vram(int fd);
/* contention.c */
void test_two_jobs(int fd);
/* memory.c: those that need no channel */
void test_memory(int fd);
void test_memory_of_two(int fd);
/* moves.c */
void test_move_read(int fd);
void test_close_read_twice(int fd);
/* unbind.c */
void test_unbind(void);
void test_unbind_channel(void);
void test_rebind(void);
void test_unbind_open(void);
void test_unbind_busy(void);

/*
 * figures.c: prints them, with so many buffers of a channel that is blocked. False if
 * something failed.
 */
bool nv_figures(int fd, unsigned int stuck);

#endif
