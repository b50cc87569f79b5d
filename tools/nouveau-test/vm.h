/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * An address space that the program manages itself, by VM_BIND; and a channel in it, that runs
 * what EXEC gives it. Turing's commands.
 */
#ifndef VM_H
#define VM_H

#include "nv.h"

/* Where the cases bind, and how much. */
#define AT(n)		(0x100000000UL + (n) * 0x10000000UL)
#define SIZE		(16 * PAGE)
#define PRIVATE		NOUVEAU_GEM_DOMAIN_NO_SHARE
#define STAGING		(GART | NOUVEAU_GEM_DOMAIN_COHERENT)

#define NONE	0	/* no syncobj */

/**
 * struct vm - an address space, with a channel
 * @fd: its client
 * @channel: its number there
 * @push: what commands are written to; its last word is a semaphore
 * @pos: where the next word goes
 * @start: where those that were not submitted yet begin
 * @semaphore: the word that jobs wait for
 * @blocks: how often the channel was blocked so far
 */
struct vm {
	int fd;
	int channel;
	struct nv_bo push;
	unsigned int pos;
	unsigned int start;
	volatile uint32_t *semaphore;
	uint32_t blocks;
};

/* All return 0 or a negative errno, unless they say otherwise. */
int vm_open(struct vm *vm, uint32_t engine);
/* A buffer, mapped for the CPU; and bound at @address, unless that is 0. */
int vm_bo(struct vm *vm, uint64_t size, uint32_t domains, uint64_t address, struct nv_bo *bo);
int vm_bind(struct vm *vm, const struct nv_bo *bo, uint64_t address);
int vm_bind_sparse(struct vm *vm, uint64_t address, uint64_t size);
int vm_unbind(struct vm *vm, uint64_t address, uint64_t size, uint32_t flags);
/* What one request does, all of it or nothing. */
struct drm_nouveau_vm_bind_op vm_op_bind(const struct nv_bo *bo, uint64_t address);
struct drm_nouveau_vm_bind_op vm_op_bind_sparse(uint64_t address, uint64_t size);
struct drm_nouveau_vm_bind_op vm_op_unbind(uint64_t address, uint64_t size, uint32_t flags);
int vm_bind_all(struct vm *vm, const struct drm_nouveau_vm_bind_op *ops, unsigned int nr);
/* Returns at once, and is done when @wait has signaled; signals @signal then. */
int vm_unbind_later(struct vm *vm, uint64_t address, uint64_t size, uint32_t wait,
		    uint32_t signal);

/* Commands of the next job. */
void vm_block(struct vm *vm);
void vm_copy(struct vm *vm, uint64_t to, uint64_t from, uint64_t size);
void vm_fill(struct vm *vm, uint64_t to, uint32_t value, uint64_t size);
/* Submits them. */
int vm_exec(struct vm *vm, uint32_t wait, uint32_t signal);
/* The same, and waits for it. */
int vm_run(struct vm *vm);
void vm_unblock(struct vm *vm);
/* Another process does it, while this one may have to wait. Returns it. */
pid_t vm_unblock_later(struct vm *vm, uint64_t ns);

uint32_t vm_syncobj(struct vm *vm);
/* -ETIME if it does not signal in time; 0 also if it signaled an error. */
int vm_wait(struct vm *vm, uint32_t syncobj, uint64_t ns);

/* vm-cases.c */
void test_vm_copy(int fd);
void test_vm_unbind_later(int fd);
void test_vm_new(int fd);
void test_vm_sparse(int fd);
void test_vm_fault(int fd);
void test_vm_hang(int fd);
void test_vm_eviction(int fd);
void test_vm_many(int fd);
void test_vm_killed(int fd);
void test_vm_hang_for_good(int fd);
/* vm-shared.c */
/* Memory of the machine as a dma-buf of another driver, of SIZE; mapped at @map. */
int make_udmabuf(uint32_t **map);
void test_vm_shared(int fd);
void test_vm_shared_busy(int fd);
void test_vm_imported(int fd);
/* vm-undo.c */
void test_vm_undo(int fd);
/* vm-pages.c */
void test_vm_cut_page(int fd);
void test_vm_cut(int fd);
void test_vm_replace(int fd);
void test_vm_replace_sparse(int fd);
/* vm-order.c */
void test_vm_order(int fd);
/* vm-tables.c */
void test_vm_tables(int fd);
/* vm-nomem.c */
void test_vm_no_memory(int fd);
/* sleep.c */
void test_sleep(int fd);
void test_sleep_vm(int fd);
void test_sleep_waiting(int fd);
void test_sleep_refused(int fd);
void test_sleep_runtime(int fd);

#endif
