// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Touches memory that may not be there. */

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

static __thread sigjmp_buf back;
static __thread volatile bool touching;

static void caught(int signal)
{
	if (touching)
		siglongjmp(back, 1);
	_exit(100 + signal);
}

void touch_init(void)
{
	struct sigaction action = { .sa_handler = caught, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

static bool copy(void *to, const void *from, uint64_t size)
{
	if (sigsetjmp(back, 1)) {
		touching = false;
		return false;
	}
	touching = true;
	memcpy(to, from, size);
	touching = false;
	return true;
}

bool touch_read(const void *from, void *to, uint64_t size)
{
	return copy(to, from, size);
}

bool touch_write(void *to, const void *from, uint64_t size)
{
	return copy(to, from, size);
}
