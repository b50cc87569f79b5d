// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is done to the devices and to memory while the processes play. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "events.h"

/* What the hog leaves of memory. */
#define HOG_LEAVES_KIB	(16UL << 10)

bool device_bind(uint32_t dev, bool bind)
{
	char name[16];

	snprintf(name, sizeof(name), "swgpu.%u", dev);
	return write_file(bind ? "/sys/bus/platform/drivers/swgpu/bind" :
				 "/sys/bus/platform/drivers/swgpu/unbind", name);
}

static void bind_again(struct task *task, uint32_t dev)
{
	struct request *r = request_begin(task, "bind", BOUND);
	int tries;

	/* There may be no memory at the moment. */
	for (tries = 0; tries < 100 && !device_bind(dev, true); tries++)
		sleep_ns(50 * MS);
	request_end(r, tries == 100 ? -ENODEV : 0);
	if (tries == 100)
		fail(task, "swgpu.%u cannot be bound any more", dev);
}

void event_unbind(struct random *random)
{
	struct task *task = &record->tasks[ROW_EVENTS][0];
	uint32_t dev = random_below(random, NR_DEVICES);
	uint64_t away_ns = random_below(random, 200 * MS);
	struct request *r;

	task->pid = getpid();
	r = request_begin(task, "unbind", BOUND);
	r->args[0] = dev;
	request_end(r, device_bind(dev, false) ? 0 : -ENODEV);
	sleep_ns(away_ns);
	bind_again(task, dev);
}

static unsigned long free_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemFree: %lu", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib;
}

/*
 * Takes what is free, until others have to give. Not as its own pages: the host of a guest
 * would have to map each of them.
 */
void event_hog(struct random *random)
{
	static const char block[1 << 20];
	uint64_t hold_ns = random_below(random, 300 * MS);
	int i, file = memfd_create("hog", MFD_CLOEXEC);

	record->tasks[ROW_EVENTS][1].pid = getpid();
	write_file("/proc/self/oom_score_adj", "1000");
	/* Its share of the CPU would be a small one. */
	setpriority(PRIO_PROCESS, 0, -5);
	while (free_kib() > HOG_LEAVES_KIB) {
		if (write(file, block, sizeof(block)) < 0)
			break;
	}
	for (i = 0; i < 16 && write(file, block, sizeof(block)) > 0; i++)
		;
	sleep_ns(hold_ns);
}
