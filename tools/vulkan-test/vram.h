/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* VRAM, by nouveau's own requests. */
#ifndef VRAM_H
#define VRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Another process wants so many sixteenths of it, and gives them back, again and again. */
pid_t squeeze(unsigned int sixteenths);
void stop(pid_t pid);
/* What is used, in bytes; 0 if there is no device of nouveau. */
uint64_t vram_used(void);
/* No more is used than before, in the end. */
bool vram_returns(uint64_t before);

#endif
