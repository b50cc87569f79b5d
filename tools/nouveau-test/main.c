// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nouveau-test [<text> | --memory | --vm [<text>] | --no-memory | --hang | --sleep [<text>] |
 * --unbind | --unbind-channel | --rebind | --unbind-open | --unbind-busy | --figures <n>]: nouveau
 * through its requests, on a card before NV50 or of Turing.
 *
 * <text>: only the cases whose names contain it. --memory: those that need no channels, also
 * where there are none, as with noaccel=1. --vm: EXEC and VM_BIND, on Turing. --no-memory: so,
 * while allocations fail. --hang: so, with a channel that the kernel warns of. --sleep: with VRAM
 * that is lost meanwhile. --unbind: only that the driver can go from its device, which it does
 * not return to; --unbind-channel: while a program has one; --rebind: to which it returns;
 * --unbind-open: so, while files are open; --unbind-busy: so, while programs come and go.
 * --figures: how long requests for memory take while another channel is blocked, with n dead
 * buffers; 0: while none is.
 *
 * Prints TAP. Exit status 0: all passed; 1: some failed; 2: no such card.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nv.h"
#include "vm.h"

struct test {
	const char *name;
	void (*run)(int fd);
};

static const struct test cases[] = {
	{ "channels copy", test_copy },
	{ "jobs of two channels wait for each other", test_order },
	{ "30 channels are made and used", test_many_channels },
	{ "a buffer is closed while its channel is blocked", test_free_blocked },
	{ "a buffer is used on two channels, and closed", test_two_channels },
	{ "a client is killed with work in flight", test_killed_client },
	{ "what nobody uses is not in use", test_usage },
	{ "a buffer is moved when the job that reads it is done", test_move_read },
	{ "a buffer is read by two channels, and closed", test_close_read_twice },
	{ "pressure, no channel is blocked", test_pressure },
	{ "pressure, one of two channels is blocked", test_pressure_some },
	{ "pressure, all channels are blocked", test_pressure_all },
	{ "contents survive eviction", test_eviction },
	{ "two jobs want more than fits at once", test_two_jobs },
	{ "a channel is made while VRAM is full of the dead", test_channel_in_full_vram },
};

static const struct test memory_cases[] = {
	{ "memory is written, moved and read by the CPU", test_memory },
	{ "memory of two clients at once", test_memory_of_two },
};

static const struct test vm_cases[] = {
	{ "EXEC copies between what VM_BIND has bound", test_vm_copy },
	{ "an unbind waits for a job", test_vm_unbind_later },
	{ "a buffer is made while a job of its address space waits", test_vm_new },
	{ "sparse regions", test_vm_sparse },
	{ "a job that faults kills its channel", test_vm_fault },
	{ "a job that hangs is timed out", test_vm_hang },
	{ "a request of which some fails is undone", test_vm_undo },
	{ "some of a mapping is unbound, within a page", test_vm_cut_page },
	{ "some of a mapping is unbound, in whole pages", test_vm_cut },
	{ "what is bound is replaced, with pages of another size", test_vm_replace },
	{ "so in a sparse region", test_vm_replace_sparse },
	{ "what is bound survives eviction", test_vm_eviction },
	{ "bound and unbound many times at one address", test_vm_many },
	{ "a client is killed with a job in flight", test_vm_killed },
	{ "a buffer of two address spaces", test_vm_shared },
	{ "one of them lets it go while the other one uses it", test_vm_shared_busy },
	{ "memory of another driver", test_vm_imported },
	{ "what a job used last leaves VRAM last", test_vm_order },
	{ "page tables are made while VRAM is full of the dead", test_vm_tables },
};

/* It takes minutes. */
static const struct test no_memory_cases[] = {
	{ "each allocation fails once", test_vm_no_memory },
};

/* nvkm warns of it. */
static const struct test hang_cases[] = {
	{ "a job that hangs for good is timed out", test_vm_hang_for_good },
};

