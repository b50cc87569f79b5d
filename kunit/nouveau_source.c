// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nouveau's own source, as it is, on a hardware that nouveau_mock.c stands for.
 * Sparse has complaints about it, which are not ours.
 */
#ifndef __CHECKER__
#include "../../nouveau/nouveau_fence.c"
#include "../../nouveau/nouveau_sched.c"
#include "../../nouveau/nouveau_vmm.c"
#endif
