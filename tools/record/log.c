// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The recording: a file for each process that asks a GPU for something. Its format is in
 * traces/README.md.
 */
#include "record.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *file;
static bool failed;

bool log_wanted(void)
{
	return !failed && getenv("RECORD_TO");
}

/* The command's words on one line. */
static void read_command(char *text, size_t size)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		real.close(fd);
	if (length < 0)
		length = 0;
	text[length] = '\0';
	for (ssize_t i = 0; i + 1 < length; i++)
		if (!text[i] || text[i] == '\n')
			text[i] = ' ';
}

/* False if there is nothing to write to. */
bool log_open(const char *gpu)
{
	char path[4096], command[4096];

	if (file || !log_wanted())
		return file;
	snprintf(path, sizeof(path), "%s.%d", getenv("RECORD_TO"), getpid());
	file = fopen(path, "we");
	if (!file) {
		fprintf(stderr, "record: cannot write %s\n", path);
		failed = true;
		return false;
	}
	setvbuf(file, NULL, _IOFBF, 1 << 20);
	read_command(command, sizeof(command));
	fprintf(file, "# botrace2 v%d pid %d chipset %s gpu %s cmd %s\n",
		gpu_is_there() ? 2 : 1, getpid(),
		getenv("NOUVEAU_CHIPSET") ? getenv("NOUVEAU_CHIPSET") : "0xf0", gpu, command);
	return true;
}

void log_line(const char *format, ...)
{
	va_list args;

	if (!file)
		return;
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
}

void log_flush(void)
{
	if (file)
		fflush(file);
}

/* After a fork: the file is the parent's. */
void log_forget(void)
{
	file = NULL;
}
