// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The machine sleeps. VRAM is lost meanwhile; what was in it is back afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

#define STATE		"/sys/power/state"
#define DEPTH		"/sys/power/pm_test"
#define DELAY		"/sys/module/suspend/parameters/pm_test_delay"
#define SLEEP		"/sys/kernel/debug/nvsw/sleep"
#define COUNTERS	"/sys/kernel/debug/nvsw/counters"
#define POWER		"/sys/bus/pci/devices/0000:01:00.0/power/"

/* How often the chip has lost its memory, or -1. */
static long count_losses(void)
{
	FILE *file = fopen(COUNTERS, "r");
	char line[128];
	long losses = -1;

	while (file && losses < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "losses=%ld", &losses) != 1)
			losses = -1;
	if (file)
		fclose(file);
	return losses;
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * Of a machine that can sleep only the devices do, and wake up at once: nothing here would wake
 * the machine. Otherwise the chip tells its driver.
 */
static int fall_asleep(void)
{
	if (write_file(DEPTH, "devices") && write_file(DELAY, "0"))
		return write_to(STATE, "mem");
	return write_to(SLEEP, "1");
}

/* False, and the case is skipped, if nothing of that is possible here. */
static bool can_sleep(void)
{
	if (count_losses() >= 0)
		return true;
	skip("VRAM is not known to be lost");
	return false;
}

/* The machine sleeps once, and the chip loses its memory. */
static bool sleep_once(void)
{
	long losses = count_losses();

	return check_is(fall_asleep(), 0) && check(count_losses() > losses);
}

#define NR_FULL		12

/* Nearly all of VRAM, and a channel that copies; with a file that has no address space. */
void test_sleep(int fd)
{
	uint64_t size = nv_vram_size(fd) / (NR_FULL + 4) & ~(PAGE - 1);
	struct nv_bo bos[NR_FULL], to;
	struct nv_channel channel;
	int i, round;

	if (!can_sleep() || !check_is(nv_channel_create(fd, &channel), 0) ||
	    !check_is(nv_bo_create(fd, size, GART, &to), 0) ||
	    !check_is(nv_bo_map(fd, &to), 0))
		return;
	for (i = 0; i < NR_FULL; i++) {
		if (!check_is(nv_bo_create(fd, size, VRAM, &bos[i]), 0) ||
		    !check_is(nv_bo_map(fd, &bos[i]), 0))
			return;
		nv_bo_fill(&bos[i], i * 1000);
	}
	for (round = 0; round < 2; round++) {
		if (!sleep_once())
			return;
		for (i = 0; i < NR_FULL && !case_failed(); i++) {
			check_is(nv_copy(&channel, &bos[i], &to, size), 0);
			check_is(nv_bo_wait(fd, &to), 0);
			check(nv_bo_holds(&to, i * 1000));
			check(nv_bo_holds(&bos[i], i * 1000));
		}
	}
}

static void sleep_on(uint32_t engine)
{
	struct nv_bo own, shared, to;
	struct vm vm;

	if (!check_is(vm_open(&vm, engine), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(0), &own), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM, AT(1), &shared), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(2), &to), 0) ||
	    !check_is(vm_bind_sparse(&vm, AT(3), SIZE), 0))
		return;
	nv_bo_fill(&own, 5);
	nv_bo_fill(&shared, 6);
	if (!sleep_once())
		return;
	/* Nothing is bound anew: the page tables are as they were. */
	vm_copy(&vm, AT(2), AT(0), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&to, 5));
	vm_copy(&vm, AT(2), AT(1), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&to, 6));
	vm_copy(&vm, AT(2), AT(3), PAGE);
	check_is(vm_run(&vm), 0);
	check_is(to.map[0], 0);
	check_is(to.map[PAGE / 4], 6 + PAGE / 4);
}

void test_sleep_vm(int fd)
{
	(void)fd;
	if (!can_sleep())
		return;
	sleep_on(NOUVEAU_FIFO_ENGINE_GR);
	sleep_on(NOUVEAU_FIFO_ENGINE_CE);
}

/* Of a fence's memory the words of so many channels at least are to come back. */
#define NR_CHANNELS	36

/* The kernel's patience with a job does not end because the machine sleeps. */
static bool timed_out(struct vm *vm, uint32_t done)
{
	if (vm_wait(vm, done, 10 * MS) == -ETIME || vm_exec(vm, NONE, NONE) != -ENODEV)
		return false;
	skip("it took longer than a job may take");
	return true;
}

