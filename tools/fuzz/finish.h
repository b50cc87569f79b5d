/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What must be true when everybody has ended. */
#ifndef FINISH_H
#define FINISH_H

#include <stdbool.h>

/* Before it begins. False if there are no devices. */
bool finish_prepare(void);
/* Nothing is left, on the devices and of them. */
void finish_check(void);

#endif
