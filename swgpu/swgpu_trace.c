// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tracepoints of swgpu_trace.h.
 */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "swgpu_trace.h"
#endif
