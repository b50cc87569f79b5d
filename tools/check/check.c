// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Cases of a test program, as TAP. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static bool failed;
static const char *skipped;

void skip(const char *why)
{
	skipped = why;
}

bool check_at(bool condition, const char *what, const char *file, int line)
{
	if (!condition) {
		printf("# %s:%d: does not hold: %s\n", file, line, what);
		failed = true;
	}
	return condition;
}

bool check_is_at(long got, long expected, const char *what, const char *file, int line)
{
	if (got != expected) {
		printf("# %s:%d: %s is %ld (%s), not %ld\n", file, line, what, got,
		       got < 0 ? strerror(-got) : "-", expected);
		failed = true;
	}
	return got == expected;
}

void case_begin(void)
{
	failed = false;
	skipped = NULL;
}

bool case_failed(void)
{
	return failed;
}

bool case_end(int number, const char *name)
{
	printf("%s %d - %s%s%s\n", failed ? "not ok" : "ok", number, name,
	       skipped && !failed ? " # SKIP " : "", skipped && !failed ? skipped : "");
	return !failed;
}

bool case_alone(int number, const char *name, void (*run)(const void *data), const void *data)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		case_begin();
		run(data);
		exit(!case_end(number, name));
	}
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return !WEXITSTATUS(status);
	printf("not ok %d - %s, which was killed\n", number, name);
	return false;
}