/* A job whose buffers need not leave sleeps with the channel, and goes on with it. */
void test_sleep_waiting(int fd)
{
	struct vm vms[NR_CHANNELS], *last = &vms[NR_CHANNELS - 1];
	uint32_t done;
	int i;

	(void)fd;
	if (!can_sleep())
		return;
	for (i = 0; i < NR_CHANNELS; i++)
		if (!check_is(vm_open(&vms[i], NOUVEAU_FIFO_ENGINE_GR), 0))
			return;
	done = vm_syncobj(last);
	vm_block(last);
	check_is(vm_exec(last, NONE, done), 0);
	if (!sleep_once() || timed_out(last, done))
		return;
	check_is(vm_wait(last, done, 10 * MS), -ETIME);
	vm_unblock(last);
	check_is(vm_wait(last, done, 30 * SECOND), 0);
	/* The fences of the others are where they were, too. */
	for (i = 0; i < NR_CHANNELS && !case_failed(); i++) {
		done = vm_syncobj(&vms[i]);
		vm_block(&vms[i]);
		check_is(vm_exec(&vms[i], NONE, done), 0);
		check_is(vm_wait(&vms[i], done, 10 * MS), -ETIME);
		vm_unblock(&vms[i]);
		check_is(vm_wait(&vms[i], done, 30 * SECOND), 0);
	}
}

/* What a blocked channel uses cannot leave: the machine stays awake, and nothing is lost. */
void test_sleep_refused(int fd)
{
	long losses = count_losses();
	struct nv_channel channel;
	struct nv_bo bo, other;

	if (!can_sleep() || !check_is(nv_channel_create(fd, &channel), 0) ||
	    !check_is(nv_bo_create(fd, SIZE, VRAM, &bo), 0) ||
	    !check_is(nv_bo_map(fd, &bo), 0) ||
	    !check_is(nv_bo_create(fd, SIZE, VRAM, &other), 0) ||
	    !check_is(nv_bo_map(fd, &other), 0))
		return;
	nv_bo_fill(&bo, 8);
	nv_bo_fill(&other, 80);
	nv_block(&channel);
	check_is(nv_use_one(&channel, &bo), 0);
	check(fall_asleep() < 0);
	check_is(count_losses(), losses);
	check_is(nv_bo_busy(fd, &bo), -EBUSY);
	check(nv_bo_holds(&other, 80));
	nv_unblock(&channel);
	check_is(nv_bo_wait(fd, &bo), 0);
	check(nv_bo_holds(&bo, 8));
	if (!sleep_once())
		return;
	check(nv_bo_holds(&bo, 8));
	check(nv_bo_holds(&other, 80));
	check_is(nv_copy(&channel, &bo, &other, SIZE), 0);
	check_is(nv_bo_wait(fd, &other), 0);
	check(nv_bo_holds(&other, 8));
}

static bool reads(const char *path, const char *text)
{
	char got[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same = fd >= 0 && read(fd, got, sizeof(got) - 1) > 0 &&
		    !strncmp(got, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return same;
}

static bool comes_to(const char *status)
{
	int i;

	for (i = 0; i < 3000 && !reads(POWER "runtime_status", status); i++)
		sleep_ns(10 * MS);
	return check(reads(POWER "runtime_status", status));
}

/* The device alone sleeps when nobody has asked it for anything for a while. */
void test_sleep_runtime(int fd)
{
	long losses = count_losses();
	struct nv_bo bo, to;
	struct vm vm;

	(void)fd;
	if (losses < 0 || !reads(POWER "control", "auto")) {
		skip("the device does not sleep on its own");
		return;
	}
	if (!check_is(vm_open(&vm, NOUVEAU_FIFO_ENGINE_GR), 0) ||
	    !check_is(vm_bo(&vm, SIZE, VRAM | PRIVATE, AT(0), &bo), 0) ||
	    !check_is(vm_bo(&vm, SIZE, STAGING, AT(1), &to), 0))
		return;
	nv_bo_fill(&bo, 9);
	if (!check(write_file(POWER "autosuspend_delay_ms", "100")) || !comes_to("suspended"))
		return;
	check(count_losses() > losses);
	check(write_file(POWER "autosuspend_delay_ms", "5000"));
	/* What was in VRAM is elsewhere now, and needs no device. */
	check(nv_bo_holds(&bo, 9));
	vm_copy(&vm, AT(1), AT(0), SIZE);
	check_is(vm_run(&vm), 0);
	check(nv_bo_holds(&to, 9));
	check(reads(POWER "runtime_status", "active"));
}
