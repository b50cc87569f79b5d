// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gl-test: nouveau through Mesa's nvc0, by nothing but OpenGL ES: buffers, as nothing is drawn on
 * the software chip.
 *
 * Prints TAP. Exit status 0: all passed; 1: some failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asked.h"
#include "check.h"
#include "gl.h"
#include "node.h"

#define SIZE		(MIB)
/* Of each process; all of them together want more than there is VRAM. */
#define NR_BUFFERS	24
#define NR_ROUNDS	8
#define NR_PROCESSES	5

static void test_copy(void)
{
	GLuint from = buffer_create(SIZE, 1), to = buffer_create(SIZE, 2);

	check(buffer_holds(from, 0, SIZE, 1));
	check(buffer_holds(to, 0, SIZE, 2));
	buffer_copy(from, to, SIZE);
	check(buffer_holds(to, 0, SIZE, 1));
	/* Little comes with the commands. */
	buffer_write(to, PAGE, 64, 3);
	buffer_copy(to, from, SIZE);
	check(buffer_holds(from, 0, PAGE, 1));
	check(buffer_holds(from, PAGE, 64, 3));
	check(buffer_holds(from, PAGE + 64, SIZE - PAGE - 64, 1));
	glDeleteBuffers(1, &from);
	glDeleteBuffers(1, &to);
}

static void test_fence(void)
{
	GLuint from = buffer_create(SIZE, 1), to = buffer_create(SIZE, 2);
	GLsync sync;

	buffer_copy(from, to, SIZE);
	sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
	glFlush();
	while (glClientWaitSync(sync, 0, SECOND) == GL_TIMEOUT_EXPIRED)
		;
	glDeleteSync(sync);
	glDeleteBuffers(1, &from);
	check(buffer_holds(to, 0, SIZE, 1));
	glDeleteBuffers(1, &to);
}

/*
 * Buffers are copied over each other, made anew while that is under way, and looked at. Each copy
 * is a push of its own: all buffers of one must be in VRAM at once, with those of others' pushes.
 */
static void use_many(unsigned int seed)
{
	GLuint buffers[NR_BUFFERS];
	uint32_t tags[NR_BUFFERS];
	unsigned int i, round, to;

	for (i = 0; i < NR_BUFFERS; i++) {
		tags[i] = rand_r(&seed);
		buffers[i] = buffer_create(SIZE, tags[i]);
	}
	for (round = 0; round < NR_ROUNDS; round++) {
		for (i = 0; i < NR_BUFFERS; i++) {
			to = rand_r(&seed) % NR_BUFFERS;
			if (to == i) {
				glDeleteBuffers(1, &buffers[i]);
				tags[i] = rand_r(&seed);
				buffers[i] = buffer_create(SIZE, tags[i]);
				continue;
			}
			buffer_copy(buffers[i], buffers[to], SIZE);
			glFlush();
			tags[to] = tags[i];
		}
		for (i = 0; i < NR_BUFFERS; i++)
			check(buffer_holds(buffers[i], 0, SIZE, tags[i]));
	}
	glDeleteBuffers(NR_BUFFERS, buffers);
}

static int use_many_there(unsigned int seed)
{
	if (gl_open()) {
		use_many(seed);
		gl_close();
	}
	return case_failed();
}

static void test_many(void)
{
	pid_t pids[NR_PROCESSES];
	unsigned int i;
	int status;

	for (i = 0; i < NR_PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i])
			exit(use_many_there(i + 1));
	}
	for (i = 0; i < NR_PROCESSES; i++) {
		check_is(waitpid(pids[i], &status, 0), pids[i]);
		check_is(status, 0);
	}
}

static const struct test {
	const char *name;
	void (*run)(void);
	bool has_context;
} cases[] = {
	{ "buffers are written, copied and read", test_copy, true },
	{ "a fence, and a buffer that is deleted", test_fence, true },
	{ "buffers of five processes", test_many, false },
};

static void run_case(const void *data)
{
	const struct test *test = data;

	if (!test->has_context || gl_open())
		test->run();
	if (test->has_context)
		gl_close();
}

static int run_cases(void)
{
	struct requests *requests = count_requests();
	unsigned int i, failures = 0;

	printf("1..%zu\n", ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		failures += !case_alone(i + 1, cases[i].name, run_case, &cases[i]);
	printf("# figure: GEM_PUSHBUF requests: %lu\n", requests->pushes);
	print_times(requests);
	return failures ? 1 : 0;
}

int main(void)
{
	/* Nothing may be left in the buffer when a case forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	return run_cases();
}
