// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the driver, the engine and TTM's part of it allocate for a client is charged to it: the
 * kernel's tracepoints tell of each allocation. All of it is kept, or may be while the client
 * waits.
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

/*
 * The functions whose names begin so, and what is linked between them: the whole driver, or one
 * function. Not what runs once, or hardly ever: that lies elsewhere. User-Mode Linux makes all
 * symbols local, so what is global cannot be told by their types.
 */
static bool find_code(const char *prefix, struct code *code)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	bool text = false, inside = false;
	unsigned long address;
	char name[256];

	*code = (struct code){};
	while (file && fscanf(file, "%lx %*c %255s%*[^\n]", &address, name) == 2) {
		if (inside)
			code->end = address;
		if (!strcmp(name, "__unlikely_text_end"))
			text = true;
		if (!strcmp(name, "_etext"))
			text = false;
		inside = text && !strncmp(name, prefix, strlen(prefix));
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
	char path[128], text[1024];
	int i, length;

	length = snprintf(text, sizeof(text), "common_pid == %d && (", getpid());
	for (i = 0; i < nr; i++)
		length += snprintf(text + length, sizeof(text) - length,
				   "%s(call_site >= %#lx && call_site < %#lx)",
				   i ? " || " : "", code[i].first, code[i].end);
	snprintf(text + length, sizeof(text) - length, ")");
	snprintf(path, sizeof(path), EVENTS "%s/filter", event);
	return write_file(path, text);
}

/*
 * The driver, and those of others that allocate what grows with what it keeps: xarrays, the
 * engine's links, TTM's groups. What TTM, DRM and the rest of the kernel allocate besides is
 * not the driver's to charge, nor are the engine's nodes, which are used again for whomever.
 */
static const char *const ours[] = {
	"swgpu_", "xas_alloc", "xas_nomem", "ttm_fence_lru_link_alloc", "ttm_bo_group_create",
};

static bool watch(void)
{
	struct code code[ARRAY_SIZE(ours)];
	unsigned int i;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	for (i = 0; i < ARRAY_SIZE(ours); i++)
		if (!find_code(ours[i], &code[i]))
			return false;
	return filter("kmalloc", code, ARRAY_SIZE(ours)) &&
	       filter("kmem_cache_alloc", code, ARRAY_SIZE(ours));
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
	if (!check(watch()))
		return;
	check(write_file(TRACING "trace", "\n"));
	check(record(true));
	use_all();
	check(record(false));
	check(check_trace() > 20);
	check(write_file(TRACING "trace", "\n"));
}
