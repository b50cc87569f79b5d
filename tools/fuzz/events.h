/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is done to the devices and to memory while the processes play. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

/* Each runs in a process of its own. */
void event_unbind(struct random *random);
void event_hog(struct random *random);

/* The drivers' name of a device. */
bool device_bind(uint32_t dev, bool bind);

#endif
