/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Allocations that fail on purpose: the n-th one that a task makes, by /proc/self/fail-nth. */
#ifndef FAIL_H
#define FAIL_H

#include <stdbool.h>

/* Of all allocations, those that may wait for memory included. False if the kernel cannot. */
bool let_allocations_fail(void);
/* A file descriptor for the calling task, or negative. */
int fail_open(void);
/* The n-th allocation from here on fails; none if @n is 0. */
void fail_nth(int fail, int n);
/* None fails any more. True if one did. */
bool fail_none(int fail);

#endif
