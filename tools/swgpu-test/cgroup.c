// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Cgroups that are charged for VRAM, or for memory of the kernel. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "gpu.h"

#define ROOT	"/run/cgroup"
/*
 * The groups are in one of their own: between two right below the root there is no
 * protection, for the kernel evicts for the root whatever there is.
 */
#define PARENT	ROOT "/both"

/* What the device is called there */
static char region[64];

static void file_of(const char *group, const char *file, char path[128])
{
	if (*group)
		snprintf(path, 128, PARENT "/%s/%s", group, file);
	else
		snprintf(path, 128, ROOT "/%s", file);
}

static bool mounted(void)
{
	if (!access(PARENT, F_OK))
		return true;
	mkdir(ROOT, 0755);
	return !mount("cgroup2", ROOT, "cgroup2", 0, NULL) && !mkdir(PARENT, 0755);
}

/* False if this kernel has no such controller. */
static bool controls(const char *controller)
{
	return mounted() && write_file(ROOT "/cgroup.subtree_control", controller) &&
	       write_file(PARENT "/cgroup.subtree_control", controller);
}

/* The number behind the region's name in a file of a group. */
static long number_of(const char *group, const char *file)
{
	char path[128], name[64], value[32];
	long number = -1;
	FILE *f;

	file_of(group, file, path);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fscanf(f, "%63s %31s", name, value) == 2)
		if (!strcmp(name, region))
			sscanf(value, "%ld", &number);
	fclose(f);
	return number;
}

bool cgroup_begin(int fd)
{
	char device[32];

	if (!gpu_device_name(fd, device, sizeof(device)))
		return check(false);
	snprintf(region, sizeof(region), "drm/%s/vram", device);
	if (controls("+dmem") && number_of("", "dmem.capacity") > 0)
		return true;
	skip("this kernel charges no cgroup for memory of devices");
	return false;
}

bool cgroup_begin_memory(void)
{
	if (controls("+memory"))
		return true;
	skip("this kernel charges no cgroup for memory");
	return false;
}

bool cgroup_make(const char *name)
{
	char path[128];

	file_of(name, "", path);
	return !mkdir(path, 0755);
}

bool cgroup_remove(const char *name)
{
	char path[128];

	file_of(name, "", path);
	return !rmdir(path);
}

bool cgroup_enter(const char *name)
{
	char path[128];

	file_of(name, "cgroup.procs", path);
	return write_file(path, "0");
}

bool cgroup_limit(const char *name, const char *limit, uint64_t bytes)
{
	char path[128], file[16], text[96];

	snprintf(file, sizeof(file), "dmem.%s", limit);
	file_of(name, file, path);
	snprintf(text, sizeof(text), "%s %lu", region, (unsigned long)bytes);
	return write_file(path, text);
}

long cgroup_charged(const char *name)
{
	return number_of(name, "dmem.current");
}

bool cgroup_falls_to(const char *name, long bytes)
{
	long charged;
	int i;

	for (i = 0; i < 500; i++) {
		charged = cgroup_charged(name);
		if (charged >= 0 && charged <= bytes)
			return true;
		sleep_ns(10 * MS);
	}
	return false;
}

bool cgroup_limit_memory(const char *name, uint64_t bytes)
{
	char path[128], text[24];

	file_of(name, "memory.max", path);
	snprintf(text, sizeof(text), "%lu", (unsigned long)bytes);
	return write_file(path, text);
}

long cgroup_memory(const char *name)
{
	char path[128];
	long bytes = -1;
	FILE *f;

	file_of(name, "memory.current", path);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &bytes) != 1)
		bytes = -1;
	fclose(f);
	return bytes;
}
