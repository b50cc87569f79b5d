// SPDX-License-Identifier: GPL-2.0 OR MIT
/* OpenGL ES without a surface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "gl.h"

static EGLDisplay display;
static EGLContext context;

static bool is_nvc0(void)
{
	const char *name = (const char *)glGetString(GL_RENDERER);

	if (name && !strncmp(name, "NV", 2))
		return true;
	printf("# the device is %s\n", name ? name : "none");
	return false;
}

bool gl_open(void)
{
	static const EGLint wanted[] = { EGL_CONTEXT_MAJOR_VERSION, 3, EGL_NONE };

	display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
	if (!check(eglInitialize(display, NULL, NULL)) || !check(eglBindAPI(EGL_OPENGL_ES_API)))
		return false;
	context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, wanted);
	return check(context != EGL_NO_CONTEXT) &&
	       check(eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) &&
	       check(is_nvc0());
}

void gl_close(void)
{
	eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
	eglDestroyContext(display, context);
	eglTerminate(display);
}

static uint32_t word_of(uint32_t tag, GLsizeiptr index)
{
	return tag * 0x9e3779b1 + index;
}

static uint32_t *make_words(GLintptr offset, GLsizeiptr size, uint32_t tag)
{
	uint32_t *words = malloc(size);
	GLsizeiptr i;

	for (i = 0; words && i < size / 4; i++)
		words[i] = word_of(tag, offset / 4 + i);
	return words;
}

GLuint buffer_create(GLsizeiptr size, uint32_t tag)
{
	uint32_t *words = make_words(0, size, tag);
	GLuint buffer = 0;

	glGenBuffers(1, &buffer);
	glBindBuffer(GL_COPY_READ_BUFFER, buffer);
	glBufferData(GL_COPY_READ_BUFFER, size, words, GL_STATIC_DRAW);
	free(words);
	if (check_is(glGetError(), GL_NO_ERROR))
		return buffer;
	glDeleteBuffers(1, &buffer);
	return 0;
}

void buffer_copy(GLuint from, GLuint to, GLsizeiptr size)
{
	glBindBuffer(GL_COPY_READ_BUFFER, from);
	glBindBuffer(GL_COPY_WRITE_BUFFER, to);
	glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, 0, size);
	check_is(glGetError(), GL_NO_ERROR);
}

void buffer_write(GLuint buffer, GLintptr offset, GLsizeiptr size, uint32_t tag)
{
	uint32_t *words = make_words(offset, size, tag);

	glBindBuffer(GL_COPY_WRITE_BUFFER, buffer);
	glBufferSubData(GL_COPY_WRITE_BUFFER, offset, size, words);
	free(words);
	check_is(glGetError(), GL_NO_ERROR);
}

static bool words_are(const uint32_t *words, GLintptr offset, GLsizeiptr size, uint32_t tag)
{
	GLsizeiptr i;

	for (i = 0; i < size / 4; i++)
		if (words[i] != word_of(tag, offset / 4 + i))
			return false;
	return true;
}

bool buffer_holds(GLuint buffer, GLintptr offset, GLsizeiptr size, uint32_t tag)
{
	const uint32_t *words;
	bool good;

	glBindBuffer(GL_COPY_READ_BUFFER, buffer);
	words = glMapBufferRange(GL_COPY_READ_BUFFER, offset, size, GL_MAP_READ_BIT);
	if (!check(words != NULL))
		return false;
	good = words_are(words, offset, size, tag);
	return glUnmapBuffer(GL_COPY_READ_BUFFER) && good;
}
