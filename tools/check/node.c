// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What every program on a DRM driver asks of the system. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "drm.h"
#include "node.h"

int node_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

bool node_is_of(int fd, const char *driver)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !node_ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver);
}

int node_open(const char *driver, int nr)
{
	char path[32];
	int i, fd;

	for (i = 128; i < 192; i++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (node_is_of(fd, driver) && !nr--)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

long node_fdinfo(int fd, const char *name)
{
	char path[64], line[256], unit[8];
	unsigned long value;
	long found = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		size_t len = strlen(name);

		unit[0] = 0;
		if (strncmp(line, name, len) || line[len] != ':' ||
		    sscanf(line + len + 1, "%lu %7s", &value, unit) < 1)
			continue;
		found = value * (!strcmp(unit, "KiB") ? 1024 : !strcmp(unit, "MiB") ? 1 << 20 : 1);
	}
	if (file)
		fclose(file);
	return found;
}

long ttm_buffers(void)
{
	FILE *file = fopen("/sys/kernel/debug/ttm/buffer_objects", "r");
	long count = -1;

	if (file) {
		if (fscanf(file, "%ld", &count) != 1)
			count = -1;
		fclose(file);
	}
	return count;
}
