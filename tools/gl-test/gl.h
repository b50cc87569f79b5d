/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A context of OpenGL ES without a surface, and buffers. */
#ifndef GL_H
#define GL_H

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <stdbool.h>
#include <stdint.h>

#define MIB	(1024 * 1024UL)

/* A context of this thread; false if there is none of nvc0. */
bool gl_open(void);
void gl_close(void);

/* A buffer of VRAM whose words all depend on the tag; 0 if that failed. */
GLuint buffer_create(GLsizeiptr size, uint32_t tag);
/* The same contents: by the GPU. */
void buffer_copy(GLuint from, GLuint to, GLsizeiptr size);
/* Some words in the middle get those of another tag, by commands. */
void buffer_write(GLuint buffer, GLintptr offset, GLsizeiptr size, uint32_t tag);
/* False if any byte of the part is another one. */
bool buffer_holds(GLuint buffer, GLintptr offset, GLsizeiptr size, uint32_t tag);

#endif
