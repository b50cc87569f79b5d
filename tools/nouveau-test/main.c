// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nouveau-test [<text> | --unbind | --figures <n>]: nouveau through its requests, on a
 * card before NV50.
 *
 * <text>: only the cases whose names contain it. --unbind: only that the driver can go
 * from its device, which it does not return to. --figures: how long requests for memory
 * take while another channel is blocked, with n dead buffers; 0: while none is.
 *
 * Prints TAP. Exit status 0: all passed; 1: some failed; 2: no such card.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nv.h"

static const struct {
	const char *name;
	void (*run)(int fd);
} cases[] = {
	{ "channels copy", test_copy },
	{ "jobs of two channels wait for each other", test_order },
	{ "30 channels are made and used", test_many_channels },
	{ "a buffer is closed while its channel is blocked", test_free_blocked },
	{ "a buffer is used on two channels, and closed", test_two_channels },
	{ "a client is killed with work in flight", test_killed_client },
	{ "what nobody uses is not in use", test_usage },
	{ "pressure, no channel is blocked", test_pressure },
	{ "pressure, one of two channels is blocked", test_pressure_some },
	{ "pressure, all channels are blocked", test_pressure_all },
	{ "contents survive eviction", test_eviction },
	{ "a channel is made while VRAM is full of the dead", test_channel_in_full_vram },
};

#define NR_CASES	((int)ARRAY_SIZE(cases))

static int run_here(int i)
{
	int fd = nv_open();

	case_begin();
	if (check(fd >= 0))
		cases[i].run(fd);
	return !case_end(i + 1, cases[i].name);
}

/* Each in a process of its own, which leaves nothing mapped. */
static bool run_case(int i)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(run_here(i));
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return !WEXITSTATUS(status);
	printf("not ok %d - %s, which was killed\n", i + 1, cases[i].name);
	return false;
}

static int run_unbind(void)
{
	printf("1..1\n");
	test_unbind();
	return !case_end(1, "the driver goes from its device");
}

static int run_figures(int fd, const char *stuck)
{
	if (nv_figures(fd, strtoul(stuck, NULL, 10)))
		return 0;
	printf("not ok - a request failed\n");
	return 1;
}

/* Later cards have neither these commands nor these objects. */
static bool is_suitable(int fd)
{
	return fd >= 0 && nv_param(fd, NOUVEAU_GETPARAM_CHIPSET_ID) < 0x50;
}

int main(int argc, char **argv)
{
	int i, failures = 0, fd = nv_open();

	/* Nothing may be left in the buffer when a case forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is_suitable(fd)) {
		printf("Bail out! no card before NV50 with nouveau\n");
		return 2;
	}
	if (argc > 2 && !strcmp(argv[1], "--figures"))
		return run_figures(fd, argv[2]);
	printf("TAP version 13\n# chipset %02x, %lu MiB of VRAM\n",
	       (unsigned int)nv_param(fd, NOUVEAU_GETPARAM_CHIPSET_ID),
	       (unsigned long)(nv_vram_size(fd) / MIB));
	close(fd);
	if (argc > 1 && !strcmp(argv[1], "--unbind"))
		return run_unbind();
	printf("1..%d\n", NR_CASES);
	for (i = 0; i < NR_CASES; i++) {
		if (argc > 1 && !strstr(cases[i].name, argv[1])) {
			printf("ok %d - %s # SKIP not asked for\n", i + 1, cases[i].name);
			continue;
		}
		failures += !run_case(i);
	}
	printf("# %d of %d failed\n", failures, NR_CASES);
	return failures ? 1 : 0;
}
