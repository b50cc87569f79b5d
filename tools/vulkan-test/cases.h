/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is tested. */
#ifndef CASES_H
#define CASES_H

#include "vk.h"

/* cases.c */
void test_copy(struct gpu *gpu);
void test_timeline(struct gpu *gpu);
void test_sparse(struct gpu *gpu);
/* pressure.c */
void test_pressure(struct gpu *gpu);
void test_shared(struct gpu *gpu);
void test_hang(struct gpu *gpu);
/* A channel does nothing more, until it is released, or its job times out. */
bool hang_channel(unsigned int channel);
bool release_channel(unsigned int channel);
/* queues.c */
void test_queues(struct gpu *gpu);
void test_queue_hangs(struct gpu *gpu);
/* churn.c: so many processes make, use and free buffers until there were so many requests. */
bool churn(unsigned int processes, unsigned long requests);

#endif
