// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * window: stands for a window system, as a libEGL.so.1 that is found before the system's,
 * which it has below it. Windows are pbuffers of Mesa's surfaceless platform, of the size
 * that RECORD_WINDOW=<width>x<height> says. What a program draws is not seen. At the end of a frame it waits until no more than
 * two frames are under way, as a swap does, and then for RECORD_FPS.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <EGL/egl.h>
#include <EGL/eglext.h>

#define MAX_ATTRIBUTES 64
#define FRAMES 2
#define WAIT_NS 1000000000u

/* Weak: without record this is a window system that draws nothing. */
extern void record_frame(unsigned long number) __attribute__((weak));

static void *below(const char *name)
{
	static void *egl;

	if (!egl)
		egl = dlopen("libEGL-below.so", RTLD_NOW);
	return egl ? dlsym(egl, name) : NULL;
}

#define BELOW(function) ((__typeof__(&function))below(#function))
#define EXPORT __attribute__((visibility("default")))

EXPORT EGLDisplay eglGetPlatformDisplay(EGLenum platform, void *display, const EGLAttrib *attributes)
{
	(void)platform;
	(void)display;
	(void)attributes;
	return BELOW(eglGetPlatformDisplay)(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY,
					    NULL);
}

EXPORT EGLDisplay eglGetPlatformDisplayEXT(EGLenum platform, void *display,
					   const EGLint *attributes)
{
	(void)attributes;
	return eglGetPlatformDisplay(platform, display, NULL);
}

EXPORT EGLDisplay eglGetDisplay(EGLNativeDisplayType display)
{
	return eglGetPlatformDisplay(0, (void *)display, NULL);
}

/* A configuration for pbuffers where one for windows is wanted, which is the default. */
EXPORT EGLBoolean eglChooseConfig(EGLDisplay display, const EGLint *attributes, EGLConfig *configs,
				  EGLint size, EGLint *count)
{
	EGLint changed[MAX_ATTRIBUTES + 3] = { EGL_SURFACE_TYPE, EGL_PBUFFER_BIT };
	int nr = 2;

	for (int i = 0; attributes && attributes[i] != EGL_NONE && i < MAX_ATTRIBUTES; i += 2) {
		if (attributes[i] == EGL_SURFACE_TYPE)
			continue;
		changed[nr++] = attributes[i];
		changed[nr++] = attributes[i + 1];
	}
	changed[nr] = EGL_NONE;
	return BELOW(eglChooseConfig)(display, changed, configs, size, count);
}

EXPORT EGLBoolean eglGetConfigAttrib(EGLDisplay display, EGLConfig config, EGLint attribute,
				     EGLint *value)
{
	EGLBoolean ret = BELOW(eglGetConfigAttrib)(display, config, attribute, value);

	/* The default visual of Xvfb. */
	if (attribute == EGL_NATIVE_VISUAL_ID)
		*value = 0x21;
	if (attribute == EGL_SURFACE_TYPE)
		*value |= EGL_WINDOW_BIT;
	return ret;
}

EXPORT EGLSurface eglCreateWindowSurface(EGLDisplay display, EGLConfig config,
					 EGLNativeWindowType window, const EGLint *attributes)
{
	EGLint size[] = { EGL_WIDTH, 1280, EGL_HEIGHT, 720, EGL_NONE };
	const char *wanted = getenv("RECORD_WINDOW");

	(void)window;
	(void)attributes;
	if (wanted)
		sscanf(wanted, "%dx%d", &size[1], &size[3]);
	return BELOW(eglCreatePbufferSurface)(display, config, size);
}

EXPORT EGLSurface eglCreatePlatformWindowSurface(EGLDisplay display, EGLConfig config, void *window,
						 const EGLAttrib *attributes)
{
	(void)window;
	(void)attributes;
	return eglCreateWindowSurface(display, config, 0, NULL);
}

EXPORT EGLSurface eglCreatePlatformWindowSurfaceEXT(EGLDisplay display, EGLConfig config,
						    void *window, const EGLint *attributes)
{
	(void)window;
	(void)attributes;
	return eglCreateWindowSurface(display, config, 0, NULL);
}

/* What is under way: a fence for each frame. Both OpenGL and OpenGL ES 3 have them. */
static void throttle(void)
{
	static void *(*fence)(unsigned int, unsigned int);
	static unsigned int (*wait)(void *, unsigned int, uint64_t);
	static void (*delete)(void *);
	static void *fences[FRAMES];
	static unsigned int frame;

	if (!fence) {
		fence = (void *(*)(unsigned int, unsigned int))BELOW(eglGetProcAddress)("glFenceSync");
		wait = (unsigned int (*)(void *, unsigned int,
					 uint64_t))BELOW(eglGetProcAddress)("glClientWaitSync");
		delete = (void (*)(void *))BELOW(eglGetProcAddress)("glDeleteSync");
	}
	if (fences[frame]) {
		wait(fences[frame], 1, WAIT_NS);
		delete(fences[frame]);
	}
	fences[frame] = fence(0x9117, 0);
	frame = (frame + 1) % FRAMES;
}

static void pace(void)
{
	static struct timespec next;
	const char *text = getenv("RECORD_FPS");
	long fps = text ? atol(text) : 0;

	if (fps <= 0)
		return;
	if (!next.tv_sec)
		clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_nsec += 1000000000 / fps;
	if (next.tv_nsec >= 1000000000) {
		next.tv_nsec -= 1000000000;
		next.tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
}

EXPORT EGLBoolean eglSwapBuffers(EGLDisplay display, EGLSurface surface)
{
	static unsigned long frames;
	void (*flush)(void) = (void (*)(void))BELOW(eglGetProcAddress)("glFlush");

	(void)display;
	(void)surface;
	flush();
	throttle();
	pace();
	if (record_frame)
		record_frame(++frames);
	return EGL_TRUE;
}

EXPORT EGLBoolean eglSwapBuffersWithDamageEXT(EGLDisplay display, EGLSurface surface,
					      const EGLint *rectangles, EGLint count)
{
	(void)rectangles;
	(void)count;
	return eglSwapBuffers(display, surface);
}

EXPORT EGLBoolean eglSwapBuffersWithDamageKHR(EGLDisplay display, EGLSurface surface,
					      const EGLint *rectangles, EGLint count)
{
	(void)rectangles;
	(void)count;
	return eglSwapBuffers(display, surface);
}

EXPORT __eglMustCastToProperFunctionPointerType eglGetProcAddress(const char *name)
{
#define OURS(function)                       \
	if (!strcmp(name, #function))        \
		return (__eglMustCastToProperFunctionPointerType)function
	OURS(eglGetPlatformDisplay);
	OURS(eglGetPlatformDisplayEXT);
	OURS(eglGetDisplay);
	OURS(eglChooseConfig);
	OURS(eglGetConfigAttrib);
	OURS(eglCreateWindowSurface);
	OURS(eglCreatePlatformWindowSurface);
	OURS(eglCreatePlatformWindowSurfaceEXT);
	OURS(eglSwapBuffers);
	OURS(eglSwapBuffersWithDamageEXT);
	OURS(eglSwapBuffersWithDamageKHR);
#undef OURS
	return BELOW(eglGetProcAddress)(name);
}
