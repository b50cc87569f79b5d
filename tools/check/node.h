/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What every program on a DRM driver asks of the system. */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define PAGE		4096UL
#define MS		1000000ULL
#define SECOND		(1000 * MS)

bool node_is_of(int fd, const char *driver);
/* The render node of the device number @nr of a driver, from 0, or -ENODEV. */
int node_open(const char *driver, int nr);
/* Returns 0 or a negative errno. */
int node_ioctl(int fd, unsigned long request, void *arg);

/* To a file that is there, all of it. */
bool write_file(const char *path, const char *text);
void sleep_ns(uint64_t ns);
/* The bytes, or nanoseconds, of a line of fdinfo; or -1 */
long node_fdinfo(int fd, const char *name);
/* Buffers of all devices, dead ones as well, or -1 if TTM does not say. */
long ttm_buffers(void);

#endif
