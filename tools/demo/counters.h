/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DEMO_COUNTERS_H
#define DEMO_COUNTERS_H

#include <stdio.h>

#include "swgpu_drm.h"

/* As a JSON object, its members named as those of the ioctl. */
void counters_print(FILE *out, const struct drm_swgpu_stats *stats);

#endif
