// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Allocations that fail on purpose. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "fail.h"
#include "node.h"

#define SLAB	"/sys/kernel/debug/failslab/"
#define PAGES	"/sys/kernel/debug/fail_page_alloc/"

bool let_allocations_fail(void)
{
	return write_file(SLAB "ignore-gfp-wait", "N") &&
	       write_file(SLAB "verbose", "0") &&
	       write_file(PAGES "ignore-gfp-wait", "N") &&
	       write_file(PAGES "min-order", "0") &&
	       write_file(PAGES "verbose", "0");
}

int fail_open(void)
{
	return open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
}

void fail_nth(int fail, int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	check_is(pwrite(fail, text, length, 0), length);
}

bool fail_none(int fail)
{
	char left = 0;

	check_is(pread(fail, &left, 1, 0), 1);
	fail_nth(fail, 0);
	return left == '0';
}
