// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vulkan-test [<text>] | --churn <processes> <requests> | --stuck
 *
 * nouveau through Mesa's NVK, by nothing but Vulkan. <text>: only the cases whose names contain
 * it. --churn: so many processes make, use and free buffers, until they have asked nouveau for so
 * many VM_BINDs and EXECs together. --stuck: how long it takes until memory is there that was let
 * go of, beside a channel that hangs.
 *
 * Prints TAP. Exit status 0: all passed; 1: some failed; 2: there is no such device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "stuck.h"
#include "vram.h"

static const struct test {
	const char *name;
	void (*run)(struct gpu *gpu);
} cases[] = {
	{ "copies between all kinds of memory", test_copy },
	{ "a job waits for a semaphore", test_timeline },
	{ "pages of a sparse buffer", test_sparse },
	{ "memory of two devices", test_shared },
	{ "more memory than there is VRAM", test_pressure },
	{ "a queue that hangs", test_hang },
	{ "several queues, one after the other", test_queues },
	{ "one of several queues hangs", test_queue_hangs },
};

static void run_case(const void *data)
{
	const struct test *test = data;
	struct gpu gpu;

	count_requests();
	if (check_is(gpu_open(&gpu), VK_SUCCESS)) {
		test->run(&gpu);
		gpu_close(&gpu);
	}
}

static int run_cases(const char *text)
{
	unsigned int i, failures = 0;

	printf("1..%zu\n", ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (text && !strstr(cases[i].name, text))
			printf("ok %u - %s # SKIP not asked for\n", i + 1, cases[i].name);
		else
			failures += !case_alone(i + 1, cases[i].name, run_case, &cases[i]);
	}
	printf("# %u failed\n", failures);
	return failures ? 1 : 0;
}

static int run_churn(const char *processes, const char *requests)
{
	bool passed = churn(strtoul(processes, NULL, 10), strtoul(requests, NULL, 10));

	printf("%sok 1 - buffers of %s processes\n", passed ? "" : "not ", processes);
	return !passed;
}

static int run_stuck(void)
{
	bool passed = memory_beside_the_stuck();

	printf("%sok 1 - memory beside a hung channel\n", passed ? "" : "not ");
	return !passed;
}

int main(int argc, char **argv)
{
	uint64_t used = vram_used();
	int status;

	/* Nothing may be left in the buffer when a case forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!used) {
		printf("Bail out! no device of nouveau\n");
		return 2;
	}
	printf("TAP version 13\n");
	if (argc > 3 && !strcmp(argv[1], "--churn"))
		status = run_churn(argv[2], argv[3]);
	else if (argc > 1 && !strcmp(argv[1], "--stuck"))
		status = run_stuck();
	else
		status = run_cases(argc > 1 ? argv[1] : NULL);
	/* All that programs had is given back, dead or not. */
	if (vram_returns(used))
		return status;
	printf("not ok - VRAM is given back\n");
	return 1;
}