static const struct test sleep_cases[] = {
	{ "VRAM and channels survive sleep", test_sleep },
	{ "address spaces survive sleep", test_sleep_vm },
	{ "jobs that wait sleep, and go on", test_sleep_waiting },
	{ "no sleep with a buffer that cannot leave VRAM", test_sleep_refused },
	{ "the device sleeps alone", test_sleep_runtime },
};

static void run_case(const void *data)
{
	const struct test *test = data;
	int fd = nv_open();

	if (check(fd >= 0))
		test->run(fd);
}

/* Returns the exit status. */
static int run_cases(const struct test *tests, int nr, const char *text)
{
	int i, failures = 0;

	printf("1..%d\n", nr);
	for (i = 0; i < nr; i++) {
		if (text && !strstr(tests[i].name, text))
			printf("ok %d - %s # SKIP not asked for\n", i + 1, tests[i].name);
		else
			failures += !case_alone(i + 1, tests[i].name, run_case, &tests[i]);
	}
	printf("# %d of %d failed\n", failures, nr);
	return failures ? 1 : 0;
}

/* After these the device is no longer what it was: one a run. */
static const struct departure {
	const char *option;
	const char *name;
	void (*run)(void);
} departures[] = {
	{ "--unbind", "the driver goes from its device", test_unbind },
	{ "--unbind-channel", "the driver goes while a program has a channel", test_unbind_channel },
	{ "--rebind", "the driver goes from its device, and comes back", test_rebind },
	{ "--unbind-open", "the driver goes from a device that is open", test_unbind_open },
	{ "--unbind-busy", "the driver goes while programs come and go", test_unbind_busy },
};

static const struct departure *find_departure(const char *option)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(departures); i++)
		if (!strcmp(option, departures[i].option))
			return &departures[i];
	return NULL;
}

static int run_departure(const struct departure *departure)
{
	printf("1..1\n");
	case_begin();
	departure->run();
	return !case_end(1, departure->name);
}

static int run_figures(int fd, const char *stuck)
{
	if (nv_figures(fd, strtoul(stuck, NULL, 10)))
		return 0;
	printf("not ok - a request failed\n");
	return 1;
}

/* Others have neither these commands nor these objects. */
static bool is_suitable(int fd)
{
	uint64_t chipset = fd < 0 ? 0x50 : nv_param(fd, NOUVEAU_GETPARAM_CHIPSET_ID);

	return chipset < 0x50 || (chipset & ~0xf) == 0x160;
}

int main(int argc, char **argv)
{
	int fd = nv_open();

	/* Nothing may be left in the buffer when a case forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is_suitable(fd)) {
		printf("Bail out! no card before NV50 or of Turing with nouveau\n");
		return 2;
	}
	if (argc > 2 && !strcmp(argv[1], "--figures"))
		return run_figures(fd, argv[2]);
	printf("TAP version 13\n# chipset %02x, %lu MiB of VRAM\n",
	       (unsigned int)nv_param(fd, NOUVEAU_GETPARAM_CHIPSET_ID),
	       (unsigned long)(nv_vram_size(fd) / MIB));
	close(fd);
	if (argc > 1 && find_departure(argv[1]))
		return run_departure(find_departure(argv[1]));
	if (argc > 1 && !strcmp(argv[1], "--memory"))
		return run_cases(memory_cases, ARRAY_SIZE(memory_cases), NULL);
	if (argc > 1 && !strcmp(argv[1], "--vm"))
		return run_cases(vm_cases, ARRAY_SIZE(vm_cases), argc > 2 ? argv[2] : NULL);
	if (argc > 1 && !strcmp(argv[1], "--no-memory"))
		return run_cases(no_memory_cases, ARRAY_SIZE(no_memory_cases), NULL);
	if (argc > 1 && !strcmp(argv[1], "--hang"))
		return run_cases(hang_cases, ARRAY_SIZE(hang_cases), NULL);
	if (argc > 1 && !strcmp(argv[1], "--sleep"))
		return run_cases(sleep_cases, ARRAY_SIZE(sleep_cases), argc > 2 ? argv[2] : NULL);
	return run_cases(cases, ARRAY_SIZE(cases), argc > 1 ? argv[1] : NULL);
}
