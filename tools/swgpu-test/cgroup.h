/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Cgroups that are charged for VRAM, or for memory of the kernel. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* False, and the case is skipped, if the kernel charges nobody for the VRAM of @fd. */
bool cgroup_begin(int fd);
/* The same for what the kernel allocates for its clients. */
bool cgroup_begin_memory(void);

/* A group; its name is a letter. */
bool cgroup_make(const char *name);
bool cgroup_remove(const char *name);
/* What this process allocates from now on is charged to it; "" is the root. */
bool cgroup_enter(const char *name);
/* @limit is "max", "low" or "min"; "." is the parent of all groups. */
bool cgroup_limit(const char *name, const char *limit, uint64_t bytes);
/* What is charged to it, and to all below it; or -1. */
long cgroup_charged(const char *name);
/* Within five seconds: what the GPU moved away from is released when it has copied it. */
bool cgroup_falls_to(const char *name, long bytes);
bool cgroup_limit_memory(const char *name, uint64_t bytes);
/* Memory of the system that is charged to a group, but the root; to 64 pages for each CPU. */
long cgroup_memory(const char *name);

#endif
