// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the driver allocates for a client is charged to it: the kernel's tracepoints tell of
 * each allocation. All of it is kept, or may be while the client waits.
 */

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cgroup.h"
#include "gpu.h"

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/kmem/"

/**
 * struct code - functions that lie side by side
 * @first: address of the first
 * @end: of what comes after the last
 */
struct code {
	unsigned long first, end;
};

/* The functions of a file, or of several, whose global ones have this prefix. */
static bool find_code(const char *prefix, struct code *code)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char type, name[256];
	bool inside = false;

	*code = (struct code){};
	while (file && fscanf(file, "%lx %c %255s%*[^\n]", &address, &type, name) == 3) {
		if (inside)
			code->end = address;
		inside = type == 'T' && !strncmp(name, prefix, strlen(prefix));
		if (inside && !code->first)
			code->first = address;
	}
	if (file)
		fclose(file);
	return code->end > code->first;
}

/* Only what this process allocates there. */
static bool filter(const char *event, const struct code *code, int nr)
{
	char path[128], text[512];
	int i, length = 0;

	for (i = 0; i < nr; i++)
		length += snprintf(text + length, sizeof(text) - length,
				   "%s(common_pid == %d && call_site > %#lx && call_site < %#lx)",
				   i ? " || " : "", getpid(), code[i].first, code[i].end);
	snprintf(path, sizeof(path), EVENTS "%s/filter", event);
	return write_file(path, text);
}

/* Allocations of the driver, and those of the structures that grow with what it keeps. */
static bool watch(void)
{
	struct code code[3];

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	return find_code("swgpu_", &code[0]) && find_code("xas_", &code[1]) &&
	       find_code("ttm_fence_lru_link_alloc", &code[2]) &&
	       filter("kmalloc", code, ARRAY_SIZE(code)) &&
	       filter("kmem_cache_alloc", code, ARRAY_SIZE(code));
}

static bool record(bool on)
{
	return write_file(EVENTS "kmalloc/enable", on ? "1" : "0") &&
	       write_file(EVENTS "kmem_cache_alloc/enable", on ? "1" : "0");
}

/* How many allocations there were. */
static int check_trace(void)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	int nr = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strstr(line, "call_site="))
			continue;
		nr++;
		if (!check(strstr(line, "accounted=true")))
			printf("# %s", strstr(line, "call_site="));
	}
	if (file)
		fclose(file);
	return nr;
}

/* A bit of everything. */
static void use_all(void)
{
	int fd = gpu_open(), other = gpu_open_other(), dma_buf;
	uint32_t channels[3], handle, import, private, vm;
	int i;

	for (i = 0; i < 3; i++) {
		check_is(gpu_channel(fd, &channels[i]), 0);
		check_is(gpu_create(fd, PAGE, i ? VRAM : GTT, &handle), 0);
		check_is(gpu_fault(fd, channels[i], SWGPU_FAULT_HANG_FOREVER), 0);
	}
	check_is(gpu_vm(fd, &vm), 0);
	check_is(gpu_create_private(fd, vm, PAGE, VRAM, &private), 0);
	for (i = 0; i < 3; i++)
		check_is(gpu_use(fd, channels[i], handle, READ, VRAM, 0), 0);
	/* It waits for two of these. */
	check_is(gpu_use(fd, channels[0], handle, WRITE, VRAM, 0), 0);
	check_is(gpu_submit_vm(fd, channels[1], vm, WRITE, NULL, 0, 0), 0);
	for (i = 0; i < 3; i++)
		check_is(gpu_fault(fd, channels[i], SWGPU_FAULT_RESUME), 0);
	check_is(gpu_use(fd, channels[0], handle, WRITE, GTT, 0), 0);
	dma_buf = gpu_export(fd, handle);
	if (other >= 0)
		check_is(gpu_import(other, dma_buf, &import), 0);
	close(dma_buf);
	close(other);
	close(fd);
}

void test_memcg_kept(int fd)
{
	(void)fd;
	if (!cgroup_begin_memory())
		return;
	check(watch());
	check(write_file(TRACING "trace", "\n"));
	check(record(true));
	use_all();
	check(record(false));
	check(check_trace() > 20);
	check(write_file(TRACING "trace", "\n"));
}
