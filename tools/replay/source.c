// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_compressed(int fd)
{
	static const char magic[] = { '\xfd', '7', 'z', 'X', 'Z', '\0' };
	char start[sizeof(magic)];

	return pread(fd, start, sizeof(start), 0) == sizeof(start) &&
	       !memcmp(start, magic, sizeof(magic));
}

/* Puts xz between; returns the end to read from. */
static int decompress(struct source *source, int fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	source->xz = fork();
	if (source->xz < 0) {
		source->xz = 0;
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (!source->xz) {
		dup2(fd, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		execlp("xz", "xz", "-dcq", (char *)NULL);
		fprintf(stderr, "xz: %s\n", strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	close(fd);
	return ends[0];
}

int source_open(struct source *source, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), in = fd;

	source->xz = 0;
	source->number = 0;
	if (fd < 0)
		return -1;
	if (is_compressed(fd))
		in = decompress(source, fd);
	if (in < 0) {
		close(fd);
		return -1;
	}
	source->in = fdopen(in, "r");
	return source->in ? 0 : -1;
}

int source_line(struct source *source, const char **reason)
{
	int c;

	source->length = 0;
	source->number++;
	while ((c = getc_unlocked(source->in)) != '\n') {
		if (c == EOF && !source->length)
			return 0;
		*reason = c == EOF ? "the last line is not complete" :
			  c == '\0' ? "a zero byte" :
			  source->length == MAX_LINE - 1 ? "a line without end" : NULL;
		if (*reason)
			return -1;
		source->line[source->length++] = (char)c;
	}
	source->line[source->length] = '\0';
	return 1;
}

int source_close(struct source *source)
{
	int bad = ferror(source->in), status;

	fclose(source->in);
	if (source->xz) {
		while (waitpid(source->xz, &status, 0) < 0 && errno == EINTR)
			;
		bad |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
	return bad ? -1 : 0;
}
