// SPDX-License-Identifier: GPL-2.0 OR MIT
/* More memory than there is VRAM, memory of two devices, and a queue that hangs. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "pass.h"
#include "vram.h"

#define SIZE		(MIB)
#define MAX_BUFFERS	256
#define NR_ROUNDS	4

struct set {
	struct buffer from;
	struct buffer to;
	struct buffer buffers[MAX_BUFFERS];
	uint32_t tags[MAX_BUFFERS];
	unsigned int nr;
};

static bool make_set(struct gpu *gpu, struct set *set)
{
	unsigned int i;

	set->nr = 2 * gpu_vram(gpu) / SIZE;
	if (!check(set->nr <= MAX_BUFFERS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &set->from), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &set->to), VK_SUCCESS))
		return false;
	for (i = 0; i < set->nr; i++) {
		set->tags[i] = i;
		buffer_fill(&set->from, i);
		if (!check_is(buffer_create(gpu, SIZE, LOCAL, &set->buffers[i]), VK_SUCCESS) ||
		    !check_is(job_copy(gpu, &set->from, &set->buffers[i], SIZE), VK_SUCCESS) ||
		    !check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS))
			return false;
	}
	return true;
}

/* Each buffer is copied over the next one but some. */
static void copy_round(struct gpu *gpu, struct set *set, unsigned int distance)
{
	unsigned int i, to;

	for (i = 0; i < set->nr; i++) {
		to = (i * distance + 1) % set->nr;
		if (to == i)
			continue;
		check_is(job_copy(gpu, &set->buffers[i], &set->buffers[to], SIZE), VK_SUCCESS);
		set->tags[to] = set->tags[i];
	}
}

static void check_set(struct gpu *gpu, struct set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		check_is(job_copy(gpu, &set->buffers[i], &set->to, SIZE), VK_SUCCESS);
		check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
		check(buffer_holds(&set->to, SIZE, set->tags[i]));
	}
}

/* Somebody else drives out what is in VRAM, meanwhile. */
void test_pressure(struct gpu *gpu)
{
	static struct set set;
	pid_t other = squeeze(12);
	unsigned int i;

	if (make_set(gpu, &set)) {
		for (i = 0; i < NR_ROUNDS; i++) {
			copy_round(gpu, &set, 2 * i + 1);
			check_set(gpu, &set);
		}
	}
	stop(other);
	for (i = 0; i < set.nr; i++)
		buffer_destroy(gpu, &set.buffers[i]);
	buffer_destroy(gpu, &set.to);
	buffer_destroy(gpu, &set.from);
}

/* The other process: what it gets it reads, and writes over. */
static int use_shared(int socket)
{
	struct buffer shared, to;
	struct gpu gpu;
	int fd = take_fd(socket, 0);

	if (!check(fd >= 0) || !check_is(gpu_open(&gpu), VK_SUCCESS) ||
	    !check_is(buffer_import(&gpu, fd, SIZE, &shared), VK_SUCCESS) ||
	    !check_is(buffer_create(&gpu, SIZE, STAGING, &to), VK_SUCCESS))
		return 1;
	check_is(job_copy(&gpu, &shared, &to, SIZE), VK_SUCCESS);
	check_is(job_wait(&gpu, gpu.submitted), VK_SUCCESS);
	check(buffer_holds(&to, SIZE, 5));
	check_is(job_fill(&gpu, &shared, 0x66666666), VK_SUCCESS);
	check_is(job_wait(&gpu, gpu.submitted), VK_SUCCESS);
	return case_failed();
}

void test_shared(struct gpu *gpu)
{
	struct buffer shared, staging;
	int sockets[2], fd, status = -1;
	pid_t pid;

	check_is(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	pid = fork();
	if (!pid)
		_exit(use_shared(sockets[1]));
	if (!check_is(buffer_create_shared(gpu, SIZE, &shared), VK_SUCCESS) ||
	    !check_is(buffer_create(gpu, SIZE, STAGING, &staging), VK_SUCCESS))
		return;
	buffer_fill(&staging, 5);
	check_is(job_copy(gpu, &staging, &shared, SIZE), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	fd = buffer_export(gpu, &shared);
	check_is(pass_fd(sockets[0], fd, 0), 0);
	close(fd);
	check_is(waitpid(pid, &status, 0), pid);
	check_is(status, 0);
	check_is(job_copy(gpu, &shared, &staging, SIZE), VK_SUCCESS);
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	check(buffer_is(&staging, 0, SIZE, 0x66666666));
	buffer_destroy(gpu, &staging);
	buffer_destroy(gpu, &shared);
}

static bool set_hang(unsigned int channel, const char *how)
{
	char text[32];

	snprintf(text, sizeof(text), "%u %s", channel, how);
	return write_file("/sys/kernel/debug/nvsw/hang", text);
}

bool hang_channel(unsigned int channel)
{
	return set_hang(channel, "preemptible");
}

bool release_channel(unsigned int channel)
{
	return set_hang(channel, "none");
}

/* Its job times out, and the device is lost. Others go on, and get the memory. */
void test_hang(struct gpu *gpu)
{
	struct buffer buffer;
	struct gpu other;

	if (!check_is(buffer_create(gpu, SIZE, LOCAL, &buffer), VK_SUCCESS) ||
	    !check_is(job_fill(gpu, &buffer, 1), VK_SUCCESS) ||
	    !check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS))
		return;
	check(hang_channel(last_channel()));
	check_is(job_fill(gpu, &buffer, 2), VK_SUCCESS);
	if (check_is(gpu_open(&other), VK_SUCCESS)) {
		test_copy(&other);
		test_pressure(&other);
		gpu_close(&other);
	}
	/* What has timed out counts as done; the next one is refused. */
	check_is(job_wait(gpu, gpu->submitted), VK_SUCCESS);
	check_is(job_fill(gpu, &buffer, 3), VK_ERROR_DEVICE_LOST);
	buffer_destroy(gpu, &buffer);
}
