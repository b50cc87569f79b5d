/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Failures that are known, by name: what provokes them is not done. */
#ifndef KNOWN_H
#define KNOWN_H

#include <stdbool.h>

/* Each line of the file is empty, a comment after "#", or "<name>: <reason>". */
bool known_read(const char *path);
bool known(const char *name);

#endif
